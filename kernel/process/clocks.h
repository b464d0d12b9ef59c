/* SPDX-License-Identifier: MIT */
/* The clocks that all share: the time of day on top of the monotonic clock, and timers and sleeps by
 * either. See clocks.c and docs/time.md. */
#ifndef PROCESS_CLOCKS_H
#define PROCESS_CLOCKS_H

#include "devices/realtime.h"
#include "lib/list.h"
#include "lib/types.h"
#include "process/timer.h"

/* What a timer's time is counted by. Time stands still in none of them while the machine sleeps,
 * since it does not sleep; so BOOTTIME is MONOTONIC, and the alarm clocks are as the others. */
enum clock_base { BASE_MONOTONIC, BASE_REALTIME, BASE_TAI };

#define CLOCK_TIME_MAX INT64_MAX /* no clock goes beyond: 292 years */

void clocks_init(void);
ns_t clock_base_now(enum clock_base base);
/* The base of one of Linux's clocks that all share (CLOCK_*); -EINVAL: no such. */
int clock_base_of(int clock) MUST_CHECK;
/* a + b, at most CLOCK_TIME_MAX. */
ns_t clock_add(ns_t a, ns_t b);

/* Sets CLOCK_REALTIME, and moves what waits for a time by it. -EINVAL: earlier than the machine runs,
 * or too late. */
int clocks_set_realtime(ns_t now) MUST_CHECK;
/* The same by a difference: -EINVAL as above. */
int clocks_step_realtime(int64_t by) MUST_CHECK;
int64_t clocks_tai_offset(void); /* nanoseconds */
void clocks_set_tai_offset(int64_t seconds);
void clocks_zone(int32_t zone[2]);
void clocks_set_zone(const int32_t zone[2]);
/* How often CLOCK_REALTIME was set: for TFD_TIMER_CANCEL_ON_SET. */
uint64_t clocks_sets(void);

/* A timer by any base. The function is called with interrupts off and no locks held, when `base` has
 * reached `when`; one that is armed anew while it is being called looks at its own state to see which
 * arming was meant. */
struct clock_timer {
	struct timer timer;
	void (*function)(struct clock_timer *timer);
	/* NULL, or called when the clock it is armed by was set, under spin locks. */
	void (*clock_set)(struct clock_timer *timer);
	ns_t when;
	enum clock_base base;
	struct list
		link; /* of those that setting the clock moves; empty: not armed, or monotonic */
};

void clock_timer_init(struct clock_timer *timer, void (*function)(struct clock_timer *timer));
/* One that is armed is moved. NS_NEVER: its time never comes, but setting the clock tells it. */
void clock_timer_arm(struct clock_timer *timer, enum clock_base base, ns_t when);
/* After this the function neither runs nor will. Not to be called by the function itself. */
void clock_timer_cancel(struct clock_timer *timer);

/* Sleeps until `base` reaches `when`: 0, or -ERESTARTNOHAND when a signal comes. */
int clock_sleep(enum clock_base base, ns_t when) MUST_CHECK;

#endif
