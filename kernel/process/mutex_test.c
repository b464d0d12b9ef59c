/* SPDX-License-Identifier: MIT */
/*
 * Mutexes under real threads: the host's stand in for CPUs, and wait queues are made of one lock and
 * condition variables. A lost wake-up shows as a test that hangs (and is ended by its time limit),
 * a hole in the exclusion as a wrong sum.
 */
#include "process/mutex.h"

#include "lib/check.h"
#include "lib/errno.h"

#include <pthread.h>
#include <unistd.h>

#define THREADS 8
#define ROUNDS  40000

struct thread {
	pthread_cond_t condition;
	bool awake, signalled;
};

static pthread_mutex_t scheduler = PTHREAD_MUTEX_INITIALIZER;
static __thread struct thread *self;
static unsigned long sleeps;

static void (*before_queue)(void); /* what others do until then */

void wait_prepare(struct wait_queue *queue, struct waiter *waiter)
{
	if (before_queue)
		before_queue();
	pthread_mutex_lock(&scheduler);
	waiter->thread = self;
	self->awake = false;
	list_push_back(&queue->waiters, &waiter->link);
	pthread_mutex_unlock(&scheduler);
}

void wait_finish(struct wait_queue *queue, struct waiter *waiter)
{
	pthread_mutex_lock(&scheduler);
	list_remove(&waiter->link);
	pthread_mutex_unlock(&scheduler);
}

void wait_sleep_uninterruptible(void)
{
	pthread_mutex_lock(&scheduler);
	sleeps++;
	while (!self->awake)
		pthread_cond_wait(&self->condition, &scheduler);
	pthread_mutex_unlock(&scheduler);
}

static void (*during_sleep)(void); /* instead of sleeping, which a signal then ends */

int wait_sleep(ns_t deadline)
{
	int error = 0;

	if (during_sleep) {
		during_sleep();
		return -EINTR;
	}
	pthread_mutex_lock(&scheduler);
	sleeps++;
	while (!self->awake && !self->signalled)
		pthread_cond_wait(&self->condition, &scheduler);
	if (self->signalled) { /* even when woken too: the wake-up is lost then */
		self->signalled = false;
		error = -EINTR;
	}
	pthread_mutex_unlock(&scheduler);
	return error;
}

void wake_one(struct wait_queue *queue)
{
	struct waiter *waiter;

	pthread_mutex_lock(&scheduler);
	list_for_each(waiter, &queue->waiters, link)
	{
		if (waiter->thread->awake)
			continue;
		waiter->thread->awake = true;
		pthread_cond_signal(&waiter->thread->condition);
		break;
	}
	pthread_mutex_unlock(&scheduler);
}

static struct mutex mutex = MUTEX_INIT(mutex);
static struct thread threads[THREADS];
static volatile unsigned long sum;
static unsigned long interrupted;

static void hold(unsigned int *seed)
{
	unsigned long before = sum;

	if (rand_r(seed) % 16 == 0)
		usleep(1); /* so that the others must sleep */
	sum = before + 1;
}

static void *work(void *context)
{
	unsigned int seed = (unsigned int)((struct thread *)context - threads);

	self = context;
	for (int i = 0; i < ROUNDS; i++) {
		if (i % 2) {
			mutex_lock(&mutex);
		} else if (mutex_lock_interruptible(&mutex)) {
			/* Gives up for good: a wake-up that it has eaten helps nobody. */
			__atomic_add_fetch(&interrupted, 1, __ATOMIC_RELAXED);
			continue;
		}
		hold(&seed);
		mutex_unlock(&mutex);
	}
	return NULL;
}

/* Interrupts whoever sleeps, now and then. */
static void *interrupt(void *context)
{
	unsigned int seed = 99;

	for (int i = 0; i < ROUNDS && sum + interrupted < (unsigned long)THREADS * ROUNDS; i++) {
		struct thread *thread = &threads[rand_r(&seed) % THREADS];

		pthread_mutex_lock(&scheduler);
		thread->signalled = true;
		pthread_cond_signal(&thread->condition);
		pthread_mutex_unlock(&scheduler);
		if (i % 8 == 0)
			usleep(1);
	}
	return NULL;
}

static void unlock(void)
{
	mutex_unlock(&mutex);
}

/* The holder lets go, its wake-up goes to us, and a signal ends our sleep: we must take the lock, or
 * the next sleeper is never woken. */
static void test_eaten_wake_up(void)
{
	self = &threads[0];
	mutex_lock(&mutex);
	during_sleep = unlock;
	CHECK_EQUAL(mutex_lock_interruptible(&mutex), 0);
	CHECK_EQUAL(mutex.state, 2); /* unlocking will wake the next */
	mutex_unlock(&mutex);
	CHECK_EQUAL(mutex.state, 0);
	during_sleep = NULL;
}

static void hand_over(void)
{
	before_queue = NULL;
	mutex_unlock(&mutex);
	CHECK(mutex_try(&mutex));
}

static void unlock_marked(void)
{
	CHECK_EQUAL(mutex.state, 2); /* or the sleeper is never woken */
	mutex_unlock(&mutex);
}

/* Before the sleeper is on the queue the holder lets go, waking nobody, and another thread takes the lock
 * the quick way, without the mark. */
static void test_handed_over(void)
{
	self = &threads[0];
	mutex_lock(&mutex);
	before_queue = hand_over;
	during_sleep = unlock_marked;
	CHECK_EQUAL(mutex_lock_interruptible(&mutex), 0);
	mutex_unlock(&mutex);
	CHECK_EQUAL(mutex.state, 0);
	during_sleep = NULL;
}

int main(void)
{
	pthread_t handles[THREADS + 1];

	test_eaten_wake_up();
	test_handed_over();
	for (int i = 0; i < THREADS; i++)
		pthread_cond_init(&threads[i].condition, NULL);
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&handles[i], NULL, work, &threads[i]));
	CHECK(!pthread_create(&handles[THREADS], NULL, interrupt, NULL));
	for (int i = 0; i <= THREADS; i++)
		CHECK(!pthread_join(handles[i], NULL));
	CHECK_EQUAL(sum + interrupted, (unsigned long)THREADS * ROUNDS);
	CHECK_EQUAL(mutex.state == 2, 0);
	CHECK(sleeps > 100 && interrupted > 0);
	return check_done();
}
