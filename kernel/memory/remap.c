/* SPDX-License-Identifier: MIT */
/*
 * mremap: man 2 mremap.
 *
 * A mapping becomes shorter by an unmapping, longer by moving its end where there is room, else by a
 * new VMA somewhere else to which the page-table entries move. The order of the checks is Linux's,
 * since each has an errno of its own; all that can fail comes before the entries move.
 */
#include <linux/mman.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "memory/object.h"
#include "memory/space_internal.h"

#define SPARE_VMAS 3u /* that a move may make, by splits; Linux refuses then */

struct remap {
	struct space *space;
	uintptr_t from, to;
	size_t old_size, new_size; /* whole pages; old_size 0: a second mapping of shared memory */
	unsigned flags;
};

static uintptr_t old_end(const struct remap *remap)
{
	return remap->from + remap->old_size;
}

/* May the mapping at `from` have the new size? The VMA, or NULL with the errno. */
static struct vma *check_resize(const struct remap *remap, int *error)
{
	struct space *space = remap->space;
	struct vma *vma = vma_find(space, remap->from);
	uint64_t more = remap->new_size > remap->old_size
				? (remap->new_size - remap->old_size) / PAGE_SIZE
				: 0;

	*error = -EFAULT;
	if (!vma || vma->start > remap->from)
		return NULL;
	*error = -EINVAL;
	if (!remap->old_size && (!(vma->flags & VMA_SHARED) || vma->flags & VMA_DONT_EXPAND))
		return NULL;
	if (remap->flags & MREMAP_DONTUNMAP && vma->flags & VMA_DONT_EXPAND)
		return NULL;
	*error = -EFAULT;
	if (remap->old_size > vma->end - remap->from)
		return NULL;
	if (!more)
		return vma;
	if (vma->flags & VMA_DONT_EXPAND)
		return NULL;
	*error = -EINVAL;
	if (vma->object && vma->offset + (remap->from - vma->start) + remap->new_size < vma->offset)
		return NULL;
	*error = memory_lock_more(space, vma->flags, more);
	if (*error)
		return NULL;
	*error = -ENOMEM;
	return memory_may_expand(space, vma_kind(vma), more) ? vma : NULL;
}

static bool can_pay(const struct vma *vma, uint64_t pages)
{
	return !(vma->flags & VMA_ACCOUNTED) || memory_enough(pages);
}

/* Makes the VMA longer where it is. 0; -EAGAIN: there is no room; -ENOMEM. */
static int expand(const struct remap *remap, struct vma *vma)
{
	uintptr_t end = remap->from + remap->new_size;
	struct vma *next = vma_next(vma), like = *vma;

	if (old_end(remap) != vma->end || end < remap->from || end > USER_END ||
		(next && end - vma->end > next->gap))
		return -EAGAIN;
	if (!can_pay(vma, (end - vma->end) / PAGE_SIZE))
		return -ENOMEM;
	like.start = vma->end;
	like.end = end;
	if (like.object)
		like.offset += vma->end - vma->start;
	return vma_add_between(remap->space, &like, vma, next);
}

/* What becomes of the VMA at the old place, which was isolated and whose entries are gone. */
static void leave(const struct remap *remap)
{
	struct vma *vma = vma_find(remap->space, remap->from);

	assert(vma && vma->start == remap->from && vma->end == old_end(remap));
	if (!(remap->flags & MREMAP_DONTUNMAP)) {
		vma_remove(remap->space, vma);
		return;
	}
	vma = vma_change(remap->space, vma, remap->from, old_end(remap), vma->access,
		vma->flags & ~(unsigned)(VMA_LOCKED | VMA_LOCK_ON_FAULT));
	assert(vma); /* a whole VMA needs no memory */
}

/* Frees the tables of a range where nothing is. */
static void free_tables(struct space *space, uintptr_t start, uintptr_t end)
{
	struct vma *next = vma_find(space, start);
	struct vma *prev = next ? vma_prev(next) : vma_last(space);

	arch_unmap(&space->arch, start, end, prev ? prev->end : 0, next ? next->start : USER_END,
		pages_gone, space);
}

/* Makes the source a VMA of its own and moves its entries. -ENOMEM: all is as before. */
static int move_pages(const struct remap *remap)
{
	struct space *space = remap->space;
	int error;

	if (!remap->old_size)
		return 0;
	error = vma_isolate(space, remap->from, old_end(remap));
	if (!error) {
		error = arch_move(&space->arch, remap->from, remap->to, remap->old_size);
		if (error)
			free_tables(space, remap->to, remap->to + remap->old_size);
	}
	if (error)
		vma_merge_range(space, remap->from, old_end(remap));
	return error;
}

