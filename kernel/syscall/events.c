/* SPDX-License-Identifier: MIT */
/* man 2 epoll_create, epoll_ctl, epoll_wait, eventfd, signalfd, inotify_init. What they are: in files/. */
#include <linux/eventpoll.h>
#include <linux/signalfd.h>

#include "arch/arch.h"
#include "files/epoll.h"
#include "files/eventfd.h"
#include "files/inotify.h"
#include "files/signalfd.h"
#include "process/signal.h"
#include "syscall/files.h"
#include "syscall/timespec.h"

/* What EPOLLEXCLUSIVE goes together with. */
#define WITH_EXCLUSIVE                                                                 \
	((uint32_t)(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | \
		    EPOLLEXCLUSIVE))

/* Gives a new file a descriptor; its reference is used up. */
static long install(struct file *file, bool close_on_exec)
{
	int fd = files_install(current_files(), file, 0, close_on_exec);

	if (fd < 0)
		file_put(file);
	return fd;
}

/* ---- epoll ---- */

long sys_epoll_create1(int flags)
{
	struct file *file;
	int error;

	if (flags & ~EPOLL_CLOEXEC)
		return -EINVAL;
	error = epoll_make(&file);
	return error ? error : install(file, flags & EPOLL_CLOEXEC);
}

long sys_epoll_create(int size)
{
	return size > 0 ? sys_epoll_create1(0) : -EINVAL;
}

static long control(struct file *epoll, int operation, struct file *file, int fd,
	const struct epoll_event *event)
{
	bool exclusive = operation != EPOLL_CTL_DEL && event->events & EPOLLEXCLUSIVE;

	if (!file->operations->poll)
		return -EPERM;
	if (epoll == file || !file_is_epoll(epoll))
		return -EINVAL;
	if (exclusive && (operation == EPOLL_CTL_MOD || file_is_epoll(file) ||
				 event->events & ~WITH_EXCLUSIVE))
		return -EINVAL;
	switch (operation) {
	case EPOLL_CTL_ADD:
		return epoll_add(epoll, file, fd, event);
	case EPOLL_CTL_MOD:
		return epoll_change(epoll, file, fd, event);
	case EPOLL_CTL_DEL:
		return epoll_remove(epoll, file, fd);
	default:
		return -EINVAL;
	}
}

long sys_epoll_ctl(int epoll_fd, int operation, int fd, user_t from)
{
	struct epoll_event event = {0};
	struct file *epoll, *file;
	long result = -EBADF;

	if (operation != EPOLL_CTL_DEL && copy_from_user(&event, from, sizeof(event)))
		return -EFAULT;
	epoll = get_real_file(epoll_fd);
	file = epoll ? get_real_file(fd) : NULL;
	if (file) {
		result = control(epoll, operation, file, fd, &event);
		file_put(file);
	}
	if (epoll)
		file_put(epoll);
	return result;
}

static ALWAYS_INLINE long wait_until(int fd, user_t events, int most, ns_t deadline)
{
	struct borrowed_file epoll;
	long result;

	if (most <= 0 || (size_t)most > INT32_MAX / sizeof(struct epoll_event))
		return -EINVAL;
	if (!user_range_ok(events, (size_t)most * sizeof(struct epoll_event)))
		return -EFAULT;
	epoll = borrow_real_file(fd);
	if (!epoll.file)
		return -EBADF;
	result = file_is_epoll(epoll.file) ? epoll_wait(epoll.file, events, most, deadline)
					   : -EINVAL;
	file_return(epoll);
	return result;
}

/* With a mask of signals for that time. */
static long wait_masked(int fd, user_t events, int most, ns_t deadline, user_t mask, size_t size)
{
	long result = signal_mask_borrow(mask, size);

	if (result)
		return result;
	result = wait_until(fd, events, most, deadline);
	signal_mask_return(result == -EINTR);
	return result;
}

static ns_t deadline_of(int milliseconds)
{
	if (milliseconds <= 0)
		return milliseconds ? NS_NEVER : 0;
	return clock_add(arch_clock(), (ns_t)milliseconds * (NS_PER_SECOND / 1000));
}

long sys_epoll_wait(int epoll, user_t events, int most, int timeout)
{
	return wait_until(epoll, events, most, deadline_of(timeout));
}

