/* SPDX-License-Identifier: MIT */
/*
 * What each CPU has of its own. this_cpu() is inline in arch_cpu.h.
 *
 * cpus[] is filled from the front and never shrinks. A CPU takes part in scheduling from the moment
 * its bit in cpus_online is set (cpu_begin), by itself; until then no thread is put on its queue.
 */
#ifndef PROCESS_CPU_H
#define PROCESS_CPU_H

#include "lib/list.h"
#include "lib/lock.h"
#include "lib/tree.h"
#include "lib/types.h"
#include "process/sched_fair.h"
#include "process/sched_rt.h"
#include "process/timer.h"

#define CPUS_MAX       64u
#define CPU_INTERRUPTS 6u

struct cpu_entry;
struct thread;

/* The threads of one CPU; the running one is on neither part. */
struct run_queue {
	struct spinlock lock;
	struct rt_queue rt;
	struct fair_queue fair;
	uint64_t fruitless; /* CPUs that have looked at all who wait and may run none */
	/* What real-time threads have used since rt_since, and whether that is their share (queue_holds_rt). */
	ns_t rt_since, rt_used;
	bool rt_held;
};

/* What a CPU's time went to. */
struct cpu_times {
	ns_t user, nice, system, idle; /* nice: user mode at a positive nice value */
};

struct cpu {
	unsigned index;
	uint32_t apic_id;
	uint64_t bit;            /* cpu_bit, near at hand */
	struct cpu_entry *entry; /* arch's */
	struct thread *idle;
	struct thread *running;  /* by the queue's lock */
	uint32_t weight;         /* what runs: of a fair thread; else 0 */
	uint32_t priority;       /* of a real-time one; else 0 */
	bool asked;              /* by another CPU, to look for a real-time thread; atomic */
	bool called;             /* by another CPU, when it was idle, and has not looked; atomic */
	struct thread *previous; /* handed over by a switch to switch_finish */
	struct run_queue queue;
	struct spinlock timer_lock;
	struct tree timers;
	struct timer *timer_running; /* its function runs now; by timer_lock */
	struct timer machine_timer; /* arch's: when to look for errors that the machine has noted */
	ns_t timer_first; /* when the first of them is due; meaningless while there is none */
	ns_t timer_armed; /* for when the machine's timer is set; NS_NEVER: not */
	ns_t tick_next;   /* while a thread runs: when to look at it next */
	unsigned tick_count;
	uint64_t switches, ticks;
	uint64_t interrupts[CPU_INTERRUPTS]; /* arch's counts: arch_interrupt_count */
	struct cpu_times seen;               /* by ticks; by the queue's lock */
	struct cpu_times told;               /* the most that sched_cpu_times ever said; likewise */
};

extern struct cpu boot_cpu;
extern struct cpu *cpus[CPUS_MAX]; /* by index; the first cpu_count exist */
extern unsigned cpu_count;
extern uint64_t cpus_online; /* bit n: cpus[n] schedules; changed atomically */

static inline uint64_t cpu_bit(const struct cpu *cpu)
{
	return UINT64_C(1) << cpu->index;
}

/* Threads that wait for the CPU. A glance, if the queue is not locked. */
static inline unsigned cpu_waiting(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->queue.fair.count, __ATOMIC_RELAXED) +
	       __atomic_load_n(&cpu->queue.rt.count, __ATOMIC_RELAXED);
}

#endif
