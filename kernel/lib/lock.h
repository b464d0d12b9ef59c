/* SPDX-License-Identifier: MIT */
/*
 * Spin locks, and the annotations by which clang's -Wthread-safety checks who holds what.
 *
 * spin_lock turns interrupts off on this CPU and keeps the state before in the lock, so locks are
 * released in any order only if the outermost goes last. Code under a lock never sleeps. The order
 * in which locks may be taken stands in docs/locks.md; a debug build checks it (lockdep.c).
 */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H

#include "arch_cpu.h"
#include "lib/types.h"

#ifdef __clang__
#define TS(x) __attribute__((x))
#else
#define TS(x)
#endif
#ifndef LOCK_CHECKS /* a debug build's checks: lockdep.c */
#if defined(BATON_DEBUG) && BATON_DEBUG && !defined(BATON_HOST_TEST)
#define LOCK_CHECKS 1
#else
#define LOCK_CHECKS 0
#endif
#endif
#define CAPABILITY    TS(capability("lock"))
#define guarded_by(l) TS(guarded_by(l))
#define requires(...) TS(requires_capability(__VA_ARGS__))
#define acquires(...)  TS(acquire_capability(__VA_ARGS__))
#define releases(...)  TS(release_capability(__VA_ARGS__))
#define excludes(...)  TS(locks_excluded(__VA_ARGS__))
#define no_lock_checks TS(no_thread_safety_analysis)

struct lock_class;

struct CAPABILITY spinlock {
	uint32_t held;
	uint32_t irq_state; /* of the holder, before it took the lock */
#if LOCK_CHECKS
	struct lock_class *class; /* lockdep.c */
#endif
};

#define SPINLOCK_INIT \
	{             \
		0     \
	}

/* ---- What a debug build checks: lockdep.c ---- */

/* Where a lock is taken. */
struct lock_site {
	const char *file, *what; /* the expression */
	int line;
};

#if LOCK_CHECKS
/* The lock is about to be taken: may it be, with what this CPU holds? nested: the caller has seen to
 * the order among locks of one class. */
void lock_check_order(struct spinlock *lock, const struct lock_site *site, bool nested);
void lock_check_taken(struct spinlock *lock, const struct lock_site *site);
void lock_check_released(struct spinlock *lock);
/* Here the running thread may sleep: no spin lock may be held. */
void lock_check_may_sleep(void);
void lock_check_start(void);  /* from now on, when this_cpu() works */
void lock_check_report(void); /* log lines: classes, times held */
#else
static inline void lock_check_order(
	struct spinlock *lock UNUSED, const struct lock_site *site UNUSED, bool nested UNUSED)
{
}

static inline void lock_check_taken(
	struct spinlock *lock UNUSED, const struct lock_site *site UNUSED)
{
}

static inline void lock_check_released(struct spinlock *lock UNUSED)
{
}

static inline void lock_check_may_sleep(void)
{
}

static inline void lock_check_start(void)
{
}

static inline void lock_check_report(void)
{
}
#endif

/* ---- Taking and releasing ---- */

static inline void spin_lock_at(struct spinlock *lock, const struct lock_site *site, uint32_t state,
	bool nested) acquires(lock) no_lock_checks
{
	lock_check_order(lock, site, nested);
	while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE)) {
		while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED))
			arch_pause();
	}
	lock->irq_state = state;
	lock_check_taken(lock, site);
}

#if LOCK_CHECKS
#define LOCK_SITE(lock)                                                                 \
	({                                                                              \
		static const struct lock_site lock_site_ = {__FILE__, #lock, __LINE__}; \
		&lock_site_;                                                            \
	})
#define spin_lock(lock)        spin_lock_at(lock, LOCK_SITE(lock), arch_irq_save(), false)
#define spin_lock_off(lock)    spin_lock_at(lock, LOCK_SITE(lock), 0, false)
#define spin_lock_nested(lock) spin_lock_at(lock, LOCK_SITE(lock), arch_irq_save(), true)
#else
static inline void spin_lock(struct spinlock *lock) acquires(lock) no_lock_checks
{
	spin_lock_at(lock, NULL, arch_irq_save(), false);
}

/* The same where interrupts are off already, as after arch_irq_save. */
static inline void spin_lock_off(struct spinlock *lock) acquires(lock) no_lock_checks
{
	spin_lock_at(lock, NULL, 0, false);
}

/* The second lock of two of a kind, which have an order among themselves. */
static inline void spin_lock_nested(struct spinlock *lock) acquires(lock) no_lock_checks
{
	spin_lock_at(lock, NULL, arch_irq_save(), true);
}
#endif

static inline void spin_unlock(struct spinlock *lock) releases(lock) no_lock_checks
{
	uint32_t state = lock->irq_state;

	lock_check_released(lock);
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
	arch_irq_restore(state);
}

#endif
