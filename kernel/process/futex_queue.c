/* SPDX-License-Identifier: MIT */
/*
 * The queues of futexes.
 *
 * A hash table of buckets, each a list of waiters in the order in which they came, with a lock. There
 * are as many buckets as the machine may have threads, by its memory, so that a bucket holds few of
 * another's; a bucket without waiters is seen to be so without its lock.
 *
 * No wake-up is lost: who waits first enters its bucket and then reads the word (futex.c), with a full
 * barrier between; who wakes has changed the word before, and looks at the bucket after a full
 * barrier. One of the two sees the other.
 *
 * Invariants: a waiter that is queued is on the list of waiter->bucket, which is its key's; one that is
 * not is on none, and its thread has been made runnable or still is. A waker touches a waiter only
 * under the lock of its bucket, and the waiter takes that lock once more before it goes, so that its
 * memory is its own by then.
 *
 * Locks: a bucket's; two only by futex_lock_two. Run queues' locks come after.
 */
#include "process/futex_queue.h"

#include "lib/errno.h"
#include "lib/log.h"
#include "memory/object.h"
#include "memory/slab.h"
#include "process/sched.h"

struct futex_bucket *futex_buckets;
unsigned futex_shift;

int futex_table_init(unsigned bits)
{
	futex_buckets = kzalloc(sizeof(*futex_buckets) << bits);
	futex_shift = 64 - bits;
	return futex_buckets ? 0 : -ENOMEM;
}

void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b) no_lock_checks
{
	futex_lock(a < b ? a : b);
	if (a != b)
		futex_lock(a < b ? b : a);
}

void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b) no_lock_checks
{
	if (a != b)
		spin_unlock(a < b ? &b->lock : &a->lock);
	spin_unlock(a < b ? &a->lock : &b->lock);
}

struct futex_bucket *futex_lock_waiter(struct futex_waiter *waiter) no_lock_checks
{
	struct futex_bucket *bucket;

	for (;;) {
		bucket = __atomic_load_n(&waiter->bucket, __ATOMIC_ACQUIRE);
		futex_lock(bucket);
		if (bucket == __atomic_load_n(&waiter->bucket, __ATOMIC_RELAXED))
			return bucket;
		spin_unlock(&bucket->lock); /* requeued meanwhile */
	}
}

void futex_enqueue(struct futex_bucket *bucket, struct futex_waiter *waiter)
{
	waiter->next = NULL;
	waiter->prev = bucket->last;
	if (bucket->last)
		bucket->last->next = waiter;
	else
		__atomic_store_n(&bucket->first, waiter, __ATOMIC_RELAXED);
	bucket->last = waiter;
	waiter->number = bucket->came++;
	waiter->queued = true;
	__atomic_store_n(&waiter->bucket, bucket, __ATOMIC_RELEASE);
}

void futex_dequeue(struct futex_bucket *bucket, struct futex_waiter *waiter)
{
	assert(waiter->bucket == bucket);
	if (waiter->prev)
		waiter->prev->next = waiter->next;
	else
		__atomic_store_n(&bucket->first, waiter->next, __ATOMIC_RELAXED);
	if (waiter->next)
		waiter->next->prev = waiter->prev;
	else
		bucket->last = waiter->prev;
	waiter->queued = false;
}

static void wake(struct futex_bucket *bucket, struct futex_waiter *waiter) requires(bucket->lock)
{
	futex_dequeue(bucket, waiter);
	thread_wake(waiter->thread);
}

unsigned futex_wake_in(struct futex_bucket *bucket, const struct futex_key *key, uint32_t bitset,
	unsigned most, uint64_t before)
{
	struct futex_waiter *waiter, *next;
	unsigned count = 0;

	for (waiter = bucket->first; waiter && count < most; waiter = next) {
		next = waiter->next;
		if (waiter->number >= before)
			break;
		if (!(waiter->bitset & bitset) || !futex_same(&waiter->key, key))
			continue;
		wake(bucket, waiter);
		count++;
	}
	return count;
}

/* The waiter's reference goes from one key's object to the other's. Ours keeps the first alive. */
static void change_key(struct futex_waiter *waiter, const struct futex_key *to)
{
	struct object *before = futex_object(&waiter->key), *after = futex_object(to);

	if (after)
		object_get(after);
	waiter->key = *to;
	if (before)
		object_put(before);
}

unsigned futex_requeue_in(struct futex_bucket *source, const struct futex_key *from,
	struct futex_bucket *target, const struct futex_key *to, unsigned wake_most, unsigned most)
{
	struct futex_waiter *waiter, *next, *last = source->last;
	unsigned woken = 0, moved = 0;

	for (waiter = source->first; waiter; waiter = next) {
		if (woken == wake_most && moved == most)
			break;
		/* What is moved within one bucket comes to its end: not twice. */
		next = waiter == last ? NULL : waiter->next;
		if (!futex_same(&waiter->key, from))
			continue;
		if (woken < wake_most) {
			wake(source, waiter);
			woken++;
			continue;
		}
		moved++;
		if (futex_same(from, to))
			continue;
		futex_dequeue(source, waiter);
		change_key(waiter, to);
		futex_enqueue(target, waiter);
	}
	return woken + moved;
}
