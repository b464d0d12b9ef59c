/* SPDX-License-Identifier: MIT */
/* `efi-variable NAME...`: of each variable of the Boot Loader Interface its attributes and bytes, in hexadecimal, or "none". */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "firmware/efi_services.h"

#define MOST 4096

/* 4a67b082-0a4c-41cf-b6c7-440b29bb8c4f */
static const uint8_t guid[16] = {0x82, 0xb0, 0x67, 0x4a, 0x4c, 0x0a, 0xcf, 0x41, 0xb6, 0xc7, 0x44,
	0x0b, 0x29, 0xbb, 0x8c, 0x4f};

static void show(int fd, const char *name)
{
	uint16_t wide[64] = {0};
	uint8_t data[MOST];
	uint64_t size = sizeof data, status = 0;
	uint32_t attributes = 0;

	for (size_t i = 0; name[i] && i < 63; i++)
		wide[i] = (uint8_t)name[i];
	if (efi_get_variable(
		    fd, (struct efi_get_variable){wide, guid, &attributes, &size, data, &status})) {
		printf("%s none\n", name);
		return;
	}
	printf("%s %x ", name, attributes);
	for (uint64_t i = 0; i < size; i++)
		printf("%02x", data[i]);
	putchar('\n');
}

int main(int argc, char **argv)
{
	int fd = open("/dev/efi_test", O_RDWR);

	if (fd < 0) {
		perror("/dev/efi_test");
		return 1;
	}
	for (int i = 1; i < argc; i++)
		show(fd, argv[i]);
	return 0;
}
