/* SPDX-License-Identifier: MIT */
/*
 * What the scheduler keeps in each thread: struct thread's member `sched`. Other rooms read what the
 * functions of sched.h tell; they write nothing here.
 */
#ifndef PROCESS_SCHED_ENTITY_H
#define PROCESS_SCHED_ENTITY_H

#include "lib/list.h"
#include "lib/types.h"

struct cpu;

enum thread_state {
	THREAD_RUNNABLE, /* on a run queue, running, or between two queues */
	THREAD_SLEEPING, /* waits to be woken */
	THREAD_DEAD,
};

struct sched_entity {
	/* guarded by the run queue's lock of `cpu`; `state` is also set, atomically, by the thread
	 * itself when it goes to sleep (wait.c) */
	uint32_t state;    /* enum thread_state */
	bool queued;       /* on the run queue of `cpu`; never while it runs */
	bool moving;       /* taken off `cpu` to be put on another CPU's queue */
	struct cpu *cpu;   /* runs there, waits there, or ran there last */
	uint64_t affinity; /* CPUs that it may run on */
	struct list run;
	ns_t slice_end;
	ns_t run_since, run_total; /* CPU time: since it got the CPU, and before */
};

#endif
