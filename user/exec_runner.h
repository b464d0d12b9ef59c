/* SPDX-License-Identifier: MIT */
/* What the two ways of running a program for `tools/baton exec` share; see exec_runner.c. */
#ifndef USER_EXEC_RUNNER_H
#define USER_EXEC_RUNNER_H

#include <stdbool.h>
#include <sys/types.h>

/* What to run. The strings live until the process ends. */
struct exec_spec {
	char *path;
	char **argv, **envp; /* NULL-terminated */
	bool tty;            /* fds 0-2 are one terminal instead of three pipes */
	bool init;           /* the program is process 1 itself */
	bool traced;         /* its system calls are to be reported */
	const char *tracer;  /* the file by which that begins; NULL: there is none */
};

/* Why a program did not start. */
struct exec_failure {
	int error;       /* errno */
	const char *did; /* what was being done */
};

/* Makes this process the program: own session, fds 0-2 from `stdio`, or all three from the terminal
 * at tty_path, which becomes the controlling one. Returns only on failure, which it describes. */
struct exec_failure become(const struct exec_spec *spec, const int stdio[3], const char *tty_path);

/* Starts it as a child: its pid, or -1 and *failure. */
pid_t start(const struct exec_spec *spec, const int stdio[3], const char *tty_path,
	struct exec_failure *failure);

/* The wait status that stands for a program that could not be started (POSIX shells' 126 and 127). */
int failure_status(const struct exec_failure *failure);

/* "cannot ...: why" after the four bytes of errno, as CHANNEL_FAILED carries it; its length. */
size_t failure_message(const struct exec_spec *spec, const struct exec_failure *failure,
	unsigned char *message, size_t size);

/* The Linux side (exec_linux.c): makes /dev and its kin as process 1, and runs `spec` with its
 * standard files carried in frames over a serial line. Return: 0, or 1 after a message on fd 2. */
int linux_prepare(void);
int linux_run(const struct exec_spec *spec, const char *serial);

#endif
