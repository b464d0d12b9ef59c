/* SPDX-License-Identifier: MIT */
/*
 * Who may look into a process. The rules are Linux's __ptrace_may_access: a process may look at itself;
 * another one at processes that have all the same ids and no capability more, and that did not become
 * undumpable (set-id programs, prctl); CAP_SYS_PTRACE may look at all. Pure but for the caller's ids.
 */
#include "process/inspect.h"

#include <linux/capability.h>

#include "lib/errno.h"
#include "process/credentials.h"
#include "process/process.h"

static bool same_ids(const struct credentials *other, uint32_t uid, uint32_t gid)
{
	return uid == other->euid && uid == other->suid && uid == other->uid &&
	       gid == other->egid && gid == other->sgid && gid == other->gid;
}

int process_may_inspect(
	const struct process *process, const struct thread *thread, enum inspect_as as)
{
	const struct credentials *self = current_credentials();
	const struct credentials *other =
		thread ? thread->credentials : process_credentials(process);
	uint64_t mine = as == INSPECT_FILE_IDS ? self->effective : self->permitted;
	uint32_t uid = as == INSPECT_FILE_IDS ? self->fsuid : self->uid;
	uint32_t gid = as == INSPECT_FILE_IDS ? self->fsgid : self->gid;

	if (process == current_process() || has_capability(self, CAP_SYS_PTRACE))
		return 0;
	if (!same_ids(other, uid, gid) || other->permitted & ~mine)
		return -EPERM;
	return process->space && process->dumpable != 1 ? -EPERM : 0;
}
