/* SPDX-License-Identifier: MIT */
/*
 * Clocks and sleeping: what the clocks say and how they stand to each other, CPU clocks of processes
 * and threads, setting the date (and what moves with it), nanosleep and clock_nanosleep to the errno,
 * and with signals. Times are compared with what passed at least: a loaded machine is never too fast.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/timex.h>

#include "check.h"

#define MS 1000000
#define NS INT64_C(1000000000)

static int64_t ns(const struct timespec *t)
{
	return t->tv_sec * NS + t->tv_nsec;
}

static struct timespec span(int64_t n)
{
	return (struct timespec){n / NS, n % NS};
}

static long gettime(int clock, struct timespec *t)
{
	return kernel_call(SYS_clock_gettime, clock, t);
}

static int64_t read_clock(int clock)
{
	struct timespec t = {-1, 0};

	return gettime(clock, &t) ? -1 : ns(&t);
}

/* ---- Reading ---- */

static void burn(int64_t how_long)
{
	int64_t end = read_clock(CLOCK_THREAD_CPUTIME_ID) + how_long;

	while (read_clock(CLOCK_THREAD_CPUTIME_ID) < end)
		;
}

static void reading(void)
{
	static const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
		CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI,
		CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
	struct timespec t;
	bool held = true, fine = true;
	int64_t a, b;

	for (size_t i = 0; i < COUNT(clocks); i++) {
		held &= gettime(clocks[i], &t) == 0 && t.tv_nsec >= 0 && t.tv_nsec < NS;
		a = read_clock(clocks[i]);
		sleep_ms(10);
		b = read_clock(clocks[i]);
		fine &= b >= a && (clocks[i] == CLOCK_PROCESS_CPUTIME_ID ||
					  clocks[i] == CLOCK_THREAD_CPUTIME_ID || b > a);
	}
	claim(held, "every clock gives a time");
	claim(fine, "and goes on, those of the CPU apart");
	claim_result(gettime(99, &t), -EINVAL, "no such clock: EINVAL");
	claim_result(gettime(-1, &t), -EINVAL, "nor that: EINVAL");
	claim_result(gettime(CLOCK_MONOTONIC, (void *)8), -EFAULT, "to nowhere: EFAULT");
	claim_result(gettime(CLOCK_MONOTONIC, (void *)0xffff800000000000), -EFAULT,
		"to the kernel: EFAULT");
	claim_result(gettime(CLOCK_REALTIME, (void *)0x7fffffffeff8), -EFAULT,
		"over the end of user memory: EFAULT");
	a = read_clock(CLOCK_MONOTONIC);
	b = read_clock(CLOCK_BOOTTIME);
	claim(b >= a, "BOOTTIME is not behind MONOTONIC");
	a = read_clock(CLOCK_TAI) - read_clock(CLOCK_REALTIME);
	claim(a > -100 * NS && a < 100 * NS, "TAI is near REALTIME");
	a = read_clock(CLOCK_REALTIME);
	claim(a > 1577836800 * NS, "it is after 2020");
	b = kernel_call(SYS_time, 0);
	claim(b >= a / NS - 1 && b <= read_clock(CLOCK_REALTIME) / NS, "time says the same");
	claim_result(kernel_call(SYS_time, 8), -EFAULT, "time to nowhere: EFAULT");
}

static void resolutions(void)
{
	struct timespec t = {5, 5};

	claim(!kernel_call(SYS_clock_getres, CLOCK_MONOTONIC, &t) && ns(&t) == 1,
		"MONOTONIC counts nanoseconds");
	claim(!kernel_call(SYS_clock_getres, CLOCK_REALTIME, &t) && ns(&t) == 1, "REALTIME too");
	claim(!kernel_call(SYS_clock_getres, CLOCK_PROCESS_CPUTIME_ID, &t) && ns(&t) == 1,
		"and the CPU's clocks");
	claim_result(kernel_call(SYS_clock_getres, CLOCK_MONOTONIC, 0), 0, "asked for nothing");
	claim_result(kernel_call(SYS_clock_getres, 99, &t), -EINVAL, "of no clock: EINVAL");
	claim_result(
		kernel_call(SYS_clock_getres, CLOCK_REALTIME, 8), -EFAULT, "to nowhere: EFAULT");
}

