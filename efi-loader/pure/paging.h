/* SPDX-License-Identifier: MIT */
/*
 * Page tables (Intel SDM 3A 4.5), built in one contiguous piece of memory whose size is known
 * before it is allocated.
 *
 * Each mapping is a run: whole pages, one access, the largest pages that alignment and CPU allow.
 * Nothing is mapped twice: that is refused. No-execute is the rule, and a run with both
 * HANDOFF_WRITE and HANDOFF_EXECUTE is refused, so W^X holds for each virtual address; for aliases
 * the caller passes the read-only ranges to paging_map_ram, which takes them out of the writable
 * direct map.
 */
#ifndef LOADER_PAGING_H
#define LOADER_PAGING_H

#include "memory_map.h"

#define PAGING_READ_ONLY_MAX (HANDOFF_SEGMENTS_MAX + 1u)

enum paging_levels { PAGING_4_LEVELS = 4, PAGING_5_LEVELS = 5 };
enum paging_features {
	PAGING_GIGABYTE_PAGES = 1, /* CPUID 80000001h EDX bit 26 */
	PAGING_NO_EXECUTE = 2,     /* EFER.NXE is or will be on: without it all is executable */
};

struct paging {
	uint64_t *tables;      /* where the tables can be written; table 0 is the top-level one */
	uint64_t phys;         /* physical address of `tables` */
	size_t used;           /* tables of 4 KiB */
	size_t capacity;       /* tables of 4 KiB */
	unsigned int levels;   /* enum paging_levels */
	unsigned int features; /* enum paging_features, or-ed */
};

struct paging_run {
	uint64_t virt, phys, size; /* whole pages */
	uint32_t access;           /* enum handoff_access, or-ed */
};

/* Clears the top-level table. */
enum verdict paging_begin(struct paging *p, struct complaint *why);

enum verdict paging_map(struct paging *p, const struct paging_run *run, struct complaint *why);

/*
 * The direct map: all RAM of `map` at `virt` + its physical address, writable but for `read_only`
 * (sorted by base, not overlapping). `size` gets the bytes up to the highest address mapped.
 */
enum verdict paging_map_ram(struct paging *p, const struct memory_list *map, uint64_t virt,
	const struct handoff_range *read_only, size_t read_only_count, uint64_t *size,
	struct complaint *why);

/*
 * Tables of 4 KiB that suffice for the direct map of `map`, an image of `image_size` bytes mapped
 * by 4 KiB pages (and punched out of the direct map), the stack, the jump page, wherever they lie;
 * with slack for a map that changes a little until the end. An upper bound.
 */
size_t paging_bound(const struct memory_list *map, uint64_t image_size, unsigned int features);

#endif
