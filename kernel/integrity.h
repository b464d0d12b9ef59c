/* SPDX-License-Identifier: MIT */
/* Whether the kernel is still what was loaded, and nobody holds what all need. See integrity.c. */
#ifndef INTEGRITY_H
#define INTEGRITY_H

#include "lib/types.h"

struct spinlock;

/* A hash of the kernel's text and read-only data under a key of this boot: the same in every call until
 * the machine stops. May give the CPU away. */
uint64_t integrity_hash(void);

/* How many of the locks that the whole machine shares could be looked at and were found free. The name of
 * the first that was never free within a tenth of a second goes to *held; NULL: none. */
unsigned integrity_locks(const char **held);
/* Of one of these; NULL: it is none. */
const char *integrity_lock_name(const struct spinlock *lock);

#endif
