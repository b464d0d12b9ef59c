/* SPDX-License-Identifier: MIT */
/* What was used: man 2 getrusage, times. */
#include <linux/resource.h>
#include <linux/time.h>
#include <linux/times.h>

#include "lib/errno.h"
#include "memory/user.h"
#include "process/process.h"
#include "process/sched.h"
#include "syscall/table.h"
#include "syscall/usage.h"

#define CLOCK_TICK (NS_PER_SECOND / 100)

static struct __kernel_old_timeval to_timeval(ns_t time)
{
	return (struct __kernel_old_timeval){
		(long)(time / NS_PER_SECOND), (long)(time % NS_PER_SECOND / 1000)};
}

int put_usage(user_t out, const struct usage *usage)
{
	struct rusage record = {
		.ru_utime = to_timeval(usage->user),
		.ru_stime = to_timeval(usage->system),
		.ru_maxrss = (long)(usage->resident_peak * (PAGE_SIZE / 1024)),
		.ru_minflt = (long)usage->minor_faults,
		.ru_majflt = (long)usage->major_faults,
		.ru_inblock = (long)usage->blocks_in,
		.ru_oublock = (long)usage->blocks_out,
		.ru_nvcsw = (long)usage->voluntary,
		.ru_nivcsw = (long)usage->involuntary,
	};

	return copy_to_user(out, &record, sizeof(record));
}

static void own_usage(struct usage *out) requires(process_lock)
{
	struct process *self = current_process();
	struct thread *thread;

	*out = self->usage;
	list_for_each(thread, &self->threads, siblings)
	{
		struct usage now;

		thread_usage(thread, &now);
		usage_add(out, &now);
	}
}

long sys_getrusage(int who, user_t out)
{
	struct usage usage = {0};

	spin_lock(&process_lock);
	if (who == RUSAGE_SELF)
		own_usage(&usage);
	else if (who == RUSAGE_CHILDREN)
		usage = current_process()->child_usage;
	else if (who == RUSAGE_THREAD)
		thread_usage(current_thread(), &usage);
	if (who != RUSAGE_CHILDREN && current_process()->space)
		usage_saw_space(&usage, current_process()->space);
	spin_unlock(&process_lock);
	if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != RUSAGE_THREAD)
		return -EINVAL;
	return put_usage(out, &usage);
}

long sys_times(user_t out)
{
	struct usage own, children;
	struct tms record;

	spin_lock(&process_lock);
	own_usage(&own);
	children = current_process()->child_usage;
	spin_unlock(&process_lock);
	record = (struct tms){
		.tms_utime = (long)(own.user / CLOCK_TICK),
		.tms_stime = (long)(own.system / CLOCK_TICK),
		.tms_cutime = (long)(children.user / CLOCK_TICK),
		.tms_cstime = (long)(children.system / CLOCK_TICK),
	};
	if (out.address && copy_to_user(out, &record, sizeof(record)))
		return -EFAULT;
	return (long)(arch_clock() / CLOCK_TICK);
}
