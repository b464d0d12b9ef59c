/* SPDX-License-Identifier: MIT */
#ifndef X86_CLOCK_H
#define X86_CLOCK_H

#include "lib/types.h"

struct acpi_info;

/* What the clock is read by: nanoseconds = (TSC - start) * to_ns >> 32, unless the TSC is not it. */
struct clock_words {
	uint64_t start, to_ns;
	bool by_reference; /* atomic: another counter is the clock */
};
extern struct clock_words clock_words;

/* A first guess at the TSC's rate, by a quarter of a millisecond of the 8254, so that the log's first
 * lines have their time; where no 8254 counts the clock stands at 0 until clock_init. */
void clock_early(uint64_t tsc_start);
/* Finds the rates of the TSC and of the APIC timer, within 2 ms; the clock starts at `tsc_start`. */
void clock_init(const struct acpi_info *acpi, uint64_t tsc_start);
uint64_t clock_tsc_frequency(void); /* Hz */
bool clock_by_tsc(void);            /* not since arch_clock_leave_tsc */
/* Pure: out = value * multiplier >> 32 without losing bits; the multiplier that turns `from` Hz into
 * `to` Hz. */
uint64_t clock_scale(uint64_t value, uint64_t multiplier);
uint64_t clock_multiplier(uint64_t from, uint64_t to);

#endif
