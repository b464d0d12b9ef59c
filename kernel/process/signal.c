/* SPDX-License-Identifier: MIT */
/*
 * Signals: sending.
 *
 * A signal is sent to a process or to one of its threads and waits in that one's queue
 * (signal_queue.c) until a thread that does not block it takes it on its way to user mode
 * (signal_deliver.c). Sending decides, in this order: is the process going to end anyway; does the
 * signal undo others that wait (SIGCONT and the four that stop); would it be ignored; does it merge
 * with one that waits; who is to take it. One by whose default action the process ends, and that
 * nobody could look at before (no core, no tracer), ends it at once: all threads are told to go.
 *
 * Invariants:
 *  - WORK_SIGNAL is set for a thread that has something to look at: a signal that it does not block,
 *    a stop, its end. Senders set it; only the thread itself clears it, under process_lock, so an
 *    interrupted system call always comes by signal_deliver, which settles whether it is made again.
 *  - SIGKILL is never in a process's queue, and in a thread's it means that the thread is to end.
 *  - A signal that is ignored waits nowhere, unless it is blocked: the action may still change.
 *
 * Locks: process_lock, which callers hold. It is taken in interrupts too (terminals, timers).
 */
#include "process/signal.h"

#include <linux/resource.h>
#include <linux/sched.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/process.h"
#include "process/ptrace.h"
#include "process/sched.h"
#include "process/signal_watch.h"

#define BIT(signal) SIGNAL_BIT(signal)
#define CORE                                                                                    \
	(BIT(SIGQUIT) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGABRT) | BIT(SIGBUS) | BIT(SIGFPE) | \
		BIT(SIGSEGV) | BIT(SIGXCPU) | BIT(SIGXFSZ) | BIT(SIGSYS))

#define SAME_PLACE(field, other) \
	_Static_assert(          \
		offsetof(struct signal_info, field) == offsetof(siginfo_t, other), "siginfo_t")
SAME_PLACE(number, si_signo);
SAME_PLACE(error, si_errno);
SAME_PLACE(code, si_code);
SAME_PLACE(sent.pid, si_pid);
SAME_PLACE(sent.uid, si_uid);
SAME_PLACE(sent.value, si_value);
SAME_PLACE(timer.id, si_tid);
SAME_PLACE(timer.overrun, si_overrun);
SAME_PLACE(timer.value, si_value);
SAME_PLACE(child.status, si_status);
SAME_PLACE(child.user, si_utime);
SAME_PLACE(child.system, si_stime);
SAME_PLACE(fault.address, si_addr);
/* Linux's kernel_siginfo: what is behind it is 0. */
_Static_assert(sizeof(struct signal_info) == 48 && sizeof(siginfo_t) == 128, "siginfo_t");

static const char *const names[] = {"0", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP",
	"SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE",
	"SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN",
	"SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",
	"SIGPWR", "SIGSYS"};

const char *signal_name(int signal)
{
	return signal > 0 && (size_t)signal < ARRAY_SIZE(names) ? names[signal]
								: "a real-time signal";
}

bool signal_dumps_core(int signal)
{
	return CORE & BIT(signal);
}

static struct signal_action *action_of(struct process *process, int signal) requires(process_lock)
{
	return signal_action_at(process->signals.actions, signal);
}

struct signal_policy signal_policy(struct process *process, int signal)
{
	const struct signal_action *action = action_of(process, signal);

	return (struct signal_policy){action->handler == (uintptr_t)SIG_IGN, action->flags};
}

/* ---- Who looks, and when ---- */

void signal_wake(struct thread *thread)
{
	thread_set_work(thread, WORK_SIGNAL);
	if (thread == current_thread() && thread->sched.state == THREAD_RUNNABLE)
		return; /* nor is it between two steps of going to sleep */
	if (!thread_wake(thread) && thread != current_thread())
		thread_kick(thread);
}

static uint64_t waiting(const struct thread *thread) requires(process_lock)
{
	return (thread->signals.queue.set | thread->process->signals.queue.set) &
	       ~thread->signals.blocked;
}

