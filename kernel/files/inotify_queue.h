/* SPDX-License-Identifier: MIT */
/* What inotify.c (watches) and inotify_queue.c (events and the file that gives them) share. */
#ifndef FILES_INOTIFY_QUEUE_H
#define FILES_INOTIFY_QUEUE_H

#include "files/async.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "lib/radix.h"
#include "lib/types.h"
#include "process/wait.h"

struct credentials;

struct inotify_event_item {
	struct list link; /* on no list: it is not queued */
	int number;       /* the watch's */
	uint32_t mask, cookie;
	uint32_t length; /* of the name: 0, or with its NUL and more up to a multiple of 16 */
	char name[];
};

/* An instance: the open file's. All but the first two under inotify_lock. */
struct inotify {
	const struct credentials *owner; /* a reference */
	uint32_t most;                   /* events */
	struct radix watches;            /* by number */
	int last_number;
	struct list events;
	uint32_t count;
	uint64_t bytes;                     /* of all events, as read gives them */
	struct inotify_event_item overflow; /* the last of the queue, or on no list */
	struct wait_queue changed;
	struct async_list async;
};

/* What /proc/PID/fdinfo says of a watch. */
struct inotify_state {
	uint64_t inode, device;
	uint32_t mask;
};

extern struct spinlock inotify_lock;

/* Queues an event and wakes who waits; name: NULL or NUL-terminated. When there is no room or no memory,
 * IN_Q_OVERFLOW comes instead. */
void inotify_queue(struct inotify *instance, int number, uint32_t mask, uint32_t cookie,
	const char *name) requires(inotify_lock);
void inotify_unwatch_all(struct inotify *instance);
/* The watch with the least number above *number: false, when there is none. */
bool inotify_next_watch(
	struct inotify *instance, int *number, struct inotify_state *out) MUST_CHECK;

#endif
