/* SPDX-License-Identifier: MIT */
/* The tree of VMAs of a space: finding, splitting, joining, placing. The space's lock is held. Plain
 * data: tested on the host. */
#ifndef MEMORY_VMA_H
#define MEMORY_VMA_H

#include "memory/space.h"

#define SPACE_VMAS_MAX  65530             /* vm.max_map_count at first */
#define STACK_GUARD_GAP (256 * PAGE_SIZE) /* kept free below a stack that grows */

extern int vmas_max; /* vm.max_map_count, 0 at least; atomic */

static inline uint32_t vma_most(void)
{
	return (uint32_t)__atomic_load_n(&vmas_max, __ATOMIC_RELAXED);
}

void vma_init(void);
/* A space keeps the memory of one for the next. */
struct vma *vma_alloc(struct space *space) MUST_CHECK; /* not cleared */
void vma_free(struct space *space, struct vma *vma);
void vma_free_spare(struct space *space);
void vma_tree_init(struct space *space);

static inline struct vma *vma_of(struct tree_node *node)
{
	return node ? tree_entry(node, struct vma, node) : NULL;
}

static inline size_t vma_pages(const struct vma *vma)
{
	return (vma->end - vma->start) / PAGE_SIZE;
}

/* Which of the space's counts a VMA's pages are in. */
static inline enum vma_kind vma_kind(const struct vma *vma)
{
	if ((vma->access & (MAP_EXECUTE | MAP_WRITE)) == MAP_EXECUTE &&
		!(vma->flags & VMA_GROWS_DOWN))
		return VMA_KIND_CODE;
	if (vma->flags & VMA_GROWS_DOWN)
		return VMA_KIND_STACK;
	return (vma->access & MAP_WRITE) && !(vma->flags & VMA_SHARED) ? VMA_KIND_DATA
								       : VMA_KIND_OTHER;
}

/* The VMA that holds `address`, or the first above it; NULL: none. */
struct vma *vma_find(struct space *space, uintptr_t address);
static inline struct vma *vma_next(const struct vma *vma)
{
	return vma->next;
}

static inline struct vma *vma_prev(const struct vma *vma)
{
	return vma->prev;
}

static inline struct vma *vma_first(const struct space *space)
{
	return space->first;
}

static inline struct vma *vma_last(const struct space *space)
{
	return space->last;
}

/* Makes [like->start, like->end), where nothing is, like this one: by making a neighbour longer that
 * goes on there, or by a VMA of its own, which takes a reference of its own to the object. -ENOMEM. */
int vma_add(struct space *space, const struct vma *like) MUST_CHECK;
struct vma *vma_neighbours(struct space *space, uintptr_t start, struct vma **prev);
/* The same where the neighbours are known. */
int vma_add_between(
	struct space *space, const struct vma *like, struct vma *prev, struct vma *next) MUST_CHECK;
/* The same with the memory that is there for it: `spare` is freed if it is not needed. */
void vma_add_spare(struct space *space, const struct vma *like, struct vma *spare);
/* Gives `to`, which has none, copies of the VMAs that a fork copies, each on its object's list; pages are
 * not touched. -ENOMEM: `to` has none still. */
int vma_copy_all(struct space *to, struct space *from) MUST_CHECK;
/* Takes off the tree, drops the object's reference, frees. */
void vma_remove(struct space *space, struct vma *vma);
/* For the end of a space: takes the VMAs up to `last` away, until there is none, without keeping the
 * tree. The next one; NULL: none is left. */
struct vma_batch {
	unsigned count;     /* 0 at first */
	uint64_t committed; /* pages no longer in committed_pages; 0 at first */
	void *vmas[32];
};
struct vma *vma_remove_up_to(struct space *space, struct vma *last, struct vma_batch *batch);
/* Cuts off what lies below `start` or at and above `end`; something stays. */
void vma_trim(struct space *space, struct vma *vma, uintptr_t start, uintptr_t end);
/* Splits so that no VMA straddles start or end. -ENOMEM: nothing but a split may have happened. */
int vma_isolate(struct space *space, uintptr_t start, uintptr_t end) MUST_CHECK;
/* Gives [start, end), which lies within the VMA, these properties: by a split, or by moving the border
 * to a neighbour that has them. The VMA that has `start` then is given back; NULL: no memory,
 * nothing has changed. */
struct vma *vma_change(struct space *space, struct vma *vma, uintptr_t start, uintptr_t end,
	unsigned access, unsigned flags) MUST_CHECK;
/* Joins what can be joined in and around [start, end). */
void vma_merge_range(struct space *space, uintptr_t start, uintptr_t end);
/* The highest place with `size` free bytes in [low, high); 0: none. */
uintptr_t vma_place_in(struct space *space, size_t size, uintptr_t low, uintptr_t high);
/* The hint, where `size` bytes are free at it and end by `end`; else 0. */
uintptr_t vma_place_hint(struct space *space, uintptr_t hint, size_t size, uintptr_t end);
/* Where `size` free bytes are: at `hint` when that is free, else the highest place below map_top, else
 * the highest of all. 0: nowhere. */
uintptr_t vma_place(struct space *space, uintptr_t hint, size_t size);
/* Extends a stack down to `page` with the guard gap kept. */
bool vma_grow_down(struct space *space, struct vma *vma, uintptr_t page);
/* The hole that would be left without [start, end), which is all or an end of the VMA. */
static inline void vma_bounds(
	const struct vma *vma, uintptr_t start, uintptr_t end, uintptr_t *low, uintptr_t *high)
{
	const struct vma *other;

	*low = start;
	*high = end;
	if (start == vma->start) {
		other = vma_prev(vma);
		*low = other ? other->end : 0;
	}
	if (end == vma->end) {
		other = vma_next(vma);
		*high = other ? other->start : USER_END;
	}
}

/* Where what is placed below a VMA has to end: a stack keeps its guard gap. */
static inline uintptr_t vma_lowest(const struct vma *vma)
{
	if (likely(!(vma->flags & VMA_GROWS_DOWN)))
		return vma->start;
	return vma->start > STACK_GUARD_GAP ? vma->start - STACK_GUARD_GAP : 0;
}

static inline uintptr_t vma_gap_above(const struct vma *prev, const struct vma *vma)
{
	uintptr_t end = prev ? prev->end : 0, low = vma_lowest(vma);

	return low > end ? low - end : 0;
}

/* Pages that somebody may write and that are his alone, of all spaces: Committed_AS. */
extern uint64_t committed_pages; /* atomic */

/* The space's own sums alone. */
static inline void vma_count_own(struct space *space, const struct vma *vma, int64_t pages)
{
	space->pages += (uint64_t)pages;
	space->kind_pages[vma_kind(vma)] += (uint64_t)pages;
	if (unlikely(vma->flags & VMA_LOCKED))
		space->locked_pages += (uint64_t)pages;
}

static inline void vma_account(struct space *space, const struct vma *vma, int64_t pages)
{
	vma_count_own(space, vma, pages);
	if (vma->flags & VMA_ACCOUNTED)
		__atomic_fetch_add(&committed_pages, (uint64_t)pages, __ATOMIC_RELAXED);
}

/* vma_link.c, for vma.c alone: the tree and the gaps; the sums are the caller's. */
void vma_link(struct space *space, struct vma *vma, struct vma *prev, struct vma *next);
void vma_unlink(struct space *space, struct vma *vma);
/* After an end has moved or GROWS_DOWN has changed: the gaps below the VMA and below the next. */
void vma_gap_changed(struct vma *vma);

#endif
