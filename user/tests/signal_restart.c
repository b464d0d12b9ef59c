/* SPDX-License-Identifier: MIT */
/*
 * Calls that a signal interrupts: which start again after a handler with SA_RESTART, which give
 * EINTR in any case, what a handler that does not run (ignored, or stopped and continued) does to
 * them, and how much is left of a sleep. A timer sends SIGALRM every few milliseconds until the
 * call has returned or its handler has seen enough of them and lets it end, so that no signal can
 * come too early.
 */
#include <sys/stat.h>

#include "cases.h"

#define ENOUGH     3
#define PIPE_LARGE (4 << 20) /* more than any pipe holds */

static volatile int count;
static struct gate gate;
static volatile int futex_word;

/* What lets a restarted call end at last. */
static void (*let_go)(void);

static void on_tick(int number)
{
	if (++count == ENOUGH && let_go)
		let_go();
}

static void opens(void)
{
	open_gate(gate);
}

static void wakes(void)
{
	futex_word = 1;
	kernel_call(SYS_futex, &futex_word, 1, 1);
}

static void ends_child(void)
{
	opens();
}

/* The calls: each blocks until its let_go. */
static long call_read(void)
{
	char c;

	return kernel_call(SYS_read, gate.in, &c, 1);
}

static long call_wait4(void)
{
	long pid = kernel_call(SYS_wait4, -1, NULL, 0, NULL);

	return pid > 0 ? 1 : pid;
}

static long call_waitid(void)
{
	return kernel_call(SYS_waitid, P_ALL, 0, NULL, WEXITED, NULL);
}

static long call_futex(void)
{
	return kernel_call(SYS_futex, &futex_word, 0, 0, NULL);
}

static long call_futex_timeout(void)
{
	struct timespec timeout = {.tv_sec = 1000};

	return kernel_call(SYS_futex, &futex_word, 0, 0, &timeout);
}

static long call_open_fifo(void)
{
	char path[64];
	long fd;

	snprintf(path, sizeof path, "/tmp/baton-fifo-%d", getpid());
	fd = kernel_call(SYS_open, path, O_WRONLY);
	return fd;
}

static long call_write(void)
{
	static char full[PIPE_LARGE];

	return kernel_call(SYS_write, gate.out, full, sizeof full);
}

static long call_nanosleep(void)
{
	struct timespec time = {.tv_sec = 1000};

	return kernel_call(SYS_nanosleep, &time, &time);
}

static long call_clock_nanosleep(void)
{
	struct timespec time = {.tv_sec = 1000};

	return kernel_call(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL);
}

