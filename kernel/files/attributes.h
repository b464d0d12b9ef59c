/* SPDX-License-Identifier: MIT */
/*
 * A file's attributes, which lsattr shows and chattr sets: man 2 ioctl_iflags, man 1 chattr. Those that forbid
 * are asked here; who may set them, and the calls, are in syscall/files_ioctl.c.
 */
#ifndef FILES_ATTRIBUTES_H
#define FILES_ATTRIBUTES_H

#include "files/vfs.h"
#include "lib/errno.h"

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

/* What permissions let open, by open's flags: a file that only grows is opened for that alone, and times of reading
 * are the owner's. */
static inline int inode_may_open_more(const struct inode *inode, unsigned int flags)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;

	if (inode_has(inode, FS_APPEND_FL) && (flags & O_TRUNC || (writes && !(flags & O_APPEND))))
		return -EPERM;
	return flags & O_NOATIME && !inode_owned(inode) ? -EPERM : 0;
}

/* Whether `relatime` keeps a new time: inode_touch_accessed's rule. */
static inline bool inode_wants_accessed(const struct inode *inode)
{
	return times_want_read(inode->accessed, inode->modified, inode->changed, vfs_now());
}

/* It was read by way of this mount, or of none (NULL): as the mount and the file want it. */
void path_touch_accessed(struct inode *inode, const struct mount *mount);

/* It was read by this file. Mostly the time is new enough, and then only a mount with MS_STRICTATIME wants more. */
static inline void file_touch_accessed(const struct file *file)
{
	const struct mount *mount = file->path.mount;

	if (likely(!inode_wants_accessed(file->inode) &&
		    (!mount || mount_has(mount, MS_RELATIME | MS_NOATIME))))
		return;
	if (!(file->flags & O_NOATIME))
		path_touch_accessed(file->inode, mount);
}

#endif
