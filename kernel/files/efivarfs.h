/* SPDX-License-Identifier: MIT */
#ifndef FILES_EFIVARFS_H
#define FILES_EFIVARFS_H

#include "files/vfs.h"

int efivarfs_mount(char *options, struct superblock **out) MUST_CHECK; /* struct filesystem */

#endif
