/* SPDX-License-Identifier: MIT */
/*
 * Work goes where a CPU is free: no CPU is idle while a process waits that it may run. What is judged
 * is CPU time by the processes' clocks over time by the clock, for which the CPUs must be ours alone,
 * as they are in an emulated machine, whatever its host does: so this is not run on the host, but on
 * Debian's kernel in the same machine. See ci/scheduling.py.
 */
#include "cases.h"

#define MOST 64

static pid_t hogs[MOST];
static double before[MOST];
static unsigned count;

static void pin(pid_t pid, unsigned long mask)
{
	WANT_IS(kernel_call(SYS_sched_setaffinity, pid, sizeof(mask), &mask), 0);
}

static unsigned long all_cpus(void)
{
	unsigned long bits[16] = {0};

	WANT(kernel_call(SYS_sched_getaffinity, 0, sizeof(bits), bits) > 0);
	return bits[0];
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	WANT_IS(kernel_call(SYS_clock_gettime, clock, &t), 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_seconds(pid_t pid)
{
	return seconds(~pid << 3 | 2); /* its CPU clock: man 3 clock_getcpuclockid */
}

/* A process that uses what it gets, on the CPUs of the mask. */
static pid_t hog(unsigned long mask)
{
	pid_t pid = fork();

	WANT(pid >= 0);
	if (!pid) {
		pin(0, mask);
		alarm(CASE_SECONDS);
		for (;;)
			;
	}
	return hogs[count++] = pid;
}

/* Every hog's share of a CPU over two seconds. */
static void measure(double share[MOST])
{
	double begun = seconds(CLOCK_MONOTONIC), time;

	for (unsigned i = 0; i < count; i++)
		before[i] = cpu_seconds(hogs[i]);
	sleep_ms(2000);
	for (unsigned i = 0; i < count; i++)
		share[i] = cpu_seconds(hogs[i]) - before[i];
	time = seconds(CLOCK_MONOTONIC) - begun;
	for (unsigned i = 0; i < count; i++)
		share[i] /= time;
}

/*
 * The hogs from `first` to `last` have that many CPUs, by one measurement of several: a virtual CPU
 * may stand still for a second, on a host with much to do, and work is moved by the CPUs themselves.
 */
static void want_share(unsigned first, unsigned last, double least)
{
	double share[MOST], found = 0;

	for (int tries = 0; tries < 10; tries++) {
		measure(share);
		found = 0;
		for (unsigned i = first; i <= last; i++)
			found += share[i];
		if (found >= least)
			return;
	}
	printf("# %.2f CPUs, expected %.2f at least\n", found, least);
	fflush(stdout);
	WANT(found >= least);
}

static void end_hogs(void)
{
	for (unsigned i = 0; i < count; i++) {
		kill(hogs[i], SIGKILL);
		WANT_ENDS(hogs[i], SIGKILL);
	}
}

/* Four share CPU 0, to which they are bound; two share CPU 1 and may then use CPUs 1 to 3. */
static void widened(void)
{
	WANT((all_cpus() & 15) == 15);
	pin(0, 4);
	for (int i = 0; i < 4; i++)
		hog(1);
	hog(2);
	hog(2);
	sleep_ms(500);
	pin(hogs[4], 14);
	pin(hogs[5], 14);
	want_share(4, 5, 1.8);
	want_share(0, 3, 0.9);
	end_hogs();
}

/* All begin on one CPU. */
static void one_each(void)
{
	unsigned long all = all_cpus();

	for (int i = 0; i < __builtin_popcountl(all); i++)
		hog(all & -all);
	sleep_ms(100);
	for (unsigned i = 0; i < count; i++)
		pin(hogs[i], all);
	want_share(0, count - 1, 0.9 * count);
	end_hogs();
}

/* One waits among five on CPU 0; CPU 1 gets free when the one that was bound to it ends. */
static void freed(void)
{
	pid_t last;

	WANT((all_cpus() & 7) == 7);
	pin(0, 4);
	hog(3);
	for (int i = 0; i < 5; i++)
		hog(1);
	last = hog(2);
	pin(hogs[0], 1);
	sleep_ms(200);
	pin(hogs[0], 3);
	count--;
	kill(last, SIGKILL);
	WANT_ENDS(last, SIGKILL);
	want_share(0, 0, 0.9);
	end_hogs();
}

static const struct test_case cases[] = {
	CASE(widened, "two hogs use two CPUs once they may, though a third CPU has more that wait"),
	CASE(one_each, "as many hogs as CPUs: each has one"),
	CASE(freed, "a CPU that gets free takes the one of many that it may run"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
