/* SPDX-License-Identifier: MIT */
/*
 * Work queues: a list and a thread each. A work waits on the list at most once; it is taken off before
 * its function runs, so that the function may queue it again or free it. Locks: the queue's, which
 * comes before wait queues'; functions are called without it. Who waits for a work to be over (flush,
 * cancel) sleeps until the thread says that it has finished one, and looks again.
 */
#include "process/work.h"

#include "lib/errno.h"
#include "process/current.h"
#include "process/process.h"
#include "process/sched.h"

void work_init(struct work *work, void (*function)(struct work *work))
{
	list_init(&work->link);
	work->function = function;
}

/* ---- The thread ---- */

static struct work *take(struct work_queue *queue)
{
	struct work *work = NULL;

	spin_lock(&queue->lock);
	if (!list_empty(&queue->waiting)) {
		work = list_first(&queue->waiting, struct work, link);
		list_remove(&work->link);
	}
	queue->current = work;
	spin_unlock(&queue->lock);
	return work;
}

static bool has_more(struct work_queue *queue)
{
	bool more;

	spin_lock(&queue->lock);
	more = queue->ending || !list_empty(&queue->waiting);
	spin_unlock(&queue->lock);
	return more;
}

static void sleep_until_more(struct work_queue *queue)
{
	struct waiter self;

	while (!has_more(queue)) {
		wait_prepare(&queue->more, &self);
		if (!has_more(queue))
			wait_sleep_uninterruptible();
		wait_finish(&queue->more, &self);
	}
}

static void run(void *argument)
{
	struct work_queue *queue = argument;
	struct work *work;
	bool ending;

	for (;;) {
		while ((work = take(queue))) {
			work->function(work);
			spin_lock(&queue->lock);
			queue->current = NULL;
			spin_unlock(&queue->lock);
			wake_all(&queue->done);
			sched_point();
		}
		/* Who stops the queue may free it as soon as the lock is free. */
		spin_lock(&queue->lock);
		ending = queue->ending && list_empty(&queue->waiting);
		if (ending) {
			queue->thread = NULL;
			wake_all(&queue->done);
		}
		spin_unlock(&queue->lock);
		if (ending)
			thread_exit(0);
		sleep_until_more(queue);
	}
}

int work_queue_start(struct work_queue *queue, const char *name)
{
	*queue = (struct work_queue){.ending = false};
	spin_init(&queue->lock, "work_queue->lock");
	list_init(&queue->waiting);
	wait_queue_init(&queue->more);
	wait_queue_init(&queue->done);
	queue->thread = thread_create(name, run, queue);
	if (!queue->thread)
		return -ENOMEM;
	thread_wake(queue->thread);
	return 0;
}

/* ---- Queueing ---- */

bool work_queue_add(struct work_queue *queue, struct work *work)
{
	bool added = false;

	spin_lock(&queue->lock);
	if (list_empty(&work->link)) {
		list_push_back(&queue->waiting, &work->link);
		added = true;
	}
	spin_unlock(&queue->lock);
	if (added)
		wake_one(&queue->more);
	return added;
}

static void time_has_come(struct timer *timer)
{
	struct delayed_work *work = container_of(timer, struct delayed_work, timer);

	work_queue_add(work->queue, &work->work);
}

void delayed_work_init(struct delayed_work *work, void (*function)(struct work *work))
{
	work_init(&work->work, function);
	timer_init(&work->timer, time_has_come);
	work->queue = NULL;
}

void work_queue_add_later(struct work_queue *queue, struct delayed_work *work, ns_t delay)
{
	timer_cancel(&work->timer);
	work->queue = queue;
	timer_arm(&work->timer, arch_clock() + delay);
}

/* ---- Waiting ---- */

static bool is_over(struct work_queue *queue, bool (*over)(struct work_queue *, struct work *),
	struct work *work)
{
	bool result;

	spin_lock(&queue->lock);
	result = over(queue, work);
	spin_unlock(&queue->lock);
	return result;
}

static void wait_until(struct work_queue *queue, bool (*over)(struct work_queue *, struct work *),
	struct work *work)
{
	struct waiter self;

	while (!is_over(queue, over, work)) {
		wait_prepare(&queue->done, &self);
		if (!is_over(queue, over, work))
			wait_sleep_uninterruptible();
		wait_finish(&queue->done, &self);
	}
}

static bool not_running(struct work_queue *queue, struct work *work)
{
	return queue->current != work;
}

static bool has_ended(struct work_queue *queue, struct work *unused)
{
	(void)unused;
	return !queue->thread;
}

void work_cancel(struct work_queue *queue, struct work *work)
{
	spin_lock(&queue->lock);
	list_remove(&work->link);
	spin_unlock(&queue->lock);
	if (current_thread() != queue->thread)
		wait_until(queue, not_running, work);
}

void delayed_work_cancel(struct delayed_work *work)
{
	timer_cancel(&work->timer);
	if (work->queue)
		work_cancel(work->queue, &work->work);
}

/* A work of one's own, behind all others: when it is over, so are they. */
static void nothing(struct work *work)
{
	(void)work;
}

static bool was_done(struct work_queue *queue, struct work *work)
{
	return list_empty(&work->link) && queue->current != work;
}

void work_queue_flush(struct work_queue *queue)
{
	struct work last;

	work_init(&last, nothing);
	work_queue_add(queue, &last);
	wait_until(queue, was_done, &last);
}

void work_queue_stop(struct work_queue *queue)
{
	spin_lock(&queue->lock);
	queue->ending = true;
	spin_unlock(&queue->lock);
	wake_all(&queue->more);
	wait_until(queue, has_ended, NULL);
}
