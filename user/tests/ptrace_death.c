/* SPDX-License-Identifier: MIT */
/* A tracer that dies while its tracee stands at a signal: the signal is delivered, unless the tracer
 * has seen it by waiting, and so taken it. And who hears of a tracee's end, in which order. And
 * tracees that call what there is not, or are let go behind a call that was interrupted. */
#include "ptrace.h"

static struct gate ready;
static volatile pid_t *shared;

/* Dies of SIGUSR1, unless its tracer has swallowed it. */
static void signalled(void)
{
	open_gate(ready);
	raise(SIGUSR1);
	_exit(7);
}

/* A child that waits to be seized. */
static pid_t start_tracee(void)
{
	pid_t tracee;

	shared = shared_memory(4096);
	ready = make_gate();
	tracee = fork();
	if (tracee == 0) {
		while (!*shared)
			sched_yield();
		signalled();
	}
	return tracee;
}

static void tracer_dies_after(bool waiting)
{
	pid_t tracee = start_tracee(), tracer;
	siginfo_t info;

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
		pid_t tracee = start_tracee(), tracer;
		int status;

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

/* ---- A tracer that is not the parent hears of the end before the parent ---- */

static void *wait_for_end(void *unused)
{
	(void)unused;
	usleep(20000);
	kernel_call(SYS_exit_group, 7);
	return NULL;
}

static void leader_first(void)
{
	begin_thread(wait_for_end, NULL);
	kernel_call(SYS_exit, 3);
}

/* Seizes the child, lets it end by `act`, tells the parent, and at its word takes the end or dies. */
static void hear_first(pid_t tracee, struct gate go_on, struct gate ended_gate, bool takes)
{
	siginfo_t info;

	WANT_IS(trace(PTRACE_SEIZE, tracee, 0, 0), 0);
	open_gate(go_on);
	WANT_IS(waitid(P_PID, (id_t)tracee, &info, WEXITED | WNOWAIT | __WALL), 0);
	WANT_IS(info.si_code, CLD_EXITED);
	WANT_IS(info.si_status, 7);
	open_gate(ended_gate);
	wait_gate(ready);
	if (takes)
		WANT_ENDS(tracee, 7 << 8);
	_exit(0);
}

static void parent_hears_last(void (*act)(void), bool takes)
{
	struct gate go_on = make_gate(), ended_gate = make_gate();
	pid_t tracee, tracer;
	siginfo_t info = {0};

	ready = make_gate();
	block(SIGCHLD);
	tracee = fork();
	if (tracee == 0) {
		wait_gate(go_on);
		if (act)
			act();
		_exit(7);
	}
	tracer = fork();
	if (tracer == 0)
		hear_first(tracee, go_on, ended_gate, takes);
	wait_gate(ended_gate);
	WANT_IS(waitid(P_PID, (id_t)tracee, &info, WEXITED | WNOHANG), 0);
	WANT_IS(info.si_pid, 0);
	WANT(!is_pending(SIGCHLD));
	open_gate(ready);
	WANT_ENDS(tracee, 7 << 8);
	WANT(is_pending(SIGCHLD));
	WANT_ENDS(tracer, 0);
}

static void tracer_takes(void)
{
	parent_hears_last(NULL, true);
}

static void tracer_dies(void)
{
	parent_hears_last(NULL, false);
}

static void leader_ends_first(void)
{
	parent_hears_last(leader_first, true);
}

/* SIGCHLD ignored: the zombie goes when the tracer has seen it. */
static void nobody_else_wants_it(void)
{
	struct gate go_on = make_gate(), ended_gate = make_gate();
	pid_t tracee, tracer;

	ready = make_gate();
	signal(SIGCHLD, SIG_IGN);
	tracee = fork();
	if (tracee == 0) {
		wait_gate(go_on);
		_exit(7);
	}
	tracer = fork();
	if (tracer == 0) {
		signal(SIGCHLD, SIG_DFL);
		hear_first(tracee, go_on, ended_gate, true);
	}
	wait_gate(ended_gate);
	WANT_IS(kernel_call(SYS_kill, tracee, 0), 0);
	open_gate(ready);
	WANT_IS(kernel_call(SYS_wait4, tracee, NULL, 0, NULL), -ECHILD);
	WANT_IS(kernel_call(SYS_kill, tracee, 0), -ESRCH);
}

/* The child's parent ends while the tracer has yet to take the end: whoever adopts it hears then. */
static void parent_ends_meanwhile(void)
{
	struct gate go_on = make_gate(), ended_gate = make_gate(), leave = make_gate();
	volatile pid_t *tracee_id = shared_memory(4096);
	pid_t parent, tracer;

	ready = make_gate();
	WANT_IS(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	parent = fork();
	if (parent == 0) {
		pid_t tracee = fork();

		if (tracee == 0) {
			wait_gate(go_on);
			_exit(7);
		}
		*tracee_id = tracee;
		wait_gate(leave);
		_exit(0);
	}
	while (!*tracee_id)
		sched_yield();
	tracer = fork();
	if (tracer == 0)
		hear_first(*tracee_id, go_on, ended_gate, true);
	wait_gate(ended_gate);
	open_gate(leave);
	WANT_ENDS(parent, 0);
	WANT_IS(waitpid(*tracee_id, NULL, WNOHANG), 0);
	open_gate(ready);
	WANT_ENDS(*tracee_id, 7 << 8);
	WANT_ENDS(tracer, 0);
}

/* ---- Numbers that no call has ---- */

static const long numbers[] = {511, 1000, 0x7fffffff};

static void calls_nothing(void)
{
	WANT_IS(trace(PTRACE_TRACEME, 0, 0, 0), 0);
	kernel_call(SYS_kill, getpid(), SIGSTOP); /* raise() makes more calls behind it */
	for (unsigned i = 0; i < COUNT(numbers); i++)
		WANT_IS(kernel_call(numbers[i]), -ENOSYS);
	_exit(0);
}

static void no_call(void)
{
	pid_t pid = start(calls_nothing);

	want_stop(pid, SIGSTOP);
	for (unsigned i = 0; i < COUNT(numbers); i++) {
		go(pid, PTRACE_SYSCALL, 0);
		want_stop(pid, SIGTRAP);
		WANT_IS(registers(pid).orig_rax, numbers[i]);
		go(pid, PTRACE_SYSCALL, 0);
		want_stop(pid, SIGTRAP);
		WANT_IS(registers(pid).rax, -ENOSYS);
	}
	go(pid, PTRACE_CONT, 0);
	WANT_ENDS(pid, 0);
}

/* ---- An interrupted call whose tracer lets it go behind it ---- */

static volatile long *result;

static void reads(void)
{
	char byte;

	*result = kernel_call(SYS_read, ready.in, &byte, 1);
	_exit(0);
}

/* Stands behind a read that was interrupted, and goes on by `request`: the read is made again. */
static void interrupted(int request)
{
	pid_t pid;

	result = shared_memory(4096);
	ready = make_gate();
	pid = start(reads);
	WANT_IS(trace(PTRACE_SEIZE, pid, 0, 0), 0);
	WANT_IS(trace(PTRACE_INTERRUPT, pid, 0, 0), 0);
	want_stop(pid, SIGTRAP | PTRACE_EVENT_STOP << 8);
	do { /* up to the read's entry */
		go(pid, PTRACE_SYSCALL, 0);
		want_stop(pid, SIGTRAP);
	} while (registers(pid).orig_rax != SYS_read ||
		 registers(pid).rax != (unsigned long)-ENOSYS);
	go(pid, PTRACE_SYSCALL, 0);
	WANT_IS(trace(PTRACE_INTERRUPT, pid, 0, 0), 0);
	want_stop(pid, SIGTRAP);
	WANT_IS(registers(pid).rax, -512); /* ERESTARTSYS, which only a tracer sees */
	go(pid, request, 0);
	open_gate(ready);
	WANT_ENDS(pid, 0);
	WANT_IS(*result, 1);
	munmap((void *)result, 4096);
}

static void interrupted_detached(void)
{
	interrupted(PTRACE_DETACH);
}

static void interrupted_continued(void)
{
	interrupted(PTRACE_CONT);
}

/* Whether a child with all capabilities may ask to be traced by a parent that has these. */
static long ask_parent(unsigned int left)
{
	unsigned int header[2] = {0x20080522}; /* _LINUX_CAPABILITY_VERSION_3 */
	const unsigned int sets[6] = {left, left};
	pid_t parent, child;
	int status;

	ready = make_gate();
	shared = shared_memory(4096);
	parent = fork();
	if (parent == 0) {
		child = fork();
		if (child == 0) {
			wait_gate(ready);
			*shared = (pid_t)kernel_call(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
			_exit(0);
		}
		WANT_IS(kernel_call(SYS_capset, header, sets), 0);
		open_gate(ready);
		WANT_IS(waitpid(child, &status, 0), child);
		_exit(0);
	}
	WANT_ENDS(parent, 0);
	return *shared;
}

static void traced_by_less(void)
{
	if (geteuid() != 0)
		skip("not root");
	WANT_IS(ask_parent(0), -EPERM);
	WANT_IS(ask_parent(1u << 19 /* CAP_SYS_PTRACE */), 0);
}

static const struct test_case cases[] = {
	CASE(tracer_dies_unaware, "ptrace: the tracer dies at a stop that it has not waited for"),
	CASE(tracer_dies_aware, "ptrace: the tracer dies at a stop that it has waited for"),
	CASE(tracer_dies_anyhow, "ptrace: the tracer dies around a signal-delivery stop"),
	CASE(tracer_takes, "ptrace: the parent hears of the end when the tracer has taken it"),
	CASE(tracer_dies, "ptrace: ...or when the tracer dies without"),
	CASE(traced_by_less, "ptrace: TRACEME: EPERM where the parent has a capability less"),
	CASE(leader_ends_first, "ptrace: a leader's end is told with its process's"),
	CASE(nobody_else_wants_it,
		"ptrace: SIGCHLD ignored, the zombie goes with the tracer's wait"),
	CASE(no_call, "ptrace: calls with numbers that none has stop their tracer too"),
	CASE(interrupted_detached, "ptrace: DETACH behind an interrupted call: it is made again"),
	CASE(interrupted_continued, "ptrace: CONT behind an interrupted call: it is made again"),
	CASE(parent_ends_meanwhile, "ptrace: the parent ends before the tracer takes the end"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
