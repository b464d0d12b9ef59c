/* SPDX-License-Identifier: MIT */
/* Timers: order, cancelling, moving, what a timer's own function may do, and a random model. */
#include "process/timer.h"

#include "arch/fake/test.h"
#include "arch_cpu.h"
#include "process/cpu.h"
#include "process/sched.h"

#define TIMERS 16

static struct cpu cpu, other_cpu;
struct cpu *fake_cpu = &cpu;
struct thread *fake_thread;

static struct timer timers[TIMERS];
static unsigned fired[64], fired_count, rearmed;
static ns_t now;

void sched_rearm(void)
{
	CHECK(!cpu.timer_lock.held && !other_cpu.timer_lock.held);
	rearmed++;
}

static void note(struct timer *timer)
{
	CHECK(!cpu.timer_lock.held);
	CHECK(!timer->armed && timer->cpu->timer_running == timer);
	CHECK(timer->when <= now);
	CHECK(fired_count < ARRAY_SIZE(fired));
	fired[fired_count++] = (unsigned)(timer - timers);
}

static void start(void)
{
	tree_init(&cpu.timers);
	tree_init(&other_cpu.timers);
	for (unsigned i = 0; i < TIMERS; i++)
		timer_init(&timers[i], note);
}

static ns_t run(ns_t until)
{
	now = until;
	fired_count = 0;
	return timers_run(now);
}

static void test_order(void)
{
	start();
	CHECK_EQUAL(timers_next(), NS_NEVER);
	CHECK_EQUAL(run(1000), NS_NEVER);
	timer_arm(&timers[0], 300);
	timer_arm(&timers[1], 100);
	timer_arm(&timers[2], 200);
	timer_arm(&timers[3], 100); /* of equals, the first armed comes first */
	timer_arm(&timers[4], NS_NEVER);
	CHECK_EQUAL(rearmed, 5);
	CHECK_EQUAL(timers_next(), 100);
	CHECK_EQUAL(run(99), 100);
	CHECK_EQUAL(fired_count, 0);
	CHECK_EQUAL(run(200), 300);
	CHECK_EQUAL(fired_count, 3);
	CHECK(fired[0] == 1 && fired[1] == 3 && fired[2] == 2);
	CHECK_EQUAL(run(1000), NS_NEVER);
	CHECK(fired_count == 1 && fired[0] == 0);
	CHECK_EQUAL(run(NS_NEVER - 1), NS_NEVER);
	CHECK_EQUAL(fired_count, 0);
}

static void test_cancel(void)
{
	start();
	timer_cancel(&timers[0]); /* never armed */
	timer_arm(&timers[0], 100);
	timer_arm(&timers[1], 200);
	timer_cancel(&timers[0]);
	timer_cancel(&timers[0]);
	CHECK_EQUAL(timers_next(), 200);
	CHECK_EQUAL(run(150), 200);
	CHECK_EQUAL(fired_count, 0);
	timer_arm(&timers[0], 160);
	CHECK_EQUAL(run(170), 200);
	CHECK(fired_count == 1 && fired[0] == 0);
	timer_cancel(&timers[0]); /* it fired already */
	timer_cancel(&timers[1]);
	CHECK_EQUAL(run(1000), NS_NEVER);
	CHECK_EQUAL(fired_count, 0);
}

static void test_move(void)
{
	start();
	timer_arm(&timers[0], 100);
	timer_arm(&timers[1], 200);
	timer_arm(&timers[0], 300);
	CHECK_EQUAL(run(250), 300);
	CHECK(fired_count == 1 && fired[0] == 1);
	timer_arm(&timers[0], 50); /* in the past: at the next look */
	CHECK_EQUAL(run(250), NS_NEVER);
	CHECK(fired_count == 1 && fired[0] == 0);
}

static void periodic(struct timer *timer)
{
	note(timer);
	timer_arm(timer, timer->when + 100);
}

static void cancels_next(struct timer *timer)
{
	note(timer);
	timer_cancel(timer + 1);
}

static void arms_earlier(struct timer *timer)
{
	note(timer);
	timer_arm(timer + 1, timer->when - 10); /* due now, before what is left */
}

