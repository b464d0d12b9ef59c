/* SPDX-License-Identifier: MIT */
/* The tree of processes: finding, groups and sessions, and what other rooms ask. See process.h. */
#include "process/process.h"

#include <asm/signal.h>

#include "files/file.h"
#include "lib/errno.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "process/core.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/sched.h"

struct spinlock process_lock;

void process_get(struct process *process)
{
	__atomic_add_fetch(&process->references, 1, __ATOMIC_RELAXED);
}

struct process *process_find(int id)
{
	struct pid *pid = pid_find(id);

	return pid ? pid->process : NULL;
}

struct thread *thread_find(int tid)
{
	struct pid *pid = pid_find(tid);

	return pid ? pid->thread : NULL;
}

void process_for_each(void (*visit)(struct process *process, void *context), void *context)
{
	int number = 1;

	for (struct pid *pid; (pid = pid_next(&number)); number++)
		if (pid->process)
			visit(pid->process, context);
}

/* ---- Groups and sessions ---- */

void process_set_group(struct process *process, struct pid *group)
{
	struct pid *before = process->group;

	list_remove(&process->group_link);
	list_push_back(&group->group, &process->group_link);
	process->group = group;
	__atomic_store_n(&process->group_id, group->number, __ATOMIC_RELAXED);
	if (before)
		pid_release(before);
}

void process_set_session(struct process *process, struct pid *session)
{
	struct pid *before = process->session;

	list_remove(&process->session_link);
	list_push_back(&session->session, &process->session_link);
	process->session = session;
	__atomic_store_n(&process->session_id, session->number, __ATOMIC_RELAXED);
	if (before)
		pid_release(before);
}

/* ---- What was used ---- */

void usage_add(struct usage *sum, const struct usage *more)
{
	sum->user += more->user;
	sum->system += more->system;
	sum->minor_faults += more->minor_faults;
	sum->major_faults += more->major_faults;
	sum->voluntary += more->voluntary;
	sum->involuntary += more->involuntary;
	sum->blocks_in += more->blocks_in;
	sum->blocks_out += more->blocks_out;
	for (unsigned way = 0; way < 2; way++) {
		sum->calls[way] += more->calls[way];
		sum->moved[way] += more->moved[way];
	}
	if (more->resident_peak > sum->resident_peak)
		sum->resident_peak = more->resident_peak;
}

void usage_saw_space(struct usage *usage, const struct space *space)
{
	uint64_t peak = space_resident_peak(space);

	if (peak > usage->resident_peak)
		usage->resident_peak = peak;
}

void thread_usage(struct thread *thread, struct usage *out)
{
	*out = thread->usage;
	sched_usage(thread, out);
}

ns_t process_cpu_time(struct process *process)
{
	ns_t total = process->usage.user + process->usage.system;
	struct thread *thread;

	list_for_each(thread, &process->threads, siblings) total += thread_cpu_time(thread);
	return total;
}

/* ---- What other rooms ask (current.h) ---- */

int current_files_unshare(void)
{
	struct thread *self = current_thread();
	struct files *old = self->files, *files;

	if (!files_shared(old))
		return 0;
	files = files_copy(old);
	if (!files)
		return -ENOMEM;
	spin_lock(&process_lock); /* for who looks at other threads' */
	self->files = files;
	spin_unlock(&process_lock);
	files_put(old);
	return 0;
}

static void replace_paths(struct process *process, void *context)
{
	const struct path **both = context;
	struct thread *thread;

	list_for_each(thread, &process->threads, siblings)
	{
		if (thread->fs)
			fs_replace(thread->fs, both[0], both[1]);
	}
}

void all_fs_replace(const struct path *from, const struct path *to)
{
	const struct path *both[] = {from, to};

	spin_lock(&process_lock);
	process_for_each(replace_paths, both);
	spin_unlock(&process_lock);
}

const struct credentials *current_credentials(void)
{
	const struct credentials *own = current_thread()->credentials;

	return own ? own : credentials_of_root();
}

void credentials_set(struct credentials *credentials)
{
	struct thread *self = current_thread();
	const struct credentials *old = self->credentials;

	__atomic_add_fetch(&credentials->user->threads, 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&old->user->threads, 1, __ATOMIC_RELAXED);
	spin_lock(&process_lock); /* for who looks at other threads' */
	self->credentials = credentials;
	if (credentials_guarded(old, credentials)) {
		self->process->dumpable = suid_dumpable();
		self->parent_death_signal = 0;
	}
	spin_unlock(&process_lock);
	credentials_put(old);
}

const struct credentials *credentials_override(const struct credentials *other)
{
	struct thread *self = current_thread();
	const struct credentials *before = self->credentials;

	spin_lock(&process_lock); /* for who looks at other threads' */
	self->credentials = other;
	spin_unlock(&process_lock);
	return before;
}

const struct credentials *process_credentials(const struct process *process)
{
	return process->leader ? process->leader->credentials : process->credentials;
}

int may_signal(struct process *process, int signal)
{
	struct process *self = current_process();

	if (process == self || (signal == SIGCONT && process->session == self->session) ||
		credentials_may_signal(current_credentials(), process_credentials(process)))
		return 0;
	return -EPERM;
}

bool capable(unsigned capability)
{
	return has_capability(current_credentials(), capability);
}

int current_pid(void)
{
	return current_process()->id;
}

int current_group(void)
{
	return __atomic_load_n(&current_process()->group_id, __ATOMIC_RELAXED);
}

int current_session(void)
{
	return __atomic_load_n(&current_process()->session_id, __ATOMIC_RELAXED);
}

struct space *thread_space(struct thread *thread)
{
	return thread->process ? thread->process->space : NULL;
}

struct space *current_space(void)
{
	return thread_space(current_thread());
}
