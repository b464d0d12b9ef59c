/* SPDX-License-Identifier: MIT */
/*
 * ioctl: what every file knows, and attributes (man 2 ioctl_iflags, ioctl_ficlone, ioctl_fideduperange). All other
 * commands are the file's own operation's. Nothing here shares blocks, freezes or has blocks at addresses: such
 * commands get what Linux's tmpfs answers.
 */
#include <linux/capability.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>

#include "files/async.h"
#include "files/attributes.h"
#include "lib/string.h"
#include "syscall/files.h"

#include "files/mount.h"

static long set_nonblocking(struct file *file, user_t argument)
{
	int on;

	if (copy_from_user(&on, argument, sizeof(on)))
		return -EFAULT;
	if (on)
		__atomic_or_fetch(&file->flags, O_NONBLOCK, __ATOMIC_RELAXED);
	else
		__atomic_and_fetch(&file->flags, ~(uint32_t)O_NONBLOCK, __ATOMIC_RELAXED);
	return 0;
}

static long set_signals(struct file *file, int fd, user_t argument)
{
	int on;

	if (copy_from_user(&on, argument, sizeof(on)))
		return -EFAULT;
	return async_set(file, fd, on, -ENOTTY);
}

/* ---- Sizes and places ---- */

static long give_int(user_t out, int value)
{
	return copy_to_user(out, &value, sizeof(value));
}

/* FIOQSIZE: what it takes, in bytes. */
static long space_taken(struct inode *inode, user_t out)
{
	struct stat stat;
	int64_t bytes;

	if (!S_ISREG(inode->mode) && !is_directory(inode) && !S_ISLNK(inode->mode))
		return -ENOTTY;
	inode_stat(inode, &stat);
	bytes = stat.st_blocks * 512;
	return copy_to_user(out, &bytes, sizeof(bytes));
}

/* FIBMAP: no file of this system has blocks on a device. */
static long block_address(user_t argument)
{
	int block;

	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	if (copy_from_user(&block, argument, sizeof(block)))
		return -EFAULT;
	return block >= 0 && give_int(argument, 0) ? -EFAULT : -EINVAL;
}

/* FS_IOC_RESVSP and its kin: fallocate as XFS had it first. Linux keeps the argument to its inner headers. */
struct space {
	int16_t type, whence;
	int64_t start, length;
	int32_t system, process, padding[4];
};

#define RESERVE      _IOW('X', 40, struct space)
#define UNRESERVE    _IOW('X', 41, struct space)
#define RESERVE_64   _IOW('X', 42, struct space)
#define UNRESERVE_64 _IOW('X', 43, struct space)
#define ZERO_SPACE   _IOW('X', 57, struct space)

static long reserve(struct file *file, int mode, user_t argument)
{
	struct space space;
	int64_t from = 0;

	if (copy_from_user(&space, argument, sizeof(space)))
		return -EFAULT;
	if (space.whence == SEEK_CUR)
		from = file->position;
	else if (space.whence == SEEK_END)
		from = (int64_t)inode_size(file->inode);
	else if (space.whence != SEEK_SET)
		return -EINVAL;
	if (__builtin_add_overflow(space.start, from, &space.start))
		return -EINVAL;
	return file_allocate(file, mode | FALLOC_FL_KEEP_SIZE, space.start, space.length);
}

/* FIFREEZE, FITHAW: there is nothing that could be half written. */
static long freeze(unsigned int command)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return command == FIFREEZE ? -EOPNOTSUPP : -EINVAL;
}

/* ---- Sharing blocks: none of the file systems can ---- */

static long clone_from(const struct file *out, int fd)
{
	struct file *in = get_file(fd);
	long result = -EOPNOTSUPP;

	if (!in || in->flags & O_PATH)
		result = -EBADF;
	else if (in->inode->superblock != out->inode->superblock)
		result = -EXDEV;
	else if (is_directory(in->inode) || is_directory(out->inode))
		result = -EISDIR;
	else if (!S_ISREG(in->inode->mode) || !S_ISREG(out->inode->mode))
		result = -EINVAL;
	else if (!file_readable(in) || !file_writable(out) || out->flags & O_APPEND)
		result = -EBADF;
	if (in)
		file_put(in);
	return result;
}

static long clone_range(const struct file *out, user_t argument)
{
	struct file_clone_range range;

	if (copy_from_user(&range, argument, sizeof(range)))
		return -EFAULT;
	return clone_from(out, (int)range.src_fd);
}

static long share_equal(const struct file *file, user_t argument)
{
	struct file_dedupe_range range;

	if (copy_from_user(&range, argument, sizeof(range)))
		return -EFAULT;
	if (sizeof(range) + range.dest_count * sizeof(struct file_dedupe_range_info) > PAGE_SIZE)
		return -ENOMEM;
	if (!file_readable(file) || range.reserved1 || range.reserved2)
		return -EINVAL;
	if (is_directory(file->inode))
		return -EISDIR;
	return S_ISREG(file->inode->mode) ? -EOPNOTSUPP : -EINVAL;
}

/* ---- Attributes ---- */

/* The same by their names in struct fsxattr. */
static const struct {
	uint8_t attribute;
	uint32_t extended;
} attribute_names[] = {{FS_IMMUTABLE_FL, FS_XFLAG_IMMUTABLE}, {FS_APPEND_FL, FS_XFLAG_APPEND},
	{FS_NODUMP_FL, FS_XFLAG_NODUMP}, {FS_NOATIME_FL, FS_XFLAG_NOATIME}};

static bool keeps_attributes(const struct inode *inode)
{
	return inode->superblock->tells_creation && (S_ISREG(inode->mode) || is_directory(inode));
}

