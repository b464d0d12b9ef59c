/* SPDX-License-Identifier: MIT */
/*
 * How the CPU is divided, on one CPU: shares, weights, who runs at once, who waits how long. What is
 * judged is CPU time and order; where it is time on the clock, the machine must be a counted one
 * (QEMU's -icount), so this is not run on the host: see ci/scheduling.py.
 *
 *	sched-shares [WORD]	the cases that have WORD in their names
 */
#include <sys/resource.h>

#include "cases.h"

#define FIFO 1
#define RR   2
#define IDLE 5
#define MOST 1100
#define MS   UINT64_C(1000000)

static struct shared {
	uint64_t used[MOST];  /* CPU time, ns */
	uint64_t last[MOST];  /* when it was seen running last */
	uint64_t worst[MOST]; /* the longest time between two such */
	uint32_t go, stop, next;
	uint32_t order[64];
} * shared;

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	WANT_IS(kernel_call(SYS_clock_gettime, clock, &t), 0);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void sleep_ns(uint64_t ns)
{
	struct timespec t = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};

	WANT_IS(kernel_call(SYS_nanosleep, &t, NULL), 0);
}

static void set_policy(pid_t pid, int policy, int priority)
{
	WANT_IS(kernel_call(SYS_sched_setscheduler, pid, policy, &priority), 0);
}

static void one_cpu(void)
{
	unsigned long one = 1;

	WANT_IS(kernel_call(SYS_sched_setaffinity, 0, sizeof(one), &one), 0);
	shared = shared_memory(sizeof(*shared));
}

static bool is_set(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* Uses the CPU and notes when, until told to stop; the process ends. */
static void hog(unsigned index)
{
	uint64_t begun = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	while (!is_set(&shared->go))
		sched_yield();
	shared->last[index] = clock_ns(CLOCK_MONOTONIC);
	while (!is_set(&shared->stop)) {
		uint64_t now = clock_ns(CLOCK_MONOTONIC), waited = now - shared->last[index];

		if (waited > shared->worst[index])
			shared->worst[index] = waited;
		shared->last[index] = now;
		shared->used[index] = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begun;
		for (volatile int i = 0; i < 2000; i++)
			;
	}
	_exit(0);
}

static void start_hogs(unsigned count, const int *nice)
{
	for (unsigned i = 0; i < count; i++) {
		pid_t pid = fork();

		WANT(pid >= 0);
		if (pid)
			continue;
		if (nice)
			WANT_IS(kernel_call(SYS_setpriority, PRIO_PROCESS, 0, nice[i]), 0);
		hog(i);
	}
}

static void end_hogs(unsigned count)
{
	__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < count; i++)
		WANT_IS(ended(-1), 0);
}

/* The parent is asleep meanwhile, so the hogs have it all. */
static void run_hogs(unsigned count, const int *nice, uint64_t ns)
{
	start_hogs(count, nice);
	set_policy(0, FIFO, 50);
	__atomic_store_n(&shared->go, 1, __ATOMIC_RELAXED);
	sleep_ns(ns);
	set_policy(0, 0, 0);
	end_hogs(count);
}

static void equal(void)
{
	one_cpu();
	run_hogs(2, NULL, 1000 * MS);
	uint64_t a = shared->used[0], b = shared->used[1], most = a > b ? a : b;

	WANT(a + b > 900 * MS);
	WANT((a > b ? a - b : b - a) * 100 <= most * 2);
}

static void weighted(int a, int b, double ratio)
{
	int nice[2] = {a, b};

	one_cpu();
	run_hogs(2, nice, 3000 * MS);
	double found = (double)shared->used[0] / (double)shared->used[1];

	if (found < ratio * 0.95 || found > ratio * 1.05)
		printf("# nice %d and %d: %.3f, expected %.3f\n", a, b, found, ratio);
	fflush(stdout);
	WANT(found >= ratio * 0.95 && found <= ratio * 1.05);
}

static void nice_1(void)
{
	weighted(0, 1, 1024.0 / 820);
}

static void nice_5(void)
{
	weighted(0, 5, 1024.0 / 335);
}

static void nice_10(void)
{
	weighted(0, 10, 1024.0 / 110);
}

static void nice_minus_5(void)
{
	weighted(-5, 0, 3121.0 / 1024);
}

static void nice_between(void)
{
	weighted(3, 8, 526.0 / 172);
}

