/* SPDX-License-Identifier: MIT */
/*
 * Tracing: man 2 ptrace.
 *
 * A traced thread has a struct tracee, which is on its tracer's list. The thread stops by itself
 * (ptrace_stop.c): at a signal that is to be delivered, at both ends of a system call (its table of calls is
 * then ptrace_calls), at an event, or when its process stops. The tracer is
 * told (SIGCHLD, wait4), looks at it while it stays there (ptrace_take, ptrace_release), and says
 * how it goes on. SIGKILL ends every stop, but not before the tracer has let go of it.
 *
 * The tracer is a process: any of its threads may speak for it (on Linux only the one that attached).
 *
 * Invariants:
 *  - thread->signals.tracee->thread == thread; tracee->tracer->tracees has it.
 *  - `stopped` is set and cleared under process_lock; a stopped thread with `busy` sleeps.
 *  - A tracee whose thread ended stays on the list until the tracer waited for it; then it is freed.
 *
 * Locks: process_lock.
 */
#include "process/ptrace.h"

#include <linux/capability.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "memory/slab.h"
#include "process/credentials.h"
#include "process/process.h"
#include "process/sched.h"
#include "syscall/dispatch.h"

/* ---- Attaching ---- */

static void link_tracee(
	struct tracee *tracee, struct thread *thread, struct process *tracer) requires(process_lock)
{
	tracee->thread = thread;
	tracee->tracer = tracer;
	tracee->tid = thread->tid;
	tracee->group = thread->process->group_id;
	tracee->uid = thread->credentials->uid;
	tracee->capable = has_capability(current_credentials(), CAP_SYS_PTRACE);
	list_push_back(&tracer->tracees, &tracee->link);
	__atomic_store_n(&thread->signals.tracee, tracee, __ATOMIC_RELEASE);
}

/* Of a thread that has ended. */
static void drop_ended(struct tracee *tracee) requires(process_lock)
{
	struct process *process = tracee->holds;

	list_remove(&tracee->link);
	kfree(tracee);
	if (process)
		process->held = NULL;
}

/* The thread runs untraced; the tracee is off every list. */
static void unlink_tracee(struct tracee *tracee) requires(process_lock)
{
	struct thread *thread = tracee->thread;
	struct process *process = tracee->holds;

	if (!thread) {
		drop_ended(tracee);
		if (process && process->zombie)
			child_ended(process); /* now its parent hears of it */
		return;
	}
	list_remove(&tracee->link);
	__atomic_store_n(&thread->signals.tracee, (struct tracee *)NULL, __ATOMIC_RELEASE);
	if (thread->calls == ptrace_calls)
		thread->calls = syscalls_plain;
	/* Told to go on, it may not have run yet. */
	if (tracee->inside) {
		tracee->detached = true; /* the thread frees it, when it wakes */
		tracee->stopped = tracee->busy = false;
		thread_wake(thread);
	} else {
		kfree(tracee);
	}
}

/* man 2 ptrace, "Ptrace access mode checking", PTRACE_MODE_ATTACH_REALCREDS. */
static bool may_trace(const struct process *process) requires(process_lock)
{
	const struct credentials *self = current_credentials(),
				 *other = process_credentials(process);

	if (self->effective & UINT64_C(1) << CAP_SYS_PTRACE)
		return true;
	return self->uid == other->euid && self->uid == other->suid && self->uid == other->uid &&
	       self->gid == other->egid && self->gid == other->sgid && self->gid == other->gid &&
	       process->dumpable == 1 && !(other->permitted & ~self->permitted);
}

bool ptrace_may_attach(const struct process *process)
{
	return process == current_process() || may_trace(process);
}

/* Nor does it help who asks to be traced by one who has less: Linux's cap_ptrace_traceme. */
static bool may_trace_me(const struct process *parent) requires(process_lock)
{
	const struct credentials *other = process_credentials(parent);

	return has_capability(other, CAP_SYS_PTRACE) ||
	       !(current_credentials()->permitted & ~other->permitted);
}

