/* SPDX-License-Identifier: MIT */
/*
 * madvise, msync, mincore: man 2 of each. What is asked of a range is done to the VMAs in it one by
 * one; a hole is passed over and makes ENOMEM of the result, at the end.
 *
 * MADV_FREE gives the pages up at once, as MADV_DONTNEED does: Linux may do so at any time. Advice on
 * how memory will be read is kept and has no effect, since there is nothing to read ahead from.
 */
#include <linux/mman.h>

#include <asm/mman.h>

#include "lib/errno.h"
#include "memory/object.h"
#include "memory/space_internal.h"

typedef int (*visitor)(
	struct space *space, struct vma *vma, uintptr_t start, uintptr_t end, int argument);

/* Calls visit for each VMA's part of the range, as Linux's madvise walks. */
static int walk(struct space *space, uintptr_t start, uintptr_t end, visitor visit, int argument)
{
	int hole = 0;

	while (start < end) {
		struct vma *vma = vma_find(space, start);
		uintptr_t stop;
		int error;

		if (!vma)
			return -ENOMEM;
		if (vma->start > start) {
			hole = -ENOMEM;
			start = vma->start;
			if (start >= end)
				break;
		}
		stop = vma->end < end ? vma->end : end;
		error = visit(space, vma, start, stop, argument);
		if (error)
			return error;
		start = stop;
	}
	return hole;
}

/* ---- madvise ---- */

/* Flags to set and to clear, by advice. */
static int flag_change(int advice, unsigned *set, unsigned *clear)
{
	*set = *clear = 0;
	switch (advice) {
	case MADV_NORMAL:
		*clear = VMA_SEQUENTIAL | VMA_RANDOM;
		return 0;
	case MADV_SEQUENTIAL:
		*set = VMA_SEQUENTIAL;
		*clear = VMA_RANDOM;
		return 0;
	case MADV_RANDOM:
		*set = VMA_RANDOM;
		*clear = VMA_SEQUENTIAL;
		return 0;
	case MADV_DONTFORK:
		*set = VMA_DONT_FORK;
		return 0;
	case MADV_DOFORK:
		*clear = VMA_DONT_FORK;
		return 0;
	case MADV_WIPEONFORK:
		*set = VMA_WIPE_ON_FORK;
		return 0;
	case MADV_KEEPONFORK:
		*clear = VMA_WIPE_ON_FORK;
		return 0;
	case MADV_DONTDUMP:
		*set = VMA_DONT_DUMP;
		return 0;
	case MADV_DODUMP:
		*clear = VMA_DONT_DUMP;
		return 0;
	default:
		return -EINVAL;
	}
}

/* The vDSO's data, which Linux has as device memory. */
static bool is_clock_page(const struct vma *vma)
{
	return vma->flags & VMA_DONT_EXPAND && vma->flags & VMA_SHARED;
}

static int change_flags(
	struct space *space, struct vma *vma, uintptr_t start, uintptr_t end, int advice)
{
	unsigned set, clear, flags;

	if (vma->flags & VMA_DONT_EXPAND) {
		if (advice == MADV_WIPEONFORK)
			return 0; /* a child finds the same there, as ever */
		if (advice == MADV_DODUMP || (advice == MADV_DOFORK && is_clock_page(vma)))
			return -EINVAL;
	}
	if (advice == MADV_WIPEONFORK && (vma->object || (vma->flags & VMA_SHARED)))
		return -EINVAL;
	if (flag_change(advice, &set, &clear))
		return -EINVAL;
	flags = (vma->flags & ~clear) | set;
	if (flags == vma->flags)
		return 0;
	return vma_change(space, vma, start, end, vma->access, flags) ? 0 : -ENOMEM;
}

static int give_up(struct space *space, struct vma *vma, uintptr_t start, uintptr_t end, int advice)
{
	if ((vma->flags & VMA_LOCKED) && advice != MADV_DONTNEED_LOCKED)
		return -EINVAL;
	if ((advice == MADV_FREE && vma->object) || is_clock_page(vma))
		return -EINVAL;
	/* No table goes: the memory will be used again. */
	arch_unmap(&space->arch, start, end, USER_END, 0, pages_gone, space);
	return 0;
}

void space_reap(struct space *space)
{
	mutex_lock(&space->lock);
	__atomic_store_n(&space->reaped, true, __ATOMIC_RELAXED);
	for (struct vma *vma = space->first; vma; vma = vma->next) {
		if (!vma->object && !(vma->flags & VMA_LOCKED))
			arch_unmap(
				&space->arch, vma->start, vma->end, USER_END, 0, pages_gone, space);
	}
	mutex_unlock(&space->lock);
}

static int no_swap(struct space *space, struct vma *vma, uintptr_t start, uintptr_t end, int advice)
{
	return vma->flags & VMA_LOCKED ? -EINVAL : 0;
}

