/* SPDX-License-Identifier: MIT */
/*
 * Starting a program and saying how it ended, for init, the runner and the tests. vfork is enough:
 * the child borrows the parent's memory until execve, so the parent sees `error` written by it.
 */
#ifndef USER_SPAWN_H
#define USER_SPAWN_H

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starts `path` with argv (argv[0] included) and envp. The child's pid, or a negative errno:
 * vfork's or execve's; no child is left then. */
static inline pid_t spawn(const char *path, char *const argv[], char *const envp[])
{
	volatile int error = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		execve(path, argv, envp);
		error = errno;
		_exit(127);
	}
	if (pid < 0)
		return -errno;
	if (error) {
		waitpid(pid, NULL, 0);
		return -error;
	}
	return pid;
}

static inline const char *signal_name(int number)
{
	static const char *const names[] = {[SIGHUP] = "SIGHUP",
		[SIGINT] = "SIGINT",
		[SIGQUIT] = "SIGQUIT",
		[SIGILL] = "SIGILL",
		[SIGTRAP] = "SIGTRAP",
		[SIGABRT] = "SIGABRT",
		[SIGBUS] = "SIGBUS",
		[SIGFPE] = "SIGFPE",
		[SIGKILL] = "SIGKILL",
		[SIGUSR1] = "SIGUSR1",
		[SIGSEGV] = "SIGSEGV",
		[SIGUSR2] = "SIGUSR2",
		[SIGPIPE] = "SIGPIPE",
		[SIGALRM] = "SIGALRM",
		[SIGTERM] = "SIGTERM",
		[SIGSYS] = "SIGSYS"};

	if (number > 0 && number < (int)(sizeof names / sizeof *names) && names[number])
		return names[number];
	return "another signal";
}

/* "exited with 3" or "killed by SIGSEGV", of a status as wait4 gives it. */
static inline const char *how_it_ended(int status, char *text, size_t size)
{
	if (WIFEXITED(status))
		snprintf(text, size, "exited with %d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		snprintf(text, size, "killed by %s", signal_name(WTERMSIG(status)));
	else
		snprintf(text, size, "in a state unknown (status %#x)", (unsigned int)status);
	return text;
}

#endif