long sys_epoll_pwait(int epoll, user_t events, int most, int timeout, user_t mask, size_t size)
{
	return wait_masked(epoll, events, most, deadline_of(timeout), mask, size);
}

long sys_epoll_pwait2(int epoll, user_t events, int most, user_t timeout, user_t mask, size_t size)
{
	ns_t deadline = NS_NEVER, span;

	if (timeout.address) {
		int error = get_timespec(timeout, &span);

		if (error)
			return error;
		deadline = span ? clock_add(arch_clock(), span) : 0;
	}
	return wait_masked(epoll, events, most, deadline, mask, size);
}

/* ---- eventfd: its flags are in none of Linux's exported headers of 6.1 ---- */

#define EFD_SEMAPHORE 1
#define EFD_CLOEXEC   O_CLOEXEC
#define EFD_NONBLOCK  O_NONBLOCK

long sys_eventfd2(unsigned count, unsigned flags)
{
	enum eventfd_kind kind = flags & EFD_SEMAPHORE ? EVENTFD_SEMAPHORE : EVENTFD_COUNTER;
	struct file *file;
	int error;

	if (flags & ~(unsigned)(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK))
		return -EINVAL;
	error = eventfd_make(count, kind, flags & EFD_NONBLOCK, &file);
	return error ? error : install(file, flags & EFD_CLOEXEC);
}

long sys_eventfd(unsigned count)
{
	return sys_eventfd2(count, 0);
}

/* ---- signalfd ---- */

long sys_signalfd4(int fd, user_t set, size_t size, int flags)
{
	struct file *file;
	uint64_t mask;
	int error;

	if (size != sizeof(mask))
		return -EINVAL;
	if (copy_from_user(&mask, set, sizeof(mask)))
		return -EFAULT;
	if (flags & ~(SFD_CLOEXEC | SFD_NONBLOCK))
		return -EINVAL;
	if (fd == -1) {
		error = signalfd_make(mask, (unsigned)flags & SFD_NONBLOCK, &file);
		return error ? error : install(file, flags & SFD_CLOEXEC);
	}
	file = get_real_file(fd);
	if (!file)
		return -EBADF;
	error = signalfd_change(file, mask);
	file_put(file);
	return error ? error : fd;
}

long sys_signalfd(int fd, user_t set, size_t size)
{
	return sys_signalfd4(fd, set, size, 0);
}

/* ---- inotify ---- */

/* The bits that inotify_add_watch knows. */
#define WATCH_BITS                                                                              \
	((uint32_t)(IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ONLYDIR |      \
		    IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ISDIR | \
		    IN_ONESHOT))

long sys_inotify_init1(unsigned flags)
{
	struct file *file;
	int error;

	if (flags & ~(unsigned)(IN_CLOEXEC | IN_NONBLOCK))
		return -EINVAL;
	error = inotify_make(flags & IN_NONBLOCK, &file);
	return error ? error : install(file, flags & IN_CLOEXEC);
}

long sys_inotify_init(void)
{
	return sys_inotify_init1(0);
}

static long watch_path(struct file *instance, user_t path, uint32_t mask)
{
	struct path target;
	struct inode *inode;
	long result = get_target(
		AT_FDCWD, path, mask & IN_DONT_FOLLOW ? AT_SYMLINK_NOFOLLOW : 0u, &target);

	if (result)
		return result;
	inode = target.dentry->inode;
	if (mask & IN_ONLYDIR && !is_directory(inode))
		result = -ENOTDIR;
	else
		result = inode_permission(inode, MAY_READ);
	if (!result)
		result = inotify_watch(instance, inode, mask);
	path_put(&target);
	return result;
}

long sys_inotify_add_watch(int fd, user_t path, uint32_t mask)
{
	struct file *file;
	long result;

	if (!(mask & WATCH_BITS))
		return -EINVAL;
	file = get_real_file(fd);
	if (!file)
		return -EBADF;
	if ((mask & IN_MASK_ADD && mask & IN_MASK_CREATE) || !file_is_inotify(file))
		result = -EINVAL;
	else
		result = watch_path(file, path, mask);
	file_put(file);
	return result;
}

long sys_inotify_rm_watch(int fd, int number)
{
	struct file *file = get_real_file(fd);
	long result;

	if (!file)
		return -EBADF;
	result = file_is_inotify(file) ? inotify_unwatch(file, number) : -EINVAL;
	file_put(file);
	return result;
}
