/* SPDX-License-Identifier: MIT */
/* Checks of locks: each crime is found, and what is in order is let pass. */
#include "arch/fake/fake.h"
#include "arch/fake/test.h"
#include "lib/lock.h"
#include "process/cpu.h"

struct thread *fake_thread;
static struct cpu cpus_here[2] = {{.index = 0}, {.index = 1}};
struct cpu *fake_cpu = &cpus_here[0];

static struct spinlock a, b, c, pair[2];

static void take_a(void)
{
	spin_lock(&a);
}

static void take_b(void)
{
	spin_lock(&b);
}

static void take_c(void)
{
	spin_lock(&c);
}

static void take_one(unsigned i)
{
	spin_lock(&pair[i]);
}

static void a_then_b(void)
{
	take_a();
	take_b();
	spin_unlock(&b);
	spin_unlock(&a);
}

static void b_then_c(void)
{
	take_b();
	take_c();
	spin_unlock(&b); /* in any order */
	spin_unlock(&c);
}

static void inversion(void)
{
	a_then_b();
	take_b();
	take_a();
}

static void circle(void)
{
	a_then_b();
	b_then_c();
	take_c();
	take_a();
}

static void twice(void)
{
	take_a();
	take_a();
}

static void falling(void)
{
	take_one(1);
	take_one(0);
}

static void sleeps(void)
{
	take_c();
	lock_check_may_sleep();
}

static void test_crimes(void)
{
	lock_check_start();
	CHECK(test_panics(inversion, "lock order: &a"));
	CHECK(test_panics(inversion, "but &b"));
	CHECK(test_panics(circle, "lock order: &a"));
	CHECK(test_panics(twice, "is held already"));
	CHECK(test_panics(falling, "against the order of their addresses"));
	CHECK(test_panics(sleeps, "may sleep under &c"));
}

static void test_in_order(void)
{
	lock_check_start();
	for (int i = 0; i < 3; i++) {
		a_then_b();
		b_then_c();
		take_a();
		take_c();
		spin_unlock(&c);
		spin_unlock(&a);
		take_one(0);
		take_one(1);
		spin_unlock(&pair[0]);
		spin_unlock(&pair[1]);
		take_one(1);
		spin_lock_nested(&pair[0]);
		spin_unlock(&pair[0]);
		spin_unlock(&pair[1]);
		lock_check_may_sleep();
	}
}

/* What one CPU holds is nothing to another. */
static void test_cpus(void)
{
	lock_check_start();
	a_then_b();
	take_b();
	fake_cpu = &cpus_here[1];
	take_a();
	lock_check_report();
	spin_unlock(&a);
	lock_check_may_sleep();
	fake_cpu = &cpus_here[0];
	spin_unlock(&b);
	lock_check_may_sleep();
}

/* Locks that were held before the checks began are let go without a word. */
static void test_late_start(void)
{
	take_a();
	lock_check_start();
	take_b();
	spin_unlock(&b);
	spin_unlock(&a);
	lock_check_may_sleep();
}

int main(void)
{
	RUN(test_crimes);
	RUN(test_in_order);
	RUN(test_cpus);
	RUN(test_late_start);
	return test_result();
}
