/* SPDX-License-Identifier: MIT */
/*
 * Futexes (man 2 futex): a thread sleeps as long as a word of its memory has a value that it read, and
 * others wake those who sleep for a word.
 *
 * A waiter enters the bucket of the word's key, marks itself asleep, and then reads the word, all under
 * the bucket's lock; the read does not fault, and where it would, the waiter goes back, touches the
 * page outside all locks, and starts anew. So no waker that changed the word can miss it
 * (futex_queue.c). It sleeps by the scheduler's two steps, as wait queues do, and leaves its bucket
 * itself, unless a waker took it out.
 *
 * Timeouts are a thread's sleep timer on the monotonic clock, or a timer that setting the date moves.
 *
 * Not there: priority inheritance (FUTEX_LOCK_PI and its kin: -ENOSYS).
 */
#include "process/futex.h"

#include <linux/futex.h>

#include "arch/arch.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "process/current.h"
#include "process/futex_key.h"
#include "process/process.h"
#include "process/sched.h"

#define BITS_LEAST 10 /* of the table: 1024 buckets at 256 MiB of RAM */
#define BITS_MOST  14
#define WAKE_BATCH 64 /* woken under one hold of a bucket's lock */

void futex_init(void)
{
	struct pages_stats stats;
	unsigned bits = BITS_LEAST;

	pages_statistics(&stats);
	while (bits < BITS_MOST && stats.total >> 16 >> (bits - BITS_LEAST + 1))
		bits++;
	if (futex_table_init(bits))
		panic("no memory for the table of futexes");
}

/* ---- Sleeping ---- */

/* A time by a clock that may be set: wakes the thread. */
struct alarm {
	struct clock_timer timer;
	struct thread *thread;
	bool over;
};

static void alarm_fired(struct clock_timer *timer)
{
	struct alarm *alarm = container_of(timer, struct alarm, timer);

	__atomic_store_n(&alarm->over, true, __ATOMIC_SEQ_CST);
	thread_wake(alarm->thread);
}

static void alarm_start(struct alarm *alarm, struct futex_deadline deadline)
{
	alarm->thread = current_thread();
	alarm->over = false;
	clock_timer_init(&alarm->timer, alarm_fired);
	if (deadline.base != BASE_MONOTONIC && deadline.when != NS_NEVER)
		clock_timer_arm(&alarm->timer, deadline.base, deadline.when);
}

static void alarm_stop(struct alarm *alarm, struct futex_deadline deadline)
{
	if (deadline.base != BASE_MONOTONIC && deadline.when != NS_NEVER)
		clock_timer_cancel(&alarm->timer);
}

/* The caller has marked itself asleep. */
static int sleep_once(struct alarm *alarm, struct futex_deadline deadline)
{
	if (deadline.base == BASE_MONOTONIC)
		return wait_sleep(deadline.when);
	if (__atomic_load_n(&alarm->over, __ATOMIC_SEQ_CST))
		return -ETIMEDOUT;
	return wait_sleep(NS_NEVER);
}

static void set_state(struct thread *self, enum thread_state state)
{
	__atomic_store_n(&self->sched.state, state, __ATOMIC_SEQ_CST);
}

/* ---- Waiting ---- */

/* Enters the bucket, asleep, if the value stands there. -EAGAIN: another does; -EFAULT: the page is
 * not there, which may be for now. */
static int enter(struct futex_waiter *waiter, const struct futex_word *word)
{
	struct futex_bucket *bucket = futex_bucket_of(&waiter->key);
	int error = 0;
	uint32_t now;

	futex_lock(bucket);
	futex_enqueue(bucket, waiter);
	set_state(waiter->thread, THREAD_SLEEPING); /* a full barrier too */
	if (arch_user_load32(&now, (void *)word->address.address))
		error = -EFAULT;
	else if (now != word->value)
		error = -EAGAIN;
	if (error) {
		futex_dequeue(bucket, waiter);
		set_state(waiter->thread, THREAD_RUNNABLE);
	}
	spin_unlock(&bucket->lock);
	return error;
}

/* Takes the waiter out, if no waker did. Whether one did. */
static bool leave(struct futex_waiter *waiter) no_lock_checks
{
	struct futex_bucket *bucket = futex_lock_waiter(waiter);
	bool woken = !waiter->queued;

	if (!woken)
		futex_dequeue(bucket, waiter);
	set_state(waiter->thread, THREAD_RUNNABLE);
	spin_unlock(&bucket->lock);
	return woken;
}

/* After a sleep: whether a waker came. If not, marks itself asleep again. */
static bool look_again(struct futex_waiter *waiter) no_lock_checks
{
	struct futex_bucket *bucket = futex_lock_waiter(waiter);
	bool woken = !waiter->queued;

	set_state(waiter->thread, woken ? THREAD_RUNNABLE : THREAD_SLEEPING);
	spin_unlock(&bucket->lock);
	return woken;
}

