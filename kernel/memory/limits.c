/* SPDX-License-Identifier: MIT */
/*
 * What a process may have of memory: RLIMIT_AS, DATA, STACK, MEMLOCK (man 2 getrlimit), and the
 * heuristic overcommit (Linux's default: Documentation/mm/overcommit-accounting), which refuses what
 * alone is more than all RAM. Limits are the running process's; kernel threads have none.
 */
#include <linux/capability.h>
#include <asm/resource.h>

#include "lib/errno.h"
#include "memory/space_internal.h"
#include "process/credentials.h"
#include "process/process.h"

uint64_t memory_limit(unsigned which)
{
	const struct process *process = current_process();

	return process ? process->limits[which].soft : LIMIT_UNLIMITED;
}

static bool may_lock_all(void)
{
	return capable(CAP_IPC_LOCK);
}

bool memory_may_lock(void)
{
	return memory_limit(RLIMIT_MEMLOCK) || may_lock_all();
}

bool memory_may_lock_pages(uint64_t pages)
{
	return pages <= memory_limit(RLIMIT_MEMLOCK) / PAGE_SIZE || may_lock_all();
}

int memory_lock_more(const struct space *space, unsigned vma_flags, uint64_t pages)
{
	if (!(vma_flags & VMA_LOCKED) || memory_may_lock_pages(space->locked_pages + pages))
		return 0;
	return -EAGAIN;
}

bool memory_may_expand(const struct space *space, enum vma_kind kind, uint64_t pages)
{
	if (space->pages + pages > memory_limit(RLIMIT_AS) / PAGE_SIZE)
		return false;
	return kind != VMA_KIND_DATA ||
	       space->kind_pages[VMA_KIND_DATA] + pages <= memory_limit(RLIMIT_DATA) / PAGE_SIZE;
}

bool memory_enough(uint64_t pages)
{
	return pages <= pages_total();
}
