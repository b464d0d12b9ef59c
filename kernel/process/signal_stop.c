/* SPDX-License-Identifier: MIT */
/*
 * Stop and continue: job control.
 *
 * The thread that takes a signal whose default is to stop makes its whole process stop: each of its
 * threads is told to (thread_signals.stop) and counted in stop_count. A thread stops in
 * signal_deliver, so outside every system call, and takes itself off the count; with the last one
 * the process is stopped, and its parent is told. A thread that ends, or is killed, meanwhile is
 * taken off the count too. SIGCONT, as soon as it is sent, whether blocked or ignored, drops stop
 * signals that wait, calls a stop off that is under way, lets stopped threads go on, and tells the
 * parent. SIGKILL lets them go to their end.
 *
 * Invariant: stop_count is the number of threads with `stop`; a thread has not both `stop` and
 * `stopped`; a process that is `stopped` has stop_count 0.
 *
 * Locks: process_lock for all of it.
 */
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "process/current.h"
#include "process/pid.h"
#include "process/process.h"
#include "process/ptrace.h"
#include "process/sched.h"
#include "process/signal.h"

static void stop_thread(struct thread *thread) requires(process_lock)
{
	struct process_signals *process = &thread->process->signals;

	if (thread->signals.stop || thread->signals.stopped || thread->signals.leaving)
		return;
	if (thread->signals.queue.set & SIGNAL_BIT(SIGKILL))
		return;
	thread->signals.stop = true;
	process->stop_count++;
	signal_wake(thread);
}

void signal_stop_begin(struct process *process, int signal)
{
	struct thread *thread;

	if (process->exiting)
		return;
	if (!process->signals.stop_count && !process->signals.stopped)
		process->signals.stop_signal = signal;
	list_for_each(thread, &process->threads, siblings) stop_thread(thread);
}

/* A thread has stopped, or will not. */
static void stop_done(struct process *process) requires(process_lock)
{
	assert(process->signals.stop_count);
	if (--process->signals.stop_count || process->exiting)
		return;
	if (process->signals.stopped)
		return;
	process->signals.stopped = true;
	child_status_changed(process, CLD_STOPPED, process->signals.stop_signal);
}

void signal_stop_leave(struct thread *thread)
{
	thread->signals.stopped = false;
	if (!thread->signals.stop)
		return;
	thread->signals.stop = false;
	stop_done(thread->process);
}

void signal_stop_self(void)
{
	struct thread *self = current_thread();

	spin_lock(&process_lock);
	if (self->signals.stop) {
		self->signals.stop = false;
		self->signals.stopped = !self->signals.tracee;
		stop_done(self->process);
		if (unlikely(self->signals.tracee)) {
			int signal = self->process->signals.stop_signal;

			spin_unlock(&process_lock);
			ptrace_group_stop(signal);
			return;
		}
	}
	while (self->signals.stopped) {
		thread_prepare_sleep();
		spin_unlock(&process_lock);
		schedule();
		spin_lock(&process_lock);
	}
	spin_unlock(&process_lock);
}

void signal_continue(struct process *process)
{
	struct process_signals *signals = &process->signals;
	bool was_stopped = signals->stopped;
	struct thread *thread;

	signal_discard(process, SIGNALS_STOP);
	/* A stop that was under way counts as done: the parent hears of it, as on Linux. */
	if (signals->stop_count && !was_stopped)
		child_status_changed(process, CLD_STOPPED, signals->stop_signal);
	signals->stopped = false;
	signals->stop_count = 0;
	signals->stop_signal = 0;
	list_for_each(thread, &process->threads, siblings)
	{
		struct tracee *tracee = thread->signals.tracee;

		thread->signals.stop = false;
		if (unlikely(tracee && tracee->seized && tracee->stopped)) {
			tracee->interrupt = true; /* told by a stop of its own */
			if (tracee->listening) {
				tracee->stopped = false;
				signal_wake(thread);
			}
		}
		if (thread->signals.stopped) {
			thread->signals.stopped = false;
			thread_wake(thread);
		}
	}
	if (was_stopped)
		child_status_changed(process, CLD_CONTINUED, SIGCONT);
}

/* ---- Orphaned groups: POSIX.1-2017, 3.264 and exit() ---- */

/* A member whose parent is in another group of the same session can be continued by it. */
static bool is_anchor(const struct process *process, const struct process *without) requires(
	process_lock)
{
	const struct process *parent = process->parent;

	return process != without && !process->zombie && parent && parent != without &&
	       parent->parent && parent->group != process->group &&
	       parent->session == process->session;
}

bool signal_group_orphaned(struct pid *group, const struct process *without)
{
	struct process *process;

	list_for_each(process, &group->group, group_link)
	{
		if (is_anchor(process, without))
			return false;
	}
	return true;
}

int signal_from_background(int signal)
{
	struct thread *self = current_thread();
	struct process *process = self->process, *member;
	int result = -ERESTARTSYS;

	spin_lock(&process_lock);
	if ((self->signals.blocked & SIGNAL_BIT(signal)) ||
		signal_policy(process, signal).ignored) {
		result = signal == SIGTTIN ? -EIO : 0;
	} else if (signal_group_orphaned(process->group, NULL)) {
		result = -EIO;
	} else {
		list_for_each(member, &process->group->group, group_link)
			signal_send_kernel(member, signal);
		signal_wake(self);
	}
	spin_unlock(&process_lock);
	return result;
}

static bool has_stopped(struct pid *group) requires(process_lock)
{
	struct process *process;

	list_for_each(process, &group->group, group_link)
	{
		if (process->signals.stopped && !process->zombie)
			return true;
	}
	return false;
}

static void end_orphans(struct pid *group) requires(process_lock)
{
	struct process *process;

	if (!has_stopped(group))
		return;
	list_for_each(process, &group->group, group_link)
	{
		signal_send_kernel(process, SIGHUP);
		signal_send_kernel(process, SIGCONT);
	}
}

void signal_orphan_groups(struct process *process)
{
	const struct process *parent = process->parent;
	struct process *child;

	/* Its own group, if it was the last to hold it to the session. */
	if (parent && parent->group != process->group && parent->session == process->session &&
		signal_group_orphaned(process->group, process))
		end_orphans(process->group);
	/* Its children's, if it was what held them. */
	list_for_each(child, &process->children, sibling)
	{
		if (child->group != process->group && child->session == process->session &&
			signal_group_orphaned(child->group, process))
			end_orphans(child->group);
	}
}
