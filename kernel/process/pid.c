/* SPDX-License-Identifier: MIT */
/*
 * The numbers in use: a bit map, in which the next free one is looked for 64 at a time, and a table
 * from number to object, in leaves of 64 that come and go; one that is empty is kept for the next. Both are in
 * chunks of 32,768 numbers. The first is always there, and all that are needed unless root makes kernel.pid_max
 * larger; another comes with its first number and stays.
 *
 * Numbers are given in rising order, so that one comes back as late as possible; after the last the
 * search goes on at RESERVED, as on Linux, which leaves the low ones to what runs from the start.
 *
 * Locks: process_lock for all but reference counts.
 */
#include "process/pid.h"

#include "lib/errno.h"
#include "memory/slab.h"

#define RESERVED    300
#define WORD_BITS   64
#define CHUNK       32768
#define CHUNKS      (PID_MOST / CHUNK)
#define CHUNK_WORDS (CHUNK / WORD_BITS)

struct leaf {
	struct pid *pids[WORD_BITS];
};

struct chunk {
	unsigned taken;             /* numbers */
	uint64_t used[CHUNK_WORDS]; /* bit n: number n of it is taken */
	struct leaf *leaves[CHUNK_WORDS];
};

/* All of this is guarded by process_lock. */
static struct chunk first_chunk;
static struct chunk *chunks[CHUNKS] = {&first_chunk};
static struct leaf *spare; /* empty */
static int last;
static struct cache pid_cache;

int pid_max = 32768;

struct pid pid_zero = {.references = 1,
	.group = LIST_INIT(pid_zero.group),
	.session = LIST_INIT(pid_zero.session)};

void pid_init(void)
{
	cache_init(&pid_cache, "pid", sizeof(struct pid), 0);
	first_chunk.used[0] = 1; /* 0 is nobody's */
	first_chunk.taken = 1;
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

static unsigned word_of(int number)
{
	return (unsigned)number % CHUNK / WORD_BITS;
}

/* The first number of a chunk, from `from` on, that is taken or (free) not; PID_MOST: none. */
static int next_in_chunk(const struct chunk *chunk, int from, bool free) requires(process_lock)
{
	uint64_t mask = ~UINT64_C(0) << (from % WORD_BITS);

	if (free && chunk->taken == CHUNK)
		return PID_MOST;
	for (unsigned word = word_of(from); word < CHUNK_WORDS; word++) {
		uint64_t found = (free ? ~chunk->used[word] : chunk->used[word]) & mask;

		if (found)
			return from / CHUNK * CHUNK + (int)(word * WORD_BITS) +
			       __builtin_ctzll(found);
		mask = ~UINT64_C(0);
	}
	return PID_MOST;
}

/* The first free number in [from, pid_max), or 0. */
static int next_free(int from) requires(process_lock)
{
	int most = __atomic_load_n(&pid_max, __ATOMIC_RELAXED), number;

	for (; from < most; from = (from / CHUNK + 1) * CHUNK) {
		const struct chunk *chunk = chunks[from / CHUNK];

		number = chunk ? next_in_chunk(chunk, from, true) : from;
		if (number < PID_MOST)
			return number < most ? number : 0;
	}
	return 0;
}

/* The chunk of a number with its leaf. NULL: no memory. */
static struct chunk *chunk_make(int number) requires(process_lock)
{
	struct chunk **chunk = &chunks[number / CHUNK];
	struct leaf **leaf;

	if (!*chunk)
		*chunk = kzalloc(sizeof(**chunk));
	if (!*chunk)
		return NULL;
	leaf = &(*chunk)->leaves[word_of(number)];
	if (!*leaf) {
		*leaf = spare ? spare : kzalloc(sizeof(**leaf));
		spare = NULL;
	}
	return *leaf ? *chunk : NULL;
}

/* After a number of it was given back. */
static void leaf_drop(struct chunk *chunk, int number) requires(process_lock)
{
	struct leaf **leaf = &chunk->leaves[word_of(number)];

	/* Number 0 is marked, but in no leaf. */
	if (chunk->used[word_of(number)] & (number < WORD_BITS ? ~UINT64_C(1) : ~UINT64_C(0)))
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
	struct chunk *chunk;
	struct pid **place;

	if (!number)
		number = next_free(last + 1);
	if (!number)
		number = next_free(RESERVED);
	if (!number)
		return -EAGAIN;
	chunk = chunk_make(number);
	if (!chunk)
		return -ENOMEM;
	place = &chunk->leaves[word_of(number)]->pids[number % WORD_BITS];
	if (*place)
		return -EEXIST;
	*place = pid;
	chunk->used[word_of(number)] |= UINT64_C(1) << (number % WORD_BITS);
	chunk->taken++;
	if (!wanted)
		last = number;
	pid->number = number;
	pid_get(pid);
	return 0;
}

void pid_release(struct pid *pid)
{
	int number = pid->number;
	struct chunk *chunk;

	if (!number || pid->thread || pid->process || !list_empty(&pid->group) ||
		!list_empty(&pid->session))
		return;
	chunk = chunks[number / CHUNK];
	chunk->leaves[word_of(number)]->pids[number % WORD_BITS] = NULL;
	chunk->used[word_of(number)] &= ~(UINT64_C(1) << (number % WORD_BITS));
	chunk->taken--;
	leaf_drop(chunk, number);
	pid_put(pid);
}

struct pid *pid_find(int number)
{
	const struct chunk *chunk;
	const struct leaf *leaf;

	if (number <= 0 || number >= PID_MOST)
		return NULL;
	chunk = chunks[number / CHUNK];
	leaf = chunk ? chunk->leaves[word_of(number)] : NULL;
	return leaf ? leaf->pids[number % WORD_BITS] : NULL;
}

struct pid *pid_next(int *number)
{
	int from = *number < 1 ? 1 : *number, found;

	for (; from < PID_MOST; from = (from / CHUNK + 1) * CHUNK) {
		const struct chunk *chunk = chunks[from / CHUNK];

		found = chunk ? next_in_chunk(chunk, from, false) : PID_MOST;
		if (found < PID_MOST) {
			*number = found;
			return pid_find(found);
		}
	}
	return NULL;
}

int pid_last(void)
{
	return last;
}
