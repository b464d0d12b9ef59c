/* SPDX-License-Identifier: MIT */
/*
 * The hand-off's memory map as it was checked at the start (handoff_intake.c). It lies in memory of the
 * hand-off's own, which the page allocator never gets, so it is kept where it is: nothing is copied,
 * nothing changes, nobody needs a lock.
 */
#include "firmware/memory_map.h"

#include "firmware/handoff_intake.h"

static const struct handoff_memory *entries;
static size_t entry_count;

void memory_map_keep(const struct handoff_memory *map, size_t count)
{
	entries = map;
	entry_count = count;
}

const struct handoff_memory *memory_map_entry(size_t index)
{
	return index < entry_count ? &entries[index] : NULL;
}

const struct handoff_memory *memory_map_find(phys_t address)
{
	size_t low = 0, high = entry_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (entries[middle].base + entries[middle].size <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < entry_count && entries[low].base <= address ? &entries[low] : NULL;
}

bool memory_map_is_usable(uint32_t type)
{
	return type == HANDOFF_MEMORY_FREE || type == HANDOFF_MEMORY_BOOT_SERVICES ||
	       (type >= HANDOFF_MEMORY_KERNEL && type <= HANDOFF_MEMORY_STACK);
}

bool memory_map_is_kept(phys_t phys, uint64_t size)
{
	if (phys + size < phys)
		return false;
	for (size_t i = 0; i < entry_count; i++) {
		if (entries[i].base < phys + size && phys < entries[i].base + entries[i].size &&
			memory_map_is_usable(entries[i].type))
			return false;
	}
	return true;
}

phys_t memory_map_ram_end(void)
{
	for (size_t i = entry_count; i--;) {
		if (handoff_is_ram(entries[i].type))
			return entries[i].base + entries[i].size;
	}
	return 0;
}
