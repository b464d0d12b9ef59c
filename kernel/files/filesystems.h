/* SPDX-License-Identifier: MIT */
/* The types of file systems that mount(2) knows. See filesystems.c. */
#ifndef FILES_FILESYSTEMS_H
#define FILES_FILESYSTEMS_H

#include "files/vfs.h"

struct filesystem {
	const char *name;
	/* A superblock, held as if it were mounted (superblock_unmounted lets go of it). `options`: the
	 * type's own, comma-separated, may be written to; NULL: none. -EINVAL: it does not know one. */
	int (*mount)(char *options, struct superblock **out);
};

const struct filesystem *filesystem_at(unsigned index); /* NULL: no more */
const struct filesystem *filesystem_find(const char *name);

#endif