static long call_clock_nanosleep_absolute(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_sec += 1000;
	return kernel_call(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static long call_poll(void)
{
	struct pollfd none = {.fd = gate.in, .events = POLLIN};

	return kernel_call(SYS_poll, &none, 1, -1);
}

static long call_poll_timeout(void)
{
	struct pollfd none = {.fd = gate.in, .events = POLLIN};

	return kernel_call(SYS_poll, &none, 1, 1000000);
}

static long call_pause(void)
{
	return kernel_call(SYS_pause);
}

static long call_sigsuspend(void)
{
	uint64_t none = 0;

	return kernel_call(SYS_rt_sigsuspend, &none, 8);
}

static long call_sigtimedwait(void)
{
	uint64_t usr1 = 1ul << (SIGUSR1 - 1);

	return kernel_call(SYS_rt_sigtimedwait, &usr1, NULL, NULL, 8);
}

static void waits_at_gate(void)
{
	wait_gate(gate);
}

static void fill(void);
static long call_write_full(void);

static void prepare(long (*call)(void))
{
	gate = make_gate();
	if (call == call_write_full)
		fill(); /* before the first tick, which may empty it again */
	if (call == call_wait4 || call == call_waitid)
		start(waits_at_gate);
}

/* Runs the call under ticks whose handler has these flags. */
static long interrupted(long (*call)(void), int flags)
{
	long result;

	prepare(call);
	count = 0;
	handle(SIGALRM, on_tick, flags);
	tick(5000);
	result = call();
	tick(0);
	return result;
}

/* ---- With SA_RESTART they start again ---- */

static void restarts(long (*call)(void), void (*letting)(void), long expected)
{
	let_go = letting;
	WANT_IS(interrupted(call, SA_RESTART), expected);
	WANT(count >= ENOUGH);
	let_go = NULL;
	futex_word = 0;
	WANT_IS(interrupted(call, 0), -EINTR);
	WANT(count > 0);
}

static void restart_read(void)
{
	restarts(call_read, opens, 1);
}

static void restart_wait4(void)
{
	restarts(call_wait4, ends_child, 1);
}

static void restart_waitid(void)
{
	restarts(call_waitid, ends_child, 0);
}

static void restart_futex(void)
{
	let_go = wakes;
	WANT(interrupted(call_futex, SA_RESTART) == -EAGAIN); /* found changed when it began anew */
	WANT(count >= ENOUGH);
	futex_word = 0;
	let_go = NULL;
	WANT_IS(interrupted(call_futex, 0), -EINTR);
}

static void fill(void)
{
	static char page[4096];

	WANT_IS(fcntl(gate.out, F_SETFL, O_NONBLOCK), 0);
	while (write(gate.out, page, sizeof page) > 0)
		;
	WANT_IS(fcntl(gate.out, F_SETFL, 0), 0);
}

static void drains(void)
{
	char page[4096];

	WANT(kernel_call(SYS_read, gate.in, page, sizeof page) > 0);
}

static long call_write_full(void)
{
	return kernel_call(SYS_write, gate.out, "x", 1);
}

static void restart_write(void)
{
	restarts(call_write_full, drains, 1);
}

static void fifo_reader(void)
{
	char path[64];

	snprintf(path, sizeof path, "/tmp/baton-fifo-%d", getpid());
	WANT(open(path, O_RDONLY | O_NONBLOCK) >= 0);
}

static void restart_open(void)
{
	char path[64];
	long result;

	snprintf(path, sizeof path, "/tmp/baton-fifo-%d", getpid());
	unlink(path);
	WANT_IS(mkfifo(path, 0600), 0);
	result = interrupted(call_open_fifo, 0);
	let_go = fifo_reader;
	if (result == -EINTR)
		result = interrupted(call_open_fifo, SA_RESTART);
	unlink(path);
	WANT(result >= 0 && count >= ENOUGH);
}

/* Part of it was written: that is the result, with and without SA_RESTART. */
static void partial_write(void)
{
	long written = interrupted(call_write, SA_RESTART);

	WANT(written > 0 && written < PIPE_LARGE);
	WANT_IS(interrupted(call_write, 0), written);
}

/* ---- EINTR in any case ---- */

static void never(long (*call)(void))
{
	WANT_IS(interrupted(call, SA_RESTART), -EINTR);
	WANT(count > 0);
	WANT_IS(interrupted(call, 0), -EINTR);
}

#define NEVER(name)                    \
	static void never_##name(void) \
	{                              \
		never(call_##name);    \
	}
NEVER(nanosleep)
NEVER(clock_nanosleep)
NEVER(clock_nanosleep_absolute)
NEVER(poll)
NEVER(poll_timeout)
NEVER(pause)
NEVER(sigsuspend)
NEVER(sigtimedwait)
NEVER(futex_timeout)

/* ---- What is left, and what does not interrupt ---- */

static void remaining(void)
{
	struct timespec time = {.tv_sec = 1000}, left = {0};

	handle(SIGALRM, on_tick, 0);
	tick(5000);
	WANT_IS(kernel_call(SYS_nanosleep, &time, &left), -EINTR);
	tick(0);
	WANT(left.tv_sec >= 900 && left.tv_sec < 1000);
	WANT(left.tv_nsec >= 0 && left.tv_nsec < 1000000000);
	tick(5000);
	WANT_IS(kernel_call(SYS_nanosleep, &time, BAD), -EFAULT);
}

static void sleeps_and_says(void)
{
	struct timespec time = {.tv_nsec = 50000000};
	int64_t begin = now_ns();

	open_gate(gate);
	WANT_IS(kernel_call(SYS_nanosleep, &time, NULL), 0);
	WANT(now_ns() - begin >= 50000000);
}

/* A sleep goes on after stop and continue: no handler ran. */
static void stop_and_continue(void)
{
	pid_t pid;
	int status;

	gate = make_gate();
	pid = start(sleeps_and_says);
	wait_gate(gate);
	WANT_IS(kill(pid, SIGSTOP), 0);
	WANT_IS(waitpid(pid, &status, WUNTRACED), pid);
	WANT(WIFSTOPPED(status));
	WANT_IS(kill(pid, SIGCONT), 0);
	WANT_ENDS(pid, 0);
}

static void polls_and_says(void)
{
	struct pollfd none = {.fd = gate.in, .events = 0};

	open_gate(gate);
	WANT_IS(kernel_call(SYS_poll, &none, 1, 50), 0);
}

static void stop_and_continue_poll(void)
{
	pid_t pid;
	int status;

	gate = make_gate();
	pid = start(polls_and_says);
	wait_gate(gate);
	WANT_IS(kill(pid, SIGSTOP), 0);
	WANT_IS(waitpid(pid, &status, WUNTRACED), pid);
	WANT_IS(kill(pid, SIGCONT), 0);
	WANT_ENDS(pid, 0);
}

static void sends_ignored(void)
{
	for (int i = 0; i < 20; i++) {
		WANT_IS(kill(getppid(), SIGUSR1), 0);
		WANT_IS(kill(getppid(), SIGURG), 0);
		sched_yield();
	}
	open_gate(gate);
}

static void ignored_signals(void)
{
	pid_t pid;

	gate = make_gate();
	handle(SIGUSR1, SIG_IGN, 0);
	pid = start(sends_ignored);
	WANT_IS(call_read(), 1);
	WANT_ENDS(pid, 0);
}

static void blocked_signals(void)
{
	pid_t pid;

	gate = make_gate();
	block(SIGUSR1);
	pid = start(sends_ignored);
	WANT_IS(call_read(), 1);
	WANT(is_pending(SIGUSR1));
	WANT_ENDS(pid, 0);
}

static void restart_block_gone(void)
{
	WANT_IS(kernel_call(SYS_restart_syscall), -EINTR);
}

static const struct test_case cases[] = {
	CASE(restart_read, "read of a pipe: restarts with SA_RESTART, EINTR without"),
	CASE(restart_write, "write into a full pipe: restarts with SA_RESTART, EINTR without"),
	CASE(restart_open, "open of a FIFO: EINTR without, restarts with SA_RESTART"),
	CASE(restart_wait4, "wait4: restarts with SA_RESTART, EINTR without"),
	CASE(restart_waitid, "waitid: restarts with SA_RESTART, EINTR without"),
	CASE(restart_futex, "futex WAIT: restarts with SA_RESTART, EINTR without"),
	CASE(partial_write, "write: what was written before the signal is the result"),
	CASE(never_futex_timeout, "futex WAIT with a timeout: EINTR in any case"),
	CASE(never_nanosleep, "nanosleep: EINTR in any case"),
	CASE(never_clock_nanosleep, "clock_nanosleep: EINTR in any case"),
	CASE(never_clock_nanosleep_absolute, "clock_nanosleep TIMER_ABSTIME: EINTR in any case"),
	CASE(never_poll, "poll: EINTR in any case"),
	CASE(never_poll_timeout, "poll with a timeout: EINTR in any case"),
	CASE(never_pause, "pause: EINTR in any case"),
	CASE(never_sigsuspend, "rt_sigsuspend: EINTR in any case"),
	CASE(never_sigtimedwait, "rt_sigtimedwait: EINTR in any case"),
	CASE(remaining, "nanosleep: what is left of the time; EFAULT"),
	CASE(stop_and_continue, "nanosleep: stop and continue do not shorten it, nor give EINTR"),
	CASE(stop_and_continue_poll, "poll: stop and continue give no EINTR"),
	CASE(ignored_signals, "ignored signals interrupt nothing"),
	CASE(blocked_signals, "blocked signals interrupt nothing"),
	CASE(restart_block_gone, "restart_syscall with nothing to restart: EINTR"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
