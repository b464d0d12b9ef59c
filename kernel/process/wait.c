/* SPDX-License-Identifier: MIT */
/*
 * Wait queues; see wait.h. A waiter is on its sleeper's stack; it is taken off by wait_finish alone,
 * so wake_all and wake_one only mark threads runnable. Locks: a queue's lock before run queues'.
 */
#include "process/wait.h"

#include "lib/errno.h"
#include "process/current.h"
#include "process/sched.h"

void wait_queue_init(struct wait_queue *queue)
{
	spin_init(&queue->lock, "wait_queue->lock");
	list_init(&queue->waiters);
}

/* Nobody waits: the condition that the caller made true is seen by all who come now, since they look
 * at it after wait_prepare, whose change of state orders the two as the fence does here. */
static inline bool nobody_waits(const struct wait_queue *queue)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&queue->waiters.next, __ATOMIC_RELAXED) == &queue->waiters;
}

static COLD void wake_waiters(struct wait_queue *queue)
{
	struct waiter *waiter;

	spin_lock(&queue->lock);
	list_for_each(waiter, &queue->waiters, link) thread_wake(waiter->thread);
	spin_unlock(&queue->lock);
}

void wake_all(struct wait_queue *queue)
{
	if (!nobody_waits(queue))
		wake_waiters(queue);
}

void wake_one(struct wait_queue *queue)
{
	struct waiter *waiter;

	spin_lock(&queue->lock);
	list_for_each(waiter, &queue->waiters, link)
	{
		if (thread_wake(waiter->thread))
			break;
	}
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
	spin_lock(&queue->lock);
	__atomic_store_n(&waiter->thread->sched.state, THREAD_RUNNABLE, __ATOMIC_SEQ_CST);
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

	if (self->sched.state == THREAD_SLEEPING && current_signal_pending())
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
