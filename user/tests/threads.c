/* SPDX-License-Identifier: MIT */
/*
 * Threads as musl makes them: create, join, detach, thread-local storage, every kind of lock,
 * hundreds at once.
 */
#include <semaphore.h>

#include "cases.h"

#define MANY 200

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static volatile int counter;

/* ---- Ids, results, storage ---- */

static void *tells_tid(void *unused)
{
	WANT_IS(kernel_call(SYS_getpid), getpid());
	return (void *)kernel_call(SYS_gettid);
}

static void ids(void)
{
	long one = (long)join_thread(begin_thread(tells_tid, NULL)),
	     two = (long)join_thread(begin_thread(tells_tid, NULL));

	WANT(one != two && one != getpid() && two != getpid());
	WANT_IS(kernel_call(SYS_gettid), getpid());
	/* Who joins is woken a little before the thread has left its process. */
	while (kernel_call(SYS_tgkill, getpid(), one, 0) == 0)
		sleep_ms(1);
	WANT_IS(kernel_call(SYS_tgkill, getpid(), one, 0), -ESRCH);
}

static __thread long local = 7;
static __thread char local_zero[1000];

static void *uses_local(void *value)
{
	WANT_IS(local, 7);
	for (size_t i = 0; i < sizeof local_zero; i++)
		WANT_IS(local_zero[i], 0);
	local = (long)value;
	pthread_barrier_wait(&barrier);
	WANT_IS(local, (long)value);
	return (void *)local;
}

static void thread_local(void)
{
	pthread_t threads[8];

	pthread_barrier_init(&barrier, NULL, 8);
	for (long i = 0; i < 8; i++)
		threads[i] = begin_thread(uses_local, (void *)(100 + i));
	for (long i = 0; i < 8; i++)
		WANT_IS((long)join_thread(threads[i]), 100 + i);
	WANT_IS(local, 7);
}

static void *just_counts(void *unused)
{
	pthread_mutex_lock(&mutex);
	counter++;
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void many(void)
{
	static pthread_t threads[MANY];

	for (int i = 0; i < MANY; i++)
		threads[i] = begin_thread(just_counts, NULL);
	for (int i = 0; i < MANY; i++)
		join_thread(threads[i]);
	WANT_IS(counter, MANY);
}

static void *waits_with_all(void *unused)
{
	pthread_barrier_wait(&barrier);
	return just_counts(NULL);
}

static void many_at_once(void)
{
	static pthread_t threads[MANY];

	pthread_barrier_init(&barrier, NULL, MANY + 1);
	for (int i = 0; i < MANY; i++)
		threads[i] = begin_thread(waits_with_all, NULL);
	WANT_IS(counter, 0);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < MANY; i++)
		join_thread(threads[i]);
	WANT_IS(counter, MANY);
}

static void *signals_end(void *semaphore)
{
	sem_post(semaphore);
	return NULL;
}

static void detached(void)
{
	sem_t semaphore;
	pthread_attr_t attributes;
	pthread_t thread;

	sem_init(&semaphore, 0, 0);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < 50; i++)
		WANT_IS(pthread_create(&thread, &attributes, signals_end, &semaphore), 0);
	for (int i = 0; i < 50; i++)
		WANT_IS(sem_wait(&semaphore), 0);
}

/* ---- Locks ---- */