/* ---- CPU clocks ---- */

#define PROCESS_CLOCK(pid, kind) ((int)(~(unsigned)(pid) << 3 | (kind)))
#define THREAD_CLOCK(tid, kind)  ((int)(~(unsigned)(tid) << 3 | 4 | (kind)))

static uint32_t stop_burning;

static void *burner(void *tid)
{
	__atomic_store_n((int *)tid, (int)kernel_call(SYS_gettid), __ATOMIC_SEQ_CST);
	burn(20 * MS);
	while (!__atomic_load_n(&stop_burning, __ATOMIC_SEQ_CST))
		sched_yield();
	return NULL;
}

/* Who is held up on a CPU uses it, for the kernel: that does not happen each time. */
static bool sleep_is_free(void)
{
	for (int i = 0; i < 300; i++) {
		int64_t before = read_clock(CLOCK_PROCESS_CPUTIME_ID);

		sleep_ms(50);
		if (read_clock(CLOCK_PROCESS_CPUTIME_ID) - before < 40 * MS)
			return true;
	}
	return false;
}

static void cpu_clocks(void)
{
	int64_t wall = now_ns(), process = read_clock(CLOCK_PROCESS_CPUTIME_ID), thread, other;
	int tid = 0, pid = getpid();
	pthread_t one;
	struct timespec t;

	burn(30 * MS);
	claim(read_clock(CLOCK_PROCESS_CPUTIME_ID) - process >= 30 * MS,
		"the process's clock counts");
	process = read_clock(CLOCK_PROCESS_CPUTIME_ID) - process;
	claim(process <= now_ns() - wall, "and not more than passed");
	claim(sleep_is_free(), "sleeping does not count");
	process = read_clock(CLOCK_PROCESS_CPUTIME_ID);
	thread = read_clock(CLOCK_THREAD_CPUTIME_ID);
	pthread_create(&one, NULL, burner, &tid);
	while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST) ||
		(other = read_clock(THREAD_CLOCK(tid, 2))) < 20 * MS)
		sched_yield();
	claim(other >= 20 * MS, "another thread's clock can be read");
	claim(read_clock(CLOCK_PROCESS_CPUTIME_ID) - process >= 20 * MS,
		"the process's counts all threads");
	claim(read_clock(CLOCK_THREAD_CPUTIME_ID) >= thread, "one's own counts on");
	claim(read_clock(THREAD_CLOCK(0, 2)) >= thread, "as the clock of thread 0");
	claim(read_clock(PROCESS_CLOCK(pid, 2)) >= process, "the process's by its id");
	claim(read_clock(PROCESS_CLOCK(0, 2)) >= process, "and by 0");
	claim(read_clock(PROCESS_CLOCK(0, 1)) >= 0 && read_clock(PROCESS_CLOCK(0, 0)) >= 0,
		"user time, and user and system time");
	stop_burning = 1;
	pthread_join(one, NULL);
	/* Who joins is woken a little before the thread has left its process. */
	for (int i = 0; i < 60000 && !gettime(THREAD_CLOCK(tid, 2), &t); i++)
		sleep_ms(1);
	claim_result(gettime(THREAD_CLOCK(tid, 2), &t), -EINVAL, "a thread that is gone: EINVAL");
	claim_result(gettime(THREAD_CLOCK(1, 2), &t), -EINVAL, "another process's thread: EINVAL");
	claim_result(gettime(PROCESS_CLOCK(0x1fffff, 2), &t), -EINVAL, "no process: EINVAL");
	claim(read_clock(PROCESS_CLOCK(1, 2)) >= 0, "another process's clock can be read");
	claim(read_clock(CLOCK_PROCESS_CPUTIME_ID) - process >= 20 * MS,
		"what gone threads used is kept");
}

