/* SPDX-License-Identifier: MIT */
/* The queues of futexes against a naive model: one list in the order of coming. Few keys and few
 * buckets, so that keys share buckets. Objects count their references. */
#include "process/futex_queue.h"

#include "arch/fake/test.h"
#include "lib/errno.h"
#include "memory/object.h"
#include "memory/slab.h"
#include "process/sched.h"

#include <stdlib.h>
#include <string.h>

#define WAITERS 24
#define KEYS    6 /* the last three are of objects */
#define STEPS   200000

struct cpu *fake_cpu;
struct thread *fake_thread;

static struct object objects[3];
static struct thread threads[WAITERS];
static struct futex_waiter waiters[WAITERS];

/* The model: who waits for what, oldest first. */
static struct {
	unsigned waiter, key;
	uint32_t bitset;
} queue[WAITERS];
static unsigned queued;

static bool expected_awake[WAITERS], awake[WAITERS];

void *kzalloc(size_t size)
{
	return calloc(1, size);
}

void object_get(struct object *object)
{
	object->references++;
}

void object_put(struct object *object)
{
	CHECK(object->references > 1); /* the caller of a requeue has one of its own */
	object->references--;
}

bool thread_wake(struct thread *thread)
{
	size_t i = (size_t)(thread - threads);

	CHECK(!waiters[i].queued);
	CHECK(waiters[i].bucket->lock.held);
	CHECK(!awake[i]);
	awake[i] = true;
	return true;
}

static struct futex_key key_of(unsigned n)
{
	if (n >= 3)
		return (struct futex_key){(uintptr_t)&objects[n - 3] | FUTEX_OF_OBJECT, 8};
	return (struct futex_key){0x1000 | (n == 2 ? FUTEX_OF_SPACE_SHARED : FUTEX_OF_SPACE),
		n == 1 ? 0x2004 : 0x2000};
}

static void forget(unsigned at)
{
	queued--;
	memmove(&queue[at], &queue[at + 1], (queued - at) * sizeof(queue[0]));
}

static void start(unsigned bits)
{
	CHECK_EQUAL(futex_table_init(bits), 0);
	for (unsigned i = 0; i < 3; i++)
		objects[i].references = 1;
}

static void wait_for(unsigned waiter, unsigned key, uint32_t bitset)
{
	struct futex_key words = key_of(key);
	struct futex_bucket *bucket = futex_bucket_of(&words);
	struct object *object = futex_object(&words);

	if (object)
		object_get(object);
	waiters[waiter] =
		(struct futex_waiter){.thread = &threads[waiter], .key = words, .bitset = bitset};
	awake[waiter] = expected_awake[waiter] = false;
	spin_lock(&bucket->lock);
	futex_enqueue(bucket, &waiters[waiter]);
	spin_unlock(&bucket->lock);
	queue[queued].waiter = waiter;
	queue[queued].key = key;
	queue[queued++].bitset = bitset;
}

/* What a waiter does at its end. */
static void leave(unsigned waiter)
{
	struct futex_bucket *bucket = futex_lock_waiter(&waiters[waiter]);
	struct object *object;

	CHECK_EQUAL(waiters[waiter].queued, !awake[waiter]);
	if (waiters[waiter].queued) {
		futex_dequeue(bucket, &waiters[waiter]);
		for (unsigned i = 0; i < queued; i++) {
			if (queue[i].waiter == waiter) {
				forget(i);
				break;
			}
		}
	}
	spin_unlock(&bucket->lock);
	object = futex_object(&waiters[waiter].key);
	if (object)
		object_put(object);
	waiters[waiter].thread = NULL;
}

static unsigned model_wake(unsigned key, uint32_t bitset, unsigned most)
{
	unsigned count = 0;

	for (unsigned i = 0; i < queued && count < most;) {
		if (queue[i].key != key || !(queue[i].bitset & bitset)) {
			i++;
			continue;
		}
		expected_awake[queue[i].waiter] = true;
		forget(i);
		count++;
	}
	return count;
}

/* Moved ones go to the end, in their order. */
static unsigned model_requeue(unsigned from, unsigned to, unsigned wake, unsigned most)
{
	unsigned count = model_wake(from, ~0u, wake), moved = 0, end = queued;

	for (unsigned i = 0; i < end && moved < most;) {
		__typeof__(queue[0]) one = queue[i];

		if (one.key != from) {
			i++;
			continue;
		}
		moved++;
		if (from == to) {
			i++;
			continue;
		}
		forget(i);
		end--;
		one.key = to;
		queue[queued++] = one;
	}
	return count + moved;
}

