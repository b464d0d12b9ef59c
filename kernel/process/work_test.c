/* SPDX-License-Identifier: MIT */
/*
 * Work queues under real threads: wait queues are made of one lock and one condition variable. A lost
 * wake-up shows as a test that hangs and is ended by its time limit.
 */
#include "process/work.h"

#include "lib/check.h"
#include "lib/errno.h"
#include "process/current.h"
#include "process/process.h"
/* The C library has one too. */
#define sched_yield kernel_sched_yield
#include "process/sched.h"
#undef sched_yield

#include <pthread.h>
#include <unistd.h>

#define ADDERS 4
#define ROUNDS 20000

struct thread *fake_thread;
struct cpu *fake_cpu;

static pthread_mutex_t scheduler = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static __thread unsigned long seen;
static unsigned long wakes;

/* Every wake-up of a queue that somebody is on wakes all. */
void wake_waiters(struct wait_queue *queue)
{
	(void)queue;
	pthread_mutex_lock(&scheduler);
	wakes++;
	pthread_cond_broadcast(&woken);
	pthread_mutex_unlock(&scheduler);
}

void wake_one(struct wait_queue *queue)
{
	wake_all(queue);
}

void wait_prepare(struct wait_queue *queue, struct waiter *waiter)
{
	pthread_mutex_lock(&scheduler);
	list_push_back(&queue->waiters, &waiter->link);
	seen = wakes;
	pthread_mutex_unlock(&scheduler);
}

void wait_finish(struct wait_queue *queue, struct waiter *waiter)
{
	(void)queue;
	pthread_mutex_lock(&scheduler);
	list_remove(&waiter->link);
	pthread_mutex_unlock(&scheduler);
}

void wait_sleep_uninterruptible(void)
{
	pthread_mutex_lock(&scheduler);
	while (seen == wakes)
		pthread_cond_wait(&woken, &scheduler);
	pthread_mutex_unlock(&scheduler);
}

/* ---- Threads and timers ---- */

static void (*run_function)(void *);
static void *run_argument;
static pthread_t worker;
static struct thread worker_thread;
static bool no_memory;

struct thread *thread_create(const char *name, void (*function)(void *), void *argument)
{
	CHECK_STRING(name, "test");
	run_function = function;
	run_argument = argument;
	return no_memory ? NULL : &worker_thread;
}

static void *start(void *unused)
{
	run_function(run_argument);
	return unused;
}

bool thread_wake(struct thread *thread)
{
	CHECK(thread == &worker_thread);
	CHECK(!pthread_create(&worker, NULL, start, NULL));
	return true;
}

void thread_exit(int status)
{
	(void)status;
	pthread_exit(NULL);
}

void sched_point(void)
{
}

ns_t arch_clock(void)
{
	return 1000;
}

static struct timer *armed;

void timer_init(struct timer *timer, void (*function)(struct timer *timer))
{
	*timer = (struct timer){.function = function};
}

void timer_arm(struct timer *timer, ns_t when)
{
	timer->when = when;
	armed = timer;
}

void timer_cancel(struct timer *timer)
{
	if (armed == timer)
		armed = NULL;
}

/* ---- Tests ---- */

static struct work_queue queue;
static unsigned long sum; /* by the worker alone */
static unsigned again;

static void add_one(struct work *work)
{
	CHECK(list_empty(&work->link) && queue.current == work);
	sum++;
}

static void repeat(struct work *work)
{
	sum++;
	if (--again)
		CHECK(work_queue_add(&queue, work));
}

static void free_itself(struct work *work)
{
	sum++;
	free(work);
}

static void *adder(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct work *work = malloc(sizeof(*work));

		work_init(work, free_itself);
		CHECK(work_queue_add(&queue, work));
		if (i % 1000 == 0)
			work_queue_flush(&queue);
	}
	return unused;
}

static void test_order_and_flush(void)
{
	struct work a = WORK_INIT(a, add_one), b = WORK_INIT(b, repeat);

	work_queue_add(&queue, &a);
	work_queue_flush(&queue);
	CHECK_EQUAL(sum, 1);
	CHECK(work_queue_add(&queue, &a));
	work_queue_flush(&queue);
	CHECK_EQUAL(sum, 2);
	again = 1000;
	work_queue_add(&queue, &b);
	while (__atomic_load_n(&again, __ATOMIC_RELAXED))
		work_queue_flush(&queue);
	work_queue_flush(&queue);
	CHECK_EQUAL(sum, 1002);
}

static void test_later(void)
{
	struct delayed_work later;
	unsigned long before = sum;

	delayed_work_init(&later, add_one);
	delayed_work_cancel(&later);
	work_queue_add_later(&queue, &later, 500);
	CHECK(armed == &later.timer && armed->when == 1500);
	work_queue_flush(&queue);
	CHECK_EQUAL(sum, before);
	armed->function(armed);
	work_queue_flush(&queue);
	CHECK_EQUAL(sum, before + 1);
	work_queue_add_later(&queue, &later, 500);
	delayed_work_cancel(&later);
	CHECK(!armed);
	work_queue_flush(&queue);
	CHECK_EQUAL(sum, before + 1);
}

/* What is cancelled does not run afterwards: its memory goes at once. */
static void test_cancel(void)
{
	for (int i = 0; i < 5000; i++) {
		struct work *work = malloc(sizeof(*work));

		work_init(work, add_one);
		work_queue_add(&queue, work);
		if (i % 3 == 0)
			usleep(1);
		work_cancel(&queue, work);
		CHECK(list_empty(&work->link));
		free(work);
	}
}

static void test_many(void)
{
	pthread_t threads[ADDERS];
	unsigned long before;

	work_queue_flush(&queue);
	before = sum;
	for (int i = 0; i < ADDERS; i++)
		CHECK(!pthread_create(&threads[i], NULL, adder, NULL));
	for (int i = 0; i < ADDERS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	/* What is left is done before the queue ends. */
	work_queue_stop(&queue);
	CHECK(!pthread_join(worker, NULL));
	CHECK_EQUAL(sum - before, ADDERS * ROUNDS);
}

int main(void)
{
	alarm(240);
	no_memory = true;
	CHECK_EQUAL(work_queue_start(&queue, "test"), -ENOMEM);
	no_memory = false;
	CHECK_EQUAL(work_queue_start(&queue, "test"), 0);
	test_order_and_flush();
	test_later();
	test_cancel();
	test_many();
	return check_done();
}