static long get_attributes(struct inode *inode, user_t out)
{
	if (!keeps_attributes(inode))
		return -ENOTTY;
	return give_int(out, __atomic_load_n(&inode->attributes, __ATOMIC_RELAXED));
}

static long get_extended(struct inode *inode, user_t out)
{
	struct fsxattr extended;

	if (!keeps_attributes(inode))
		return -ENOTTY;
	memset(&extended, 0, sizeof(extended));
	for (size_t i = 0; i < ARRAY_SIZE(attribute_names); i++)
		if (inode_has(inode, attribute_names[i].attribute))
			extended.fsx_xflags |= attribute_names[i].extended;
	return copy_to_user(out, &extended, sizeof(extended));
}

/* man 2 ioctl_iflags; the order is Linux's. */
static long change_attributes(struct file *file, uint32_t attributes)
{
	struct inode *inode = file->inode;
	long result = 0;

	if (mount_read_only(file->path.mount))
		return -EROFS;
	if (!keeps_attributes(inode))
		return -ENOTTY;
	if (!inode_owned(inode))
		return -EPERM;
	mutex_lock(&inode->lock);
	if ((attributes ^ inode->attributes) & (FS_IMMUTABLE_FL | FS_APPEND_FL) &&
		!capable(CAP_LINUX_IMMUTABLE))
		result = -EPERM;
	else if (attributes & ~(uint32_t)ATTRIBUTES_SETTABLE)
		result = -EOPNOTSUPP;
	if (!result) {
		__atomic_store_n(&inode->attributes, (uint8_t)attributes, __ATOMIC_RELAXED);
		inode->changed = vfs_now();
	}
	mutex_unlock(&inode->lock);
	return result;
}

static long set_attributes(struct file *file, user_t from)
{
	uint32_t attributes;

	if (copy_from_user(&attributes, from, sizeof(attributes)))
		return -EFAULT;
	return change_attributes(file, attributes);
}

static long set_extended(struct file *file, user_t from)
{
	struct fsxattr extended;
	uint32_t attributes = 0, left;

	if (copy_from_user(&extended, from, sizeof(extended)))
		return -EFAULT;
	left = extended.fsx_xflags;
	for (size_t i = 0; i < ARRAY_SIZE(attribute_names); i++) {
		if (left & attribute_names[i].extended)
			attributes |= attribute_names[i].attribute;
		left &= ~attribute_names[i].extended;
	}
	if (left || extended.fsx_extsize || extended.fsx_projid || extended.fsx_cowextsize)
		attributes |=
			~(uint32_t)ATTRIBUTES_SETTABLE; /* refused where attributes are kept */
	return change_attributes(file, attributes);
}

/* ---- ioctl ---- */

/* Of regular files. */
static long regular_ioctl(struct file *file, unsigned int command, user_t argument)
{
	switch (command) {
	case FIONREAD: /* what is left of it */
		return give_int(argument, (int)((int64_t)inode_size(file->inode) - file->position));
	case FIBMAP:
		return block_address(argument);
	case RESERVE:
	case RESERVE_64:
		return reserve(file, 0, argument);
	case UNRESERVE:
	case UNRESERVE_64:
		return reserve(file, FALLOC_FL_PUNCH_HOLE, argument);
	case ZERO_SPACE:
		return reserve(file, FALLOC_FL_ZERO_RANGE, argument);
	default:
		return -ENOTTY;
	}
}

/* What attributes a file has; of all that keep none, ENOTTY. */
static long attribute_ioctl(struct file *file, unsigned int command, user_t argument)
{
	switch (command) {
	case FS_IOC_GETFLAGS:
		return get_attributes(file->inode, argument);
	case FS_IOC_SETFLAGS:
		return set_attributes(file, argument);
	case FS_IOC_FSGETXATTR:
		return get_extended(file->inode, argument);
	case FS_IOC_FSSETXATTR:
		return set_extended(file, argument);
	default:
		return S_ISREG(file->inode->mode) ? regular_ioctl(file, command, argument)
						  : -ENOTTY;
	}
}

/* What Linux answers before it asks the file, but for what every file can do. */
static long common_ioctl(struct file *file, unsigned int command, user_t argument)
{
	switch (command) {
	case FIGETBSZ:
		return give_int(argument, (int)superblock_block_size(file->inode->superblock));
	case FIOQSIZE:
		return space_taken(file->inode, argument);
	case FIFREEZE:
	case FITHAW:
		return freeze(command);
	case FS_IOC_FIEMAP:
		return -EOPNOTSUPP;
	case FICLONE:
		return clone_from(file, (int)argument.address);
	case FICLONERANGE:
		return clone_range(file, argument);
	case FIDEDUPERANGE:
		return share_equal(file, argument);
	default:
		return attribute_ioctl(file, command, argument);
	}
}

long sys_ioctl(int fd, unsigned int command, uintptr_t argument)
{
	struct file *file = get_real_file(fd);
	long result;

	if (!file)
		return -EBADF;
	switch (command) {
	case FIOCLEX:
	case FIONCLEX:
		result = files_set_close_on_exec(current_files(), fd, command == FIOCLEX);
		break;
	case FIONBIO:
		result = set_nonblocking(file, user_pointer(argument));
		break;
	case FIOASYNC:
		result = set_signals(file, fd, user_pointer(argument));
		break;
	default:
		result = common_ioctl(file, command, user_pointer(argument));
		if (result == -ENOTTY && file->operations->ioctl)
			result = file->operations->ioctl(file, command, argument);
		break;
	}
	file_put(file);
	return result;
}
