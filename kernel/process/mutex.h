/* SPDX-License-Identifier: MIT */
/*
 * A lock whose waiters sleep: for what is held across user memory, page fills and devices.
 *
 * `state` is 0 free, 1 held, 2 held and somebody may sleep. An uncontended lock and unlock are one
 * atomic operation each. A mutex is never taken in an interrupt or under a spin lock; which mutex
 * comes before which stands in docs/locks.md and, for files, in files/vfs.h.
 */
#ifndef PROCESS_MUTEX_H
#define PROCESS_MUTEX_H

#include "lib/lock.h"
#include "lib/types.h"
#include "process/wait.h"

struct CAPABILITY mutex {
	uint32_t state;
	struct wait_queue waiters;
};

#define MUTEX_INIT(name)                           \
	{                                          \
		0, WAIT_QUEUE_INIT((name).waiters) \
	}

void mutex_init(struct mutex *mutex);
void mutex_lock_slow(struct mutex *mutex);
int mutex_lock_slow_interruptible(struct mutex *mutex) MUST_CHECK;

static inline bool mutex_try(struct mutex *mutex)
{
	uint32_t free = 0;

	return __atomic_compare_exchange_n(
		&mutex->state, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Waits whatever signals come. */
static inline void mutex_lock(struct mutex *mutex) acquires(mutex) no_lock_checks
{
	lock_check_may_sleep();
	if (unlikely(!mutex_try(mutex)))
		mutex_lock_slow(mutex);
}

/* 0, or what wait_sleep gives when a signal comes (the mutex is not held then). */
static inline int MUST_CHECK mutex_lock_interruptible(struct mutex *mutex)
	TS(try_acquire_capability(0, mutex)) no_lock_checks
{
	lock_check_may_sleep();
	return likely(mutex_try(mutex)) ? 0 : mutex_lock_slow_interruptible(mutex);
}

static inline void mutex_unlock(struct mutex *mutex) releases(mutex) no_lock_checks
{
	if (unlikely(__atomic_exchange_n(&mutex->state, 0, __ATOMIC_RELEASE) == 2))
		wake_one(&mutex->waiters);
}

static inline bool mutex_held(const struct mutex *mutex)
{
	return __atomic_load_n(&mutex->state, __ATOMIC_RELAXED) != 0;
}

#endif
