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
	struct cpu *cpu;                       /* on whose tree it is; NULL: not armed */
};

void timer_init(struct timer *timer, void (*function)(struct timer *timer));
void timer_arm(struct timer *timer, ns_t when); /* on this CPU; armed ones are moved */
void timer_cancel(struct timer *timer); /* after this it does not fire; it may be armed again */
/* Runs what is due on this CPU; the time of the next one, NS_NEVER: none. Interrupts off. */
ns_t timers_run(ns_t now);
ns_t timers_next(void);

#endif
