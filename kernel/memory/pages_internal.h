/* SPDX-License-Identifier: MIT */
/* What pages.c, sections.c and pages_audit.c share, and nobody else. See pages.c. */
#ifndef MEMORY_PAGES_INTERNAL_H
#define MEMORY_PAGES_INTERNAL_H

#include "memory/pages.h"

#define ORDERS      (PAGES_MAX_ORDER + 1)
#define ARRAY_BYTES (SECTION_FRAMES * sizeof(struct frame))
#define ARRAY_PAGES (ARRAY_BYTES / PAGE_SIZE)

/* A cache of single pages: its refills and flushes move a batch at once, so that most allocations
 * neither split nor merge blocks. One of these a CPU is the way to many CPUs. */
#define MAGAZINE_BATCH_ORDER 4
#define MAGAZINE_BATCH       (1u << MAGAZINE_BATCH_ORDER)
#define MAGAZINE_SIZE        (2 * MAGAZINE_BATCH)

struct magazine {
	unsigned count;
	struct frame *pages[MAGAZINE_SIZE];
};

/* Free RAM in sections that are not active. The record of a range stands in the range's own first
 * page: no number of ranges is too large, and remembering one cannot fail. */
struct extent {
	struct extent *next;   /* ascending; the last one: NULL */
	uint64_t first, pages; /* frame number, count */
};

struct pages_state {
	uint32_t heads[ORDERS];  /* first free block of each order; 0: none */
	uint32_t orders;         /* bit n: heads[n] is not 0 */
	uint32_t blocks[ORDERS]; /* free ones of each order */
	uint64_t free;           /* pages in free blocks, without the magazine's */
	uint64_t total;
	uint64_t by_state[FRAME_STATES];
	uint64_t fail_nth;
	struct magazine magazine;
	struct magazine zeroed; /* pages that are clear: page tables come and go that way */

	struct extent *waiting; /* sorted, neither overlapping nor touching */
	struct extent *cursor;  /* one of them, or NULL: where the last insertion was */
	uint64_t active_sections;
};

extern struct spinlock pages_lock;
extern struct pages_state pages guarded_by(pages_lock);

/* pages.c */
uint64_t buddy_take(unsigned order) requires(pages_lock); /* 0: none */
void buddy_give(uint64_t first, unsigned order) requires(pages_lock);
void buddy_give_range(uint64_t first, uint64_t count) requires(pages_lock);
void magazine_flush_all(void) requires(pages_lock);
void mark_block(uint64_t first, unsigned order, enum frame_state state) requires(pages_lock);
void mark_range(uint64_t first, uint64_t count, enum frame_state state) requires(pages_lock);

/* sections.c */

void sections_reset(void) requires(pages_lock);
/* Activates this section, if it is not active and worth it. */
void section_activate_preferred(uint64_t section) requires(pages_lock);
/* Activates the lowest section worth it. False: there is none left. */
bool section_activate_next(void) requires(pages_lock);
/* Splits what waits into what an activation could make free and what it could not. */
void waiting_count(uint64_t *free, uint64_t *stranded) requires(pages_lock);

#endif
