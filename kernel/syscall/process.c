/* SPDX-License-Identifier: MIT */
/* Processes: man 2 vfork, execve, exit, wait4, kill, getpid, setsid... */
#include <asm/prctl.h>
#include <asm/signal.h>
#include <linux/reboot.h>
#include <linux/resource.h>
#include <linux/utsname.h>
#include <linux/wait.h>

#include "build_id.h"
#include "files/file.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "memory/user.h"
#include "power.h"
#include "process/current.h"
#include "process/process.h"
#include "process/sched.h"
#include "syscall/table.h"

#define PATH_SIZE 4096u

long sys_sched_yield(void)
{
	sched_yield();
	return 0;
}

long sys_getpid(void)
{
	return current_process()->pid;
}

long sys_gettid(void)
{
	return current_thread()->tid;
}

long sys_getppid(void)
{
	struct process *process = current_process();
	long pid;

	spin_lock(&process_lock);
	pid = process->parent ? process->parent->pid : 0;
	spin_unlock(&process_lock);
	return pid;
}

/* One user until credentials come: root. */
long sys_getuid(void)
{
	return 0;
}

long sys_geteuid(void)
{
	return 0;
}

long sys_getgid(void)
{
	return 0;
}

long sys_getegid(void)
{
	return 0;
}

long sys_exit(int status)
{
	thread_exit((status & 0xff) << 8);
}

long sys_exit_group(int status)
{
	process_exit((status & 0xff) << 8);
}

long sys_set_tid_address(user_t tid)
{
	struct thread *self = current_thread();

	self->clear_tid = tid;
	return self->tid;
}

long sys_arch_prctl(int code, uintptr_t address)
{
	uint64_t base;

	switch (code) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (address >= USER_END)
			return -EPERM;
		if (code == ARCH_SET_FS)
			arch_set_fs_base(address);
		else
			arch_set_gs_base(address);
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		base = code == ARCH_GET_FS ? arch_get_fs_base() : arch_get_gs_base();
		return copy_to_user(user_pointer(address), &base, sizeof(base));
	default:
		return -EINVAL;
	}
}

/* ---- vfork ---- */

static void child_starts(void *unused)
{
	(void)unused;
}

static int share_with_child(struct process *self, struct process *child)
{
	child->files = files_copy(self->files);
	child->fs = fs_context_copy(self->fs);
	if (!child->files || !child->fs)
		return -ENOMEM;
	child->space = self->space;
	space_get(child->space);
	child->vfork = true;
	if (self->path) {
		child->path = kmalloc(strlen(self->path) + 1);
		if (!child->path)
			return -ENOMEM;
		memcpy(child->path, self->path, strlen(self->path) + 1);
	}
	return 0;
}

/* Until the child has a program of its own, or is gone; or the caller is killed. */
static void wait_for_vfork(struct process *child)
{
	struct waiter waiter;

	while (__atomic_load_n(&child->vfork, __ATOMIC_ACQUIRE) && !signal_kill_pending()) {
		wait_prepare(&child->vfork_wait, &waiter);
		if (__atomic_load_n(&child->vfork, __ATOMIC_ACQUIRE))
			wait_sleep_uninterruptible();
		wait_finish(&child->vfork_wait, &waiter);
	}
}

long sys_vfork(void)
{
	struct thread *self = current_thread(), *thread = NULL;
	struct process *child;
	int error, pid;

	child = process_create(self->process, &error);
	if (!child)
		return error;
	error = share_with_child(self->process, child);
	if (!error) {
		thread = thread_create(child, self->name, child_starts, NULL);
		if (!thread)
			error = -ENOMEM;
	}
	if (error) {
		process_discard(child);
		return error;
	}
	thread->blocked = self->blocked;
	arch_user_clone(thread, self, 0);
	pid = child->pid;
	process_get(child);
	thread_wake(thread);
	wait_for_vfork(child);
	process_put(child);
	return pid;
}

/* ---- execve ---- */

