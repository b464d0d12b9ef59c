/* SPDX-License-Identifier: MIT */
/* See test.h. */
#include "test.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST_SECONDS 120 /* a test that takes longer hangs */

static unsigned passed, failed;
static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

void test_run(const char *name, void (*test)(void))
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child < 0) {
		perror("fork");
		exit(99);
	}
	if (!child) {
		alarm(TEST_SECONDS);
		test();
		fflush(NULL);
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || status != 0) {
		failed++;
		printf("not ok %s (status %#x)\n", name, (unsigned)status);
		return;
	}
	passed++;
	printf("ok %s\n", name);
}

bool test_panics(void (*run)(void), const char *words)
{
	char text[4096];
	size_t length = 0;
	ssize_t got;
	int pipes[2], status;
	pid_t child;

	fflush(NULL);
	if (pipe(pipes) || (child = fork()) < 0) {
		perror("test_panics");
		exit(99);
	}
	if (!child) {
		dup2(pipes[1], STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		run();
		_exit(0);
	}
	close(pipes[1]);
	while (length < sizeof(text) - 1 &&
		(got = read(pipes[0], text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	close(pipes[0]);
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(text, words))
		return true;
	fprintf(stderr, "expected a panic with \"%s\", status %#x, said: %s\n", words,
		(unsigned)status, text);
	return false;
}

int test_result(void)
{
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed;
}

void test_seed(uint64_t seed)
{
	random_state = seed ? seed : 1;
}

uint64_t test_random(uint64_t limit)
{
	return check_random(&random_state) % limit;
}
