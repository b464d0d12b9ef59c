/* SPDX-License-Identifier: MIT */
/*
 * User address spaces: which ranges a process has (VMAs), and pages on demand.
 *
 * A space is a tree of VMAs, sorted by address, never overlapping. Each is of a memory object (a
 * file's data) or anonymous. The page tables are a cache of what the VMAs promise for objects, and
 * the truth for private pages: an entry holds one reference on its frame. A private page is written
 * in place only by its sole owner (a FRAME_ANON frame with one reference); otherwise it is copied
 * first. Anonymous reads map the one zero page, which is not counted.
 *
 * Invariants: a page-table entry lies inside a VMA; it allows no more than its VMA's access; it
 * allows writing only when the VMA is shared or the frame is this space's alone; `resident` is the
 * number of entries that hold a frame.
 *
 * Locks: the space's mutex, which may be held while a filler sleeps, and is never held while user
 * memory is touched. Out of memory: an errno where a call asks, the end of the process where a fault
 * asks (space_fault).
 */
#include "memory/space.h"

#include "lib/log.h"
#include "memory/slab.h"
#include "memory/space_internal.h"
#include "process/current.h"

static struct cache space_cache;

struct frame *zero_frame;

void space_init(void)
{
	cache_init(&space_cache, "address space", sizeof(struct space), 0);
	vma_init();
	zero_frame = pages_alloc(0, FRAME_USED, PAGES_ZERO);
	if (!zero_frame)
		panic("no memory for the zero page");
}

static uint64_t last_id; /* of spaces; atomic */

struct space *space_create(void)
{
	struct space *space = cache_alloc(&space_cache);

	if (!space)
		return NULL;
	if (arch_space_init(&space->arch)) {
		cache_free(&space_cache, space);
		return NULL;
	}
	space->references = 1;
	mutex_init(&space->lock, "space->lock");
	vma_tree_init(space);
	space->map_top = USER_END;
	space->stack_top = USER_END;
	space->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
	return space;
}

void space_get(struct space *space)
{
	__atomic_add_fetch(&space->references, 1, __ATOMIC_RELAXED);
}

static void unmap_all(struct space *space);

void space_put(struct space *space)
{
	if (__atomic_sub_fetch(&space->references, 1, __ATOMIC_ACQ_REL))
		return;
	arch_space_retire(&space->arch);
	mutex_lock(&space->lock);
	unmap_all(space);
	mutex_unlock(&space->lock);
	if (unlikely(space->vma_count || space->pages || space_resident(space)))
		panic("a space ends with %u VMAs of %lu pages; resident: %ld anonymous, %ld of "
		      "files, "
		      "%ld shared",
			space->vma_count, space->pages, (long)space->resident[RESIDENT_ANON],
			(long)space->resident[RESIDENT_FILE],
			(long)space->resident[RESIDENT_SHMEM]);
	vma_free_spare(space);
	arch_space_destroy(&space->arch);
	cache_free(&space_cache, space);
}

void pages_gone(void *context, const struct arch_gone *pages, unsigned count)
{
	struct frame *frames[FRAMES_AT_ONCE];
	struct space *space = context;
	unsigned held = 0;

	space->resident_most = space_resident_peak(space);
	for (unsigned i = 0; i < count; i++) {
		struct frame *frame = phys_frame(pages[i].phys);

		if (frame == zero_frame)
			continue;
		space->resident[frame_kind(frame)]--;
		frames[held++] = frame;
	}
	frames_put(frames, held);
}

/* VMAs with less than this between them are unmapped as one: a look at an entry is cheaper than a
 * walk to it. */
#define NEAR (16 * PAGE_SIZE)

/* Unmaps the pages from a VMA to the last one that is near enough and ends before `end`, which is
 * given back. */
static struct vma *unmap_run(struct space *space, struct vma *vma, uintptr_t end)
{
	struct vma *last = vma, *next, *prev = vma_prev(vma);

	while ((next = vma_next(last)) && next->end <= end && next->start - last->end < NEAR)
		last = next;
	arch_unmap(&space->arch, vma->start, last->end, prev ? prev->end : 0,
		next ? next->start : USER_END, pages_gone, space);
	return last;
}

/* All of it, for good. */
static void unmap_all(struct space *space)
{
	struct vma *vma = space->first;
	struct vma_batch batch;

	batch.count = 0;
	batch.committed = 0;
	while (vma) {
		vma = vma_remove_up_to(space, unmap_run(space, vma, USER_END), &batch);
		sched_point();
	}
}

void space_unmap_locked(struct space *space, uintptr_t start, uintptr_t end)
{
	struct vma *vma = vma_find(space, start), *last, *next;

	while (vma && vma->start < end) {
		assert(vma->start >= start && vma->end <= end); /* vma_isolate went before */
		last = unmap_run(space, vma, end);
		for (bool more = true; more; vma = next) {
			more = vma != last;
			next = vma_next(vma);
			vma_remove(space, vma);
		}
		sched_point();
	}
}

/* May a page of a private mapping be written without a copy? */
bool sole_owner(void *context, phys_t phys)
{
	const struct vma *vma = context;
	struct frame *frame = phys_frame(phys);

	if (vma->flags & VMA_SHARED)
		return true;
	return frame != zero_frame && frame->state == FRAME_ANON &&
	       __atomic_load_n(&frame->references, __ATOMIC_ACQUIRE) == 1;
}
