/* SPDX-License-Identifier: MIT */
/*
 * CPU time of threads.
 *
 * What a thread uses in all is exact: it is counted at each switch. How much of it was user mode and
 * how much the kernel is learnt by looking: each timer interrupt counts the time since the last one to
 * the mode that it interrupted, and what was not seen yet is divided as the rest was, all of it to
 * user mode when nothing was seen (to the kernel for its own threads). Reading a clock at each system
 * call would make the calls dearer by a fifth. What was told once never shrinks, neither part.
 */
#include "process/sched.h"
#include "process/sched_queue.h"

void sched_time_seen(struct cpu *cpu, struct thread *thread, bool user)
{
	struct sched_entity *entity = &thread->sched;
	ns_t unseen = entity->run_total - entity->seen_user - entity->seen_system;

	if (user) {
		entity->seen_user += unseen;
		*(entity->nice > 0 ? &cpu->seen.nice : &cpu->seen.user) += unseen;
	} else {
		entity->seen_system += unseen;
		cpu->seen.system += unseen;
	}
}

/* What part / (part + rest) of `total` is, to a millionth. */
static ns_t share(ns_t total, ns_t part, ns_t rest)
{
	ns_t whole = part + rest;

	while (whole >> 20) {
		part >>= 1;
		whole >>= 1;
	}
	return total * part / whole;
}

static ns_t system_time(const struct thread *thread, ns_t total)
{
	const struct sched_entity *entity = &thread->sched;
	ns_t seen = entity->seen_user + entity->seen_system;

	if (!thread->process || thread->process->kernel)
		return total;
	if (!entity->seen_system)
		return 0;
	if (!entity->seen_user)
		return total;
	return entity->seen_system + share(total - seen, entity->seen_system, entity->seen_user);
}

ns_t thread_cpu_time(struct thread *thread) no_lock_checks
{
	struct cpu *cpu = queue_lock_of(thread);
	ns_t total;

	if (thread == cpu->running)
		queue_account(cpu, arch_clock());
	total = thread->sched.run_total;
	spin_unlock(&cpu->queue.lock);
	return total;
}

ns_t thread_rt_time(struct thread *thread) no_lock_checks
{
	struct cpu *cpu = queue_lock_of(thread);
	ns_t time = 0;

	if (thread == cpu->running)
		queue_account(cpu, arch_clock());
	if (sched_is_rt(&thread->sched))
		time = thread->sched.run_total - thread->sched.run_awake;
	spin_unlock(&cpu->queue.lock);
	return time;
}

static void tell(struct thread *thread, ns_t *user, ns_t *system)
{
	struct sched_entity *entity = &thread->sched;
	ns_t total = entity->run_total;

	*system = system_time(thread, total);
	if (*system < entity->told_system)
		*system = entity->told_system;
	*user = total - *system;
	if (*user < entity->told_user) {
		*user = entity->told_user;
		*system = total - *user;
	}
	entity->told_user = *user;
	entity->told_system = *system;
}

void sched_usage(struct thread *thread, struct usage *out) no_lock_checks
{
	struct cpu *cpu = queue_lock_of(thread);

	if (thread == cpu->running)
		queue_account(cpu, arch_clock());
	tell(thread, &out->user, &out->system);
	out->voluntary = thread->sched.voluntary;
	out->involuntary = thread->sched.involuntary;
	spin_unlock(&cpu->queue.lock);
}
