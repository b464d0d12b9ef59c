/* SPDX-License-Identifier: MIT */
/*
 * Runs programs one after the other and says how each ended; for tools/command/selftests.py.
 *
 *	selftest-runner FILE		a line each: SECONDS PROGRAM [ARGUMENT...]
 *
 * What a program writes comes out between `== begin PROGRAM` and `== end PROGRAM: exited N`, `killed N`
 * or `time-out`. One that runs too long is killed with its process group.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS 12

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The child's status, or -1: it was still running after so many seconds, and is killed. */
static int wait_for(pid_t pid, double seconds)
{
	const struct timespec pause = {0, 10000000};
	const double end = now() + seconds;
	int status;
	pid_t ended;

	while ((ended = waitpid(pid, &status, WNOHANG)) != pid) {
		if (ended < 0 && errno != EINTR)
			return -1;
		if (now() > end) {
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -1;
		}
		nanosleep(&pause, NULL);
	}
	return status;
}

static void run(char **words, double seconds)
{
	pid_t pid;
	int status;

	printf("\n== begin %s\n", words[0]);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		dup2(1, 2);
		execv(words[0], words);
		fprintf(stderr, "cannot run: %s\n", strerror(errno));
		_exit(127);
	}
	status = pid < 0 ? -1 : wait_for(pid, seconds);
	printf("\n== end %s: ", words[0]);
	if (pid < 0)
		printf("cannot fork: %s\n", strerror(errno));
	else if (status < 0)
		printf("time-out\n");
	else if (WIFSIGNALED(status))
		printf("killed %d\n", WTERMSIG(status));
	else
		printf("exited %d\n", WEXITSTATUS(status));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	FILE *list = argc == 2 ? fopen(argv[1], "re") : NULL;
	char line[512];

	if (!list) {
		fprintf(stderr, "usage: selftest-runner FILE\n");
		return 2;
	}
	while (fgets(line, sizeof line, list)) {
		char *words[WORDS] = {strtok(line, " \n")};

		for (int i = 1; i < WORDS - 1 && words[i - 1]; i++)
			words[i] = strtok(NULL, " \n");
		if (words[0] && words[1])
			run(words + 1, atof(words[0]));
	}
	return 0;
}
