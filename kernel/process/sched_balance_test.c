/* SPDX-License-Identifier: MIT */
/*
 * The scheduler on several CPUs, as it is but for the machine: CPUs take turns on one host thread, a
 * switch is an assignment, and a kick arrives when the test says so. At random threads sleep, wake,
 * yield, change their affinity, policy and nice values; whenever all kicks have arrived and all CPUs
 * have done what they were asked to, no CPU may be idle while a thread that it may run waits.
 */
#include "process/sched.h"

#include <linux/sched.h>

#include <setjmp.h>

#include "arch/fake/test.h"
#include "firmware/bars.h"
#include "lib/log.h"
#include "memory/fail.h"
#include "process/sched_queue.h"

#define MOST_CPUS    8
#define MOST_THREADS 40
#define MOST_SETTLES 10000 /* until nothing happens any more */

struct thread *fake_thread;
struct cpu *fake_cpu;
struct cpu boot_cpu;
struct cpu *cpus[CPUS_MAX];
unsigned cpu_count;
uint64_t cpus_online;

static struct cpu model_cpus[MOST_CPUS];
static struct thread idles[MOST_CPUS], threads[MOST_THREADS];
static unsigned thread_count;
static bool kicked[MOST_CPUS];
static unsigned long kicks, switches;
static ns_t now;

/* ---- The machine ---- */

static jmp_buf out_of_idle;
static bool in_idle;

ns_t arch_clock(void)
{
	return now;
}

void arch_kick(struct cpu *cpu)
{
	kicked[cpu->index] = true;
	kicks++;
}

void arch_switch(struct thread *from, struct thread *to)
{
	CHECK(from == fake_thread && fake_cpu->running == to && to->sched.cpu == fake_cpu);
	fake_thread = to;
	switches++;
}

void arch_debug_load(void)
{
}

/* The idle loop turns interrupts off: it is no longer its turn, if it switched. */
void model_irq_off(void)
{
	if (in_idle && fake_thread != fake_cpu->idle)
		longjmp(out_of_idle, 1);
}

void arch_idle(void)
{
	CHECK(in_idle);
	longjmp(out_of_idle, 1);
}

void arch_timer_arm(ns_t when)
{
	(void)when;
}

ns_t timers_next(void)
{
	return NS_NEVER;
}

ns_t timers_run(ns_t at)
{
	(void)at;
	return NS_NEVER;
}

void thread_free(struct thread *thread)
{
	panic("%s is freed", thread->name);
}

void signal_deliver(void)
{
}

void bars_late(void)
{
}

void fail_tell(void)
{
}

void fail_tell_apart(void)
{
}

void cpu_timers_resume(void)
{
}

/* ---- The CPUs' turns ---- */

static void on(struct cpu *cpu)
{
	fake_cpu = cpu;
	fake_thread = cpu->running;
}

static bool is_idle(const struct cpu *cpu)
{
	return cpu->running == cpu->idle;
}

/* The idle loop, until it halts or another thread runs. */
static void idle(void)
{
	in_idle = true;
	if (!setjmp(out_of_idle))
		sched_idle();
	in_idle = false;
}

/* A CPU does all that it was asked to do, and no more. */
static void obey(struct cpu *cpu)
{
	on(cpu);
	if (kicked[cpu->index]) {
		kicked[cpu->index] = false;
		cpu_kicked();
	}
	if (is_idle(cpu))
		idle();
	else if (fake_thread->sched.state == THREAD_SLEEPING || fake_thread->work & WORK_RESCHEDULE)
		schedule();
}

static void settle(void)
{
	for (unsigned n = 0; n < MOST_SETTLES; n++) {
		unsigned long before = kicks + switches;
		bool more = false;

		for (unsigned i = 0; i < cpu_count; i++) {
			obey(cpus[i]);
			more |= kicked[i] ||
				(!is_idle(cpus[i]) && cpus[i]->running->work & WORK_RESCHEDULE);
		}
		if (!more && before == kicks + switches)
			return;
	}
	panic("the CPUs do not come to rest");
}

/* A timer interrupt in user mode, and what comes of it. */
static void tick(struct cpu *cpu)
{
	on(cpu);
	if (is_idle(cpu))
		return;
	timer_expired(true);
	if (fake_thread->work & WORK_RESCHEDULE)
		schedule();
}

/* ---- What must be so ---- */

static bool waits(const struct thread *thread)
{
	return thread->sched.state == THREAD_RUNNABLE && thread->sched.cpu->running != thread;
}

