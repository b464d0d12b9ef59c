/* SPDX-License-Identifier: MIT */
/*
 * Signals: who may send one to whom. man 2 kill, tkill, rt_sigqueueinfo; man 7 credentials.
 *
 * Each of these finds its targets and looks at the sender's rights before it sends. Signal 0 only
 * asks. A signal to a group or to everybody succeeds if one of them could be sent it.
 *
 * Locks: process_lock, taken here.
 */
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/process.h"
#include "process/signal.h"

/* To one process, or to a thread of it: what the call gives. */
static int send_one(struct process *process, struct thread *thread,
	const struct signal_info *info) requires(process_lock)
{
	int error;

	if (info->number < 0 || info->number > SIGNALS)
		return -EINVAL;
	error = may_signal(process, info->number);
	if (error || !info->number)
		return error;
	return signal_send_info(process, thread, info);
}

static int to_group(struct pid *group, const struct signal_info *info) requires(process_lock)
{
	struct process *process;
	int last = -ESRCH, error;
	bool sent = false;

	if (!group)
		return -ESRCH;
	list_for_each(process, &group->group, group_link)
	{
		error = send_one(process, NULL, info);
		sent |= !error;
		last = error;
	}
	return sent ? 0 : last;
}

struct everybody {
	const struct signal_info *info;
	int result;
	bool any;
};

static void to_each(struct process *process, void *context) no_lock_checks
{
	struct everybody *all = context;
	int error;

	if (process->id == 1 || process == current_process())
		return;
	all->any = true;
	error = send_one(process, NULL, all->info);
	if (error != -EPERM)
		all->result = error;
}

static int to_everybody(const struct signal_info *info) requires(process_lock)
{
	struct everybody all = {.info = info};

	process_for_each(to_each, &all);
	return all.any ? all.result : -ESRCH;
}

int signal_kill(int pid, const struct signal_info *info)
{
	struct process *process;
	int error;

	if (pid == INT32_MIN)
		return -ESRCH; /* it has no group: -pid is pid again */
	spin_lock(&process_lock);
	if (pid > 0) {
		process = pid == current_process()->id ? current_process() : process_find(pid);
		error = process ? send_one(process, NULL, info) : -ESRCH;
	} else if (pid == -1) {
		error = to_everybody(info);
	} else {
		error = to_group(pid ? pid_find(-pid) : current_process()->group, info);
	}
	spin_unlock(&process_lock);
	return error;
}

int signal_kill_process(struct pid *pid, const struct signal_info *info)
{
	struct process *process;
	int error;

	spin_lock(&process_lock);
	process = pid->process ? pid->process : pid->thread ? pid->thread->process : NULL;
	error = process ? send_one(process, NULL, info) : -ESRCH;
	spin_unlock(&process_lock);
	return error;
}

int signal_kill_thread(int pid, int tid, const struct signal_info *info)
{
	struct thread *thread;
	struct process *zombie;
	int error = -ESRCH;

	spin_lock(&process_lock);
	thread = thread_find(tid);
	if (thread && thread->process && (!pid || thread->process->id == pid)) {
		error = send_one(thread->process, thread, info);
	} else if (!thread && (zombie = process_find(tid)) && (!pid || pid == tid)) {
		/* A leader that has ended takes everything, as a zombie does. */
		error = info->number < 0 || info->number > SIGNALS ? -EINVAL : 0;
	}
	spin_unlock(&process_lock);
	return error;
}

void signal_info_from_self(struct signal_info *info, int signal, int code)
{
	*info = (struct signal_info){.number = signal, .code = code};
	info->sent.pid = current_pid();
	info->sent.uid = current_credentials()->uid;
}

void signal_current(int signal)
{
	struct thread *self = current_thread();
	struct signal_info info = {.number = signal, .code = SI_USER};

	info.sent.pid = self->process->id;
	spin_lock(&process_lock);
	info.sent.uid = self->credentials->uid;
	if (signal_send_info(self->process, self, &info))
		log_debug("%s: %s is lost", self->name, signal_name(signal));
	spin_unlock(&process_lock);
}