int ptrace_trace_me(void)
{
	struct thread *self = current_thread();
	struct tracee *tracee = kzalloc(sizeof(*tracee));
	int error = -EPERM;

	if (!tracee)
		return -ENOMEM;
	spin_lock(&process_lock);
	if (!self->signals.tracee && self->process->parent && may_trace_me(self->process->parent)) {
		link_tracee(tracee, self, self->process->parent);
		error = 0;
	}
	spin_unlock(&process_lock);
	if (error)
		kfree(tracee);
	return error;
}

static int attach_locked(struct tracee *tracee, int tid) requires(process_lock)
{
	struct thread *thread = thread_find(tid);
	struct signal_info stop = {.number = SIGSTOP, .code = SI_KERNEL};

	if (!thread && process_find(tid))
		return -EPERM; /* a zombie, or a leader that ended before its threads */
	if (!thread || !thread->process)
		return -ESRCH;
	if (thread->process == current_process() || thread->process->kernel ||
		thread->signals.tracee || !may_trace(thread->process) || thread->signals.leaving)
		return -EPERM;
	if (thread->gaining && !has_capability(current_credentials(), CAP_SYS_PTRACE))
		return -EPERM; /* as of the program that it will have in a moment */
	link_tracee(tracee, thread, current_process());
	if (tracee->seized)
		return 0;
	if (!thread->signals.stopped)
		return signal_send_info(thread->process, thread, &stop);
	/* It is stopped already: it comes to a stop of ours. */
	thread->signals.stopped = false;
	tracee->interrupt = true;
	signal_wake(thread);
	return 0;
}

int ptrace_attach(int tid, bool seize, unsigned options)
{
	struct tracee *tracee = kzalloc(sizeof(*tracee));
	int error;

	if (!tracee)
		return -ENOMEM;
	tracee->seized = seize;
	tracee->options = options;
	spin_lock(&process_lock);
	error = attach_locked(tracee, tid);
	spin_unlock(&process_lock);
	if (error)
		kfree(tracee);
	return error;
}

/* ---- Telling ---- */

void ptrace_tell(struct tracee *tracee, int code, int status)
{
	struct process *tracer = tracee->tracer;
	struct signal_policy policy = signal_policy(tracer, SIGCHLD);
	siginfo_t info = {0};

	tracee->news = true;
	info.si_signo = SIGCHLD;
	info.si_code = code;
	info.si_pid = tracee->tid;
	info.si_uid = tracee->uid;
	info.si_status = status;
	if (!policy.ignored && !(policy.flags & SA_NOCLDSTOP) && signal_send(tracer, &info))
		log_debug("SIGCHLD of a stop is lost"); /* wait4 tells it all the same */
	wake_all(&tracer->child_wait);
}

/* ---- The tracer's requests ---- */

static struct tracee *find(int tid) requires(process_lock)
{
	struct thread *thread = thread_find(tid);
	struct tracee *tracee = thread ? thread->signals.tracee : NULL;

	return tracee && tracee->tracer == current_process() ? tracee : NULL;
}

struct tracee *ptrace_take(int tid, int *error)
{
	struct tracee *tracee;
	struct thread *thread = NULL;

	*error = -ESRCH;
	spin_lock(&process_lock);
	tracee = find(tid);
	if (tracee && (!tracee->stopped || tracee->busy || tracee->listening ||
			      ptrace_killed(tracee->thread)))
		tracee = NULL;
	if (tracee) {
		tracee->busy = true;
		thread = tracee->thread;
	}
	spin_unlock(&process_lock);
	if (tracee)
		thread_wait_switched(thread);
	return tracee;
}

void ptrace_release(struct tracee *tracee)
{
	spin_lock(&process_lock);
	tracee->busy = false;
	if (!tracee->stopped || ptrace_killed(tracee->thread))
		thread_wake(tracee->thread);
	spin_unlock(&process_lock);
}

