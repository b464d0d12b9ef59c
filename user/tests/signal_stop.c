/* SPDX-License-Identifier: MIT */
/*
 * Stopping and continuing: each stop signal, what its parent learns, handlers and masks, what
 * discards what, signals to a stopped process, processes of several threads.
 */
#include <pthread.h>

#include "cases.h"

static struct gate gate, back;
static volatile int *common; /* shared counters */

static void want_stopped(pid_t pid, int number)
{
	int status = 0;

	WANT_IS(waitpid(pid, &status, WUNTRACED), pid);
	WANT(WIFSTOPPED(status));
	WANT_IS(WSTOPSIG(status), number);
}

static void want_continued(pid_t pid)
{
	int status = 0;

	WANT_IS(waitpid(pid, &status, WCONTINUED), pid);
	WANT_IS(status, 0xffff);
}

static void want_nothing(pid_t pid)
{
	WANT_IS(waitpid(pid, NULL, WUNTRACED | WCONTINUED | WNOHANG), 0);
}

static void stop(pid_t pid)
{
	WANT_IS(kill(pid, SIGSTOP), 0);
	want_stopped(pid, SIGSTOP);
}

/* It stands by that signal; continued, it ends with the status. */
static void want_stopped_then(pid_t pid, int number, int status)
{
	want_stopped(pid, number);
	WANT_IS(kill(pid, SIGCONT), 0);
	WANT_ENDS(pid, status);
}

static void end(pid_t pid)
{
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_ENDS(pid, SIGKILL);
}

