/* SPDX-License-Identifier: MIT */
/* The page of the vDSO's data: written by the kernel, read by user mode. Plain types, for both. */
#ifndef VDSO_DATA_H
#define VDSO_DATA_H

#include <stdint.h>

#define VDSO_PAGE_SIZE 4096 /* of the data; the code follows it */

enum vdso_flags {
	VDSO_CLOCK = 1,      /* the TSC may be read as the clock */
	VDSO_CPU_NUMBER = 2, /* RDTSCP gives the CPU's index */
};

struct vdso_data {
	uint32_t sequence; /* odd: it is being changed; other than before: read again */
	uint32_t flags; /* enum vdso_flags; never changes while a process runs, but to lose bits */
	/* Monotonic nanoseconds = (TSC - start) * multiplier >> 32. */
	uint64_t start, multiplier;
	uint64_t realtime; /* nanoseconds that CLOCK_REALTIME is ahead of the monotonic clock */
	int64_t tai;       /* nanoseconds that CLOCK_TAI is ahead of CLOCK_REALTIME */
	int32_t zone[2];   /* struct timezone: minutes west, kind of daylight saving */
};

#endif
