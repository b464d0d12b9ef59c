/* SPDX-License-Identifier: MIT */
/* New threads and processes, and their end: man 2 fork, vfork, clone, clone3, unshare, exit. */
#include <linux/capability.h>
#include <linux/sched.h>

#include <asm/signal.h>

#include "files/file.h"
#include "ipc/semaphore.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/space.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/process.h"
#include "syscall/get_struct.h"
#include "syscall/table.h"

#define ID_NAMESPACES_MAX 32 /* MAX_PID_NS_LEVEL */

long sys_fork(void)
{
	const struct clone_request request = {.exit_signal = SIGCHLD};

	return process_clone(&request);
}

long sys_vfork(void)
{
	const struct clone_request request = {
		.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD};

	return process_clone(&request);
}

long sys_clone(unsigned long flags, uintptr_t stack, user_t parent_tid, user_t child_tid,
	unsigned long tls)
{
	const struct clone_request request = {
		.flags = (uint32_t)flags & ~(uint64_t)CSIGNAL,
		.exit_signal = (int)(flags & CSIGNAL),
		.stack = stack,
		.tls = tls,
		.parent_tid = parent_tid,
		.child_tid = child_tid,
		.pidfd = parent_tid,
	};

	return process_clone(&request);
}

/* ---- clone3 ---- */

static int get_clone_args(struct clone_args *args, user_t from, size_t size)
{
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	return get_struct(args, sizeof(*args), from, size);
}

static bool stack_valid(const struct clone_args *args)
{
	if (!args->stack || !args->stack_size)
		return !args->stack && !args->stack_size;
	return user_range_ok(user_pointer(args->stack), args->stack_size);
}

static int check_clone_args(const struct clone_args *args, size_t size)
{
	const uint64_t known = UINT32_MAX | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP;

	if (args->set_tid_size > ID_NAMESPACES_MAX || !args->set_tid != !args->set_tid_size)
		return -EINVAL;
	if (args->exit_signal > SIGNALS)
		return -EINVAL;
	if (args->flags & CLONE_INTO_CGROUP &&
		(args->cgroup > INT32_MAX || size < CLONE_ARGS_SIZE_VER2))
		return -EINVAL;
	if (args->flags & ~known || args->flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME)))
		return -EINVAL;
	if (args->flags & CLONE_SIGHAND && args->flags & CLONE_CLEAR_SIGHAND)
		return -EINVAL;
	if (args->flags & (CLONE_THREAD | CLONE_PARENT) && args->exit_signal)
		return -EINVAL;
	if (!stack_valid(args))
		return -EINVAL;
	return args->flags & CLONE_INTO_CGROUP ? -EBADF : 0; /* there are none */
}

/* The tid that the caller wants: one, as there is one namespace. */
static int get_wanted(const struct clone_args *args, int *wanted)
{
	*wanted = 0;
	if (!args->set_tid_size)
		return 0;
	if (copy_from_user(wanted, user_pointer(args->set_tid), sizeof(*wanted)))
		return -EFAULT;
	return args->set_tid_size > 1 || *wanted < 1 ||
			       *wanted >= __atomic_load_n(&pid_max, __ATOMIC_RELAXED)
		       ? -EINVAL
		       : 0;
}

long sys_clone3(user_t from, size_t size)
{
	struct clone_request request;
	struct clone_args args;
	int error = get_clone_args(&args, from, size), wanted;

	if (!error)
		error = check_clone_args(&args, size);
	if (!error)
		error = get_wanted(&args, &wanted);
	if (error)
		return error;
	request = (struct clone_request){
		.flags = args.flags,
		.exit_signal = (int)args.exit_signal,
		.stack = args.stack + args.stack_size,
		.tls = args.tls,
		.parent_tid = user_pointer(args.parent_tid),
		.child_tid = user_pointer(args.child_tid),
		.pidfd = user_pointer(args.pidfd),
		.wanted = wanted,
	};
	return process_clone(&request);
}

/* ---- unshare ---- */

#define SEPARATE (CLONE_FS | CLONE_FILES | CLONE_SYSVSEM)
#define TOGETHER (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)
#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUSER | \
		CLONE_NEWCGROUP | CLONE_NEWTIME)

/* What cannot be taken apart must be the caller's alone already. There are no namespaces but the
 * first ones. */
static int check_unshare(unsigned long flags)
{
	struct process *self = current_process();

	if (flags & ~(unsigned long)(SEPARATE | TOGETHER | NAMESPACES))
		return -EINVAL;
	if (flags & (TOGETHER | CLONE_NEWUSER | CLONE_NEWPID) &&
		__atomic_load_n(&self->thread_count, __ATOMIC_RELAXED) > 1)
		return -EINVAL;
	if (flags & (CLONE_SIGHAND | CLONE_VM) &&
		__atomic_load_n(&self->signals.actions->references, __ATOMIC_RELAXED) > 1)
		return -EINVAL;
	if (flags & CLONE_VM && __atomic_load_n(&self->space->references, __ATOMIC_RELAXED) > 1)
		return -EINVAL;
	if (flags & NAMESPACES)
		return flags & CLONE_NEWUSER || capable(CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
	return 0;
}

long sys_unshare(unsigned long flags)
{
	struct thread *self = current_thread();
	struct files *files = NULL, *old_files = self->files;
	struct fs_context *fs = NULL, *old_fs = self->fs;
	int error = check_unshare(flags);

	if (error)
		return error;
	if (flags & CLONE_FILES && files_shared(old_files))
		files = files_copy(old_files);
	if (flags & CLONE_FS && fs_context_shared(old_fs))
		fs = fs_context_copy(old_fs);
	if ((!files && flags & CLONE_FILES && files_shared(old_files)) ||
		(!fs && flags & CLONE_FS && fs_context_shared(old_fs))) {
		if (files)
			files_put(files);
		if (fs)
			fs_context_put(fs);
		return -ENOMEM;
	}
	spin_lock(&process_lock); /* for who looks at other threads' */
	self->files = files ? files : old_files;
	self->fs = fs ? fs : old_fs;
	spin_unlock(&process_lock);
	if (files)
		files_put(old_files);
	if (fs)
		fs_context_put(old_fs);
	if (flags & CLONE_SYSVSEM)
		sem_undos_leave(self);
	return 0;
}

/* ---- The end ---- */

long sys_exit(int status)
{
	arch_set_result(current_thread(), -ENOSYS); /* for PTRACE_EVENT_EXIT */
	thread_exit((status & 0xff) << 8);
}

long sys_exit_group(int status)
{
	arch_set_result(current_thread(), -ENOSYS);
	process_exit_group((status & 0xff) << 8);
}

long sys_set_tid_address(user_t tid)
{
	struct thread *self = current_thread();

	self->clear_tid = tid;
	return self->tid;
}
