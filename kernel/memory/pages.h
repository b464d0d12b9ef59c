/* SPDX-License-Identifier: MIT */
/* Physical page frames: the page-frame array and the buddy allocator. See pages.c. */
#ifndef MEMORY_PAGES_H
#define MEMORY_PAGES_H

#include "arch/arch.h"
#include "arch_cpu.h"
#include "lib/kasan.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/types.h"

#define PAGES_MAX_ORDER 10 /* 4 MiB blocks are the largest */

struct object;

/* Set by pages_alloc and pages_claim, changed by frame_set_state alone: the statistics count it. */
enum frame_state {
	FRAME_NONE,   /* not the head of a block, or not the allocator's: all-zero */
	FRAME_FREE,   /* head of a free block of `order` */
	FRAME_USED,   /* head of an allocated block of `order`, owner unsaid */
	FRAME_SLAB,   /* head of a slab */
	FRAME_TABLE,  /* a page table */
	FRAME_OBJECT, /* a page of a memory object: object, index valid */
	FRAME_ANON,   /* a private anonymous page of a process */
	FRAME_INITRD, /* part of the initrd, to be adopted by a file or freed */
	FRAME_STACK,  /* a kernel stack */
	FRAME_HEAP,   /* whole pages given by kmalloc */
	FRAME_ARRAY,  /* the page-frame array itself */
	FRAME_CACHED, /* a free page in the allocator's cache of single pages */
	FRAME_STATES,
};

/* Of a page of an object: its only content is in memory (tmpfs, shared anonymous). */
#define FRAME_SHMEM 1u

/* One page frame; 32 bytes. Only the head of a block, free or allocated, is ever written: the
 * frames behind it stay all-zero, so that a fresh section of the array needs no pass over it.
 * The union of a frame just allocated is all-zero, and its owner's to use. */
struct frame {
	uint32_t references; /* 0: free or unowned; atomic */
	uint8_t state;       /* enum frame_state */
	uint8_t order;       /* of the block, on its head */
	uint16_t flags;      /* the owner's; 0 at allocation */
	union {
		struct {
			uint32_t next, prev; /* frame numbers: links of a free list; 0: end */
		} free;
		struct {
			struct object *object;
			uint64_t index; /* in pages */
			uint64_t link;
		} page;
		struct {
			void *cache;
			uint32_t next, prev; /* frame numbers: links of a list of slabs; 0: end */
			uint16_t free;       /* first free object's index + 1; 0: none */
			uint16_t used;       /* objects given out */
			uint16_t fresh;      /* objects from this index on were never given out */
		} slab;
	};
};

_Static_assert(sizeof(struct frame) == 32, "the design says 32 bytes a frame");

enum pages_flags {
	PAGES_NORMAL = 0,
	PAGES_ZERO = 1, /* filled with zeros */
};

struct pages_range {
	phys_t base;
	uint64_t size; /* bytes */
};

/* In pages. free + stranded + the sum of by_state == total. */
struct pages_stats {
	uint64_t total;    /* ever handed to the allocator: donated or claimed */
	uint64_t free;     /* can be allocated, in active sections or not */
	uint64_t stranded; /* free, but in a section with too little RAM to back its own array */
	uint64_t array;    /* by_state[FRAME_ARRAY] */
	uint64_t sections; /* active sections (of 128 MiB), not pages */
	uint64_t by_state[16]; /* allocated pages by enum frame_state */
};

/* Starts the allocator over `count` free ranges in any order, not overlapping; partial pages at
 * their ends are left out, and so is page 0. The array lies at `frames_virt`; its sections of
 * 128 MiB are backed when they are first needed, out of their own memory. `ranges` is not needed
 * afterwards; a caller short of room may give some ranges here and donate the rest one by one.
 * Panics only when not one section can be backed. */
void pages_init(virt_t frames_virt, const struct pages_range *ranges, size_t count);
/* The same, but it starts in the section where `near` lies, if that has RAM enough: the initrd's
 * frames, say, are claimed anyway, and a second section would cost a second MiB. */
void pages_init_near(
	virt_t frames_virt, const struct pages_range *ranges, size_t count, phys_t near);

/* Hands over more RAM later (boot services' memory, dropped tables): nobody may use it any more.
 * Works for ranges in sections that are not active, which stay so. Partial pages at the ends are
 * left out. Panics on a range that the allocator has already. */
void pages_donate(phys_t base, uint64_t size);