static void each_stops(void)
{
	static const int stops[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
	pid_t pid = start(just_wait);

	for (size_t i = 0; i < COUNT(stops); i++) {
		WANT_IS(kill(pid, stops[i]), 0);
		want_stopped(pid, stops[i]);
		want_nothing(pid);
		WANT_IS(kill(pid, SIGCONT), 0);
		want_continued(pid);
		want_nothing(pid);
	}
	end(pid);
}

static void spins(void)
{
	for (;;)
		(*common)++;
}

static void runs_no_more(void)
{
	pid_t pid;
	int before;

	common = shared_memory(4096);
	pid = start(spins);
	while (!*common)
		sched_yield();
	stop(pid);
	before = *common;
	for (int i = 0; i < 100; i++)
		sched_yield();
	sleep_ms(5);
	WANT_IS(*common, before);
	WANT_IS(kill(pid, SIGCONT), 0);
	while (*common == before)
		sched_yield();
	end(pid);
}

static void stops_itself(void)
{
	raise(SIGSTOP);
	open_gate(back);
	raise(SIGTSTP);
	_exit(3);
}

static void by_itself(void)
{
	pid_t pid;

	back = make_gate();
	pid = start(stops_itself);
	want_stopped(pid, SIGSTOP);
	WANT_IS(kill(pid, SIGCONT), 0);
	wait_gate(back);
	want_stopped_then(pid, SIGTSTP, EXITED(3));
}

static void kill_stopped(void)
{
	pid_t pid = start(just_wait);

	stop(pid);
	end(pid);
}

static void waits_for_continue(void)
{
	pid_t pid = start(just_wait);

	stop(pid);
	WANT_IS(kill(pid, SIGTERM), 0);
	sleep_ms(2);
	want_nothing(pid); /* SIGTERM waits, unlike SIGKILL */
	WANT_IS(kill(pid, SIGCONT), 0);
	WANT_ENDS(pid, SIGTERM);
}

static void continue_running(void)
{
	pid_t pid = start(just_wait);

	WANT_IS(kill(pid, SIGCONT), 0);
	want_nothing(pid);
	end(pid);
}

static void note(int number)
{
	(*common) += number;
}

static void handles_tstp(void)
{
	handle(SIGTSTP, note, 0);
	handle(SIGCONT, note, 0);
	raise(SIGTSTP);
	WANT_IS(*common, SIGTSTP);
	open_gate(back);
	raise(SIGSTOP);
	WANT_IS(*common, SIGTSTP + SIGCONT);
}

static void handlers(void)
{
	pid_t pid;

	common = shared_memory(4096);
	back = make_gate();
	pid = start(handles_tstp);
	wait_gate(back);
	want_stopped_then(pid, SIGSTOP, 0);
}

static void ignored(void)
{
	handle(SIGTSTP, SIG_IGN, 0);
	handle(SIGTTIN, SIG_IGN, 0);
	handle(SIGTTOU, SIG_IGN, 0);
	raise(SIGTSTP);
	raise(SIGTTIN);
	raise(SIGTTOU);
}

static void continue_discards_stops(void)
{
	block(SIGTSTP);
	block(SIGTTIN);
	raise(SIGTSTP);
	raise(SIGTTIN);
	WANT(is_pending(SIGTSTP) && is_pending(SIGTTIN));
	raise(SIGCONT);
	WANT(!is_pending(SIGTSTP) && !is_pending(SIGTTIN));
}

static void stop_discards_continue(void)
{
	block(SIGCONT);
	block(SIGTSTP);
	raise(SIGCONT);
	WANT(is_pending(SIGCONT));
	raise(SIGTSTP);
	WANT(!is_pending(SIGCONT) && is_pending(SIGTSTP));
}

static void blocks_continue(void)
{
	block(SIGCONT);
	handle(SIGCONT, note, 0);
	raise(SIGSTOP);
	WANT(is_pending(SIGCONT));
	WANT_IS(*common, 0);
	unblock(SIGCONT);
	WANT_IS(*common, SIGCONT);
}

static void blocked_continue(void)
{
	pid_t pid;

	common = shared_memory(4096);
	pid = start(blocks_continue);
	want_stopped_then(pid, SIGSTOP, 0);
}

static void unblocks_stop(void)
{
	block(SIGTSTP);
	raise(SIGTSTP);
	open_gate(back);
	unblock(SIGTSTP);
	_exit(6);
}

static void blocked_stop(void)
{
	pid_t pid;

	back = make_gate();
	pid = start(unblocks_stop);
	wait_gate(back);
	want_stopped_then(pid, SIGTSTP, EXITED(6));
}

static void stop_twice(void)
{
	pid_t pid = start(just_wait);

	stop(pid);
	WANT_IS(kill(pid, SIGSTOP), 0);
	WANT_IS(kill(pid, SIGTSTP), 0);
	want_nothing(pid);
	WANT_IS(kill(pid, SIGCONT), 0);
	want_continued(pid);
	want_nothing(pid); /* the second stop was discarded with it */
	end(pid);
}

static void many_times(void)
{
	pid_t pid;
	int before;

	common = shared_memory(4096);
	pid = start(spins);
	for (int i = 0; i < 50; i++) {
		stop(pid);
		before = *common;
		WANT_IS(kill(pid, SIGCONT), 0);
		while (*common == before)
			sched_yield();
	}
	end(pid);
}

static void group_stop(void)
{
	pid_t one = start(just_wait), two = start(just_wait);

	WANT_IS(setpgid(one, one), 0);
	WANT_IS(setpgid(two, one), 0);
	WANT_IS(kill(-one, SIGSTOP), 0);
	want_stopped(one, SIGSTOP);
	want_stopped(two, SIGSTOP);
	WANT_IS(kill(-one, SIGCONT), 0);
	want_continued(one);
	want_continued(two);
	WANT_IS(kill(-one, SIGKILL), 0);
	WANT_ENDS(one, SIGKILL);
	WANT_ENDS(two, SIGKILL);
}

/* ---- Several threads ---- */

static void *counts(void *index)
{
	for (;;)
		common[(long)index]++;
	return NULL;
}

static void *sleeps(void *unused)
{
	just_wait();
	return NULL;
}

static void spins_in_threads(void)
{
	pthread_t thread;

	for (long i = 1; i <= 3; i++)
		WANT_IS(pthread_create(&thread, NULL, counts, (void *)i), 0);
	WANT_IS(pthread_create(&thread, NULL, sleeps, NULL), 0);
	counts((void *)0);
}

static bool all_run(const int *before)
{
	for (int i = 0; i < 4; i++) {
		if (common[i] == before[i])
			return false;
	}
	return true;
}

static void threads_stop(void)
{
	int before[4] = {0};
	pid_t pid;

	common = shared_memory(4096);
	pid = start(spins_in_threads);
	while (!all_run(before))
		sched_yield();
	WANT_IS(kill(pid, SIGTSTP), 0);
	want_stopped(pid, SIGTSTP);
	memcpy(before, (int *)common, sizeof before);
	sleep_ms(5);
	WANT(memcmp(before, (int *)common, sizeof before) == 0);
	WANT_IS(kill(pid, SIGCONT), 0);
	want_continued(pid);
	while (!all_run(before))
		sched_yield();
	end(pid);
}

static void threads_stop_and_end(void)
{
	int before[4] = {0};
	pid_t pid;

	common = shared_memory(4096);
	pid = start(spins_in_threads);
	while (!all_run(before))
		sched_yield();
	stop(pid);
	end(pid);
}

/* A stop by one thread's own signal stops them all. */
static void *stops_by_tkill(void *unused)
{
	WANT_IS(kernel_call(SYS_tkill, kernel_call(SYS_gettid), SIGSTOP), 0);
	open_gate(back);
	return NULL;
}

static void counts_beside(void)
{
	pthread_t thread;

	WANT_IS(pthread_create(&thread, NULL, stops_by_tkill, NULL), 0);
	counts((void *)0);
}

static void thread_directed_stop(void)
{
	int before;
	pid_t pid;

	common = shared_memory(4096);
	back = make_gate();
	pid = start(counts_beside);
	want_stopped(pid, SIGSTOP);
	before = *common;
	sleep_ms(5);
	WANT_IS(*common, before);
	WANT_IS(kill(pid, SIGCONT), 0);
	wait_gate(back);
	end(pid);
}

/* Whoever stops while a handler's SIGALRM ticks goes on ticking after it. */
static void on_tick(int number)
{
	(*common)++;
}

static void ticks(void)
{
	handle(SIGALRM, on_tick, SA_RESTART);
	tick(2000);
	wait_gate(gate);
	tick(0);
	_exit(8);
}

static void stop_in_restarted_call(void)
{
	pid_t pid;
	int before;

	common = shared_memory(4096);
	gate = make_gate();
	pid = start(ticks);
	for (int i = 0; i < 5; i++) {
		before = *common;
		while (*common == before)
			sched_yield();
		stop(pid);
		WANT_IS(kill(pid, SIGCONT), 0);
	}
	open_gate(gate);
	WANT_ENDS(pid, EXITED(8));
}

static const struct test_case cases[] = {
	CASE(each_stops, "SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU stop, SIGCONT continues; told once"),
	CASE(runs_no_more, "a stopped process does not run"),
	CASE(by_itself, "a process stops itself"),
	CASE(kill_stopped, "SIGKILL ends a stopped process"),
	CASE(waits_for_continue, "SIGTERM to a stopped process waits for SIGCONT"),
	CASE(continue_running, "SIGCONT to a running process is not told"),
	CASE(handlers, "SIGTSTP and SIGCONT with handlers"),
	CASE(ignored, "SIGTSTP, SIGTTIN, SIGTTOU ignored"),
	CASE(continue_discards_stops, "SIGCONT discards pending stop signals"),
	CASE(stop_discards_continue, "a stop signal discards a pending SIGCONT"),
	CASE(blocked_continue, "SIGCONT continues though it is blocked; its handler waits"),
	CASE(blocked_stop, "SIGTSTP blocked: it stops when it is unblocked"),
	CASE(stop_twice, "stop signals to a stopped process are told to nobody"),
	CASE(many_times, "50 stops and continues of one that spins"),
	CASE(group_stop, "stop and continue of a process group"),
	CASE(threads_stop, "a stop stops all threads, SIGCONT continues them"),
	CASE(threads_stop_and_end, "SIGKILL ends a stopped process of several threads"),
	CASE(thread_directed_stop, "SIGSTOP to one thread stops the process"),
	CASE(stop_in_restarted_call, "stops in the middle of a call that restarts"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
