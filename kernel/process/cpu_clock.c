/* SPDX-License-Identifier: MIT */
/*
 * CPU clocks; see cpu_clock.h. A process's is the sum over its threads, the gone ones included.
 * Locks: process_lock, over the walk along the threads.
 */
#include "process/cpu_clock.h"

#include <linux/time.h>

#include "lib/errno.h"
#include "process/process.h"
#include "process/sched.h"

/* The one whose id a clock has; 0: the caller's own. */
static int read_other(int clock, ns_t *now) requires(process_lock)
{
	int id = ~(clock >> 3);
	struct process *process = id ? process_find(id) : current_process();
	struct thread *thread;

	if (!(clock & CPU_CLOCK_THREAD)) {
		if (!process)
			return -EINVAL;
		*now = process_cpu_time(process);
		return 0;
	}
	if (!id) {
		*now = thread_cpu_time(current_thread());
		return 0;
	}
	thread = thread_find(id);
	if (!thread || thread->process != current_process())
		return -EINVAL;
	*now = thread_cpu_time(thread);
	return 0;
}

int cpu_clock_read(int clock, ns_t *now)
{
	int error = 0;

	if (clock == CLOCK_THREAD_CPUTIME_ID) {
		*now = thread_cpu_time(current_thread());
		return 0;
	}
	if (clock != CLOCK_PROCESS_CPUTIME_ID && (clock >= 0 || (clock & 3) > CPU_CLOCK_SCHEDULED))
		return -EINVAL;
	spin_lock(&process_lock);
	if (clock == CLOCK_PROCESS_CPUTIME_ID)
		*now = process_cpu_time(current_process());
	else
		error = read_other(clock, now);
	spin_unlock(&process_lock);
	return error;
}
