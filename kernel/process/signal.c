/* SPDX-License-Identifier: MIT */
/*
 * Signals, so far as they have no handlers: default actions and SIG_IGN. A signal is a bit in the
 * process's pending set; a thread takes it on its way to user mode. Locks: process_lock.
 */
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "process/current.h"
#include "process/process.h"
#include "process/sched.h"

#define BIT(signal)    SIGNAL_BIT(signal)
#define DEFAULT_IGNORE (BIT(SIGCHLD) | BIT(SIGURG) | BIT(SIGWINCH) | BIT(SIGCONT))
#define DEFAULT_CORE                                                                            \
	(BIT(SIGQUIT) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGABRT) | BIT(SIGBUS) | BIT(SIGFPE) | \
		BIT(SIGSEGV) | BIT(SIGXCPU) | BIT(SIGXFSZ) | BIT(SIGSYS))

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
	return DEFAULT_CORE & BIT(signal);
}

static uint64_t deliverable(const struct thread *thread)
{
	return thread->process->signals.pending &
	       ~(thread->signals.blocked & ~(BIT(SIGKILL) | BIT(SIGSTOP)));
}

struct signal_policy signal_policy(struct process *process, int signal)
{
	return (struct signal_policy){.ignored = process->signals.ignored & BIT(signal)};
}

int signal_thread_clone(struct thread *child, struct thread *parent, uint64_t clone_flags)
{
	(void)clone_flags;
	child->signals.blocked = parent->signals.blocked;
	return 0;
}

int signal_process_clone(struct process *child, struct process *parent, uint64_t clone_flags)
{
	(void)clone_flags;
	child->signals.ignored = parent->signals.ignored;
	return 0;
}

void signal_exec(void)
{
}

void signal_thread_exit(struct thread *thread)
{
	(void)thread;
}

void signal_process_free(struct process *process)
{
	(void)process;
}

/* Makes a thread look at what is to be done before it goes on in user mode. */
static void alert(struct thread *thread) requires(process_lock)
{
	thread_set_work(thread, WORK_SIGNAL);
	thread_wake(thread);
}

int signal_send(struct process *process, const struct siginfo *info)
{
	struct thread *thread;
	int signal = info->si_signo;

	if (process->zombie || process->exiting)
		return 0;
	/* Process 1 gets no signal by which it could end. */
	if (process->id == 1 && !(DEFAULT_IGNORE & BIT(signal)))
		return 0;
	if ((process->signals.ignored & BIT(signal)) || (DEFAULT_IGNORE & BIT(signal)))
		return 0;
	process->signals.pending |= BIT(signal);
	list_for_each(thread, &process->threads, siblings)
	{
		if (deliverable(thread))
			alert(thread);
	}
	return 0;
}

int signal_send_thread(struct thread *thread, const struct siginfo *info)
{
	return signal_send(thread->process, info);
}

void signal_send_kernel(struct process *process, int signal)
{
	siginfo_t info = {0};

	info.si_signo = signal;
	info.si_code = SI_KERNEL;
	if (signal_send(process, &info))
		log_debug("%s[%d]: %s is lost", process->name, process->id, signal_name(signal));
}

void signal_end_group(struct process *process, int status)
{
	struct thread *thread;

	if (process->exiting)
		return;
	process->exiting = true;
	process->exit_status = status;
	list_for_each(thread, &process->threads, siblings)
	{
		if (thread != current_thread())
			alert(thread);
	}
}

bool current_signal_pending(void)
{
	struct thread *self = current_thread();

	return self->process && (__atomic_load_n(&self->work, __ATOMIC_ACQUIRE) & WORK_SIGNAL);
}

bool signal_kill_pending(void)
{
	struct thread *self = current_thread();
	struct process *process = self->process;
	struct thread *exec = __atomic_load_n(&process->exec, __ATOMIC_RELAXED);

	return __atomic_load_n(&process->signals.pending, __ATOMIC_RELAXED) & BIT(SIGKILL) ||
	       __atomic_load_n(&process->exiting, __ATOMIC_RELAXED) || (exec && exec != self);
}

/* Whether the mask change made a pending signal deliverable. */
void signal_mask_changed(void)
{
	struct thread *self = current_thread();

	spin_lock(&process_lock);
	if (deliverable(self))
		thread_set_work(self, WORK_SIGNAL);
	spin_unlock(&process_lock);
}

struct group_send {
	int group, signal, count;
};

static void send_to_member(struct process *process, void *context) no_lock_checks
{
	struct group_send *send = context;

	if (process->zombie)
		return;
	if (send->group < 0 && (process->id == 1 || process == current_process()))
		return; /* kill(-1): everybody but process 1 and oneself */
	send->count++;
	if (send->signal)
		signal_send_kernel(process, send->signal);
}

static int send_many(int group, int signal)
{
	struct group_send send = {group, signal, 0};
	struct process *process;
	struct pid *pid;

	spin_lock(&process_lock);
	pid = group < 0 ? NULL : pid_find(group);
	if (pid)
		list_for_each(process, &pid->group, group_link) send_to_member(process, &send);
	else if (group < 0)
		process_for_each(send_to_member, &send);
	spin_unlock(&process_lock);
	return send.count ? 0 : -ESRCH;
}

int signal_group(int group, int signal)
{
	return send_many(group, signal);
}

int signal_kill(int pid, int signal)
{
	struct process *process;

	if (signal < 0 || signal > SIGNALS)
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH; /* it has no group: -pid is pid again */
	if (pid == 0)
		return send_many(current_group(), signal);
	if (pid < 0)
		return send_many(pid == -1 ? -1 : -pid, signal);
	spin_lock(&process_lock);
	process = process_find(pid);
	if (process && signal)
		signal_send_kernel(process, signal);
	spin_unlock(&process_lock);
	return process ? 0 : -ESRCH;
}

/* Ends the process as by this signal. */
static void end_by(int signal) NORETURN;
static void end_by(int signal)
{
	process_exit_group(signal | (signal_dumps_core(signal) ? CORE_DUMPED : 0));
}

void signal_deliver(void)
{
	struct thread *self = current_thread();
	uint64_t ready;
	int signal = 0, status;
	bool ends;

	spin_lock(&process_lock);
	ready = deliverable(self);
	if (ready) {
		signal = __builtin_ctzl(ready & BIT(SIGKILL) ? BIT(SIGKILL) : ready) + 1;
		self->process->signals.pending &= ~BIT(signal);
	}
	ends = self->process->exiting || (self->process->exec && self->process->exec != self);
	status = self->process->exit_status;
	if (!(deliverable(self)))
		__atomic_and_fetch(&self->work, ~(uint32_t)WORK_SIGNAL, __ATOMIC_RELAXED);
	spin_unlock(&process_lock);
	if (ends)
		thread_exit(status);
	if (!signal)
		return;
	if (BIT(signal) & (BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU)))
		return; /* stopping comes with job control */
	end_by(signal);
}

void thread_fault(int signal, int code, uintptr_t address, const char *what)
{
	struct thread *self = current_thread();

	log_info("%s[%d]: %s (code %d): %s %#lx, at rip %#lx", self->name, self->process->id,
		signal_name(signal), code, what, address, arch_user_ip(self));
	end_by(signal);
}

void signal_current(int signal)
{
	spin_lock(&process_lock);
	signal_send_kernel(current_process(), signal);
	spin_unlock(&process_lock);
}
