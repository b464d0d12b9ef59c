/* SPDX-License-Identifier: MIT */
/* What a device path tells of where a program came from (UEFI 2.10, 10.3). */
#ifndef LOADER_DEVICE_PATH_H
#define LOADER_DEVICE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARTITION_TEXT_MAX 37u /* 8-4-4-4-12 digits and a NUL */

/* The GPT partition's UUID, as text in lower case; false: the path has no such partition. */
bool device_path_partition(const void *path, char uuid[PARTITION_TEXT_MAX]);

/* The file's path, in UCS-2 with its NUL, and the bytes of both; NULL: there is none. A piece of `path`. */
const uint16_t *device_path_file(const void *path, size_t *size);

#endif
