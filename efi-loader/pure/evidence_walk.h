/* SPDX-License-Identifier: MIT */
/* The firmware's page tables as evidence: walked once, merged to runs; and what of memory can be read by them. */
#ifndef LOADER_EVIDENCE_WALK_H
#define LOADER_EVIDENCE_WALK_H

#include <baton/evidence_shapes.h>

struct evidence_walk {
	/* Given. */
	uint64_t root;       /* physical, of the top-level table */
	unsigned int levels; /* 4 or 5 */
	bool no_execute;     /* EFER.NXE: bit 63 means something */
	const uint64_t *(*view)(uint64_t table);
	struct evidence_mapping *runs;
	size_t capacity;
	/* Found. */
	size_t count, tables;
	bool cut; /* there was more than room for it */
};

/*
 * Fills `runs`, ascending by address; each is the longest with one access and physical addresses as contiguous as the
 * virtual ones. Access is what the tables allow: with CR0.WP = 0 ring 0 may write all of it.
 */
void evidence_walk(struct evidence_walk *walk);

/* Is [address, address + size) mapped, each page at its own address? */
bool evidence_is_mapped(const struct evidence_walk *walk, uint64_t address, uint64_t size);

#endif
