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
 * that of the thread that was the last to begin its end.
 */
#include <linux/ptrace.h>
#include <linux/wait.h>

#include <asm/signal.h>

#include "devices/tty.h"
#include "files/file.h"
#include "ipc/semaphore.h"
#include "lib/log.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/futex.h"
#include "process/core.h"
#include "process/process.h"
#include "process/ptrace.h"
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
	if (space)
		usage_saw_space(&process->usage, space);
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

/* A thread that made the child is gone: the child's threads that asked for it get a signal. */
static void tell_parent_died(struct process *child) requires(process_lock)
{
	struct thread *thread;

	list_for_each(thread, &child->threads, siblings)
	{
		if (thread->parent_death_signal)
			signal_send_kernel(child, thread->parent_death_signal);
	}
}

/* The child gets another parent, which is told of it if it has ended. */
static void adopt(struct process *child, struct process *reaper) requires(process_lock)
{
	list_remove(&child->sibling);
	child->parent = reaper;
	child->exit_signal = SIGCHLD;
	list_push_back(&reaper->children, &child->sibling);
	if (!list_empty(&child->event_link)) {
		list_remove(&child->event_link);
		list_push_back(&reaper->events, &child->event_link);
	}
	if (child->zombie)
		child_ended(child);
}

/* The children that the thread made go to another thread of its process; where it was the last one,
 * all go to another process. */
static void reparent(struct thread *self, struct process *process) requires(process_lock)
{
	bool last = !process->thread_count;
	struct process *reaper = last ? reaper_of(process) : process, *child, *next;
	struct thread *heir =
		reaper->thread_count ? list_first(&reaper->threads, struct thread, siblings) : NULL;

	list_for_each_safe(child, next, &process->children, sibling)
	{
		if (child->maker == self) {
			child->maker = heir;
			tell_parent_died(child);
		}
		if (last)
			adopt(child, reaper);
	}
	if (heir)
		heir->has_children = true;
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

static void become_zombie(struct thread *self, struct process *process) requires(process_lock)
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
	ptrace_tracer_exit(process);
	signal_orphan_groups(process);
	reparent(self, process);
	child_ended(process);
}

/* The thread is none of the process's any more. */
static void leave(struct thread *self, struct process *process) requires(process_lock)
{
	struct usage usage;

	signal_thread_exit(self);
	ptrace_thread_exit(self, process->exiting ? process->exit_status : 0);
	list_remove(&self->siblings);
	process->thread_count--;
	process->ending--;
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
		become_zombie(self, process);
	else if (self->has_children)
		reparent(self, process);
}

static void thread_leave(struct thread *self, struct process *process)
{
	spin_lock(&process_lock);
	if (process->thread_count == 1) { /* and stays so: who is not in the process cannot clone */
		spin_unlock(&process_lock);
		process_timers_exit(process);
		process_give_up_space(process);
		if (process->session_id == process->id)
			tty_session_ended(process->session_id);
		spin_lock(&process_lock);
	}
	leave(self, process);
	spin_unlock(&process_lock);
	pid_put(self->pid);
}

/*
 * Counted before the thread's id is cleared in user memory: who waits for that and ends then is the
 * later one.
 */
static void begin_end(struct process *process, int status)
{
	spin_lock(&process_lock);
	if (++process->ending == process->thread_count && !process->exiting) {
		process->exiting = true;
		process->exit_status = status;
	}
	if (unlikely(process->core))
		thread_wake(process->core);
	spin_unlock(&process_lock);
}

void thread_exit(int status)
{
	struct thread *self = current_thread();
	struct process *process = self->process;

	lock_check_no_mutex();
	if (process)
		core_wait(self);
	if (process)
		ptrace_event(PTRACE_EVENT_EXIT,
			(unsigned long)(process->exiting ? process->exit_status : status));
	if (process)
		trace_exit(process->exiting ? process->exit_status : status);
	if (process) {
		begin_end(process, status);
		futex_thread_exit(self);
		process_vfork_done(self);
		give_up_own(self);
		sem_undos_leave(self);
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
