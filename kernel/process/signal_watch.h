/* SPDX-License-Identifier: MIT */
/* Who waits for a process's signals to come in without taking them: signalfd. See signal_watch.c. */
#ifndef PROCESS_SIGNAL_WATCH_H
#define PROCESS_SIGNAL_WATCH_H

#include "process/wait.h"

struct process;

struct signal_watch {
	uint32_t references; /* atomic: the process's, and others' */
	bool over;           /* atomic: the process is gone */
	struct wait_queue queue;
};

/* The running process's, which holds it; made if there is none. NULL: no memory. */
struct signal_watch *signal_watch_current(void) MUST_CHECK;
void signal_watch_get(struct signal_watch *watch);
void signal_watch_put(struct signal_watch *watch);
/* Nothing will ever wake it, and nobody stands there. */
bool signal_watch_idle(struct signal_watch *watch);
/* Something was queued for the process, or one of its threads. From any context. */
void signal_watch_wake(struct process *process);
/* The process is freed. */
void signal_watch_end(struct process *process);

#endif
