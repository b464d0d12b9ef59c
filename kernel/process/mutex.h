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
#if LOCK_CHECKS
	struct lock_identity identity;
#endif
};

#if LOCK_CHECKS
#define MUTEX_INIT(kind)                                                                 \
	{                                                                                \
		.waiters = WAIT_QUEUE_INIT((kind).waiters), .identity = {.name = #kind } \
	}
#else
#define MUTEX_INIT(kind)                                   \
	{                                                  \
		.waiters = WAIT_QUEUE_INIT((kind).waiters) \
	}
#endif

/* kind: the name of its kind in docs/locks.md, for a debug build's checks. */
static inline void mutex_init(struct mutex *mutex, const char *kind UNUSED)
{
	mutex->state = 0;
#if LOCK_CHECKS
	mutex->identity = (struct lock_identity){.name = kind};
#endif
	wait_queue_init(&mutex->waiters);
}

void mutex_lock_slow(struct mutex *mutex) SCHED_TEXT;
int mutex_lock_slow_interruptible(struct mutex *mutex) SCHED_TEXT MUST_CHECK;

static inline bool mutex_try(struct mutex *mutex)
{
	uint32_t free = 0;

	return __atomic_compare_exchange_n(
		&mutex->state, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void mutex_lock_at(struct mutex *mutex, const struct lock_site *site, bool nested)
	acquires(mutex) no_lock_checks
{
	lock_check_mutex(mutex, site, nested);
	if (unlikely(!mutex_try(mutex)))
		mutex_lock_slow(mutex);
	lock_check_mutex_taken(mutex, site);
}

static inline int MUST_CHECK mutex_lock_interruptible_at(struct mutex *mutex,
	const struct lock_site *site) TS(try_acquire_capability(0, mutex)) no_lock_checks
{
	int error;

	lock_check_mutex(mutex, site, false);
	error = likely(mutex_try(mutex)) ? 0 : mutex_lock_slow_interruptible(mutex);
	if (!error)
		lock_check_mutex_taken(mutex, site);
	return error;
}

static inline bool MUST_CHECK mutex_trylock_at(struct mutex *mutex, const struct lock_site *site)
	TS(try_acquire_capability(true, mutex)) no_lock_checks
{
	if (!mutex_try(mutex))
		return false;
	lock_check_mutex_taken(mutex, site);
	return true;
}

#if LOCK_CHECKS
#define mutex_lock(mutex)               mutex_lock_at(mutex, LOCK_SITE(mutex), false)
#define mutex_lock_nested(mutex)        mutex_lock_at(mutex, LOCK_SITE(mutex), true)
#define mutex_lock_interruptible(mutex) mutex_lock_interruptible_at(mutex, LOCK_SITE(mutex))
#define mutex_trylock(mutex)            mutex_trylock_at(mutex, LOCK_SITE(mutex))
#else
/* Never waits: false, when somebody has it. */
static inline bool MUST_CHECK mutex_trylock(struct mutex *mutex)
	TS(try_acquire_capability(true, mutex)) no_lock_checks
{
	return mutex_trylock_at(mutex, NULL);
}

/* Waits whatever signals come. */
static inline void mutex_lock(struct mutex *mutex) acquires(mutex) no_lock_checks
{
	mutex_lock_at(mutex, NULL, false);
}

/* The second of two of a kind, which have an order among themselves. */
static inline void mutex_lock_nested(struct mutex *mutex) acquires(mutex) no_lock_checks
{
	mutex_lock_at(mutex, NULL, true);
}

/* 0, or what wait_sleep gives when a signal comes (the mutex is not held then). */
static inline int MUST_CHECK mutex_lock_interruptible(struct mutex *mutex)
	TS(try_acquire_capability(0, mutex)) no_lock_checks
{
	return mutex_lock_interruptible_at(mutex, NULL);
}
#endif

static inline void mutex_unlock(struct mutex *mutex) releases(mutex) no_lock_checks
{
	lock_check_mutex_released(mutex);
	if (unlikely(__atomic_exchange_n(&mutex->state, 0, __ATOMIC_RELEASE) == 2))
		wake_one(&mutex->waiters);
}

static inline bool mutex_held(const struct mutex *mutex)
{
	return __atomic_load_n(&mutex->state, __ATOMIC_RELAXED) != 0;
}

#endif
