/* SPDX-License-Identifier: MIT */
/* A process's own signals: man 2 rt_sigaction, rt_sigprocmask, rt_sigpending, rt_sigsuspend, pause,
 * rt_sigtimedwait, sigaltstack, rt_sigreturn, restart_syscall. */
#include <linux/time_types.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/errno.h"
#include "memory/user.h"
#include "process/current.h"
#include "process/process.h"
#include "process/sched.h"
#include "process/signal.h"
#include "syscall/table.h"

#define KNOWN_FLAGS                                                                      \
	((uint64_t)(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | \
		    SA_NODEFER | SA_EXPOSE_TAGBITS | SA_RESTORER) |                      \
		(uint64_t)SA_RESETHAND)

/* ---- Actions ---- */

long sys_rt_sigaction(int signal, user_t action, user_t old, size_t size)
{
	struct process *process = current_process();
	struct signal_action before, wanted;

	if (size != sizeof(wanted.mask))
		return -EINVAL;
	if (action.address && copy_from_user(&wanted, action, sizeof(wanted)))
		return -EFAULT;
	if (signal < 1 || signal > SIGNALS ||
		(action.address && (SIGNAL_BIT(signal) & SIGNALS_UNBLOCKABLE)))
		return -EINVAL;
	spin_lock(&process_lock);
	before = *signal_action_at(process->signals.actions, signal);
	if (action.address) {
		wanted.flags &= KNOWN_FLAGS;
		wanted.mask &= ~SIGNALS_UNBLOCKABLE;
		signal_action_set(process, signal, &wanted);
	}
	spin_unlock(&process_lock);
	return old.address ? copy_to_user(old, &before, sizeof(before)) : 0;
}

/* ---- The mask ---- */

long sys_rt_sigprocmask(int how, user_t set, user_t old, size_t size)
{
	uint64_t before = current_thread()->signals.blocked, mask;

	if (size != sizeof(mask))
		return -EINVAL;
	if (set.address) {
		if (copy_from_user(&mask, set, sizeof(mask)))
			return -EFAULT;
		if (how == SIG_BLOCK)
			signal_mask_set(before | mask);
		else if (how == SIG_UNBLOCK)
			signal_mask_set(before & ~mask);
		else if (how == SIG_SETMASK)
			signal_mask_set(mask);
		else
			return -EINVAL;
	}
	return old.address ? copy_to_user(old, &before, sizeof(before)) : 0;
}

long sys_rt_sigpending(user_t set, size_t size)
{
	struct thread *self = current_thread();
	uint64_t pending;

	if (size > sizeof(pending))
		return -EINVAL;
	spin_lock(&process_lock);
	pending = (self->signals.queue.set | self->process->signals.queue.set) &
		  self->signals.blocked;
	spin_unlock(&process_lock);
	return copy_to_user(set, &pending, size);
}

/* ---- Waiting ---- */

/* Sleeps until a signal comes that is not blocked. */
static long wait_for_signal(void)
{
	static struct wait_queue nobody = WAIT_QUEUE_INIT(nobody);

	if (wait_event(&nobody, current_signal_pending())) {
		/* By that signal. */
	}
	return -ERESTARTNOHAND;
}

long sys_pause(void)
{
	return wait_for_signal();
}

long sys_rt_sigsuspend(user_t mask, size_t size)
{
	int error;

	if (size != sizeof(uint64_t))
		return -EINVAL;
	if (!mask.address)
		return -EFAULT;
	error = signal_mask_borrow(mask, size);
	return error ? error : wait_for_signal();
}

/* Takes one of the signals that `others` does not have, if one waits. */
static int take(struct thread *self, uint64_t others, struct signal_info *info)
{
	int signal;

	spin_lock(&process_lock);
	signal = signal_take(self, others, info);
	signal_recalculate(self);
	spin_unlock(&process_lock);
	return signal;
}

/* Waits with the signals unblocked, so that one of them ends the sleep: 0 or what wait_sleep gives. */
static int wait_unblocked(struct thread *self, uint64_t others, ns_t deadline)
{
	struct thread_signals *signals = &self->signals;
	static struct wait_queue nobody = WAIT_QUEUE_INIT(nobody);
	int error;

	spin_lock(&process_lock);
	signals->waited = signals->blocked;
	signals->blocked &= others;
	signal_recalculate(self);
	spin_unlock(&process_lock);
	error = wait_event_until(&nobody, current_signal_pending(), deadline);
	spin_lock(&process_lock);
	signals->blocked = signals->waited;
	signals->waited = 0;
	spin_unlock(&process_lock);
	return error;
}

