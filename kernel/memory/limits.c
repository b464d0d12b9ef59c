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
