/* SPDX-License-Identifier: MIT */
/* man 2 getrlimit, setrlimit, prlimit. The rules stand in process/rlimit.c. */
#include <linux/capability.h>
#include <linux/resource.h>

#include "lib/errno.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/process.h"
#include "syscall/table.h"

_Static_assert(sizeof(struct limit) == sizeof(struct rlimit64), "struct limit is what users see");

static long change(
	struct process *process, unsigned which, const struct limit *new, struct limit *old)
{
	long error;

	spin_lock(&process_lock);
	error = limits_change(process, which, new, old);
	spin_unlock(&process_lock);
	return error;
}

long sys_getrlimit(unsigned which, user_t out)
{
	struct limit limit;
	long error = change(current_process(), which, NULL, &limit);

	return error ? error : copy_to_user(out, &limit, sizeof(limit));
}

long sys_setrlimit(unsigned which, user_t from)
{
	struct limit limit;

	if (copy_from_user(&limit, from, sizeof(limit)))
		return -EFAULT;
	return change(current_process(), which, &limit, NULL);
}

/* Whether the caller is as good as the process whose limits it asks for. */
static bool may_look(const struct process *process) requires(process_lock)
{
	const struct credentials *self = current_credentials(),
				 *other = process_credentials(process);

	if (process == current_process() || has_capability(self, CAP_SYS_RESOURCE))
		return true;
	return self->uid == other->uid && self->uid == other->euid && self->uid == other->suid &&
	       self->gid == other->gid && self->gid == other->egid && self->gid == other->sgid;
}

static long change_of(int pid, unsigned which, const struct limit *new, struct limit *old) requires(
	process_lock)
{
	struct thread *thread = pid ? thread_find(pid) : current_thread();
	struct process *process = thread ? thread->process : process_find(pid);

	if (!process)
		return -ESRCH;
	if (!may_look(process))
		return -EPERM;
	return limits_change(process, which, new, old);
}

long sys_prlimit64(int pid, unsigned which, user_t new, user_t old)
{
	struct limit before, after;
	long error;

	if (new.address && copy_from_user(&after, new, sizeof(after)))
		return -EFAULT;
	spin_lock(&process_lock);
	error = change_of(pid, which, new.address ? &after : NULL, &before);
	spin_unlock(&process_lock);
	if (!error && old.address)
		error = copy_to_user(old, &before, sizeof(before));
	return error;
}
