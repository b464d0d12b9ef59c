/* SPDX-License-Identifier: MIT */
#ifndef FILES_INITRD_H
#define FILES_INITRD_H

#include "lib/types.h"

struct fs_context;

/* Unpacks the archives at [base, base + size) into the root, and gives the pages away: to the files
 * whose data lies page-aligned, the others to the allocator. base is page-aligned, and the pages are
 * the caller's to give. See initrd.c. */
void initrd_unpack(struct fs_context *fs, phys_t base, uint64_t size);

#endif