/* Makes sure that the array is backed for the range, its ends rounded outwards to whole pages, and
 * marks each frame `state` with one reference (the initrd's pages before files adopt them). The
 * range must not have been handed over; frame_put or pages_free of order 0 hands over page by page.
 * -ENOMEM: the array could not be backed; no frame is marked then. */
int pages_claim(phys_t base, uint64_t size, enum frame_state state) MUST_CHECK;

/* 2^order pages, naturally aligned, or NULL. The head has one reference and state `state`. */
struct frame *pages_alloc(
	unsigned order, enum frame_state state, enum pages_flags flags) MUST_CHECK;
/* The caller holds the one reference. Panics on what is not an allocated block of that order. */
void pages_free(struct frame *frame, unsigned order);

/* A page table, clear; and one that its owner has cleared again, some of which are kept for the next. */
struct frame *pages_alloc_table(void) MUST_CHECK;
void pages_free_table(struct frame *frame);

/* Once the machine is stopped by a panic: so many pages in a row, clear, for ever. No lock. 0: there are none. */
phys_t pages_in_panic(unsigned count) MUST_CHECK;

/* Says what an allocated block is for from now on. The caller owns it. */
void frame_set_state(struct frame *frame, enum frame_state state);

/* References to single pages (order 0). frame_put frees the page when the last one goes. Any
 * context, no lock needed. */
static inline void frame_get(struct frame *frame)
{
	uint32_t before = __atomic_fetch_add(&frame->references, 1, __ATOMIC_RELAXED);

	assert(before != 0 && before != UINT32_MAX);
}

void frame_put_last(struct frame *frame, uint32_t before);
static inline void frame_put(struct frame *frame)
{
	uint32_t before = __atomic_fetch_sub(&frame->references, 1, __ATOMIC_ACQ_REL);

	if (unlikely(before <= 1))
		frame_put_last(frame, before);
}

void frames_put(struct frame *const *frames, unsigned count); /* up to FRAMES_AT_ONCE */
#define FRAMES_AT_ONCE 32u

/* ---- Frames and addresses: on every path that maps, so inline ---- */

#define SECTION_SHIFT  27
#define SECTION_FRAMES (UINT64_C(1) << (SECTION_SHIFT - PAGE_SHIFT))
/* Frame numbers have 32 bits: 16 TiB. */
#define FRAMES_MAX   (UINT64_C(1) << 32)
#define SECTIONS_MAX (FRAMES_MAX / SECTION_FRAMES)

extern struct frame *frame_array; /* of frame 0; fixed after pages_init */
/* One bit a section; written under the allocator's lock, read by anybody. */
extern uint64_t active_map[SECTIONS_MAX / 64];

static inline bool section_active(uint64_t section)
{
	if (unlikely(section >= SECTIONS_MAX))
		return false;
	return __atomic_load_n(&active_map[section / 64], __ATOMIC_ACQUIRE) >> (section % 64) & 1;
}

static inline phys_t frame_phys(const struct frame *frame)
{
	return (phys_t)(frame - frame_array) << PAGE_SHIFT;
}

/* NULL: no active section there. */
static inline struct frame *phys_frame(phys_t phys)
{
	return likely(section_active(phys >> SECTION_SHIFT)) ? &frame_array[phys >> PAGE_SHIFT]
							     : NULL;
}

/* Through the direct map. */
static inline void *frame_ptr(const struct frame *frame)
{
	return arch_phys_to_ptr(frame_phys(frame));
}

uint64_t pages_total(void); /* in pages; may be a little old */
void pages_statistics(struct pages_stats *out);
/* Free blocks by order. Memory that is not activated yet counts in the largest blocks that it may become. */
void pages_free_blocks(uint64_t blocks[PAGES_MAX_ORDER + 1]);

/* Allocations that are to fail (fail.c): threads that have asked for one; who decides, at the return address of the
 * call. Each entrance of the allocators begins with ALLOC_FAILS. */
extern uint32_t alloc_fail_armed; /* atomic */
extern bool (*alloc_fail_hook)(const void *site);
#define ALLOC_FAILS()                                                      \
	(unlikely(__atomic_load_n(&alloc_fail_armed, __ATOMIC_RELAXED)) && \
		alloc_fail_hook(__builtin_return_address(0)))

/* For tests: the nth allocation from now fails (0: none does). */
void pages_fail_nth(uint64_t n);

/* For tests: walks all of it; returns NULL or the first broken invariant in words. */
const char *pages_audit(void);

#endif
