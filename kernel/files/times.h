/* SPDX-License-Identifier: MIT */
/*
 * Times of files: nanoseconds since 1970, in 64 bits. The last 68 years of that range stand for those before
 * 1970, so a time is between 1901 and 2486; others are held at the ends, as Linux clamps to a range.
 */
#ifndef BATON_FILES_TIMES_H
#define BATON_FILES_TIMES_H

#include "arch/arch.h"
#include "devices/realtime.h"
#include "lib/types.h"

#define TIMES_BEFORE_SECONDS (INT64_C(1) << 31)
#define TIMES_BEFORE         ((uint64_t)TIMES_BEFORE_SECONDS * NS_PER_SECOND)
#define TIMES_NONE           (UINT64_MAX - TIMES_BEFORE) /* behind the last one */

/* In the order of the times, from 1901. */
static inline uint64_t times_order(ns_t time)
{
	return time + TIMES_BEFORE;
}

static inline int64_t times_seconds(ns_t time)
{
	return (int64_t)(times_order(time) / NS_PER_SECOND) - TIMES_BEFORE_SECONDS;
}

static inline uint32_t times_part(ns_t time)
{
	return (uint32_t)(times_order(time) % NS_PER_SECOND);
}

static inline ns_t times_of(int64_t seconds, int64_t nanoseconds)
{
	if (seconds < -TIMES_BEFORE_SECONDS)
		return -TIMES_BEFORE;
	if (seconds >= times_seconds(TIMES_NONE))
		return TIMES_NONE - 1;
	return (uint64_t)seconds * NS_PER_SECOND + (uint64_t)nanoseconds;
}

/* As by Linux's `relatime`: a read is kept only where a change is newer than the last one, or that is a day old. */
static inline bool times_want_read(ns_t accessed, ns_t modified, ns_t changed, ns_t now)
{
	uint64_t last = times_order(accessed), day = 86400 * NS_PER_SECOND;

	return last <= times_order(modified) || last <= times_order(changed) ||
	       (last < times_order(now) && now - accessed >= day);
}

/* Now by the wall clock. */
static inline ns_t vfs_now(void)
{
	return realtime_offset() + arch_clock_now();
}

#endif
