/* SPDX-License-Identifier: MIT */
/* Page tables read back: see mappings.c. `top` is a top-level table, in the direct map as all below it. */
#ifndef X86_MAPPINGS_H
#define X86_MAPPINGS_H

#include "arch/arch.h"

/* The first range at or above `at`. A range ends where the lower half does. False: there is none. */
bool mappings_next(const uint64_t *top, virt_t at, struct arch_range *out) MUST_CHECK;
/* NULL, or what is wrong, in words. */
const char *mappings_broken(
	const uint64_t *top, virt_t direct_map, struct arch_mappings *out) MUST_CHECK;

#endif
