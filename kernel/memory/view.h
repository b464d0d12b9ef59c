/* SPDX-License-Identifier: MIT */
/* A look at page frames and at what a space maps, for /proc. See pages_view.c, pagemap.c. */
#ifndef MEMORY_VIEW_H
#define MEMORY_VIEW_H

#include "lib/types.h"
#include "memory/pages.h"

struct space;

struct page_view {
	uint8_t state;       /* enum frame_state; FRAME_NONE: the allocator does not have it */
	uint8_t order;       /* of the block it lies in */
	bool first;          /* of its block */
	bool shmem;          /* of an object: in memory alone */
	uint32_t references; /* the block's */
	uint32_t mappings;   /* by how many entries of page tables processes have it */
};

#define PAGES_VIEW_MAX 128u

/* How often a page is mapped is not counted anywhere: each entry of a page table has a reference, and so has
 * the object that a page belongs to. Who holds one for a moment (a fault, a read) counts as an entry. */
static inline uint32_t frame_mappings(const struct frame *frame, uint32_t references)
{
	if (frame->state == FRAME_ANON)
		return references;
	if (frame->state != FRAME_OBJECT)
		return 0;
	return references - (references && __atomic_load_n(&frame->page.object, __ATOMIC_RELAXED));
}

/* Frames from number `first` on, at most PAGES_VIEW_MAX, at one moment. */
void pages_view(uint64_t first, unsigned count, struct page_view *out);

/* Linux's /proc/PID/pagemap: a word a page from page number `first` on. Without `frames` the frame numbers
 * are left out. Sleeps. */
enum pagemap_frames { PAGEMAP_NO_FRAMES, PAGEMAP_FRAMES };
void space_pagemap(struct space *space, uint64_t first, size_t count, enum pagemap_frames frames,
	uint64_t *out);
uint64_t space_zero_page(void); /* the number of the frame of zeroes that all share */

#endif
