/* SPDX-License-Identifier: MIT */
/* Timers on the monotonic clock, one tree per CPU. See timer.c. */
#ifndef PROCESS_TIMER_H
#define PROCESS_TIMER_H

#include "lib/tree.h"
#include "lib/types.h"

struct cpu;

struct timer {
	struct tree_node node;
	ns_t when;
	void (*function)(struct timer *timer); /* interrupts off, no locks held */
	struct cpu *cpu;                       /* armed there last; NULL: it never was */
	bool armed;                            /* on its tree, by its timer_lock */
};

void timer_init(struct timer *timer, void (*function)(struct timer *timer));
/* On this CPU (where its function runs on another just now: there); an armed one is moved. It waits for
 * nobody. From any context, its own function too. Who arms or cancels one timer from several places
 * does so under a lock of its own. */
void timer_arm(struct timer *timer, ns_t when);
/* After this it does not fire, and its function does not run on any CPU: its memory may go. So no lock
 * may be held that the function takes. Called by the function itself (or under it) it only disarms;
 * a function may also free the timer it is called for. It may be armed again. */
void timer_cancel(struct timer *timer);
/* Runs what is due on this CPU; the time of the next one, NS_NEVER: none. Interrupts off. */
ns_t timers_run(ns_t now);
ns_t timers_next(void);

#endif
