/* SPDX-License-Identifier: MIT */
/*
 * Wait queues: threads that sleep until a condition holds.
 *
 *	error = wait_event(&queue, condition);
 *
 * sleeps until `condition` (any expression, evaluated again after each wake-up, without locks) is
 * true: 0; or until a signal that is not blocked is pending for the calling thread:
 * -ERESTARTSYS. Whoever makes the condition true then calls wake_all, wake_events or wake_one, from
 * any context, interrupts too. On a queue may also stand functions, which are called (epoll).
 */
#ifndef PROCESS_WAIT_H
#define PROCESS_WAIT_H

#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"

struct thread;

struct wait_queue {
	struct spinlock lock;
	struct list waiters; /* struct waiter.link */
};

struct waiter {
	struct list link;
	struct thread *thread; /* NULL: a struct wait_callback */
};

/* Called at each wake-up, under the queue's lock, with the POLL* bits that may hold now. */
struct wait_callback {
	struct waiter waiter;
	/* True: it has woken somebody. */
	bool (*call)(struct wait_callback *callback, unsigned events);
	bool exclusive; /* wake_events calls such ones until one has woken somebody */
};

#define WAKE_ALL_EVENTS UINT32_MAX
/* What a file's poll may say beside POLL* bits: it could not make the queue that tells of a change. */
#define POLL_NO_MEMORY 0x80000000u

#define WAIT_QUEUE_INIT(name)                                              \
	{                                                                  \
		SPINLOCK_OF("wait_queue->lock"), LIST_INIT((name).waiters) \
	}

static inline void wait_queue_init(struct wait_queue *queue)
{
	spin_init(&queue->lock, "wait_queue->lock");
	list_init(&queue->waiters);
}

/* Nobody waits: the condition that the caller made true is seen by all who come now, since they look
 * at it after wait_prepare, whose change of state orders the two as the fence does here. */
static inline bool wait_queue_idle(const struct wait_queue *queue)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&queue->waiters.next, __ATOMIC_RELAXED) == &queue->waiters;
}

void wake_waiters(struct wait_queue *queue);
void wake_waiters_for(struct wait_queue *queue, unsigned events);

static inline void wake_all(struct wait_queue *queue)
{
	if (!wait_queue_idle(queue))
		wake_waiters(queue);
}

void wake_one(struct wait_queue *queue);
/* The same, for who guards more by the queue's lock. True: somebody was woken. */
bool wake_one_locked(struct wait_queue *queue) requires(queue->lock);
/* As wake_all, by a change that may have made these POLL* bits true and no others. */
static inline void wake_events(struct wait_queue *queue, unsigned events)
{
	if (!wait_queue_idle(queue))
		wake_waiters_for(queue, events);
}

/* The same from a callback: `queue` is one that comes after the caller's. */
void wake_events_nested(struct wait_queue *queue, unsigned events);

void wait_add(struct wait_queue *queue, struct wait_callback *callback);
/* Afterwards it is not being called. */
void wait_remove(struct wait_queue *queue, struct wait_callback *callback);

/* The parts of wait_event: wait_prepare puts the caller on the queue and marks it sleeping;
 * wait_sleep gives the CPU away until woken, until `deadline` on the monotonic clock (-ETIMEDOUT)
 * or until a signal is pending (-ERESTARTSYS); wait_finish takes it off the queue. */
void wait_prepare(struct wait_queue *queue, struct waiter *waiter);
int wait_sleep(ns_t deadline) SCHED_TEXT MUST_CHECK;
/* As wait_sleep without deadline, whatever signals are pending: for mutexes (process/mutex.h). */
void wait_sleep_uninterruptible(void) SCHED_TEXT;
/* Marks the caller asleep, with no queue: who wakes it knows it. */
void thread_prepare_sleep(void);
void wait_finish(struct wait_queue *queue, struct waiter *waiter);

#define wait_event_until(queue, condition, deadline)                \
	({                                                          \
		struct waiter wait_self_;                           \
		int wait_error_ = 0;                                \
		while (!(condition)) {                              \
			wait_prepare((queue), &wait_self_);         \
			if (!(condition))                           \
				wait_error_ = wait_sleep(deadline); \
			wait_finish((queue), &wait_self_);          \
			if (wait_error_)                            \
				break;                              \
		}                                                   \
		wait_error_;                                        \
	})
/* The same for a caller who has found the condition false and will look at it again: one sleep at most. */
#define wait_once(queue, condition)                         \
	({                                                  \
		struct waiter wait_self_;                   \
		int wait_error_ = 0;                        \
		wait_prepare((queue), &wait_self_);         \
		if (!(condition))                           \
			wait_error_ = wait_sleep(NS_NEVER); \
		wait_finish((queue), &wait_self_);          \
		wait_error_;                                \
	})
#define wait_event(queue, condition) wait_event_until(queue, condition, NS_NEVER)

#endif
