/* SPDX-License-Identifier: MIT */
/* The types of file systems that mount(2) knows. See filesystems.c. */
#ifndef FILES_FILESYSTEMS_H
#define FILES_FILESYSTEMS_H

#include "files/vfs.h"

struct filesystem {
	const char *name;
	/* A superblock with a reference for the mount; data: the type's own options, or "". */
	int (*mount)(const char *data, struct superblock **out);
};

const struct filesystem *filesystem_at(unsigned index); /* NULL: no more */
const struct filesystem *filesystem_find(const char *name);

#endif
