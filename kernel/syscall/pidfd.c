/* SPDX-License-Identifier: MIT */
/* Processes by descriptor, and compared: man 2 pidfd_open, pidfd_getfd, kcmp. */
#include <linux/kcmp.h>

#include "devices/random.h"
#include "files/file.h"
#include "files/table.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "process/current.h"
#include "process/inspect.h"
#include "process/pidfd.h"
#include "process/process.h"
#include "syscall/table.h"

long sys_pidfd_open(int number, unsigned flags)
{
	struct file *file;
	struct pid *pid;
	int result = 0;

	if (flags & ~(unsigned)O_NONBLOCK || number <= 0)
		return -EINVAL;
	spin_lock(&process_lock);
	pid = pid_find(number);
	if (!pid)
		result = -ESRCH;
	else if (!pid->process)
		result = -EINVAL; /* a thread's, or a group's whose leader is gone */
	else
		pid_get(pid);
	spin_unlock(&process_lock);
	if (result)
		return result;
	result = pidfd_create(pid, flags, &file);
	pid_put(pid);
	if (result)
		return result;
	result = files_install(current_files(), file, 0, true);
	if (result < 0)
		file_put(file);
	return result;
}

/* The open file of a process that the caller may look into, with a reference. Its table gets none, which would
 * make it a shared one. */
static int file_of(const struct pid *pid, int fd, struct file **out)
{
	struct files *files = NULL;
	struct thread *thread;
	int error = 0;

	spin_lock(&process_lock);
	if (!pid->process)
		error = -ESRCH;
	else
		error = process_may_inspect(pid->process, NULL, INSPECT_REAL_IDS);
	if (!error)
		list_for_each(thread, &pid->process->threads, siblings) if (thread->files) files =
			thread->files;
	if (!error && !files)
		error = -ESRCH;
	*out = error ? NULL : files_lookup(files, fd);
	if (!error && !*out)
		error = -EBADF;
	spin_unlock(&process_lock);
	return error;
}

long sys_pidfd_getfd(int pidfd, int fd, unsigned flags)
{
	struct pid *pid;
	struct file *file;
	int result;

	if (flags)
		return -EINVAL;
	pid = pidfd_lookup(pidfd, NULL);
	if (!pid)
		return -EBADF;
	result = file_of(pid, fd, &file);
	pid_put(pid);
	if (result)
		return result;
	result = files_install(current_files(), file, 0, true);
	if (result < 0)
		file_put(file);
	return result;
}

/* ---- kcmp ---- */

/* What `type` is of a thread. Only compared. */
static const void *thing_of(const struct thread *thread, int type) requires(process_lock)
{
	switch (type) {
	case KCMP_VM:
		return thread->process->space;
	case KCMP_FILES:
		return thread->files;
	case KCMP_FS:
		return thread->fs;
	case KCMP_SIGHAND:
		return thread->process->signals.actions;
	default:
		return NULL; /* KCMP_IO, KCMP_SYSVSEM: nobody has any, so all have the same */
	}
}

static int things_of(const int pids[2], int type, const unsigned long fds[2],
	const void *out[2]) requires(process_lock)
{
	struct files *files[2];

	for (int i = 0; i < 2; i++) {
		struct thread *thread = thread_find(pids[i]);

		if (!thread || !thread->process)
			return -ESRCH;
		if (process_may_inspect(thread->process, thread, INSPECT_REAL_IDS))
			return -EPERM;
		out[i] = thing_of(thread, type);
		files[i] = thread->files;
	}
	if (type < 0 || type >= KCMP_TYPES || type == KCMP_EPOLL_TFD)
		return -EINVAL;
	for (int i = 0; type == KCMP_FILE && i < 2; i++) {
		out[i] = files[i] && fds[i] <= INT32_MAX ? files_peek(files[i], (int)fds[i]) : NULL;
		if (!out[i])
			return -EBADF;
	}
	return 0;
}

/* Where it stands in an order that tells nothing of addresses: one to one, by secrets. */
static uint64_t place_of(const void *thing, int type) requires(process_lock)
{
	static uint64_t secrets[KCMP_TYPES][2];

	if (!secrets[type][1]) {
		secrets[type][0] = random_u64();
		secrets[type][1] = random_u64() | 1;
	}
	return ((uintptr_t)thing ^ secrets[type][0]) * secrets[type][1];
}

long sys_kcmp(int pid1, int pid2, int type, unsigned long a, unsigned long b)
{
	const int pids[2] = {pid1, pid2};
	const unsigned long fds[2] = {a, b};
	const void *things[2];
	uint64_t places[2] = {0, 0};
	int error;

	spin_lock(&process_lock);
	error = things_of(pids, type, fds, things);
	for (int i = 0; i < 2 && !error; i++)
		places[i] = place_of(things[i], type);
	spin_unlock(&process_lock);
	if (error)
		return error;
	return places[0] == places[1] ? 0 : places[0] < places[1] ? 1 : 2;
}