/* ---- Sleeping ---- */

static long nanosleep_by(int clock, int flags, int64_t time, struct timespec *left)
{
	struct timespec t = span(time);

	return kernel_call(SYS_clock_nanosleep, clock, flags, &t, left);
}

static bool sleeps(int clock, int flags)
{
	int64_t before = read_clock(clock);
	int64_t time = flags ? before + 15 * MS : 15 * MS;

	return nanosleep_by(clock, flags, time, NULL) == 0 && read_clock(clock) - before >= 15 * MS;
}

static void sleeping(void)
{
	struct timespec bad = {0, NS}, negative = {-1, 0}, t = {0, 1};

	claim(sleeps(CLOCK_MONOTONIC, 0) && sleeps(CLOCK_MONOTONIC, TIMER_ABSTIME),
		"by MONOTONIC, for a time and until one");
	claim(sleeps(CLOCK_REALTIME, 0) && sleeps(CLOCK_REALTIME, TIMER_ABSTIME), "by REALTIME");
	claim(sleeps(CLOCK_BOOTTIME, 0) && sleeps(CLOCK_BOOTTIME, TIMER_ABSTIME), "by BOOTTIME");
	claim(sleeps(CLOCK_TAI, 0) && sleeps(CLOCK_TAI, TIMER_ABSTIME), "by TAI");
	claim_result(nanosleep_by(CLOCK_MONOTONIC, TIMER_ABSTIME, 1, NULL), 0,
		"until a time that is past");
	claim_result(nanosleep_by(CLOCK_REALTIME, TIMER_ABSTIME, 1, NULL), 0, "or a day");
	claim_result(kernel_call(SYS_nanosleep, &t, 0), 0, "for a nanosecond");
	claim_result(kernel_call(SYS_nanosleep, &bad, 0), -EINVAL, "too many nanoseconds: EINVAL");
	claim_result(kernel_call(SYS_nanosleep, &negative, 0), -EINVAL, "a negative time: EINVAL");
	claim_result(kernel_call(SYS_nanosleep, 8, 0), -EFAULT, "a time that is not there: EFAULT");
	claim_result(nanosleep_by(99, 0, 1, NULL), -EINVAL, "by no clock: EINVAL");
	claim_result(nanosleep_by(CLOCK_MONOTONIC_RAW, 0, 1, NULL), -EOPNOTSUPP,
		"by MONOTONIC_RAW: EOPNOTSUPP");
	claim_result(nanosleep_by(CLOCK_REALTIME_COARSE, 0, 1, NULL), -EOPNOTSUPP,
		"by a coarse clock: EOPNOTSUPP");
	claim_result(nanosleep_by(CLOCK_THREAD_CPUTIME_ID, 0, 1, NULL), -EOPNOTSUPP,
		"by one's own CPU clock: EOPNOTSUPP");
	claim_result(
		nanosleep_by(THREAD_CLOCK(0, 2), 0, 1, NULL), -EINVAL, "by its other name: EINVAL");
}

static void *burn_until_told(void *argument)
{
	while (!__atomic_load_n(&stop_burning, __ATOMIC_SEQ_CST))
		;
	return NULL;
}

static void sleeping_by_cpu(void)
{
	int64_t before = read_clock(CLOCK_PROCESS_CPUTIME_ID);
	pthread_t one;
	long result;

	stop_burning = 0;
	pthread_create(&one, NULL, burn_until_told, NULL);
	result = nanosleep_by(CLOCK_PROCESS_CPUTIME_ID, 0, 30 * MS, NULL);
	claim_result(result, 0, "by the process's CPU clock, while another thread works");
	claim(read_clock(CLOCK_PROCESS_CPUTIME_ID) - before >= 30 * MS, "until it was used");
	__atomic_store_n(&stop_burning, 1, __ATOMIC_SEQ_CST);
	pthread_join(one, NULL);
}

/* ---- Signals ---- */

static volatile sig_atomic_t caught;

static void on_signal(int signal)
{
	caught++;
}

