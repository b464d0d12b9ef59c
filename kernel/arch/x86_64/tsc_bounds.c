/* SPDX-License-Identifier: MIT */
/* What the rounds of tsc.c say. Pure. */
#include "tsc.h"

void tsc_bounds_start(struct tsc_bounds *bounds)
{
	*bounds = (struct tsc_bounds){INT64_MIN, INT64_MAX};
}

void tsc_bounds_add(struct tsc_bounds *bounds, uint64_t before, uint64_t answer, uint64_t after)
{
	int64_t low = (int64_t)(answer - after), high = (int64_t)(answer - before);

	if (low > bounds->low)
		bounds->low = low;
	if (high < bounds->high)
		bounds->high = high;
}

bool tsc_bounds_agree(const struct tsc_bounds *bounds)
{
	return bounds->low <= 0 && bounds->high >= 0;
}
