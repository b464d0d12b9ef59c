/* SPDX-License-Identifier: MIT */
/*
 * Scheduling: man 7 sched, man 2 sched_setscheduler, sched_setattr, sched_setaffinity, getcpu...
 * A call first looks at all it was given, then finds the thread and changes it under process_lock.
 * SCHED_DEADLINE is known by its limits alone: no thread may have it.
 */
#include <linux/capability.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sched/types.h>

#include "lib/errno.h"
#include "lib/string.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/process.h"
#include "process/sched.h"
#include "syscall/table.h"
#include "syscall/timespec.h"

#define POLICY_KEEP (-1) /* sched_setparam */

/* What a caller asks for. */
struct wish {
	int policy; /* or POLICY_KEEP */
	unsigned priority;
	int nice;
	bool keep_nice, keep_parameters, reset_on_fork;
};

long sys_sched_yield(void)
{
	sched_yield();
	return 0;
}

/* The thread `tid` (0: the caller); NULL: none. */
static struct thread *find(int tid) requires(process_lock)
{
	return tid ? thread_find(tid) : current_thread();
}

static bool is_rt(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool is_policy(int policy)
{
	return is_rt(policy) || policy == SCHED_NORMAL || policy == SCHED_BATCH ||
	       policy == SCHED_IDLE;
}

static bool same_owner(const struct thread *thread) requires(process_lock)
{
	const struct credentials *self = current_credentials(), *other = thread->credentials;

	return self->euid == other->euid || self->euid == other->uid;
}

/* Without CAP_SYS_NICE: to what RLIMIT_NICE allows. */
static bool nice_allowed(const struct thread *thread, int nice) requires(process_lock)
{
	return (uint64_t)(20 - nice) <= thread->process->limits[RLIMIT_NICE].soft;
}

/* May a caller without CAP_SYS_NICE make this change? (man 7 sched, "Privileges and resource limits") */
static bool unprivileged(const struct thread *thread, const struct sched_parameters *old,
	const struct sched_parameters *new) requires(process_lock)
{
	uint64_t most = thread->process->limits[RLIMIT_RTPRIO].soft;

	if (is_rt(new->policy)) {
		if (new->policy != old->policy && !most)
			return false;
		if (new->rt_priority > old->rt_priority &&new->rt_priority > most)
			return false;
	} else if (new->nice < old->nice && !nice_allowed(thread, new->nice)) {
		return false;
	}
	if (old->policy == SCHED_IDLE && new->policy != SCHED_IDLE &&
		!nice_allowed(thread, old->nice))
		return false;
	if (old->reset_on_fork && !new->reset_on_fork)
		return false;
	return same_owner(thread);
}

static int change(struct thread *thread, const struct wish *wish) requires(process_lock)
{
	struct sched_parameters old, new;

	sched_get_parameters(thread, &old);
	new = old;
	if (wish->policy != POLICY_KEEP) {
		if (!wish->keep_parameters)
			new.policy = (uint8_t)wish->policy;
		new.reset_on_fork = wish->reset_on_fork;
	}
	if (!is_policy(wish->policy == POLICY_KEEP ? old.policy : wish->policy))
		return -EINVAL;
	if (!wish->keep_parameters) {
		if (wish->priority > RT_MOST || is_rt(new.policy) != (wish->priority != 0))
			return -EINVAL;
		new.rt_priority = (uint8_t)wish->priority;
		if (!wish->keep_nice && !is_rt(new.policy))
			new.nice = (int8_t)wish->nice;
	} else if (wish->policy != POLICY_KEEP && is_rt(wish->policy) != (old.rt_priority != 0)) {
		return -EINVAL;
	}
	if (!unprivileged(thread, &old, &new) && !capable(CAP_SYS_NICE))
		return -EPERM;
	if (sched_is_bound(&thread->sched))
		return -EINVAL;
	sched_set_parameters(thread, &new);
	return 0;
}

static long set(int tid, const struct wish *wish)
{
	struct thread *thread;
	long result = -ESRCH;

	spin_lock(&process_lock);
	thread = find(tid);
	if (thread)
		result = change(thread, wish);
	spin_unlock(&process_lock);
	return result;
}

static long set_by_parameter(int tid, int policy, user_t parameter)
{
	struct sched_param param;
	struct wish wish = {.policy = policy, .keep_nice = true};

	if (!parameter.address || tid < 0)
		return -EINVAL;
	if (copy_from_user(&param, parameter, sizeof(param)))
		return -EFAULT;
	if (policy != POLICY_KEEP) {
		wish.reset_on_fork = policy & SCHED_RESET_ON_FORK;
		wish.policy = policy & ~SCHED_RESET_ON_FORK;
	}
	wish.priority = (unsigned)param.sched_priority;
	return set(tid, &wish);
}

long sys_sched_setscheduler(int tid, int policy, user_t parameter)
{
	return policy < 0 ? -EINVAL : set_by_parameter(tid, policy, parameter);
}

long sys_sched_setparam(int tid, user_t parameter)
{
	return set_by_parameter(tid, POLICY_KEEP, parameter);
}

/* The parameters of a thread: 0, -EINVAL or -ESRCH. */
static int get(int tid, struct sched_parameters *out)
{
	struct thread *thread;

	if (tid < 0)
		return -EINVAL;
	spin_lock(&process_lock);
	thread = find(tid);
	if (thread)
		sched_get_parameters(thread, out);
	spin_unlock(&process_lock);
	return thread ? 0 : -ESRCH;
}

long sys_sched_getscheduler(int tid)
{
	struct sched_parameters parameters;
	int error = get(tid, &parameters);

	if (error)
		return error;
	return parameters.policy | (parameters.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
}

long sys_sched_getparam(int tid, user_t out)
{
	struct sched_parameters parameters;
	struct sched_param param;
	int error;

	if (!out.address)
		return -EINVAL;
	error = get(tid, &parameters);
	if (error)
		return error;
	param.sched_priority = sched_shown_priority(&parameters);
	return copy_to_user(out, &param, sizeof(param));
}

long sys_sched_get_priority_max(int policy)
{
	if (policy == SCHED_DEADLINE)
		return 0;
	return is_rt(policy) ? RT_MOST : is_policy(policy) ? 0 : -EINVAL;
}

long sys_sched_get_priority_min(int policy)
{
	if (policy == SCHED_DEADLINE)
		return 0;
	return is_rt(policy) ? 1 : is_policy(policy) ? 0 : -EINVAL;
}

long sys_sched_rr_get_interval(int tid, user_t out)
{
	struct thread *thread;
	ns_t slice = 0;

	if (tid < 0)
		return -EINVAL;
	spin_lock(&process_lock);
	thread = find(tid);
	if (thread)
		slice = sched_slice_of(thread);
	spin_unlock(&process_lock);
	return thread ? put_timespec(out, slice) : -ESRCH;
}

/* ---- sched_setattr, sched_getattr ---- */

static long wrong_size(user_t attributes)
{
	uint32_t size = sizeof(struct sched_attr);

	return copy_to_user(attributes, &size, sizeof(size)) ? -EFAULT : -E2BIG;
}

/* A structure of a later version may say what this one does not know, if all of that is 0. */
static long copy_attributes(user_t in, struct sched_attr *out)
{
	uint32_t size;

	memset(out, 0, sizeof(*out));
	if (copy_from_user(&size, in, sizeof(size)))
		return -EFAULT;
	if (!size)
		size = SCHED_ATTR_SIZE_VER0;
	if (size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE)
		return wrong_size(in);
	for (uint32_t at = sizeof(*out); at < size; at++) {
		uint8_t byte;

		if (copy_from_user(&byte, user_offset(in, at), 1))
			return -EFAULT;
		if (byte)
			return wrong_size(in);
	}
	if (copy_from_user(out, in, size < sizeof(*out) ? size : sizeof(*out)))
		return -EFAULT;
	if (out->sched_flags & (SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX) &&
		size < SCHED_ATTR_SIZE_VER1)
		return -EINVAL;
	return 0;
}

long sys_sched_setattr(int tid, user_t attributes, unsigned flags)
{
	const uint64_t clamp = SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX;
	struct sched_attr attr;
	struct wish wish;
	long error;

	if (!attributes.address || tid < 0 || flags)
		return -EINVAL;
	error = copy_attributes(attributes, &attr);
	if (error)
		return error;
	if ((int)attr.sched_policy < 0 || attr.sched_flags & ~(uint64_t)SCHED_FLAG_ALL)
		return -EINVAL;
	if (attr.sched_flags & clamp)
		return -EOPNOTSUPP;
	wish = (struct wish){.policy = (int)attr.sched_policy,
		.priority = attr.sched_priority,
		.nice = attr.sched_nice < -20  ? -20
			: attr.sched_nice > 19 ? 19
					       : attr.sched_nice,
		.keep_parameters = attr.sched_flags & SCHED_FLAG_KEEP_PARAMS,
		.reset_on_fork = attr.sched_flags & SCHED_FLAG_RESET_ON_FORK};
	if (attr.sched_flags & SCHED_FLAG_KEEP_POLICY)
		wish.policy = POLICY_KEEP;
	return set(tid, &wish);
}

long sys_sched_getattr(int tid, user_t out, unsigned size, unsigned flags)
{
	struct sched_parameters parameters;
	struct sched_attr attr = {0};
	int error;

	if (!out.address || tid < 0 || size > PAGE_SIZE || size < SCHED_ATTR_SIZE_VER0 || flags)
		return -EINVAL;
	error = get(tid, &parameters);
	if (error)
		return error;
	attr.size = size < sizeof(attr) ? size : (uint32_t)sizeof(attr);
	attr.sched_policy = parameters.policy;
	attr.sched_flags = parameters.reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0;
	if (is_rt(parameters.policy))
		attr.sched_priority = sched_shown_priority(&parameters);
	else
		attr.sched_nice = parameters.nice;
	return copy_to_user(out, &attr, attr.size);
}

/* ---- CPUs ---- */

long sys_sched_setaffinity(int tid, unsigned size, user_t in)
{
	struct thread *thread;
	uint64_t mask = 0;
	long result = -ESRCH;

	/* Bits beyond those of all CPUs that there may be count for nothing. */
	if (copy_from_user(&mask, in, size < sizeof(mask) ? size : sizeof(mask)))
		return -EFAULT;
	spin_lock(&process_lock);
	thread = find(tid);
	if (thread && !same_owner(thread) && !capable(CAP_SYS_NICE))
		result = -EPERM;
	else if (thread)
		result =
			sched_is_bound(&thread->sched) ? -EINVAL : sched_set_affinity(thread, mask);
	spin_unlock(&process_lock);
	return result;
}

long sys_sched_getaffinity(int tid, unsigned size, user_t out)
{
	struct thread *thread;
	uint64_t mask = 0;

	if (size < DIV_ROUND_UP(cpu_count, 8) || size % sizeof(long))
		return -EINVAL;
	spin_lock(&process_lock);
	thread = find(tid);
	if (thread)
		mask = sched_affinity(thread);
	spin_unlock(&process_lock);
	if (!thread)
		return -ESRCH;
	return copy_to_user(out, &mask, sizeof(mask)) ? -EFAULT : (long)sizeof(mask);
}

long sys_getcpu(user_t cpu, user_t node, uintptr_t unused)
{
	uint32_t index = this_cpu()->index, zero = 0;

	(void)unused;
	if (cpu.address && copy_to_user(cpu, &index, sizeof(index)))
		return -EFAULT;
	if (node.address && copy_to_user(node, &zero, sizeof(zero)))
		return -EFAULT;
	return 0;
}

/* ---- getpriority, setpriority ---- */

/* What is done to each thread that a pair of `which` and `who` means. */
struct priority_visit {
	int nice;     /* to be set; or the lowest found */
	bool set;     /* else get */
	long error;   /* -ESRCH until there was one */
	uint32_t uid; /* PRIO_USER */
};

static int may_renice(struct thread *thread, int nice) requires(process_lock)
{
	const struct credentials *self = current_credentials(), *other = thread->credentials;
	struct sched_parameters old;

	if (other->uid != self->euid && other->euid != self->euid && !capable(CAP_SYS_NICE))
		return -EPERM;
	sched_get_parameters(thread, &old);
	if (nice < old.nice && !nice_allowed(thread, nice) && !capable(CAP_SYS_NICE))
		return -EACCES;
	return 0;
}

static void visit(struct thread *thread, struct priority_visit *visit) requires(process_lock)
{
	struct sched_parameters parameters;
	int error;

	if (visit->set) {
		error = may_renice(thread, visit->nice);
		if (error) {
			visit->error = error;
			return;
		}
		sched_set_nice(thread, visit->nice);
	} else {
		sched_get_parameters(thread, &parameters);
		if (visit->error == -ESRCH || parameters.nice < visit->nice)
			visit->nice = parameters.nice;
	}
	if (visit->error == -ESRCH)
		visit->error = 0;
}

static void visit_process(struct process *process, struct priority_visit *context) requires(
	process_lock)
{
	struct thread *thread;

	list_for_each(thread, &process->threads, siblings) visit(thread, context);
}

static void visit_user(struct process *process, void *context) requires(process_lock)
{
	struct priority_visit *user = context;
	struct thread *thread;

	list_for_each(thread, &process->threads, siblings)
	{
		if (thread->credentials->uid == user->uid)
			visit(thread, user);
	}
}

static long visit_all(int which, int who, struct priority_visit *context)
{
	struct process *process;
	struct thread *thread;
	struct pid *group;

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	context->error = -ESRCH;
	spin_lock(&process_lock);
	if (which == PRIO_PROCESS) {
		thread = find(who);
		if (thread)
			visit(thread, context);
	} else if (which == PRIO_PGRP) {
		group = who ? pid_find(who) : current_process()->group;
		if (group)
			list_for_each(process, &group->group, group_link)
				visit_process(process, context);
	} else {
		context->uid = who ? (uint32_t)who : current_credentials()->uid;
		process_for_each(visit_user, context);
	}
	spin_unlock(&process_lock);
	return context->error;
}

/* As the system call has it: 1..40, so that no result looks like an error. */
long sys_getpriority(int which, int who)
{
	struct priority_visit context = {.set = false};
	long error = visit_all(which, who, &context);

	return error ? error : 20 - context.nice;
}

long sys_setpriority(int which, int who, int nice)
{
	struct priority_visit context = {.set = true,
		.nice = nice < -20  ? -20
			: nice > 19 ? 19
				    : nice};

	return visit_all(which, who, &context);
}
