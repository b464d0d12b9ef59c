/* SPDX-License-Identifier: MIT */
/*
 * CPU clocks: what processes and threads have used of the CPUs. Beside CLOCK_PROCESS_CPUTIME_ID and
 * CLOCK_THREAD_CPUTIME_ID, a negative clock id names any process's or a thread's of one's own, as
 * clock_getcpuclockid makes it: the bits above the third are ~pid, the third says thread, the lowest
 * two say of what. See cpu_clock.c.
 */
#ifndef PROCESS_CPU_CLOCK_H
#define PROCESS_CPU_CLOCK_H

#include "lib/types.h"

enum cpu_clock_kind {
	CPU_CLOCK_PROFILE,   /* user and system time, as ITIMER_PROF counts */
	CPU_CLOCK_VIRTUAL,   /* user time */
	CPU_CLOCK_SCHEDULED, /* all, to the nanosecond */
};

#define CPU_CLOCK_THREAD 4 /* the thread's, not its process's */

/* What the clock says; -EINVAL: no such clock, process or thread. */
int cpu_clock_read(int clock, ns_t *now) MUST_CHECK;

/* CPU_CLOCK_PROFILE and CPU_CLOCK_VIRTUAL tell a coarse resolution on Linux. */
static inline bool cpu_clock_is_coarse(int clock)
{
	return clock < 0 && (clock & 3) != CPU_CLOCK_SCHEDULED;
}

#endif
