/* SPDX-License-Identifier: MIT */
/* Which memory UEFI's runtime services may use, and how. See bars_regions.c. */
#ifndef FIRMWARE_BARS_REGIONS_H
#define FIRMWARE_BARS_REGIONS_H

#include "lib/types.h"

struct bars_region {
	uint64_t phys, size; /* bytes, whole pages */
	unsigned access;     /* enum map_access */
	uint32_t type;       /* EFI_MEMORY_TYPE */
	uint64_t attributes; /* EFI_MEMORY_*, of the memory map */
	bool told;           /* the attributes table says what its access is */
};

struct bars_regions {
	size_t count, most;      /* most: that have room in `all` */
	struct bars_region *all; /* the owner's; sorted, without overlap */
};

/* A table of descriptors, and the attributes table with its header (size 0: there is none). */
struct bars_source {
	const void *map;
	size_t map_size, stride;
	const void *table;
	size_t table_size;
};

/* How many there can be: what `all` must have room for. */
size_t bars_regions_most(const struct bars_source *source);
/* NULL, or the first thing that is wrong: what makes no sense is left out. */
const char *bars_regions_find(const struct bars_source *source, struct bars_regions *out);
/* NULL: none has the address. */
const struct bars_region *bars_region_at(const struct bars_regions *regions, uint64_t phys);

#endif
