/* SPDX-License-Identifier: MIT */
/*
 * The copy of a space for a child.
 *
 * VMAs are copied, and the tables' entries with them, so that the child need not fault for what its
 * parent has: each frame gets one more reference, and in private VMAs both lose the right to write,
 * which gives the first of the two that writes a page of its own (fault.c). An entry that the
 * child does not get, since it is not there yet, it makes by a fault of its own.
 *
 * Both spaces' locks are held, the parent's first: the child's is new, but its VMAs are on the lists
 * of their objects before its entries are there, and object_unmap finds it by them. It waits then,
 * and unmaps what is copied of the pages that go. Nobody else knows the child.
 *
 * Failure: the child is taken down as any space is. The parent is as it was but for rights to write,
 * which come back by faults.
 */
#include "lib/errno.h"
#include "memory/space_internal.h"
#include "process/current.h"

static void page_shared(void *context, phys_t phys)
{
	struct space *child = context;
	struct frame *frame = phys_frame(phys);

	if (frame == zero_frame)
		return;
	frame_get(frame);
	child->resident[frame_kind(frame)]++;
}

/* Ranges with less than this between them are copied as one, if the parent has nothing there. */
#define NEAR (16 * PAGE_SIZE)

static bool goes_along(const struct vma *vma, const struct vma *next, uintptr_t near)
{
	return next && next->start - vma->end <= near && !(next->flags & VMA_WIPE_ON_FORK) &&
	       !((vma->flags ^ next->flags) & VMA_SHARED);
}

static int share_pages(struct space *child, const struct space *parent, struct arch_share *share)
{
	uintptr_t near = child->vma_count == parent->vma_count ? NEAR : 0;
	struct vma *first = vma_find(child, 0), *last, *next;
	int error = 0;

	for (; first && !error; first = next) {
		last = first;
		next = vma_next(first);
		if (first->flags & VMA_WIPE_ON_FORK)
			continue;
		for (; goes_along(last, next, near); next = vma_next(next))
			last = next;
		share->read_only = !(first->flags & VMA_SHARED);
		error = arch_share(share, first->start, last->end, page_shared, child);
		sched_point();
	}
	return error;
}

static void copy_fields(struct space *child, const struct space *parent)
{
	child->brk_start = parent->brk_start;
	child->brk = parent->brk;
	child->map_top = parent->map_top;
	child->stack_top = parent->stack_top;
	child->arguments = parent->arguments;
	child->arguments_end = parent->arguments_end;
	child->environment_end = parent->environment_end;
	child->auxv = parent->auxv;
	child->membarrier = parent->membarrier;
	child->code = parent->code;
	child->code_end = parent->code_end;
	child->data = parent->data;
	child->data_end = parent->data_end;
	child->stack_start = parent->stack_start;
}

/* Whether all that the parent was promised may be promised again. */
static bool may_copy(struct space *parent)
{
	uint64_t pages = 0;

	if (likely(!overcommit_is(OVERCOMMIT_NEVER)))
		return true;
	for (const struct vma *vma = vma_first(parent); vma; vma = vma_next(vma))
		if (vma->flags & VMA_ACCOUNTED && !(vma->flags & VMA_DONT_FORK))
			pages += vma_pages(vma);
	return memory_enough(pages);
}

struct space *space_fork(struct space *parent)
{
	struct space *child = space_create();
	struct arch_share share;
	int error;

	if (!child)
		return NULL;
	mutex_lock(&parent->lock);
	mutex_lock_nested(&child->lock);
	copy_fields(child, parent);
	error = may_copy(parent) ? vma_copy_all(child, parent) : -ENOMEM;
	if (!error) {
		arch_share_begin(&share, &parent->arch, &child->arch);
		error = share_pages(child, parent, &share);
		arch_share_end(&share);
	}
	mutex_unlock(&child->lock);
	mutex_unlock(&parent->lock);
	if (!error)
		return child;
	space_put(child);
	return NULL;
}
