/* SPDX-License-Identifier: MIT */
/*
 * What of a process survives execve and what does not: signals, descriptors, threads, ids, limits,
 * timers, attributes. A case prepares something and executes this program in the role that checks
 * it; the role's status is the case's.
 */
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cases.h"

static void *become_role(void *role)
{
	char *argv[] = {(char *)check.self, "--role", role, NULL};

	kernel_call(SYS_execve, check.self, argv, environ);
	WANT(!"execve came back");
	return NULL;
}

/* In the role: what the case left in a file of environment: an integer. */
static long remembered(const char *name)
{
	const char *text = getenv(name);

	WANT(text);
	return strtol(text, NULL, 10);
}

static void remember(const char *name, long value)
{
	char text[32];

	snprintf(text, sizeof text, "%ld", value);
	WANT_IS(setenv(name, text, 1), 0);
}

static void no_handler(int number)
{
}

/* ---- Signals ---- */

static void prepare_signals(void)
{
	stack_t own = {.ss_sp = malloc(16384), .ss_size = 16384};

	handle(SIGUSR1, no_handler, SA_ONSTACK | SA_NODEFER);
	handle(SIGUSR2, SIG_IGN, 0);
	handle(SIGCHLD, SIG_IGN, 0);
	block(SIGTERM);
	block(SIGRTMIN);
	raise(SIGTERM);
	WANT_IS(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 41}), 0);
	WANT_IS(sigaltstack(&own, NULL), 0);
	become_role("signals");
}

