/* SPDX-License-Identifier: MIT */
/* The hand-off's memory map, for those who ask later what an address is. See memory_map.c. */
#ifndef FIRMWARE_MEMORY_MAP_H
#define FIRMWARE_MEMORY_MAP_H

#include "baton/handoff.h"
#include "lib/types.h"

/* Checked entries, sorted and without overlap, in memory that is never given back. */
void memory_map_keep(const struct handoff_memory *map, size_t count);
/* Entry `index`, from 0 on; NULL: there are no more. */
const struct handoff_memory *memory_map_entry(size_t index);
/* The entry that holds an address; NULL: none does. */
const struct handoff_memory *memory_map_find(phys_t address);
/* Memory of this type is RAM that a kernel may use, or that its loader has given to it. */
bool memory_map_is_usable(uint32_t type);
/* Whether the firmware's own in [phys, phys + size) stays as it is: no byte is of RAM that the kernel uses. */
bool memory_map_is_kept(phys_t phys, uint64_t size);
/* The end of the highest entry that is RAM. */
phys_t memory_map_ram_end(void);

#endif
