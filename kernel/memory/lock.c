/* SPDX-License-Identifier: MIT */
/*
 * mlock and its kin: man 2 mlock. There is no swap, so a locked page is one that has been made and is
 * counted against RLIMIT_MEMLOCK, and MADV_DONTNEED is refused for it.
 */
#include <asm/resource.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "memory/space_internal.h"

#define LOCK_FLAGS (VMA_LOCKED | VMA_LOCK_ON_FAULT)

/* Pages of the range that are locked already. */
static uint64_t locked_in(struct space *space, uintptr_t start, uintptr_t end)
{
	uint64_t pages = 0;

	for (struct vma *vma = vma_find(space, start); vma && vma->start < end;
		vma = vma_next(vma)) {
		uintptr_t low = vma->start > start ? vma->start : start;
		uintptr_t high = vma->end < end ? vma->end : end;

		if (vma->flags & VMA_LOCKED)
			pages += (high - low) / PAGE_SIZE;
	}
	return pages;
}

static int set_flags(struct space *space, uintptr_t start, uintptr_t end, unsigned vma_flags)
{
	while (start < end) {
		struct vma *vma = vma_find(space, start);
		uintptr_t stop;
		unsigned flags;

		if (!vma || vma->start > start)
			return -ENOMEM;
		stop = vma->end < end ? vma->end : end;
		flags = (vma->flags & ~(unsigned)LOCK_FLAGS) | vma_flags;
		if (flags != vma->flags && !vma_change(space, vma, start, stop, vma->access, flags))
			return -ENOMEM;
		start = stop;
	}
	return 0;
}

static int lock_locked(struct space *space, uintptr_t start, uintptr_t end, unsigned vma_flags)
{
	uint64_t pages = space->locked_pages + (end - start) / PAGE_SIZE;

	if (vma_flags && !memory_may_lock_pages(pages) &&
		!memory_may_lock_pages(pages - locked_in(space, start, end)))
		return -ENOMEM;
	return set_flags(space, start, end, vma_flags);
}

int space_lock(struct space *space, uintptr_t address, size_t size, unsigned vma_flags)
{
	uintptr_t start = ALIGN_DOWN(address, PAGE_SIZE), end;
	int error;

	if (vma_flags && !memory_may_lock())
		return -EPERM;
	size = ALIGN_UP(size + (address - start), PAGE_SIZE);
	end = start + size;
	if (end < start)
		return -EINVAL;
	if (end == start)
		return 0;
	mutex_lock(&space->lock);
	error = lock_locked(space, start, end, vma_flags);
	mutex_unlock(&space->lock);
	if (error || vma_flags != VMA_LOCKED)
		return error;
	error = populate_range(space, start, end, POPULATE_AS_ALLOWED);
	return error == -EAGAIN || error == -EINTR ? error : error ? -ENOMEM : 0;
}

int space_lock_all(
	struct space *space, enum space_lock_which which, unsigned vma_flags, unsigned future)
{
	struct vma *vma, *next;
	int error = 0;

	if ((vma_flags | future) && !memory_may_lock())
		return -EPERM;
	mutex_lock(&space->lock);
	if (vma_flags && !memory_may_lock_pages(space->pages))
		error = -ENOMEM;
	if (!error)
		space->lock_future = future;
	/* Whole VMAs: it cannot fail. */
	for (vma = vma_first(space); vma && which == SPACE_LOCK_CURRENT && !error; vma = next) {
		unsigned flags = (vma->flags & ~(unsigned)LOCK_FLAGS) | vma_flags;

		if (flags != vma->flags)
			vma = vma_change(space, vma, vma->start, vma->end, vma->access, flags);
		assert(vma);
		next = vma_next(vma);
	}
	mutex_unlock(&space->lock);
	if (error || vma_flags != VMA_LOCKED)
		return error;
	/* As far as it goes, VMA by VMA. */
	for (uintptr_t at = 0; at < USER_END;) {
		uintptr_t start, end;

		mutex_lock(&space->lock);
		vma = vma_find(space, at);
		start = vma ? vma->start : USER_END;
		end = vma ? vma->end : USER_END;
		mutex_unlock(&space->lock);
		if (vma && populate_range(space, start, end, POPULATE_AS_ALLOWED) == -EINTR)
			return -EINTR;
		at = end;
	}
	return 0;
}