void signal_recalculate(struct thread *self)
{
	if (waiting(self) || self->signals.stop || self->signals.check_frame ||
		(self->signals.tracee && self->signals.tracee->interrupt))
		__atomic_or_fetch(&self->work, WORK_SIGNAL, __ATOMIC_RELAXED);
	else
		__atomic_and_fetch(&self->work, ~(uint32_t)WORK_SIGNAL, __ATOMIC_RELAXED);
}

bool current_signal_pending(void)
{
	struct thread *self = current_thread();

	return self->process && (__atomic_load_n(&self->work, __ATOMIC_ACQUIRE) & WORK_SIGNAL);
}

bool signal_kill_pending(void)
{
	return __atomic_load_n(&current_thread()->signals.queue.set, __ATOMIC_RELAXED) &
	       BIT(SIGKILL);
}

/* ---- What is done about it ---- */

static bool ignored_by_action(struct process *process, int signal) requires(process_lock)
{
	uintptr_t handler = action_of(process, signal)->handler;

	if (handler == (uintptr_t)SIG_IGN)
		return true;
	if (handler != (uintptr_t)SIG_DFL)
		return false;
	return process->signals.protected || (BIT(signal) & SIGNALS_IGNORED);
}

/* Whether it leaves no trace. `thread` stands for its process where that is the target. */
static bool ignored(struct thread *thread, int signal) requires(process_lock)
{
	if ((thread->signals.blocked | thread->signals.waited) & BIT(signal))
		return false;
	if (ptrace_on(thread) && signal != SIGKILL)
		return false;
	return ignored_by_action(thread->process, signal);
}

/* Whether the process ends by it with nobody looking on. */
static bool ends_at_once(struct thread *thread, int signal) requires(process_lock)
{
	if (signal == SIGKILL)
		return true;
	if (thread->calls != syscalls_plain)
		return false; /* the tracer is to tell of it first */
	return !ptrace_on(thread) && !(thread->signals.waited & BIT(signal)) &&
	       action_of(thread->process, signal)->handler == (uintptr_t)SIG_DFL &&
	       !(BIT(signal) & (SIGNALS_IGNORED | SIGNALS_STOP | CORE));
}

static bool may_take(const struct thread *thread, int signal) requires(process_lock)
{
	if ((thread->signals.blocked & BIT(signal)) || thread->signals.leaving)
		return false;
	return signal == SIGKILL || !thread->signals.stopped;
}

static struct thread *any_thread(struct process *process) requires(process_lock)
{
	return process->leader ? process->leader
			       : list_first(&process->threads, struct thread, siblings);
}

/* Who takes a signal of the process that the leader does not: one that has nothing else to look at,
 * else any. NULL: all block it. */
static struct thread *choose(struct process *process, int signal) requires(process_lock)
{
	struct thread *thread, *busy = NULL;

	list_for_each(thread, &process->threads, siblings)
	{
		if (!may_take(thread, signal))
			continue;
		if (!(__atomic_load_n(&thread->work, __ATOMIC_RELAXED) & WORK_SIGNAL))
			return thread;
		busy = thread;
	}
	return busy;
}

static void make_end(struct thread *thread) requires(process_lock)
{
	if (thread->signals.queue.set & BIT(SIGKILL))
		return;
	thread->signals.queue.set |= BIT(SIGKILL);
	signal_stop_leave(thread);
	signal_wake(thread);
}

static void end_threads(struct process *process, struct thread *without) requires(process_lock)
{
	struct thread *thread;

	list_for_each(thread, &process->threads, siblings)
	{
		if (thread != without)
			make_end(thread);
	}
}

void signal_end_group(struct process *process, int status)
{
	if (!process->exiting) {
		process->exiting = true;
		process->exit_status = status;
	}
	end_threads(process, current_thread());
}

void signal_end_all(struct process *process, int status)
{
	spin_lock(&process_lock);
	signal_end_group(process, status);
	end_threads(process, NULL);
	spin_unlock(&process_lock);
}

