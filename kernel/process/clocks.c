/* SPDX-License-Identifier: MIT */
/*
 * The clocks that all share.
 *
 * The machine has one clock, arch_clock(), that counts nanoseconds and never jumps: CLOCK_MONOTONIC.
 * CLOCK_REALTIME is that plus one word, the offset, and CLOCK_TAI is CLOCK_REALTIME plus another, so
 * reading any of them is an addition, in the kernel and in the vDSO alike.
 *
 * A timer by REALTIME or TAI is an ordinary timer for the monotonic time that its own corresponds to
 * as long as the clock is not set. All armed ones are on one list; setting the clock walks it and
 * moves each. A timer that fires looks at its clock again, and waits on when it came too early.
 *
 * Invariants: a timer is on the list as long as it is armed by another base than MONOTONIC; the
 * offset is never negative (the clock cannot be set to before the machine started, as on Linux).
 *
 * Locks: clocks_lock guards the words and the list; a CPU's timer_lock is taken inside it. The words
 * are read without it: each is replaced whole.
 */
#include "process/clocks.h"

#include <linux/time.h>

#include "arch/arch.h"
#include "lib/errno.h"
#include "process/sched.h"
#include "process/wait.h"
#include "vdso/vdso.h"

/* Linux lets CLOCK_REALTIME be set to 30 years before the end of its count at most. */
#define REALTIME_MAX (CLOCK_TIME_MAX - UINT64_C(30) * 365 * 86400 * NS_PER_SECOND)

static struct spinlock clocks_lock;
static struct list moved = LIST_INIT(moved); /* clock_timer.link: timers by REALTIME and TAI */
static int64_t tai_offset;
static int32_t zone_words[2];
static uint64_t sets;

void clocks_init(void)
{
	vdso_init();
}

ns_t clock_add(ns_t a, ns_t b)
{
	return b > CLOCK_TIME_MAX - a || a > CLOCK_TIME_MAX ? CLOCK_TIME_MAX : a + b;
}

int64_t clocks_tai_offset(void)
{
	return __atomic_load_n(&tai_offset, __ATOMIC_RELAXED);
}

uint64_t clocks_sets(void)
{
	return __atomic_load_n(&sets, __ATOMIC_ACQUIRE);
}

/* What the base is ahead of the monotonic clock. */
static ns_t ahead(enum clock_base base)
{
	if (base == BASE_MONOTONIC)
		return 0;
	return realtime_offset() + (base == BASE_TAI ? (ns_t)clocks_tai_offset() : 0);
}

ns_t clock_base_now(enum clock_base base)
{
	return arch_clock() + ahead(base);
}

int clock_base_of(int clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
		return BASE_REALTIME;
	case CLOCK_TAI:
		return BASE_TAI;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return BASE_MONOTONIC;
	default:
		return -EINVAL;
	}
}

/* ---- Timers ---- */

/* The monotonic time at which the base reads `when`, as it is set now. */
static ns_t monotonic_time(enum clock_base base, ns_t when)
{
	ns_t before = ahead(base);

	return when > before ? when - before : 0;
}

static void arm_moved(struct clock_timer *timer) requires(clocks_lock)
{
	timer_arm(&timer->timer,
		timer->when == NS_NEVER ? NS_NEVER : monotonic_time(timer->base, timer->when));
}

static void fired(struct timer *inner)
{
	struct clock_timer *timer = container_of(inner, struct clock_timer, timer);
	bool due = true;

	if (timer->base != BASE_MONOTONIC) {
		spin_lock(&clocks_lock);
		due = !list_empty(&timer->link);
		if (due && clock_base_now(timer->base) < timer->when) {
			arm_moved(timer);
			due = false;
		}
		if (due)
			list_remove(&timer->link);
		spin_unlock(&clocks_lock);
	}
	if (due)
		timer->function(timer);
}

void clock_timer_init(struct clock_timer *timer, void (*function)(struct clock_timer *timer))
{
	*timer = (struct clock_timer){.function = function, .when = NS_NEVER};
	timer_init(&timer->timer, fired);
	list_init(&timer->link);
}

