/* SPDX-License-Identifier: MIT */
/*
 * Reading, setting and sleeping by clocks: man 2 clock_gettime, clock_getres, clock_nanosleep,
 * nanosleep, gettimeofday, settimeofday, time.
 *
 * clock_gettime is called often where the vDSO is not used, so the clocks that all share come first,
 * without a look at anything but the machine's clock and one word.
 */
#include <linux/capability.h>

#include "arch/arch.h"
#include "process/cpu_clock.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/process.h"
#include "process/sched.h"
#include "syscall/table.h"
#include "syscall/timespec.h"

#define CLOCKS_MONOTONIC                                                                    \
	(1u << CLOCK_MONOTONIC | 1u << CLOCK_MONOTONIC_RAW | 1u << CLOCK_MONOTONIC_COARSE | \
		1u << CLOCK_BOOTTIME | 1u << CLOCK_BOOTTIME_ALARM)
#define CLOCKS_REALTIME \
	(1u << CLOCK_REALTIME | 1u << CLOCK_REALTIME_COARSE | 1u << CLOCK_REALTIME_ALARM)
#define NS_PER_JIFFY (NS_PER_SECOND / 250) /* what Debian's kernel says of the coarse CPU clocks */

static bool may_set_time(void)
{
	return capable(CAP_SYS_TIME);
}

/* -EINVAL: no such clock. */
static COLD int other_clock_read(int clock, ns_t *now)
{
	if (clock == CLOCK_TAI) {
		*now = clock_base_now(BASE_TAI);
		return 0;
	}
	return cpu_clock_read(clock, now);
}

static inline bool is_one_of(unsigned clocks, int clock)
{
	return (unsigned)clock < 32 && (clocks >> clock & 1);
}

static int clock_read(int clock, ns_t *now)
{
	if (is_one_of(CLOCKS_MONOTONIC, clock))
		*now = arch_clock();
	else if (is_one_of(CLOCKS_REALTIME, clock))
		*now = clock_base_now(BASE_REALTIME);
	else
		return other_clock_read(clock, now);
	return 0;
}

static COLD long other_clock_gettime(int clock, user_t time)
{
	ns_t now;
	int error = other_clock_read(clock, &now);

	return error ? error : put_timespec(time, now);
}

/* Each branch ends the call by itself, so that little is kept over reading the clock. */
long sys_clock_gettime(int clock, user_t time)
{
	if (likely(is_one_of(CLOCKS_MONOTONIC, clock)))
		return put_timespec(time, arch_clock_now());
	if (likely(is_one_of(CLOCKS_REALTIME, clock)))
		return put_timespec(time, arch_clock_now() + realtime_offset());
	return other_clock_gettime(clock, time);
}

long sys_clock_getres(int clock, user_t resolution)
{
	ns_t now;
	int error = clock_read(clock, &now);

	if (error || !resolution.address)
		return error;
	return put_timespec(resolution, cpu_clock_is_coarse(clock) ? NS_PER_JIFFY : 1);
}

/* CLOCK_REALTIME alone can be set; of the others Linux says EINVAL, and EPERM of CPU clocks. */
long sys_clock_settime(int clock, user_t time)
{
	ns_t now, to;
	int error;

	if (clock != CLOCK_REALTIME) {
		if (clock >= 0)
			return -EINVAL;
		if (clock_is_of_file(clock))
			return get_timespec(time, &to) == -EFAULT ? -EFAULT : -EINVAL;
		error = cpu_clock_read(clock, &now);
		if (error)
			return error;
	}
	error = get_timespec(time, &to);
	if (error)
		return error;
	if (clock != CLOCK_REALTIME || !may_set_time())
		return -EPERM;
	return clocks_set_realtime(to);
}

long sys_gettimeofday(user_t time, user_t zone)
{
	int32_t words[2];

	if (time.address && put_timeval(time, arch_clock() + realtime_offset()))
		return -EFAULT;
	clocks_zone(words);
	if (zone.address && copy_to_user(zone, words, sizeof(words)))
		return -EFAULT;
	return 0;
}

long sys_settimeofday(user_t time, user_t zone)
{
	struct __kernel_timespec spec;
	int32_t words[2];
	ns_t to = 0;
	int error;

	if (time.address) {
		if (copy_from_user(&spec, time, sizeof(spec)))
			return -EFAULT;
		if ((uint64_t)spec.tv_nsec >= 1000000) /* microseconds here */
			return -EINVAL;
		spec.tv_nsec *= 1000;
		error = timespec_to_ns(&spec, &to);
		if (error)
			return error;
	}
	if (zone.address && copy_from_user(words, zone, sizeof(words)))
		return -EFAULT;
	if (!may_set_time())
		return -EPERM;
	if (zone.address) {
		if (words[0] > 15 * 60 || words[0] < -15 * 60)
			return -EINVAL;
		clocks_set_zone(words);
	}
	return time.address ? clocks_set_realtime(to) : 0;
}

long sys_time(user_t out)
{
	long seconds = (long)((arch_clock() + realtime_offset()) / NS_PER_SECOND);

	if (out.address && copy_to_user(out, &seconds, sizeof(seconds)))
		return -EFAULT;
	return seconds;
}
