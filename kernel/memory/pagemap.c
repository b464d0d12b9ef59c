/* SPDX-License-Identifier: MIT */
/* Which frames a space maps: /proc/PID/pagemap. The space's lock is held for as many pages as are asked
 * for at once; holes between VMAs and between tables cost nothing but their words. */
#include "memory/space_internal.h"
#include "memory/view.h"

/* Linux's Documentation/admin-guide/mm/pagemap.rst. */
#define PAGEMAP_FRAME_MASK ((UINT64_C(1) << 55) - 1)
#define PAGEMAP_SOFT_DIRTY (UINT64_C(1) << 55) /* since nobody has cleared it: all of a mapping */
#define PAGEMAP_EXCLUSIVE  (UINT64_C(1) << 56)
#define PAGEMAP_FILE       (UINT64_C(1) << 61) /* of a file, or shared memory */
#define PAGEMAP_PRESENT    (UINT64_C(1) << 63)

/* The page of zeroes and what is no RAM are nobody's: neither of a file nor exclusive. */
static uint64_t pagemap_entry(const struct arch_mapping *mapping, enum pagemap_frames frames)
{
	const struct frame *frame = phys_frame(mapping->phys);
	uint64_t entry = PAGEMAP_PRESENT | PAGEMAP_SOFT_DIRTY;
	uint32_t references;

	if (frames == PAGEMAP_FRAMES)
		entry |= mapping->phys / PAGE_SIZE & PAGEMAP_FRAME_MASK;
	if (!frame || (frame->state != FRAME_ANON && frame->state != FRAME_OBJECT))
		return entry;
	references = __atomic_load_n(&frame->references, __ATOMIC_RELAXED);
	if (frame->state == FRAME_OBJECT)
		entry |= PAGEMAP_FILE;
	if (frame_mappings(frame, references) == 1)
		entry |= PAGEMAP_EXCLUSIVE;
	return entry;
}

static void pagemap_of_vma(struct space *space, uintptr_t from, uintptr_t to,
	enum pagemap_frames frames, uint64_t *out)
{
	struct arch_mapping mapping;

	for (uintptr_t page = from; page < to; page += PAGE_SIZE)
		out[(page - from) / PAGE_SIZE] = PAGEMAP_SOFT_DIRTY;
	for (uintptr_t page = arch_next_page(&space->arch, from, to); page < to;
		page = arch_next_page(&space->arch, page + PAGE_SIZE, to)) {
		if (arch_lookup(&space->arch, page, &mapping))
			out[(page - from) / PAGE_SIZE] = pagemap_entry(&mapping, frames);
	}
}

void space_pagemap(struct space *space, uint64_t first, size_t count, enum pagemap_frames frames,
	uint64_t *out)
{
	uintptr_t start = first * PAGE_SIZE, end = start + count * PAGE_SIZE;

	for (size_t i = 0; i < count; i++)
		out[i] = 0;
	mutex_lock(&space->lock);
	for (struct vma *vma = vma_find(space, start); vma && vma->start < end;
		vma = vma_next(vma)) {
		uintptr_t from = vma->start > start ? vma->start : start;
		uintptr_t to = vma->end < end ? vma->end : end;

		pagemap_of_vma(space, from, to, frames, out + (from - start) / PAGE_SIZE);
	}
	mutex_unlock(&space->lock);
}

uint64_t space_zero_page(void)
{
	return frame_phys(zero_frame) / PAGE_SIZE;
}
