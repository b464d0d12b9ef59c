/* SPDX-License-Identifier: MIT */
/*
 * Processes: vfork, execve, exit, wait4, kill: what each gives, how each fails, and what the parent
 * learns. Answers are the kernel's own (kernel_call), but vfork's, which only the C library can
 * return from twice.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "check.h"

#define KERNEL 0xffffffff80000000ul

/* ---- Roles ---- */

static int exit_with(int argc, char **argv)
{
	kernel_call(argc > 1 ? SYS_exit : SYS_exit_group, strtol(argv[0], NULL, 0));
	return 90;
}

static int spin(int argc, char **argv)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
	return 0;
}

static int sleep_long(int argc, char **argv)
{
	sleep_ms(100000);
	return 91;
}

static int nap(int argc, char **argv)
{
	sleep_ms(30);
	return 4;
}

/* Its arguments must be these; its environment A=1 and nothing else. */
static int arguments(int argc, char **argv)
{
	static const char *const expected[] = {"", "two words", "\xff\x01"};

	for (int i = 0; i < 3; i++) {
		if (i >= argc || strcmp(argv[i], expected[i]) != 0)
			return 1;
	}
	if (argc != 3 || argv[3])
		return 2;
	return environ[0] && strcmp(environ[0], "A=1") == 0 && !environ[1] ? 0 : 3;
}

static int no_environment(int argc, char **argv)
{
	return environ[0] != NULL;
}

static int count_arguments(int argc, char **argv)
{
	return argc == 2000 && strcmp(argv[1999], "1999") == 0 ? 0 : 1;
}

/* A file that close-on-exec should have closed (argv[0]), and one that should be there (argv[1]). */
static int inherited(int argc, char **argv)
{
	char c;

	if (kernel_call(SYS_read, strtol(argv[0], NULL, 10), &c, 0) != -EBADF)
		return 1;
	return kernel_call(SYS_read, strtol(argv[1], NULL, 10), &c, 0) == 0 ? 0 : 2;
}

/* Executes itself anew, same pid: the second life checks it. */
static int again(int argc, char **argv)
{
	char pid[24], *words[] = {(char *)check.self, "--role", "again", pid, NULL};

	snprintf(pid, sizeof pid, "%d", getpid());
	if (argc > 0)
		return strcmp(argv[0], pid) == 0 ? 0 : 1;
	kernel_call(SYS_execve, check.self, words, environ);
	return 2;
}

/* Leaves an orphan, and ends at once. */
static int leave_orphan(int argc, char **argv)
{
	start_role("nap", NULL);
	return 0;
}

/* ---- vfork and exit ---- */

static volatile int shared;

static void vforking(void)
{
	int status;
	pid_t pid;

	shared = 1;
	pid = vfork();
	if (pid == 0) {
		shared = 2;
		_exit(9);
	}
	claim(pid > 0, "vfork gives the child's pid");
	claim_equal(shared, 2, "vfork: the child ran in the parent's memory, and first");
	claim_ended(wait_status(pid), EXITED(9), "vfork: _exit(9)");

	pid = vfork();
	if (pid == 0) {
		shared = getpid();
		_exit(0);
	}
	claim_equal(shared, pid, "vfork: the child's getpid is what the parent got");
	status = wait_status(pid);
	claim_ended(status, EXITED(0), "vfork: _exit(0)");
}

static void exiting(void)
{
	claim_ended(run_role("exit", "0"), EXITED(0), "exit_group(0)");
	claim_ended(run_role("exit", "255"), EXITED(255), "exit_group(255)");
	claim_ended(run_role("exit", "0x1234"), EXITED(0x34), "exit_group(0x1234): the low byte");
	claim_ended(run_role("exit", "-1"), EXITED(255), "exit_group(-1)");
	claim_ended(run_role("exit", "7", "thread"), EXITED(7), "exit(7) of the only thread");
}

/* ---- execve ---- */

static long exec(const char *path, char *const *argv, char *const *envp)
{
	return kernel_call(SYS_execve, path, argv, envp);
}

