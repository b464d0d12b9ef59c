/* SPDX-License-Identifier: MIT */
/*
 * Work queues: functions that may sleep, called one after the other in a kernel thread. For what an
 * interrupt or a holder of spin locks finds to do and cannot do itself. See work.c.
 *
 *	static struct work flush = WORK_INIT(flush, flush_buffers);
 *	work_queue(&queue, &flush);
 */
#ifndef PROCESS_WORK_H
#define PROCESS_WORK_H

#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"
#include "process/timer.h"
#include "process/wait.h"

struct thread;

struct work {
	struct list link; /* by the queue's lock; empty: it does not wait */
	void (*function)(struct work *work);
};

struct delayed_work {
	struct work work;
	struct timer timer;
	struct work_queue *queue; /* where it goes when its time has come */
};

struct work_queue {
	struct spinlock lock;
	struct list waiting;  /* struct work.link */
	struct work *current; /* whose function runs; only to be compared */
	bool ending;
	struct wait_queue more, done; /* the thread sleeps on the one, flushers on the other */
	struct thread *thread;
};

#define WORK_INIT(name, function)                  \
	{                                          \
		LIST_INIT((name).link), (function) \
	}

void work_init(struct work *work, void (*function)(struct work *work));
void delayed_work_init(struct delayed_work *work, void (*function)(struct work *work));
/* Starts the thread, which has that name. -ENOMEM. */
int work_queue_start(struct work_queue *queue, const char *name) MUST_CHECK;
/* Does all that waits, then ends the thread. Nobody queues more. May sleep. */
void work_queue_stop(struct work_queue *queue);
/* From any context. False: it waits already, and is done once. A function may queue its own work
 * again, or free it. */
bool work_queue_add(struct work_queue *queue, struct work *work);
/* The same in a while; an armed one is moved. Who calls both does so under a lock of its own. */
void work_queue_add_later(struct work_queue *queue, struct delayed_work *work, ns_t delay);
/* Takes it back. After this it neither waits nor runs (but when called by its own function). May sleep. */
void work_cancel(struct work_queue *queue, struct work *work);
void delayed_work_cancel(struct delayed_work *work);
/* Waits until all that was queued before is done. Not from a function of the queue. May sleep. */
void work_queue_flush(struct work_queue *queue);

#endif
