/* SPDX-License-Identifier: MIT */
/* Physical page frames: the page-frame array and the buddy allocator. See pages.c. */
#ifndef MEMORY_PAGES_H
#define MEMORY_PAGES_H

#include "arch_cpu.h"
#include "lib/lock.h"
#include "lib/types.h"

#define PAGES_MAX_ORDER 10 /* 4 MiB blocks are the largest */

struct object;

enum frame_state {
	FRAME_NONE,     /* not RAM, or firmware's, or never handed over: all-zero */
	FRAME_FREE,     /* head of a free block of `order` */
	FRAME_USED,     /* head of an allocated block of `order`, owner unsaid */
	FRAME_SLAB,     /* head of a slab */
	FRAME_TABLE,    /* a page table */
	FRAME_OBJECT,   /* a page of a memory object: object, index valid */
	FRAME_ANON,     /* a private anonymous page of a process */
	FRAME_INITRD,   /* part of the initrd, to be adopted by a file or freed */
	FRAME_STACK,    /* a kernel stack */
	FRAME_TAIL,     /* allocated, not the head of its block */
};

/* One page frame; 32 bytes. An all-zero frame is a valid FRAME_NONE or the inside of a free block,
 * so that a fresh section of the array needs no pass over it. */
struct frame {
	uint32_t references; /* 0: free or unowned */
	uint8_t state;       /* enum frame_state */
	uint8_t order;       /* of the block, on its head */
	uint16_t flags;
	union {
		struct {
			uint32_t next, prev; /* frame numbers: links of a free list */
			uint64_t unused;
			uint64_t unused2;
		} free;
		struct {
			struct object *object;
			uint64_t index; /* in pages */
			uint64_t link;
		} page;
		struct {
			void *cache;
			void *free;
			uint32_t used;
			uint32_t next;
		} slab;
	};
};

enum pages_flags {
	PAGES_NORMAL = 0,
	PAGES_ZERO = 1, /* filled with zeros */
};

struct pages_range {
	phys_t base;
	uint64_t size;
};

struct pages_stats {
	uint64_t free;     /* pages that can be allocated, in active sections or not */
	uint64_t total;    /* pages ever handed to the allocator */
	uint64_t array;    /* pages that the page-frame array takes (a part of total) */
	uint64_t by_state[16]; /* allocated pages by enum frame_state */
};

/* Starts the allocator over `count` free ranges, sorted, page-aligned, not overlapping (they may
 * touch). The array lies at `frames_virt`; its sections of 128 MiB are backed when they are first needed,
 * out of their own memory. Panics only when not one section can be backed. */
void pages_init(virt_t frames_virt, const struct pages_range *ranges, size_t count);

/* Hands over more RAM later (boot services' memory, dropped tables, the initrd's pages). May be
 * called for a range in a section that is not active yet. */
void pages_donate(phys_t base, uint64_t size);

/* Makes sure that the array is backed for the range and marks its frames `state` with one reference
 * each (the initrd's pages before files adopt them). -ENOMEM: the array could not be backed. */
int pages_claim(phys_t base, uint64_t size, enum frame_state state) MUST_CHECK;

/* 2^order pages, naturally aligned, or NULL. The head has one reference and state `state`. */
struct frame *pages_alloc(unsigned order, enum frame_state state, enum pages_flags flags) MUST_CHECK;
void pages_free(struct frame *frame, unsigned order);

/* References to single pages (order 0). frame_put frees the page when the last one goes. */
void frame_get(struct frame *frame);
void frame_put(struct frame *frame);

phys_t frame_phys(const struct frame *frame);
struct frame *phys_frame(phys_t phys); /* NULL: no active section there */
void *frame_ptr(const struct frame *frame); /* through the direct map */

void pages_statistics(struct pages_stats *out);

/* For tests: the nth allocation from now fails (0: none does). */
void pages_fail_nth(uint64_t n);

/* For tests: walks all of it; returns NULL or the first broken invariant in words. */
const char *pages_audit(void);

#endif