int ptrace_continue(struct tracee *tracee, enum ptrace_resume resume, unsigned long signal)
{
	if (signal > SIGNALS) {
		ptrace_release(tracee);
		return -EIO;
	}
	tracee->stepping = resume == RESUME_STEP || resume == RESUME_EMULATE_STEP;
	arch_single_step(tracee->thread, tracee->stepping);
	spin_lock(&process_lock);
	tracee->resume = resume;
	tracee->inject = (int)signal;
	tracee->stopped = tracee->busy = tracee->news = false;
	thread_wake(tracee->thread);
	spin_unlock(&process_lock);
	return 0;
}

int ptrace_detach(struct tracee *tracee, unsigned long signal)
{
	if (signal > SIGNALS) {
		ptrace_release(tracee);
		return -EIO;
	}
	arch_single_step(tracee->thread, false);
	spin_lock(&process_lock);
	tracee->inject = (int)signal;
	/* A process that job control stopped stays so. */
	if (tracee->thread->process->signals.stopped && !signal) {
		tracee->thread->signals.stop = true;
		tracee->thread->process->signals.stop_count++;
	}
	unlink_tracee(tracee);
	spin_unlock(&process_lock);
	return 0;
}

int ptrace_interrupt(int tid)
{
	struct tracee *tracee;
	int error = -ESRCH;

	spin_lock(&process_lock);
	tracee = find(tid);
	if (tracee && !tracee->seized) {
		error = -EIO;
	} else if (tracee) {
		tracee->interrupt = true;
		if (tracee->listening)
			tracee->stopped = false;
		signal_wake(tracee->thread);
		error = 0;
	}
	spin_unlock(&process_lock);
	return error;
}

int ptrace_kill(int tid)
{
	struct signal_info info = {.number = SIGKILL, .code = SI_KERNEL};
	struct tracee *tracee;
	int error = -ESRCH;

	spin_lock(&process_lock);
	tracee = find(tid);
	if (tracee)
		error = signal_send_info(tracee->thread->process, tracee->thread, &info);
	spin_unlock(&process_lock);
	return error;
}

int ptrace_listen(struct tracee *tracee)
{
	int error = -EIO;

	spin_lock(&process_lock);
	if (tracee->seized && tracee->code >> 8 == PTRACE_EVENT_STOP) {
		tracee->listening = true;
		tracee->news = false;
		error = 0;
	}
	tracee->busy = false;
	spin_unlock(&process_lock);
	return error;
}

/* ---- Life ---- */

struct tracee *ptrace_clone_prepare(int *error)
{
	struct tracee *spare;

	*error = 0;
	if (likely(!ptrace_on(current_thread())))
		return NULL;
	spare = kzalloc(sizeof(*spare));
	if (!spare)
		*error = -ENOMEM;
	return spare;
}

void ptrace_clone_discard(struct tracee *spare)
{
	kfree(spare);
}

int ptrace_clone(struct thread *child, uint64_t flags, int exit_signal, struct tracee **spare)
{
	struct tracee *own = current_thread()->signals.tracee, *tracee = *spare;
	struct signal_info stop_it = {.number = SIGSTOP, .code = SI_USER};
	int event = PTRACE_EVENT_CLONE;
	bool wanted;

	if (likely(!own) || !tracee || (flags & CLONE_UNTRACED))
		return 0;
	if (flags & CLONE_VFORK)
		event = PTRACE_EVENT_VFORK;
	else if (exit_signal == SIGCHLD && !(flags & CLONE_THREAD))
		event = PTRACE_EVENT_FORK;
	wanted = own->options & 1u << event;
	if (!wanted && !(flags & CLONE_PTRACE))
		return 0;
	*spare = NULL;
	tracee->options = own->options;
	tracee->seized = own->seized;
	link_tracee(tracee, child, own->tracer);
	tracee->capable = own->capable;
	if (own->seized) {
		tracee->interrupt = true;
		signal_wake(child);
	} else if (signal_send_info(child->process, child, &stop_it)) {
		log_debug("%s: the first SIGSTOP is lost", child->name);
	}
	return wanted ? event : 0;
}

