/* SPDX-License-Identifier: MIT */
#include "device_path.h"

#include "check.h"

static const uint8_t root[] = {2, 1, 12, 0, 0xd0, 0x41, 3, 10, 0, 0, 0, 0};
static const uint8_t drive[42] = {4, 1, 42, 0, 1, 0, 0, 0, [24] = 0x6e, 0x6f, 0x61, 0x7b, 0x74,
	0x61, 0x69, 0x4d, 0xb2, 0xe0, 1, 2, 3, 4, 5, 6, 2, 2};
static const uint8_t file[] = {4, 4, 10, 0, '\\', 0, 'A', 0, 0, 0};
static const uint8_t end[] = {0x7f, 0xff, 4, 0};

static uint8_t *join(const uint8_t *middle, size_t size)
{
	uint8_t *path =
		malloc(sizeof(root) + size + sizeof(end)); /* exact: for the address sanitiser */

	memcpy(path, root, sizeof(root));
	memcpy(path + sizeof(root), middle, size);
	memcpy(path + sizeof(root) + size, end, sizeof(end));
	return path;
}

static void partition(void)
{
	uint8_t other[sizeof(drive)];
	uint8_t *path = join(drive, sizeof(drive));
	char uuid[PARTITION_TEXT_MAX];

	CHECK(device_path_partition(path, uuid));
	CHECK_TEXT(uuid, "7b616f6e-6174-4d69-b2e0-010203040506");
	free(path);
	memcpy(other, drive, sizeof(drive));
	other[41] = 1; /* an MBR's signature */
	path = join(other, sizeof(other));
	CHECK(!device_path_partition(path, uuid));
	free(path);
	path = join(file, sizeof(file));
	CHECK(!device_path_partition(path, uuid));
	free(path);
	CHECK(!device_path_partition(NULL, uuid));
}

static void name(void)
{
	static const uint8_t unended[] = {4, 4, 8, 0, '\\', 0, 'A', 0},
			     odd[] = {4, 4, 7, 0, 0, 0, 0}, none[] = {4, 4, 4, 0},
			     endless[] = {4, 4, 0, 0};
	uint8_t *path = join(file, sizeof(file));
	size_t size;

	CHECK(device_path_file(path, &size) == (uint16_t *)(path + sizeof(root) + 4));
	CHECK_EQUAL(size, 6);
	free(path);
	for (int i = 0; i < 4; i++) {
		path = i == 0   ? join(unended, sizeof(unended))
		       : i == 1 ? join(odd, sizeof(odd))
		       : i == 2 ? join(none, sizeof(none))
				: join(endless, sizeof(endless));
		CHECK(!device_path_file(path, &size));
		free(path);
	}
	CHECK(!device_path_file(end, &size));
}

int main(void)
{
	partition();
	name();
	return 0;
}
