/* SPDX-License-Identifier: MIT */
#ifndef DEVICES_REALTIME_H
#define DEVICES_REALTIME_H

#include "lib/types.h"

struct acpi_info;

/* A moment as a clock of the machine tells it, in UTC. */
struct calendar {
	int64_t year;
	unsigned month, day, hour, minute, second; /* from 1, 1, 0, 0, 0; 60: a leap second */
};

/* Seconds since 1970 began; false: there is no such moment from 1970 to 2500. Pure. */
bool calendar_seconds(const struct calendar *moment, int64_t *seconds) MUST_CHECK;
/* The other way, for seconds in that time. Pure. */
struct calendar calendar_of(int64_t seconds);

/* Reads the date from the CMOS clock, where the machine has one. */
void realtime_init(const struct acpi_info *acpi);
/* Some clock has told the date. */
bool realtime_is_known(void);
extern ns_t realtime_offset_word; /* atomic; set by clocks.c alone after the start */

/* What CLOCK_REALTIME is ahead of the monotonic clock. */
static inline ns_t realtime_offset(void)
{
	return __atomic_load_n(&realtime_offset_word, __ATOMIC_RELAXED);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. Pure. */
int64_t realtime_days(int64_t year, unsigned month, unsigned day);

#endif
