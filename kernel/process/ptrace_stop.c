/* SPDX-License-Identifier: MIT */
/*
 * Where traced threads stop; see ptrace.c. All of it runs in the traced thread, which holds no locks
 * and may be untraced at any moment: what is read of its tracee is read under process_lock.
 */
#include <linux/capability.h>
#include <linux/ptrace.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "memory/slab.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/process.h"
#include "process/ptrace.h"
#include "process/sched.h"
#include "syscall/dispatch.h"

/* Sets how the thread runs on. */
static void apply_resume(struct thread *self, const struct tracee *tracee) requires(process_lock)
{
	bool calls = tracee->resume != RESUME_RUN;

	if (self->calls == syscalls_plain || self->calls == ptrace_calls)
		self->calls = calls ? ptrace_calls : syscalls_plain;
}

/* The running thread stops; gives the signal with which it goes on: the one that it stops for, where
 * nobody traces it (any more) who could say otherwise. */
static int stop(int code, const struct signal_info *info, unsigned long message)
{
	struct thread *self = current_thread();
	struct tracee *tracee;
	bool pending;
	int inject;

	spin_lock(&process_lock);
	tracee = self->signals.tracee;
	if (!tracee || ptrace_killed(self)) {
		spin_unlock(&process_lock);
		return info ? info->number : 0;
	}
	tracee->code = code;
	tracee->has_info = info;
	if (info)
		tracee->info = *info;
	tracee->message = message;
	tracee->inject = info ? info->number : 0; /* until the tracer has heard of it */
	tracee->interrupt = tracee->listening = false;
	tracee->inside = tracee->stopped = true;
	ptrace_tell(tracee, CLD_TRAPPED, code & 0x7f);
	while (tracee->busy || (tracee->stopped && !ptrace_killed(self))) {
		thread_prepare_sleep();
		spin_unlock(&process_lock);
		schedule();
		spin_lock(&process_lock);
	}
	tracee->inside = tracee->stopped = tracee->news = false;
	inject = tracee->inject;
	if (tracee->detached)
		kfree(tracee);
	else
		apply_resume(self, tracee);
	/* What interrupted a call may have been this stop: the call is yet to be settled. */
	pending = current_signal_pending();
	signal_recalculate(self);
	if (pending)
		thread_set_work(self, WORK_SIGNAL);
	spin_unlock(&process_lock);
	self->frame_changed = true;
	return inject;
}

int ptrace_signal(struct signal_info *info)
{
	struct thread *self = current_thread();
	struct signal_info old = *info;
	struct tracee *tracee;
	int signal;

	signal = stop(info->number, info, 0);
	spin_lock(&process_lock);
	tracee = self->signals.tracee;
	if (tracee && tracee->has_info)
		*info = tracee->info; /* which the tracer may have changed */
	if (signal && signal != old.number) {
		*info = (struct signal_info){.number = signal, .code = SI_USER};
		if (tracee) {
			info->sent.pid = tracee->tracer->id;
			info->sent.uid = process_credentials(tracee->tracer)->uid;
		}
	}
	info->number = signal;
	spin_unlock(&process_lock);
	return signal;
}

static struct signal_info trap_info(int code)
{
	struct signal_info info = {.number = SIGTRAP, .code = code};

	info.sent.pid = current_thread()->tid;
	info.sent.uid = current_credentials()->uid;
	return info;
}

void ptrace_group_stop(int signal)
{
	struct tracee *tracee;
	bool seized;

	spin_lock(&process_lock);
	tracee = current_thread()->signals.tracee;
	seized = tracee && tracee->seized;
	spin_unlock(&process_lock);
	if (seized) {
		int code = signal | PTRACE_EVENT_STOP << 8;
		struct signal_info info = trap_info(code);

		info.number = signal;
		stop(code, &info, 0);
	} else {
		stop(signal, NULL, 0);
	}
}

void ptrace_interrupt_stop(void)
{
	struct thread *self = current_thread();
	struct tracee *tracee;
	bool wanted, seized;
	int stopping;

	spin_lock(&process_lock);
	tracee = self->signals.tracee;
	wanted = tracee && tracee->interrupt;
	seized = tracee && tracee->seized;
	stopping = self->process->signals.stopped ? self->process->signals.stop_signal : 0;
	if (wanted)
		tracee->interrupt = false;
	spin_unlock(&process_lock);
	if (!wanted)
		return;
	if (seized) {
		int signal = stopping ? stopping : SIGTRAP, code = signal | PTRACE_EVENT_STOP << 8;
		struct signal_info info = trap_info(code);

		info.number = signal;
		stop(code, &info, 0);
	} else {
		stop(stopping ? stopping : SIGSTOP, NULL, 0);
	}
}

static bool wants(int event, bool *seized)
{
	struct tracee *tracee;
	bool wanted;

	spin_lock(&process_lock);
	tracee = current_thread()->signals.tracee;
	wanted = tracee && (tracee->options & 1u << event);
	*seized = tracee && tracee->seized;
	spin_unlock(&process_lock);
	return wanted;
}