static void check_all(void)
{
	unsigned references[3] = {1, 1, 1};

	CHECK(!memcmp(awake, expected_awake, sizeof(awake)));
	for (unsigned i = 0; i < WAITERS; i++) {
		struct object *object = waiters[i].thread ? futex_object(&waiters[i].key) : NULL;

		if (object)
			references[object - objects]++;
	}
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQUAL(objects[i].references, references[i]);
	for (unsigned i = 0; i < queued; i++) {
		struct futex_key key = key_of(queue[i].key);

		CHECK(futex_same(&key, &waiters[queue[i].waiter].key));
		CHECK(waiters[queue[i].waiter].queued);
		CHECK(waiters[queue[i].waiter].bucket == futex_bucket_of(&key));
		CHECK(!futex_bucket_is_empty(futex_bucket_of(&key)));
	}
}

static void random_wake(void)
{
	unsigned key = (unsigned)test_random(KEYS), most = (unsigned)test_random(4) + 1;
	uint32_t bitset = test_random(2) ? ~0u : 1u << test_random(3);
	struct futex_key words = key_of(key);
	struct futex_bucket *bucket = futex_bucket_of(&words);
	unsigned count;

	spin_lock(&bucket->lock);
	count = futex_wake_in(bucket, &words, bitset, most, UINT64_MAX);
	spin_unlock(&bucket->lock);
	CHECK_EQUAL(count, model_wake(key, bitset, most));
}

static void random_requeue(void)
{
	unsigned from = (unsigned)test_random(KEYS), to = (unsigned)test_random(KEYS);
	unsigned wake = (unsigned)test_random(3), most = (unsigned)test_random(5), count;
	struct futex_key keys[2] = {key_of(from), key_of(to)};
	struct futex_bucket *source = futex_bucket_of(&keys[0]),
			    *target = futex_bucket_of(&keys[1]);

	futex_lock_two(source, target);
	count = futex_requeue_in(source, &keys[0], target, &keys[1], wake, most);
	futex_unlock_two(source, target);
	CHECK(!source->lock.held && !target->lock.held);
	CHECK_EQUAL(count, model_requeue(from, to, wake, most));
}

static void run_model(unsigned bits)
{
	start(bits);
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned i = (unsigned)test_random(WAITERS);

		if (!waiters[i].thread)
			wait_for(i, (unsigned)test_random(KEYS),
				test_random(2) ? ~0u : 1u << test_random(3));
		else if (awake[i] || !test_random(8))
			leave(i);
		else if (test_random(3))
			random_wake();
		else
			random_requeue();
		/* One that left is neither awake nor to be woken. */
		if (!waiters[i].thread)
			awake[i] = expected_awake[i] = false;
		check_all();
	}
}

static void test_one_bucket(void)
{
	run_model(1);
}

static void test_buckets(void)
{
	run_model(4);
}

/* Only those that waited when the wake-up began. */
static void test_before(void)
{
	struct futex_key key = key_of(0);
	struct futex_bucket *bucket;
	uint64_t before;

	start(4);
	bucket = futex_bucket_of(&key);
	wait_for(0, 0, ~0u);
	wait_for(1, 0, ~0u);
	before = bucket->came;
	wait_for(2, 0, ~0u);
	spin_lock(&bucket->lock);
	CHECK_EQUAL(futex_wake_in(bucket, &key, ~0u, 10, before), 2);
	CHECK(awake[0] && awake[1] && !awake[2]);
	CHECK_EQUAL(futex_wake_in(bucket, &key, ~0u, 10, UINT64_MAX), 1);
	spin_unlock(&bucket->lock);
	CHECK(futex_bucket_is_empty(bucket));
}

static void test_keys(void)
{
	struct futex_key a = key_of(0), b = key_of(2), c = key_of(3);

	CHECK(!futex_same(&a, &b) && futex_same(&a, &a));
	CHECK(!futex_object(&a) && !futex_object(&b));
	CHECK(futex_object(&c) == &objects[0]);
}

int main(void)
{
	RUN(test_keys);
	RUN(test_before);
	RUN(test_one_bucket);
	RUN(test_buckets);
	return test_result();
}
