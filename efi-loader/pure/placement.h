/* SPDX-License-Identifier: MIT */
/*
 * Where things go: physically as low and as close together as the map allows, virtually at random.
 *
 * Physically: above 16 MiB (what lies below stays for devices with short addresses and for the
 * trampoline of the other CPUs), in the lowest hole that takes all pieces together; the kernel
 * backs its page-frame array by sections of 128 MiB, so nearness is memory saved. Where no hole
 * takes all, the pieces before the last (the initrd) together; otherwise each piece by itself, as
 * low as it goes.
 *
 * Virtually: the slides of the design's address space; 0 without KASLR.
 */
#ifndef LOADER_PLACEMENT_H
#define LOADER_PLACEMENT_H

#include "memory_map.h"

#define PLACEMENT_PIECES_MAX 8u
#define PLACEMENT_AVOID_MAX  16u

struct placement_piece {
	const char *name; /* for the complaint */
	uint64_t size;    /* bytes, whole pages; 0: not placed */
	uint64_t end_max; /* must end at or below */
	uint64_t base;    /* out */
};

/*
 * Chooses the base of each of `count` pieces within HANDOFF_MEMORY_FREE entries of `map`, out of
 * the way of `avoid` (ranges in use although the map calls them free).
 */
enum verdict placement_choose(const struct memory_list *map, const struct handoff_range *avoid,
	size_t avoid_count, struct placement_piece *pieces, size_t count, struct complaint *why);

struct placement_slides {
	uint64_t kernel; /* added to the ELF's addresses */
	uint64_t direct_map_virt, dynamic_virt, frames_virt;
};

/* From 32 random bytes; NULL: all slides 0. */
struct placement_slides placement_slides(const uint64_t random[4]);

/* The direct map must end before the dynamic area: bytes that it may span. */
uint64_t placement_direct_map_limit(const struct placement_slides *slides);

#endif
