/* SPDX-License-Identifier: MIT */
/*
 * The numbers in use: a bit map, in which the next free one is looked for 64 at a time, and a radix
 * tree from number to object.
 *
 * Numbers are given in rising order, so that one comes back as late as possible; after the last the
 * search goes on at RESERVED, as on Linux, which leaves the low ones to what runs from the start.
 *
 * Locks: process_lock for all but reference counts.
 */
#include "process/pid.h"

#include "lib/errno.h"
#include "lib/radix.h"
#include "memory/slab.h"

#define RESERVED  300
#define WORD_BITS 64
#define WORDS     (PID_MAX / WORD_BITS)

static uint64_t
	used[WORDS]; /* bit n: number n is taken; guarded by process_lock, as what follows */
static struct radix table;
static int last;
static struct cache pid_cache;

void pid_init(void)
{
	cache_init(&pid_cache, "pid", sizeof(struct pid), 0);
	radix_init(&table);
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

static void mark(int number, bool taken) requires(process_lock)
{
	uint64_t bit = UINT64_C(1) << (number % WORD_BITS);

	if (taken)
		used[number / WORD_BITS] |= bit;
	else
		used[number / WORD_BITS] &= ~bit;
}

int pid_number(struct pid *pid, int wanted)
{
	int number = wanted, error;

	if (!number)
		number = next_free(last + 1);
	if (!number)
		number = next_free(RESERVED);
	if (!number)
		return -EAGAIN;
	error = radix_put(&table, (uint64_t)number, pid);
	if (error)
		return error;
	mark(number, true);
	if (!wanted)
		last = number;
	pid->number = number;
	pid_get(pid);
	return 0;
}

void pid_release(struct pid *pid)
{
	if (pid->thread || pid->process || !list_empty(&pid->group) || !list_empty(&pid->session))
		return;
	radix_remove(&table, (uint64_t)pid->number);
	mark(pid->number, false);
	pid_put(pid);
}

struct pid *pid_find(int number)
{
	return number > 0 && number < PID_MAX ? radix_get(&table, (uint64_t)number) : NULL;
}

struct pid *pid_next(int *number)
{
	uint64_t index = (uint64_t)(*number < 1 ? 1 : *number);
	struct pid *pid = radix_next(&table, &index);

	*number = (int)index;
	return pid;
}