static void test_from_function(void)
{
	start();
	timers[0].function = periodic;
	timer_arm(&timers[0], 100);
	timer_arm(&timers[1], 250);
	CHECK_EQUAL(run(300), 400);
	CHECK_EQUAL(fired_count, 4);
	CHECK(fired[0] == 0 && fired[1] == 0 && fired[2] == 1 && fired[3] == 0);
	timer_cancel(&timers[0]);
	timers[2].function = cancels_next;
	timer_arm(&timers[2], 400);
	timer_arm(&timers[3], 400);
	CHECK_EQUAL(run(500), NS_NEVER);
	CHECK(fired_count == 1 && fired[0] == 2);
	timers[4].function = arms_earlier;
	timer_arm(&timers[4], 600);
	timer_arm(&timers[6], 601);
	CHECK_EQUAL(run(700), NS_NEVER);
	CHECK_EQUAL(fired_count, 3);
	CHECK(fired[0] == 4 && fired[1] == 5 && fired[2] == 6);
}

/* Each CPU runs its own; a timer moves to the CPU that arms it. */
static void test_cpus(void)
{
	start();
	timer_arm(&timers[0], 100);
	timer_arm(&timers[1], 150);
	fake_cpu = &other_cpu;
	timer_arm(&timers[1], 120);
	CHECK(timers[1].cpu == &other_cpu);
	CHECK_EQUAL(run(200), NS_NEVER);
	CHECK(fired_count == 1 && fired[0] == 1);
	timer_cancel(&timers[0]); /* from afar */
	fake_cpu = &cpu;
	CHECK_EQUAL(run(200), NS_NEVER);
	CHECK_EQUAL(fired_count, 0);
}

/* Its function runs on the other CPU while this one arms it, once and again. */
static void armed_from_here(struct timer *timer)
{
	note(timer);
	fake_cpu = &cpu;
	timer_arm(timer, timer->when + 100);
	CHECK_EQUAL(timer->when, 200);
	timer_arm(timer, 500);
	timer_arm(timer, 400);
	CHECK(timer->armed && timer->cpu == &other_cpu); /* where it runs */
	fake_cpu = &other_cpu;
	timer->function = note;
}

static void test_armed_while_it_runs(void)
{
	start();
	timers[0].function = armed_from_here;
	fake_cpu = &other_cpu;
	timer_arm(&timers[0], 100);
	timer_arm(&timers[1], 300);
	CHECK_EQUAL(run(150), 300);
	CHECK(fired_count == 1 && fired[0] == 0);
	CHECK_EQUAL(run(350), 400); /* neither at 200 nor twice */
	CHECK(fired_count == 1 && fired[0] == 1);
	CHECK_EQUAL(run(1000), NS_NEVER);
	CHECK(fired_count == 1 && fired[0] == 0);
	fake_cpu = &cpu;
	CHECK_EQUAL(run(1000), NS_NEVER);
	CHECK_EQUAL(fired_count, 0);
}

static void test_model(void)
{
	ns_t when[TIMERS]; /* NS_NEVER: not armed */

	start();
	for (unsigned i = 0; i < TIMERS; i++)
		when[i] = NS_NEVER;
	for (unsigned step = 0; step < 100000; step++) {
		unsigned i = (unsigned)test_random(TIMERS);
		ns_t next = NS_NEVER, last = 0;

		if (test_random(2)) {
			when[i] = now + test_random(1000);
			timer_arm(&timers[i], when[i]);
		} else if (test_random(2)) {
			when[i] = NS_NEVER;
			timer_cancel(&timers[i]);
		} else {
			next = run(now + test_random(200));
			for (unsigned n = 0; n < fired_count; n++) {
				CHECK(when[fired[n]] >= last && when[fired[n]] <= now);
				last = when[fired[n]];
				when[fired[n]] = NS_NEVER;
			}
			for (i = 0; i < TIMERS; i++)
				CHECK(when[i] > now);
		}
		next = NS_NEVER;
		for (i = 0; i < TIMERS; i++)
			next = when[i] < next ? when[i] : next;
		CHECK_EQUAL(timers_next(), next);
	}
}

int main(void)
{
	RUN(test_order);
	RUN(test_cancel);
	RUN(test_move);
	RUN(test_from_function);
	RUN(test_cpus);
	RUN(test_armed_while_it_runs);
	RUN(test_model);
	return test_result();
}
