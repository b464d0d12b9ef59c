/* SPDX-License-Identifier: MIT */
#ifndef X86_CLOCK_H
#define X86_CLOCK_H

#include "lib/types.h"

struct acpi_info;

/* Finds the rates of the TSC and of the APIC timer, within 2 ms; the clock starts at `tsc_start`. */
void clock_init(const struct acpi_info *acpi, uint64_t tsc_start);
uint64_t clock_tsc_frequency(void); /* Hz */
/* Pure: out = value * multiplier >> 32 without losing bits; the multiplier that turns `from` Hz into
 * `to` Hz. */
uint64_t clock_scale(uint64_t value, uint64_t multiplier);
uint64_t clock_multiplier(uint64_t from, uint64_t to);

#endif
