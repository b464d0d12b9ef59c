/* SPDX-License-Identifier: MIT */
/*
 * Wait queues; see wait.h. A waiter is on its sleeper's stack. Who wakes its thread takes it off, which is the last
 * that is done to it, and seen without the lock; otherwise wait_finish does. Locks: a queue's lock before run queues'. A callback may take
 * the lock of a queue that stands after its own: an epoll's, whose nesting has no circles.
 */
#include "process/wait.h"

#include "lib/errno.h"
#include "process/current.h"
#include "process/sched.h"

static struct wait_callback *callback_of(struct waiter *waiter)
{
	return container_of(waiter, struct wait_callback, waiter);
}

/* True: a waiter is on no queue, and nobody looks at it any more. */
static inline bool is_off(const struct waiter *waiter)
{
	return __atomic_load_n(&waiter->link.next, __ATOMIC_ACQUIRE) == &waiter->link;
}

static inline void take_off(struct waiter *waiter)
{
	struct list *link = &waiter->link;

	link->prev->next = link->next;
	link->next->prev = link->prev;
	__atomic_store_n(&link->next, link, __ATOMIC_RELEASE); /* is_off */
}

/* Under the queue's lock. True: afterwards the waiter may be gone. */
static inline bool wake_thread(struct waiter *waiter)
{
	if (!thread_wake_off(waiter->thread))
		return false;
	take_off(waiter);
	return true;
}

static inline bool wake(struct waiter *waiter, unsigned events)
{
	if (likely(waiter->thread))
		return wake_thread(waiter);
	return callback_of(waiter)->call(callback_of(waiter), events);
}

void wake_waiters(struct wait_queue *queue)
{
	struct waiter *waiter, *next;

	spin_lock(&queue->lock);
	list_for_each_safe(waiter, next, &queue->waiters, link) wake(waiter, WAKE_ALL_EVENTS);
	spin_unlock(&queue->lock);
}

bool wake_one_locked(struct wait_queue *queue)
{
	struct waiter *waiter;

	list_for_each(waiter, &queue->waiters, link)
	{
		if (wake(waiter, WAKE_ALL_EVENTS))
			return true;
	}
	return false;
}

void wake_one(struct wait_queue *queue)
{
	spin_lock(&queue->lock);
	wake_one_locked(queue);
	spin_unlock(&queue->lock);
}

static __attribute__((noinline)) void wake_for(struct wait_queue *queue, unsigned events) requires(
	queue->lock)
{
	struct waiter *waiter, *next;
	bool exclusive, done = false;

	list_for_each_safe(waiter, next, &queue->waiters, link)
	{
		exclusive = !waiter->thread && callback_of(waiter)->exclusive;
		if (!(exclusive && done))
			done |= wake(waiter, events) && exclusive;
	}
}

void wake_waiters_for(struct wait_queue *queue, unsigned events)
{
	struct waiter *first;

	spin_lock(&queue->lock);
	first = list_first(&queue->waiters, struct waiter, link);
	if (likely(first->link.next == &queue->waiters && !list_empty(&queue->waiters) &&
		    first->thread)) /* one thread, as on most queues */
		wake_thread(first);
	else
		wake_for(queue, events);
	spin_unlock(&queue->lock);
}

void wake_events_nested(struct wait_queue *queue, unsigned events)
{
	spin_lock_nested(&queue->lock);
	wake_for(queue, events);
	spin_unlock(&queue->lock);
}

void wait_add(struct wait_queue *queue, struct wait_callback *callback)
{
	callback->waiter.thread = NULL;
	spin_lock(&queue->lock);
	list_push_back(&queue->waiters, &callback->waiter.link);
	spin_unlock(&queue->lock);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* see wait_queue_idle: the caller looks next */
}

void wait_remove(struct wait_queue *queue, struct wait_callback *callback)
{
	spin_lock(&queue->lock);
	list_remove(&callback->waiter.link);
	spin_unlock(&queue->lock);
}

void wait_prepare(struct wait_queue *queue, struct waiter *waiter)
{
	waiter->thread = current_thread();
	spin_lock(&queue->lock);
	list_push_back(&queue->waiters, &waiter->link);
	__atomic_store_n(&waiter->thread->sched.state, THREAD_SLEEPING, __ATOMIC_SEQ_CST);
	spin_unlock(&queue->lock);
}

void wait_finish(struct wait_queue *queue, struct waiter *waiter)
{
	__atomic_store_n(&waiter->thread->sched.state, THREAD_RUNNABLE, __ATOMIC_SEQ_CST);
	if (is_off(waiter))
		return;
	spin_lock(&queue->lock);
	if (!is_off(waiter))
		list_remove(&waiter->link);
	spin_unlock(&queue->lock);
}

void thread_prepare_sleep(void)
{
	__atomic_store_n(&current_thread()->sched.state, THREAD_SLEEPING, __ATOMIC_SEQ_CST);
}

void wait_sleep_uninterruptible(void)
{
	schedule();
}

static void sleep_over(struct timer *timer)
{
	struct thread *thread = container_of(timer, struct thread, sleep_timer);

	thread->timed_out = true;
	thread_wake(thread);
}

void thread_sleep_init(struct thread *thread)
{
	timer_init(&thread->sleep_timer, sleep_over);
}

int wait_sleep(ns_t deadline)
{
	struct thread *self = current_thread();

	if (unlikely(__atomic_load_n(&self->work, __ATOMIC_ACQUIRE) & WORK_SIGNAL) &&
		self->sched.state == THREAD_SLEEPING && self->process)
		return -ERESTARTSYS;
	self->timed_out = false;
	if (deadline != NS_NEVER)
		timer_arm(&self->sleep_timer, deadline);
	schedule();
	if (deadline != NS_NEVER) {
		timer_cancel(&self->sleep_timer);
		if (self->timed_out)
			return -ETIMEDOUT;
	}
	return 0;
}

int sched_sleep(ns_t deadline)
{
	static struct wait_queue nobody = WAIT_QUEUE_INIT(nobody);
	int error = wait_event_until(&nobody, arch_clock() >= deadline, deadline);

	return error == -ERESTARTSYS ? -ERESTARTSYS : 0;
}
