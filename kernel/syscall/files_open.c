/* SPDX-License-Identifier: MIT */
/* System calls that make and give back descriptors: open, close, dup, pipe, fcntl, memfd_create. */
#include "syscall/files.h"

#include <linux/memfd.h>

#include "files/async.h"
#include "files/attributes.h"
#include "files/memfd.h"
#include "files/open.h"
#include "files/pipe.h"

static int open_by_walk(int directory_fd, const char *path, unsigned int flags, unsigned int mode,
	struct file **out)
{
	struct path start;
	int error = get_start(directory_fd, path, &start);

	return error ? error : file_open_at(current_fs(), start, path, flags, mode, out);
}

/* Descriptor first, then the walk, as Linux has it: EMFILE comes before ENOENT. */
static inline long open_text(
	int directory_fd, const char *path, unsigned int flags, unsigned int mode)
{
	struct files *files = current_files();
	struct file *file;
	struct path found;
	int error, fd = files_reserve(files, 0, flags & O_CLOEXEC);

	if (fd < 0)
		return fd;
	if (!(flags & (O_CREAT | OPEN_NAMELESS)) && find_at_once(directory_fd, path, &found))
		error = file_open_found(&found, flags, false, &file);
	else
		error = open_by_walk(directory_fd, path, flags, mode, &file);
	if (unlikely(error)) {
		files_unreserve(files, fd);
		return error;
	}
	files_fill(files, fd, file);
	return fd;
}

long sys_openat(int directory_fd, user_t path, unsigned int flags, unsigned int mode)
{
	struct user_path text;
	long result;
	int error;

	error = open_check_flags(&flags);
	if (!error)
		error = get_path(&text, path, PATH_NOT_EMPTY);
	if (error)
		return error;
	result = open_text(directory_fd, text.text, flags, mode);
	drop_path(&text);
	return result;
}

long sys_open(user_t path, unsigned int flags, unsigned int mode)
{
	return sys_openat(AT_FDCWD, path, flags, mode);
}

long sys_creat(user_t path, unsigned int mode)
{
	return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

long sys_close(int fd)
{
	struct file *file = files_remove(current_files(), fd);

	if (!file)
		return -EBADF;
	file_close(file, current_files());
	return 0;
}

#define CLOSE_RANGE_UNSHARE_BIT (1u << 1) /* <linux/close_range.h> */
#define CLOSE_RANGE_CLOEXEC_BIT (1u << 2)

long sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	if (flags & ~(CLOSE_RANGE_CLOEXEC_BIT | CLOSE_RANGE_UNSHARE_BIT) || first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE_BIT && current_files_unshare())
		return -ENOMEM;
	files_close_range(current_files(), first, last, flags & CLOSE_RANGE_CLOEXEC_BIT);
	return 0;
}

/* ---- dup ---- */

static long duplicate(int fd, int least, bool close_on_exec)
{
	struct file *file = get_file(fd);
	int made;

	if (!file)
		return -EBADF;
	made = files_install(current_files(), file, least, close_on_exec);
	if (made < 0)
		file_put(file);
	return made;
}

static long duplicate_to(int fd, int to, bool close_on_exec)
{
	struct file *file = get_file(fd), *replaced;
	int error;

	if (!file)
		return -EBADF;
	error = files_replace(current_files(), to, file, close_on_exec, &replaced);
	if (error) {
		file_put(file);
		return error;
	}
	if (replaced)
		file_close(replaced, current_files());
	return to;
}

long sys_dup(int fd)
{
	return duplicate(fd, 0, false);
}

long sys_dup2(int fd, int to)
{
	struct file *file;

	if (fd != to)
		return duplicate_to(fd, to, false);
	file = get_file(fd);
	if (!file)
		return -EBADF;
	file_put(file);
	return to;
}

long sys_dup3(int fd, int to, unsigned int flags)
{
	if (flags & ~(unsigned int)O_CLOEXEC || fd == to)
		return -EINVAL;
	return duplicate_to(fd, to, flags & O_CLOEXEC);
}

/* ---- pipe ---- */

long sys_pipe2(user_t out, unsigned int flags)
{
	struct files *files = current_files();
	struct file *ends[2];
	int fds[2], error;

	if (flags & ~(unsigned int)(O_CLOEXEC | O_NONBLOCK | O_DIRECT | O_EXCL))
		return -EINVAL;
	if (flags & O_EXCL) /* O_NOTIFICATION_PIPE: there are no watch queues */
		return -ENOPKG;
	error = pipe_create(flags & (O_NONBLOCK | O_DIRECT), &ends[0], &ends[1]);
	if (error)
		return error;
	fds[0] = files_reserve(files, 0, flags & O_CLOEXEC);
	fds[1] = fds[0] < 0 ? fds[0] : files_reserve(files, 0, flags & O_CLOEXEC);
	error = fds[1] < 0 ? fds[1] : copy_to_user(out, fds, sizeof(fds));
	if (!error) {
		files_fill(files, fds[0], ends[0]);
		files_fill(files, fds[1], ends[1]);
		return 0;
	}
	for (int i = 0; i < 2; i++) {
		if (fds[i] >= 0)
			files_unreserve(files, fds[i]);
		file_put(ends[i]);
	}
	return error;
}

long sys_pipe(user_t out)
{
	return sys_pipe2(out, 0);
}