void signal_end_others(void)
{
	end_threads(current_process(), current_thread());
}

/* A handler will run, and nothing else is to be done about it. */
static bool just_handled(struct process *process, int signal) requires(process_lock)
{
	return action_of(process, signal)->handler > (uintptr_t)SIG_IGN &&
	       !(BIT(signal) & (SIGNALS_STOP | BIT(SIGCONT)));
}

/* The signal waits already: who looks at it? */
static void notify(struct process *process, struct thread *thread, int signal) requires(
	process_lock)
{
	struct thread *taker;

	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* see signal_mask_set */
	signal_watch_wake(process);
	taker = thread ? thread : any_thread(process);
	if (unlikely(!may_take(taker, signal)))
		taker = thread ? NULL : choose(process, signal);
	if (!taker)
		return;
	if (just_handled(process, signal) || !ends_at_once(taker, signal)) {
		signal_wake(taker);
		return;
	}
	process->exiting = true;
	process->exit_status = signal;
	end_threads(process, NULL);
}

/* ---- Sending ---- */

/* What comes before a signal that has no handler, or undoes others. False: nothing is to be done. */
static bool prepare(struct process *process, struct thread *thread, int signal) requires(
	process_lock)
{
	if (BIT(signal) & SIGNALS_STOP)
		signal_discard(process, BIT(SIGCONT));
	else if (signal == SIGCONT)
		signal_continue(process);
	return !ignored(thread ? thread : any_thread(process), signal);
}

/* An entry for it. Standard signals from the kernel, or by kill, come through whatever the limit says. */
static struct signal_entry *entry_for(
	struct process *process, const struct signal_info *info) requires(process_lock)
{
	struct signal_entry *slot = &process->signals.slot;
	uint64_t limit = UINT64_MAX;

	if (info->number >= SIGRTMIN || info->code < 0)
		limit = __atomic_load_n(&process->limits[RLIMIT_SIGPENDING].soft, __ATOMIC_RELAXED);
	else if (likely(list_empty(&slot->link)))
		return slot;
	return signal_entry_alloc(process_credentials(process)->uid, limit);
}

int signal_send_info(struct process *process, struct thread *thread, const struct signal_info *info)
{
	struct signal_queue *queue = thread ? &thread->signals.queue : &process->signals.queue;
	struct signal_entry *entry;
	int signal = info->number;
	bool handled = just_handled(process, signal);

	if (unlikely(process->exiting || list_empty(&process->threads))) {
		if (signal == SIGKILL)
			__atomic_store_n(&process->core_ends, true, __ATOMIC_RELAXED);
		return 0;
	}
	if (!handled && !prepare(process, thread, signal))
		return 0;
	if (signal == SIGKILL) {
		notify(process, thread, signal);
		return 0;
	}
	if (signal < SIGRTMIN && (queue->set & BIT(signal)))
		return 0;
	entry = entry_for(process, info);
	if (likely(entry)) {
		entry->info = *info;
		signal_queue_add(queue, entry);
	} else {
		/* The siginfo is lost; who sent it by sigqueue must know. */
		if (signal >= SIGRTMIN && info->code != SI_USER)
			return -EAGAIN;
		queue->set |= BIT(signal);
	}
	notify(process, thread, signal);
	return 0;
}

int signal_send(struct process *process, const struct siginfo *info)
{
	return signal_send_info(process, NULL, (const struct signal_info *)info);
}

int signal_send_thread(struct thread *thread, const struct siginfo *info)
{
	return signal_send_info(thread->process, thread, (const struct signal_info *)info);
}

void signal_send_kernel(struct process *process, int signal)
{
	struct signal_info info = {.number = signal, .code = SI_KERNEL};

	if (signal_send_info(process, NULL, &info))
		log_debug("%s[%d]: %s is lost", process->name, process->id, signal_name(signal));
}

