/* SPDX-License-Identifier: MIT */
/*
 * A file's attributes, which lsattr shows and chattr sets: man 2 ioctl_iflags, man 1 chattr. Those that forbid
 * are asked here; who may set them, and the calls, are in syscall/files_ioctl.c.
 */
#ifndef FILES_ATTRIBUTES_H
#define FILES_ATTRIBUTES_H

#include "files/vfs.h"

#include <linux/fs.h>

/* Those that tmpfs lets a caller set, and those of them that new files take from their directory. */
#define ATTRIBUTES_SETTABLE  (FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL)
#define ATTRIBUTES_INHERITED (FS_NODUMP_FL | FS_NOATIME_FL)

/* Any of these. */
static inline bool inode_has(const struct inode *inode, uint32_t attributes)
{
	return __atomic_load_n(&inode->attributes, __ATOMIC_RELAXED) & attributes;
}

static inline bool inode_is_immutable(const struct inode *inode)
{
	return inode->operations->immutable || inode_has(inode, FS_IMMUTABLE_FL);
}

/* What it is like does not change, nor does it lose or gain a name. */
static inline bool inode_is_fixed(const struct inode *inode)
{
	return inode->operations->immutable || inode_has(inode, FS_IMMUTABLE_FL | FS_APPEND_FL);
}

/* It was read by way of this mount, or of none (NULL): as the mount and the file want it. */
void path_touch_accessed(struct inode *inode, const struct mount *mount);

/* It was read by this file. */
static inline void file_touch_accessed(const struct file *file)
{
	if (likely(!(file->flags & O_NOATIME)))
		path_touch_accessed(file->inode, file->path.mount);
}

#endif
