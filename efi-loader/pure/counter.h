/* SPDX-License-Identifier: MIT */
/*
 * Boot counting, as the Boot Loader Specification has it ("Boot counting"): the file name of an entry may end in
 * `+LEFT.conf` or `+LEFT-DONE.conf`, decimal numbers: how often it may still be tried, and how often it was.
 */
#ifndef LOADER_COUNTER_H
#define LOADER_COUNTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct boot_counter {
	bool counted; /* false: the name has no counter, and the rest is 0 */
	uint32_t left, done;
};

struct boot_counter counter_read(const char *name);
/* No try is left: the entry did not come up, as often as it was to be tried. */
bool counter_is_bad(const char *name);
/* The name without its counter, which is the entry's identity; a name without one as it is. False: it does not fit. */
bool counter_strip(const char *name, char *out, size_t size);
/* The name once it has been tried again: LEFT one less (not below 0), DONE one more. False: the name has no counter, or
 * does not fit. */
bool counter_tried(const char *name, char *out, size_t size);

#endif
