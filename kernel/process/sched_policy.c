/* SPDX-License-Identifier: MIT */
/*
 * What a thread is to the scheduler: policy, priority, nice value, affinity. Changing it takes the
 * thread out of its place in the queue and puts it into the new one; who may change what is checked
 * by the callers (kernel/syscall/sched.c).
 */
#include <linux/sched.h>

#include "lib/errno.h"
#include "process/sched.h"
#include "process/sched_queue.h"

static uint32_t weight_of(const struct sched_entity *entity)
{
	return entity->policy == SCHED_IDLE ? FAIR_WEIGHT_IDLE : fair_nice_weight(entity->nice);
}

/* sched(7): with SCHED_RESET_ON_FORK a child has no privileges of its parent's. */
static void inherit(struct sched_entity *child, const struct sched_entity *parent)
{
	child->policy = parent->policy;
	child->rt_priority = parent->rt_priority;
	child->nice = parent->nice;
	if (!parent->reset_on_fork)
		return;
	if (sched_is_rt(parent)) {
		child->policy = SCHED_NORMAL;
		child->rt_priority = 0;
	}
	if (child->nice < 0 || sched_is_rt(parent))
		child->nice = 0;
}

void sched_thread_init(struct thread *thread, const struct thread *parent)
{
	struct sched_entity *entity = &thread->sched;

	*entity = (struct sched_entity){.state = THREAD_SLEEPING,
		.fresh = true,
		.cpu = this_cpu(),
		.affinity = UINT64_MAX,
		.slice_left = RR_SLICE};
	list_init(&entity->run);
	if (parent && parent->process) {
		inherit(entity, &parent->sched);
		entity->affinity = parent->sched.affinity;
		entity->held = true;
	}
	entity->fair.weight = weight_of(entity);
}

static bool is_running(const struct cpu *cpu, const struct thread *thread)
{
	return cpu->running == thread;
}

/* Without a change it keeps its place (sched(7)). */
static bool is_same(const struct sched_entity *entity, const struct sched_parameters *parameters)
{
	return entity->policy == parameters->policy &&
	       entity->rt_priority == parameters->rt_priority && entity->nice == parameters->nice;
}

static void apply(struct sched_entity *entity, const struct sched_parameters *parameters)
{
	if (!sched_is_rt(entity))
		entity->run_awake = entity->run_total;
	entity->policy = parameters->policy;
	entity->rt_priority = parameters->rt_priority;
	entity->nice = parameters->nice;
	entity->reset_on_fork = parameters->reset_on_fork;
	entity->slice_left = RR_SLICE;
	fair_reweight(&entity->fair, weight_of(entity));
}

/* The running thread takes its new place without giving up the CPU; then others are looked at. */
static void apply_running(struct cpu *cpu, struct thread *thread,
	const struct sched_parameters *parameters) requires(cpu->queue.lock)
{
	ns_t now = arch_clock();

	queue_account(cpu, now);
	queue_stop(cpu, thread);
	apply(&thread->sched, parameters);
	if (sched_is_rt(&thread->sched)) {
		thread->sched.slice_end =
			thread->sched.policy == SCHED_RR ? now + RR_SLICE : NS_NEVER;
	} else {
		fair_join(&cpu->queue.fair, &thread->sched.fair, FAIR_MOVED, false);
		fair_run(&cpu->queue.fair, &thread->sched.fair);
		thread->sched.slice_end = now + fair_left(&cpu->queue.fair);
	}
	sched_set_running(cpu, thread);
	sched_preempt(cpu);
}

void sched_set_parameters(
	struct thread *thread, const struct sched_parameters *parameters) no_lock_checks
{
	struct cpu *cpu = queue_lock_of(thread);
	/* A lowered one goes to the front of its new list; a running one always does. */
	bool front = parameters->rt_priority && parameters->rt_priority < thread->sched.rt_priority;

	if (is_same(&thread->sched, parameters)) {
		thread->sched.reset_on_fork = parameters->reset_on_fork;
	} else if (is_running(cpu, thread)) {
		apply_running(cpu, thread, parameters);
	} else if (thread->sched.queued) {
		queue_remove(cpu, thread);
		apply(&thread->sched, parameters);
		if (front)
			queue_add_front(cpu, thread);
		else
			queue_add(cpu, thread, FAIR_MOVED);
		if (cpu_count > 1)
			balance_waits(cpu, thread);
		sched_came(cpu, thread);
	} else {
		apply(&thread->sched, parameters);
	}
	spin_unlock(&cpu->queue.lock);
}

void sched_get_parameters(struct thread *thread, struct sched_parameters *out) no_lock_checks
{
	struct cpu *cpu = queue_lock_of(thread);

	*out = (struct sched_parameters){.policy = thread->sched.policy,
		.rt_priority = thread->sched.rt_priority,
		.nice = thread->sched.nice,
		.reset_on_fork = thread->sched.reset_on_fork};
	spin_unlock(&cpu->queue.lock);
}

void sched_set_nice(struct thread *thread, int nice)
{
	struct sched_parameters parameters;

	sched_get_parameters(thread, &parameters);
	parameters.nice = (int8_t)nice;
	sched_set_parameters(thread, &parameters);
}

ns_t sched_slice_of(struct thread *thread) no_lock_checks
{
	struct cpu *cpu = queue_lock_of(thread);
	ns_t slice = cpu->queue.fair.slice;

	if (thread->sched.policy == SCHED_RR)
		slice = RR_SLICE;
	else if (sched_is_rt(&thread->sched))
		slice = 0;
	spin_unlock(&cpu->queue.lock);
	return slice;
}

/* ---- Affinity ---- */

int sched_set_affinity(struct thread *thread, uint64_t mask) no_lock_checks
{
	struct cpu *cpu;

	if (!(mask & __atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE)))
		return -EINVAL;
	cpu = queue_lock_of(thread);
	thread->sched.affinity = mask;
	if (mask & cpu_bit(cpu)) {
		if (thread->sched.queued && cpu_count > 1)
			balance_waits(cpu, thread);
		spin_unlock(&cpu->queue.lock);
	} else if (thread->sched.queued) {
		queue_remove(cpu, thread);
		sched_place(thread, cpu, FAIR_MOVED);
	} else {
		if (is_running(cpu, thread))
			sched_preempt(cpu); /* it moves at its next switch: before user mode */
		spin_unlock(&cpu->queue.lock);
	}
	return 0;
}

uint64_t sched_affinity(const struct thread *thread)
{
	return __atomic_load_n(&thread->sched.affinity, __ATOMIC_RELAXED) &
	       __atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE);
}
