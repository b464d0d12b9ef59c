/* SPDX-License-Identifier: MIT */
/* Do the CPUs' time stamp counters agree? See tsc.c; tsc_agrees is in smp.h. */
#ifndef X86_TSC_H
#define X86_TSC_H

#include "lib/types.h"

/* By how many ticks another CPU's counter is ahead: at least and at most. */
struct tsc_bounds {
	int64_t low, high;
};

void tsc_bounds_start(struct tsc_bounds *bounds);
/* The other's counter was read as `answer` between two readings of one's own. */
void tsc_bounds_add(struct tsc_bounds *bounds, uint64_t before, uint64_t answer, uint64_t after);
bool tsc_bounds_agree(const struct tsc_bounds *bounds);

#endif