/* ---- fcntl ---- */

#define SETTABLE ((unsigned int)(O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME))

static long set_flags(struct file *file, int fd, unsigned int flags)
{
	int error;
	uint32_t old = __atomic_load_n(&file->flags, __ATOMIC_RELAXED);

	if ((flags ^ old) & O_APPEND && inode_has(file->inode, FS_APPEND_FL))
		return -EPERM;
	if (flags & ~old & O_NOATIME && !inode_owned(file->inode))
		return -EPERM;
	/* Of a pipe it makes packets; what else there is has no way around its pages. */
	if (flags & O_DIRECT && !S_ISFIFO(file->inode->mode))
		return -EINVAL;
	error = async_set(file, fd, flags & O_ASYNC, 0);
	if (error)
		return error;
	while (!__atomic_compare_exchange_n(&file->flags, &old,
		(old & ~SETTABLE) | (flags & SETTABLE), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return 0;
}

/* How long what is written will live: told again, and nothing else. */
static long write_hint(struct file *file, int command, user_t user)
{
	uint64_t hint = __atomic_load_n(&file->inode->write_hint, __ATOMIC_RELAXED);

	if (command == F_GET_RW_HINT)
		return copy_to_user(user, &hint, sizeof(hint));
	if (copy_from_user(&hint, user, sizeof(hint)))
		return -EFAULT;
	if (hint > RWH_WRITE_LIFE_EXTREME)
		return -EINVAL;
	__atomic_store_n(&file->inode->write_hint, (uint8_t)hint, __ATOMIC_RELAXED);
	return 0;
}

/* There are no leases: nobody has one, and none can be had (EINVAL, as from Linux's file systems without them). */
static long lease(struct file *file, int command, uintptr_t argument)
{
	if (command == F_GETLEASE)
		return F_UNLCK;
	if (!inode_owned(file->inode))
		return -EACCES;
	return argument == F_UNLCK && S_ISREG(file->inode->mode) ? -EAGAIN : -EINVAL;
}

static long more_control(struct file *file, int command, uintptr_t argument)
{
	switch (command) {
	case F_GET_RW_HINT:
	case F_SET_RW_HINT:
		return write_hint(file, command, user_pointer(argument));
	case F_GETLEASE:
	case F_SETLEASE:
		return lease(file, command, argument);
	default:
		return async_control(file, command, argument);
	}
}

long sys_fcntl(int fd, int command, uintptr_t argument)
{
	struct files *files = current_files();
	struct file *file = get_file(fd);
	long result;

	if (!file)
		return -EBADF;
	switch (command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		result = (uint32_t)argument >= files_limit()
				 ? -EINVAL
				 : duplicate(fd, (int)argument, command == F_DUPFD_CLOEXEC);
		break;
	case F_GETFD:
		result = files_get_close_on_exec(files, fd);
		break;
	case F_SETFD:
		result = files_set_close_on_exec(files, fd, argument & FD_CLOEXEC);
		break;
	case F_GETFL:
		result = (long)__atomic_load_n(&file->flags, __ATOMIC_RELAXED);
		break;
	case F_SETFL:
		result =
			file->flags & O_PATH ? -EBADF : set_flags(file, fd, (unsigned int)argument);
		break;
	case F_GETPIPE_SZ:
		result = file->flags & O_PATH ? -EBADF : pipe_size(file);
		break;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		result = file->flags & O_PATH
				 ? -EBADF
				 : fcntl_lock(fd, file, command, user_pointer(argument));
		break;
	case F_SETPIPE_SZ:
		result =
			file->flags & O_PATH ? -EBADF : pipe_set_size(file, (unsigned int)argument);
		break;
	case F_ADD_SEALS:
		result = file->flags & O_PATH ? -EBADF : file_seal(file, argument);
		break;
	case F_GET_SEALS:
		result = file->flags & O_PATH ? -EBADF : file_seals(file);
		break;
	default:
		result = file->flags & O_PATH ? -EBADF : more_control(file, command, argument);
		break;
	}
	file_put(file);
	return result;
}

/* ---- memfd_create ---- */

#define MFD_SIZES ((unsigned int)MFD_HUGE_MASK << MFD_HUGE_SHIFT)

long sys_memfd_create(user_t name, unsigned int flags)
{
	const unsigned int known = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB;
	enum memfd_kind kind = flags & MFD_ALLOW_SEALING ? MEMFD_SEALABLE : MEMFD_PLAIN;
	char text[MEMFD_NAME_MAX + 1];
	struct file *file;
	ssize_t length;
	int fd, error;

	if (flags & ~known & ~(flags & MFD_HUGETLB ? MFD_SIZES : 0))
		return -EINVAL;
	length = copy_string_from_user(text, name, sizeof(text));
	if (length < 0)
		return length == -ENAMETOOLONG ? -EINVAL : (long)length;
	fd = files_reserve(current_files(), 0, flags & MFD_CLOEXEC);
	if (fd < 0)
		return fd;
	error = -ENOSYS; /* there are no huge pages */
	if (!(flags & MFD_HUGETLB))
		error = memfd_make(&(struct name){text, (uint32_t)length}, kind, &file);
	if (error) {
		files_unreserve(current_files(), fd);
		return error;
	}
	files_fill(current_files(), fd, file);
	return fd;
}
