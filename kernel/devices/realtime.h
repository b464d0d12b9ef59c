/* SPDX-License-Identifier: MIT */
#ifndef DEVICES_REALTIME_H
#define DEVICES_REALTIME_H

#include "lib/types.h"

struct acpi_info;

/* Reads the date from the CMOS clock. */
void realtime_init(const struct acpi_info *acpi);
ns_t realtime_offset(void); /* what CLOCK_REALTIME is ahead of the monotonic clock */
/* Days from 1970-01-01 to a date of the Gregorian calendar. Pure. */
int64_t realtime_days(int64_t year, unsigned month, unsigned day);

#endif