/* Copies one string of a vector to the end of `strings`. */
static int add_user_string(struct exec_strings *strings, user_t text)
{
	size_t limit = 32 * PAGE_SIZE;
	ssize_t length;
	int error;

	/* Most strings are short: look with little room first. */
	for (size_t room = 256; room <= limit; room *= 8) {
		size_t space = room > limit ? limit : room;

		error = exec_strings_room(strings, space);
		if (error)
			return error;
		length = copy_string_from_user(strings->bytes + strings->size, text, space);
		if (length >= 0) {
			strings->size += (size_t)length + 1;
			return 0;
		}
		if (length != -ENAMETOOLONG)
			return (int)length;
	}
	return -E2BIG;
}

/* A NULL-terminated vector of strings; a NULL vector is an empty one. */
static int add_user_vector(struct exec_strings *strings, user_t vector, unsigned *count)
{
	uintptr_t text;

	for (*count = 0; vector.address; ++*count) {
		int error = copy_from_user(
			&text, user_offset(vector, *count * sizeof(text)), sizeof(text));

		if (error)
			return error;
		if (!text)
			return 0;
		error = add_user_string(strings, user_pointer(text));
		if (error)
			return error;
		sched_point();
	}
	return 0;
}

static int copy_vectors(struct exec_strings *strings, user_t argv, user_t envp)
{
	int error = add_user_vector(strings, argv, &strings->argc);

	if (!error && !strings->argc) {
		/* As Linux since 5.18: a program always has an argv[0]. */
		error = exec_strings_add(strings, "");
		strings->argc = 1;
	}
	return error ? error : add_user_vector(strings, envp, &strings->envc);
}

/* A path from user space into a buffer of its own. */
static int path_from_user(user_t path, char **out)
{
	ssize_t length;

	*out = kmalloc(PATH_SIZE);
	if (!*out)
		return -ENOMEM;
	length = copy_string_from_user(*out, path, PATH_SIZE);
	if (length > 0)
		return 0;
	kfree(*out);
	return length ? (int)length : -ENOENT;
}

long sys_execve(user_t path, user_t argv, user_t envp)
{
	struct exec_strings strings;
	char *name;
	int error = path_from_user(path, &name);

	if (error)
		return error;
	error = exec_strings_init(&strings);
	if (!error) {
		error = copy_vectors(&strings, argv, envp);
		if (!error)
			error = process_exec(name, &strings);
		exec_strings_free(&strings);
	}
	kfree(name);
	return error;
}

/* ---- wait4, kill ---- */

