/* SPDX-License-Identifier: MIT */
/* Timers by clocks that can be set, over the real timer tree: a random sequence of arming, cancelling,
 * setting the date and letting time pass, against what each timer should have done; and times that
 * come again (interval.h). */
#include "process/clocks.h"

#include "arch/fake/fake.h"
#include "arch/fake/test.h"
#include "lib/errno.h"
#include "process/cpu.h"
#include "process/interval.h"
#include "process/sched.h"
#include "vdso/vdso.h"

#include <time.h>

#define TIMERS 12
#define START  (UINT64_C(1700000000) * NS_PER_SECOND)

static struct cpu cpu;
struct cpu *fake_cpu = &cpu;
struct thread *fake_thread;
ns_t realtime_offset_word;

static struct clock_timer timers[TIMERS];
static bool armed[TIMERS];
static unsigned fired, told;
static ns_t now;

void vdso_init(void)
{
}

void vdso_update(void)
{
}

void sched_rearm(void)
{
}

int sched_sleep(ns_t deadline)
{
	fake_clock_set(deadline);
	return 0;
}

bool thread_wake(struct thread *thread)
{
	(void)thread;
	return true;
}

void wake_waiters(struct wait_queue *queue)
{
	(void)queue;
}

void wait_prepare(struct wait_queue *queue, struct waiter *waiter)
{
	(void)queue;
	(void)waiter;
}

int wait_sleep(ns_t deadline)
{
	(void)deadline;
	return -ERESTARTSYS;
}

void wait_finish(struct wait_queue *queue, struct waiter *waiter)
{
	(void)queue;
	(void)waiter;
}

static void note(struct clock_timer *timer)
{
	size_t i = (size_t)(timer - timers);

	CHECK(armed[i]);
	CHECK(clock_base_now(timer->base) >= timer->when);
	CHECK(timer->base == BASE_MONOTONIC || list_empty(&timer->link));
	armed[i] = false;
	fired++;
}

static void note_set(struct clock_timer *timer)
{
	CHECK(timer->base != BASE_MONOTONIC);
	told++;
}

static void start(void)
{
	tree_init(&cpu.timers);
	realtime_offset_word = START;
	now = 1000 * NS_PER_SECOND;
	fake_clock_set(now);
	for (unsigned i = 0; i < TIMERS; i++) {
		clock_timer_init(&timers[i], note);
		timers[i].clock_set = note_set;
	}
}

static void pass(ns_t time)
{
	now += time;
	fake_clock_set(now);
	timers_run(now);
}

static void test_moved(void)
{
	start();
	armed[0] = armed[1] = armed[2] = true;
	clock_timer_arm(&timers[0], BASE_REALTIME, clock_base_now(BASE_REALTIME) + 100);
	clock_timer_arm(&timers[1], BASE_MONOTONIC, now + 100);
	clock_timer_arm(&timers[2], BASE_REALTIME, NS_NEVER);
	CHECK_EQUAL(clocks_step_realtime(50), 0);
	CHECK_EQUAL(told, 2);
	pass(49);
	CHECK(armed[0] && armed[1]);
	pass(1);
	CHECK(!armed[0] && armed[1]);
	pass(50);
	CHECK(!armed[1] && armed[2]);
	/* Back: what was due soon is not any more. */
	armed[0] = true;
	clock_timer_arm(&timers[0], BASE_TAI, clock_base_now(BASE_TAI) + 10);
	CHECK_EQUAL(clocks_step_realtime(-1000), 0);
	pass(1009);
	CHECK(armed[0]);
	pass(1);
	CHECK(!armed[0]);
	clock_timer_cancel(&timers[2]);
	told = 0;
	CHECK_EQUAL(clocks_step_realtime(5), 0);
	CHECK_EQUAL(told, 0);
}

static void test_limits(void)
{
	start();
	CHECK_EQUAL(clocks_set_realtime(now - 1), -EINVAL);
	CHECK_EQUAL(clocks_set_realtime(CLOCK_TIME_MAX), -EINVAL);
	CHECK_EQUAL(clocks_step_realtime(INT64_MIN), -EINVAL);
	CHECK_EQUAL(clocks_step_realtime(INT64_MAX), -EINVAL);
	CHECK_EQUAL(clock_base_now(BASE_REALTIME), START + now);
	CHECK_EQUAL(clocks_set_realtime(now), 0);
	CHECK_EQUAL(realtime_offset(), 0);
	CHECK_EQUAL(clock_add(CLOCK_TIME_MAX, 1), CLOCK_TIME_MAX);
	CHECK_EQUAL(clock_add(5, CLOCK_TIME_MAX - 5), CLOCK_TIME_MAX);
	CHECK_EQUAL(clock_add(5, 6), 11);
	CHECK_EQUAL(clock_base_of(CLOCK_REALTIME), BASE_REALTIME);
	CHECK_EQUAL(clock_base_of(CLOCK_BOOTTIME), BASE_MONOTONIC);
	CHECK_EQUAL(clock_base_of(CLOCK_PROCESS_CPUTIME_ID), -EINVAL);
}

static void check_none_late(void)
{
	for (unsigned i = 0; i < TIMERS; i++)
		CHECK(!armed[i] || clock_base_now(timers[i].base) < timers[i].when);
}

static void test_model(void)
{
	start();
	for (unsigned step = 0; step < 200000; step++) {
		unsigned i = (unsigned)test_random(TIMERS);
		enum clock_base base = (enum clock_base)test_random(3);

		switch (test_random(4)) {
		case 0:
			clock_timer_arm(&timers[i], base, clock_base_now(base) + test_random(2000));
			armed[i] = true;
			break;
		case 1:
			clock_timer_cancel(&timers[i]);
			armed[i] = false;
			break;
		case 2:
			CHECK_EQUAL(clocks_step_realtime((int64_t)test_random(2000) - 1000), 0);
			if (!test_random(8))
				clocks_set_tai_offset((int64_t)test_random(40));
			pass(0);
			break;
		default:
			pass(test_random(500));
		}
		if (now % 7 == 0)
			pass(0);
		timers_run(now);
		check_none_late();
	}
	CHECK(fired > 1000);
}

static void test_intervals(void)
{
	ns_t when = 100;

	CHECK_EQUAL(interval_forward(&when, 10, 99), 0);
	CHECK_EQUAL(when, 100);
	CHECK_EQUAL(interval_forward(&when, 10, 100), 1);
	CHECK_EQUAL(when, 110);
	CHECK_EQUAL(interval_forward(&when, 10, 139), 3);
	CHECK_EQUAL(when, 140);
	CHECK_EQUAL(interval_forward(&when, 0, 140), 1);
	CHECK_EQUAL(when, 140);
	when = 1;
	CHECK_EQUAL(interval_forward(&when, 1, CLOCK_TIME_MAX - 1), CLOCK_TIME_MAX - 1);
	CHECK_EQUAL(when, CLOCK_TIME_MAX);
	when = CLOCK_TIME_MAX - 5;
	CHECK_EQUAL(interval_forward(&when, CLOCK_TIME_MAX, CLOCK_TIME_MAX - 1), 1);
	CHECK_EQUAL(when, CLOCK_TIME_MAX);
	CHECK_EQUAL(interval_left(100, 50), 50);
	CHECK_EQUAL(interval_left(100, 150), 1);
}

int main(void)
{
	RUN(test_intervals);
	RUN(test_limits);
	RUN(test_moved);
	RUN(test_model);
	return test_result();
}
