/* SPDX-License-Identifier: MIT */
/*
 * What is checked of rights, and changes meanwhile: who begins to trace a program just when it becomes a set-user-ID
 * one, changes the mode of a file, or executes it, just when that becomes root's. Root is needed, which gives the files
 * away and takes them back. Nothing shows on one CPU.
 */
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

#include "cases.h"

#define A 1001u
#define B 1002u

static char made[64];
static volatile int *common;

static int looks(int argc, char **argv)
{
	return geteuid() == 0;
}

static void copy_self(void)
{
	static char buffer[65536];
	int from = open(check.self, O_RDONLY | O_CLOEXEC), to;
	ssize_t got;

	unlink(made);
	to = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	WANT(from >= 0 && to >= 0);
	while ((got = read(from, buffer, sizeof buffer)) > 0)
		WANT_IS(write(to, buffer, (size_t)got), got);
	close(from);
	WANT_IS(fchmod(to, 04755), 0);
	close(to);
}

static void become(unsigned int id)
{
	WANT_IS(kernel_call(SYS_setresgid, id, id, id), 0);
	WANT_IS(kernel_call(SYS_setresuid, id, id, id), 0);
	WANT_IS(prctl(PR_SET_DUMPABLE, 1), 0);
}

static void spin(unsigned int count)
{
	for (volatile unsigned int i = 0; i < count; i++)
		;
}

/* ---- Tracing ---- */

#define TRACED 600u

/* Its child executes a set-user-ID program; its own look begins some time after that call. Whether it traces root. */
static bool traces_root(unsigned int later)
{
	char *argv[] = {made, "--role", "looks", NULL};
	int status;
	pid_t pid;

	*common = 0;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_DUMPABLE, 1);
		*common = 1;
		execve(made, argv, environ);
		_exit(99);
	}
	while (!*common)
		sched_yield();
	spin(later);
	if (kernel_call(SYS_ptrace, PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXIT) != 0) {
		(void)ended(pid);
		return false;
	}
	/* It stops before it ends. */
	WANT_IS(waitpid(pid, &status, __WALL), pid);
	if (WIFSTOPPED(status)) {
		WANT_IS(kernel_call(SYS_ptrace, PTRACE_CONT, pid, 0, 0), 0);
		WANT_IS(waitpid(pid, &status, __WALL), pid);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static void attach_and_execve(void)
{
	common = shared_memory(4096);
	copy_self();
	become(A);
	for (unsigned int i = 0; i < TRACED; i++)
		WANT(!traces_root(i * 37 % TRACED * 100));
}

/* ---- Memory ---- */

#define OPENED 1500u
#define TELLS \
	100 /* the descriptors by which the program says that it runs, and hears that it may end */
#define HEARS 101

static char word[16];

static int keeps(int argc, char **argv)
{
	char c;

	if (geteuid() == 0)
		strcpy(word, "of root");
	WANT_IS(write(TELLS, "x", 1), 1);
	WANT_IS(read(HEARS, &c, 1), 0);
	return 0;
}

static pid_t start_keeping(int tells, int hears)
{
	char *argv[] = {made, "--role", "keeps", NULL};
	pid_t pid;

	*common = 0;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_DUMPABLE, 1);
		WANT_IS(dup2(tells, TELLS), TELLS);
		WANT_IS(dup2(hears, HEARS), HEARS);
		while (!*common)
			sched_yield();
		execve(made, argv, environ);
		_exit(99);
	}
	return pid;
}

