/* SPDX-License-Identifier: MIT */
/* Times that come again: what timerfd and the timers of processes share. Pure. */
#ifndef PROCESS_INTERVAL_H
#define PROCESS_INTERVAL_H

#include "process/clocks.h"

/* Moves *when on, by whole intervals, until it lies after `now`. How often it had come by then; a
 * time without interval comes once and stays. */
static inline uint64_t interval_forward(ns_t *when, ns_t interval, ns_t now)
{
	uint64_t times;

	if (now < *when)
		return 0;
	if (!interval)
		return 1;
	times = (now - *when) / interval + 1;
	if (times > (CLOCK_TIME_MAX - *when) / interval)
		*when = CLOCK_TIME_MAX; /* times <= now / interval, so it did come that often */
	else
		*when += times * interval;
	return times;
}

/* What a timer says is left: at least a nanosecond as long as it is armed. */
static inline ns_t interval_left(ns_t when, ns_t now)
{
	return when > now ? when - now : 1;
}

#endif
