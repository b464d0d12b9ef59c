/* SPDX-License-Identifier: MIT */
/* From a user address to a futex's key, and the words themselves. See futex_key.c. */
#ifndef PROCESS_FUTEX_KEY_H
#define PROCESS_FUTEX_KEY_H

#include "process/futex_queue.h"

/* With a reference to its object, if it has one. -EINVAL: not aligned to four; -EFAULT. */
int futex_key_get(user_t address, bool shared, struct futex_key *key) MUST_CHECK;
void futex_key_put(const struct futex_key *key);

/* Of futex_word_change: as FUTEX_OP_* has them. -ENOSYS: no such operation. */
int futex_word_change(
	user_t address, uint32_t operation, uint32_t operand, uint32_t *before) MUST_CHECK;
/* Makes the word's page present, writable too if `write`; no locks held. 0 or -EFAULT. */
int futex_word_touch(user_t address, bool write) MUST_CHECK;

#endif
