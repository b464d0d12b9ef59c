/* SPDX-License-Identifier: MIT */
#include "device_path.h"

#include "text.h"

#define PATH_MAX     4096u /* bytes: nobody's path is as long */
#define HEADER       4u
#define MEDIA        4u
#define HARD_DRIVE   1u
#define FILE_PATH    4u
#define END          0x7fu
#define SIGNATURE    24u /* of a hard drive's node */
#define SIGNATURE_IS 41u /* what kind it is */
#define BY_GUID      2u
#define DRIVE_SIZE   42u

static uint32_t size_of(const uint8_t *node)
{
	return node[2] | (uint32_t)node[3] << 8;
}

/* The last media node of this kind; NULL: none. */
static const uint8_t *find(const void *path, uint8_t kind)
{
	const uint8_t *node = path, *found = NULL;

	for (size_t at = 0; node && at < PATH_MAX; at += size_of(node), node += size_of(node)) {
		if (node[0] == END || size_of(node) < HEADER)
			break;
		if (node[0] == MEDIA && node[1] == kind)
			found = node;
	}
	return found;
}

bool device_path_partition(const void *path, char uuid[PARTITION_TEXT_MAX])
{
	/* A GUID's first three fields are little-endian. */
	static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	static const char digits[] = "0123456789abcdef";
	const uint8_t *node = find(path, HARD_DRIVE);
	size_t at = 0;

	if (!node || size_of(node) < DRIVE_SIZE || node[SIGNATURE_IS] != BY_GUID)
		return false;
	for (size_t i = 0; i < sizeof(order); i++) {
		uint8_t byte = node[SIGNATURE + order[i]];

		if (i == 4 || i == 6 || i == 8 || i == 10)
			uuid[at++] = '-';
		uuid[at++] = digits[byte >> 4];
		uuid[at++] = digits[byte & 15];
	}
	uuid[at] = '\0';
	return true;
}

const uint16_t *device_path_file(const void *path, size_t *size)
{
	const uint8_t *node = find(path, FILE_PATH);

	if (!node || size_of(node) < HEADER + 2 || size_of(node) % 2)
		return NULL;
	*size = size_of(node) - HEADER;
	if (node[HEADER + *size - 1] || node[HEADER + *size - 2])
		return NULL;
	return (const uint16_t *)(node + HEADER);
}
