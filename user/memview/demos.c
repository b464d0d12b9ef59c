/* SPDX-License-Identifier: MIT */
/*
 * The demos are programs of user/demos in /demos. Those of one key share a process group, which they hand down to
 * their children: so all of them can be stopped, held and told from others at once. memview is their subreaper: it gets
 * to hear of the end of each, and none is left when another demo starts.
 */
#include "demos.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "/demos/"
#define WORDS  3

/* Programs of one demo with their arguments; where there are two with a pipe, the first writes into it. */
static const struct demo {
	char key;
	const char *name, *tells;
	bool pipe;
	const char *programs[4][WORDS];
} demos[] = {
	{'a', "allocator",
		"Four take page after page, at different speeds. No page has two owners.", false,
		{{"allocator", "1"}, {"allocator", "2"}, {"allocator", "3"}, {"allocator", "4"}}},
	{'f', "fork", "One becomes four. C: shared until one of them writes, who then gets a copy.",
		false, {{"fork"}}},
	{'e', "forkexit",
		"They come and go; what they had is free again. What was not would be an L.", false,
		{{"forkexit"}}},
	{'p', "pipe", "One writes, one reads. What is between them is the kernel's: small objects.",
		true, {{"pipewriter"}, {"pipereader"}}},
	{'r', "recurse", "A page of stack for each call. What the stack has grown to, it keeps.",
		false, {{"recurse"}}},
	{'s', "spawn", "Programs start and end. Their code is there once (S), their data for each.",
		false, {{"spawn"}}},
};

static const struct demo *running;
static bool missing; /* its program */
static pid_t group;

static void become(const char *const *words, int in, int out)
{
	char path[64];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, group);
	if (in >= 0)
		dup2(in, 0);
	if (out >= 0)
		dup2(out, 1);
	snprintf(path, sizeof path, FOLDER "%s", words[0]);
	execv(path, (char *const *)words);
	_exit(127);
}

static void start_program(const char *const *words, int in, int out)
{
	pid_t pid = fork();

	if (pid == 0)
		become(words, in, out);
	if (pid < 0)
		return;
	setpgid(pid, group ? group : pid);
	if (!group)
		group = pid;
}

static void start_all(const struct demo *demo)
{
	int ends[2] = {-1, -1};

	if (demo->pipe && pipe(ends) < 0)
		return;
	for (unsigned i = 0; i < 4 && demo->programs[i][0]; i++)
		start_program(demo->programs[i], i == 1 ? ends[0] : -1, i == 0 ? ends[1] : -1);
	if (demo->pipe) {
		close(ends[0]);
		close(ends[1]);
	}
}

void demos_stop(void)
{
	if (group) {
		kill(-group, SIGKILL);
		/* A child that a fork was just making when its parent died comes to us. */
		while (waitpid(-group, NULL, 0) > 0 || errno == EINTR)
			;
	}
	group = 0;
	running = NULL;
}

static const struct demo *demo_of(char key)
{
	for (unsigned i = 0; i < sizeof demos / sizeof *demos; i++) {
		if (demos[i].key == key)
			return &demos[i];
	}
	return NULL;
}

bool demos_know(char key)
{
	return demo_of(key);
}

bool demos_start(char key)
{
	const struct demo *demo = demo_of(key);
	char path[64];

	if (!demo)
		return false;
	demos_stop();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	running = demo;
	snprintf(path, sizeof path, FOLDER "%s", demo->programs[0][0]);
	missing = access(path, X_OK) != 0;
	if (!missing)
		start_all(demo);
	return true;
}

const char *demos_tells(void)
{
	if (running && missing)
		return "Its program is not in " FOLDER
		       ": the archive memview.cpio brings it along.";
	return running ? running->tells : "";
}

const char *demos_name(void)
{
	return running ? running->name : "";
}

bool demos_has(pid_t pid)
{
	return group && getpgid(pid) == group;
}

void demos_hold(bool still)
{
	if (group)
		kill(-group, still ? SIGSTOP : SIGCONT);
}

void demos_reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}
