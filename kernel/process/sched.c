/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: switches, wake-ups, ticks. docs/scheduling.md tells the whole.
 *
 * Each CPU has a run queue (sched_queue.c) with its real-time threads, which go first, and its fair
 * ones (sched_fair.c). A runnable thread is running, on one CPU's queue, or on its way from one CPU to
 * another (`moving`); a sleeping one is on none. A wake-up chooses the CPU (sched_balance.c).
 *
 * A switch: schedule() takes the queue's lock, picks, calls arch_switch, and the thread switched to
 * drops the lock in switch_finish (a new thread in its first instructions): who has a queue's lock
 * knows that the queue's threads, but the running one, are wholly off the CPU. Going to sleep is two
 * steps, so that no wake-up is lost: the thread marks itself asleep (wait_prepare) while it is still
 * running, looks at its condition, and gives the CPU away; a wake-up in between makes it runnable
 * again, and schedule() then does not take it off.
 *
 * The machine's timer is set for what comes first: a timer; the end of the running thread's slice,
 * while others wait; the next tick, hz times a second, at which CPU time is told apart and work moves
 * between CPUs. An idle CPU has no tick. Another CPU's timer is not touched: it is kicked, and sets it.
 *
 * Locks: a queue's lock comes after process_lock and every wait queue's lock. Two queues' locks: the
 * one of the lower CPU first, in sched_balance.c alone. Interrupts are off under them.
 */
#include "process/sched.h"

#include "audit.h"
#include "firmware/bars.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "memory/fail.h"
#include "process/current.h"
#include "process/sched_queue.h"

#define BALANCE_TICKS 4

static struct thread boot_thread = {.name = "idle"};
static ns_t tick = NS_PER_SECOND / 100;
static unsigned rate = 100;

unsigned sched_hz(void)
{
	return rate;
}

/* Three tenths of a tick: 3 ms at 100 Hz. */
uint32_t sched_slice(void)
{
	return (uint32_t)(tick * 3 / 10);
}

void sched_init(unsigned hz, ns_t lock_limit)
{
	rate = hz;
	tick = NS_PER_SECOND / hz;
	boot_cpu.queue.fair.slice = sched_slice();
	lock_check_start(lock_limit);
}

void sched_idle_init(struct cpu *cpu, struct thread *idle)
{
	queue_init(&cpu->queue, sched_slice());
	spin_init(&cpu->timer_lock, "cpu->timer_lock");
	tree_init(&cpu->timers);
	cpu->timer_armed = NS_NEVER;
	list_init(&idle->sched.run);
	list_init(&idle->siblings);
	idle->sched.cpu = cpu;
	idle->sched.affinity = cpu->bit = cpu_bit(cpu);
	cpu->idle = cpu->running = idle;
}

struct thread *sched_boot_thread(void)
{
	sched_idle_init(&boot_cpu, &boot_thread);
	return &boot_thread;
}

/* ---- The machine's timer ---- */

static void arm_slow(struct cpu *cpu, ns_t next) requires(cpu->queue.lock)
{
	ns_t first = timers_next();

	if (first < next)
		next = first;
	if (next == cpu->timer_armed || (next > cpu->timer_armed && cpu->running != cpu->idle))
		return;
	cpu->timer_armed = next;
	arch_timer_arm(next);
}

/* Sets this CPU's timer to what comes first. One that is set for earlier is left: when it fires and
 * nothing is due, it is set anew. That is cheaper than to move it at each switch. An idle CPU's is set
 * exactly, so that nothing disturbs it in vain. */
static void arm(struct cpu *cpu) requires(cpu->queue.lock)
{
	ns_t next = NS_NEVER;

	if (likely(cpu->running != cpu->idle)) {
		/* Should the kernel take its time to obey, it is not told again. */
		if (!(cpu->running->work & WORK_RESCHEDULE))
			next = queue_slice_end(cpu);
		if (cpu->tick_next < next)
			next = cpu->tick_next;
	}
	arm_slow(cpu, next);
}

/* After a switch no timer is new (timer_arm calls sched_rearm), nor is the tick of a CPU that was busy
 * before: only the slice is. */
