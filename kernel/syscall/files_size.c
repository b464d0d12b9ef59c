/* SPDX-License-Identifier: MIT */
/* System calls on the size of files and where their data is: truncate, fallocate, fsync and its kin. */
#include <linux/falloc.h>

#include "files/inotify.h"
#include "syscall/files.h"

/* ---- Sizes ---- */

long sys_truncate(user_t path, int64_t size)
{
	struct path target;
	struct inode *inode;
	long result;

	if (size < 0)
		return -EINVAL;
	result = get_target(AT_FDCWD, path, 0, &target);
	if (result)
		return result;
	inode = target.dentry->inode;
	if (is_directory(inode))
		result = -EISDIR;
	else if (!S_ISREG(inode->mode))
		result = -EINVAL;
	else if (mount_read_only(target.mount))
		result = -EROFS;
	else
		result = inode_permission(inode, MAY_WRITE);
	if (!result)
		result = file_truncate(inode, target.dentry, (uint64_t)size);
	path_put(&target);
	return result;
}

long sys_ftruncate(int fd, int64_t size)
{
	struct file *file;
	long result;

	if (size < 0)
		return -EINVAL;
	file = get_real_file(fd);
	if (!file)
		return -EBADF;
	if (!S_ISREG(file->inode->mode) || !file_writable(file))
		result = -EINVAL;
	else
		result = file_truncate(file->inode, file->path.dentry, (uint64_t)size);
	file_put(file);
	return result;
}

static int may_allocate(const struct file *file, int mode, int64_t start, int64_t length)
{
	const int known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE |
			  FALLOC_FL_ZERO_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE;
	const struct inode *inode = file->inode;

	if (start < 0 || length <= 0)
		return -EINVAL;
	if (mode & ~known)
		return -EOPNOTSUPP;
	if (mode & FALLOC_FL_PUNCH_HOLE &&
		(mode & FALLOC_FL_ZERO_RANGE || !(mode & FALLOC_FL_KEEP_SIZE)))
		return -EOPNOTSUPP;
	if ((mode & FALLOC_FL_COLLAPSE_RANGE && mode & ~FALLOC_FL_COLLAPSE_RANGE) ||
		(mode & FALLOC_FL_INSERT_RANGE && mode & ~FALLOC_FL_INSERT_RANGE) ||
		(mode & FALLOC_FL_UNSHARE_RANGE &&
			mode & ~(FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE)))
		return -EINVAL;
	if (!file_writable(file))
		return -EBADF;
	if (S_ISFIFO(inode->mode))
		return -ESPIPE;
	if (is_directory(inode))
		return -EISDIR;
	if (!S_ISREG(inode->mode) && !S_ISBLK(inode->mode))
		return -ENODEV;
	if (length > INT64_MAX - start)
		return -EFBIG;
	return inode->operations->allocate && inode->object ? 0 : -EOPNOTSUPP;
}

long sys_fallocate(int fd, int mode, int64_t start, int64_t length)
{
	struct file *file = get_real_file(fd);
	struct inode *inode;
	long result;

	if (!file)
		return -EBADF;
	inode = file->inode;
	result = may_allocate(file, mode, start, length);
	if (!result) {
		mutex_lock(&inode->lock);
		result =
			inode->operations->allocate(inode, mode, (uint64_t)start, (uint64_t)length);
		if (!result) {
			inode_drop_set_ids(inode);
			inode_touch_modified(inode);
		}
		mutex_unlock(&inode->lock);
		if (!result)
			inotify_file(file, IN_MODIFY);
	}
	file_put(file);
	return result;
}

/* ---- Getting data to its place: memory is its place ---- */

static long sync_file(int fd)
{
	struct file *file = get_real_file(fd);
	long result;

	if (!file)
		return -EBADF;
	result = S_ISREG(file->inode->mode) || is_directory(file->inode) ? 0 : -EINVAL;
	file_put(file);
	return result;
}

long sys_fsync(int fd)
{
	return sync_file(fd);
}

long sys_fdatasync(int fd)
{
	return sync_file(fd);
}

long sys_sync(void)
{
	return 0;
}
