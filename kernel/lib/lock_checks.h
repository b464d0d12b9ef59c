/* SPDX-License-Identifier: MIT */
/*
 * What a debug build (-Ddebug_kernel=true) checks of locks, mutexes and interrupts that are off:
 * lockdep.c. Without it all of this is nothing. Apart from lock.h, since arch_cpu.h needs it too.
 */
#ifndef LIB_LOCK_CHECKS_H
#define LIB_LOCK_CHECKS_H

#include "lib/types.h"

#ifndef LOCK_CHECKS
#if defined(BATON_DEBUG) && BATON_DEBUG && !defined(BATON_HOST_TEST)
#define LOCK_CHECKS 1
#else
#define LOCK_CHECKS 0
#endif
#endif

#define MUTEXES_HELD_MAX 8u

struct lock_class;
struct mutex;
struct spinlock;

/* Where a lock is taken. */
struct lock_site {
	const char *file, *what; /* the expression */
	int line;
};

/* What the checks keep in a lock. */
struct lock_identity {
	const char *
		name; /* its kind's, by spin_init or mutex_init; NULL: known by where it is taken */
	struct lock_class *class;
};

/* The mutexes of a thread, in the order in which it took them. */
struct mutexes_held {
	unsigned count;
	struct {
		struct mutex *mutex;
		const struct lock_site *site;
	} at[MUTEXES_HELD_MAX];
};

#define LOCK_SITE(lock)                                                                 \
	({                                                                              \
		static const struct lock_site lock_site_ = {__FILE__, #lock, __LINE__}; \
		&lock_site_;                                                            \
	})

#if LOCK_CHECKS
/* The lock is about to be taken: may it be, with what this CPU holds? nested: the caller has seen to
 * the order among locks of one class. */
void lock_check_order(struct spinlock *lock, const struct lock_site *site, bool nested);
void lock_check_taken(struct spinlock *lock, const struct lock_site *site);
void lock_check_released(struct spinlock *lock);
/* The same of mutexes, with what the running thread holds; lock_check_mutex: may it sleep, too? */
void lock_check_mutex(struct mutex *mutex, const struct lock_site *site, bool nested);
void lock_check_mutex_taken(struct mutex *mutex, const struct lock_site *site);
void lock_check_mutex_released(struct mutex *mutex);
/* Here the running thread may sleep: no spin lock may be held. */
void lock_check_may_sleep(void);
/* Here the running thread ends, or goes to user mode: it may hold no mutex. */
void lock_check_no_mutex(void);
/* On this CPU interrupts were on and are off now; are off and will be on. */
void lock_check_irqs_off(void);
void lock_check_irqs_on(void);
/* Time in which this CPU waited for a device's other end, which no change of the kernel shortens: it counts for no
 * lock's hold. Interrupts are off. */
void lock_check_excuse(ns_t time);
void lock_check_start(ns_t limit); /* from now on, when this_cpu() works; lock_limit_us= */
void lock_check_report(void);      /* log lines: orders, times held */
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

static inline void lock_check_mutex(
	struct mutex *mutex UNUSED, const struct lock_site *site UNUSED, bool nested UNUSED)
{
}

static inline void lock_check_mutex_taken(
	struct mutex *mutex UNUSED, const struct lock_site *site UNUSED)
{
}

static inline void lock_check_mutex_released(struct mutex *mutex UNUSED)
{
}

static inline void lock_check_may_sleep(void)
{
}

static inline void lock_check_no_mutex(void)
{
}

static inline void lock_check_irqs_off(void)
{
}

static inline void lock_check_irqs_on(void)
{
}

static inline void lock_check_excuse(ns_t time UNUSED)
{
}

static inline void lock_check_start(ns_t limit UNUSED)
{
}

static inline void lock_check_report(void)
{
}
#endif

#endif
