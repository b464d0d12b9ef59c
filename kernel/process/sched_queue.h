/* SPDX-License-Identifier: MIT */
/*
 * A CPU's run queue with both its classes: real-time threads (sched_rt.h) before fair ones
 * (sched_fair.h). For the scheduler's own files. All of it wants the queue's lock, and changes neither
 * who runs nor the machine's timer.
 */
#ifndef PROCESS_SCHED_QUEUE_H
#define PROCESS_SCHED_QUEUE_H

#include <linux/sched.h>

#include "process/cpu.h"
#include "process/process.h"

/* How long one of several SCHED_RR threads of a priority runs: kernel.sched_rr_timeslice_ms. */
#define RR_SLICE ((ns_t)__atomic_load_n(&sched_rr_ms, __ATOMIC_RELAXED) * (NS_PER_SECOND / 1000))

void queue_init(struct run_queue *queue, uint32_t slice);
/* Locks the queue of the CPU that a thread belongs to, which may change until it is locked. */
static inline struct cpu *queue_lock_of(struct thread *thread) no_lock_checks
{
	for (;;) {
		struct cpu *cpu = __atomic_load_n(&thread->sched.cpu, __ATOMIC_ACQUIRE);

		spin_lock(&cpu->queue.lock);
		if (likely(cpu == thread->sched.cpu))
			return cpu;
		spin_unlock(&cpu->queue.lock);
	}
}

/* The same where interrupts are off already, and stay so. */
static inline struct cpu *queue_lock_of_off(struct thread *thread) no_lock_checks
{
	for (;;) {
		struct cpu *cpu = __atomic_load_n(&thread->sched.cpu, __ATOMIC_ACQUIRE);

		spin_lock_off(&cpu->queue.lock);
		if (likely(cpu == thread->sched.cpu))
			return cpu;
		spin_unlock(&cpu->queue.lock);
	}
}

/* One that does not hurry when it is woken. */
static inline bool queue_patient(const struct thread *thread)
{
	return thread->sched.policy == SCHED_BATCH || thread->sched.policy == SCHED_IDLE;
}

/* A runnable thread of this CPU comes to wait. */
void queue_add(struct cpu *cpu, struct thread *thread, enum fair_arrival arrival) requires(
	cpu->queue.lock);
/* The same at the front of the list of its priority, for a real-time thread. */
void queue_add_front(struct cpu *cpu, struct thread *thread) requires(cpu->queue.lock);
/* One that waits goes. */
void queue_remove(struct cpu *cpu, struct thread *thread) requires(cpu->queue.lock);
/* The running thread competes no more: it sleeps, ends or moves. */
static inline void queue_stop(struct cpu *cpu, struct thread *self) requires(cpu->queue.lock)
{
	if (likely(cpu->queue.fair.running == &self->sched.fair))
		fair_stop(&cpu->queue.fair, &self->sched.fair);
}

/* Real-time threads have had their share, and there are fair ones that want the CPU. */
static inline bool queue_holds_rt(const struct cpu *cpu) requires(cpu->queue.lock)
{
	return cpu->queue.rt_held && (cpu->queue.fair.count || cpu->queue.fair.running);
}

/* The same, with a look at whether their next share has come since the last tick. */
bool queue_still_holds_rt(const struct cpu *cpu, ns_t now) requires(cpu->queue.lock);
/* At a tick, where a real-time thread runs or they are held back. True: that changed. */
bool queue_rt_tick(struct cpu *cpu, ns_t now) requires(cpu->queue.lock);
/* What one has used. */
COLD void queue_account_rt(struct cpu *cpu, ns_t ran) requires(cpu->queue.lock);
/* queue_next, where real-time threads compete. NULL: a fair one is to run. */
struct thread *queue_next_rt(struct cpu *cpu, struct thread *self, bool stays, bool yields,
	ns_t now) requires(cpu->queue.lock);

enum queue_effect { QUEUE_NOTHING, QUEUE_SLICE, QUEUE_PREEMPT };

/* sched_balance.c. */

/* CPUs that are idle and for which nobody has anything to do. */
extern uint64_t cpus_idle;

/* Where a thread that is to run should. Its CPU's queue is locked. */
struct cpu *balance_choose(struct thread *thread, enum fair_arrival arrival);
/* This CPU is about to be idle: sets its bit in cpus_idle. Before it looks at the others. */
void balance_set_idle(struct cpu *cpu);
/* Clears a CPU's bit in cpus_idle: it has something to do now, or is to look for it. False: it was clear. */
bool balance_claim(struct cpu *cpu);
/* This CPU is about to be idle, or to run something of a priority of `above` at most: brings a thread
 * that waits elsewhere. Interrupts off, no locks. */
void balance_before_idle(struct cpu *cpu);
void balance_rt(struct cpu *cpu, unsigned above);
/* Now and then on a busy CPU: brings some threads from a CPU with more work. True: some came. */
bool balance_load(struct cpu *cpu);

/* Where there are several CPUs, with the lock of the queue on which the thread waits; other CPUs that
 * may run it at once are told. */

/* The thread waits here, or what it may run on is new. */
void balance_waits(struct cpu *cpu, struct thread *thread) requires(cpu->queue.lock);
/* It came to wait; an idle CPU will run it. */
void balance_came(struct cpu *cpu, struct thread *thread) requires(cpu->queue.lock);
/* This CPU has switched; `self`, which ran before, may wait now. */
void balance_switched(struct cpu *cpu, struct thread *self) requires(cpu->queue.lock);

/* ---- What idle CPUs have found: run_queue.fruitless ---- */

static inline void queue_not_fruitless(struct cpu *cpu, const struct thread *thread) requires(
	cpu->queue.lock)
{
	cpu->queue.fruitless &= ~thread->sched.affinity;
}

