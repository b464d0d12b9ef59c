/* SPDX-License-Identifier: MIT */
/*
 * How threads and processes end.
 *
 * A thread always ends by itself, in thread_exit. First it lets go of what is its own and may sleep
 * (descriptors, fs context). Then, if it is the only one left, of what the process has (address
 * space, terminal): nobody can join any more. At last, in one step under process_lock, it leaves
 * the process, and the last one makes that a zombie and tells the parent. A zombie keeps its id, its
 * group and session, its status and what it used.
 *
 * The status is what was decided for the whole group (exit_group, a fatal signal); where nothing was,
 * that of the leader's own exit.
 */
#include <linux/wait.h>

#include "devices/tty.h"
#include "files/file.h"
#include "lib/log.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/futex.h"
#include "process/process.h"
#include "process/sched.h"
#include "syscall/trace.h"

/* Lets go of what the thread holds beside its process. */
static void give_up_own(struct thread *self)
{
	struct files *files = self->files;
	struct fs_context *fs = self->fs;

	spin_lock(&process_lock); /* for who looks at other processes' files */
	self->files = NULL;
	self->fs = NULL;
	spin_unlock(&process_lock);
	if (files)
		files_put(files);
	if (fs)
		fs_context_put(fs);
}

void process_give_up_space(struct process *process)
{
	struct space *space;
	struct file *program;

	spin_lock(&process_lock);
	space = process->space;
	program = process->program;
	process->space = NULL;
	process->program = NULL;
	spin_unlock(&process_lock);
	if (program)
		file_put(program);
	if (!space)
		return;
	if (process == current_process())
		arch_space_use(NULL);
	space_put(space);
}

/* ---- The tree ---- */

/* Who gets the children of a process that ends: the next subreaper above, or process 1. */
static struct process *reaper_of(struct process *process) requires(process_lock)
{
	struct process *above = process->parent;

	while (above->parent && !(above->subreaper && above->thread_count))
		above = above->parent;
	return above;
}

/* The children's parent is gone: they go to another, which is told of those that are gone too. */
static void reparent(struct process *process) requires(process_lock)
{
	struct process *reaper = NULL, *child, *next;

	list_for_each_safe(child, next, &process->children, sibling)
	{
		if (!reaper)
			reaper = reaper_of(process);
		list_remove(&child->sibling);
		child->parent = reaper;
		list_push_back(&reaper->children, &child->sibling);
		if (!list_empty(&child->event_link)) {
			list_remove(&child->event_link);
			list_push_back(&reaper->events, &child->event_link);
		}
		if (child->zombie)
			child_ended(child);
	}
}

void process_reap(struct process *zombie)
{
	struct pid *pid = zombie->pid, *group = zombie->group, *session = zombie->session;

	limits_thread_end(zombie->credentials->user);
	list_remove(&zombie->sibling);
	list_remove(&zombie->event_link);
	list_remove(&zombie->group_link);
	list_remove(&zombie->session_link);
	pid->process = NULL;
	pid_release(pid);
	if (group != pid)
		pid_release(group);
	if (session != pid && session != group)
		pid_release(session);
}

static void become_zombie(struct process *process) requires(process_lock)
{
	process->zombie = true;
	wake_all(&process->pid->ended);
	if (!process->parent) { /* process 1 */
		int status = process->exit_status;

		spin_unlock(&process_lock);
		process_one_ended(status);
		spin_lock(&process_lock);
		return;
	}
	signal_orphan_groups(process);
	reparent(process);
	child_ended(process);
}

/* The thread is none of the process's any more. */
static void leave(struct thread *self, struct process *process) requires(process_lock)
{
	struct usage usage;

	signal_thread_exit(self);
	list_remove(&self->siblings);
	process->thread_count--;
	if (process->leader == self) {
		process->leader = NULL; /* its place among the user's threads stays taken */
		credentials_get(self->credentials);
		process->credentials = self->credentials;
	} else {
		limits_thread_end(self->credentials->user);
	}
	thread_usage(self, &usage);
	usage_add(&process->usage, &usage);
	self->process = NULL;
	self->pid->thread = NULL;
	pid_release(self->pid);
	if (process->exec && process->thread_count == 1)
		thread_wake(process->exec);
	if (!process->thread_count)
		become_zombie(process);
}

static void thread_leave(struct thread *self, struct process *process)
{
	bool last;

	spin_lock(&process_lock);
	last = process->thread_count == 1;
	spin_unlock(&process_lock);
	if (last) {
		process_give_up_space(process);
		if (process->session_id == process->id)
			tty_session_ended(process->session_id);
	}
	spin_lock(&process_lock);
	leave(self, process);
	spin_unlock(&process_lock);
	pid_put(self->pid);
}

void thread_exit(int status)
{
	struct thread *self = current_thread();
	struct process *process = self->process;

	if (process)
		trace_exit(process->exiting ? process->exit_status : status);
	if (process)
		futex_thread_exit(self);
	if (process) {
		spin_lock(&process_lock);
		if (!process->exiting && process->leader == self)
			process->exit_status = status;
		spin_unlock(&process_lock);
		process_vfork_done(self);
		give_up_own(self);
		thread_leave(self, process);
	}
	timer_cancel(&self->sleep_timer);
	sched_die();
}

void process_exit_group(int status)
{
	struct process *process = current_process();

	spin_lock(&process_lock);
	signal_end_group(process, status);
	spin_unlock(&process_lock);
	thread_exit(status);
}
