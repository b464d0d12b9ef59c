/* SPDX-License-Identifier: MIT */
/*
 * Signals: what the running thread does about its own, on its way to user mode.
 *
 * signal_deliver takes signals until there is a handler to run or none is left. A handler gets a
 * frame on the user's stack (the machine's part: arch_signal_enter) and the mask that its action
 * asks for; when more signals wait, thread_work comes again and puts their frames on top. An
 * interrupted system call, whose result is one of the internal ones of lib/errno.h, is settled here
 * and only here: before a handler's frame is made, since the frame holds its result, or when no
 * handler runs.
 *
 * Faults (signal_force) go the same way, but what blocks or ignores them is taken off first, so that
 * the instruction is not tried for ever. If a handler's frame cannot be written the process gets
 * SIGSEGV, and if it was SIGSEGV's own, by the default action.
 *
 * Locks: process_lock for the queues and actions; none while user memory is written.
 */
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "firmware/bars.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "memory/user.h"
#include "process/core.h"
#include "process/process.h"
#include "process/ptrace.h"
#include "process/sched.h"
#include "process/signal.h"
#include "syscall/trace.h"

#define BIT(signal)     SIGNAL_BIT(signal)
#define RESTART_SYSCALL 219 /* the number of restart_syscall */

/* ---- Interrupted calls ---- */

/* A handler is about to run: what it interrupted gives EINTR, or is made again after it. */
static void settle_call(struct thread *self, const struct signal_action *action)
{
	long result, number = arch_syscall_number(self, &result);

	if (number < 0 || likely(result > -ERESTARTSYS))
		return;
	switch (result) {
	case -ERESTART_RESTARTBLOCK:
	case -ERESTARTNOHAND:
		arch_set_result(self, -EINTR);
		break;
	case -ERESTARTSYS:
		if (!(action->flags & SA_RESTART)) {
			arch_set_result(self, -EINTR);
			break;
		}
		arch_syscall_again(self, number);
		break;
	case -ERESTARTNOINTR:
		arch_syscall_again(self, number);
		break;
	default:
		break;
	}
}

/* No handler runs. */
static void settle_call_quietly(struct thread *self)
{
	long result, number = arch_syscall_number(self, &result);

	if (number < 0)
		return;
	switch (result) {
	case -ERESTARTNOHAND:
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
		arch_syscall_again(self, number);
		arch_syscall_forget(self);
		break;
	case -ERESTART_RESTARTBLOCK:
		arch_syscall_again(self, RESTART_SYSCALL);
		arch_syscall_forget(self);
		break;
	default:
		break;
	}
}

long signal_restart_by(
	long (*restart)(struct restart_block *block), uint64_t a, uint64_t b, uint64_t c)
{
	current_thread()->signals.restart = (struct restart_block){restart, {a, b, c}};
	return -ERESTART_RESTARTBLOCK;
}

/* ---- The default action ---- */

/* A stop from a terminal makes no sense where nobody could continue it. Returns with the lock. */
static bool stops(struct process *process, int signal) requires(process_lock)
{
	if (signal != SIGSTOP && signal_group_orphaned(process->group, NULL))
		return false;
	signal_stop_begin(process, signal);
	return true;
}

/* The mask that the handler runs with, and the one to which its end goes back. */
static void mask_handler(struct thread *self, struct signal_delivery *delivery) requires(
	process_lock)
{
	struct thread_signals *signals = &self->signals;
	uint64_t mask = signals->blocked | delivery->action.mask;

	if (!(delivery->action.flags & SA_NODEFER))
		mask |= BIT(delivery->info.number);
	delivery->mask = signals->restore ? signals->saved : signals->blocked;
	delivery->mask_before = signals->blocked;
	signal_mask_set_locked(self, mask);
}

/* What is done about a signal that was taken: true: *delivery has a handler. */
static bool decide(struct thread *self, struct signal_delivery *delivery) requires(process_lock)
{
	struct process *process = self->process;
	int signal = delivery->info.number;
	struct signal_action *action = signal_action_at(process->signals.actions, signal);

	if (action->handler == (uintptr_t)SIG_IGN)
		return false;
	if (action->handler != (uintptr_t)SIG_DFL) {
		delivery->action = *action;
		if (action->flags & SA_RESETHAND)
			action->handler = (uintptr_t)SIG_DFL;
		mask_handler(self, delivery);
		return true;
	}
	if (BIT(signal) & SIGNALS_IGNORED)
		return false;
	if (process->signals.protected)
		return false;
	if (BIT(signal) & SIGNALS_STOP) {
		stops(process, signal);
		return false;
	}
	spin_unlock(&process_lock);
	if (signal_dumps_core(signal))
		core_dump(&delivery->info);
	process_exit_group(signal);
}

/* Shows a signal to the tracer; false: nothing is left to deliver now. */
static bool tracer_lets(struct thread *self, struct signal_info *info) requires(process_lock)
{
	int signal;

	spin_unlock(&process_lock);
	signal = ptrace_signal(info);
	spin_lock(&process_lock);
	if (!signal)
		return false;
	if (!(self->signals.blocked & BIT(signal)))
		return true;
	if (signal_send_info(self->process, self, info)) /* the tracer chose one that must wait */
		log_debug("%s: %s is lost", self->name, signal_name(signal));
	return false;
}

