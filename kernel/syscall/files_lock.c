/* SPDX-License-Identifier: MIT */
/* flock, and fcntl's record locks (man 2 flock, fcntl, fcntl_locking). */
#include "syscall/files.h"

#include "files/file_locks.h"

/* <linux/fcntl.h> has them for the C library alone. */
#define LOCK_SH_   1u
#define LOCK_EX_   2u
#define LOCK_NB_   4u
#define LOCK_UN_   8u
#define LOCK_MAND_ 32u

static short flock_type(unsigned int operation)
{
	switch (operation & ~LOCK_NB_) {
	case LOCK_SH_:
		return F_RDLCK;
	case LOCK_EX_:
		return F_WRLCK;
	case LOCK_UN_:
		return F_UNLCK;
	default:
		return -EINVAL;
	}
}

long sys_flock(int fd, unsigned int operation)
{
	struct lock_request request = {
		.kind = LOCK_FLOCK, .type = flock_type(operation), .end = LOCK_TO_THE_END};
	struct file *file;
	long result;

	if (operation & LOCK_MAND_)
		return 0; /* mandatory locks are no more, as on Linux */
	if (request.type < 0)
		return request.type;
	file = get_real_file(fd);
	if (!file)
		return -EBADF;
	request.owner = file;
	request.pid = current_pid();
	result = file_lock_set(file->inode, &request, !(operation & LOCK_NB_));
	file_put(file);
	return result;
}

/* ---- Records ---- */

static int range_of(struct file *file, const struct flock *lock, struct lock_request *out)
{
	int64_t base, start;

	switch (lock->l_whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = __atomic_load_n(&file->position, __ATOMIC_RELAXED);
		break;
	case SEEK_END:
		base = (int64_t)inode_size(file->inode);
		break;
	default:
		return -EINVAL;
	}
	if (lock->l_start > INT64_MAX - base)
		return -EOVERFLOW;
	start = base + lock->l_start;
	if (start < 0)
		return -EINVAL;
	out->start = start;
	out->end = LOCK_TO_THE_END;
	if (lock->l_len > 0) {
		if (lock->l_len - 1 > INT64_MAX - start)
			return -EOVERFLOW;
		out->end = start + (lock->l_len - 1);
	} else if (lock->l_len < 0) {
		if (start + lock->l_len < 0)
			return -EINVAL;
		out->start = start + lock->l_len;
		out->end = start - 1;
	}
	return 0;
}

static bool is_of_open_file(int command)
{
	return command == F_OFD_GETLK || command == F_OFD_SETLK || command == F_OFD_SETLKW;
}

static int get_request(
	struct file *file, int command, const struct flock *lock, struct lock_request *out)
{
	int error = range_of(file, lock, out);

	if (error)
		return error;
	if (lock->l_type != F_RDLCK && lock->l_type != F_WRLCK && lock->l_type != F_UNLCK)
		return -EINVAL;
	out->type = lock->l_type;
	out->kind = LOCK_PROCESS;
	out->owner = current_files();
	out->pid = current_pid();
	if (!is_of_open_file(command))
		return 0;
	if (lock->l_pid)
		return -EINVAL;
	out->kind = LOCK_OPEN_FILE;
	out->owner = file;
	out->pid = -1;
	return 0;
}

static long get_lock(struct file *file, int command, struct flock *lock)
{
	struct lock_request request;
	int error;

	if (lock->l_type != F_RDLCK && lock->l_type != F_WRLCK)
		return -EINVAL;
	error = get_request(file, command, lock, &request);
	if (error)
		return error;
	if (!file_lock_test(file->inode, &request)) {
		lock->l_type = F_UNLCK;
		return 0;
	}
	lock->l_type = request.type;
	lock->l_whence = SEEK_SET;
	lock->l_start = request.start;
	lock->l_len = request.end == LOCK_TO_THE_END ? 0 : request.end - request.start + 1;
	lock->l_pid = request.pid;
	return 0;
}

/* Another thread may have closed the descriptor meanwhile, and found no lock to release. */
static long still_open(int fd, struct file *file, const struct lock_request *request)
{
	struct file *now = get_file(fd);

	if (now)
		file_put(now);
	if (now == file || request->type == F_UNLCK || request->kind != LOCK_PROCESS)
		return 0;
	file_locks_drop(file->inode, request->owner);
	return -EBADF;
}

static long set_lock(int fd, struct file *file, int command, const struct flock *lock)
{
	bool wait = command == F_SETLKW || command == F_OFD_SETLKW;
	struct lock_request request;
	long result = get_request(file, command, lock, &request);

	if (result)
		return result;
	if ((request.type == F_RDLCK && !file_readable(file)) ||
		(request.type == F_WRLCK && !file_writable(file)))
		return -EBADF;
	result = file_lock_set(file->inode, &request, wait);
	if (result == -ENOMEM)
		result = -ENOLCK;
	return result ? result : still_open(fd, file, &request);
}

long fcntl_lock(int fd, struct file *file, int command, user_t argument)
{
	struct flock lock;
	long result;

	if (copy_from_user(&lock, argument, sizeof(lock)))
		return -EFAULT;
	if (command != F_GETLK && command != F_OFD_GETLK)
		return set_lock(fd, file, command, &lock);
	result = get_lock(file, command, &lock);
	if (!result && copy_to_user(argument, &lock, sizeof(lock)))
		result = -EFAULT;
	return result;
}
