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

#define CPUS_MAX 64u

struct cpu_entry;
struct thread;

struct run_queue {
	struct spinlock lock;
	struct list threads; /* runnable, not running; the head is next */
	unsigned count;
};

struct cpu {
	unsigned index;
	uint32_t apic_id;
	struct cpu_entry *entry; /* arch's */
	struct thread *idle;
	struct thread *running;  /* by the queue's lock */
	struct thread *previous; /* handed over by a switch to switch_finish */
	struct run_queue queue;
	struct spinlock timer_lock;
	struct tree timers;
	ns_t timer_first; /* when the first of them is due; meaningless while there is none */
	ns_t timer_armed; /* for when the machine's timer is set; NS_NEVER: not */
	uint64_t switches, ticks;
};

extern struct cpu boot_cpu;
extern struct cpu *cpus[CPUS_MAX]; /* by index; the first cpu_count exist */
extern unsigned cpu_count;
extern uint64_t cpus_online; /* bit n: cpus[n] schedules; changed atomically */

static inline uint64_t cpu_bit(const struct cpu *cpu)
{
	return UINT64_C(1) << cpu->index;
}

#endif
