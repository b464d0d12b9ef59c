/* SPDX-License-Identifier: MIT */
/* Queues of signals: order, merging of sets and entries, accounts. */
#include "arch/fake/test.h"
#include "lib/errno.h"
#include "memory/slab.h"
#include "process/signal.h"

#include <signal.h>
#include <stdlib.h>

struct spinlock process_lock;
static unsigned allocated, allowed = 1000;

/* The slab's place: counted, and made to fail. */
void *cache_alloc(struct cache *cache)
{
	if (allocated == allowed)
		return NULL;
	allocated++;
	return calloc(1, cache->object_size);
}

void cache_free(struct cache *cache, void *object)
{
	(void)cache;
	allocated--;
	free(object);
}

void *kzalloc(size_t size)
{
	return calloc(1, size);
}

void kfree(void *p)
{
	free(p);
}

static void put(struct signal_queue *queue, int signal, int value) no_lock_checks
{
	struct signal_entry *entry = signal_entry_alloc(7, 1000);

	CHECK(entry);
	entry->info = (struct signal_info){.number = signal, .code = SI_QUEUE};
	entry->info.sent.value = (uint64_t)value;
	signal_queue_add(queue, entry);
}

static void expect(struct signal_queue *queue, int signal, int value) no_lock_checks
{
	struct signal_info info;

	CHECK_EQUAL(signal_queue_next(queue, 0), signal);
	signal_queue_take(queue, signal, &info);
	CHECK_EQUAL(info.number, signal);
	CHECK_EQUAL((int)info.sent.value, value);
}

static void test_order(void)
{
	struct signal_queue queue;

	signal_queue_init(&queue);
	CHECK_EQUAL(signal_queue_next(&queue, 0), 0);
	put(&queue, 40, 1);
	put(&queue, 35, 2);
	put(&queue, 40, 3);
	put(&queue, SIGUSR2, 4);
	put(&queue, SIGHUP, 5);
	put(&queue, SIGSEGV, 6);
	put(&queue, 35, 7);
	expect(&queue, SIGSEGV, 6); /* faults first */
	expect(&queue, SIGHUP, 5);
	expect(&queue, SIGUSR2, 4);
	expect(&queue, 35, 2); /* then in the order in which they were sent */
	expect(&queue, 35, 7);
	expect(&queue, 40, 1);
	CHECK_EQUAL(signal_queue_next(&queue, SIGNAL_BIT(40)), 0);
	expect(&queue, 40, 3);
	CHECK_EQUAL(queue.set, 0);
	CHECK_EQUAL(allocated, 0);
}

static void test_without_entry(void) no_lock_checks
{
	struct signal_queue queue;
	struct signal_info info;

	signal_queue_init(&queue);
	queue.set = SIGNAL_BIT(64);
	CHECK_EQUAL(signal_queue_next(&queue, 0), 64);
	signal_queue_take(&queue, 64, &info);
	CHECK_EQUAL(info.number, 64);
	CHECK_EQUAL(info.code, SI_USER);
	CHECK_EQUAL(info.sent.pid, 0);
	CHECK_EQUAL(queue.set, 0);
}

static void test_discard(void) no_lock_checks
{
	struct signal_queue queue;

	signal_queue_init(&queue);
	for (int i = 0; i < 10; i++)
		put(&queue, 33 + i % 3, i);
	signal_queue_discard(&queue, SIGNAL_BIT(34) | SIGNAL_BIT(50));
	CHECK_EQUAL(queue.set, SIGNAL_BIT(33) | SIGNAL_BIT(35));
	CHECK_EQUAL(signal_entries_of(7), 7);
	signal_queue_discard(&queue, UINT64_MAX);
	CHECK_EQUAL(queue.set, 0);
	CHECK_EQUAL(allocated, 0);
}

static void test_accounts(void) no_lock_checks
{
	struct signal_entry *own[3], *roots;

	for (int i = 0; i < 3; i++) {
		own[i] = signal_entry_alloc(1000, 3);
		CHECK(own[i]);
	}
	CHECK(!signal_entry_alloc(1000, 3));
	CHECK_EQUAL(signal_entries_of(1000), 3);
	roots = signal_entry_alloc(0, 1);
	CHECK(roots);
	CHECK(!signal_entry_alloc(0, 1));
	signal_entry_free(own[0]);
	CHECK_EQUAL(signal_entries_of(1000), 2);
	allowed = allocated;
	CHECK(!signal_entry_alloc(1000, 3)); /* no memory */
	CHECK(!signal_entry_alloc(1001, 3));
	CHECK_EQUAL(signal_entries_of(1001), 0);
	signal_entry_free(own[1]);
	signal_entry_free(own[2]);
	signal_entry_free(roots);
	CHECK_EQUAL(signal_entries_of(1000), 0);
	CHECK_EQUAL(allocated, 0);
}

static unsigned taken_count;

static void on_taken(struct signal_entry *entry)
{
	taken_count++;
	entry->info.timer.overrun = 5;
}

/* A timer's entry stays the timer's. */
static void test_preallocated(void) no_lock_checks
{
	struct signal_entry *entry = signal_entry_alloc(7, 10);
	struct signal_queue queue;
	struct signal_info info;

	signal_queue_init(&queue);
	CHECK(entry);
	entry->taken = on_taken;
	entry->info = (struct signal_info){.number = SIGALRM, .code = SI_TIMER};
	signal_queue_add(&queue, entry);
	signal_queue_take(&queue, SIGALRM, &info);
	CHECK_EQUAL(taken_count, 1);
	CHECK_EQUAL(info.timer.overrun, 5);
	CHECK(list_empty(&entry->link));
	signal_queue_add(&queue, entry);
	signal_queue_discard(&queue, UINT64_MAX);
	CHECK(list_empty(&entry->link));
	CHECK_EQUAL(signal_entries_of(7), 1);
	signal_entry_free(entry);
	CHECK_EQUAL(allocated, 0);
}

int main(void)
{
	RUN(test_order);
	RUN(test_without_entry);
	RUN(test_discard);
	RUN(test_accounts);
	RUN(test_preallocated);
	return test_result();
}
