/* SPDX-License-Identifier: MIT */
/* What poll and select share: the wait for several files, and for how long. See files_poll.c. */
#ifndef SYSCALL_FILES_POLL_H
#define SYSCALL_FILES_POLL_H

#include "process/wait.h"
#include "syscall/files.h"

#define POLL_QUEUES 2

struct poll_entry {
	struct file *file;   /* NULL: not open, always POLLNVAL */
	unsigned int wanted; /* POLL* bits, all that are to end the wait */
	unsigned int found;  /* those of them that hold */
	struct wait_queue *queues[POLL_QUEUES];
	struct waiter waiters[POLL_QUEUES];
};

/* Waits until something wanted holds or the deadline (0: no wait, NS_NEVER) is over: how many entries
 * have found something; or, when none has, -ERESTARTSYS for a signal, -ENOMEM. */
long poll_wait_for(struct poll_entry *entries, unsigned int count, ns_t deadline) MUST_CHECK;

/* The length of a wait, as a caller gave it, and what becomes of it. */
enum poll_clock { POLL_TIMEVAL, POLL_TIMESPEC };
struct poll_time {
	user_t user; /* NULL: for ever */
	enum poll_clock format;
	ns_t deadline; /* 0: no wait */
};

/* -EFAULT, -EINVAL. */
int poll_time_get(struct poll_time *time, user_t user, enum poll_clock format) MUST_CHECK;
/* Writes what is left of the time, where there was one that is not 0. What the call gives: `result`, or
 * for one that was interrupted (-ERESTARTSYS) what has it made again, with the time that is left, if
 * no handler runs. */
long poll_time_put(const struct poll_time *time, long result) MUST_CHECK;

#endif