static void exec_errors(void)
{
	static char long_name[300], long_path[5000], long_argument[200000];
	char *argv[] = {"x", NULL}, *huge[] = {"x", long_argument, NULL};
	char *bad_string[] = {"x", (char *)KERNEL, NULL}, *envp[] = {NULL};
	char path[PATH_MAX];

	memset(long_name, 'n', sizeof long_name - 1);
	memset(long_path, '/', sizeof long_path - 1);
	memset(long_argument, 'a', sizeof long_argument - 1);
	claim_result(exec("/no/such/program", argv, envp), -ENOENT, "execve, no such file: ENOENT");
	claim_result(exec("", argv, envp), -ENOENT, "execve, empty path: ENOENT");
	claim_result(exec("/", argv, envp), -EACCES, "execve, a directory: EACCES");
	snprintf(path, sizeof path, "%s/below", check.self);
	claim_result(exec(path, argv, envp), -ENOTDIR, "execve, below a file: ENOTDIR");
	claim_result(exec(long_name, argv, envp), -ENAMETOOLONG, "execve, long name: ENAMETOOLONG");
	claim_result(exec(long_path, argv, envp), -ENAMETOOLONG, "execve, long path: ENAMETOOLONG");
	claim_result(exec((char *)KERNEL, argv, envp), -EFAULT, "execve, kernel's path: EFAULT");
	claim_result(exec(check.self, (char **)KERNEL, envp), -EFAULT, "execve, argv: EFAULT");
	claim_result(exec(check.self, argv, (char **)KERNEL), -EFAULT, "execve, envp: EFAULT");
	claim_result(exec(check.self, bad_string, envp), -EFAULT, "execve, a string: EFAULT");
	claim_result(exec(check.self, huge, envp), -E2BIG, "execve, 200 kB in a string: E2BIG");
}

static void exec_too_much(void)
{
	static char string[100000], *argv[90];

	memset(string, 's', sizeof string - 1);
	for (size_t i = 0; i < COUNT(argv) - 1; i++)
		argv[i] = string;
	claim_result(exec(check.self, argv, environ), -E2BIG, "execve, 9 MB of strings: E2BIG");
}

static void exec_arguments(void)
{
	static char *many[2004], numbers[2000][8];
	char *words[] = {
		(char *)check.self, "--role", "arguments", "", "two words", "\xff\x01", NULL};
	char *one[] = {"A=1", NULL}, *none[] = {NULL};
	pid_t pid;

	claim_ended(wait_status(spawn(check.self, words, one)), EXITED(0), "argv and envp arrive");
	words[2] = "no-environment";
	claim_ended(wait_status(spawn(check.self, words, none)), EXITED(0), "empty envp arrives");
	claim_ended(wait_status(spawn(check.self, words, NULL)), EXITED(0), "NULL envp is empty");
	many[0] = (char *)check.self;
	many[1] = "--role";
	many[2] = "count";
	for (int i = 0; i < 2000; i++) {
		snprintf(numbers[i], sizeof numbers[i], "%d", i);
		many[i + 3] = numbers[i];
	}
	pid = spawn(check.self, many, environ);
	claim_ended(wait_status(pid), EXITED(0), "2,000 arguments arrive");
	claim_ended(run_role("again"), EXITED(0), "execve keeps the pid");
}

static void exec_files(void)
{
	int closed = open(check.self, O_RDONLY | O_CLOEXEC), kept = open(check.self, O_RDONLY);
	char a[16], b[16];

	snprintf(a, sizeof a, "%d", closed);
	snprintf(b, sizeof b, "%d", kept);
	claim_ended(run_role("inherited", a, b), EXITED(0), "close-on-exec closes, others stay");
	close(closed);
	close(kept);
}

/* ---- wait4 and kill ---- */

static long wait4_raw(long pid, void *status, long options, void *usage)
{
	return kernel_call(SYS_wait4, pid, status, options, usage);
}

static void waiting(void)
{
	struct rusage usage;
	int status = -1;
	pid_t first, second;

	claim_result(wait4_raw(-1, &status, 0, NULL), -ECHILD, "wait4 without children: ECHILD");
	claim_result(wait4_raw(1, &status, 0, NULL), -ECHILD, "wait4 for no child of ours: ECHILD");
	claim_result(wait4_raw(-1, &status, 0x40, NULL), -EINVAL, "wait4, bad options: EINVAL");
	first = start_role("sleep", NULL);
	claim_result(
		wait4_raw(first, &status, WNOHANG, NULL), 0, "wait4 WNOHANG, still running: 0");
	claim_result(
		wait4_raw(-1, &status, WNOHANG, NULL), 0, "wait4 -1 WNOHANG, still running: 0");
	second = start_role("exit", "3", NULL);
	claim_result(wait4_raw(-1, &status, 0, NULL), second, "wait4 -1 gives the one that ended");
	claim_equal(status, EXITED(3), "wait4 -1: its status");
	claim_result(wait4_raw(second, &status, 0, NULL), -ECHILD, "wait4 again: ECHILD");
	kernel_call(SYS_kill, first, SIGKILL);
	memset(&usage, 0xee, sizeof usage);
	claim_result(wait4_raw(first, &status, 0, &usage), first, "wait4 for one pid");
	claim_equal(status, KILLED(SIGKILL), "wait4: killed by SIGKILL");
	claim(usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_sec < 100,
		"wait4: usage is filled in");
	first = start_role("nap", NULL);
	claim_result(wait4_raw(0, &status, 0, NULL), first, "wait4 0: any of the own group");
	first = start_role("exit", "0", NULL);
	claim_result(
		wait4_raw(first, NULL, 0, NULL), first, "wait4 without a place for the status");
	first = start_role("exit", "0", NULL);
	claim_result(wait4_raw(first, (void *)KERNEL, 0, NULL), -EFAULT, "wait4, status: EFAULT");
	claim_result(
		wait4_raw(-1, NULL, WNOHANG, NULL), -ECHILD, "wait4 after EFAULT: it was reaped");
	claim_ended(run_role("orphan"), EXITED(0), "a parent may end before its child");
}

