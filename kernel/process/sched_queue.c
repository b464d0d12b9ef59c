/* SPDX-License-Identifier: MIT */
/* See sched_queue.h. */
#include "process/sched_queue.h"

#include "lib/log.h"

unsigned sched_rt_waiting;
int sched_rr_ms = 100;
int sched_rt_period_us = 1000000, sched_rt_runtime_us = 950000;

void queue_init(struct run_queue *queue, uint32_t slice)
{
	spin_init(&queue->lock, "cpu->queue.lock");
	rt_init(&queue->rt);
	fair_init(&queue->fair, slice);
}

static void rt_put(struct cpu *cpu, struct thread *thread, bool front) requires(cpu->queue.lock)
{
	rt_add(&cpu->queue.rt, &thread->sched.run, thread->sched.rt_priority, front);
	__atomic_add_fetch(&sched_rt_waiting, 1, __ATOMIC_RELAXED);
}

static void rt_take(struct cpu *cpu, struct thread *thread) requires(cpu->queue.lock)
{
	rt_remove(&cpu->queue.rt, &thread->sched.run, thread->sched.rt_priority);
	__atomic_sub_fetch(&sched_rt_waiting, 1, __ATOMIC_RELAXED);
}

void queue_add(struct cpu *cpu, struct thread *thread, enum fair_arrival arrival)
{
	assert(!thread->sched.queued && thread->sched.cpu == cpu);
	thread->sched.queued = true;
	queue_not_fruitless(cpu, thread);
	if (unlikely(sched_is_rt(&thread->sched)))
		rt_put(cpu, thread, false);
	else
		fair_join(&cpu->queue.fair, &thread->sched.fair, arrival, queue_patient(thread));
}

void queue_add_front(struct cpu *cpu, struct thread *thread)
{
	assert(!thread->sched.queued && thread->sched.cpu == cpu);
	thread->sched.queued = true;
	queue_not_fruitless(cpu, thread);
	rt_put(cpu, thread, true);
}

void queue_remove(struct cpu *cpu, struct thread *thread)
{
	assert(thread->sched.queued);
	thread->sched.queued = false;
	if (unlikely(sched_is_rt(&thread->sched)))
		rt_take(cpu, thread);
	else
		fair_leave(&cpu->queue.fair, &thread->sched.fair);
}

/* ---- Who is next ---- */

static ns_t microseconds(const int *setting)
{
	return (ns_t)__atomic_load_n(setting, __ATOMIC_RELAXED) * (NS_PER_SECOND / 1000000);
}

/* Whether what they have used still counts, and they are programs'. */
static COLD bool holds_now(const struct cpu *cpu, ns_t now) requires(cpu->queue.lock)
{
	return queue_holds_rt(cpu) && rt_highest(&cpu->queue.rt) != RT_KERNEL &&
	       now - cpu->queue.rt_since < microseconds(&sched_rt_period_us);
}

bool queue_still_holds_rt(const struct cpu *cpu, ns_t now)
{
	return unlikely(cpu->queue.rt_held) && holds_now(cpu, now);
}

bool queue_rt_tick(struct cpu *cpu, ns_t now)
{
	struct run_queue *queue = &cpu->queue;
	bool held = queue->rt_held;

	if (now - queue->rt_since >= microseconds(&sched_rt_period_us)) {
		queue->rt_since = now;
		queue->rt_used = 0;
	}
	queue->rt_held = __atomic_load_n(&sched_rt_runtime_us, __ATOMIC_RELAXED) >= 0 &&
			 queue->rt_used >= microseconds(&sched_rt_runtime_us);
	return queue->rt_held != held;
}

void queue_account_rt(struct cpu *cpu, ns_t ran)
{
	if (sched_is_rt(&cpu->running->sched))
		cpu->queue.rt_used += ran;
}

/* A real-time thread gives way: to the front of its list, when it was preempted; to the back, when
 * its turn is over. */
static void rt_put_back(struct cpu *cpu, struct thread *self, bool yields, ns_t now) requires(
	cpu->queue.lock)
{
	bool over = yields;

	if (self->sched.policy == SCHED_RR) {
		if (now >= self->sched.slice_end)
			over = true;
		self->sched.slice_left = over ? RR_SLICE : self->sched.slice_end - now;
	}
	self->sched.queued = true;
	rt_put(cpu, self, !over);
}

static struct thread *rt_next(struct cpu *cpu, ns_t now) requires(cpu->queue.lock)
{
	unsigned priority = rt_highest(&cpu->queue.rt);
	struct thread *next;

	if (cpu->queue.fair.running) { /* a fair thread is preempted */
		queue_thread(cpu->queue.fair.running)->sched.queued = true;
		fair_run(&cpu->queue.fair, NULL);
	}
	next = list_first(&cpu->queue.rt.lists[priority], struct thread, sched.run);
	rt_take(cpu, next);
	next->sched.queued = false;
	next->sched.slice_end =
		next->sched.policy == SCHED_RR ? now + next->sched.slice_left : NS_NEVER;
	return next;
}

struct thread *queue_next_rt(
	struct cpu *cpu, struct thread *self, bool stays, bool yields, ns_t now)
{
	if (stays && sched_is_rt(&self->sched))
		rt_put_back(cpu, self, yields, now);
	return queue_still_holds_rt(cpu, now) ? NULL : rt_next(cpu, now);
}
