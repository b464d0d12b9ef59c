/* SPDX-License-Identifier: MIT */
/* System calls on what files are like: stat and its kin, access, chmod, chown, utimensat, truncate,
 * umask, sync. */
#include <linux/capability.h>
#include <linux/falloc.h>
#include <linux/securebits.h>

#include "syscall/files.h"

#include "lib/string.h"

#include <asm/statfs.h>
#include <linux/time_types.h>

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

	if (flags & ~(unsigned int)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
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
	return (struct statx_timestamp){.tv_sec = (long long)(time / NS_PER_SECOND),
		.tv_nsec = (uint32_t)(time % NS_PER_SECOND)};
}

/* What stat gives, in statx's form; more than that is not kept. */
static long give_statx(const struct path *path, struct inode *inode, user_t out)
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
	statx.stx_attributes_mask = STATX_ATTR_AUTOMOUNT | STATX_ATTR_MOUNT_ROOT;
	if (path && path->mount) {
		statx.stx_mask |= STATX_MNT_ID;
		statx.stx_mnt_id = (uint64_t)path->mount->id;
		if (path->dentry == path->mount->root)
			statx.stx_attributes |= STATX_ATTR_MOUNT_ROOT;
	}
	return copy_to_user(out, &statx, sizeof(statx));
}

