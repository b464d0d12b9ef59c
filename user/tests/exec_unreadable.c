/* SPDX-License-Identifier: MIT */
/* A program that the caller may run but not read: nobody looks into its process. */
#include <sys/ptrace.h>
#include <sys/stat.h>

#include "cases.h"

static char copy[64];

static void copy_self(mode_t mode)
{
	static char block[65536];
	int from = open(check.self, O_RDONLY), to = open(copy, O_CREAT | O_WRONLY | O_TRUNC, 0700);
	ssize_t got;

	WANT(from >= 0 && to >= 0);
	while ((got = read(from, block, sizeof block)) > 0)
		WANT_IS(write(to, block, (size_t)got), got);
	WANT_IS(fchmod(to, mode), 0);
	close(from);
	close(to);
}

static int is_dumpable(int argc, char **argv)
{
	return 10 + prctl(PR_GET_DUMPABLE);
}

static int run_as_nobody(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		become_nobody();
		execl(copy, copy, "--role", "dumpable", NULL);
		_exit(1);
	}
	status = ended(pid);
	return WEXITSTATUS(status);
}

static void unreadable(void)
{
	if (geteuid())
		return;
	snprintf(copy, sizeof copy, "/tmp/exec-unreadable-%d", (int)getpid());
	copy_self(0711);
	WANT_IS(run_as_nobody(), 10);
	copy_self(0755);
	WANT_IS(run_as_nobody(), 11);
	unlink(copy);
}

/* ---- By ptrace ---- */

static const char secret[32] = "a word in the program's text";

static int just_ends(int argc, char **argv)
{
	return secret[0] == 'a' ? 0 : 1;
}

/* Of the child, which is in its stop after execve. */
static void look_inside(pid_t pid, long expected)
{
	static const int peeks[] = {PTRACE_PEEKTEXT, PTRACE_PEEKDATA};
	static const int pokes[] = {PTRACE_POKETEXT, PTRACE_POKEDATA};
	long word, own, moved = kernel_call(SYS_ptrace, PTRACE_PEEKUSER, pid, 0, &word);

	WANT_IS(moved, 0); /* its registers are no secret */
	memcpy(&own, secret, sizeof own);
	for (size_t i = 0; i < COUNT(peeks); i++) {
		word = 0;
		WANT_IS(kernel_call(SYS_ptrace, peeks[i], pid, secret, &word), expected);
		WANT_IS(word, expected ? 0 : own);
		WANT_IS(kernel_call(SYS_ptrace, pokes[i], pid, secret, own), expected);
	}
}

/* A traced child executes the copy, as nobody from before the tracing or after it began. */
static void trace_copy(bool nobody_before, long expected)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (nobody_before)
			become_nobody();
		WANT_IS(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
		become_nobody();
		execl(copy, copy, "--role", "just-ends", NULL);
		_exit(9);
	}
	WANT_IS(waitpid(pid, &status, 0), pid);
	WANT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	look_inside(pid, expected);
	WANT_IS(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
	WANT_ENDS(pid, 0);
}

static void trace_as_nobody(mode_t mode, long expected)
{
	pid_t pid;

	copy_self(mode);
	pid = fork();
	if (pid == 0) {
		become_nobody();
		trace_copy(true, expected);
		_exit(0);
	}
	WANT_ENDS(pid, 0);
}

static void traced(void)
{
	if (geteuid())
		return;
	snprintf(copy, sizeof copy, "/tmp/exec-traced-%d", (int)getpid());
	trace_as_nobody(0711, -EIO);
	trace_as_nobody(0755, 0);
	unlink(copy);
}

/* What counts is who could trace anybody when the tracing began: PTRACE_TRACEME asks who is traced. */
static void traced_with_rights(void)
{
	if (geteuid())
		return;
	snprintf(copy, sizeof copy, "/tmp/exec-rights-%d", (int)getpid());
	copy_self(0711);
	trace_copy(false, 0);
	trace_copy(true, -EIO);
	unlink(copy);
}

/* ---- By files of /proc that were opened before ---- */

#define TELLS 100 /* the descriptor by which it tells that it runs */

static struct gate gate, back;

static int stays(int argc, char **argv)
{
	WANT_IS(write(TELLS, "x", 1), 1);
	return pause();
}

static void read_later(void)
{
	static const struct {
		const char *name;
		long expected;
	} files[] = {{"syscall", -EPERM}, {"personality", -EPERM}, {"io", -EACCES}, {"maps", 0},
		{"environ", 0}};
	int fds[COUNT(files)];
	char path[64], text[256];
	pid_t pid;

	become_nobody();
	WANT_IS(prctl(PR_SET_DUMPABLE, 1), 0);
	pid = fork();
	if (pid == 0) {
		wait_gate(gate);
		WANT_IS(dup2(back.out, TELLS), TELLS);
		execl(copy, copy, "--role", "stays", NULL);
		_exit(9);
	}
	for (size_t i = 0; i < COUNT(files); i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, files[i].name);
		fds[i] = open(path, O_RDONLY);
		WANT(fds[i] >= 0);
	}
	WANT(kernel_call(SYS_read, fds[2], text, sizeof text) > 0);
	open_gate(gate);
	wait_gate(back);
	for (size_t i = 0; i < COUNT(files); i++)
		WANT_IS(kernel_call(SYS_pread64, fds[i], text, sizeof text, 0), files[i].expected);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_ENDS(pid, SIGKILL);
}

static void opened_before(void)
{
	pid_t pid;

	if (geteuid())
		return;
	snprintf(copy, sizeof copy, "/tmp/exec-opened-%d", (int)getpid());
	copy_self(0711);
	gate = make_gate();
	back = make_gate();
	pid = fork();
	if (pid == 0) {
		read_later();
		_exit(0);
	}
	WANT_ENDS(pid, 0);
	unlink(copy);
}

static const struct test_case cases[] = {
	CASE(unreadable, "execve: a program that cannot be read is not dumpable"),
	CASE(traced, "ptrace: memory of a program that its tracer cannot read: EIO"),
	CASE(traced_with_rights, "ptrace: but for who could trace anybody when it began"),
	CASE(opened_before, "/proc/PID/syscall, personality, io: asked at each reading who may"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

static const struct role roles[] = {
	{"dumpable", is_dumpable}, {"just-ends", just_ends}, {"stays", stays}};

int main(int argc, char **argv)
{
	return check_main(argc, argv, roles, COUNT(roles), all);
}