static int get_timeout(user_t from, ns_t *deadline)
{
	struct __kernel_timespec time;

	*deadline = NS_NEVER;
	if (!from.address)
		return 0;
	if (copy_from_user(&time, from, sizeof(time)))
		return -EFAULT;
	if (time.tv_sec < 0 || time.tv_nsec < 0 || (uint64_t)time.tv_nsec >= NS_PER_SECOND)
		return -EINVAL;
	if ((uint64_t)time.tv_sec < UINT64_MAX / NS_PER_SECOND / 4)
		*deadline = arch_clock() + (uint64_t)time.tv_sec * NS_PER_SECOND +
			    (uint64_t)time.tv_nsec;
	return 0;
}

long sys_rt_sigtimedwait(user_t set, user_t out, user_t timeout, size_t size)
{
	struct thread *self = current_thread();
	struct signal_info info;
	uint64_t wanted;
	ns_t deadline;
	int signal, error = 0;

	if (size != sizeof(wanted))
		return -EINVAL;
	if (copy_from_user(&wanted, set, sizeof(wanted)))
		return -EFAULT;
	error = get_timeout(timeout, &deadline);
	if (error)
		return error;
	wanted &= ~SIGNALS_UNBLOCKABLE;
	signal = take(self, ~wanted, &info);
	if (!signal && deadline > arch_clock()) {
		error = wait_unblocked(self, ~wanted, deadline);
		signal = take(self, ~wanted, &info);
		if (!signal)
			return error == -ETIMEDOUT ? -EAGAIN : -EINTR;
	}
	if (!signal)
		return -EAGAIN;
	if (out.address && (copy_to_user(out, &info, sizeof(info)) ||
				   clear_user(user_offset(out, sizeof(info)),
					   sizeof(siginfo_t) - sizeof(info))))
		return -EFAULT;
	return signal;
}

/* ---- The alternate stack ---- */

static int stack_set(
	struct thread_signals *signals, uintptr_t base, size_t size, unsigned flags, uintptr_t sp)
{
	unsigned mode = flags & ~SIGNAL_STACK_DISARMS;

	if (signal_on_stack(signals, sp))
		return -EPERM;
	if (mode != SIGNAL_STACK_NONE && mode != SIGNAL_STACK_ON && mode != 0)
		return -EINVAL;
	if (mode == SIGNAL_STACK_NONE)
		base = size = 0;
	else if (size < MINSIGSTKSZ)
		return -ENOMEM;
	signals->stack_base = base;
	signals->stack_size = size;
	signals->stack_flags = flags;
	return 0;
}

long sys_sigaltstack(user_t stack, user_t old)
{
	struct thread *self = current_thread();
	struct thread_signals *signals = &self->signals;
	uintptr_t sp = arch_user_sp(self);
	stack_t before = {.ss_sp = (void *)signals->stack_base, .ss_size = signals->stack_size};
	stack_t wanted;
	int error = 0;

	before.ss_flags = (int)(signals->stack_flags & SIGNAL_STACK_DISARMS);
	if (!signals->stack_size)
		before.ss_flags |= SIGNAL_STACK_NONE;
	else if (signal_on_stack(signals, sp))
		before.ss_flags |= SIGNAL_STACK_ON;
	if (stack.address) {
		if (copy_from_user(&wanted, stack, sizeof(wanted)))
			return -EFAULT;
		error = stack_set(signals, (uintptr_t)wanted.ss_sp, wanted.ss_size,
			(unsigned)wanted.ss_flags, sp);
	}
	if (!error && old.address)
		error = copy_to_user(old, &before, sizeof(before));
	return error;
}

/* ---- Returns ---- */

long sys_rt_sigreturn(void)
{
	struct thread *self = current_thread();
	struct signal_return frame;
	int error = arch_signal_return(&frame);

	self->signals.restart.restart = NULL;
	if (error) {
		siginfo_t info = {.si_signo = SIGSEGV, .si_code = SI_KERNEL};

		/* Some of the frame's registers may have been taken already, and a tracer may
		 * keep the signal back. */
		self->signals.check_frame = true;
		signal_force(&info);
		return arch_result(self);
	}
	signal_mask_set(frame.mask);
	if (unlikely(frame.stack_base != self->signals.stack_base ||
		     frame.stack_size != self->signals.stack_size ||
		     frame.stack_flags != self->signals.stack_flags) &&
		stack_set(&self->signals, frame.stack_base, frame.stack_size, frame.stack_flags,
			arch_user_sp(self))) {
		/* Still on it, or nonsense: it stays as it is. */
	}
	if (unlikely(frame.refused)) {
		self->signals.check_frame = true;
		thread_set_work(self, WORK_SIGNAL);
	}
	return frame.result;
}

long sys_restart_syscall(void)
{
	struct restart_block *block = &current_thread()->signals.restart;

	return block->restart ? block->restart(block) : -EINTR;
}