bool signal_send_entry(struct process *process, struct thread *thread, struct signal_entry *entry)
{
	int signal = entry->info.number;

	if (!list_empty(&entry->link) || process->exiting || list_empty(&process->threads) ||
		!prepare(process, thread, signal))
		return false;
	if (signal != SIGKILL) /* which is in a thread's set when that is on its way to its end */
		signal_queue_add(thread ? &thread->signals.queue : &process->signals.queue, entry);
	notify(process, thread, signal);
	return true;
}

struct signal_entry *signal_entry_create(void (*taken)(struct signal_entry *))
{
	struct process *process = current_process();
	struct signal_entry *entry;

	spin_lock(&process_lock);
	entry = signal_entry_alloc(
		process_credentials(process)->uid, process->limits[RLIMIT_SIGPENDING].soft);
	if (entry)
		entry->taken = taken;
	spin_unlock(&process_lock);
	return entry;
}

void signal_entry_destroy(struct signal_entry *entry)
{
	spin_lock(&process_lock);
	/* The set keeps the bit: the signal was sent. */
	list_remove(&entry->link);
	signal_entry_free(entry);
	spin_unlock(&process_lock);
}

int signal_group(int group, int signal)
{
	struct process *process;
	struct pid *pid;
	int error = -ESRCH;

	spin_lock(&process_lock);
	pid = pid_find(group);
	if (pid) {
		list_for_each(process, &pid->group, group_link)
		{
			signal_send_kernel(process, signal);
			error = 0;
		}
	}
	spin_unlock(&process_lock);
	return error;
}

/* ---- Taking ---- */

int signal_take(struct thread *self, uint64_t blocked, struct signal_info *info)
{
	struct signal_queue *queue = &self->signals.queue;
	int signal;

	if (likely(!(queue->set & ~blocked))) {
		queue = &self->process->signals.queue;
		if (!(queue->set & ~blocked))
			return 0;
	}
	signal = signal_queue_next(queue, blocked);
	signal_queue_take(queue, signal, info);
	return signal;
}

void signal_discard(struct process *process, uint64_t set)
{
	struct thread *thread;

	signal_queue_discard(&process->signals.queue, set);
	list_for_each(thread, &process->threads, siblings)
		signal_queue_discard(&thread->signals.queue, set);
}

void signal_action_set(struct process *process, int signal, const struct signal_action *action)
{
	*action_of(process, signal) = *action;
	process->signals.actions->changed |= UINT64_C(1) << (signal - 1);
	if (action->handler == (uintptr_t)SIG_IGN ||
		(action->handler == (uintptr_t)SIG_DFL && (BIT(signal) & SIGNALS_IGNORED)))
		signal_discard(process, BIT(signal));
}

/* Signals of the process that `self` will not take after all: others must look at them. */
static void pass_on(struct thread *self, uint64_t set) requires(process_lock)
{
	struct process *process = self->process;
	struct thread *thread;

	set &= process->signals.queue.set;
	if (likely(!set) || process->thread_count <= 1)
		return;
	list_for_each(thread, &process->threads, siblings)
	{
		if (thread == self || thread->signals.leaving || !(set & ~thread->signals.blocked))
			continue;
		set &= thread->signals.blocked;
		signal_wake(thread);
		if (!set)
			break;
	}
}

void signal_mask_set(uint64_t mask)
{
	struct thread *self = current_thread();

	mask &= ~SIGNALS_UNBLOCKABLE;
	if (mask == self->signals.blocked)
		return;
	/* Where nothing waits there is nothing to look at anew. A sender fills the queue before it
	 * looks at the mask, we change the mask before we look at the queues: one sees the other. */
	__atomic_exchange_n(&self->signals.blocked, mask, __ATOMIC_SEQ_CST);
	if (likely(!(__atomic_load_n(&self->signals.queue.set, __ATOMIC_SEQ_CST) |
		     __atomic_load_n(&self->process->signals.queue.set, __ATOMIC_SEQ_CST))))
		return;
	spin_lock(&process_lock);
	pass_on(self, mask);
	signal_recalculate(self);
	spin_unlock(&process_lock);
}

