/* SPDX-License-Identifier: MIT */
/*
 * CPU clocks: what processes and threads have used of the CPUs. Beside CLOCK_PROCESS_CPUTIME_ID and
 * CLOCK_THREAD_CPUTIME_ID, a negative clock id names any process's or a thread's of one's own, as
 * clock_getcpuclockid makes it: the bits above the third are ~pid, the third says thread, the lowest
 * two say of what. See cpu_clock.c.
 */
#ifndef PROCESS_CPU_CLOCK_H
#define PROCESS_CPU_CLOCK_H

#include "lib/lock.h"
#include "lib/types.h"

struct pid;
struct process;
struct thread;

extern struct spinlock process_lock;

enum cpu_clock_kind {
	CPU_CLOCK_PROFILE,   /* user and system time, as ITIMER_PROF counts */
	CPU_CLOCK_VIRTUAL,   /* user time */
	CPU_CLOCK_SCHEDULED, /* all, to the nanosecond */
};

#define CPU_CLOCK_THREAD 4 /* the thread's, not its process's */

/* Of a kind (CPU_CLOCK_THREAD is not looked at). */
ns_t cpu_clock_of_process(struct process *process, int kind) requires(process_lock);
ns_t cpu_clock_of_thread(struct thread *thread, int kind) requires(process_lock);
/* Whose clock it is: a process's (*thread is NULL) or a thread's of it. -EINVAL: nobody's. */
int cpu_clock_target(int clock, struct process **process, struct pid **thread, int *kind) requires(
	process_lock) MUST_CHECK;
/* What the clock says; -EINVAL: no such clock, process or thread. */
int cpu_clock_read(int clock, ns_t *now) MUST_CHECK;

/* CPU_CLOCK_PROFILE and CPU_CLOCK_VIRTUAL tell a coarse resolution on Linux. */
static inline bool cpu_clock_is_coarse(int clock)
{
	return clock < 0 && (clock & 3) != CPU_CLOCK_SCHEDULED;
}

/* The ids by which Linux names the clock of a device's descriptor; no device has one. */
static inline bool clock_is_of_file(int clock)
{
	return clock < 0 && (clock & 7) == 3;
}

#endif
