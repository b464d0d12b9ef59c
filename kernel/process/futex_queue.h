/* SPDX-License-Identifier: MIT */
/*
 * The queues of futexes: a hash table from keys to waiters. Plain data under its buckets' locks, no
 * user memory: tested on the host. See futex_queue.c; for the system call: futex.h.
 */
#ifndef PROCESS_FUTEX_QUEUE_H
#define PROCESS_FUTEX_QUEUE_H

#include "lib/lock.h"
#include "lib/types.h"

struct object;
struct thread;

/* Which word of memory, whoever maps it wherever: two keys are the same if both words are. */
struct futex_key {
	uintptr_t
		owner; /* an address space or a memory object, with enum futex_owner in its low bits */
	uint64_t offset; /* the address in the space, or bytes into the object */
};

enum futex_owner {
	FUTEX_OF_SPACE = 0, /* by the flag FUTEX_PRIVATE_FLAG */
	FUTEX_OF_SPACE_SHARED =
		1,           /* without it, but the memory is private: another key, as on Linux */
	FUTEX_OF_OBJECT = 2, /* with a reference to the object */
	FUTEX_OWNER_MASK = 3,
};

struct futex_bucket {
	struct spinlock lock;
	struct futex_waiter *first, *last; /* in the order of coming */
	uint64_t came;                     /* waiters that ever came here */
};

/* One thread that waits for one word; on its stack. */
struct futex_waiter {
	struct thread *thread;
	struct futex_bucket *bucket; /* changed under both buckets' locks; atomic */
	/* by bucket->lock */
	struct futex_waiter *next, *prev;
	struct futex_key key; /* of an object: with a reference of this waiter's own */
	uint64_t number;      /* bucket->came when it came */
	uint32_t bitset;
	bool queued; /* false: woken, or never waited */
};

/* 2^bits buckets. -ENOMEM. Once. */
int futex_table_init(unsigned bits) MUST_CHECK;

extern struct futex_bucket *futex_buckets;
extern unsigned futex_shift; /* 64 - bits */

static inline struct futex_bucket *futex_bucket_of(const struct futex_key *key)
{
	/* Fibonacci hashing: neighbours lie far apart. */
	return &futex_buckets[((key->owner >> 4) + (key->offset >> 2)) *
				      UINT64_C(0x9e3779b97f4a7c15) >>
			      futex_shift];
}

/* After the caller's change of the word: whether a look under the lock is worth it. */
static inline bool futex_bucket_is_empty(const struct futex_bucket *bucket)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !__atomic_load_n(&bucket->first, __ATOMIC_RELAXED);
}

/* All buckets' locks are taken here first, so that they are one kind to the lock checks of a debug build. */
static inline void futex_lock(struct futex_bucket *bucket) acquires(bucket->lock)
{
	spin_lock(&bucket->lock);
}

/* Takes both locks, lower address first; the same bucket twice is locked once. */
void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b) acquires(a->lock, b->lock);
void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b) releases(a->lock, b->lock);
/* Locks the bucket that the waiter is in, or was in last. */
struct futex_bucket *futex_lock_waiter(struct futex_waiter *waiter);

/* At the end of the bucket of its key, whose lock is held. */
void futex_enqueue(struct futex_bucket *bucket, struct futex_waiter *waiter) requires(bucket->lock);
void futex_dequeue(struct futex_bucket *bucket, struct futex_waiter *waiter) requires(bucket->lock);
/* Wakes waiters of `key` whose bitset has a bit of this one, in their order, at most `most` and only
 * those that came before number `before`. How many. */
unsigned futex_wake_in(struct futex_bucket *bucket, const struct futex_key *key, uint32_t bitset,
	unsigned most, uint64_t before) requires(bucket->lock);
/* Wakes up to `wake` waiters of `from`, then makes up to `most` others wait for `to`. How many of
 * both. The caller has references to both keys' objects. */
unsigned futex_requeue_in(struct futex_bucket *source, const struct futex_key *from,
	struct futex_bucket *target, const struct futex_key *to, unsigned wake,
	unsigned most) requires(source->lock, target->lock);

static inline bool futex_same(const struct futex_key *a, const struct futex_key *b)
{
	return a->owner == b->owner && a->offset == b->offset;
}

/* The object of a key; NULL: it is of a space. */
static inline struct object *futex_object(const struct futex_key *key)
{
	if ((key->owner & FUTEX_OWNER_MASK) != FUTEX_OF_OBJECT)
		return NULL;
	return (struct object *)(key->owner & ~(uintptr_t)FUTEX_OWNER_MASK);
}

#endif
