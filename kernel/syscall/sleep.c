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
	ns_t now;

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
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		return -EOPNOTSUPP;
	default:
		return cpu_clock_read(clock, &now) ? -EINVAL : -EOPNOTSUPP;
	}
}

long sys_clock_nanosleep(int clock, unsigned flags, user_t request, user_t remaining)
{
	int base = sleep_base(clock), error;
	ns_t time;

	if (base < 0)
		return base;
	error = get_timespec(request, &time);
	if (error)
		return error;
	if (!(flags & TIMER_ABSTIME))
		return sleep_for(time, remaining);
	return clock_sleep((enum clock_base)base, time);
}
