/* SPDX-License-Identifier: MIT */
/*
 * spawn: starts other programs, allocators at rising speed, and ends the oldest of them when there are four. Each execve gives a
 * process new memory, while the pages of the program's file are shared by all who run it.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "pages.h"

#define CHILDREN 4
#define PROGRAM  "/demos/allocator"

int main(void)
{
	pid_t children[CHILDREN] = {0};

	for (unsigned turn = 0;; turn++) {
		pid_t *child = &children[turn % CHILDREN];
		char speed[12];

		if (*child > 0) {
			kill(*child, SIGKILL);
			waitpid(*child, NULL, 0);
		}
		snprintf(speed, sizeof speed, "%u", 1 + turn % 5);
		*child = fork();
		if (*child == 0) {
			execl(PROGRAM, "allocator", speed, (char *)NULL);
			_exit(127);
		}
		rest(2000);
	}
}
