/* SPDX-License-Identifier: MIT */
/* Times as user mode passes them: struct timespec and struct timeval, of 64 bits each. */
#ifndef SYSCALL_TIMESPEC_H
#define SYSCALL_TIMESPEC_H

#include <linux/time.h>

#include "lib/errno.h"
#include "lib/types.h"
#include "memory/user.h"
#include "process/clocks.h"

/* From a struct timespec in kernel memory: nanoseconds, at most CLOCK_TIME_MAX. -EINVAL: negative, or
 * nanoseconds that are none. */
static inline int MUST_CHECK timespec_to_ns(const struct __kernel_timespec *spec, ns_t *out)
{
	if (spec->tv_sec < 0 || (uint64_t)spec->tv_nsec >= NS_PER_SECOND)
		return -EINVAL;
	if ((uint64_t)spec->tv_sec >= CLOCK_TIME_MAX / NS_PER_SECOND)
		*out = CLOCK_TIME_MAX;
	else
		*out = (ns_t)spec->tv_sec * NS_PER_SECOND + (ns_t)spec->tv_nsec;
	return 0;
}

static inline int MUST_CHECK get_timespec(user_t in, ns_t *out)
{
	struct __kernel_timespec spec;

	if (copy_from_user(&spec, in, sizeof(spec)))
		return -EFAULT;
	return timespec_to_ns(&spec, out);
}

static inline long MUST_CHECK put_timespec(user_t out, ns_t time)
{
	uint64_t seconds = time / NS_PER_SECOND;

	return put_user_pair(out, seconds, time - seconds * NS_PER_SECOND);
}

static inline long MUST_CHECK put_timeval(user_t out, ns_t time)
{
	uint64_t seconds = time / NS_PER_SECOND;

	return put_user_pair(out, seconds, (time - seconds * NS_PER_SECOND) / 1000);
}

static inline struct __kernel_timespec ns_to_timespec(ns_t time)
{
	return (struct __kernel_timespec){
		(long)(time / NS_PER_SECOND), (long)(time % NS_PER_SECOND)};
}

#endif