bool ptrace_by_parent(const struct process *process)
{
	const struct thread *leader = process->leader;

	return leader && leader->signals.tracee &&
	       leader->signals.tracee->tracer == process->parent;
}

/* How a thread ended by a status, as siginfo has it. */
static int end_code(int status)
{
	return !(status & 0x7f) ? CLD_EXITED : status & 0x80 ? CLD_DUMPED : CLD_KILLED;
}

static void tell_end(struct tracee *tracee, int status) requires(process_lock)
{
	tracee->code = status;
	ptrace_tell(tracee, end_code(status), status & 0x7f ? status & 0x7f : status >> 8 & 0xff);
}

void ptrace_thread_exit(struct thread *thread, int status)
{
	struct tracee *tracee = thread->signals.tracee;
	bool is_leader = thread->process->id == thread->tid;

	if (likely(!tracee))
		return;
	thread->signals.tracee = NULL;
	/* A child that is its parent's tracee ends as every child does. */
	if (is_leader && tracee->tracer == thread->process->parent) {
		list_remove(&tracee->link);
		kfree(tracee);
		return;
	}
	tracee->thread = NULL;
	if (is_leader) { /* told when the process has ended, with its status */
		tracee->holds = thread->process;
		thread->process->held = tracee;
		return;
	}
	tell_end(tracee, status);
}

bool ptrace_holds(struct process *zombie)
{
	struct tracee *tracee = zombie->held;

	if (likely(!tracee))
		return false;
	if (tracee->tracer == zombie->parent) { /* by now: it hears of it as the parent */
		drop_ended(tracee);
		return false;
	}
	if (!tracee->news)
		tell_end(tracee, zombie->exit_status);
	return true;
}

void ptrace_leader_replaced(struct process *process)
{
	if (unlikely(process->held))
		drop_ended(process->held);
}

void ptrace_tracer_exit(struct process *process)
{
	struct signal_info end = {.number = SIGKILL, .code = SI_KERNEL};
	struct tracee *tracee, *next;

	list_for_each_safe(tracee, next, &process->tracees, link)
	{
		struct thread *thread = tracee->thread;
		bool kill = tracee->options & PTRACE_O_EXITKILL;

		unlink_tracee(tracee);
		if (thread && kill)
			signal_send_info(thread->process, thread, &end);
	}
}

/* ---- wait4 ---- */

static bool matches(const struct tracee *tracee, const struct wait_request *request)
{
	if (request->which == WAIT_ONE)
		return tracee->tid == request->id;
	return request->which == WAIT_ANY || tracee->group == request->id;
}

bool ptrace_look(
	struct process *self, const struct wait_request *request, struct wait_result *result)
{
	struct tracee *tracee;

	list_for_each(tracee, &self->tracees, link)
	{
		bool ended = !tracee->thread;

		if (!tracee->news || !matches(tracee, request))
			continue;
		if (ended && !(request->options & WEXITED))
			continue;
		*result = (struct wait_result){.id = tracee->tid, .uid = tracee->uid};
		result->code = !ended ? CLD_TRAPPED : end_code(tracee->code);
		result->status = !ended                ? tracee->code
				 : tracee->code & 0x7f ? tracee->code & 0x7f
						       : tracee->code >> 8 & 0xff;
		result->wait_status = ended ? tracee->code : tracee->code << 8 | 0x7f;
		if (request->options & WNOWAIT)
			return true;
		tracee->news = false;
		tracee->inject = 0; /* it has the signal: the tracee goes on with what it says */
		if (ended)
			unlink_tracee(tracee);
		return true;
	}
	return false;
}

bool ptrace_any(struct process *self, const struct wait_request *request)
{
	struct tracee *tracee;

	list_for_each(tracee, &self->tracees, link)
	{
		if (matches(tracee, request) && (tracee->thread || request->options & WEXITED))
			return true;
	}
	return false;
}
