/* SPDX-License-Identifier: MIT */
/*
 * The path of the entry's file, as the loader left it in LoaderBootCountPath (systemd's Boot Loader Interface), goes
 * into a variable of ours that the loader reads at its next start: include/baton/boot_good.h. Both by efivarfs, which
 * is mounted for so long.
 */
#include "boot_good.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <baton/boot_good.h>

#define COUNTED   "/sys/firmware/baton/boot_counted"
#define VARIABLES "/sys/firmware/efi/efivars"
#define PATH      VARIABLES "/LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define GOOD      VARIABLES "/" BOOT_GOOD_FILE

/* A variable's file begins with its attributes. */
struct variable {
	uint32_t attributes;
	uint8_t value[1020];
};

static ssize_t transfer(const char *path, bool write_it, struct variable *variable, size_t size)
{
	int fd = write_it ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)
			  : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t done = -1;
	int error;

	if (fd >= 0)
		done = write_it ? write(fd, variable, size) : read(fd, variable, size);
	error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return done;
}

static const char *tell(void)
{
	struct variable variable;
	ssize_t size = transfer(PATH, false, &variable, sizeof variable);

	if (size <= (ssize_t)sizeof variable.attributes)
		return "LoaderBootCountPath cannot be read";
	variable.attributes = BOOT_GOOD_ATTRIBUTES;
	if (transfer(GOOD, true, &variable, (size_t)size) != size)
		return "the variable BatonBootGood cannot be written";
	return NULL;
}

void boot_is_good(void)
{
	static bool told;
	const char *failed;
	bool mounted;

	if (told || access(COUNTED, F_OK) < 0)
		return;
	told = true;
	mounted = mount("efivarfs", VARIABLES, "efivarfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
			  NULL) == 0;
	failed = tell();
	if (failed)
		dprintf(2, "init: this boot's counter stays: %s: %s\n", failed, strerror(errno));
	if (mounted)
		umount(VARIABLES);
}
