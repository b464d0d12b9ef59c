/* SPDX-License-Identifier: MIT */
/* System calls that say what files and file systems are like: stat and its kin, statx, statfs. */
#include "syscall/files.h"

#include "lib/string.h"

#include <linux/fs.h>

#include <asm/statfs.h>

/* ---- stat ---- */

static long give_stat(struct inode *inode, user_t out)
{
	struct stat stat;

	inode_stat(inode, &stat);
	return copy_to_user(out, &stat, sizeof(stat));
}

long sys_fstat(int fd, user_t out)
{
	struct borrowed_file borrowed = borrow_file(fd);
	long result;

	if (!borrowed.file)
		return -EBADF;
	result = give_stat(borrowed.file->inode, out);
	file_return(borrowed);
	return result;
}

/* glibc's fstat: newfstatat(fd, "", out, AT_EMPTY_PATH), which works for pipes too. */
static bool is_empty_path(user_t path)
{
	char first;

	return !copy_from_user(&first, path, 1) && !first;
}

long sys_newfstatat(int directory_fd, user_t path, user_t out, unsigned int flags)
{
	struct path target;
	long result;

	if (flags & ~(unsigned int)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT |
				    AT_STATX_SYNC_TYPE))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH && directory_fd >= 0 && is_empty_path(path))
		return sys_fstat(directory_fd, out);
	result = get_target(directory_fd, path, flags, &target);
	if (result)
		return result;
	result = give_stat(target.dentry->inode, out);
	path_put(&target);
	return result;
}

long sys_stat(user_t path, user_t out)
{
	return sys_newfstatat(AT_FDCWD, path, out, 0);
}

long sys_lstat(user_t path, user_t out)
{
	return sys_newfstatat(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW);
}

/* ---- statx ---- */

static struct statx_timestamp statx_time(ns_t time)
{
	return (struct statx_timestamp){.tv_sec = times_seconds(time), .tv_nsec = times_part(time)};
}

/* Beyond what stat gives: attributes that files of this system can have; when it was made, if asked. */
static void add_more(struct statx *statx, const struct inode *inode, unsigned int mask)
{
	statx->stx_attributes_mask = STATX_ATTR_AUTOMOUNT | STATX_ATTR_MOUNT_ROOT | STATX_ATTR_DAX;
	if (!inode->superblock->tells_creation)
		return;
	statx->stx_attributes_mask |= STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP;
	/* Their bits are those of the ioctls. */
	statx->stx_attributes |= __atomic_load_n(&inode->attributes, __ATOMIC_RELAXED) &
				 (FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL);
	if (mask & STATX_BTIME) {
		statx->stx_mask |= STATX_BTIME;
		statx->stx_btime = statx_time(inode->created);
	}
}

static long give_statx(const struct path *path, struct inode *inode, unsigned int mask, user_t out)
{
	struct statx statx;
	struct stat stat;

	inode_stat(inode, &stat);
	memset(&statx, 0, sizeof(statx));
	statx.stx_mask = STATX_BASIC_STATS;
	statx.stx_blksize = (uint32_t)stat.st_blksize;
	statx.stx_nlink = (uint32_t)stat.st_nlink;
	statx.stx_uid = stat.st_uid;
	statx.stx_gid = stat.st_gid;
	statx.stx_mode = (uint16_t)stat.st_mode;
	statx.stx_ino = stat.st_ino;
	statx.stx_size = (uint64_t)stat.st_size;
	statx.stx_blocks = (uint64_t)stat.st_blocks;
	statx.stx_atime = statx_time(inode->accessed);
	statx.stx_mtime = statx_time(inode->modified);
	statx.stx_ctime = statx_time(inode->changed);
	statx.stx_rdev_major = device_major(stat.st_rdev);
	statx.stx_rdev_minor = device_minor(stat.st_rdev);
	statx.stx_dev_major = device_major(stat.st_dev);
	statx.stx_dev_minor = device_minor(stat.st_dev);
	add_more(&statx, inode, mask);
	if (path && path->mount) {
		statx.stx_mask |= STATX_MNT_ID;
		statx.stx_mnt_id = (uint64_t)path->mount->id;
		if (path->dentry == path->mount->root)
			statx.stx_attributes |= STATX_ATTR_MOUNT_ROOT;
	}
	return copy_to_user(out, &statx, sizeof(statx));
}

static long statx_of_file(int fd, unsigned int mask, user_t out)
{
	struct file *file = get_file(fd);
	long result;

	if (!file)
		return -EBADF;
	result = give_statx(&file->path, file->inode, mask, out);
	file_put(file);
	return result;
}

long sys_statx(int directory_fd, user_t path, unsigned int flags, unsigned int mask, user_t out)
{
	const unsigned int known =
		AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;
	struct path target;
	long result;

	if (mask & STATX__RESERVED)
		return -EINVAL;
	if (flags & ~known || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	if (flags & AT_EMPTY_PATH && directory_fd >= 0 && is_empty_path(path))
		return statx_of_file(directory_fd, mask, out);
	result = get_target(directory_fd, path, flags, &target);
	if (result)
		return result;
	result = give_statx(&target, target.dentry->inode, mask, out);
	path_put(&target);
	return result;
}

/* ---- statfs ---- */

/* f_flags' bits: ST_VALID, and those of a mount (man 2 statfs). */
static long statfs_flags(const struct mount *mount)
{
	static const struct {
		uint32_t mount, statfs;
	} bits[] = {{MS_NOSUID, 2}, {MS_NODEV, 4}, {MS_NOEXEC, 8}, {MS_NOATIME, 0x400},
		{MS_NODIRATIME, 0x800}, {MS_RELATIME, 0x1000}, {MS_NOSYMFOLLOW, 0x2000}};
	uint32_t flags = 0x20;

	if (mount && mount_read_only(mount))
		flags |= 1;
	if (mount && mount->superblock->flags & MS_SYNCHRONOUS)
		flags |= 0x10;
	if (mount && mount->superblock->flags & MS_MANDLOCK)
		flags |= 0x40;
	for (size_t i = 0; mount && i < sizeof(bits) / sizeof(bits[0]); i++)
		if (mount_has(mount, bits[i].mount))
			flags |= bits[i].statfs;
	return (long)flags;
}

/* mount: NULL for what is in none. */
static long give_statfs(struct superblock *superblock, const struct mount *mount, user_t out)
{
	struct statfs stat;

	memset(&stat, 0, sizeof(stat));
	stat.f_type = (long)superblock->magic;
	stat.f_bsize = stat.f_frsize = PAGE_SIZE;
	stat.f_namelen = NAME_MAX;
	stat.f_fsid.val[0] = (int)superblock->device;
	stat.f_flags = statfs_flags(mount);
	if (superblock->operations && superblock->operations->statistics)
		superblock->operations->statistics(superblock, &stat);
	return copy_to_user(out, &stat, sizeof(stat));
}

long sys_statfs(user_t path, user_t out)
{
	struct path target;
	long result = get_target(AT_FDCWD, path, 0, &target);

	if (result)
		return result;
	result = give_statfs(target.dentry->inode->superblock, target.mount, out);
	path_put(&target);
	return result;
}

long sys_fstatfs(int fd, user_t out)
{
	struct file *file = get_file(fd);
	long result;

	if (!file)
		return -EBADF;
	result = give_statfs(file->inode->superblock, file->path.mount, out);
	file_put(file);
	return result;
}