/* A sleeper among 100 hogs runs within a tick of its waking. */
static void sleeper(void)
{
	uint64_t worst = 0;

	one_cpu();
	start_hogs(100, NULL);
	__atomic_store_n(&shared->go, 1, __ATOMIC_RELAXED);
	sleep_ns(50 * MS);
	for (int i = 0; i < 50; i++) {
		struct timespec t;
		uint64_t due = clock_ns(CLOCK_MONOTONIC) + 7 * MS + (uint64_t)i * MS / 3, late;

		t = (struct timespec){(time_t)(due / 1000000000), (long)(due % 1000000000)};
		WANT_IS(kernel_call(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL),
			0);
		late = clock_ns(CLOCK_MONOTONIC) - due;
		worst = late > worst ? late : worst;
	}
	end_hogs(100);
	if (worst >= 10 * MS)
		printf("# %lu us late at worst\n", (unsigned long)(worst / 1000));
	fflush(stdout);
	WANT(worst < 10 * MS);
}

/* 1,000 hogs: each runs again and again. */
static void thousand(void)
{
	uint64_t begun;

	one_cpu();
	start_hogs(1000, NULL);
	set_policy(0, FIFO, 50);
	__atomic_store_n(&shared->go, 1, __ATOMIC_RELAXED);
	begun = clock_ns(CLOCK_MONOTONIC);
	sleep_ns(7000 * MS);
	for (unsigned i = 0; i < 1000; i++)
		WANT(shared->used[i] > MS && shared->worst[i] < 4000 * MS &&
			shared->last[i] > begun + 3000 * MS);
	set_policy(0, 0, 0);
	end_hogs(1000);
}

/* ---- Real-time ---- */

static void note(unsigned who)
{
	shared->order[__atomic_fetch_add(&shared->next, 1, __ATOMIC_SEQ_CST)] = who;
}

static void rt_child(unsigned who, int policy, int priority)
{
	pid_t pid = fork();

	WANT(pid >= 0);
	if (pid)
		return;
	set_policy(0, policy, priority);
	note(who);
	_exit(0);
}

/* The highest first, each to its end; who is lowered goes to the front of his equals. */
static void rt_order(void)
{
	static const unsigned expected[] = {5, 4, 3, 2, 1};

	one_cpu();
	set_policy(0, FIFO, 90);
	rt_child(1, FIFO, 10);
	rt_child(2, FIFO, 20);
	rt_child(3, FIFO, 30);
	rt_child(4, FIFO, 30);
	rt_child(5, FIFO, 40);
	/* Children have this policy until they set their own: let each come so far. */
	WANT_IS(shared->next, 0);
	set_policy(0, FIFO, 5);
	for (unsigned i = 0; i < 5; i++)
		WANT_IS(ended(-1), 0);
	for (unsigned i = 0; i < 5; i++)
		WANT_IS(shared->order[i], expected[i]);
}

/* A real-time thread that wakes runs before all hogs. */
static void rt_wakes(void)
{
	uint64_t worst = 0;

	one_cpu();
	start_hogs(20, NULL);
	set_policy(0, FIFO, 1);
	__atomic_store_n(&shared->go, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 50; i++) {
		uint64_t due = clock_ns(CLOCK_MONOTONIC) + 3 * MS, late;

		sleep_ns(3 * MS);
		late = clock_ns(CLOCK_MONOTONIC) - due;
		worst = late > worst ? late : worst;
	}
	set_policy(0, 0, 0);
	end_hogs(20);
	WANT(worst < MS);
}

/* Three of SCHED_RR take turns; none of SCHED_OTHER gets in, but for its 50 ms of each second. */
static void rr_rotates(void)
{
	one_cpu();
	start_hogs(4, NULL);
	set_policy(0, FIFO, 50);
	/* Hogs 0 to 2 become real-time. */
	for (unsigned i = 0; i < 3; i++) {
		pid_t pid = fork();

		WANT(pid >= 0);
		if (!pid) {
			set_policy(0, RR, 10);
			hog(10 + i);
		}
	}
	__atomic_store_n(&shared->go, 1, __ATOMIC_RELAXED);
	sleep_ns(1800 * MS);
	__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = 10; i < 13; i++) {
		WANT(shared->used[i] >= 480 * MS && shared->used[i] <= 650 * MS);
		WANT(shared->worst[i] >= 150 * MS && shared->worst[i] <= 320 * MS);
	}
	WANT(shared->used[0] < 50 * MS);
	set_policy(0, 0, 0);
	end_hogs(7);
}

/* One that never sleeps has 95 % of each second where others wait. */
static void rt_hog(void)
{
	pid_t pid;

	one_cpu();
	start_hogs(1, NULL);
	set_policy(0, FIFO, 50);
	pid = fork();
	WANT(pid >= 0);
	if (!pid) {
		set_policy(0, FIFO, 10);
		hog(1);
	}
	__atomic_store_n(&shared->go, 1, __ATOMIC_RELAXED);
	sleep_ns(3000 * MS);
	set_policy(0, 0, 0);
	end_hogs(2);
	WANT(shared->used[0] >= 80 * MS && shared->used[0] <= 300 * MS);
	WANT(shared->used[1] >= 2600 * MS);
	sleep_ns(1000 * MS); /* real-time threads of what comes next have their share again */
}

