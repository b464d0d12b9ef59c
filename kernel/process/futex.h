/* SPDX-License-Identifier: MIT */
/* Futexes: what futex(2) does, and the end of threads. See futex.c and docs/futex.md. */
#ifndef PROCESS_FUTEX_H
#define PROCESS_FUTEX_H

#include "lib/types.h"
#include "process/clocks.h"

struct thread;

#define FUTEX_WAITERS_MAX 128 /* of one futex_waitv */

/* One word to wait for. */
struct futex_word {
	user_t address;
	bool shared; /* without FUTEX_PRIVATE_FLAG */
	uint32_t value;
};

/* Until when to wait; NS_NEVER: for ever. */
struct futex_deadline {
	enum clock_base base;
	ns_t when;
};

void futex_init(void);
/* 0: woken; -EAGAIN: another value stood there; -ETIMEDOUT, -EFAULT, -EINVAL, -ENOMEM, or what
 * wait_sleep says of a signal. */
long futex_wait(
	const struct futex_word *word, uint32_t bitset, struct futex_deadline deadline) MUST_CHECK;
/* Waits for several words: which one's waker came first. */
long futex_wait_many(
	const struct futex_word *words, unsigned count, struct futex_deadline deadline) MUST_CHECK;
/* How many were woken. */
long futex_wake(user_t address, bool shared, int most, uint32_t bitset) MUST_CHECK;
/* How many were woken or made to wait for `to`. expected: NULL, or what must stand at `from`. */
long futex_requeue(user_t from, user_t to, bool shared, int wake, int most,
	const uint32_t *expected) MUST_CHECK;
/* FUTEX_WAKE_OP, its operation as Linux encodes it. */
long futex_wake_operation(user_t address, user_t second, bool shared, int most, int most_second,
	uint32_t operation) MUST_CHECK;

/* The running thread ends, or gets another program: what it holds of robust futexes is marked, and
 * clear_child_tid done. Its address space is still in use. */
void futex_thread_exit(struct thread *thread);

#endif
