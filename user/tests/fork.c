/* SPDX-License-Identifier: MIT */
/*
 * fork and vfork: what a child has as a copy, what it shares, and what it begins without.
 */
#include <sys/stat.h>
#include <sys/times.h>

#include "cases.h"

static volatile int word; /* private memory */
static volatile int *common;
static struct gate gate, back;
static unsigned char stack[16384];

/* ---- fork ---- */

static void fork_ids(void)
{
	pid_t parent = getpid(), pid = (pid_t)kernel_call(SYS_fork);

	WANT(pid >= 0);
	if (pid == 0)
		_exit(getppid() == parent && kernel_call(SYS_getpid) != parent &&
					kernel_call(SYS_gettid) == kernel_call(SYS_getpid)
				? 7
				: 8);
	WANT(pid != parent);
	WANT_ENDS(pid, EXITED(7));
}

static void writes_word(void)
{
	WANT_IS(word, 1);
	word = 2;
	open_gate(back);
	wait_gate(gate);
	WANT_IS(word, 2);
}

static void fork_memory(void)
{
	pid_t pid;

	gate = make_gate();
	back = make_gate();
	word = 1;
	pid = start(writes_word);
	wait_gate(back);
	WANT_IS(word, 1);
	word = 3;
	open_gate(gate);
	WANT_ENDS(pid, 0);
	WANT_IS(word, 3);
}

static void writes_common(void)
{
	*common = 5;
}

static void fork_shared_memory(void)
{
	common = shared_memory(4096);
	WANT_ENDS(start(writes_common), 0);
	WANT_IS(*common, 5);
}

static int file;

static void seeks(void)
{
	WANT_IS(lseek(file, 100, SEEK_SET), 100);
	close(file);
}

static void fork_files(void)
{
	file = open(check.self, O_RDONLY | O_CLOEXEC);
	WANT(file >= 0);
	WANT_ENDS(start(seeks), 0);
	WANT_IS(lseek(file, 0, SEEK_CUR), 100);
	WANT_IS(fcntl(file, F_GETFD), FD_CLOEXEC);
}

static void no_handler(int number)
{
}

static void has_signals_of_parent(void)
{
	struct sigaction action;
	sigset_t mask;

	WANT(!is_pending(SIGUSR1));
	WANT_IS(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
	WANT(sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGUSR2));
	WANT_IS(sigaction(SIGUSR2, NULL, &action), 0);
	WANT(action.sa_handler == no_handler);
	WANT_IS(sigaction(SIGTERM, NULL, &action), 0);
	WANT(action.sa_handler == SIG_IGN);
}

static void fork_signals(void)
{
	block(SIGUSR1);
	handle(SIGUSR2, no_handler, 0);
	handle(SIGTERM, SIG_IGN, 0);
	raise(SIGUSR1);
	WANT(is_pending(SIGUSR1));
	WANT_ENDS(start(has_signals_of_parent), 0);
	WANT(is_pending(SIGUSR1));
}

static void has_no_timer(void)
{
	struct itimerval timer = {{1, 1}, {1, 1}};

	WANT_IS(getitimer(ITIMER_REAL, &timer), 0);
	WANT(!timer.it_value.tv_sec && !timer.it_value.tv_usec && !timer.it_interval.tv_sec);
	WANT_IS(alarm(0), 0);
}

static void fork_timer(void)
{
	pid_t pid;

	alarm(1000);
	pid = fork();
	if (pid == 0) {
		has_no_timer();
		_exit(0);
	}
	WANT_ENDS(pid, 0);
	WANT(alarm(0) > 0);
}

static void has_no_child_times(void)
{
	struct tms times_now;

	times(&times_now);
	WANT_IS(times_now.tms_cutime, 0);
	WANT_IS(times_now.tms_cstime, 0);
}

static void fork_times(void)
{
	WANT_ENDS(start(has_no_child_times), 0);
}

static void has_alternate_stack(void)
{
	stack_t now;

	WANT_IS(sigaltstack(NULL, &now), 0);
	WANT(now.ss_sp == stack && now.ss_size == sizeof stack && now.ss_flags == 0);
}

static void fork_alternate_stack(void)
{
	stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};

	WANT_IS(sigaltstack(&own, NULL), 0);
	WANT_ENDS(start(has_alternate_stack), 0);
}

static void moves_away(void)
{
	umask(077);
	WANT_IS(chdir("/tmp"), 0);
}

static void fork_directory(void)
{
	char path[PATH_MAX];

	umask(022);
	WANT_IS(chdir("/"), 0);
	WANT_ENDS(start(moves_away), 0);
	WANT_IS(umask(022), 022);
	WANT(getcwd(path, sizeof path) && strcmp(path, "/") == 0);
}

static void fork_no_wait_of_sibling(void)
{
	pid_t pid;

	gate = make_gate();
	pid = start(just_wait);
	common = shared_memory(4096);
	if (fork() == 0) {
		*common = (int)kernel_call(SYS_wait4, pid, NULL, 0, NULL);
		_exit(0);
	}
	wait(NULL);
	WANT_IS(*common, -ECHILD);
	kill(pid, SIGKILL);
	WANT_ENDS(pid, SIGKILL);
}

/* ---- vfork ---- */

static void vfork_killed(void)
{
	pid_t pid;

	word = 1;
	pid = vfork();
	if (pid == 0) {
		word = 2;
		kernel_call(SYS_kill, kernel_call(SYS_getpid), SIGKILL);
		for (;;)
			word = 3;
	}
	WANT_IS(word, 2);
	WANT_ENDS(pid, SIGKILL);
}

static void vfork_private_files(void)
{
	int fd = open("/dev/null", O_RDONLY);
	pid_t pid = vfork();

	if (pid == 0) {
		kernel_call(SYS_close, fd);
		_exit(0);
	}
	WANT_IS(fcntl(fd, F_GETFD), 0);
	WANT_ENDS(pid, 0);
}

static const struct test_case cases[] = {
	CASE(fork_ids, "fork: 0 in the child, a new pid for the parent, who is its getppid"),
	CASE(fork_memory, "fork: memory is a copy for both sides"),
	CASE(fork_shared_memory, "fork: a shared mapping stays shared"),
	CASE(fork_files, "fork: open files share their offset, descriptors are a copy"),
	CASE(fork_signals, "fork: mask and handlers are inherited, pending signals are not"),
	CASE(fork_timer, "fork: alarms and interval timers are not inherited"),
	CASE(fork_times, "fork: times of children start at zero"),
	CASE(fork_alternate_stack, "fork: the alternate signal stack is inherited"),
	CASE(fork_directory, "fork: working directory and umask are copies"),
	CASE(fork_no_wait_of_sibling, "fork: a sibling is nobody to wait for: ECHILD"),
	CASE(vfork_killed, "vfork: a child that is killed lets the parent go on"),
	CASE(vfork_private_files, "vfork: descriptors are a copy"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
