/* SPDX-License-Identifier: MIT */
/* A tracer that dies while its tracee stands at a signal: the signal is delivered, unless the tracer
 * has seen it by waiting, and so taken it. */
#include <sys/ptrace.h>

#include "cases.h"

static struct gate ready;
static volatile pid_t *shared;

/* Dies of SIGUSR1, unless its tracer has swallowed it. */
static void traced(void)
{
	open_gate(ready);
	raise(SIGUSR1);
	_exit(7);
}

static void tracer_dies_after(bool waiting)
{
	pid_t tracee, tracer;
	siginfo_t info;

	shared = shared_memory(4096);
	ready = make_gate();
	tracee = fork();
	if (tracee == 0) {
		while (!*shared)
			sched_yield();
		traced();
	}
	tracer = fork();
	if (tracer == 0) {
		WANT_IS(ptrace(PTRACE_SEIZE, tracee, NULL, NULL), 0);
		*shared = 1;
		WANT_IS(waitid(P_PID, (id_t)tracee, &info, WSTOPPED | (waiting ? 0 : WNOWAIT)), 0);
		WANT_IS(info.si_status, SIGUSR1);
		_exit(0); /* without a word to the tracee */
	}
	WANT_ENDS(tracer, 0);
	WANT_ENDS(tracee, waiting ? 7 << 8 : KILLED(SIGUSR1));
}

static void tracer_dies_unaware(void)
{
	tracer_dies_after(false);
}

static void tracer_dies_aware(void)
{
	tracer_dies_after(true);
}

/* The same with a tracer that may die at any moment around the stop. */
static void tracer_dies_anyhow(void)
{
	for (int round = 0; round < 200; round++) {
		pid_t tracee, tracer;
		int status;

		shared = shared_memory(4096);
		ready = make_gate();
		tracee = fork();
		if (tracee == 0) {
			while (!*shared)
				sched_yield();
			traced();
		}
		tracer = fork();
		if (tracer == 0) {
			WANT_IS(ptrace(PTRACE_SEIZE, tracee, NULL, NULL), 0);
			*shared = 1;
			wait_gate(ready);
			for (volatile int i = 0; i < round * 20; i++)
				;
			_exit(0);
		}
		WANT_ENDS(tracer, 0);
		status = ended(tracee);
		WANT_IS(status, KILLED(SIGUSR1));
		munmap((void *)shared, 4096);
		close(ready.in);
		close(ready.out);
	}
}

static const struct test_case cases[] = {
	CASE(tracer_dies_unaware, "ptrace: the tracer dies at a stop that it has not waited for"),
	CASE(tracer_dies_aware, "ptrace: the tracer dies at a stop that it has waited for"),
	CASE(tracer_dies_anyhow, "ptrace: the tracer dies around a signal-delivery stop"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
