/* SPDX-License-Identifier: MIT */
/* What the files of address spaces share, and nobody else. See space.c. */
#ifndef MEMORY_SPACE_INTERNAL_H
#define MEMORY_SPACE_INTERNAL_H

#include <asm/resource.h>

#include "lib/errno.h"
#include "memory/overcommit.h"
#include "memory/pages.h"
#include "memory/space.h"
#include "memory/vma.h"
#include "process/process.h"

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

/* Unmaps what lies in [start, end). -ENOMEM: nothing has changed. */
int unmap_range_locked(struct space *space, uintptr_t start, uintptr_t end) MUST_CHECK;
/* Unmaps the pages of a part of a VMA, which is all of it or an end, if nothing else of it stays. */
void unmap_pages(struct space *space, const struct vma *vma, uintptr_t start, uintptr_t end);

/* Whether a private mapping's pages count as promised: writable ones, unless reserved expressly not. */
static inline bool accountable(unsigned access, unsigned vma_flags)
{
	return (access & MAP_WRITE) && !(vma_flags & (VMA_SHARED | VMA_NO_RESERVE));
}

/* ---- Limits: the running process's (limits.c) ---- */

static inline uint64_t memory_limit(unsigned which)
{
	const struct process *process = current_process();

	return likely(process) ? process->limits[which].soft : LIMIT_UNLIMITED;
}

bool memory_may_lock(void);
bool memory_may_lock_pages(uint64_t pages); /* as a process's sum */

/* 0, or -EAGAIN: pages with these flags would be more than may be locked. */
static inline int MUST_CHECK memory_lock_more(
	const struct space *space, unsigned vma_flags, uint64_t pages)
{
	if (likely(!(vma_flags & VMA_LOCKED)) || memory_may_lock_pages(space->locked_pages + pages))
		return 0;
	return -EAGAIN;
}

static inline bool memory_may_expand(const struct space *space, enum vma_kind kind, uint64_t pages)
{
	const struct process *process = current_process();

	if (unlikely(!process))
		return true;
	if (space->pages + pages > process->limits[RLIMIT_AS].soft / PAGE_SIZE)
		return false;
	return kind != VMA_KIND_DATA || space->kind_pages[VMA_KIND_DATA] + pages <=
						process->limits[RLIMIT_DATA].soft / PAGE_SIZE;
}

static inline bool memory_enough(uint64_t pages)
{
	return likely(overcommit_is(OVERCOMMIT_GUESS)) ? pages <= pages_total()
						       : overcommit_enough(pages);
}

struct fault_result;
int fault_locked(struct space *space, uintptr_t address, enum fault_access access,
	struct fault_result *result) MUST_CHECK;

enum populate_how {
	POPULATE_AS_ALLOWED, /* as if written where that makes a private page, else read */
	POPULATE_READ,
	POPULATE_WRITE,
};
/* Makes pages present. 0, or for the first page that cannot be: -ENOMEM (nothing is mapped), -EINVAL
 * (the VMA does not allow it), -EFAULT (past the end of a file), -EAGAIN (no memory), -EINTR (the
 * process is to end). Takes the space's lock. */
int populate_range(
	struct space *space, uintptr_t start, uintptr_t end, enum populate_how how) MUST_CHECK;

#endif
