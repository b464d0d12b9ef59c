/* SPDX-License-Identifier: MIT */
/* What each CPU has of its own. this_cpu() is inline in arch_cpu.h. */
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

#endif