static void *adds(void *unused)
{
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void mutual_exclusion(void)
{
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		threads[i] = begin_thread(adds, NULL);
	for (int i = 0; i < 8; i++)
		join_thread(threads[i]);
	WANT_IS(counter, 16000);
}

/* Two take turns: nobody may miss a wake-up. */
static void *takes_turns(void *me)
{
	for (int i = 0; i < 500; i++) {
		pthread_mutex_lock(&mutex);
		while (counter % 2 != (int)(long)me)
			pthread_cond_wait(&condition, &mutex);
		counter++;
		pthread_cond_signal(&condition);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void condition_turns(void)
{
	pthread_t one = begin_thread(takes_turns, (void *)0),
		  two = begin_thread(takes_turns, (void *)1);

	join_thread(one);
	join_thread(two);
	WANT_IS(counter, 1000);
}

static volatile int released;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;

static void *waits_for_release(void *unused)
{
	pthread_mutex_lock(&mutex);
	counter++;
	pthread_cond_signal(&arrived);
	while (!released)
		pthread_cond_wait(&condition, &mutex);
	counter--;
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void broadcast(void)
{
	pthread_t threads[20];

	for (int i = 0; i < 20; i++)
		threads[i] = begin_thread(waits_for_release, NULL);
	pthread_mutex_lock(&mutex);
	while (counter < 20)
		pthread_cond_wait(&arrived, &mutex);
	released = 1;
	pthread_cond_broadcast(&condition);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 20; i++)
		join_thread(threads[i]);
	WANT_IS(counter, 0);
}

static void timed_wait(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 2000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&mutex);
	WANT_IS(pthread_cond_timedwait(&condition, &mutex, &until), ETIMEDOUT);
	WANT_IS(pthread_mutex_trylock(&mutex), EBUSY);
	pthread_mutex_unlock(&mutex);
}

static void *serial_of_barrier(void *unused)
{
	for (int i = 0; i < 100; i++) {
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			just_counts(NULL);
	}
	return NULL;
}

static void barriers(void)
{
	pthread_t threads[5];

	pthread_barrier_init(&barrier, NULL, 5);
	for (int i = 0; i < 5; i++)
		threads[i] = begin_thread(serial_of_barrier, NULL);
	for (int i = 0; i < 5; i++)
		join_thread(threads[i]);
	WANT_IS(counter, 100);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static volatile long pair[2];

static void *writes_pair(void *unused)
{
	for (int i = 0; i < 500; i++) {
		pthread_rwlock_wrlock(&rwlock);
		pair[0]++;
		pair[1]--;
		pthread_rwlock_unlock(&rwlock);
	}
	return NULL;
}

static void *reads_pair(void *unused)
{
	for (int i = 0; i < 500; i++) {
		pthread_rwlock_rdlock(&rwlock);
		WANT_IS(pair[0] + pair[1], 0);
		pthread_rwlock_unlock(&rwlock);
	}
	return NULL;
}

static void readers_and_writers(void)
{
	pthread_t threads[6];

	for (int i = 0; i < 6; i++)
		threads[i] = begin_thread(i < 2 ? writes_pair : reads_pair, NULL);
	for (int i = 0; i < 6; i++)
		join_thread(threads[i]);
	WANT_IS(pair[0], 1000);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void only_once(void)
{
	counter++;
}

static void *calls_once(void *unused)
{
	pthread_barrier_wait(&barrier);
	pthread_once(&once, only_once);
	WANT_IS(counter, 1);
	return NULL;
}

static void once_only(void)
{
	pthread_t threads[8];

	pthread_barrier_init(&barrier, NULL, 8);
	for (int i = 0; i < 8; i++)
		threads[i] = begin_thread(calls_once, NULL);
	for (int i = 0; i < 8; i++)
		join_thread(threads[i]);
}

static const struct test_case cases[] = {
	CASE(ids, "threads share the pid and have tids of their own, which go with them"),
	CASE(thread_local, "thread-local storage"),
	CASE(many, "200 threads made and joined"),
	CASE(many_at_once, "200 threads alive at once"),
	CASE(detached, "detached threads"),
	CASE(mutual_exclusion, "a mutex keeps 8 threads apart"),
	CASE(condition_turns, "a condition variable: 1,000 turns of two threads"),
	CASE(broadcast, "a condition variable: broadcast to 20"),
	CASE(timed_wait, "a condition variable: the time ends the wait"),
	CASE(barriers, "a barrier: one serial thread each time"),
	CASE(readers_and_writers, "a reader-writer lock"),
	CASE(once_only, "pthread_once"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