static int sleep_in(struct futex_waiter *waiter, struct futex_deadline deadline)
{
	struct alarm alarm;
	int error;

	alarm_start(&alarm, deadline);
	do
		error = sleep_once(&alarm, deadline);
	while (!error && !look_again(waiter));
	alarm_stop(&alarm, deadline);
	/* Who was woken was woken, whatever came too. */
	return error && !leave(waiter) ? error : 0;
}

long futex_wait(const struct futex_word *word, uint32_t bitset, struct futex_deadline deadline)
{
	struct futex_waiter waiter = {.thread = current_thread(), .bitset = bitset};
	int error = futex_key_get(word->address, word->shared, &waiter.key);

	if (error)
		return error;
	while ((error = enter(&waiter, word)) == -EFAULT) {
		error = signal_kill_pending() ? -EINTR : futex_word_touch(word->address, false);
		if (error)
			break;
	}
	if (!error)
		error = sleep_in(&waiter, deadline);
	futex_key_put(&waiter.key);
	return error;
}

/* ---- Waiting for several ---- */

/* The first whose waker came, all of the first `count` out of their buckets; -1: none. */
static long leave_all(struct futex_waiter *waiters, unsigned count)
{
	long woken = -1;

	for (unsigned i = 0; i < count; i++) {
		if (leave(&waiters[i]) && woken < 0)
			woken = i;
	}
	return woken;
}

static bool look_at_all(struct futex_waiter *waiters, unsigned count) no_lock_checks
{
	for (unsigned i = 0; i < count; i++) {
		struct futex_bucket *bucket = futex_lock_waiter(&waiters[i]);
		bool woken = !waiters[i].queued;

		spin_unlock(&bucket->lock);
		if (woken)
			return true;
	}
	return false;
}

/* Enters all buckets; *failed is which could not be. */
static int enter_all(struct futex_waiter *waiters, const struct futex_word *words, unsigned count,
	unsigned *failed)
{
	int error = 0;

	for (*failed = 0; *failed < count; (*failed)++) {
		error = enter(&waiters[*failed], &words[*failed]);
		if (error)
			break;
	}
	return error;
}

/* Which one woke it, or a negative errno. */
static long wait_in_all(struct futex_waiter *waiters, const struct futex_word *words,
	unsigned count, struct futex_deadline deadline)
{
	struct thread *self = current_thread();
	struct alarm alarm;
	unsigned entered;
	long woken;
	int error;

	for (;;) {
		error = enter_all(waiters, words, count, &entered);
		if (!error)
			break;
		woken = leave_all(waiters, entered);
		if (woken >= 0)
			return woken;
		if (error != -EFAULT)
			return error;
		error = signal_kill_pending() ? -EINTR
					      : futex_word_touch(words[entered].address, false);
		if (error)
			return error;
	}
	alarm_start(&alarm, deadline);
	for (;;) {
		/* Asleep before the look: a waker from here on makes it runnable again. */
		set_state(self, THREAD_SLEEPING);
		if (look_at_all(waiters, count))
			break;
		error = sleep_once(&alarm, deadline);
		if (error)
			break;
	}
	set_state(self, THREAD_RUNNABLE);
	alarm_stop(&alarm, deadline);
	woken = leave_all(waiters, count);
	return woken >= 0 ? woken : error;
}

long futex_wait_many(const struct futex_word *words, unsigned count, struct futex_deadline deadline)
{
	struct futex_waiter *waiters = kzalloc(count * sizeof(*waiters));
	unsigned have;
	long result = 0;

	if (!waiters)
		return -ENOMEM;
	for (have = 0; have < count && !result; have += !result) {
		waiters[have].thread = current_thread();
		waiters[have].bitset = FUTEX_BITSET_MATCH_ANY;
		result = futex_key_get(words[have].address, words[have].shared, &waiters[have].key);
	}
	if (!result)
		result = wait_in_all(waiters, words, count, deadline);
	for (unsigned i = 0; i < have; i++)
		futex_key_put(&waiters[i].key);
	kfree(waiters);
	return result;
}

/* ---- Waking ---- */

/* Up to `most`, and only those that wait already; in batches, so that interrupts come through. */
static long wake_bucket(
	struct futex_bucket *bucket, const struct futex_key *key, unsigned most, uint32_t bitset)
{
	unsigned total = 0, count, batch;
	uint64_t before = UINT64_MAX;

	do {
		batch = most - total < WAKE_BATCH ? most - total : WAKE_BATCH;
		futex_lock(bucket);
		if (before == UINT64_MAX)
			before = bucket->came;
		count = futex_wake_in(bucket, key, bitset, batch, before);
		spin_unlock(&bucket->lock);
		total += count;
		if (count == batch)
			sched_point();
	} while (count == batch && total < most);
	return total;
}