/* Once it sleeps, and so long. */
static void interrupt_after(pid_t to, int signal, int ms)
{
	pid_t pid = fork();

	if (!pid) {
		until_asleep(to);
		sleep_ms(ms);
		kill(to, signal);
		_exit(0);
	}
}

static void interrupted(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct timespec left = {0, 0}, t = span(30 * NS);
	int64_t before, slept;
	long result;

	sigaction(SIGUSR1, &action, NULL);
	interrupt_after(getpid(), SIGUSR1, 20);
	before = now_ns();
	result = kernel_call(SYS_nanosleep, &t, &left);
	slept = now_ns() - before;
	wait(NULL);
	claim(result == -EINTR && caught == 1, "a handler ends a sleep, SA_RESTART or not: EINTR");
	claim(ns(&left) < 30 * NS && ns(&left) + slept >= 30 * NS - MS, "and what is left is told");
	interrupt_after(getpid(), SIGUSR1, 20);
	left = (struct timespec){77, 77};
	result = nanosleep_by(CLOCK_MONOTONIC, TIMER_ABSTIME, now_ns() + 30 * NS, &left);
	wait(NULL);
	claim(result == -EINTR && left.tv_sec == 77, "until a time: EINTR, nothing is told");
	/* One that is ignored, and a stop with its end, do not end it. */
	before = now_ns();
	t = span(60 * MS);
	signal(SIGUSR2, SIG_IGN);
	interrupt_after(getpid(), SIGUSR2, 20);
	result = kernel_call(SYS_nanosleep, &t, &left);
	wait(NULL);
	claim(result == 0 && now_ns() - before >= 60 * MS, "a signal that is ignored does not");
}

static void stopped(void)
{
	int status, ends[2];
	pid_t pid;
	char byte;

	if (pipe(ends))
		exit(99);
	pid = fork();
	if (!pid) {
		int64_t before = now_ns();
		struct timespec t = span(100 * MS);
		long result;

		if (write(ends[1], "", 1) != 1)
			_exit(1);
		result = kernel_call(SYS_nanosleep, &t, &t);
		_exit(result == 0 && now_ns() - before >= 100 * MS ? 31 : 1);
	}
	if (read(ends[0], &byte, 1) != 1)
		exit(99);
	sleep_ms(10);
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	claim(WIFSTOPPED(status), "a sleeper is stopped");
	kill(pid, SIGCONT);
	claim_ended(wait_status(pid), EXITED(31), "continued, it sleeps to the same end");
	close(ends[0]);
	close(ends[1]);
}

/* ---- Setting ---- */

static int64_t ahead(void)
{
	return read_clock(CLOCK_REALTIME) - read_clock(CLOCK_MONOTONIC);
}

static long settime(int64_t to)
{
	struct timespec t = span(to);

	return kernel_call(SYS_clock_settime, CLOCK_REALTIME, &t);
}

static void refused(void)
{
	struct timespec t = span(NS), bad = {0, NS}, now;
	struct timeval bad_micros = {0, 1000000};

	gettime(CLOCK_REALTIME, &now);
	claim_result(kernel_call(SYS_clock_settime, CLOCK_MONOTONIC, &t), -EINVAL,
		"MONOTONIC cannot be set: EINVAL");
	claim_result(kernel_call(SYS_clock_settime, CLOCK_TAI, &t), -EINVAL, "nor TAI: EINVAL");
	claim_result(kernel_call(SYS_clock_settime, CLOCK_PROCESS_CPUTIME_ID, &t), -EINVAL,
		"nor a CPU clock: EINVAL");
	claim_result(kernel_call(SYS_clock_settime, PROCESS_CLOCK(0, 2), &t), -EPERM,
		"by its other name: EPERM");
	claim_result(kernel_call(SYS_clock_settime, 99, &t), -EINVAL, "nor none: EINVAL");
	claim_result(
		kernel_call(SYS_clock_settime, CLOCK_REALTIME, 8), -EFAULT, "from nowhere: EFAULT");
	claim_result(kernel_call(SYS_clock_settime, CLOCK_REALTIME, &bad), -EINVAL,
		"too many nanoseconds: EINVAL");
	claim_result(kernel_call(SYS_settimeofday, &bad_micros, 0), -EINVAL,
		"too many microseconds: EINVAL");
	claim_result(
		kernel_call(SYS_settimeofday, 8, 0), -EFAULT, "settimeofday from nowhere: EFAULT");
}

