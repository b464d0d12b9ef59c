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
#include "lib/lock_checks.h"
#include "lib/types.h"

#ifdef __clang__
#define TS(x) __attribute__((x))
#else
#define TS(x)
#endif
#define CAPABILITY    TS(capability("lock"))
#define guarded_by(l) TS(guarded_by(l))
#define requires(...) TS(requires_capability(__VA_ARGS__))
#define acquires(...)  TS(acquire_capability(__VA_ARGS__))
#define releases(...)  TS(release_capability(__VA_ARGS__))
#define excludes(...)  TS(locks_excluded(__VA_ARGS__))
#define no_lock_checks TS(no_thread_safety_analysis)

struct CAPABILITY spinlock {
	uint32_t held;      /* arch_lock_owner's of the CPU that holds it; 0: it is free */
	uint32_t irq_state; /* of the holder, before it took the lock */
#if LOCK_CHECKS
	struct lock_identity identity;
#endif
};

#define SPINLOCK_INIT \
	{             \
		0     \
	}

/* A lock of which there are many, with the name of its kind, as in docs/locks.md: SPINLOCK_OF where it
 * is declared, spin_init where it is made. */
#if LOCK_CHECKS
#define SPINLOCK_OF(kind)                     \
	{                                     \
		.identity = {.name = (kind) } \
	}
#define spin_init(lock, kind) ((void)(*(lock) = (struct spinlock)SPINLOCK_OF(kind)))
#else
#define SPINLOCK_OF(kind)     SPINLOCK_INIT
#define spin_init(lock, kind) ((void)(*(lock) = (struct spinlock)SPINLOCK_INIT))
#endif

/* ---- Taking and releasing ---- */

/* The word of a lock that is held stays as it is: it tells whose it is. */
static inline bool spin_try(uint32_t *held)
{
	uint32_t free = 0;

	return __atomic_compare_exchange_n(
		held, &free, arch_lock_owner(), false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void spin_lock_at(struct spinlock *lock, const struct lock_site *site, uint32_t state,
	bool nested) acquires(lock) no_lock_checks
{
	lock_check_order(lock, site, nested);
	if (unlikely(!spin_try(&lock->held)))
		arch_spin_take(&lock->held);
	lock->irq_state = state;
	lock_check_taken(lock, site);
}

#if LOCK_CHECKS
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
