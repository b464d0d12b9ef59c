/* SPDX-License-Identifier: MIT */
/* futex(2)'s words, which musl does not hand to programs, and what its tests share. */
#ifndef USER_TESTS_FUTEX_ABI_H
#define USER_TESTS_FUTEX_ABI_H

#include <sched.h>
#include <sys/mman.h>

#include "check.h"

#define FUTEX_WAIT           0
#define FUTEX_WAKE           1
#define FUTEX_REQUEUE        3
#define FUTEX_CMP_REQUEUE    4
#define FUTEX_WAKE_OP        5
#define FUTEX_WAIT_BITSET    9
#define FUTEX_WAKE_BITSET    10
#define FUTEX_PRIVATE_FLAG   128
#define FUTEX_CLOCK_REALTIME 256
#define FUTEX_WAITERS        0x80000000u
#define FUTEX_OWNER_DIED     0x40000000u

#define FUTEX_OP_SET         0
#define FUTEX_OP_ADD         1
#define FUTEX_OP_OR          2
#define FUTEX_OP_ANDN        3
#define FUTEX_OP_XOR         4
#define FUTEX_OP_OPARG_SHIFT 8
#define FUTEX_OP_CMP_EQ      0
#define FUTEX_OP_CMP_LE      3
#define FUTEX_OP_CMP_GT      4
#define FUTEX_OP(operation, operand, compare, with) \
	(((operation)&0xf) << 28 | ((compare)&0xf) << 24 | ((operand)&0xfff) << 12 | ((with)&0xfff))

struct robust_list {
	struct robust_list *next;
};

struct robust_list_head {
	struct robust_list list;
	long futex_offset;
	struct robust_list *list_op_pending;
};

/* ---- The call, and who waits ---- */

#define PRIVATE     FUTEX_PRIVATE_FLAG
#define SPAN(n)     (&(struct timespec){(n) / 1000000000, (n) % 1000000000})
#define A_LONG_TIME INT64_C(60000000000)

static inline long futex(uint32_t *word, int operation, uint32_t value, const void *timeout,
	uint32_t *second, uint32_t third)
{
	return kernel_call(SYS_futex, word, operation, value, timeout, second, third);
}

static inline uint32_t *shared_words(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		exit(99);
	return page;
}

/* How many wait for a word: requeueing them to itself tells. */
static inline long waiters(uint32_t *word, int flag)
{
	return futex(word, FUTEX_REQUEUE | flag, 0, (void *)(long)INT32_MAX, word, 0);
}

static inline void until_waiting(uint32_t *word, int flag, long count)
{
	while (waiters(word, flag) != count)
		sched_yield();
}

#endif