long futex_wake(user_t address, bool shared, int most, uint32_t bitset)
{
	struct futex_bucket *bucket;
	struct futex_key key;
	long result = 0;
	int error = futex_key_get(address, shared, &key);

	if (error)
		return error;
	bucket = futex_bucket_of(&key);
	if (!futex_bucket_is_empty(bucket)) /* Linux wakes one even for 0 */
		result = wake_bucket(bucket, &key, most > 0 ? (unsigned)most : 1, bitset);
	if (shared)
		futex_key_put(&key);
	return result;
}

static int get_two_keys(user_t a, user_t b, bool shared, struct futex_key keys[2])
{
	int error = futex_key_get(a, shared, &keys[0]);

	if (error)
		return error;
	error = futex_key_get(b, shared, &keys[1]);
	if (error)
		futex_key_put(&keys[0]);
	return error;
}

long futex_requeue(
	user_t from, user_t to, bool shared, int wake, int most, const uint32_t *expected)
{
	struct futex_bucket *source, *target;
	struct futex_key keys[2];
	uint32_t now;
	long result;
	int error;

	if (wake < 0 || most < 0)
		return -EINVAL;
	error = get_two_keys(from, to, shared, keys);
	if (error)
		return error;
	source = futex_bucket_of(&keys[0]);
	target = futex_bucket_of(&keys[1]);
	do {
		result = 0;
		futex_lock_two(source, target);
		if (expected && arch_user_load32(&now, (void *)from.address))
			result = -EFAULT;
		else if (expected && now != *expected)
			result = -EAGAIN;
		else
			result = futex_requeue_in(
				source, &keys[0], target, &keys[1], (unsigned)wake, (unsigned)most);
		futex_unlock_two(source, target);
	} while (result == -EFAULT && !signal_kill_pending() && !futex_word_touch(from, false));
	futex_key_put(&keys[0]);
	futex_key_put(&keys[1]);
	return result;
}

/* ---- FUTEX_WAKE_OP ---- */

struct encoded {
	uint32_t operation, compare;
	uint32_t operand, with;
};

static uint32_t sign_extended(uint32_t twelve_bits)
{
	return (uint32_t)((int32_t)(twelve_bits << 20) >> 20);
}

static struct encoded decode(uint32_t word)
{
	struct encoded e = {.operation = word >> 28 & 7,
		.compare = word >> 24 & 15,
		.operand = sign_extended(word >> 12 & 0xfff),
		.with = sign_extended(word & 0xfff)};

	if (word >> 28 & FUTEX_OP_OPARG_SHIFT)
		e.operand = 1u << (e.operand & 31);
	return e;
}

/* 1, 0, or -ENOSYS: no such comparison. */
static int compare(const struct encoded *e, uint32_t before)
{
	int a = (int)before, b = (int)e->with;

	switch (e->compare) {
	case FUTEX_OP_CMP_EQ:
		return a == b;
	case FUTEX_OP_CMP_NE:
		return a != b;
	case FUTEX_OP_CMP_LT:
		return a < b;
	case FUTEX_OP_CMP_GE:
		return a >= b;
	case FUTEX_OP_CMP_LE:
		return a <= b;
	case FUTEX_OP_CMP_GT:
		return a > b;
	default:
		return -ENOSYS;
	}
}

static unsigned at_least_one(int most)
{
	return most > 0 ? (unsigned)most : 1;
}

/* With both buckets' locks. -EFAULT, -EAGAIN: the word could not be changed now. */
static long operate(struct futex_bucket *first, struct futex_bucket *second,
	const struct futex_key keys[2], user_t address, const struct encoded *e, int most,
	int most_second) requires(first->lock, second->lock)
{
	uint32_t before;
	long count;
	int held, error = futex_word_change(address, e->operation, e->operand, &before);

	if (error)
		return error;
	held = compare(e, before);
	if (held < 0)
		return held;
	count = futex_wake_in(
		first, &keys[0], FUTEX_BITSET_MATCH_ANY, at_least_one(most), UINT64_MAX);
	if (held)
		count += futex_wake_in(second, &keys[1], FUTEX_BITSET_MATCH_ANY,
			at_least_one(most_second), UINT64_MAX);
	return count;
}

long futex_wake_operation(user_t address, user_t second_address, bool shared, int most,
	int most_second, uint32_t operation)
{
	struct encoded e = decode(operation);
	struct futex_bucket *first, *second;
	struct futex_key keys[2];
	long result;
	int error = get_two_keys(address, second_address, shared, keys);

	if (error)
		return error;
	first = futex_bucket_of(&keys[0]);
	second = futex_bucket_of(&keys[1]);
	for (;;) {
		futex_lock_two(first, second);
		result = operate(first, second, keys, second_address, &e, most, most_second);
		futex_unlock_two(first, second);
		if (result == -EAGAIN)
			sched_point();
		else if (result != -EFAULT || futex_word_touch(second_address, true))
			break;
		if (signal_kill_pending())
			break;
	}
	futex_key_put(&keys[0]);
	futex_key_put(&keys[1]);
	return result;
}
