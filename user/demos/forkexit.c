/* SPDX-License-Identifier: MIT */
/*
 * forkexit: never rests. Processes fork, take some pages and end again; all that they had becomes free and goes to the next
 * ones. If ever a page were forgotten it would stay behind, and memview would show it as leaked.
 */
#include <sys/wait.h>

#include "pages.h"

#define CHILDREN 5

static void live(void)
{
	srand((unsigned)getpid());
	if (rand() % 3 == 0 && fork() == 0)
		srand((unsigned)getpid());
	take_pages(20 + rand() % 60, 3 + rand() % 7);
	_exit(0);
}

int main(void)
{
	int children = 0;

	for (;;) {
		pid_t pid = children < CHILDREN ? fork() : -1;

		if (pid == 0)
			live();
		if (pid > 0)
			children++;
		while (children && waitpid(-1, NULL, WNOHANG) > 0)
			children--;
		rest(2 * TURN_MS);
	}
}