/* Takes signals until one has a handler; false: none is left, and WORK_SIGNAL is clear. */
static bool next_delivery(struct thread *self, struct signal_delivery *delivery)
{
	bool found = false;

	spin_lock(&process_lock);
	for (;;) {
		if (self->signals.queue.set & BIT(SIGKILL)) {
			spin_unlock(&process_lock);
			thread_exit(SIGKILL);
		}
		if (self->signals.stop) {
			spin_unlock(&process_lock);
			signal_stop_self();
			spin_lock(&process_lock);
			continue;
		}
		if (unlikely(self->signals.tracee && self->signals.tracee->interrupt)) {
			spin_unlock(&process_lock);
			ptrace_interrupt_stop();
			spin_lock(&process_lock);
			continue;
		}
		if (!signal_take(self, self->signals.blocked, &delivery->info))
			break;
		if (unlikely(self->signals.tracee) && !tracer_lets(self, &delivery->info))
			continue;
		if (unlikely(trace_on())) {
			spin_unlock(&process_lock);
			trace_signal(&delivery->info, sizeof(delivery->info));
			spin_lock(&process_lock);
		}
		found = decide(self, delivery);
		if (found)
			break;
	}
	if (!found)
		signal_recalculate(self);
	spin_unlock(&process_lock);
	return found;
}

/* ---- Handlers ---- */

/* The frame could not be written. */
static void frame_failed(int signal)
{
	siginfo_t info = {0};

	info.si_signo = SIGSEGV;
	info.si_code = SI_KERNEL;
	if (signal == SIGSEGV) {
		struct process *process = current_process();
		struct signal_action to_default = {.handler = (uintptr_t)SIG_DFL};

		spin_lock(&process_lock);
		signal_action_set(process, SIGSEGV, &to_default);
		process->signals.protected = false;
		spin_unlock(&process_lock);
	}
	signal_force(&info);
}

static void run_handler(struct thread *self, struct signal_delivery *delivery)
{
	struct thread_signals *signals = &self->signals;

	if (unlikely(self->signals.tracee))
		arch_single_step(self, false); /* what the frame shows is the program's */
	settle_call(self, &delivery->action);
	if (unlikely(arch_signal_enter(delivery))) {
		signal_mask_set(delivery->mask_before);
		frame_failed(delivery->info.number);
		return;
	}
	if (signals->stack_flags & SIGNAL_STACK_DISARMS) {
		signals->stack_base = signals->stack_size = 0;
		signals->stack_flags = SIGNAL_STACK_NONE;
	}
	signals->restore = false;
	signals->check_frame = false;
	if (unlikely(signals->tracee))
		ptrace_handler_entered();
}

/* Registers came from user mode that the CPU would not take there. */
static bool check_frame(struct thread *self)
{
	siginfo_t info = {0};

	if (!arch_frame_fault(self))
		return false;
	info.si_signo = SIGSEGV;
	info.si_code = SI_KERNEL;
	signal_force(&info);
	return true;
}

void signal_deliver(void)
{
	struct thread *self = current_thread();
	struct signal_delivery delivery;

	if (unlikely(self->signals.check_frame))
		self->signals.check_frame = check_frame(self);
	if (next_delivery(self, &delivery)) {
		run_handler(self, &delivery);
		return;
	}
	settle_call_quietly(self);
	if (self->signals.restore) {
		self->signals.restore = false;
		signal_mask_set(self->signals.saved);
	}
}

/* ---- Faults ---- */

void signal_force(const struct siginfo *info)
{
	struct thread *self = current_thread();
	struct process *process = self->process;
	int signal = info->si_signo;
	struct signal_action *action;
	bool blocked;

	spin_lock(&process_lock);
	action = signal_action_at(process->signals.actions, signal);
	blocked = self->signals.blocked & BIT(signal);
	if (blocked || action->handler == (uintptr_t)SIG_IGN) {
		action->handler = (uintptr_t)SIG_DFL;
		self->signals.blocked &= ~BIT(signal);
	}
	if (action->handler == (uintptr_t)SIG_DFL && !self->signals.tracee)
		process->signals.protected = false;
	if (signal_send_info(process, self, (const struct signal_info *)info))
		log_debug("%s: %s is lost", self->name, signal_name(signal));
	signal_wake(self); /* it may have waited, blocked, before */
	spin_unlock(&process_lock);
}

static bool ends_by_default(struct thread *self, int signal)
{
	bool ends;

	spin_lock(&process_lock);
	ends = (self->signals.blocked & BIT(signal)) ||
	       signal_action_at(self->process->signals.actions, signal)->handler <=
		       (uintptr_t)SIG_IGN;
	spin_unlock(&process_lock);
	return ends;
}

void thread_fault(int signal, int code, uintptr_t address, const char *what)
{
	struct thread *self = current_thread();
	siginfo_t info = {0};

	if (unlikely(self->process->kernel)) {
		bars_trap();
		return;
	}
	if (ends_by_default(self, signal))
		log_info("%s[%d]: %s (code %d): %s %#lx, at rip %#lx", self->name,
			self->process->id, signal_name(signal), code, what, address,
			arch_user_ip(self));
	info.si_signo = signal;
	info.si_code = code;
	if (code != SI_KERNEL)
		info.si_addr = (void *)address;
	signal_force(&info);
}

/* ---- Masks for the length of a call ---- */

int signal_mask_borrow(user_t mask, size_t size)
{
	struct thread_signals *signals = &current_thread()->signals;
	uint64_t wanted;

	if (!mask.address)
		return 0;
	if (size != sizeof(wanted))
		return -EINVAL;
	if (copy_from_user(&wanted, mask, sizeof(wanted)))
		return -EFAULT;
	signals->saved = signals->blocked;
	signals->restore = true;
	signal_mask_set(wanted);
	return 0;
}

void signal_mask_return(bool interrupted)
{
	struct thread_signals *signals = &current_thread()->signals;

	if (!signals->restore || interrupted)
		return;
	signals->restore = false;
	signal_mask_set(signals->saved);
}
