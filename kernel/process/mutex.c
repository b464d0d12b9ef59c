/* SPDX-License-Identifier: MIT */
/*
 * The slow half of mutexes (mutex.h): who finds the lock held marks it contended (2) and sleeps. The
 * mark is set (again) when the sleeper is on the queue already: before that the holder may have let go
 * without seeing anybody, and the next one have taken the lock by the quick way, unmarked.
 * Taking it here always leaves 2 behind, since other sleepers may exist: one wake-up too many is
 * possible, a lost one is not. Whoever gives up for a signal may have eaten a wake-up meant for the
 * next sleeper, so it tries once more, which either takes the lock or makes the holder wake again.
 */
#include "process/mutex.h"

static bool take_contended(struct mutex *mutex)
{
	return __atomic_exchange_n(&mutex->state, 2, __ATOMIC_ACQUIRE) == 0;
}

void mutex_lock_slow(struct mutex *mutex)
{
	struct waiter self;
	bool taken = take_contended(mutex);

	while (!taken) {
		wait_prepare(&mutex->waiters, &self);
		taken = take_contended(mutex);
		if (!taken)
			wait_sleep_uninterruptible();
		wait_finish(&mutex->waiters, &self);
	}
}

int mutex_lock_slow_interruptible(struct mutex *mutex)
{
	struct waiter self;
	bool taken = take_contended(mutex);
	int error = 0;

	while (!taken && !error) {
		wait_prepare(&mutex->waiters, &self);
		taken = take_contended(mutex);
		if (!taken)
			error = wait_sleep(NS_NEVER);
		wait_finish(&mutex->waiters, &self);
	}
	return taken || take_contended(mutex) ? 0 : error;
}