static int role_nobody(int argc, char **argv)
{
	struct timespec now;

	gettime(CLOCK_REALTIME, &now);
	now.tv_nsec = 0; /* for settimeofday these are microseconds */
	if (setresuid(1000, 1000, 1000))
		return 1;
	return kernel_call(SYS_clock_settime, CLOCK_REALTIME, &now) == -EPERM &&
			       kernel_call(SYS_settimeofday, &now, 0) == -EPERM
		       ? 32
		       : 2;
}

static struct {
	int64_t until;
	int tid; /* atomic */
	long result;
} day_sleeper;

static void *sleep_until_day(void *unused)
{
	__atomic_store_n(&day_sleeper.tid, (int)kernel_call(SYS_gettid), __ATOMIC_SEQ_CST);
	day_sleeper.result = nanosleep_by(CLOCK_REALTIME, TIMER_ABSTIME, day_sleeper.until, NULL);
	return unused;
}

/* `time --role date`: not on a host, whose date is others' too. */
static void setting(void)
{
	int64_t before = ahead(), wall = now_ns();
	struct timeval t;
	pthread_t one;

	day_sleeper.until = read_clock(CLOCK_REALTIME) + 3600 * NS;
	pthread_create(&one, NULL, sleep_until_day, NULL);
	while (!__atomic_load_n(&day_sleeper.tid, __ATOMIC_SEQ_CST))
		sched_yield();
	until_asleep(day_sleeper.tid);
	claim_result(settime(read_clock(CLOCK_REALTIME) + 7200 * NS), 0, "two hours on");
	claim(ahead() - before > 7100 * NS && ahead() - before < 7300 * NS, "it is later now");
	claim(now_ns() - wall < 600 * NS, "but MONOTONIC has not moved");
	pthread_join(one, NULL);
	claim_result(day_sleeper.result, 0, "who slept until an hour from then is awake");
	gettimeofday(&t, NULL);
	t.tv_sec -= 7200;
	claim_result(kernel_call(SYS_settimeofday, &t, 0), 0, "and back by settimeofday");
	claim(ahead() - before > -60 * NS && ahead() - before < 60 * NS, "it is as it was");
	claim_result(settime(1), -EINVAL, "before the machine started: EINVAL");
}

static int role_date(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	setting();
	return check.failed != 0;
}

static void adjusting(void)
{
	struct timex t = {.modes = 0};
	long state = kernel_call(SYS_adjtimex, &t);

	claim(state >= 0 && state <= 5, "adjtimex tells the clock's state");
	claim(t.tick == 10000 && t.time.tv_sec > 1577836800, "its tick and the time");
	claim(kernel_call(SYS_clock_adjtime, CLOCK_REALTIME, &t) == state, "clock_adjtime too");
	claim_result(kernel_call(SYS_clock_adjtime, CLOCK_MONOTONIC, &t), -EOPNOTSUPP,
		"not by MONOTONIC: EOPNOTSUPP");
	claim_result(kernel_call(SYS_clock_adjtime, 99, &t), -EINVAL, "nor by none: EINVAL");
	claim_result(kernel_call(SYS_adjtimex, 8), -EFAULT, "to nowhere: EFAULT");
}

static void all(int argc, char **argv)
{
	reading();
	resolutions();
	cpu_clocks();
	sleeping();
	sleeping_by_cpu();
	interrupted();
	stopped();
	refused();
	claim_ended(run_role("nobody"), EXITED(32), "who may not set the clock: EPERM");
	adjusting();
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"nobody", role_nobody}, {"date", role_date}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