static inline void arm_switched(struct cpu *cpu, struct thread *self, struct thread *next) requires(
	cpu->queue.lock)
{
	if (unlikely(cpu->timer_armed > next->sched.slice_end || next == cpu->idle ||
		     self == cpu->idle))
		arm(cpu);
}

void sched_rearm(void)
{
	uint32_t interrupts = arch_irq_save();
	struct cpu *cpu = this_cpu();

	spin_lock(&cpu->queue.lock);
	arm(cpu);
	spin_unlock(&cpu->queue.lock);
	arch_irq_restore(interrupts);
}

void cpu_kicked(void)
{
	struct cpu *cpu = this_cpu();

	sched_rearm();
	if (!__atomic_load_n(&cpu->asked, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&cpu->asked, false, __ATOMIC_RELAXED);
	if (cpu->running != cpu->idle)
		__atomic_or_fetch(&cpu->running->work, WORK_RESCHEDULE, __ATOMIC_RELAXED);
}

/* ---- Arrivals ---- */

void sched_preempt(struct cpu *cpu)
{
	/* An idle CPU looks at its queue after each interrupt. */
	if (cpu->running != cpu->idle)
		__atomic_or_fetch(&cpu->running->work, WORK_RESCHEDULE, __ATOMIC_SEQ_CST);
	if (cpu != this_cpu())
		arch_kick(cpu);
}

/* What has been used until now is counted. */
static ALWAYS_INLINE void came(struct cpu *cpu, struct thread *thread, ns_t now) requires(
	cpu->queue.lock)
{
	switch (queue_came(cpu, thread, now)) {
	case QUEUE_PREEMPT:
		sched_preempt(cpu);
		break;
	case QUEUE_SLICE:
		if (cpu != this_cpu())
			arch_kick(cpu);
		else if (cpu->timer_armed > cpu->running->sched.slice_end)
			arm(cpu);
		break;
	case QUEUE_NOTHING:
		break;
	}
}

void sched_came(struct cpu *cpu, struct thread *thread)
{
	ns_t now = arch_clock_now();

	queue_account(cpu, now);
	came(cpu, thread, now);
}

void sched_place(struct thread *thread, struct cpu *cpu, enum fair_arrival arrival) no_lock_checks
{
	struct cpu *target;

	while (cpu_count > 1 && (target = balance_choose(thread, arrival)) != cpu) {
		thread->sched.moving = true;
		__atomic_store_n(&thread->sched.cpu, target, __ATOMIC_RELEASE);
		spin_unlock(&cpu->queue.lock);
		spin_lock(&target->queue.lock);
		cpu = target;
		/* Its mask may be another one by now. */
		if (thread->sched.affinity & cpu_bit(cpu))
			break;
	}
	thread->sched.moving = false;
	queue_add(cpu, thread, arrival);
	if (cpu_count > 1)
		balance_came(cpu, thread);
	sched_came(cpu, thread);
	spin_unlock(&cpu->queue.lock);
}

/* How a thread of this CPU comes back from its sleep where there is no other CPU to choose. */
static inline void come_back(struct cpu *cpu, struct thread *thread, ns_t now, ns_t slept) requires(
	cpu->queue.lock)
{
	assert(!thread->sched.queued);
	thread->sched.queued = true;
	queue_account(cpu, now);
	fair_woken(&cpu->queue.fair, &thread->sched.fair, slept, queue_patient(thread));
	came(cpu, thread, now);
}

/* With the queue's lock, which is dropped. */
static inline bool wake(struct cpu *cpu, struct thread *thread) no_lock_checks
{
	enum fair_arrival arrival = FAIR_WOKEN;

	if (thread->sched.state != THREAD_SLEEPING) {
		spin_unlock(&cpu->queue.lock);
		return false;
	}
	thread->sched.state = THREAD_RUNNABLE;
	/* One that marked itself asleep but still runs just goes on. */
	if (thread == cpu->running) {
		spin_unlock(&cpu->queue.lock);
		return true;
	}
	if (unlikely(thread->sched.fresh)) {
		if (thread->sched.held) {
			thread->sched.state = THREAD_SLEEPING;
			spin_unlock(&cpu->queue.lock);
			return false;
		}
		thread->sched.fresh = false;
		arrival = FAIR_NEW;
	} else {
		ns_t now = arch_clock_now(), since = thread->sched.run_since,
		     slept = now > since ? now - since : 0;

		thread->sched.run_awake = thread->sched.run_total;
		if (likely(cpu_count == 1 && !sched_is_rt(&thread->sched))) {
			come_back(cpu, thread, now, slept);
			spin_unlock(&cpu->queue.lock);
			return true;
		}
		fair_slept(&cpu->queue.fair, &thread->sched.fair, slept);
	}
	sched_place(thread, cpu, arrival);
	return true;
}

bool thread_wake(struct thread *thread) no_lock_checks
{
	uint32_t interrupts = arch_irq_save();
	bool woken = thread_wake_off(thread);

	arch_irq_restore(interrupts);
	return woken;
}

bool thread_wake_off(struct thread *thread) no_lock_checks
{
	return wake(queue_lock_of_off(thread), thread);
}

/* In one step: from here on it may run, end and be freed. */
void thread_begin(struct thread *thread) no_lock_checks
{
	struct cpu *cpu = queue_lock_of(thread);

	thread->sched.held = false;
	wake(cpu, thread);
}

/* ---- Switches ---- */

/* The thread switched away from cannot stay on the queue: it moves, or ends. */
static COLD void finish_specially(struct cpu *cpu, struct thread *gone) no_lock_checks
{
	if (gone->sched.moving) {
		sched_place(gone, cpu, FAIR_MOVED);
	} else {
		spin_unlock(&cpu->queue.lock);
		thread_free(gone);
	}
}

static inline void finish(struct cpu *cpu) no_lock_checks
{
	struct thread *gone = cpu->previous;

	if (unlikely(gone->sched.moving || gone->sched.state == THREAD_DEAD))
		finish_specially(cpu, gone);
	else
		spin_unlock(&cpu->queue.lock);
}

void switch_finish(void)
{
	finish(this_cpu());
}

/* Before a CPU looks for its next thread, others may have one for it. */
static void look_around(struct cpu *cpu, struct thread *self)
{
	bool stays = self->sched.state == THREAD_RUNNABLE && self != cpu->idle;
	bool idle = !stays && !cpu_waiting(cpu);

	if (idle)
		balance_set_idle(cpu);
	if (__atomic_load_n(&sched_rt_waiting, __ATOMIC_RELAXED) && !cpu->queue.rt_held)
		balance_rt(cpu, stays ? self->sched.rt_priority : 0);
	if (idle)
		balance_before_idle(cpu);
}

/* Does the running thread compete for this CPU? Else it is taken off. */
static inline bool keep_or_stop(struct cpu *cpu, struct thread *self) requires(cpu->queue.lock)
{
	if (unlikely(self == cpu->idle))
		return false;
	if (self->sched.state == THREAD_RUNNABLE) {
		if (likely(self->sched.affinity & cpu->bit))
			return true;
		self->sched.moving = true; /* switch_finish places it */
	}
	queue_stop(cpu, self);
	return false;
}

/* What other CPUs glance at. */
static void show_running(struct cpu *cpu, const struct thread *thread) requires(cpu->queue.lock)
{
	cpu->weight = cpu->queue.fair.running ? thread->sched.fair.weight : 0;
	cpu->priority = queue_holds_rt(cpu) ? RT_PRIORITIES : thread->sched.rt_priority;
}

void sched_set_running(struct cpu *cpu, struct thread *thread)
{
	__atomic_store_n(&cpu->running, thread, __ATOMIC_SEQ_CST); /* thread_set_work */
	if (cpu_count > 1)
		show_running(cpu, thread);
}

/* Where there are other CPUs: the choice is made, `self` ran until now. */
static COLD void chosen_among_many(struct cpu *cpu, struct thread *self) requires(cpu->queue.lock)
{
	show_running(cpu, cpu->running);
	balance_switched(cpu, self);
}

/* The queue is locked; the thread switched to unlocks it. */
static inline void switch_to(struct cpu *cpu, struct thread *self, bool stays, struct thread *next,
	ns_t now) no_lock_checks
{
	if (stays)
		self->sched.involuntary++;
	else
		self->sched.voluntary++;
	next->sched.run_since = next->sched.got_cpu = now;
	if (unlikely(self == cpu->idle && cpu->tick_next <= now))
		cpu->tick_next = now + tick;
	__atomic_store_n(&cpu->running, next, __ATOMIC_SEQ_CST); /* thread_set_work */
	if (unlikely(cpu_count > 1))
		chosen_among_many(cpu, self);
	cpu->switches++;
	cpu->previous = self;
	arm_switched(cpu, self, next);
	arch_switch(self, next);
	finish(this_cpu());
}

/* Interrupts are off, and so afterwards. */
static ALWAYS_INLINE void reschedule(bool yields) no_lock_checks
{
	struct thread *self = current_thread(), *next;
	struct cpu *cpu = this_cpu();
	bool stays;
	ns_t now;

	lock_check_may_sleep();
	if (cpu_count > 1)
		look_around(cpu, self);
	now = arch_clock_now();
	spin_lock_off(&cpu->queue.lock);
	if (self->work & WORK_RESCHEDULE)
		__atomic_and_fetch(&self->work, ~(uint32_t)WORK_RESCHEDULE, __ATOMIC_RELAXED);
	queue_account(cpu, now);
	stays = keep_or_stop(cpu, self);
	next = queue_next(cpu, self, stays, yields, now);
	if (!next)
		next = cpu->idle;
	if (next != self) {
		switch_to(cpu, self, stays, next, now);
	} else {
		/* One that was woken while it went to sleep: the CPU is not about to be idle. */
		if (unlikely(cpu_count > 1))
			chosen_among_many(cpu, self);
		arm_switched(cpu, self, next);
		spin_unlock(&cpu->queue.lock);
	}
}

void schedule(void)
{
	uint32_t interrupts = arch_irq_save();

	reschedule(false);
	arch_irq_restore(interrupts);
}

void sched_yield(void)
{
	struct cpu *cpu = this_cpu(); /* the kernel is not preempted: this one remains */
	unsigned rivals = __atomic_load_n(&cpu->queue.rt.count, __ATOMIC_RELAXED);

	if (likely(!sched_is_rt(&current_thread()->sched)))
		rivals += __atomic_load_n(&cpu->queue.fair.count, __ATOMIC_RELAXED);
	if (!rivals)
		return;
	arch_irq_off();
	reschedule(true);
	arch_irq_on();
}

void sched_die(void)
{
	arch_irq_off();
	current_thread()->sched.state = THREAD_DEAD;
	schedule();
	panic("a dead thread runs");
}

void sched_point(void)
{
	struct thread *self = current_thread();

	if (likely(!(__atomic_load_n(&self->work, __ATOMIC_RELAXED) & WORK_RESCHEDULE)))
		return;
	/* Under a spin lock, or between wait_prepare and wait_finish: later. */
	if (arch_irq_enabled() && self->sched.state == THREAD_RUNNABLE)
		schedule();
}

/* One that runs in user mode on another CPU looks at its flags only when it enters the kernel: the
 * kick makes it. Either this sees that it runs, or it began to run (schedule) after the flag was set. */
void thread_set_work(struct thread *thread, uint32_t flag)
{
	struct cpu *cpu;

	__atomic_or_fetch(&thread->work, flag, __ATOMIC_SEQ_CST);
	cpu = __atomic_load_n(&thread->sched.cpu, __ATOMIC_ACQUIRE);
	if (cpu != this_cpu() && __atomic_load_n(&cpu->running, __ATOMIC_SEQ_CST) == thread)
		arch_kick(cpu);
}

void thread_wait_switched(struct thread *thread)
{
	struct cpu *cpu;
	bool runs;

	/* A switch holds the queue's lock from before to after it. */
	do {
		arch_pause();
		cpu = __atomic_load_n(&thread->sched.cpu, __ATOMIC_ACQUIRE);
		spin_lock(&cpu->queue.lock);
		runs = cpu->running == thread;
		spin_unlock(&cpu->queue.lock);
	} while (runs);
}

void thread_kick(struct thread *thread)
{
	struct cpu *cpu = __atomic_load_n(&thread->sched.cpu, __ATOMIC_RELAXED);

	/* Moved meanwhile, it has gone by its work flags on the way. */
	if (cpu != this_cpu() && __atomic_load_n(&cpu->running, __ATOMIC_RELAXED) == thread)
		arch_kick(cpu);
}

/* Real-time threads have had their share, or have a new one. */
static COLD void look_at_rt(struct cpu *cpu, ns_t now) requires(cpu->queue.lock)
{
	if (!queue_rt_tick(cpu, now))
		return;
	if (cpu_count > 1)
		show_running(cpu, cpu->running);
	__atomic_or_fetch(&cpu->running->work, WORK_RESCHEDULE, __ATOMIC_RELAXED);
}

/* The thread that runs has its slice and its kind of time looked at. */
static void look_at_running(struct cpu *cpu, bool user, ns_t now) requires(cpu->queue.lock)
{
	struct thread *running = cpu->running;

	queue_account(cpu, now);
	sched_time_seen(cpu, running, user);
	if (unlikely(sched_is_rt(&running->sched) || cpu->queue.rt_held))
		look_at_rt(cpu, now);
	if (now >= queue_slice_end(cpu))
		__atomic_or_fetch(&running->work, WORK_RESCHEDULE, __ATOMIC_RELAXED);
	if (now >= cpu->tick_next) {
		cpu->tick_next = now + tick;
		cpu->tick_count++;
	}
}

void timer_expired(bool user)
{
	struct cpu *cpu = this_cpu();
	ns_t now = arch_clock_now();
	unsigned before = cpu->tick_count;

	cpu->ticks++;
	audit_timer_interrupt();
	cpu->timer_armed = NS_NEVER;
	timers_run(now);
	spin_lock(&cpu->queue.lock);
	if (cpu->running != cpu->idle)
		look_at_running(cpu, user, now);
	arm(cpu);
	spin_unlock(&cpu->queue.lock);
	if (unlikely(now >= __atomic_load_n(&sched_load_next, __ATOMIC_RELAXED)))
		sched_load_update(now);
	if (cpu_count > 1 && cpu->tick_count != before && cpu->tick_count % BALANCE_TICKS == 0 &&
		balance_load(cpu))
		thread_set_work(current_thread(), WORK_RESCHEDULE);
}

void thread_work(void)
{
	struct thread *self = current_thread();
	uint32_t work;

	lock_check_no_mutex();
	while (unlikely(work = __atomic_load_n(&self->work, __ATOMIC_ACQUIRE))) {
		if (unlikely(work == WORK_DEBUG)) {
			arch_debug_load();
			return;
		}
		arch_irq_on();
		if (unlikely(work & WORK_TIMERS))
			cpu_timers_resume();
		if (unlikely(work & WORK_FAILED))
			fail_tell();
		if (unlikely(work & WORK_FIRMWARE))
			bars_late();
		if (work & WORK_SIGNAL) {
			signal_deliver();
			if (unlikely(self->failed_at))
				fail_tell_apart();
		}
		if (work & WORK_RESCHEDULE)
			schedule();
		arch_irq_off();
	}
}

/* Without its bit in cpus_idle a CPU has not looked at the others since something changed. */
static bool idle_has_work(const struct cpu *cpu)
{
	return cpu_waiting(cpu) ||
	       (cpu_count > 1 && !(__atomic_load_n(&cpus_idle, __ATOMIC_RELAXED) & cpu->bit));
}

void sched_idle(void)
{
	struct cpu *cpu = this_cpu();

	for (;;) {
		arch_irq_off();
		if (idle_has_work(cpu)) {
			arch_irq_on();
			schedule();
		} else {
			arch_idle();
		}
	}
}

void sched_report(void)
{
	uint64_t ticks = 0, switches = 0;

	for (unsigned i = 0; i < cpu_count; i++) {
		ticks += __atomic_load_n(&cpus[i]->ticks, __ATOMIC_RELAXED);
		switches += __atomic_load_n(&cpus[i]->switches, __ATOMIC_RELAXED);
	}
	log_info("%lu timer interrupts, %lu context switches", (unsigned long)ticks,
		(unsigned long)switches);
	audit_report();
	lock_check_report();
}
