/* SPDX-License-Identifier: MIT */
/* Clocks and sleeping; man 2 clock_gettime, nanosleep, gettimeofday, time. */
#include <linux/time.h>

#include "devices/random.h"
#include "devices/realtime.h"
#include "lib/errno.h"
#include "memory/user.h"
#include "process/current.h"
#include "process/process.h"
#include "process/sched.h"
#include "syscall/table.h"

#define GRND_EXCLUSIVE 6u /* GRND_RANDOM, GRND_INSECURE: not both */
#define GRND_ALL       7u /* GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE: the pool is always ready */

static ns_t own_cpu_time(void)
{
	ns_t total;

	spin_lock(&process_lock);
	total = process_cpu_time(current_process());
	spin_unlock(&process_lock);
	return total;
}

/* -EINVAL: no such clock. */
static int clock_read(int clock, ns_t *now)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		*now = arch_clock() + realtime_offset();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*now = arch_clock();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*now = own_cpu_time();
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*now = thread_cpu_time(current_thread());
		return 0;
	default:
		return -EINVAL;
	}
}

static int put_time(user_t out, ns_t time)
{
	struct __kernel_timespec spec = {
		(long)(time / NS_PER_SECOND), (long)(time % NS_PER_SECOND)};

	return copy_to_user(out, &spec, sizeof(spec));
}

long sys_clock_gettime(int clock, user_t time)
{
	ns_t now;
	int error = clock_read(clock, &now);

	return error ? error : put_time(time, now);
}

long sys_clock_getres(int clock, user_t resolution)
{
	ns_t now;
	int error = clock_read(clock, &now);

	if (error || !resolution.address)
		return error;
	return put_time(resolution, 1);
}

long sys_gettimeofday(user_t time, user_t zone)
{
	ns_t now = arch_clock() + realtime_offset();
	long values[2] = {(long)(now / NS_PER_SECOND), (long)(now % NS_PER_SECOND / 1000)};
	int utc[2] = {0, 0};

	if (time.address && copy_to_user(time, values, sizeof(values)))
		return -EFAULT;
	if (zone.address && copy_to_user(zone, utc, sizeof(utc)))
		return -EFAULT;
	return 0;
}

long sys_time(user_t out)
{
	long seconds = (long)((arch_clock() + realtime_offset()) / NS_PER_SECOND);

	if (out.address && copy_to_user(out, &seconds, sizeof(seconds)))
		return -EFAULT;
	return seconds;
}

static int get_span(user_t in, ns_t *out)
{
	struct __kernel_timespec spec;

	if (copy_from_user(&spec, in, sizeof(spec)))
		return -EFAULT;
	if (spec.tv_sec < 0 || spec.tv_nsec < 0 || spec.tv_nsec >= (long)NS_PER_SECOND)
		return -EINVAL;
	if ((uint64_t)spec.tv_sec > INT64_MAX / NS_PER_SECOND - 1)
		*out = INT64_MAX; /* 292 years: for ever */
	else
		*out = (ns_t)spec.tv_sec * NS_PER_SECOND + (ns_t)spec.tv_nsec;
	return 0;
}

/* Sleeps until `deadline` on the monotonic clock. */
static long sleep_until(ns_t deadline, bool tell, user_t remaining)
{
	int error = sched_sleep(deadline);
	ns_t now = arch_clock();

	if (error && tell && remaining.address &&
		put_time(remaining, deadline > now ? deadline - now : 0))
		return -EFAULT;
	return error;
}

long sys_nanosleep(user_t request, user_t remaining)
{
	ns_t span;
	int error = get_span(request, &span);

	return error ? error : sleep_until(arch_clock() + span, true, remaining);
}

long sys_clock_nanosleep(int clock, unsigned flags, user_t request, user_t remaining)
{
	ns_t span, now;
	int error = clock == CLOCK_THREAD_CPUTIME_ID ? -EINVAL : clock_read(clock, &now);

	if (error)
		return error;
	if (clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_REALTIME_COARSE ||
		clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_PROCESS_CPUTIME_ID)
		return -EOPNOTSUPP;
	error = get_span(request, &span);
	if (error)
		return error;
	if (!(flags & TIMER_ABSTIME))
		return sleep_until(arch_clock() + span, true, remaining);
	return span <= now ? 0 : sleep_until(arch_clock() + (span - now), false, remaining);
}

long sys_getrandom(user_t buffer, size_t size, unsigned flags)
{
	uint8_t bytes[256];
	size_t done = 0;

	if ((flags & ~GRND_ALL) || (flags & GRND_EXCLUSIVE) == GRND_EXCLUSIVE)
		return -EINVAL;
	if (size > INT32_MAX)
		size = INT32_MAX;
	while (done < size) {
		size_t part = size - done < sizeof(bytes) ? size - done : sizeof(bytes), copied;

		random_bytes(bytes, part);
		copied = copy_to_user_partial(user_offset(buffer, done), bytes, part);
		done += copied;
		if (copied < part)
			return done ? (long)done : -EFAULT;
		if (current_signal_pending())
			break;
		sched_point();
	}
	return (long)done;
}