static long statx_of_file(int fd, user_t out)
{
	struct file *file = get_file(fd);
	long result;

	if (!file)
		return -EBADF;
	result = give_statx(&file->path, file->inode, out);
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
		return statx_of_file(directory_fd, out);
	result = get_target(directory_fd, path, flags, &target);
	if (result)
		return result;
	result = give_statx(&target, target.dentry->inode, out);
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

/* ---- access ---- */

/* What the mount forbids counts too. */
static int may_access(const struct path *path, unsigned int may)
{
	const struct inode *inode = path->dentry->inode;
	bool special = S_ISCHR(inode->mode) || S_ISBLK(inode->mode) || S_ISFIFO(inode->mode) ||
		       S_ISSOCK(inode->mode);
	int error;

	if (may & MAY_EXECUTE && S_ISREG(inode->mode) && mount_has(path->mount, MS_NOEXEC))
		return -EACCES;
	error = inode_permission(inode, may);
	if (!error && may & MAY_WRITE && !special && mount_read_only(path->mount))
		error = -EROFS;
	return error;
}

static long access_as_now(int directory_fd, user_t path, unsigned int may, unsigned int flags)
{
	struct path target;
	long result;

	if (may & ~(unsigned int)(MAY_READ | MAY_WRITE | MAY_EXECUTE) ||
		flags & ~(unsigned int)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	result = get_target(
		directory_fd, path, flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH), &target);
	if (result)
		return result;
	result = may_access(&target, may);
	path_put(&target);
	return result;
}

/* Whether the caller could, if it were who it really is: by its real ids, with the capabilities that
 * go with those. */
static void become_real(struct credentials *real, const struct credentials *who)
{
	*real = *who;
	real->fsuid = who->uid;
	real->fsgid = who->gid;
	if (!(who->securebits & issecure_mask(SECURE_NO_SETUID_FIXUP)))
		real->effective = who->uid ? 0 : who->permitted;
}

long sys_faccessat2(int directory_fd, user_t path, unsigned int may, unsigned int flags)
{
	const struct credentials *who = current_credentials();
	struct credentials real;
	long result;

	become_real(&real, who);
	if (flags & AT_EACCESS || (real.fsuid == who->fsuid && real.fsgid == who->fsgid &&
					  real.effective == who->effective))
		return access_as_now(directory_fd, path, may, flags);
	who = credentials_override(&real);
	result = access_as_now(directory_fd, path, may, flags);
	credentials_override(who);
	return result;
}

long sys_faccessat(int directory_fd, user_t path, unsigned int may)
{
	return sys_faccessat2(directory_fd, path, may, 0);
}

long sys_access(user_t path, unsigned int may)
{
	return sys_faccessat2(AT_FDCWD, path, may, 0);
}

/* ---- Changing mode, owner, times ---- */

struct change {
	bool mode, owner, times;
	bool given; /* the times: not both now */
	uint32_t new_mode;
	uint32_t uid, gid;       /* UINT32_MAX: stays */
	ns_t accessed, modified; /* NS_NEVER: stays */
};

/* man 2 chmod, chown, utimensat. */
static int may_change(const struct inode *inode, const struct change *change)
{
	const struct credentials *who = current_credentials();
	bool owner = who->fsuid == inode->uid, chown = has_capability(who, CAP_CHOWN);

	if (change->mode && !inode_owned(inode))
		return -EPERM;
	if (change->owner && change->uid != UINT32_MAX && !chown &&
		!(owner && change->uid == inode->uid))
		return -EPERM;
	if (change->owner && change->gid != UINT32_MAX && !chown &&
		!(owner && (change->gid == inode->gid || credentials_in_group(who, change->gid))))
		return -EPERM;
	if (change->times && !inode_owned(inode)) {
		if (change->given)
			return -EPERM;
		return inode_permission(inode, MAY_WRITE);
	}
	return 0;
}

/* The set-gid bit of a group that the owner is not in is dropped: man 2 chmod. */
static uint32_t allowed_mode(const struct inode *inode, uint32_t mode)
{
	const struct credentials *who = current_credentials();

	if (mode & S_ISGID && !credentials_in_group(who, inode->gid) &&
		!has_capability(who, CAP_FSETID))
		mode &= ~(uint32_t)S_ISGID;
	return mode & MODE_BITS;
}

static long change_inode(struct inode *inode, const struct change *change)
{
	int error = may_change(inode, change);

	if (!error && change->mode && inode->operations->fixed_mode)
		error = -EPERM;
	if (error)
		return error;
	mutex_lock(&inode->lock);
	if (change->mode)
		inode->mode = (inode->mode & S_IFMT) | allowed_mode(inode, change->new_mode);
	if (change->owner) {
		if (change->uid != UINT32_MAX)
			inode->uid = change->uid;
		if (change->gid != UINT32_MAX)
			inode->gid = change->gid;
		/* A program that changes hands loses its set-id bits: man 2 chown. */
		if (!is_directory(inode)) {
			inode->mode &= ~(uint32_t)S_ISUID;
			if (inode->mode & S_IXGRP)
				inode->mode &= ~(uint32_t)S_ISGID;
		}
	}
	if (change->times && change->accessed != NS_NEVER)
		inode->accessed = change->accessed;
	if (change->times && change->modified != NS_NEVER)
		inode->modified = change->modified;
	inode->changed = vfs_now();
	mutex_unlock(&inode->lock);
	return 0;
}

static long change_path(
	int directory_fd, user_t path, unsigned int flags, const struct change *change)
{
	struct path target;
	long result = get_target(directory_fd, path, flags, &target);

	if (result)
		return result;
	result =
		mount_read_only(target.mount) ? -EROFS : change_inode(target.dentry->inode, change);
	path_put(&target);
	return result;
}

static long change_file(int fd, const struct change *change)
{
	struct file *file = get_real_file(fd);
	long result;

	if (!file)
		return -EBADF;
	if (file->path.mount && mount_read_only(file->path.mount))
		result = -EROFS;
	else
		result = change_inode(file->inode, change);
	file_put(file);
	return result;
}

long sys_fchmodat(int directory_fd, user_t path, unsigned int mode)
{
	return change_path(directory_fd, path, 0, &(struct change){.mode = true, .new_mode = mode});
}

long sys_chmod(user_t path, unsigned int mode)
{
	return sys_fchmodat(AT_FDCWD, path, mode);
}

long sys_fchmod(int fd, unsigned int mode)
{
	return change_file(fd, &(struct change){.mode = true, .new_mode = mode});
}

long sys_fchownat(
	int directory_fd, user_t path, unsigned int uid, unsigned int gid, unsigned int flags)
{
	if (flags & ~(unsigned int)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return change_path(
		directory_fd, path, flags, &(struct change){.owner = true, .uid = uid, .gid = gid});
}

long sys_chown(user_t path, unsigned int uid, unsigned int gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, 0);
}

long sys_lchown(user_t path, unsigned int uid, unsigned int gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

long sys_fchown(int fd, unsigned int uid, unsigned int gid)
{
	return change_file(fd, &(struct change){.owner = true, .uid = uid, .gid = gid});
}

/* utimensat's special nanoseconds; Linux keeps them to its inner headers. man 2 utimensat. */
#define UTIME_NOW_  ((1l << 30) - 1l)
#define UTIME_OMIT_ ((1l << 30) - 2l)

static int one_time(const struct __kernel_timespec *from, ns_t now, ns_t *out)
{
	if (from->tv_nsec == UTIME_NOW_)
		*out = now;
	else if (from->tv_nsec == UTIME_OMIT_)
		*out = NS_NEVER;
	else if (from->tv_nsec < 0 || from->tv_nsec >= (long long)NS_PER_SECOND)
		return -EINVAL;
	else /* times before 1970 and after 2554 are held at the ends, as Linux clamps to a range */
		*out = from->tv_sec < 0 ? 0
		       : (uint64_t)from->tv_sec > NS_NEVER / NS_PER_SECOND - 1
			       ? NS_NEVER - 1
			       : (uint64_t)from->tv_sec * NS_PER_SECOND + (uint64_t)from->tv_nsec;
	return 0;
}

long sys_utimensat(int directory_fd, user_t path, user_t times, unsigned int flags)
{
	struct change change = {.times = true};
	struct __kernel_timespec both[2];
	ns_t now = vfs_now();

	change.accessed = change.modified = now;
	if (times.address) {
		if (copy_from_user(both, times, sizeof(both)))
			return -EFAULT;
		if (both[0].tv_nsec == UTIME_OMIT_ && both[1].tv_nsec == UTIME_OMIT_)
			return 0;
		if (one_time(&both[0], now, &change.accessed) ||
			one_time(&both[1], now, &change.modified))
			return -EINVAL;
		change.given = both[0].tv_nsec != UTIME_NOW_ || both[1].tv_nsec != UTIME_NOW_;
	}
	if (!path.address && directory_fd != AT_FDCWD)
		return flags ? -EINVAL : change_file(directory_fd, &change);
	if (flags & ~(unsigned int)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return change_path(directory_fd, path, flags, &change);
}

long sys_umask(unsigned int mask)
{
	return (long)__atomic_exchange_n(&current_fs()->umask, mask & 0777, __ATOMIC_RELAXED);
}

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
		result = inode_truncate(inode, (uint64_t)size);
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
		result = inode_truncate(file->inode, (uint64_t)size);
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
