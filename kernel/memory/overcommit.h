/* SPDX-License-Identifier: MIT */
/*
 * How much memory may be promised (Linux's Documentation/mm/overcommit-accounting): what processes may write and
 * have of their own, counted as it is mapped, in committed_pages. By default a promise is refused only if it alone
 * is more than all RAM; or none is; or (strictly) the sum has a limit. Pages of tmpfs's files are not promised.
 */
#ifndef MEMORY_OVERCOMMIT_H
#define MEMORY_OVERCOMMIT_H

#include <linux/mman.h>

#include "lib/types.h"

/* vm.overcommit_memory (OVERCOMMIT_*), overcommit_ratio, overcommit_kbytes (0: the ratio counts); each atomic. */
struct overcommit {
	int policy, ratio;
	uint64_t kbytes;
};
extern struct overcommit overcommit;

uint64_t overcommit_limit(void); /* pages: CommitLimit */
bool overcommit_enough(uint64_t pages);

static inline bool overcommit_is(int policy)
{
	return __atomic_load_n(&overcommit.policy, __ATOMIC_RELAXED) == policy;
}

/* vm.mmap_min_addr: below it nobody maps without CAP_SYS_RAWIO, and below USER_MIN nobody at all. Atomic. */
extern uint64_t mmap_least;
/* vm.mmap_min_addr as a hint is moved up to, a whole page's. */
uintptr_t memory_least(void);
bool memory_may_map(uintptr_t address);

#endif