void ptrace_event(int event, unsigned long message)
{
	int code = SIGTRAP | event << 8;
	struct signal_info info;
	bool seized;

	if (likely(!ptrace_on(current_thread())) || !wants(event, &seized))
		return;
	info = trap_info(code);
	if (event != PTRACE_EVENT_EXIT) /* in the middle of a call, which sets its result later */
		arch_set_result(current_thread(), -ENOSYS);
	stop(code, &info, message);
}

void ptrace_exec(int old_tid)
{
	struct thread *self = current_thread();
	siginfo_t info = {0};
	bool seized = false;

	if (likely(!ptrace_on(self)))
		return;
	spin_lock(&process_lock);
	if (self->signals.tracee)
		self->signals.tracee->tid =
			self->tid; /* exec by another than the leader changes it */
	spin_unlock(&process_lock);
	if (wants(PTRACE_EVENT_EXEC, &seized)) {
		ptrace_event(PTRACE_EVENT_EXEC, (unsigned long)old_tid);
		return;
	}
	if (seized)
		return;
	info.si_signo = SIGTRAP;
	info.si_code = SI_USER;
	info.si_pid = self->process->id;
	info.si_uid = self->credentials->uid;
	spin_lock(&process_lock);
	if (signal_send_thread(self, &info))
		log_debug("%s: SIGTRAP of exec is lost", self->name);
	spin_unlock(&process_lock);
}

bool ptrace_limits_exec(void)
{
	struct tracee *tracee;
	bool limits;

	spin_lock(&process_lock);
	tracee = current_thread()->signals.tracee;
	limits = tracee && !tracee->capable;
	spin_unlock(&process_lock);
	return limits;
}

void ptrace_handler_entered(void)
{
	struct thread *self = current_thread();
	struct signal_info info = trap_info(SIGTRAP);
	bool stepping;

	spin_lock(&process_lock);
	stepping = self->signals.tracee && self->signals.tracee->stepping;
	spin_unlock(&process_lock);
	if (stepping)
		stop(SIGTRAP, &info, 0);
}

/* ---- The stops at system calls ---- */

/* code: SIGTRAP, or'ed with 0x80 where the tracer asked for that. */
static void call_stop(bool entering, unsigned long message)
{
	struct thread *self = current_thread();
	struct tracee *tracee;
	struct signal_info info;
	int code = SIGTRAP, inject;

	spin_lock(&process_lock);
	tracee = self->signals.tracee;
	if (tracee) {
		if (tracee->options & PTRACE_O_TRACESYSGOOD)
			code |= 0x80;
		tracee->in_call = true;
		tracee->entering = entering;
	}
	spin_unlock(&process_lock);
	info = trap_info(code);
	inject = stop(code, &info, message);
	spin_lock(&process_lock);
	tracee = self->signals.tracee;
	if (tracee)
		tracee->in_call = false;
	if (inject) { /* the tracer gave one: the thread gets it as its own */
		info = (struct signal_info){.number = inject, .code = SI_USER};
		if (signal_send_info(self->process, self, &info))
			log_debug("%s: an injected signal is lost", self->name);
	}
	spin_unlock(&process_lock);
}

static enum ptrace_resume how(struct thread *self)
{
	enum ptrace_resume resume = RESUME_RUN;

	spin_lock(&process_lock);
	if (self->signals.tracee)
		resume = self->signals.tracee->resume;
	spin_unlock(&process_lock);
	return resume;
}

/* Every number's adapter while a tracer wants system calls, or steps. */
static long traced_call(const struct trap_frame *frame)
{
	struct thread *self = current_thread();
	enum ptrace_resume resume = how(self);
	bool skip = resume == RESUME_EMULATE || resume == RESUME_EMULATE_STEP;
	long number, result;

	if (resume != RESUME_STEP && resume != RESUME_RUN) {
		arch_set_result(self, -ENOSYS);
		call_stop(true, PTRACE_EVENTMSG_SYSCALL_ENTRY);
	}
	number = arch_syscall_number(self, &result);
	if (skip)
		return result; /* the tracer made it itself */
	if (number != -1) {    /* else it is skipped, but has its end */
		number = (uint32_t)number;
		result = number < SYSCALLS_MAX && syscalls_plain[number]
				 ? syscalls_plain[number](frame)
				 : syscall_unhandled((uint64_t)number);
	}
	resume = how(self);
	arch_set_result(self, result);
	if (resume == RESUME_SYSCALL) {
		call_stop(false, PTRACE_EVENTMSG_SYSCALL_EXIT);
	} else if (resume == RESUME_STEP) {
		siginfo_t info = {0};

		info.si_signo = SIGTRAP;
		info.si_code = TRAP_BRKPT;
		info.si_addr = (void *)arch_user_ip(self);
		signal_force(&info);
	}
	arch_syscall_number(self, &result);
	return result;
}

const syscall_adapter ptrace_calls[SYSCALLS_MAX] = {[0 ... SYSCALLS_MAX - 1] = traced_call};