/* Opens its memory until that is refused, and reads by the last that was not. */
static bool sees_word(void)
{
	int tells[2], hears[2], fd, last = -1;
	char path[32], found[sizeof word] = "";
	pid_t pid;

	WANT_IS(pipe2(tells, O_CLOEXEC), 0);
	WANT_IS(pipe2(hears, O_CLOEXEC), 0);
	pid = start_keeping(tells[1], hears[0]);
	snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
	*common = 1;
	while ((fd = open(path, O_RDWR | O_CLOEXEC)) >= 0) {
		close(last);
		last = fd;
	}
	WANT_IS(read(tells[0], found, 1), 1);
	(void)kernel_call(SYS_pread64, last, found, sizeof found, word);
	for (size_t i = 0; i < 2; i++) {
		close(tells[i]);
		close(hears[i]);
	}
	close(last);
	WANT_ENDS(pid, 0);
	return strcmp(found, "of root") == 0;
}

static void open_and_execve(void)
{
	common = shared_memory(4096);
	copy_self();
	become(A);
	for (unsigned int i = 0; i < OPENED; i++)
		WANT(!sees_word());
}

/* ---- Ownership ---- */

#define GIVEN 10000u

static volatile bool over;
static volatile unsigned int changes;

static void *set_bit(void *unused)
{
	WANT_IS(kernel_call(SYS_setresuid, A, A, A), 0);
	while (!over)
		changes += chmod(made, 04755) == 0;
	return NULL;
}

static void chown_and_chmod(void)
{
	pthread_t threads[2];
	struct stat told;

	copy_self();
	for (unsigned int i = 0; i < COUNT(threads); i++)
		WANT_IS(pthread_create(&threads[i], NULL, set_bit, NULL), 0);
	for (unsigned int i = 0; i < GIVEN; i++) {
		unsigned int before = changes;

		WANT_IS(chown(made, A, A), 0);
		for (unsigned int j = 0; j < 100000 && changes == before; j++)
			;
		WANT_IS(chown(made, 0, 0), 0);
		spin(300);
		WANT_IS(stat(made, &told), 0);
		WANT_IS(told.st_mode & S_ISUID, 0);
	}
	over = true;
	for (unsigned int i = 0; i < COUNT(threads); i++)
		WANT_IS(pthread_join(threads[i], NULL), 0);
}

#define EXECUTED 4000u

/* A's program with A's bit becomes root's without, and A's again. */
static void give_and_take(void)
{
	for (unsigned int i = 0; !*common; i++) {
		WANT_IS(chown(made, A, A), 0);
		WANT_IS(chmod(made, 04755), 0);
		spin(i % 64 * 8);
		WANT_IS(chown(made, 0, 0), 0);
		spin(100);
	}
	_exit(0);
}

static void chown_and_execve(void)
{
	char *argv[] = {made, "--role", "looks", NULL};
	pid_t giver, pid;

	common = shared_memory(4096);
	copy_self();
	WANT_IS(chown(made, A, A), 0);
	giver = fork();
	if (giver == 0)
		give_and_take();
	for (unsigned int i = 0; i < EXECUTED; i++) {
		pid = vfork();
		if (pid == 0) {
			kernel_call(SYS_setresuid, B, B, B);
			execve(made, argv, environ);
			_exit(99);
		}
		WANT_IS(ended(pid), 0);
	}
	*common = 1;
	WANT_ENDS(giver, 0);
}

static const struct test_case cases[] = {
	CASE(attach_and_execve,
		"who begins to trace while a set-user-ID program is executed gains nothing"),
	CASE(open_and_execve, "who opens /proc/PID/mem meanwhile has not the new program's memory"),
	CASE(chown_and_chmod, "who gave a file away sets no set-user-ID bit of it any more"),
	CASE(chown_and_execve, "no program has both the bit of one owner and the id of the next"),
};

static void all(int argc, char **argv)
{
	snprintf(made, sizeof made, "/tmp/baton-rights-%d", getpid());
	run_cases(cases, COUNT(cases), argc, argv);
	unlink(made);
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"looks", looks}, {"keeps", keeps}};

	if (argc < 2 && geteuid() != 0) {
		printf("# rights-races: skipped: only root can become others\n");
		return 77;
	}
	return check_main(argc, argv, roles, COUNT(roles), all);
}