long sys_wait4(int pid, user_t status, unsigned options, user_t usage)
{
	ns_t cpu_time = 0;
	int value = 0;
	long result;

	if (options &
		~(unsigned)(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	result = process_wait(pid, options, &value, &cpu_time);
	if (result <= 0)
		return result;
	if (usage.address) {
		struct rusage record = {0};

		record.ru_utime.tv_sec = (long)(cpu_time / NS_PER_SECOND);
		record.ru_utime.tv_usec = (long)(cpu_time % NS_PER_SECOND / 1000);
		if (copy_to_user(usage, &record, sizeof(record)))
			return -EFAULT;
	}
	if (status.address && copy_to_user(status, &value, sizeof(value)))
		return -EFAULT;
	return result;
}

long sys_kill(int pid, int signal)
{
	return signal_kill(pid, signal);
}

/* A process has one thread, whose id is its own. */
long sys_tkill(int tid, int signal)
{
	return tid <= 0 ? -EINVAL : signal_kill(tid, signal);
}

long sys_tgkill(int pid, int tid, int signal)
{
	if (pid <= 0 || tid <= 0)
		return -EINVAL;
	return pid == tid ? signal_kill(tid, signal) : -ESRCH;
}

long sys_rt_sigprocmask(int how, user_t set, user_t old, size_t size)
{
	struct thread *self = current_thread();
	uint64_t before = self->blocked, mask;

	if (size != sizeof(mask))
		return -EINVAL;
	if (set.address) {
		if (copy_from_user(&mask, set, sizeof(mask)))
			return -EFAULT;
		mask &= ~(1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1));
		if (how == SIG_BLOCK)
			self->blocked |= mask;
		else if (how == SIG_UNBLOCK)
			self->blocked &= ~mask;
		else if (how == SIG_SETMASK)
			self->blocked = mask;
		else
			return -EINVAL;
		signal_mask_changed();
	}
	if (old.address && copy_to_user(old, &before, sizeof(before)))
		return -EFAULT;
	return 0;
}

/* ---- Groups and sessions ---- */

/* The process `pid` (0: the caller) under process_lock; NULL: none. */
static struct process *find_or_self(int pid) requires(process_lock)
{
	return pid ? process_find(pid) : current_process();
}

long sys_getpgid(int pid)
{
	struct process *process;
	long result = -ESRCH;

	spin_lock(&process_lock);
	process = find_or_self(pid);
	if (process)
		result = process->group;
	spin_unlock(&process_lock);
	return result;
}

long sys_getpgrp(void)
{
	return sys_getpgid(0);
}

long sys_getsid(int pid)
{
	struct process *process;
	long result = -ESRCH;

	spin_lock(&process_lock);
	process = find_or_self(pid);
	if (process)
		result = process->session;
	spin_unlock(&process_lock);
	return result;
}

struct group_query {
	int group, session;
	bool found;
};

static void is_group_of_session(struct process *process, void *context)
{
	struct group_query *query = context;

	if (process->group == query->group && process->session == query->session)
		query->found = true;
}

static long set_group(int pid, int group) requires(process_lock)
{
	struct process *self = current_process(), *process = find_or_self(pid);
	struct group_query query;

	if (!process || (process != self && process->parent != self))
		return -ESRCH;
	if (!group)
		group = process->pid;
	if (process->session != self->session || process->pid == process->session)
		return -EPERM;
	query = (struct group_query){group, self->session, group == process->pid};
	process_for_each(is_group_of_session, &query);
	if (!query.found)
		return -EPERM;
	process->group = group;
	return 0;
}

long sys_setpgid(int pid, int group)
{
	long result;

	if (group < 0)
		return -EINVAL;
	spin_lock(&process_lock);
	result = set_group(pid, group);
	spin_unlock(&process_lock);
	return result;
}

static void is_group(struct process *process, void *context)
{
	struct group_query *query = context;

	if (process->group == query->group)
		query->found = true;
}

long sys_setsid(void)
{
	struct process *self = current_process();
	struct group_query query = {.group = self->pid};
	long result = -EPERM;

	spin_lock(&process_lock);
	process_for_each(is_group, &query);
	if (!query.found) {
		self->session = self->group = self->pid;
		result = self->pid;
	}
	spin_unlock(&process_lock);
	return result;
}

/* ---- The machine ---- */

long sys_uname(user_t out)
{
	struct new_utsname name = {0};

	string_copy(name.sysname, "Linux",
		sizeof(name.sysname)); /* the ABI's name: programs ask for it */
	string_copy(name.nodename, "baton", sizeof(name.nodename));
	string_copy(name.release, "6.1.0-baton", sizeof(name.release));
	string_copy(name.version, "Baton " BATON_BUILD_ID, sizeof(name.version));
	string_copy(name.machine, "x86_64", sizeof(name.machine));
	string_copy(name.domainname, "(none)", sizeof(name.domainname));
	return copy_to_user(out, &name, sizeof(name));
}

long sys_reboot(unsigned magic1, unsigned magic2, unsigned command, user_t argument)
{
	(void)argument;
	if (magic1 != LINUX_REBOOT_MAGIC1 ||
		(magic2 != LINUX_REBOOT_MAGIC2 && magic2 != LINUX_REBOOT_MAGIC2A &&
			magic2 != LINUX_REBOOT_MAGIC2B && magic2 != LINUX_REBOOT_MAGIC2C))
		return -EINVAL;
	switch (command) {
	case LINUX_REBOOT_CMD_POWER_OFF:
		machine_power_off("reboot(2)");
	case LINUX_REBOOT_CMD_RESTART:
		machine_reset("reboot(2)");
	case LINUX_REBOOT_CMD_HALT:
		machine_halt("reboot(2)");
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		return 0; /* no keyboard sends Ctrl-Alt-Del to the kernel yet: both are true */
	default:
		return -EINVAL;
	}
}
