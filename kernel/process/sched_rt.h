/* SPDX-License-Identifier: MIT */
/*
 * The real-time threads that wait for a CPU: one list a priority, 1 to 99 and the kernel's own, and a bitmap of those that
 * are not empty. All is O(1). The caller has the run queue's lock.
 */
#ifndef PROCESS_SCHED_RT_H
#define PROCESS_SCHED_RT_H

#include "lib/list.h"
#include "lib/types.h"
#include "process/sched_entity.h"

#define RT_PRIORITIES 101u /* 0 is nobody's */

struct rt_queue {
	uint64_t used[2]; /* bit n: the list of priority n is not empty */
	struct list lists[RT_PRIORITIES];
	unsigned count;
};

static inline void rt_init(struct rt_queue *queue)
{
	*queue = (struct rt_queue){.count = 0};
	for (unsigned i = 0; i < RT_PRIORITIES; i++)
		list_init(&queue->lists[i]);
}

static inline void rt_add(struct rt_queue *queue, struct list *link, unsigned priority, bool front)
{
	if (front)
		list_push_front(&queue->lists[priority], link);
	else
		list_push_back(&queue->lists[priority], link);
	queue->used[priority / 64] |= UINT64_C(1) << priority % 64;
	queue->count++;
}

static inline void rt_remove(struct rt_queue *queue, struct list *link, unsigned priority)
{
	list_remove(link);
	if (list_empty(&queue->lists[priority]))
		queue->used[priority / 64] &= ~(UINT64_C(1) << priority % 64);
	queue->count--;
}

/* The highest priority of those that wait; 0: nobody does. */
static inline unsigned rt_highest(const struct rt_queue *queue)
{
	for (unsigned i = 2; i-- > 0;) {
		uint64_t used = __atomic_load_n(&queue->used[i], __ATOMIC_RELAXED);

		if (used)
			return i * 64 + 63 - (unsigned)__builtin_clzll(used);
	}
	return 0;
}

static inline bool rt_has(const struct rt_queue *queue, unsigned priority)
{
	return queue->used[priority / 64] >> priority % 64 & 1;
}

#endif
