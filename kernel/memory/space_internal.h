/* SPDX-License-Identifier: MIT */
/* What the files of address spaces share, and nobody else. See space.c. */
#ifndef MEMORY_SPACE_INTERNAL_H
#define MEMORY_SPACE_INTERNAL_H

#include "memory/pages.h"
#include "memory/space.h"
#include "memory/vma.h"

extern struct frame *zero_frame;

/* Which of a space's counts a page is in. */
static inline enum resident_kind frame_kind(const struct frame *frame)
{
	if (frame->state == FRAME_ANON)
		return RESIDENT_ANON;
	return frame->flags & FRAME_SHMEM ? RESIDENT_SHMEM : RESIDENT_FILE;
}

/* What page-table entries of a VMA may allow: x86 has no memory that can be written or executed but
 * not read. */
static inline unsigned table_access(const struct vma *vma)
{
	return vma->access ? vma->access | MAP_READ : 0;
}

/* May a page of a VMA (the context) be written without a copy? */
bool sole_owner(void *context, phys_t phys);
/* For arch_unmap; the context is the space. */
void pages_gone(void *context, const struct arch_gone *pages, unsigned count);
/* Unmaps whole VMAs in the range; vma_isolate went before. */
void space_unmap_locked(struct space *space, uintptr_t start, uintptr_t end);

struct fault_result;
int fault_locked(struct space *space, uintptr_t address, enum fault_access access,
	struct fault_result *result) MUST_CHECK;

#endif
