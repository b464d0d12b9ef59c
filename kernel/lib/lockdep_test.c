/* SPDX-License-Identifier: MIT */
/* Checks of locks: each crime is found, and what is in order is let pass. */
#include "arch/fake/fake.h"
#include "arch/fake/test.h"
#include "lib/lock.h"
#include "lib/symbols.h"
#include "process/cpu.h"
#include "process/mutex.h"
#include "process/process.h"

#include <stdlib.h>

static struct thread threads_here[2];
struct thread *fake_thread = &threads_here[0];
static struct cpu cpus_here[2] = {{.index = 0}, {.index = 1}};
struct cpu *fake_cpu = &cpus_here[0];

static struct spinlock a, b, c, pair[2];
static struct mutex m, n, directories[2];

const char *symbol_of(virt_t address UNUSED, uint32_t *within)
{
	*within = 0;
	return "somebody";
}

/* Nobody waits here: a mutex that is not free is a mistake of the test. */
void mutex_lock_slow(struct mutex *mutex UNUSED)
{
	abort();
}

void wake_one(struct wait_queue *queue UNUSED)
{
	abort();
}

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

static void mutex_under_spinlock(void)
{
	take_c();
	mutex_lock(&m);
}

static void m_then_n(void)
{
	mutex_lock(&m);
	mutex_lock(&n);
	mutex_unlock(&m);
	mutex_unlock(&n);
}

static void mutex_inversion(void)
{
	m_then_n();
	mutex_lock(&n);
	mutex_lock(&m);
}

static void mutex_twice(void)
{
	mutex_lock(&m);
	mutex_lock(&m);
}

/* Made with one name, by different expressions: one class. */
static void mutexes_falling(void)
{
	struct mutex *first = &directories[0], *second = &directories[1];

	spin_init(&directories[0].waiters.lock, "queue->lock");
	first->identity.name = second->identity.name = "inode->lock";
	mutex_lock(second);
	mutex_lock(first);
}

static void leaves_with_mutex(void)
{
	mutex_lock(&n);
	lock_check_no_mutex();
}

/* One class by name, wherever each is taken first. */
static void one_kind(void)
{
	spin_init(&pair[0], "object->lock");
	spin_init(&pair[1], "object->lock");
	take_one(1);
	spin_lock(&pair[0]);
}

static void test_crimes(void)
{
	lock_check_start(0);
	CHECK(test_panics(inversion, "lock order: &a"));
	CHECK(test_panics(inversion, "but &b"));
	CHECK(test_panics(circle, "lock order: &a"));
	CHECK(test_panics(twice, "is held already"));
	CHECK(test_panics(falling, "against the order of their addresses"));
	CHECK(test_panics(one_kind, "against the order of their addresses"));
	CHECK(test_panics(sleeps, "may sleep under &c"));
	CHECK(test_panics(mutex_under_spinlock, "may sleep under &c"));
	CHECK(test_panics(mutex_inversion, "lock order: &m"));
	CHECK(test_panics(mutex_twice, "is held already"));
	CHECK(test_panics(mutexes_falling, "against the order of their addresses"));
	CHECK(test_panics(leaves_with_mutex, "leaves the kernel with &n"));
}

static void hold(ns_t time)
{
	take_b();
	fake_clock_advance(time);
	spin_unlock(&b);
}

static void holds_too_long(void)
{
	hold(1001000);
}

static void interrupts_off(ns_t time)
{
	lock_check_irqs_off();
	fake_clock_advance(time);
	lock_check_irqs_on();
}

static void off_too_long(void)
{
	interrupts_off(1001000);
}

/* Up to the limit is well; then not; and without a limit nothing is too long. */
static void test_times(void)
{
	fake_clock_set(5);
	lock_check_start(1000000);
	hold(1000000);
	interrupts_off(1000000);
	lock_check_irqs_on(); /* they were not turned off by what is counted */
	CHECK(test_panics(holds_too_long, "b was held for 1001 us"));
	CHECK(test_panics(off_too_long, "interrupts were off for 1001 us since somebody"));
	lock_check_start(0);
	hold(NS_PER_SECOND);
	interrupts_off(NS_PER_SECOND);
}

static void test_in_order(void)
{
	lock_check_start(0);
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
		m_then_n();
		mutex_lock(&directories[1]);
		mutex_lock_nested(&directories[0]);
		take_a();
		spin_unlock(&a);
		mutex_unlock(&directories[1]);
		mutex_unlock(&directories[0]);
		lock_check_no_mutex();
	}
}

/* What one thread holds is nothing to another. */
static void test_threads(void)
{
	lock_check_start(0);
	m_then_n();
	mutex_lock(&n);
	fake_thread = &threads_here[1];
	mutex_lock(&m);
	mutex_unlock(&m);
	lock_check_no_mutex();
	fake_thread = &threads_here[0];
	mutex_unlock(&n);
	lock_check_no_mutex();
}

/* What one CPU holds is nothing to another. */
static void test_cpus(void)
{
	lock_check_start(0);
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
	lock_check_start(0);
	take_b();
	spin_unlock(&b);
	spin_unlock(&a);
	lock_check_may_sleep();
}

int main(void)
{
	RUN(test_crimes);
	RUN(test_times);
	RUN(test_in_order);
	RUN(test_threads);
	RUN(test_cpus);
	RUN(test_late_start);
	return test_result();
}
