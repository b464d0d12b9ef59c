/* SPDX-License-Identifier: MIT */
/*
 * Timers of all kinds at the shortest interval, a process for each kind and CPU: setitimer's three, timer_create on
 * every clock it takes, timerfd, and sleeps that are over before they begin. Each must have seen its timer expire
 * again and again; beside them who asks for a millisecond of sleep or for CPU time gets it, and a new process can be
 * started and ended. Nothing is judged by how long it takes.
 */
#include <sched.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#include "check.h"

#define SLEEPS  100 /* of who does no harm */
#define TURNS   1000000
#define FORKS   10
#define EXPIRED 20 /* times, each of them: CPU time is looked at by the tick only */

static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME,
	CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
#define ITIMERS 3
#define KINDS   (ITIMERS + (int)COUNT(clocks) + 2)

/* Of each stormer, in memory that all share. */
struct storm {
	volatile unsigned expired;
	volatile bool failed;
};

static struct storm *storms;
static struct storm *own;

static void count(int signal)
{
	(void)signal;
	own->expired++;
}

static bool interval_timer(int which)
{
	static const int signals[ITIMERS] = {SIGALRM, SIGVTALRM, SIGPROF};
	struct sigaction action = {.sa_handler = count};
	struct itimerval often = {{0, 1}, {0, 1}};

	return sigaction(signals[which], &action, NULL) == 0 && setitimer(which, &often, NULL) == 0;
}

static bool clock_timer(clockid_t clock)
{
	struct sigaction action = {.sa_handler = count};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec each = {{0, 1}, {0, 1}};
	timer_t timer;

	return sigaction(SIGUSR1, &action, NULL) == 0 && timer_create(clock, &event, &timer) == 0 &&
	       timer_settime(timer, 0, &each, NULL) == 0;
}

static bool read_timers(void)
{
	struct itimerspec each = {{0, 1}, {0, 1}};
	uint64_t expired;
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	if (fd < 0 || timerfd_settime(fd, 0, &each, NULL) < 0)
		return false;
	while (read(fd, &expired, sizeof expired) == sizeof expired)
		own->expired++;
	return false;
}

static bool sleep_shortly(void)
{
	struct timespec least = {0, 1};

	while (nanosleep(&least, NULL) == 0)
		own->expired++;
	return false;
}

static void storm(int kind)
{
	bool well = kind < ITIMERS     ? interval_timer(kind)
		    : kind < KINDS - 2 ? clock_timer(clocks[kind - ITIMERS])
		    : kind < KINDS - 1 ? read_timers()
				       : sleep_shortly();

	/* The clocks of CPU time count only while somebody computes. */
	while (well)
		;
	own->failed = true;
	_exit(1);
}

/* Until every timer has expired so many times more, or one has failed. */
static bool all_storm(int stormers)
{
	for (int i = 0; i < stormers; i++)
		storms[i].expired = 0;
	for (int i = 0; i < stormers;) {
		if (storms[i].failed)
			return false;
		if (storms[i].expired >= EXPIRED)
			i++;
		else
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return true;
}

/* What somebody needs of the machine who does no harm. */
static bool live(void)
{
	volatile unsigned turns = 0;

	for (int i = 0; i < SLEEPS; i++)
		if (nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL) < 0)
			return false;
	while (turns < TURNS)
		turns++;
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(7);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
			WEXITSTATUS(status) != 7)
			return false;
	}
	return true;
}

static void all(int argc, char **argv)
{
	cpu_set_t set;
	int stormers, ended = 0;
	pid_t *pids;

	(void)argc;
	(void)argv;
	sched_getaffinity(0, sizeof set, &set);
	stormers = KINDS * CPU_COUNT(&set);
	pids = calloc((size_t)stormers, sizeof *pids);
	storms = mmap(NULL, (size_t)stormers * sizeof *storms, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!pids || storms == MAP_FAILED)
		exit(2);
	for (int i = 0; i < stormers; i++) {
		own = &storms[i];
		pids[i] = fork();
		if (pids[i] == 0)
			storm(i % KINDS);
		if (pids[i] < 0)
			exit(2);
	}
	claim(all_storm(stormers), "timers of every kind expire in every process");
	claim(live(), "who sleeps, computes and forks makes progress beside them");
	claim(all_storm(stormers), "and so do all of them after it");
	for (int i = 0; i < stormers; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < stormers; i++)
		ended += waitpid(pids[i], NULL, 0) == pids[i];
	claim_equal(ended, stormers, "all of them can be ended");
	free(pids);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