static int signals(int argc, char **argv)
{
	struct sigaction action;
	sigset_t mask, realtime = set_of(SIGRTMIN);
	siginfo_t info;
	stack_t now;

	WANT_IS(sigaction(SIGUSR1, NULL, &action), 0);
	WANT(action.sa_handler == SIG_DFL && action.sa_flags == 0);
	WANT_IS(sigaction(SIGUSR2, NULL, &action), 0);
	WANT(action.sa_handler == SIG_IGN);
	WANT_IS(sigaction(SIGCHLD, NULL, &action), 0);
	WANT(action.sa_handler == SIG_IGN);
	WANT_IS(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
	WANT(sigismember(&mask, SIGTERM) && sigismember(&mask, SIGRTMIN));
	WANT(!sigismember(&mask, SIGUSR1));
	WANT(is_pending(SIGTERM));
	WANT_IS(sigtimedwait(&realtime, &info, &(struct timespec){0}), SIGRTMIN);
	WANT_IS(info.si_value.sival_int, 41);
	WANT_IS(sigaltstack(NULL, &now), 0);
	WANT_IS(now.ss_flags, SS_DISABLE);
	return 0;
}

static void prepare_timers(void)
{
	struct itimerval timer = {{0, 0}, {500, 0}};

	WANT_IS(setitimer(ITIMER_REAL, &timer, NULL), 0);
	become_role("timers");
}

static int timers(int argc, char **argv)
{
	struct itimerval timer;

	WANT_IS(getitimer(ITIMER_REAL, &timer), 0);
	WANT(timer.it_value.tv_sec > 100);
	return 0;
}

/* ---- Ids and attributes ---- */

static void prepare_ids(void)
{
	struct rlimit limit = {77, 78};

	remember("PID", getpid());
	remember("PPID", getppid());
	remember("GROUP", getpgrp());
	remember("SESSION", getsid(0));
	umask(013);
	WANT_IS(chdir("/tmp"), 0);
	WANT_IS(setrlimit(RLIMIT_NOFILE, &limit), 0);
	become_role("ids");
}

static int ids(int argc, char **argv)
{
	struct rlimit limit;
	char path[PATH_MAX];

	WANT_IS(kernel_call(SYS_getpid), remembered("PID"));
	WANT_IS(kernel_call(SYS_gettid), remembered("PID"));
	WANT_IS(kernel_call(SYS_getppid), remembered("PPID"));
	WANT_IS(getpgrp(), remembered("GROUP"));
	WANT_IS(getsid(0), remembered("SESSION"));
	WANT_IS(umask(0), 013);
	WANT(getcwd(path, sizeof path) && strcmp(path, "/tmp") == 0);
	WANT_IS(getrlimit(RLIMIT_NOFILE, &limit), 0);
	WANT(limit.rlim_cur == 77 && limit.rlim_max == 78);
	return 0;
}

static void prepare_attributes(void)
{
	WANT_IS(prctl(PR_SET_NAME, "another name"), 0);
	WANT_IS(prctl(PR_SET_DUMPABLE, 0), 0);
	WANT_IS(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0);
	WANT_IS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	WANT_IS(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	become_role("attributes");
}

static int attributes(int argc, char **argv)
{
	char name[17] = "", expected[16] = "";
	const char *slash = strrchr(check.self, '/');
	int number = -1;

	snprintf(expected, sizeof expected, "%s", slash ? slash + 1 : check.self);
	WANT_IS(prctl(PR_GET_NAME, name), 0);
	WANT(strcmp(name, expected) == 0);
	WANT_IS(prctl(PR_GET_DUMPABLE), 1);
	WANT_IS(prctl(PR_GET_PDEATHSIG, &number), 0);
	WANT_IS(number, SIGUSR1);
	WANT_IS(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	WANT_IS(prctl(PR_GET_CHILD_SUBREAPER, &number), 0);
	WANT_IS(number, 1);
	return 0;
}

/* ---- Descriptors ---- */

static void prepare_files(void)
{
	int kept = open("/dev/null", O_RDONLY), closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int later = dup(kept);

	WANT_IS(fcntl(later, F_SETFD, FD_CLOEXEC), 0);
	remember("KEPT", kept);
	remember("CLOSED", closed);
	remember("LATER", later);
	become_role("files");
}

static int files(int argc, char **argv)
{
	WANT_IS(fcntl((int)remembered("KEPT"), F_GETFD), 0);
	WANT_IS(kernel_call(SYS_fcntl, remembered("CLOSED"), F_GETFD), -EBADF);
	WANT_IS(kernel_call(SYS_fcntl, remembered("LATER"), F_GETFD), -EBADF);
	return 0;
}

static void shared_files(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	long pid;

	remember("CLOSED", fd);
	remember("KEPT", dup(fd));
	remember("LATER", fd);
	pid = kernel_call(SYS_clone, CLONE_FILES | SIGCHLD, 0, NULL, NULL, 0);
	if (pid == 0)
		become_role("files");
	WANT_ENDS((pid_t)pid, 0);
	WANT_IS(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

/* ---- Memory ---- */

static void prepare_memory(void)
{
	void *p = mmap((void *)0x10000000000, 4096, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	WANT(p != MAP_FAILED);
	become_role("memory");
}

static int memory(int argc, char **argv)
{
	WANT_IS(kernel_call(SYS_madvise, 0x10000000000, 4096, MADV_NORMAL), -ENOMEM);
	return 0;
}

/* ---- Threads ---- */

static struct gate never;
static pthread_barrier_t ready;

static void *spins(void *unused)
{
	pthread_barrier_wait(&ready);
	for (;;)
		__asm__ volatile("pause");
	return NULL;
}

static void *reads(void *unused)
{
	char c;

	pthread_barrier_wait(&ready);
	read(never.in, &c, 1);
	WANT(!"the read came back");
	return NULL;
}

static void *waits_for_futex(void *unused)
{
	int zero = 0;

	pthread_barrier_wait(&ready);
	for (;;)
		kernel_call(SYS_futex, &zero, 0, 0, NULL);
	return NULL;
}

static void start_threads(void)
{
	static void *(*const kinds[])(void *) = {spins, reads, waits_for_futex};
	pthread_t thread;

	never = make_gate();
	pthread_barrier_init(&ready, NULL, 7);
	for (size_t i = 0; i < 6; i++)
		WANT_IS(pthread_create(&thread, NULL, kinds[i % 3], NULL), 0);
	pthread_barrier_wait(&ready);
	remember("PID", getpid());
}

static void prepare_threads(void)
{
	start_threads();
	become_role("threads");
}

static void prepare_threads_other(void)
{
	pthread_t thread;

	start_threads();
	WANT_IS(pthread_create(&thread, NULL, become_role, "threads"), 0);
	for (;;)
		pause();
}

/* One thread is left, and its id is the process's. That others are gone shows by unshare, which
 * refuses a process with several threads. */
static int threads(int argc, char **argv)
{
	WANT_IS(kernel_call(SYS_getpid), remembered("PID"));
	WANT_IS(kernel_call(SYS_gettid), remembered("PID"));
	WANT_IS(kernel_call(SYS_unshare, CLONE_SIGHAND | CLONE_VM), 0);
	return 0;
}

static void *fails_to_exec(void *done)
{
	char *argv[] = {"x", NULL};

	WANT_IS(kernel_call(SYS_execve, "/no/such/file", argv, environ), -ENOENT);
	*(int *)done = 1;
	return NULL;
}

static void failed_exec_keeps_threads(void)
{
	pthread_t thread;
	int done = 0;

	start_threads();
	WANT_IS(pthread_create(&thread, NULL, fails_to_exec, &done), 0);
	WANT_IS(pthread_join(thread, NULL), 0);
	WANT_IS(done, 1);
	WANT_IS(kernel_call(SYS_unshare, CLONE_SIGHAND | CLONE_VM), -EINVAL);
}

static void *exits_later(void *leader_gone)
{
	siginfo_t info;

	(void)info;
	wait_gate(*(struct gate *)leader_gone);
	become_role("threads");
	return NULL;
}

/* The leader ends by exit, the other thread executes: the process goes on with its pid. */
static void exec_after_leader(void)
{
	static struct gate gate;
	pthread_t thread;

	gate = make_gate();
	remember("PID", getpid());
	WANT_IS(pthread_create(&thread, NULL, exits_later, &gate), 0);
	open_gate(gate);
	kernel_call(SYS_exit, 3);
}

/* A thread's exit signal and CLEARTID word belong to the old program. */
static void exit_signal_is_reset(void)
{
	long pid;

	block(SIGUSR1);
	block(SIGCHLD);
	remember("PID", 0);
	pid = kernel_call(SYS_clone, SIGUSR1, 0, NULL, NULL, 0);
	if (pid == 0)
		become_role("nothing");
	WANT_IS(kernel_call(SYS_wait4, pid, NULL, __WALL, NULL), pid);
	WANT(is_pending(SIGCHLD) && !is_pending(SIGUSR1));
}

/* A child's exit signal was for the old program: the new one gets SIGCHLD instead, but waits for it as
 * for what it is; its own children's come as it asks. */
static void childs_exit_signal(int asked)
{
	struct gate gate = make_gate();
	long pid;

	remember("GATE", gate.out);
	block(SIGUSR1);
	block(SIGCHLD);
	pid = kernel_call(SYS_clone, asked, 0, NULL, NULL, 0);
	if (pid == 0) {
		wait_gate(gate);
		kernel_call(SYS_exit_group, 0);
	}
	remember("CHILD", pid);
	become_role("parent-executed");
}

static void child_with_signal(void)
{
	childs_exit_signal(SIGUSR1);
}

static void child_without_signal(void)
{
	childs_exit_signal(0);
}

static void child_with_sigkill(void)
{
	childs_exit_signal(SIGKILL);
}

static int parent_executed(int argc, char **argv)
{
	long pid = remembered("CHILD");

	open_gate((struct gate){-1, (int)remembered("GATE")});
	WANT_IS(kernel_call(SYS_wait4, pid, NULL, 0, NULL), -ECHILD);
	WANT_IS(kernel_call(SYS_wait4, pid, NULL, __WCLONE, NULL), pid);
	WANT(is_pending(SIGCHLD) && !is_pending(SIGUSR1));
	pid = kernel_call(SYS_clone, SIGUSR1, 0, NULL, NULL, 0);
	if (pid == 0)
		kernel_call(SYS_exit_group, 0);
	WANT_IS(kernel_call(SYS_wait4, pid, NULL, __WCLONE, NULL), pid);
	WANT(is_pending(SIGUSR1));
	return 0;
}

static int nothing(int argc, char **argv)
{
	return 0;
}

/* ---- vfork ---- */

static int at_gate(int argc, char **argv)
{
	wait_gate((struct gate){(int)remembered("GATE"), -1});
	return 3;
}

static void vfork_and_exec(void)
{
	struct gate gate = make_gate();
	char *argv[] = {(char *)check.self, "--role", "at-gate", NULL};
	pid_t pid;

	remember("GATE", gate.in);
	pid = vfork();
	if (pid == 0) {
		execve(check.self, argv, environ);
		_exit(9);
	}
	WANT_IS(kernel_call(SYS_wait4, pid, NULL, WNOHANG, NULL), 0);
	open_gate(gate);
	WANT_ENDS(pid, EXITED(3));
}

static const struct test_case cases[] = {
	CASE(prepare_signals, "execve: ignored, blocked and pending signals stay, handlers do not"),
	CASE(prepare_timers, "execve: the interval timer goes on"),
	CASE(prepare_ids, "execve: pid, parent, group, session, umask, directory, limits stay"),
	CASE(prepare_attributes, "execve: name and dumpable are new; pdeathsig, no_new_privs stay"),
	CASE(prepare_files, "execve: close-on-exec by open and by fcntl"),
	CASE(shared_files, "execve: shared descriptors are unshared: the other keeps them"),
	CASE(prepare_memory, "execve: the old memory is gone"),
	CASE(prepare_threads, "execve by the leader ends all other threads, wherever they are"),
	CASE(prepare_threads_other,
		"execve by another thread: it gets the process's pid as its tid"),
	CASE(failed_exec_keeps_threads, "execve that fails leaves all threads alone"),
	CASE(exec_after_leader, "execve after the leader has exited"),
	CASE(exit_signal_is_reset, "execve: the exit signal is SIGCHLD again"),
	CASE(child_with_signal, "execve: a child's exit signal is not for the new program"),
	CASE(child_without_signal, "execve: of a child without an exit signal it hears, too"),
	CASE(child_with_sigkill, "execve: a child whose end would kill does not kill it"),
	CASE(vfork_and_exec, "vfork: the parent goes on at execve, not at the end"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"signals", signals}, {"timers", timers}, {"ids", ids},
		{"attributes", attributes}, {"files", files}, {"memory", memory},
		{"threads", threads}, {"nothing", nothing}, {"at-gate", at_gate},
		{"parent-executed", parent_executed}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