void clock_timer_arm(struct clock_timer *timer, enum clock_base base, ns_t when)
{
	if (timer->base == BASE_MONOTONIC && base == BASE_MONOTONIC) {
		timer->when = when;
		timer_arm(&timer->timer, when);
		return;
	}
	spin_lock(&clocks_lock);
	list_remove(&timer->link);
	timer->base = base;
	timer->when = when;
	if (base != BASE_MONOTONIC)
		list_push_back(&moved, &timer->link);
	arm_moved(timer);
	spin_unlock(&clocks_lock);
}

void clock_timer_cancel(struct clock_timer *timer)
{
	if (timer->base != BASE_MONOTONIC) {
		spin_lock(&clocks_lock);
		list_remove(&timer->link);
		spin_unlock(&clocks_lock);
	}
	timer_cancel(&timer->timer);
}

/* ---- Setting ---- */

/* Moves the timers to where their times lie now. The walk is as long as there are such timers: it
 * happens when the date is set. */
static void move_timers(void) requires(clocks_lock)
{
	struct clock_timer *timer;

	list_for_each(timer, &moved, link)
	{
		arm_moved(timer);
		if (timer->clock_set)
			timer->clock_set(timer);
	}
}

static int set_offset(ns_t now, ns_t monotonic) requires(clocks_lock)
{
	if (now < monotonic || now > REALTIME_MAX)
		return -EINVAL;
	__atomic_store_n(&realtime_offset_word, now - monotonic, __ATOMIC_RELAXED);
	__atomic_add_fetch(&sets, 1, __ATOMIC_RELEASE);
	vdso_update();
	move_timers();
	return 0;
}

int clocks_set_realtime(ns_t now)
{
	int error;

	spin_lock(&clocks_lock);
	error = set_offset(now, arch_clock());
	spin_unlock(&clocks_lock);
	return error;
}

int clocks_step_realtime(int64_t by)
{
	int error = -EINVAL;
	ns_t monotonic, now;

	spin_lock(&clocks_lock);
	monotonic = arch_clock();
	now = monotonic + realtime_offset();
	if (by >= 0 ? (ns_t)by <= REALTIME_MAX : 0 - (ns_t)by <= now)
		error = set_offset(now + (ns_t)by, monotonic);
	spin_unlock(&clocks_lock);
	return error;
}

void clocks_set_tai_offset(int64_t seconds)
{
	spin_lock(&clocks_lock);
	__atomic_store_n(&tai_offset, seconds * (int64_t)NS_PER_SECOND, __ATOMIC_RELAXED);
	vdso_update();
	move_timers();
	spin_unlock(&clocks_lock);
}

void clocks_zone(int32_t zone[2])
{
	for (int i = 0; i < 2; i++)
		zone[i] = __atomic_load_n(&zone_words[i], __ATOMIC_RELAXED);
}

void clocks_set_zone(const int32_t zone[2])
{
	spin_lock(&clocks_lock);
	for (int i = 0; i < 2; i++)
		__atomic_store_n(&zone_words[i], zone[i], __ATOMIC_RELAXED);
	vdso_update();
	spin_unlock(&clocks_lock);
}

void vdso_clock_changed(void)
{
	spin_lock(&clocks_lock);
	vdso_update();
	spin_unlock(&clocks_lock);
}

/* ---- Sleeping ---- */

struct sleeper {
	struct clock_timer timer;
	struct wait_queue queue;
	bool over;
};

static void sleep_over(struct clock_timer *timer)
{
	struct sleeper *sleeper = container_of(timer, struct sleeper, timer);

	__atomic_store_n(&sleeper->over, true, __ATOMIC_RELEASE);
	wake_all(&sleeper->queue);
}

int clock_sleep(enum clock_base base, ns_t when)
{
	struct sleeper sleeper = {.over = false};
	int error;

	if (base == BASE_MONOTONIC)
		return sched_sleep(when) ? -ERESTARTNOHAND : 0;
	if (clock_base_now(base) >= when)
		return 0;
	wait_queue_init(&sleeper.queue);
	clock_timer_init(&sleeper.timer, sleep_over);
	clock_timer_arm(&sleeper.timer, base, when);
	error = wait_event(&sleeper.queue, __atomic_load_n(&sleeper.over, __ATOMIC_ACQUIRE));
	clock_timer_cancel(&sleeper.timer);
	return error ? -ERESTARTNOHAND : 0;
}
