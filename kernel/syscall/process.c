/* SPDX-License-Identifier: MIT */
/* Processes: man 2 getpid, getppid, setpgid, setsid... */
#include <asm/signal.h>

#include "files/file.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "memory/user.h"
#include "process/current.h"
#include "process/process.h"
#include "process/sched.h"
#include "syscall/table.h"

long sys_getpid(void)
{
	return current_process()->id;
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
	pid = process->parent ? process->parent->id : 0;
	spin_unlock(&process_lock);
	return pid;
}

/* ---- Groups and sessions ---- */

/* The process of a thread with this number, or a zombie (0: the caller); NULL: none. */
static struct process *find_or_self(int number) requires(process_lock)
{
	struct pid *pid = number ? pid_find(number) : current_process()->pid;

	if (!pid)
		return NULL;
	return pid->process ? pid->process : pid->thread ? pid->thread->process : NULL;
}

long sys_getpgid(int pid)
{
	struct process *process;
	long result = -ESRCH;

	spin_lock(&process_lock);
	process = find_or_self(pid);
	if (process)
		result = process->group_id;
	spin_unlock(&process_lock);
	return result;
}

long sys_getpgrp(void)
{
	return current_group();
}

long sys_getsid(int pid)
{
	struct process *process;
	long result = -ESRCH;

	spin_lock(&process_lock);
	process = find_or_self(pid);
	if (process)
		result = process->session_id;
	spin_unlock(&process_lock);
	return result;
}

/* Whether a group with processes of the session has this number. */
static bool group_in_session(struct pid *group, struct pid *session) requires(process_lock)
{
	return group && !list_empty(&group->group) &&
	       list_first(&group->group, struct process, group_link)->session == session;
}

static long set_group(int pid, int group) requires(process_lock)
{
	struct process *self = current_process(), *process = find_or_self(pid);
	struct pid *target;

	if (!process)
		return -ESRCH;
	if (pid && process->id != pid)
		return -EINVAL; /* a thread */
	if (process != self && process->parent != self)
		return -ESRCH;
	if (process != self && process->session != self->session)
		return -EPERM;
	if (process != self && process->has_executed)
		return -EACCES;
	if (process->session_id == process->id)
		return -EPERM;
	target = !group || group == process->id ? process->pid : pid_find(group);
	if (target != process->pid && !group_in_session(target, self->session))
		return -EPERM;
	if (target != process->group)
		process_set_group(process, target);
	return 0;
}

long sys_setpgid(int pid, int group)
{
	long result;

	if (group < 0 || (!group && pid < 0))
		return -EINVAL;
	spin_lock(&process_lock);
	result = set_group(pid, group);
	spin_unlock(&process_lock);
	return result;
}

long sys_setsid(void)
{
	struct process *self = current_process();
	long result = -EPERM;

	spin_lock(&process_lock);
	if (list_empty(&self->pid->group)) {
		process_set_session(self, self->pid);
		process_set_group(self, self->pid);
		result = self->id;
	}
	spin_unlock(&process_lock);
	return result;
}