static int nothing(struct space *space, struct vma *vma, uintptr_t start, uintptr_t end, int advice)
{
	return 0;
}

static visitor visitor_of(int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
		return give_up;
	case MADV_COLD:
	case MADV_PAGEOUT:
		return no_swap;
	case MADV_WILLNEED:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
		return nothing;
	default: {
		unsigned set, clear;

		return flag_change(advice, &set, &clear) ? NULL : change_flags;
	}
	}
}

/* A hole is a write: not in a sealed object, and none is sealed meanwhile. */
static int punch_unsealed(struct object *object, uint64_t first, uint64_t count)
{
	int error;

	if (!object_begin_sharing(object))
		return -EPERM;
	error = object_punch(object, first, count);
	object_end_sharing(object);
	return error;
}

/* MADV_REMOVE: a hole in the objects of shared memory, for everyone. The lock is not held over the
 * walk to the others who map it. */
static int punch_holes(struct space *space, uintptr_t start, uintptr_t end)
{
	int hole = 0;

	while (start < end) {
		struct object *object = NULL;
		uint64_t first = 0, count = 0;
		struct vma *vma;
		int error = 0;

		mutex_lock(&space->lock);
		vma = vma_find(space, start);
		if (vma && vma->start > start) {
			hole = -ENOMEM;
			start = vma->start;
		}
		if (!vma) {
			error = -ENOMEM;
		} else if (start < end && ((vma->flags & VMA_LOCKED) || !vma->object)) {
			error = -EINVAL;
		} else if (start < end &&
			   (!(vma->flags & VMA_SHARED) || !(vma->access & MAP_WRITE))) {
			error = -EACCES;
		} else if (start < end) {
			uintptr_t stop = vma->end < end ? vma->end : end;

			object = vma->object;
			object_get(object);
			first = (vma->offset + (start - vma->start)) / PAGE_SIZE;
			count = (stop - start) / PAGE_SIZE;
			start = stop;
		}
		mutex_unlock(&space->lock);
		if (error)
			return error;
		if (object) {
			error = punch_unsealed(object, first, count);
			object_put(object);
		}
		if (error)
			return error;
	}
	return hole;
}

static int populate(struct space *space, uintptr_t start, uintptr_t end, int advice)
{
	int error = populate_range(
		space, start, end, advice == MADV_POPULATE_READ ? POPULATE_READ : POPULATE_WRITE);

	return error == -EAGAIN ? -ENOMEM : error;
}

int space_advise(struct space *space, uintptr_t address, size_t size, int advice)
{
	bool filling = advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE;
	visitor visit = visitor_of(advice);
	uintptr_t end = address + ALIGN_UP(size, PAGE_SIZE);
	int error;

	if (!visit && advice != MADV_REMOVE && !filling)
		return -EINVAL;
	if ((address & (PAGE_SIZE - 1)) || (size && !ALIGN_UP(size, PAGE_SIZE)) || end < address)
		return -EINVAL;
	if (end == address)
		return 0;
	if (filling)
		return populate(space, address, end, advice);
	if (advice == MADV_REMOVE)
		return punch_holes(space, address, end);
	mutex_lock(&space->lock);
	error = walk(space, address, end, visit, advice);
	mutex_unlock(&space->lock);
	return error;
}

/* ---- msync ---- */

/* Nothing waits to be written: a file's mapped pages are its data. */
static int sync_part(
	struct space *space, struct vma *vma, uintptr_t start, uintptr_t end, int flags)
{
	return (flags & MS_INVALIDATE) && (vma->flags & VMA_LOCKED) ? -EBUSY : 0;
}

int space_sync(struct space *space, uintptr_t address, size_t size, unsigned flags)
{
	uintptr_t end = address + ALIGN_UP(size, PAGE_SIZE);
	int error;

	if ((flags & ~(unsigned)(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
		(address & (PAGE_SIZE - 1)) ||
		(flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	if (end < address)
		return -ENOMEM;
	mutex_lock(&space->lock);
	error = walk(space, address, end, sync_part, (int)flags);
	mutex_unlock(&space->lock);
	return error;
}

/* ---- mincore ---- */

static uint8_t in_core(struct space *space, const struct vma *vma, uintptr_t page)
{
	struct arch_mapping now;

	if (arch_lookup(&space->arch, page, &now))
		return 1;
	return vma->object &&
	       object_has(vma->object, (vma->offset + (page - vma->start)) / PAGE_SIZE);
}

int space_in_core(struct space *space, uintptr_t address, size_t count, uint8_t *out)
{
	int error = 0;

	mutex_lock(&space->lock);
	for (size_t i = 0; i < count && !error; i++) {
		uintptr_t page = address + i * PAGE_SIZE;
		const struct vma *vma = vma_find(space, page);

		if (!vma || vma->start > page)
			error = -ENOMEM;
		else
			out[i] = in_core(space, vma, page);
	}
	mutex_unlock(&space->lock);
	return error;
}
