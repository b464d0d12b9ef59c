/* SPDX-License-Identifier: MIT */
/*
 * The numbers in use: a bit map, in which the next free one is looked for 64 at a time, and a table
 * from number to object, in leaves of 64 that come and go; one that is empty is kept for the next.
 *
 * Numbers are given in rising order, so that one comes back as late as possible; after the last the
 * search goes on at RESERVED, as on Linux, which leaves the low ones to what runs from the start.
 *
 * Locks: process_lock for all but reference counts.
 */
#include "process/pid.h"

#include "lib/errno.h"
#include "memory/slab.h"

#define RESERVED  300
#define WORD_BITS 64
#define WORDS     (PID_MAX / WORD_BITS)

struct leaf {
	struct pid *pids[WORD_BITS];
};

/* All of this is guarded by process_lock. */
static uint64_t used[WORDS]; /* bit n: number n is taken */
static struct leaf *leaves[WORDS];
static struct leaf *spare; /* empty */
static int last;
static struct cache pid_cache;

struct pid pid_zero = {.references = 1,
	.group = LIST_INIT(pid_zero.group),
	.session = LIST_INIT(pid_zero.session)};

void pid_init(void)
{
	cache_init(&pid_cache, "pid", sizeof(struct pid), 0);
	used[0] = 1; /* 0 is nobody's */
}

struct pid *pid_create(void)
{
	struct pid *pid = cache_alloc(&pid_cache);

	if (!pid)
		return NULL;
	pid->references = 1;
	list_init(&pid->group);
	list_init(&pid->session);
	wait_queue_init(&pid->ended);
	return pid;
}

void pid_get(struct pid *pid)
{
	__atomic_add_fetch(&pid->references, 1, __ATOMIC_RELAXED);
}

void pid_put(struct pid *pid)
{
	if (!__atomic_sub_fetch(&pid->references, 1, __ATOMIC_ACQ_REL))
		cache_free(&pid_cache, pid);
}

/* The first free number in [from, PID_MAX), or 0. */
static int next_free(int from) requires(process_lock)
{
	for (int word = from / WORD_BITS; word < WORDS; word++) {
		uint64_t free = ~used[word];

		if (word == from / WORD_BITS)
			free &= ~UINT64_C(0) << (from % WORD_BITS);
		if (free)
			return word * WORD_BITS + __builtin_ctzll(free);
	}
	return 0;
}

/* The leaf of a number. NULL: no memory. */
static struct leaf *leaf_make(int number) requires(process_lock)
{
	struct leaf **leaf = &leaves[number / WORD_BITS];

	if (!*leaf) {
		*leaf = spare ? spare : kzalloc(sizeof(**leaf));
		spare = NULL;
	}
	return *leaf;
}

/* After a number of it was given back. */
static void leaf_drop(int number) requires(process_lock)
{
	struct leaf **leaf = &leaves[number / WORD_BITS];

	/* Number 0 is marked, but in no leaf. */
	if (used[number / WORD_BITS] & (number < WORD_BITS ? ~UINT64_C(1) : ~UINT64_C(0)))
		return;
	if (spare)
		kfree(*leaf);
	else
		spare = *leaf;
	*leaf = NULL;
}

int pid_number(struct pid *pid, int wanted)
{
	int number = wanted;
	struct leaf *leaf;

	if (!number)
		number = next_free(last + 1);
	if (!number)
		number = next_free(RESERVED);
	if (!number)
		return -EAGAIN;
	leaf = leaf_make(number);
	if (!leaf)
		return -ENOMEM;
	if (leaf->pids[number % WORD_BITS])
		return -EEXIST;
	leaf->pids[number % WORD_BITS] = pid;
	used[number / WORD_BITS] |= UINT64_C(1) << (number % WORD_BITS);
	if (!wanted)
		last = number;
	pid->number = number;
	pid_get(pid);
	return 0;
}

void pid_release(struct pid *pid)
{
	int number = pid->number;

	if (!number || pid->thread || pid->process || !list_empty(&pid->group) ||
		!list_empty(&pid->session))
		return;
	leaves[number / WORD_BITS]->pids[number % WORD_BITS] = NULL;
	used[number / WORD_BITS] &= ~(UINT64_C(1) << (number % WORD_BITS));
	leaf_drop(number);
	pid_put(pid);
}

struct pid *pid_find(int number)
{
	struct leaf *leaf;

	if (number <= 0 || number >= PID_MAX)
		return NULL;
	leaf = leaves[number / WORD_BITS];
	return leaf ? leaf->pids[number % WORD_BITS] : NULL;
}

struct pid *pid_next(int *number)
{
	for (int n = *number < 1 ? 1 : *number; n < PID_MAX; n = (n / WORD_BITS + 1) * WORD_BITS) {
		uint64_t taken = used[n / WORD_BITS] & (~UINT64_C(0) << (n % WORD_BITS));

		if (taken) {
			*number = n / WORD_BITS * WORD_BITS + __builtin_ctzll(taken);
			return pid_find(*number);
		}
	}
	return NULL;
}

int pid_last(void)
{
	return last;
}
