/* SPDX-License-Identifier: MIT */
/*
 * Timers of processes: POSIX timers (man 2 timer_create), interval timers (setitimer, alarm), RLIMIT_CPU;
 * by the clocks that all share and by CPU clocks; what fork, exec and the end of a process do to them;
 * overruns; and what is refused.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "timers.h"

static int64_t cpu_time(void)
{
	struct timespec t;

	kernel_call(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &t);
	return ns(&t);
}

/* ---- POSIX timers ---- */

struct event {
	uint64_t value;
	int signal, notify;
	int tid;
	char rest[44];
};

static volatile sig_atomic_t caught, last_code, last_overrun, last_id;
static volatile uint64_t last_value;
static volatile int last_tid;

static void on_timer(int signal, siginfo_t *info, void *context)
{
	last_code = info->si_code;
	last_overrun = info->si_overrun;
	last_id = info->si_timerid;
	last_value = (uint64_t)info->si_value.sival_ptr;
	last_tid = (int)kernel_call(SYS_gettid);
	caught++; /* last: another thread may look at it */
}

static void handle(int signal)
{
	struct sigaction action = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO};

	sigaction(signal, &action, NULL);
	caught = 0;
}

#define TRIES 300

static void until_caught(int count)
{
	sigset_t all, none;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &none);
	sigemptyset(&none);
	while (caught < count)
		sigsuspend(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static long create(int clock, int notify, int signal, uint64_t value, int *id)
{
	struct event event = {.value = value, .signal = signal, .notify = notify};

	return kernel_call(SYS_timer_create, clock, &event, id);
}

static long set_timer(int id, int flags, int64_t value, int64_t interval)
{
	struct setting s = setting(value, interval);

	return kernel_call(SYS_timer_settime, id, flags, &s, 0);
}

static void posix_refused(void)
{
	struct setting s = setting(0, 0);
	struct event event = {.signal = SIGUSR1, .notify = EVENT_THREAD_ID, .tid = 1};
	int id;

	claim_result(create(99, EVENT_SIGNAL, SIGUSR1, 0, &id), -EINVAL, "by no clock: EINVAL");
	claim_result(create(CLOCK_MONOTONIC_RAW, EVENT_SIGNAL, SIGUSR1, 0, &id), -EOPNOTSUPP,
		"by MONOTONIC_RAW: EOPNOTSUPP");
	claim_result(create(CLOCK_MONOTONIC, EVENT_SIGNAL, 65, 0, &id), -EINVAL,
		"no such signal: EINVAL");
	claim_result(create(CLOCK_MONOTONIC, EVENT_SIGNAL, 0, 0, &id), -EINVAL, "signal 0: EINVAL");
	claim_result(create(CLOCK_MONOTONIC, 9, SIGUSR1, 0, &id), -EINVAL,
		"no such notification: EINVAL");
	claim_result(kernel_call(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), -EINVAL,
		"another process's thread: EINVAL");
	claim_result(kernel_call(SYS_timer_create, CLOCK_MONOTONIC, 8, &id), -EFAULT,
		"from nowhere: EFAULT");
	claim_result(kernel_call(SYS_timer_create, CLOCK_MONOTONIC, 0, 8), -EFAULT,
		"to nowhere: EFAULT");
	claim_result(kernel_call(SYS_timer_settime, 77777, 0, &s, 0), -EINVAL, "no timer: EINVAL");
	claim_result(kernel_call(SYS_timer_gettime, 77777, &s), -EINVAL, "gettime: EINVAL");
	claim_result(kernel_call(SYS_timer_getoverrun, 77777), -EINVAL, "getoverrun: EINVAL");
	claim_result(kernel_call(SYS_timer_delete, 77777), -EINVAL, "delete: EINVAL");
	claim_result(kernel_call(SYS_timer_delete, -1), -EINVAL, "delete of -1: EINVAL");
	claim_result(create(CLOCK_MONOTONIC, EVENT_SIGNAL, SIGUSR1, 0, &id), 0, "one is made");
	claim_result(kernel_call(SYS_timer_settime, id, 0, 0, 0), -EINVAL, "no setting: EINVAL");
	claim_result(kernel_call(SYS_timer_settime, id, 0, 8, 0), -EFAULT,
		"a setting from nowhere: EFAULT");
	s.value.tv_nsec = NS;
	claim_result(kernel_call(SYS_timer_settime, id, 0, &s, 0), -EINVAL,
		"too many nanoseconds: EINVAL");
	claim_result(kernel_call(SYS_timer_delete, id), 0, "and deleted");
	claim_result(kernel_call(SYS_timer_delete, id), -EINVAL, "once: EINVAL");
}

static void posix_timers(void)
{
	struct setting s;
	int id, other;
	int64_t before;

	handle(SIGUSR1);
	create(CLOCK_MONOTONIC, EVENT_SIGNAL, SIGUSR1, 0x1234567890, &id);
	set_timer(id, 0, 600 * NS, 0);
	claim(!kernel_call(SYS_timer_gettime, id, &s) && ns(&s.value) > 0 &&
			ns(&s.value) <= 600 * NS && ns(&s.interval) == 0,
		"a timer tells what is left");
	before = now_ns();
	set_timer(id, 0, 20 * MS, 0);
	until_caught(1);
	claim(now_ns() - before >= 20 * MS, "its signal comes, and not early");
	claim(last_code == SI_TIMER && last_id == id && last_value == 0x1234567890 &&
			last_overrun == 0,
		"with its id and value");
	claim(!kernel_call(SYS_timer_gettime, id, &s) && ns(&s.value) == 0, "then it is off");
	set_timer(id, 0, 2 * MS, 2 * MS);
	until_caught(6);
	claim(caught >= 6, "an interval comes again and again");
	claim(!kernel_call(SYS_timer_gettime, id, &s) && ns(&s.value) <= 2 * MS &&
			ns(&s.interval) == 2 * MS,
		"and tells it");
	set_timer(id, 0, 0, 0);
	caught = 0;
	sleep_ms(10);
	claim_equal(caught, 0, "off it does not come");
	set_timer(id, ABSTIME, now_ns() + 10 * MS, 0);
	until_caught(1);
	claim_equal(last_id, id, "until a time");
	set_timer(id, ABSTIME, 1, 0);
	until_caught(2);
	claim_equal(last_id, id, "a time that is past comes at once");
	kernel_call(SYS_timer_create, CLOCK_REALTIME, 0, &other);
	handle(SIGALRM);
	set_timer(other, 0, 1 * MS, 0);
	until_caught(1);
	claim(last_id == other && last_value == (uint64_t)other,
		"without an event: SIGALRM, its id");
	kernel_call(SYS_timer_delete, other);
	kernel_call(SYS_timer_delete, id);
}

static void overruns(void)
{
	sigset_t set;
	int id, got;
	siginfo_t info;
	int64_t before;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	create(CLOCK_MONOTONIC, EVENT_SIGNAL, SIGRTMIN, 5, &id);
	set_timer(id, 0, 1 * MS, 1 * MS);
	sleep_ms(20);
	before = now_ns();
	got = sigwaitinfo(&set, &info);
	claim(got == SIGRTMIN && info.si_code == SI_TIMER && info.si_overrun >= 18,
		"what came while its signal was blocked is counted");
	claim_equal(kernel_call(SYS_timer_getoverrun, id), info.si_overrun, "and asked for");
	sigwaitinfo(&set, &info);
	claim(info.si_overrun <= (now_ns() - before) / MS + 1, "then it goes on from there");
	set_timer(id, 0, 0, 0);
	while (sigtimedwait(&set, &info, &(struct timespec){0, 0}) > 0)
		;
	set_timer(id, 0, 1, 1);
	sleep_ms(2);
	sigwaitinfo(&set, &info);
	claim(info.si_overrun > 1000, "an interval of a nanosecond overruns");
	set_timer(id, 0, 0, 0);
	claim_result(kernel_call(SYS_timer_getoverrun, id), 0, "set anew: none");
	kernel_call(SYS_timer_delete, id);
	while (sigtimedwait(&set, &info, &(struct timespec){0, 0}) > 0)
		;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void silent(void)
{
	struct setting s;
	int id;

	create(CLOCK_MONOTONIC, EVENT_NONE, 0, 0, &id);
	set_timer(id, 0, 5 * MS, 0);
	sleep_ms(10);
	claim(!kernel_call(SYS_timer_gettime, id, &s) && ns(&s.value) == 0,
		"one without a signal runs out too");
	set_timer(id, 0, 5 * MS, 7 * MS);
	sleep_ms(10);
	claim(!kernel_call(SYS_timer_gettime, id, &s) && ns(&s.value) > 0 && ns(&s.value) <= 7 * MS,
		"or comes again");
	kernel_call(SYS_timer_delete, id);
}

static uint32_t leave;
static int other_tid;

static void *other_thread(void *argument)
{
	__atomic_store_n(&other_tid, (int)kernel_call(SYS_gettid), __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&leave, __ATOMIC_SEQ_CST))
		sleep_ms(1);
	return NULL;
}

static void to_thread(void)
{
	struct event event = {.signal = SIGUSR2, .notify = EVENT_THREAD_ID};
	pthread_t one;
	int id;

	handle(SIGUSR2);
	pthread_create(&one, NULL, other_thread, NULL);
	while (!__atomic_load_n(&other_tid, __ATOMIC_SEQ_CST))
		sched_yield();
	event.tid = other_tid;
	claim_result(kernel_call(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), 0,
		"a timer for one thread");
	set_timer(id, 0, 1 * MS, 0);
	while (!caught)
		sleep_ms(1);
	claim_equal(last_tid, other_tid, "which gets its signal");
	__atomic_store_n(&leave, 1, __ATOMIC_SEQ_CST);
	pthread_join(one, NULL);
	set_timer(id, 0, 1 * MS, 0);
	sleep_ms(5);
	claim_equal(caught, 1, "nobody does when it is gone");
	kernel_call(SYS_timer_delete, id);
}

static void work_until_caught(int count)
{
	while (caught < count)
		;
}

#define PAIRS 4
#define TAKEN 1000

/* Due at the same look: such as nobody gets a signal of, which start anew by themselves, and others. */
static void by_cpu_for_nobody(void)
{
	struct event event = {.signal = SIGUSR2};
	int ids[2 * PAIRS];
	pthread_t one;

	handle(SIGUSR2);
	leave = other_tid = 0;
	pthread_create(&one, NULL, other_thread, NULL);
	while (!__atomic_load_n(&other_tid, __ATOMIC_SEQ_CST))
		sched_yield();
	for (int i = 0; i < 2 * PAIRS; i++) {
		event.notify = i % 2 ? EVENT_SIGNAL : EVENT_THREAD_ID;
		event.tid = i % 2 ? 0 : other_tid;
		claim_result(
			kernel_call(SYS_timer_create, CLOCK_PROCESS_CPUTIME_ID, &event, &ids[i]), 0,
			"a timer by CPU time");
	}
	__atomic_store_n(&leave, 1, __ATOMIC_SEQ_CST);
	pthread_join(one, NULL);
	for (int i = 0; i < 2 * PAIRS; i++)
		set_timer(ids[i], 0, 30000 + i * 1000, 30000 + i * 1000);
	work_until_caught(TAKEN);
	for (int i = 0; i < 2 * PAIRS; i++)
		kernel_call(SYS_timer_delete, ids[i]);
	claim(true, "timers of nobody's do not keep others from their turn");
}

/*
 * A timer of 30 ms by the process's CPU clock does not run out in a sleep of 60. A virtual CPU that is held up at the
 * wrong place uses the time up, however: not at each try.
 */
static bool waits_for_work(int id, int64_t *before, struct setting *left)
{
	for (int i = 0; i < TRIES; i++) {
		caught = 0;
		*before = cpu_time();
		set_timer(id, 0, 30 * MS, 0);
		sleep_ms(60);
		if (!kernel_call(SYS_timer_gettime, id, left) && !caught && ns(&left->value) > 0)
			return true;
	}
	return false;
}

static void by_cpu(void)
{
	struct setting s = setting(0, 0);
	int64_t before = 0;
	int id;

	handle(SIGUSR1);
	claim_result(create(CLOCK_PROCESS_CPUTIME_ID, EVENT_SIGNAL, SIGUSR1, 3, &id), 0,
		"a timer by the process's CPU clock");
	claim(waits_for_work(id, &before, &s), "does not come while it sleeps");
	claim(ns(&s.value) > 0 && ns(&s.value) <= 30 * MS, "and tells what is left");
	work_until_caught(1);
	claim(cpu_time() - before >= 30 * MS, "but when the time was used");
	set_timer(id, 0, 5 * MS, 5 * MS);
	work_until_caught(4);
	claim(caught >= 4, "again and again");
	kernel_call(SYS_timer_delete, id);
	handle(SIGUSR1);
	create(CLOCK_THREAD_CPUTIME_ID, EVENT_SIGNAL, SIGUSR1, 3, &id);
	before = cpu_time();
	set_timer(id, 0, 10 * MS, 0);
	work_until_caught(1);
	claim(cpu_time() - before >= 10 * MS, "a timer by the thread's CPU clock");
	kernel_call(SYS_timer_delete, id);
	claim_result(create(PROCESS_CLOCK(getpid()), EVENT_SIGNAL, SIGUSR1, 3, &id), 0,
		"by the clock's other name");
	kernel_call(SYS_timer_delete, id);
}

/* ---- Interval timers ---- */

static long set_interval(int which, int64_t value, int64_t interval)
{
	struct itimerval v = {
		{interval / NS, interval % NS / 1000}, {value / NS, value % NS / 1000}};

	return kernel_call(SYS_setitimer, which, &v, 0);
}

/* What is left between two of them; none is left in the moment in which one is to be taken. */
static bool tells_interval(struct itimerval *v)
{
	for (int i = 0; i < TRIES; i++) {
		if (getitimer(ITIMER_REAL, v) || v->it_interval.tv_usec != 2000)
			return false;
		if (v->it_value.tv_usec > 0)
			return !v->it_value.tv_sec && v->it_value.tv_usec <= 2000;
	}
	return false;
}

/* As waits_for_work, for 20 ms of ITIMER_VIRTUAL. */
static bool virtual_waits(int64_t *used)
{
	for (int i = 0; i < TRIES; i++) {
		caught = 0;
		*used = cpu_time();
		set_interval(ITIMER_VIRTUAL, 20 * MS, 0);
		sleep_ms(40);
		if (!caught)
			return true;
	}
	return false;
}

static bool is_about(long found, long expected)
{
	return found <= expected && found > expected - 60;
}

static void interval_timers(void)
{
	struct itimerval v = {{0, 0}, {0, 1000000}};
	int64_t before = now_ns(), used = 0;

	claim_result(kernel_call(SYS_setitimer, 3, &(struct itimerval){0}, 0), -EINVAL,
		"no such interval timer: EINVAL");
	claim_result(kernel_call(SYS_getitimer, -1, &v), -EINVAL, "getitimer: EINVAL");
	claim_result(
		kernel_call(SYS_setitimer, ITIMER_REAL, 8, 0), -EFAULT, "from nowhere: EFAULT");
	claim_result(kernel_call(SYS_getitimer, ITIMER_REAL, 8), -EFAULT, "to nowhere: EFAULT");
	v.it_value.tv_usec = 1000000;
	claim_result(kernel_call(SYS_setitimer, ITIMER_REAL, &v, 0), -EINVAL,
		"too many microseconds: EINVAL");
	handle(SIGALRM);
	set_interval(ITIMER_REAL, 15 * MS, 0);
	until_caught(1);
	claim(now_ns() - before >= 15 * MS && last_code == SI_KERNEL, "ITIMER_REAL sends SIGALRM");
	set_interval(ITIMER_REAL, 2 * MS, 2 * MS);
	until_caught(5);
	claim(tells_interval(&v), "again and again");
	set_interval(ITIMER_REAL, 0, 0);
	claim(!getitimer(ITIMER_REAL, &v) && !v.it_value.tv_sec && !v.it_value.tv_usec,
		"until it is off");
	claim_equal(alarm(100), 0, "alarm: none was set");
	claim(is_about(alarm(200), 100), "alarm: what was left");
	claim(!getitimer(ITIMER_REAL, &v) && is_about(v.it_value.tv_sec, 200),
		"it is the same timer");
	claim(is_about(alarm(0), 200), "and turned off");
	handle(SIGVTALRM);
	claim(virtual_waits(&used), "ITIMER_VIRTUAL does not count sleep");
	work_until_caught(1);
	claim(cpu_time() - used >= 4 * MS, "but work, as the kernel samples it");
	handle(SIGPROF);
	used = cpu_time();
	set_interval(ITIMER_PROF, 10 * MS, 10 * MS);
	work_until_caught(3);
	claim(cpu_time() - used >= 8 * MS, "ITIMER_PROF again and again");
	set_interval(ITIMER_PROF, 0, 0);
}

/* ---- RLIMIT_CPU ---- */

static int role_use_a_second(int argc, char **argv)
{
	struct rlimit limit = {1, atoi(argv[0])};
	pid_t pid = 0;

	signal(SIGXCPU, SIG_IGN); /* who only waits may be held up for a second, too */
	if (setrlimit(RLIMIT_CPU, &limit))
		return 1;
	if (argc > 1)
		pid = fork(); /* a child inherits the limit, and starts at 0 */
	if (pid)
		return (wait_status(pid) & ~0x80) == KILLED(SIGXCPU) ? 44 : 2;
	signal(SIGXCPU, limit.rlim_max == 1 ? SIG_IGN : SIG_DFL);
	for (;;)
		;
}

static void limits(void)
{
	claim_ended(run_role("use-a-second", "10"), KILLED(SIGXCPU),
		"a second of CPU time is over: SIGXCPU");
	claim_ended(run_role("use-a-second", "1"), KILLED(SIGKILL), "the hard limit: SIGKILL");
	claim_ended(run_role("use-a-second", "10", "child"), EXITED(44), "a child has it too");
}

/* ---- Over fork and exec ---- */

static int role_alarm_is_set(int argc, char **argv)
{
	struct itimerval v;
	struct setting s;

	if (getitimer(ITIMER_REAL, &v) || v.it_value.tv_sec < 900)
		return 1;
	return kernel_call(SYS_timer_gettime, atoi(argv[0]), &s) == -EINVAL ? 41 : 2;
}

/* The process is one of several threads, each of which only the end of all stops. */
static void killed_by_timer(int notify, int64_t interval, const char *what)
{
	pid_t pid = fork();

	if (!pid) {
		struct event event = {.signal = SIGKILL, .notify = notify};
		pthread_t one;
		int id;

		other_tid = leave = 0;
		pthread_create(&one, NULL, other_thread, NULL);
		while (!__atomic_load_n(&other_tid, __ATOMIC_SEQ_CST))
			sched_yield();
		event.tid = other_tid;
		kernel_call(SYS_timer_create, CLOCK_MONOTONIC, &event, &id);
		set_timer(id, 0, 1 * MS, interval);
		pthread_join(one, NULL);
		_exit(44);
	}
	claim_ended(wait_status(pid), KILLED(SIGKILL), what);
}

static void kill_timers(void)
{
	killed_by_timer(EVENT_SIGNAL, 0, "a timer's SIGKILL ends the process");
	killed_by_timer(EVENT_THREAD_ID, 0, "also as a signal for one thread");
	killed_by_timer(EVENT_THREAD_ID, 100 * NS, "and when it comes again and again");
}

static void over_fork(void)
{
	struct itimerval v;
	struct setting s;
	char word[16];
	pid_t pid;
	int id;

	create(CLOCK_MONOTONIC, EVENT_SIGNAL, SIGUSR1, 0, &id);
	set_timer(id, 0, 100 * NS, 0);
	alarm(100);
	pid = fork();
	if (!pid) {
		if (getitimer(ITIMER_REAL, &v) || v.it_value.tv_sec || v.it_value.tv_usec)
			_exit(1);
		_exit(kernel_call(SYS_timer_gettime, id, &s) == -EINVAL ? 40 : 2);
	}
	claim_ended(wait_status(pid), EXITED(40), "a child has none of its parent's timers");
	pid = fork();
	if (!pid) {
		char *argv[] = {(char *)check.self, "--role", "alarm-is-set", word, NULL};

		alarm(1000);
		create(CLOCK_MONOTONIC, EVENT_SIGNAL, SIGUSR1, 0, &id);
		snprintf(word, sizeof(word), "%d", id);
		execv(check.self, argv);
		_exit(3);
	}
	claim_ended(wait_status(pid), EXITED(41), "exec keeps the alarm and drops POSIX timers");
	alarm(0);
	kernel_call(SYS_timer_delete, id);
	pid = fork();
	if (!pid) {
		signal(SIGALRM, SIG_DFL);
		alarm(1);
		for (;;)
			pause();
	}
	claim_ended(
		wait_status(pid), KILLED(SIGALRM), "an alarm that nobody catches ends the process");
	pid = fork();
	if (!pid) {
		for (int i = 0; i < 100; i++) {
			create(CLOCK_MONOTONIC, EVENT_SIGNAL, SIGUSR1, 0, &id);
			set_timer(id, 0, 1 + i * 1000, i % 3 ? 0 : 20 * MS);
		}
		signal(SIGUSR1, SIG_IGN);
		_exit(43);
	}
	id = wait_status(pid);
	claim(id == EXITED(43) || id == KILLED(SIGUSR1),
		"a process ends with a hundred timers running");
}

static void all(int argc, char **argv)
{
	posix_refused();
	posix_timers();
	overruns();
	silent();
	to_thread();
	by_cpu_for_nobody();
	by_cpu();
	interval_timers();
	kill_timers();
	over_fork();
	limits();
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {
		{"alarm-is-set", role_alarm_is_set}, {"use-a-second", role_use_a_second}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
