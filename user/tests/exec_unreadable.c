/* SPDX-License-Identifier: MIT */
/* A program that the caller may run but not read: nobody looks into its process. */
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

static const struct test_case cases[] = {
	CASE(unreadable, "execve: a program that cannot be read is not dumpable"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

static const struct role roles[] = {{"dumpable", is_dumpable}};

int main(int argc, char **argv)
{
	return check_main(argc, argv, roles, COUNT(roles), all);
}
