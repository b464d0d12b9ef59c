/* SPDX-License-Identifier: MIT */
/*
 * The memory map: from the firmware's descriptors (any order, any descriptor size, overlapping if
 * the firmware is careless) to the hand-off's list: sorted, without overlaps, whole pages, equal
 * neighbours merged.
 *
 * Where descriptors overlap, the more restrictive type wins, so that a careless firmware costs
 * memory and never gives away what is not RAM. Attributes of the winners are and-ed, but for
 * EFI_MEMORY_RUNTIME, which is or-ed.
 */
#ifndef LOADER_MEMORY_MAP_H
#define LOADER_MEMORY_MAP_H

#include "verdict.h"

#include <baton/handoff.h>

#define MEMORY_PAGE     UINT64_C(4096)
#define MEMORY_PHYS_END (UINT64_C(1) << 52) /* past the last address that the CPU can have */

/* EFI_MEMORY_DESCRIPTOR, UEFI 2.10 7.2.3; the firmware's may be longer. */
struct firmware_descriptor {
	uint32_t type, padding;
	uint64_t physical_start, virtual_start, pages, attributes;
};

/* Types and attributes with UEFI's numbers (7.2.1, 7.2.3). */
enum firmware_memory {
	FIRMWARE_RESERVED,
	FIRMWARE_LOADER_CODE,
	FIRMWARE_LOADER_DATA,
	FIRMWARE_BOOT_SERVICES_CODE,
	FIRMWARE_BOOT_SERVICES_DATA,
	FIRMWARE_RUNTIME_CODE,
	FIRMWARE_RUNTIME_DATA,
	FIRMWARE_CONVENTIONAL,
	FIRMWARE_UNUSABLE,
	FIRMWARE_ACPI_RECLAIM,
	FIRMWARE_ACPI_NVS,
	FIRMWARE_MMIO,
	FIRMWARE_MMIO_PORTS,
	FIRMWARE_PAL_CODE,
	FIRMWARE_PERSISTENT,
	FIRMWARE_UNACCEPTED,
};
#define FIRMWARE_MEMORY_WB      UINT64_C(0x8)
#define FIRMWARE_MEMORY_SP      UINT64_C(0x40000) /* specific purpose: a driver's, not ours */
#define FIRMWARE_MEMORY_RUNTIME (UINT64_C(1) << 63)

struct memory_list {
	struct handoff_memory *entries;
	size_t count, capacity;
};

/* While boot services live, the loader's own memory is in use; afterwards it is free. */
enum memory_phase { MEMORY_BEFORE_EXIT, MEMORY_AFTER_EXIT };

/* Entries that the output and the scratch array need at most for `descriptors` of them. */
size_t memory_map_capacity(size_t descriptors);

/*
 * Fills `list` (whose entries and capacity are set) from `raw`: `raw_size` bytes, a descriptor each
 * `descriptor_size`. `scratch` holds as many entries as there are descriptors.
 */
enum verdict memory_map_sanitise(const void *raw, size_t raw_size, size_t descriptor_size,
	enum memory_phase phase, struct handoff_memory *scratch, struct memory_list *list,
	struct complaint *why);

/*
 * Gives `range` (whole pages; size 0: nothing to do) the type of what the loader put there. It must
 * lie within one entry of type HANDOFF_MEMORY_FREE. Adds up to two entries.
 */
enum verdict memory_map_claim(struct memory_list *list, struct handoff_range range,
	enum handoff_memory_type type, struct complaint *why);

/* Whether the direct map covers it. */
bool memory_type_is_ram(uint32_t type);

#endif
