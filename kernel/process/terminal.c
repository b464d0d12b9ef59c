/* SPDX-License-Identifier: MIT */
/* What terminals ask of sessions and groups, by their numbers. */
#include "process/current.h"

#include "lib/errno.h"
#include "process/process.h"
#include "process/signal.h"

void signal_leader(int session, uint32_t signals)
{
	struct pid *pid;

	spin_lock(&process_lock);
	pid = pid_find(session);
	while (pid && pid->process && !pid->process->zombie && signals) {
		signal_send_kernel(pid->process, __builtin_ctz(signals));
		signals &= signals - 1;
	}
	spin_unlock(&process_lock);
}

int check_group_session(int group, int session)
{
	struct process *process;
	struct pid *pid;
	int error = -ESRCH;

	spin_lock(&process_lock);
	pid = pid_find(group);
	if (pid) {
		process = pid->thread ? pid->thread->process : pid->process;
		if (!list_empty(&pid->group))
			process = container_of(pid->group.next, struct process, group_link);
		error = process && process->session_id == session ? 0 : -EPERM;
	}
	spin_unlock(&process_lock);
	return error;
}
