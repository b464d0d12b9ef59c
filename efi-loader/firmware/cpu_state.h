/* SPDX-License-Identifier: MIT */
#ifndef LOADER_CPU_STATE_H
#define LOADER_CPU_STATE_H

#include <baton/handoff.h>

#include "../pure/placement.h"

/* Written by the entry point. */
extern uint64_t entry_tsc, entry_rsp, entry_rflags;

/* The CPU as the firmware left it; call before anything changes it. */
void cpu_state_read(struct handoff_cpu *state);

/* enum paging_features of this CPU. */
unsigned int cpu_paging_features(void);

/*
 * Memory that runs this program although `map` may call it free: the stack, and the page tables
 * when they lie in free memory (U-Boot). At most PLACEMENT_AVOID_MAX ranges; returns their number.
 */
size_t cpu_memory_in_use(
	const struct memory_list *map, struct handoff_range ranges[PLACEMENT_AVOID_MAX]);

#endif