static void end_by(const char *role, int number, const char *name)
{
	pid_t pid = start_role(role, NULL);

	sleep_ms(20);
	claim_result(kernel_call(SYS_kill, pid, number), 0, name);
	claim_ended(wait_status(pid), KILLED(number), name);
}

static void killing(void)
{
	siginfo_t info;
	pid_t pid;

	end_by("spin", SIGKILL, "kill SIGKILL ends one that spins");
	end_by("sleep", SIGKILL, "kill SIGKILL ends one that sleeps");
	end_by("spin", SIGTERM, "kill SIGTERM ends one that spins");
	end_by("sleep", SIGTERM, "kill SIGTERM ends one that sleeps");
	end_by("sleep", SIGSEGV, "kill SIGSEGV");
	end_by("sleep", SIGHUP, "kill SIGHUP");
	claim_result(kernel_call(SYS_kill, getpid(), 0), 0, "kill 0 to oneself");
	claim_result(kernel_call(SYS_kill, 999999, 0), -ESRCH, "kill, no such process: ESRCH");
	claim_result(kernel_call(SYS_kill, getpid(), 65), -EINVAL, "kill, signal 65: EINVAL");
	claim_result(kernel_call(SYS_kill, getpid(), -1), -EINVAL, "kill, signal -1: EINVAL");
	claim_result(kernel_call(SYS_kill, getpid(), SIGCHLD), 0, "kill SIGCHLD is ignored");
	pid = start_role("exit", "6", NULL);
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	claim_result(kernel_call(SYS_kill, pid, SIGKILL), 0, "kill reaches a zombie");
	claim_ended(wait_status(pid), EXITED(6), "and changes nothing of its status");
	claim_result(kernel_call(SYS_kill, pid, 0), -ESRCH, "kill after the reaping: ESRCH");
}

static void many(void)
{
	pid_t pids[20];
	int good = 0, sum = 0;

	for (int i = 0; i < 200; i++)
		good += run_role("exit", "11") == EXITED(11);
	claim_equal(good, 200, "200 children one after the other");
	for (size_t i = 0; i < COUNT(pids); i++)
		pids[i] = start_role("nap", NULL);
	for (size_t i = 0; i < COUNT(pids); i++)
		sum += wait_status(pids[i]) == EXITED(4);
	claim_equal(sum, COUNT(pids), "20 children at once");
}

static int raise_signal(int argc, char **argv)
{
	(void)argc;
	raise(atoi(argv[0]));
	return 0;
}

static int abort_now(int argc, char **argv)
{
	(void)argc, (void)argv;
	abort();
}

static void raising(void)
{
	claim_ended(run_role("raise", "9"), KILLED(SIGKILL), "raise(SIGKILL)");
	claim_ended(run_role("raise", "15"), KILLED(SIGTERM), "raise(SIGTERM)");
	claim_ended(run_role("raise", "17"), EXITED(0), "raise(SIGCHLD)");
	claim_ended(run_role("abort"), KILLED(SIGABRT), "abort()");
	claim_result(kernel_call(SYS_tkill, 0, 0), -EINVAL, "tkill of thread 0");
	claim_result(
		kernel_call(SYS_tgkill, getpid(), 0x7fffffff, 0), -ESRCH, "tgkill of no thread");
	claim_result(kernel_call(SYS_tgkill, getpid(), getpid(), 0), 0, "tgkill of oneself with 0");
	claim_result(kernel_call(SYS_tgkill, getpid(), getpid(), 65), -EINVAL, "tgkill with 65");
}

static void all(int argc, char **argv)
{
	vforking();
	exiting();
	exec_errors();
	exec_too_much();
	exec_arguments();
	exec_files();
	waiting();
	killing();
	raising();
	many();
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"exit", exit_with}, {"spin", spin},
		{"sleep", sleep_long}, {"nap", nap}, {"arguments", arguments},
		{"no-environment", no_environment}, {"count", count_arguments},
		{"inherited", inherited}, {"again", again}, {"orphan", leave_orphan},
		{"raise", raise_signal}, {"abort", abort_now}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