void signal_mask_set_locked(struct thread *self, uint64_t mask)
{
	uint64_t more = mask & ~SIGNALS_UNBLOCKABLE & ~self->signals.blocked;

	if (unlikely(more & self->process->signals.queue.set))
		pass_on(self, more);
	self->signals.blocked = mask & ~SIGNALS_UNBLOCKABLE;
	signal_recalculate(self);
}

/* ---- Life ---- */

int signal_thread_clone(struct thread *child, struct thread *parent, uint64_t clone_flags)
{
	struct thread_signals *signals = &child->signals;

	signal_queue_init(&signals->queue);
	signals->stack_flags = SIGNAL_STACK_NONE;
	if (!parent)
		return 0;
	signals->blocked = parent->signals.blocked;
	/* A thread with the same memory cannot run on the same stack; vfork's child stands in. */
	if ((clone_flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM)
		return 0;
	signals->stack_base = parent->signals.stack_base;
	signals->stack_size = parent->signals.stack_size;
	signals->stack_flags = parent->signals.stack_flags;
	return 0;
}

static void actions_put(struct signal_actions *actions)
{
	if (!__atomic_sub_fetch(&actions->references, 1, __ATOMIC_ACQ_REL))
		kfree(actions);
}

/* Handlers go, SIG_IGN stays. */
static void to_default(struct signal_actions *actions)
{
	for (uint64_t left = actions->changed; left; left &= left - 1) {
		struct signal_action *action = &actions->of[__builtin_ctzll(left)];

		*action = (struct signal_action){.handler = action->handler == (uintptr_t)SIG_IGN};
		actions->changed &= ~(action->handler ? 0 : left & -left); /* SIG_DFL is 0 */
	}
}

int signal_process_clone(struct process *child, struct process *parent, uint64_t clone_flags)
{
	struct process_signals *signals = &child->signals;

	signal_queue_init(&signals->queue);
	list_init(&signals->slot.link);
	if (parent && (clone_flags & CLONE_SIGHAND)) {
		signals->actions = parent->signals.actions;
		__atomic_add_fetch(&signals->actions->references, 1, __ATOMIC_RELAXED);
		return 0;
	}
	signals->actions = kmalloc(sizeof(*signals->actions));
	if (!signals->actions)
		return -ENOMEM;
	signals->protected = !parent;
	if (parent) {
		spin_lock(&process_lock);
		signal_actions_copy(signals->actions, parent->signals.actions);
		spin_unlock(&process_lock);
		if (clone_flags & CLONE_CLEAR_SIGHAND)
			to_default(signals->actions);
	} else {
		signals->actions->changed = 0;
	}
	signals->actions->references = 1;
	return 0;
}

int signal_exec_prepare(void)
{
	struct process *process = current_process();
	struct signal_actions *shared = process->signals.actions, *own;

	if (__atomic_load_n(&shared->references, __ATOMIC_ACQUIRE) == 1)
		return 0;
	own = kmalloc(sizeof(*own));
	if (!own)
		return -ENOMEM;
	spin_lock(&process_lock);
	signal_actions_copy(own, shared);
	own->references = 1;
	process->signals.actions = own;
	spin_unlock(&process_lock);
	actions_put(shared);
	return 0;
}

void signal_exec(void)
{
	struct thread_signals *signals = &current_thread()->signals;

	spin_lock(&process_lock);
	to_default(current_process()->signals.actions);
	spin_unlock(&process_lock);
	signals->stack_base = signals->stack_size = 0;
	signals->stack_flags = SIGNAL_STACK_NONE;
	signals->restart.restart = NULL;
}

void signal_thread_exit(struct thread *thread)
{
	thread->signals.leaving = true;
	signal_stop_leave(thread);
	signal_queue_discard(&thread->signals.queue, UINT64_MAX);
	if (thread->process->thread_count == 1)
		signal_queue_discard(&thread->process->signals.queue, UINT64_MAX);
	else
		pass_on(thread, ~thread->signals.blocked);
}

void signal_process_free(struct process *process)
{
	if (process->signals.actions)
		actions_put(process->signals.actions);
	process->signals.actions = NULL;
	signal_watch_end(process);
}
