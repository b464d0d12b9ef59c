/* SPDX-License-Identifier: MIT */
/*
 * Spin locks, and the annotations by which clang's -Wthread-safety checks who holds what.
 *
 * spin_lock turns interrupts off on this CPU and keeps the state before in the lock, so locks are
 * released in any order only if the outermost goes last. Code under a lock never sleeps. The order
 * in which locks may be taken stands in docs/locks.md.
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
#define CAPABILITY    TS(capability("lock"))
#define guarded_by(l) TS(guarded_by(l))
#define requires(...) TS(requires_capability(__VA_ARGS__))
#define acquires(...)  TS(acquire_capability(__VA_ARGS__))
#define releases(...)  TS(release_capability(__VA_ARGS__))
#define excludes(...)  TS(locks_excluded(__VA_ARGS__))
#define no_lock_checks TS(no_thread_safety_analysis)

struct CAPABILITY spinlock {
	uint32_t held;
	uint32_t irq_state; /* of the holder, before it took the lock */
};

#define SPINLOCK_INIT \
	{             \
		0, 0  \
	}

static inline void spin_lock(struct spinlock *lock) acquires(lock) no_lock_checks
{
	uint32_t state = arch_irq_save();

	while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE)) {
		while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED))
			arch_pause();
	}
	lock->irq_state = state;
}

/* The same where interrupts are off already, as after arch_irq_save. */
static inline void spin_lock_off(struct spinlock *lock) acquires(lock) no_lock_checks
{
	while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE)) {
		while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED))
			arch_pause();
	}
	lock->irq_state = 0;
}

static inline void spin_unlock(struct spinlock *lock) releases(lock) no_lock_checks
{
	uint32_t state = lock->irq_state;

	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
	arch_irq_restore(state);
}

#endif
