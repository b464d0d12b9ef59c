/* SPDX-License-Identifier: MIT */
/* System calls that change what files are like, and ask what one may: access, chmod, chown, utimensat,
 * umask. */
#include <linux/capability.h>
#include <linux/securebits.h>

#include "files/attributes.h"
#include "files/inotify.h"
#include "syscall/files.h"

#include <linux/time_types.h>

/* ---- access ---- */

/* What the mount forbids counts too. */
static int may_access(const struct inode *inode, const struct mount *mount, unsigned int may)
{
	bool special = S_ISCHR(inode->mode) || S_ISBLK(inode->mode) || S_ISFIFO(inode->mode) ||
		       S_ISSOCK(inode->mode);
	int error;

	if (may & MAY_EXECUTE && S_ISREG(inode->mode) && mount_has(mount, MS_NOEXEC))
		return -EACCES;
	error = inode_permission(inode, may);
	if (!error && may & MAY_WRITE && !special && mount_read_only(mount))
		error = -EROFS;
	return error;
}

static long access_as_now(int directory_fd, user_t path, unsigned int may, unsigned int flags)
{
	struct file *placeless;
	struct path target;
	long result;

	if (may & ~(unsigned int)(MAY_READ | MAY_WRITE | MAY_EXECUTE) ||
		flags & ~(unsigned int)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	placeless = get_placeless(directory_fd, path, flags);
	if (placeless) {
		result = may_access(placeless->inode, NULL, may);
		file_put(placeless);
		return result;
	}
	result = get_target(
		directory_fd, path, flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH), &target);
	if (result)
		return result;
	result = may_access(target.dentry->inode, target.mount, may);
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
	bool wrong; /* the times: nanoseconds out of their range */
	uint32_t new_mode;
	uint32_t uid, gid;       /* UINT32_MAX: stays */
	ns_t accessed, modified; /* TIMES_NONE: stays */
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

/* With the lock: who was its owner a moment ago may be so no longer. */
static int check_change(const struct inode *inode, const struct change *change)
{
	bool gives = change->owner && (change->uid != UINT32_MAX || change->gid != UINT32_MAX);
	int error;

	if (change->mode || gives || change->given ? inode_is_fixed(inode)
						   : change->times && inode_is_immutable(inode))
		return -EPERM;
	error = may_change(inode, change);
	if (!error && change->mode && inode->operations->fixed_mode)
		error = -EPERM;
	if (!error && change->mode && S_ISLNK(inode->mode))
		error = -EOPNOTSUPP;
	return error;
}

static void make_change(struct inode *inode, const struct change *change)
{
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
	if (change->times && change->accessed != TIMES_NONE)
		inode->accessed = change->accessed;
	if (change->times && change->modified != TIMES_NONE)
		inode->modified = change->modified;
	inode->changed = vfs_now();
}

static long change_inode(struct inode *inode, const struct change *change)
{
	int error;

	if (change->wrong)
		return -EINVAL;
	mutex_lock(&inode->lock);
	error = check_change(inode, change);
	if (!error)
		make_change(inode, change);
	mutex_unlock(&inode->lock);
	return error;
}

/* What Linux says of such a change. */
static uint32_t event_of(const struct change *change)
{
	if (!change->times || (change->accessed != TIMES_NONE && change->modified != TIMES_NONE))
		return IN_ATTRIB;
	return change->accessed != TIMES_NONE ? IN_ACCESS : IN_MODIFY;
}

static long change_path(
	int directory_fd, user_t path, unsigned int flags, const struct change *change)
{
	struct file *placeless = get_placeless(directory_fd, path, flags);
	struct path target;
	long result;

	if (placeless) {
		result = change_inode(placeless->inode, change);
		file_put(placeless);
		return result;
	}
	result = get_target(directory_fd, path, flags, &target);
	if (result)
		return result;
	result =
		mount_read_only(target.mount) ? -EROFS : change_inode(target.dentry->inode, change);
	if (!result)
		inotify_dentry(target.dentry, event_of(change));
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
	if (!result && file->path.dentry)
		inotify_dentry(file->path.dentry, event_of(change));
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
		*out = TIMES_NONE;
	else if (from->tv_nsec < 0 || from->tv_nsec >= (long long)NS_PER_SECOND)
		return -EINVAL;
	else
		*out = times_of(from->tv_sec, from->tv_nsec);
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
		change.wrong = one_time(&both[0], now, &change.accessed) ||
			       one_time(&both[1], now, &change.modified);
		change.given = both[0].tv_nsec != UTIME_NOW_ || both[1].tv_nsec != UTIME_NOW_;
	}
	if (!path.address && directory_fd != AT_FDCWD)
		return flags ? -EINVAL : change_file(directory_fd, &change);
	if (flags & ~(unsigned int)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return change_path(directory_fd, path, flags, &change);
}

/* ---- The older forms: whole seconds, microseconds ---- */

long sys_utime(user_t path, user_t times)
{
	struct change change = {.times = true, .accessed = vfs_now()};
	int64_t both[2];

	change.modified = change.accessed;
	if (times.address) {
		if (copy_from_user(both, times, sizeof(both)))
			return -EFAULT;
		change.given = true;
		change.accessed = times_of(both[0], 0);
		change.modified = times_of(both[1], 0);
	}
	return change_path(AT_FDCWD, path, 0, &change);
}

long sys_futimesat(int directory_fd, user_t path, user_t times)
{
	struct change change = {.times = true, .accessed = vfs_now()};
	struct __kernel_old_timeval both[2];

	change.modified = change.accessed;
	if (times.address) {
		if (copy_from_user(both, times, sizeof(both)))
			return -EFAULT;
		if (both[0].tv_usec < 0 || both[0].tv_usec >= 1000000 || both[1].tv_usec < 0 ||
			both[1].tv_usec >= 1000000)
			return -EINVAL;
		change.given = true;
		change.accessed = times_of(both[0].tv_sec, both[0].tv_usec * 1000);
		change.modified = times_of(both[1].tv_sec, both[1].tv_usec * 1000);
	}
	if (!path.address && directory_fd != AT_FDCWD)
		return change_file(directory_fd, &change);
	return change_path(directory_fd, path, 0, &change);
}

long sys_utimes(user_t path, user_t times)
{
	return sys_futimesat(AT_FDCWD, path, times);
}

long sys_umask(unsigned int mask)
{
	return (long)__atomic_exchange_n(&current_fs()->umask, mask & 0777, __ATOMIC_RELAXED);
}