/* At rest. */
static void check_all(void)
{
	unsigned waiting[MOST_CPUS] = {0};

	for (unsigned i = 0; i < thread_count; i++) {
		struct thread *thread = &threads[i];
		struct cpu *cpu = thread->sched.cpu;

		CHECK(!thread->sched.moving && thread->sched.queued == waits(thread));
		if (thread->sched.state != THREAD_RUNNABLE)
			continue;
		CHECK(thread->sched.affinity & cpu_bit(cpu));
		if (!waits(thread))
			continue;
		waiting[cpu->index]++;
		CHECK(!(thread->sched.affinity & cpu->queue.fruitless));
		for (unsigned other = 0; other < cpu_count; other++)
			CHECK(!is_idle(cpus[other]) ||
				!(thread->sched.affinity & cpu_bit(cpus[other])));
	}
	for (unsigned i = 0; i < cpu_count; i++) {
		CHECK_EQUAL(cpu_waiting(cpus[i]), waiting[i]);
		CHECK(is_idle(cpus[i]) == !!(cpus_idle & cpus[i]->bit));
		CHECK(!is_idle(cpus[i]) || !waiting[i]);
	}
}

/* ---- Threads ---- */

static void start(unsigned count)
{
	memset(model_cpus, 0, sizeof(model_cpus));
	memset(idles, 0, sizeof(idles));
	memset(kicked, 0, sizeof(kicked));
	cpus_idle = cpus_online = 0;
	thread_count = 0;
	now = NS_PER_SECOND;
	cpu_count = count;
	for (unsigned i = 0; i < count; i++) {
		model_cpus[i].index = i;
		cpus[i] = &model_cpus[i];
		sched_idle_init(&model_cpus[i], &idles[i]);
		cpus_online |= cpu_bit(cpus[i]);
	}
	on(cpus[0]);
	settle();
}

static struct thread *new_thread(uint64_t affinity)
{
	struct thread *thread = &threads[thread_count++];

	CHECK(thread_count <= MOST_THREADS);
	memset(thread, 0, sizeof(*thread));
	sched_thread_init(thread, NULL);
	thread->sched.affinity = affinity;
	return thread;
}

/* One that begins to run, and goes on for ever. */
static struct thread *hog(uint64_t affinity)
{
	struct thread *thread = new_thread(affinity);

	CHECK(thread_wake(thread));
	settle();
	return thread;
}

static void go_to_sleep(struct thread *thread)
{
	CHECK(thread->sched.cpu->running == thread);
	on(thread->sched.cpu);
	thread->sched.state = THREAD_SLEEPING;
	schedule();
	settle();
}

static void set_affinity(struct thread *thread, uint64_t mask)
{
	CHECK_EQUAL(sched_set_affinity(thread, mask), 0);
	settle();
	check_all();
}

static void set_policy(struct thread *thread, uint8_t policy, uint8_t priority)
{
	sched_set_parameters(
		thread, &(struct sched_parameters){.policy = policy, .rt_priority = priority});
}

static bool runs(const struct thread *thread)
{
	return thread->sched.cpu->running == thread;
}

static unsigned run_in_all(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < thread_count; i++)
		count += runs(&threads[i]);
	return count;
}

/* ---- Cases ---- */

/* The threads of the busiest CPU are bound to it; those of another one may go. */
static void test_beside_bound_ones(void)
{
	struct thread *a, *b;

	start(4);
	for (unsigned i = 0; i < 4; i++)
		hog(1);
	a = hog(2);
	b = hog(2);
	CHECK(runs(a) != runs(b));
	set_affinity(a, 14);
	set_affinity(b, 14);
	CHECK(runs(a) && runs(b) && a->sched.cpu != b->sched.cpu);
	CHECK_EQUAL(run_in_all(), 3);
}

/* A CPU that gets free finds one among many, whose turn comes before theirs. */
static void test_among_bound_ones(void)
{
	struct thread *other, *movable;

	start(2);
	other = hog(2);
	hog(1);
	movable = hog(1);
	for (unsigned i = 0; i < 35; i++)
		hog(1);
	CHECK(waits(movable) && tree_first(&cpus[0]->queue.fair.tree) == &movable->sched.fair.node);
	set_affinity(movable, 3);
	CHECK(waits(movable) && runs(other));
	go_to_sleep(other);
	CHECK(runs(movable) && movable->sched.cpu == cpus[1]);
	check_all();
}

/* One that may run elsewhere is preempted by one that may not. */
static void test_preempted(void)
{
	struct thread *movable, *bound;

	start(3);
	movable = new_thread(1);
	thread_wake(movable);
	settle();
	set_affinity(movable, 7);
	CHECK(runs(movable) && movable->sched.cpu == cpus[0]);
	bound = new_thread(1);
	set_policy(bound, SCHED_FIFO, 1);
	thread_wake(bound);
	settle();
	CHECK(runs(bound) && runs(movable) && movable->sched.cpu != cpus[0]);
	check_all();
}

