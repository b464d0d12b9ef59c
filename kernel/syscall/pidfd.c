/* SPDX-License-Identifier: MIT */
/* Processes by descriptor, and compared: man 2 pidfd_open, pidfd_getfd, kcmp. */
#include <linux/capability.h>
#include <linux/kcmp.h>

#include "files/file.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "process/credentials.h"
#include "process/current.h"
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

/* Whether the running thread may look inside another process: man 2 ptrace, "Ptrace access mode
 * checking", with real credentials. */
static bool may_look_inside(const struct process *process) requires(process_lock)
{
	const struct credentials *self = current_credentials(),
				 *other = process_credentials(process);

	if (process == current_process() || has_capability(self, CAP_SYS_PTRACE))
		return true;
	return self->uid == other->euid && self->uid == other->suid && self->uid == other->uid &&
	       self->gid == other->egid && self->gid == other->sgid && self->gid == other->gid &&
	       process->dumpable == 1;
}

/* The descriptor table of a process that the caller may look into, with a reference. */
static int files_of(const struct pid *pid, struct files **out)
{
	struct thread *thread;
	int error = 0;

	*out = NULL;
	spin_lock(&process_lock);
	if (!pid->process)
		error = -ESRCH;
	else if (!may_look_inside(pid->process))
		error = -EPERM;
	else
		list_for_each(thread, &pid->process->threads, siblings) if (thread->files) *out =
			thread->files;
	if (*out)
		files_get(*out);
	else if (!error)
		error = -ESRCH;
	spin_unlock(&process_lock);
	return error;
}

long sys_pidfd_getfd(int pidfd, int fd, unsigned flags)
{
	struct pid *pid;
	struct files *files;
	struct file *file;
	int result;

	if (flags)
		return -EINVAL;
	pid = pidfd_lookup(pidfd, NULL);
	if (!pid)
		return -EBADF;
	result = files_of(pid, &files);
	pid_put(pid);
	if (result)
		return result;
	file = files_lookup(files, fd);
	files_put(files);
	if (!file)
		return -EBADF;
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

/* Two descriptors' open files. */
static int compare_files(struct files *a, struct files *b, unsigned long fd_a, unsigned long fd_b,
	const void *out[2])
{
	struct file *file_a = fd_a <= INT32_MAX ? files_lookup(a, (int)fd_a) : NULL;
	struct file *file_b = fd_b <= INT32_MAX ? files_lookup(b, (int)fd_b) : NULL;

	out[0] = file_a;
	out[1] = file_b;
	if (file_a)
		file_put(file_a);
	if (file_b)
		file_put(file_b);
	return file_a && file_b ? 0 : -EBADF;
}

static int things_of(const int pids[2], int type, const void *out[2],
	struct files *files[2]) requires(process_lock)
{
	for (int i = 0; i < 2; i++) {
		struct thread *thread = thread_find(pids[i]);

		if (!thread || !thread->process)
			return -ESRCH;
		if (!may_look_inside(thread->process))
			return -EPERM;
		out[i] = thing_of(thread, type);
		files[i] = thread->files;
	}
	for (int i = 0; type == KCMP_FILE && i < 2; i++) {
		if (!files[0] || !files[1])
			return -EBADF;
		files_get(files[i]);
	}
	return 0;
}

long sys_kcmp(int pid1, int pid2, int type, unsigned long a, unsigned long b)
{
	const int pids[2] = {pid1, pid2};
	struct files *files[2];
	const void *things[2];
	int error;

	if (type < 0 || type >= KCMP_TYPES || type == KCMP_EPOLL_TFD)
		return -EINVAL;
	spin_lock(&process_lock);
	error = things_of(pids, type, things, files);
	spin_unlock(&process_lock);
	if (error)
		return error;
	if (type == KCMP_FILE) {
		error = compare_files(files[0], files[1], a, b, things);
		files_put(files[0]);
		files_put(files[1]);
		if (error)
			return error;
	}
	/* An order that tells nothing of addresses but which comes first. */
	return things[0] == things[1] ? 0 : things[0] < things[1] ? 1 : 2;
}
