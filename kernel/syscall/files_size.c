/* SPDX-License-Identifier: MIT */
/* System calls on the size of files and where their data is: truncate, fallocate, fsync and its kin. */
#include <linux/fadvise.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/magic.h>

#include "files/attributes.h"
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
	if (!result && inode_has(inode, FS_APPEND_FL))
		result = -EPERM;
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
	else if (inode_has(file->inode, FS_APPEND_FL))
		result = -EPERM;
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
	if (inode_has(inode, FS_IMMUTABLE_FL) ||
		(mode & ~FALLOC_FL_KEEP_SIZE && inode_has(inode, FS_APPEND_FL)))
		return -EPERM;
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

long file_allocate(struct file *file, int mode, int64_t start, int64_t length)
{
	struct inode *inode = file->inode;
	long result = may_allocate(file, mode, start, length);

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
	return result;
}

long sys_fallocate(int fd, int mode, int64_t start, int64_t length)
{
	struct file *file = get_real_file(fd);
	long result;

	if (!file)
		return -EBADF;
	result = file_allocate(file, mode, start, length);
	file_put(file);
	return result;
}

/* ---- Getting data to its place: memory is its place ---- */

static bool can_sync(const struct inode *inode)
{
	switch (inode->superblock->magic) {
	case PROC_SUPER_MAGIC:
	case NSFS_MAGIC:
		return false;
	case SYSFS_MAGIC:
		return S_ISREG(inode->mode);
	default:
		return S_ISREG(inode->mode) || is_directory(inode);
	}
}

static long sync_file(int fd)
{
	struct file *file = get_real_file(fd);
	long result;

	if (!file)
		return -EBADF;
	result = can_sync(file->inode) ? 0 : -EINVAL;
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

long sys_syncfs(int fd)
{
	struct file *file = get_real_file(fd);

	if (!file)
		return -EBADF;
	file_put(file);
	return 0;
}

static int may_sync_range(const struct inode *inode, int64_t start, int64_t length, unsigned flags)
{
	const unsigned known =
		SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
	int64_t end;

	if (flags & ~known || start < 0 || length < 0 ||
		__builtin_add_overflow(start, length, &end))
		return -EINVAL;
	return S_ISREG(inode->mode) || S_ISBLK(inode->mode) || is_directory(inode) ? 0 : -ESPIPE;
}

long sys_sync_file_range(int fd, int64_t start, int64_t length, unsigned int flags)
{
	struct file *file = get_real_file(fd);
	long result;

	if (!file)
		return -EBADF;
	result = may_sync_range(file->inode, start, length, flags);
	file_put(file);
	return result;
}

/* ---- How data will be used: nothing is read ahead, or dropped that could be read again ---- */

long sys_fadvise64(int fd, int64_t start, size_t length, int advice)
{
	struct file *file = get_real_file(fd);
	long result = 0;

	(void)start;
	if (!file)
		return -EBADF;
	if (S_ISFIFO(file->inode->mode))
		result = -ESPIPE;
	else if ((int64_t)length < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE)
		result = -EINVAL;
	file_put(file);
	return result;
}

long sys_readahead(int fd, int64_t start, size_t count)
{
	struct file *file = get_real_file(fd);
	long result = 0;

	(void)start;
	if (!file)
		return -EBADF;
	if (!file_readable(file))
		result = -EBADF;
	else if (!S_ISREG(file->inode->mode) || (int64_t)count < 0)
		result = -EINVAL;
	file_put(file);
	return result;
}
