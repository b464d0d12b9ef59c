/* SPDX-License-Identifier: MIT */
/*
 * What a process may have of memory: RLIMIT_AS, DATA, STACK, MEMLOCK (man 2 getrlimit), and what all may be
 * promised together (overcommit.h). Limits are the running process's; kernel threads have none.
 *
 * Nothing holds a promise between the question whether there is enough and its count: where the sum has a limit,
 * calls at the same moment may go past it by what they ask.
 */
#include <linux/capability.h>
#include <asm/resource.h>

#include "lib/errno.h"
#include "memory/overcommit.h"
#include "memory/space_internal.h"
#include "process/credentials.h"
#include "process/process.h"

struct overcommit overcommit = {.policy = OVERCOMMIT_GUESS, .ratio = 50};

uint64_t mmap_least = USER_MIN;

uintptr_t memory_least(void)
{
	uint64_t least = __atomic_load_n(&mmap_least, __ATOMIC_RELAXED);

	if (least > USER_END)
		return USER_END;
	return least < USER_MIN ? USER_MIN : ALIGN_UP(least, PAGE_SIZE);
}

bool memory_may_map(uintptr_t address)
{
	if (likely(address >= memory_least()))
		return true;
	return address >= USER_MIN && capable(CAP_SYS_RAWIO);
}

uint64_t overcommit_limit(void)
{
	uint64_t kbytes = __atomic_load_n(&overcommit.kbytes, __ATOMIC_RELAXED);
	int ratio = __atomic_load_n(&overcommit.ratio, __ATOMIC_RELAXED);

	if (kbytes)
		return kbytes / (PAGE_SIZE / 1024);
	return ratio > 0 ? pages_total() * (uint64_t)ratio / 100 : 0;
}

/* Strictly: root has 8 MiB of the limit to itself, Linux's vm.admin_reserve_kbytes. */
bool overcommit_enough(uint64_t pages)
{
	const uint64_t reserve = (8u << 20) / PAGE_SIZE;
	uint64_t limit, now;

	if (overcommit_is(OVERCOMMIT_GUESS))
		return pages <= pages_total();
	if (overcommit_is(OVERCOMMIT_ALWAYS))
		return true;
	limit = overcommit_limit();
	now = __atomic_load_n(&committed_pages, __ATOMIC_RELAXED);
	if (!capable(CAP_SYS_ADMIN))
		limit = limit > reserve ? limit - reserve : 0;
	return now <= limit && pages <= limit - now;
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
