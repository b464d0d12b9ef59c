/* SPDX-License-Identifier: MIT */
#ifndef X86_CLOCK_H
#define X86_CLOCK_H

#include "lib/types.h"

struct acpi_info;

enum clock_way {
	CLOCK_BY_TSC,
	CLOCK_UNSETTLED,    /* the TSC by its guessed rate, which is being measured */
	CLOCK_BY_REFERENCE, /* another counter */
};

/* What the clock is read by: nanoseconds = (TSC - start) * to_ns >> 32, unless the TSC is not it. */
struct clock_words {
	uint64_t start, to_ns;
	uint8_t way; /* atomic: enum clock_way */
};
extern struct clock_words clock_words;

/* A first guess at the TSC's rate, by a quarter of a millisecond of the 8254, so that the log's first
 * lines have their time; where no 8254 counts the clock stands at 0 until clock_init. */
void clock_early(uint64_t tsc_start);
/* Begins to measure the rates of the TSC and of the APIC timer; the clock starts at `tsc_start`. Where there was no
 * first guess, or by an 8254, it is settled at once. */
void clock_init(const struct acpi_info *acpi, uint64_t tsc_start);
/* The rates are known when it returns: a millisecond after clock_init, or later on. The clock does not go back. On the
 * boot CPU, before there are others; after it, once more, nothing is done. */
void clock_settle(void);
uint64_t clock_tsc_frequency(void); /* Hz */
bool clock_by_tsc(void);            /* not before clock_settle, nor since arch_clock_leave_tsc */
/* Pure: out = value * multiplier >> 32 without losing bits; the multiplier that turns `from` Hz into
 * `to` Hz. */
uint64_t clock_scale(uint64_t value, uint64_t multiplier);
uint64_t clock_multiplier(uint64_t from, uint64_t to);

#endif