static inline void queue_fruitless(struct cpu *cpu, const struct cpu *looked) requires(
	cpu->queue.lock)
{
	cpu->queue.fruitless |= looked->bit;
}

/* Threads of SCHED_FIFO and SCHED_RR that wait on any CPU. */
extern unsigned sched_rt_waiting;

/* sched_time.c: a tick found the running thread in that mode. Locked. */
void sched_time_seen(struct cpu *cpu, struct thread *thread, bool user) requires(cpu->queue.lock);
/* sched_load.c: when the load is to be looked at next, and that look. */
extern ns_t sched_load_next;
void sched_load_update(ns_t now);

/* sched.c */

/* Puts a runnable thread, which runs nowhere and waits nowhere, on the queue of a CPU that it may run
 * on. The lock of its CPU's queue is held, and released here. */
void sched_place(struct thread *thread, struct cpu *cpu, enum fair_arrival arrival);
/* A thread came to wait on this CPU, or the running one's parameters changed. */
void sched_came(struct cpu *cpu, struct thread *thread) requires(cpu->queue.lock);
/* Who runs on a CPU from now on, or what it is now. */
void sched_set_running(struct cpu *cpu, struct thread *thread) requires(cpu->queue.lock);
/* Makes the running thread of a CPU give way. */
void sched_preempt(struct cpu *cpu) requires(cpu->queue.lock);

/* ---- At each switch ---- */

/* Counts what the running thread has used until now. */
static inline void queue_account(struct cpu *cpu, ns_t now) requires(cpu->queue.lock)
{
	struct sched_entity *entity = &cpu->running->sched;
	ns_t ran = now - entity->run_since;

	/* Another CPU's clock may be a little behind. */
	if (unlikely(now < entity->run_since))
		return;
	entity->run_since = now;
	entity->run_total += ran;
	if (likely(cpu->queue.fair.running))
		fair_account(&cpu->queue.fair, ran);
	else
		queue_account_rt(cpu, ran);
}

/* ---- What an arrival changes ---- */

/* What has been used until now is counted. */
static inline enum queue_effect queue_fair_came(
	struct cpu *cpu, struct thread *thread, ns_t now) requires(cpu->queue.lock)
{
	struct fair_queue *fair = &cpu->queue.fair;
	struct sched_entity *running = &cpu->running->sched;
	enum queue_effect slice = QUEUE_NOTHING;
	ns_t protect;

	if (unlikely(running->policy == SCHED_IDLE && thread->sched.policy != SCHED_IDLE))
		return QUEUE_PREEMPT;
	if (fair->count == 1) {
		running->slice_end = now + fair_left(fair);
		slice = QUEUE_SLICE;
	}
	if (queue_patient(thread) || !fair_preempts(fair, &thread->sched.fair))
		return slice;
	protect = running->got_cpu + fair->slice / FAIR_PROTECT;
	if (now >= protect)
		return QUEUE_PREEMPT;
	if (protect >= running->slice_end)
		return slice;
	running->slice_end = protect;
	return QUEUE_SLICE;
}

/* What a thread that came to wait means for the running one, of which has been counted what it used until now:
 * nothing; its slice now has an (earlier) end; it should give way at once. */
static inline enum queue_effect queue_came(
	struct cpu *cpu, struct thread *thread, ns_t now) requires(cpu->queue.lock)
{
	const struct sched_entity *running = &cpu->running->sched;

	if (cpu->running == cpu->idle)
		return QUEUE_PREEMPT;
	if (unlikely(sched_is_rt(&thread->sched))) {
		if (unlikely(cpu->queue.rt_held) && !sched_is_bound(&thread->sched) &&
			queue_still_holds_rt(cpu, now))
			return QUEUE_NOTHING;
		if (thread->sched.rt_priority > running->rt_priority)
			return QUEUE_PREEMPT;
		return thread->sched.rt_priority == running->rt_priority ? QUEUE_SLICE
									 : QUEUE_NOTHING;
	}
	if (unlikely(sched_is_rt(running)))
		return cpu->queue.rt_held ? QUEUE_PREEMPT : QUEUE_NOTHING;
	return queue_fair_came(cpu, thread, now);
}

static inline struct thread *queue_thread(struct fair_entity *entity)
{
	return container_of(entity, struct thread, sched.fair);
}

/* Takes the thread that runs next; NULL: none. stays: the running one, `self`, competes. Sets the end
 * of its slice. */
static inline struct thread *queue_next(struct cpu *cpu, struct thread *self, bool stays,
	bool yields, ns_t now) requires(cpu->queue.lock)
{
	struct fair_queue *fair = &cpu->queue.fair;
	struct fair_entity *before = fair->running, *next;
	struct thread *thread;

	if (unlikely(cpu->queue.rt.count || (stays && sched_is_rt(&self->sched)))) {
		thread = queue_next_rt(cpu, self, stays, yields, now);
		if (thread)
			return thread;
	}
	next = fair_next(fair, yields);
	if (!next)
		return NULL;
	thread = queue_thread(next);
	if (next != before) {
		thread->sched.queued = false;
		if (before)
			self->sched.queued = true;
	}
	thread->sched.slice_end = fair->count ? now + fair_left(fair) : NS_NEVER;
	return thread;
}

/* When others are to be looked at; NS_NEVER: no others compete with the running thread. */
static inline ns_t queue_slice_end(const struct cpu *cpu) requires(cpu->queue.lock)
{
	const struct sched_entity *running = &cpu->running->sched;
	bool others;

	if (likely(!sched_is_rt(running)))
		others = cpu->queue.fair.count;
	else
		others = rt_has(&cpu->queue.rt, running->rt_priority);
	return others ? running->slice_end : NS_NEVER;
}

#endif
