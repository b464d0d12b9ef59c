/* SPDX-License-Identifier: MIT */
/*
 * CPU clocks; see cpu_clock.h. A process's is the sum over its threads, the gone ones included.
 * Locks: process_lock, over the walk along the threads; inside it the run queues'.
 */
#include "process/cpu_clock.h"

#include <linux/time.h>

#include "lib/errno.h"
#include "process/process.h"
#include "process/sched.h"

static ns_t of_kind(int kind, ns_t user, ns_t system)
{
	return (kind & 3) == CPU_CLOCK_VIRTUAL ? user : user + system;
}

ns_t cpu_clock_of_thread(struct thread *thread, int kind)
{
	struct usage usage;

	if ((kind & 3) == CPU_CLOCK_SCHEDULED)
		return thread_cpu_time(thread);
	sched_usage(thread, &usage);
	return of_kind(kind, usage.user, usage.system);
}

ns_t cpu_clock_of_process(struct process *process, int kind)
{
	ns_t total = of_kind(kind, process->usage.user, process->usage.system);
	struct thread *thread;

	list_for_each(thread, &process->threads, siblings) total +=
		cpu_clock_of_thread(thread, kind);
	return total;
}

/* One that a negative id names; 0 in it is the caller. */
static int find_target(int clock, struct process **process, struct pid **thread) requires(
	process_lock)
{
	int id = ~(clock >> 3);
	struct thread *found;

	if (!(clock & CPU_CLOCK_THREAD)) {
		*process = id ? process_find(id) : current_process();
		return *process ? 0 : -EINVAL;
	}
	found = id ? thread_find(id) : current_thread();
	if (!found || found->process != current_process())
		return -EINVAL;
	*process = found->process;
	*thread = found->pid;
	return 0;
}

int cpu_clock_target(int clock, struct process **process, struct pid **thread, int *kind)
{
	*thread = NULL;
	*kind = CPU_CLOCK_SCHEDULED;
	if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID) {
		*process = current_process();
		if (clock == CLOCK_THREAD_CPUTIME_ID)
			*thread = current_thread()->pid;
		return 0;
	}
	*kind = clock & 3;
	if (clock >= 0 || *kind > CPU_CLOCK_SCHEDULED)
		return -EINVAL;
	return find_target(clock, process, thread);
}

int cpu_clock_read(int clock, ns_t *now)
{
	struct process *process;
	struct pid *thread;
	int kind, error;

	if (clock == CLOCK_THREAD_CPUTIME_ID) {
		*now = thread_cpu_time(current_thread());
		return 0;
	}
	spin_lock(&process_lock);
	error = cpu_clock_target(clock, &process, &thread, &kind);
	if (!error)
		*now = thread ? cpu_clock_of_thread(thread->thread, kind)
			      : cpu_clock_of_process(process, kind);
	spin_unlock(&process_lock);
	return error;
}