/* A real-time thread goes where a fair one runs, also when the busiest one is bound. */
static void test_real_time(void)
{
	struct thread *bound[3], *fair, *movable;

	start(2);
	fair = hog(2);
	for (unsigned i = 0; i < 3; i++) {
		bound[i] = new_thread(1);
		set_policy(bound[i], SCHED_FIFO, (uint8_t)(30 + i));
		thread_wake(bound[i]);
		settle();
	}
	CHECK(runs(bound[2]) && runs(fair));
	movable = new_thread(1);
	set_policy(movable, SCHED_FIFO, 20);
	thread_wake(movable);
	settle();
	CHECK(!runs(movable));
	set_affinity(movable, 3);
	CHECK(runs(movable) && movable->sched.cpu == cpus[1] && !runs(fair));
	go_to_sleep(movable);
	CHECK(runs(fair));
	check_all();
}

/* As many hogs as CPUs: each has one, after each has slept a while. */
static void test_one_each(void)
{
	start(8);
	for (unsigned i = 0; i < 8; i++)
		hog(UINT64_MAX);
	CHECK_EQUAL(run_in_all(), 8);
	for (unsigned i = 0; i < 8; i++) {
		go_to_sleep(&threads[i]);
		on(cpus[(i + 3) % 8]);
		thread_wake(&threads[i]);
		settle();
		CHECK_EQUAL(run_in_all(), 8);
	}
}

/* Looks in vain are not made again, until somebody new waits. */
static void test_fruitless(void)
{
	struct thread *sleeper;

	start(2);
	for (unsigned i = 0; i < 4; i++)
		hog(1);
	sleeper = hog(2);
	go_to_sleep(sleeper);
	CHECK_EQUAL(cpus[0]->queue.fruitless, 2);
	kicks = 0;
	for (unsigned i = 0; i < 50; i++) {
		now += NS_PER_SECOND / 100;
		tick(cpus[0]);
	}
	CHECK_EQUAL(kicks, 0);
	set_affinity(&threads[0], 3);
	set_affinity(&threads[1], 3);
	CHECK(runs(&threads[0]) || runs(&threads[1]));
	CHECK_EQUAL(run_in_all(), 2);
}

/* ---- At random ---- */

static uint64_t random_mask(void)
{
	uint64_t mask = 1 + test_random((UINT64_C(1) << cpu_count) - 1);

	return test_random(3) ? mask : UINT64_C(1) << test_random(cpu_count);
}

static void random_parameters(struct thread *thread)
{
	struct sched_parameters p = {.nice = (int8_t)((int)test_random(40) - 20)};

	if (test_random(4) == 0) {
		p.policy = test_random(2) ? SCHED_FIFO : SCHED_RR;
		p.rt_priority = (uint8_t)(1 + test_random(3));
	} else if (test_random(4) == 0) {
		p.policy = test_random(2) ? SCHED_BATCH : SCHED_IDLE;
	}
	sched_set_parameters(thread, &p);
}

/* What the thread that runs there, or an interrupt, does next. */
static void random_step(struct cpu *cpu)
{
	struct thread *other = &threads[test_random(thread_count)];

	on(cpu);
	switch (test_random(12)) {
	case 0: /* goes to sleep; perhaps later, and perhaps it is woken before */
		if (is_idle(cpu) || fake_thread->sched.state != THREAD_RUNNABLE)
			break;
		fake_thread->sched.state = THREAD_SLEEPING;
		if (test_random(3))
			schedule();
		break;
	case 1:
		if (!is_idle(cpu) && fake_thread->sched.state == THREAD_RUNNABLE)
			sched_yield();
		break;
	case 2:
	case 3:
	case 4:
		thread_wake(other);
		break;
	case 5:
	case 6:
		CHECK_EQUAL(sched_set_affinity(other, random_mask()), 0);
		break;
	case 7:
		random_parameters(other);
		break;
	case 8:
		tick(cpu);
		break;
	default:
		obey(cpu);
	}
}

static void random_run(unsigned count, unsigned many)
{
	start(count);
	for (unsigned i = 0; i < many; i++)
		new_thread(random_mask());
	for (unsigned n = 0; n < 20000; n++) {
		now += test_random(NS_PER_SECOND / 500);
		random_step(cpus[test_random(count)]);
		if (test_random(20) == 0) {
			settle();
			check_all();
		}
	}
}

static void test_random_runs(void)
{
	for (unsigned round = 0; round < 24; round++) {
		test_seed(round + 1);
		random_run(2 + round % 7, 1 + (unsigned)test_random(MOST_THREADS - 1));
	}
}

int main(void)
{
	RUN(test_beside_bound_ones);
	RUN(test_among_bound_ones);
	RUN(test_preempted);
	RUN(test_real_time);
	RUN(test_one_each);
	RUN(test_fruitless);
	RUN(test_random_runs);
	return test_result();
}
