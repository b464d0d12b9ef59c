/* SPDX-License-Identifier: MIT */
#ifndef DEVICES_REALTIME_H
#define DEVICES_REALTIME_H

#include "lib/types.h"

struct acpi_info;

/* Reads the date from the CMOS clock. */
void realtime_init(const struct acpi_info *acpi);
extern ns_t realtime_offset_word; /* atomic; set by clocks.c alone after the start */

/* What CLOCK_REALTIME is ahead of the monotonic clock. */
static inline ns_t realtime_offset(void)
{
	return __atomic_load_n(&realtime_offset_word, __ATOMIC_RELAXED);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. Pure. */
int64_t realtime_days(int64_t year, unsigned month, unsigned day);

#endif
