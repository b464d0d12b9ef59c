/* SPDX-License-Identifier: MIT */
/*
 * What the scheduler keeps in each thread: struct thread's member `sched`. Other rooms read what the
 * functions of sched.h tell; they write nothing here.
 */
#ifndef PROCESS_SCHED_ENTITY_H
#define PROCESS_SCHED_ENTITY_H

#include "lib/list.h"
#include "lib/types.h"
#include "process/sched_fair.h"

struct cpu;

#define RT_MOST   99  /* the highest real-time priority that a program gets */
#define RT_KERNEL 100 /* of a thread that is bound: above all, and never held back */

enum thread_state {
	THREAD_RUNNABLE, /* on a run queue, running, or between two queues */
	THREAD_SLEEPING, /* waits to be woken */
	THREAD_DEAD,
};

struct sched_entity {
	/* guarded by the run queue's lock of `cpu`; `state` is also set, atomically, by the thread
	 * itself when it goes to sleep (wait.c) */
	uint32_t state;      /* enum thread_state */
	bool queued;         /* on the run queue of `cpu`; never while it runs */
	bool moving;         /* taken off `cpu` to be put on another CPU's queue */
	bool fresh;          /* it was never woken yet */
	bool held;           /* and only thread_begin may: who makes it still looks at it */
	bool reset_on_fork;  /* SCHED_RESET_ON_FORK */
	uint8_t policy;      /* SCHED_NORMAL... */
	uint8_t rt_priority; /* 1..99 of SCHED_FIFO and SCHED_RR, RT_KERNEL; else 0 */
	int8_t nice;
	struct cpu *cpu;         /* runs there, waits there, or ran there last */
	uint64_t affinity;       /* CPUs that it may run on */
	struct list run;         /* SCHED_FIFO and SCHED_RR: on the list of its priority */
	struct fair_entity fair; /* the others */
	ns_t got_cpu;            /* when; while it runs */
	ns_t slice_end;          /* when others are looked at, if any wait; while it runs */
	ns_t slice_left;         /* SCHED_RR: of its turn; while it waits */
	/* CPU time, see sched_time.c */
	ns_t run_since; /* while it runs: up to when it is counted; else when it stopped */
	ns_t run_total; /* in all, up to run_since */
	ns_t run_awake; /* run_total when it last woke, or became SCHED_FIFO or SCHED_RR */
	ns_t seen_user, seen_system; /* of it, what ticks saw spent in the one mode or the other */
	ns_t told_user, told_system; /* what sched_times last said */
	uint64_t voluntary, involuntary; /* context switches */
};

static inline bool sched_is_rt(const struct sched_entity *entity)
{
	return entity->rt_priority;
}

/* It is the kernel's own: nobody may change its CPUs or its policy. */
static inline bool sched_is_bound(const struct sched_entity *entity)
{
	return entity->rt_priority == RT_KERNEL;
}

#endif
