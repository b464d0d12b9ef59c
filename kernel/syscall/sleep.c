/* SPDX-License-Identifier: MIT */
/* Sleeping: man 2 nanosleep, clock_nanosleep. */
#include "arch/arch.h"
#include "process/cpu_clock.h"
#include "process/process.h"
#include "process/sched.h"
#include "syscall/table.h"
#include "syscall/timespec.h"

static long sleep_again(struct restart_block *block);

/* A signal ends it with what is left; where no handler ran it goes on to the same deadline. */
static long sleep_until(ns_t deadline, user_t remaining)
{
	ns_t now;

	if (!sched_sleep(deadline))
		return 0;
	now = arch_clock();
	if (remaining.address && put_timespec(remaining, deadline > now ? deadline - now : 0))
		return -EFAULT;
	return signal_restart_by(sleep_again, deadline, remaining.address, 0);
}

static long sleep_again(struct restart_block *block)
{
	return sleep_until(block->words[0], user_pointer(block->words[1]));
}

static long sleep_for(ns_t span, user_t remaining)
{
	return sleep_until(clock_add(arch_clock(), span), remaining);
}

long sys_nanosleep(user_t request, user_t remaining)
{
	ns_t span;
	int error = get_timespec(request, &span);

	return error ? error : sleep_for(span, remaining);
}

/* The clocks that one can sleep by: not the coarse ones, nor the raw one, as on Linux. */
static int sleep_base(int clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		return clock_base_of(clock);
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_THREAD_CPUTIME_ID:
		return -EOPNOTSUPP;
	default:
		return clock_is_of_file(clock) ? -EOPNOTSUPP : -EINVAL;
	}
}

/* By what a process, or another thread of one's own, uses of the CPUs. */
static long sleep_by_cpu(int clock, bool absolute, ns_t time)
{
	bool own = (clock & CPU_CLOCK_THREAD) &&
		   (~(clock >> 3) == 0 || ~(clock >> 3) == current_thread()->tid);
	ns_t now;

	if (clock < 0 && own)
		return -EINVAL; /* it would never come */
	if (cpu_clock_read(clock, &now))
		return -EINVAL;
	/* Whether until a time or for one: what is left is told by the clock itself. */
	return cpu_clock_sleep(clock, absolute ? time : clock_add(now, time)) ? -EINTR : 0;
}

long sys_clock_nanosleep(int clock, unsigned flags, user_t request, user_t remaining)
{
	int base = sleep_base(clock), error;
	ns_t time;
	bool by_cpu = (clock < 0 && !clock_is_of_file(clock)) || clock == CLOCK_PROCESS_CPUTIME_ID;

	if (base < 0 && !by_cpu)
		return base;
	error = get_timespec(request, &time);
	if (error)
		return error;
	if (by_cpu)
		return sleep_by_cpu(clock, flags & TIMER_ABSTIME, time);
	if (!(flags & TIMER_ABSTIME))
		return sleep_for(time, remaining);
	/* Until a time: the very same call is what goes on. */
	return clock_sleep((enum clock_base)base, time) ? -ERESTARTNOHAND : 0;
}