/* Moves the mapping to `to`, where nothing is. */
static int move(const struct remap *remap, struct vma *vma)
{
	struct space *space = remap->space;
	struct vma like = *vma, *spare;
	int error;

	if (space->vma_count + SPARE_VMAS >= vma_most() ||
		!can_pay(vma, remap->new_size / PAGE_SIZE))
		return -ENOMEM;
	like.start = remap->to;
	like.end = remap->to + remap->new_size;
	if (like.object)
		like.offset += remap->from - vma->start;
	spare = vma_alloc(space);
	if (!spare)
		return -ENOMEM;
	error = move_pages(remap);
	if (error) {
		vma_free(space, spare);
		return error;
	}
	if (like.object)
		object_get(like.object);
	if (remap->old_size)
		leave(remap);
	vma_add_spare(space, &like, spare);
	if (like.object)
		object_put(like.object);
	/* Only now, since the new place may share a table with the old one. */
	if (remap->old_size && !(remap->flags & MREMAP_DONTUNMAP))
		free_tables(space, remap->from, old_end(remap));
	vma_merge_range(space, remap->from, old_end(remap));
	return 0;
}

/* MREMAP_FIXED and MREMAP_DONTUNMAP. */
static long remap_to(struct remap *remap)
{
	struct space *space = remap->space;
	struct vma *vma;
	int error;

	if ((remap->to & (PAGE_SIZE - 1)) || remap->new_size > USER_END ||
		remap->to > USER_END - remap->new_size)
		return -EINVAL;
	if (remap->old_size > remap->new_size && remap->old_size > USER_END - remap->from)
		return -EINVAL;
	if (old_end(remap) > remap->to && remap->to + remap->new_size > remap->from)
		return -EINVAL;
	if (space->vma_count + 2 + SPARE_VMAS >= vma_most())
		return -ENOMEM;
	if (remap->flags & MREMAP_FIXED) {
		if (!memory_may_map(remap->to))
			return -EPERM;
		error = unmap_range_locked(space, remap->to, remap->to + remap->new_size);
		if (error)
			return error;
	}
	if (remap->old_size > remap->new_size) {
		error = unmap_range_locked(space, remap->from + remap->new_size, old_end(remap));
		if (error)
			return error;
		remap->old_size = remap->new_size;
	}
	vma = check_resize(remap, &error);
	if (!vma)
		return error;
	if ((remap->flags & MREMAP_DONTUNMAP) &&
		!memory_may_expand(space, vma_kind(vma), remap->old_size / PAGE_SIZE))
		return -ENOMEM;
	if (!(remap->flags & MREMAP_FIXED)) {
		remap->to = vma_place(space, remap->to, remap->new_size);
		if (!remap->to)
			return -ENOMEM;
	}
	error = move(remap, vma);
	return error ? error : (long)remap->to;
}

static long remap_locked(struct remap *remap)
{
	struct space *space = remap->space;
	struct vma *vma = vma_find(space, remap->from);
	int error;

	if (!vma || vma->start > remap->from)
		return -EFAULT;
	if (remap->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		return remap_to(remap);
	if (remap->old_size >= remap->new_size) {
		/* Whatever else lies behind it within the old size goes too. */
		if (remap->old_size > USER_END - remap->from)
			return -EINVAL;
		error = remap->old_size > remap->new_size
				? unmap_range_locked(
					  space, remap->from + remap->new_size, old_end(remap))
				: 0;
		return error ? error : (long)remap->from;
	}
	vma = check_resize(remap, &error);
	if (!vma)
		return error;
	error = remap->old_size ? expand(remap, vma) : -EAGAIN;
	if (error != -EAGAIN)
		return error ? error : (long)remap->from;
	if (!(remap->flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	if (remap->new_size > USER_END)
		return -ENOMEM;
	remap->to = vma_place(space, 0, remap->new_size);
	if (!remap->to)
		return -ENOMEM;
	error = move(remap, vma);
	return error ? error : (long)remap->to;
}

long space_remap(struct space *space, uintptr_t address, size_t old_size, size_t new_size,
	unsigned flags, uintptr_t new_address)
{
	struct remap remap = {.space = space,
		.from = address,
		.to = new_address,
		.old_size = ALIGN_UP(old_size, PAGE_SIZE),
		.new_size = ALIGN_UP(new_size, PAGE_SIZE),
		.flags = flags};
	const struct vma *vma;
	bool fill = false;
	long result;

	if (flags & ~(unsigned)(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if ((flags & MREMAP_DONTUNMAP) && old_size != new_size)
		return -EINVAL;
	if ((address & (PAGE_SIZE - 1)) || !remap.new_size)
		return -EINVAL;
	if (!(flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)))
		remap.to = 0;
	mutex_lock(&space->lock);
	result = remap_locked(&remap);
	if (result >= 0 && remap.new_size > remap.old_size) {
		vma = vma_find(space, (uintptr_t)result);
		fill = vma && (vma->flags & (VMA_LOCKED | VMA_LOCK_ON_FAULT)) == VMA_LOCKED;
	}
	mutex_unlock(&space->lock);
	if (fill)
		(void)!populate_range(space, (uintptr_t)result + remap.old_size,
			(uintptr_t)result + remap.new_size, POPULATE_AS_ALLOWED);
	return result;
}