/* SCHED_IDLE gets next to nothing beside a hog, but all when it is alone. */
static void idle_policy(void)
{
	pid_t pid;

	one_cpu();
	start_hogs(1, NULL);
	pid = fork();
	WANT(pid >= 0);
	if (!pid) {
		set_policy(0, IDLE, 0);
		hog(1);
	}
	set_policy(0, FIFO, 50);
	__atomic_store_n(&shared->go, 1, __ATOMIC_RELAXED);
	sleep_ns(2000 * MS);
	set_policy(0, 0, 0);
	end_hogs(2);
	WANT(shared->used[1] * 100 < shared->used[0]);
	WANT(shared->used[0] > 1900 * MS);
}

/* Time in user mode and in the kernel add up to what the thread clock says, and are told apart. */
static void user_and_system(void)
{
	struct rusage usage;
	uint64_t end, user, sys;

	one_cpu();
	end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + 300 * MS;
	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end)
		for (volatile int i = 0; i < 100000; i++)
			;
	WANT_IS(kernel_call(SYS_getrusage, RUSAGE_SELF, &usage), 0);
	user = (uint64_t)usage.ru_utime.tv_sec * 1000 + (uint64_t)usage.ru_utime.tv_usec / 1000;
	sys = (uint64_t)usage.ru_stime.tv_sec * 1000 + (uint64_t)usage.ru_stime.tv_usec / 1000;
	WANT(user + sys >= 299 && user + sys <= 320);
	WANT(user >= 250);
	end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + 300 * MS;
	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end) {
		void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		WANT(p != MAP_FAILED);
		munmap(p, 1 << 20);
	}
	WANT_IS(kernel_call(SYS_getrusage, RUSAGE_SELF, &usage), 0);
	sys = (uint64_t)usage.ru_stime.tv_sec * 1000 + (uint64_t)usage.ru_stime.tv_usec / 1000;
	WANT(sys >= 150);
}

static void switches(void)
{
	struct rusage before, after;

	one_cpu();
	WANT_IS(kernel_call(SYS_getrusage, RUSAGE_SELF, &before), 0);
	for (int i = 0; i < 10; i++)
		sleep_ns(MS);
	WANT_IS(kernel_call(SYS_getrusage, RUSAGE_SELF, &after), 0);
	WANT(after.ru_nvcsw - before.ru_nvcsw >= 10 && after.ru_nvcsw - before.ru_nvcsw < 20);
	start_hogs(1, NULL);
	__atomic_store_n(&shared->go, 1, __ATOMIC_RELAXED);
	for (uint64_t end = clock_ns(CLOCK_MONOTONIC) + 100 * MS; clock_ns(CLOCK_MONOTONIC) < end;)
		;
	end_hogs(1);
	WANT_IS(kernel_call(SYS_getrusage, RUSAGE_SELF, &before), 0);
	WANT(before.ru_nivcsw - after.ru_nivcsw >= 5);
}

static const struct test_case cases[] = {
	CASE(equal, "two hogs at nice 0 share within 2 % over a second"),
	CASE(nice_1, "nice 0 and 1: Linux's weights within 5 %"),
	CASE(nice_5, "nice 0 and 5: Linux's weights within 5 %"),
	CASE(nice_10, "nice 0 and 10: Linux's weights within 5 %"),
	CASE(nice_minus_5, "nice -5 and 0: Linux's weights within 5 %"),
	CASE(nice_between, "nice 3 and 8: Linux's weights within 5 %"),
	CASE(sleeper, "a sleeper that wakes among 100 hogs runs within a tick"),
	CASE(thousand, "nobody starves among 1,000 hogs"),
	CASE(rt_order, "SCHED_FIFO: the highest first, one that was lowered before its equals"),
	CASE(rt_wakes, "SCHED_FIFO: one that wakes runs at once, among 20 hogs"),
	CASE(rr_rotates, "SCHED_RR: equals take turns of 100 ms, SCHED_OTHER waits"),
	CASE(rt_hog, "SCHED_FIFO: a hog leaves SCHED_OTHER 5 % of each second"),
	CASE(idle_policy, "SCHED_IDLE: next to nothing beside a hog"),
	CASE(user_and_system, "user and system time are told apart and add up"),
	CASE(switches, "context switches are counted by kind"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
