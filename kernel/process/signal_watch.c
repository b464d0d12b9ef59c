/* SPDX-License-Identifier: MIT */
/*
 * The wait queue of a process's signals, for signalfd. Most processes have none: it is made by the first
 * that asks, and senders look at one pointer. It is an object of its own since an epoll may stand there
 * when the process has gone.
 *
 * The pointer is set once, by compare-and-exchange, and cleared when nobody can send any more.
 */
#include "process/signal_watch.h"

#include "memory/slab.h"
#include "process/process.h"

struct signal_watch *signal_watch_current(void)
{
	struct signal_watch **at = &current_process()->signals.watch;
	struct signal_watch *watch = __atomic_load_n(at, __ATOMIC_ACQUIRE), *new;

	if (watch)
		return watch;
	new = kzalloc(sizeof(*new));
	if (!new)
		return NULL;
	new->references = 1;
	wait_queue_init(&new->queue);
	if (__atomic_compare_exchange_n(at, &watch, new, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE))
		return new;
	kfree(new);
	return watch;
}

void signal_watch_get(struct signal_watch *watch)
{
	__atomic_add_fetch(&watch->references, 1, __ATOMIC_RELAXED);
}

void signal_watch_put(struct signal_watch *watch)
{
	if (!__atomic_sub_fetch(&watch->references, 1, __ATOMIC_ACQ_REL))
		kfree(watch);
}

bool signal_watch_idle(struct signal_watch *watch)
{
	bool idle = __atomic_load_n(&watch->over, __ATOMIC_ACQUIRE);

	spin_lock(&watch->queue.lock);
	idle = idle && list_empty(&watch->queue.waiters);
	spin_unlock(&watch->queue.lock);
	return idle;
}

void signal_watch_wake(struct process *process)
{
	struct signal_watch *watch = __atomic_load_n(&process->signals.watch, __ATOMIC_ACQUIRE);

	if (unlikely(watch))
		wake_all(&watch->queue);
}

void signal_watch_end(struct process *process)
{
	struct signal_watch *watch = process->signals.watch;

	if (!watch)
		return;
	process->signals.watch = NULL;
	__atomic_store_n(&watch->over, true, __ATOMIC_RELEASE);
	signal_watch_put(watch);
}
