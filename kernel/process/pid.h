/* SPDX-License-Identifier: MIT */
/*
 * Numbers of threads, processes, groups and sessions: one space, one object a number. See pid.c.
 *
 * A number stays taken as long as a thread or a process has it, or a process is in the group or the
 * session of that number. The object itself lives on while somebody holds a reference (a pidfd).
 */
#ifndef PROCESS_PID_H
#define PROCESS_PID_H

#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"
#include "process/wait.h"

#define PID_MOST 4194304 /* pid_max is at most that: Linux's PID_MAX_LIMIT */

struct process;
struct thread;

extern struct spinlock process_lock;

struct pid {
	int number;
	uint32_t references; /* atomic */
	/* by process_lock */
	struct thread *thread;   /* whose tid this is, until it ends */
	struct process *process; /* whose id this is, until it is reaped */
	struct list group;       /* processes of this group: process->group_link */
	struct list session;     /* processes of this session: process->session_link */
	struct wait_queue ended; /* pidfds: the process became a zombie */
};

/* Number 0, which pid_find does not know: the group and the session of the first processes, those that
 * nobody cloned, and of their children until these have their own. */
extern struct pid pid_zero;

/* Numbers are given below it: kernel.pid_max, atomic. Those that were given above stay. */
extern int pid_max;

void pid_init(void);
struct pid *pid_create(void) MUST_CHECK; /* without a number yet; NULL: no memory */
void pid_get(struct pid *pid);
void pid_put(struct pid *pid);
/* Gives it the next free number, or `wanted` if not 0. -EAGAIN: none is free, -EEXIST: it is taken,
 * -ENOMEM. From then on the table has a reference. */
int pid_number(struct pid *pid, int wanted) requires(process_lock) MUST_CHECK;
/* Frees the number, if nobody has it any more. After each change that takes a user away. */
void pid_release(struct pid *pid) requires(process_lock);
struct pid *pid_find(int number) requires(process_lock); /* NULL: nobody has it */
int pid_last(void) requires(process_lock);               /* the number that was given last */
/* The next one at or above *number, which becomes its number; NULL: no more. */
struct pid *pid_next(int *number) requires(process_lock);

#endif
