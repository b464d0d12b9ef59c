/* SPDX-License-Identifier: MIT */
/* What the demos for memview share: a page more, slowly, so that one can watch it come. */
#ifndef DEMOS_PAGES_H
#define DEMOS_PAGES_H

#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE_SIZE   4096
#define PAGES_LIMIT 256 /* of one process: all demos together stay small */
#define TURN_MS     40

static inline void rest(long milliseconds)
{
	struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

	nanosleep(&time, NULL);
}

/* A page more at the end of the heap, written: NULL, there is none. */
static inline char *another_page(void)
{
	/* brk(2) itself: the C library keeps it from its callers. */
	char *page = (char *)syscall(SYS_brk, 0);

	if ((char *)syscall(SYS_brk, page + PAGE_SIZE) != page + PAGE_SIZE)
		return NULL;
	for (int i = 0; i < PAGE_SIZE; i += 64)
		page[i] = (char)getpid();
	return page;
}

/* Takes up to `limit` pages, `speed` in 10 of a turn at random, as many turns as that takes. How many. */
static inline int take_pages(int limit, int speed)
{
	int taken = 0;

	while (taken < limit) {
		if (rand() % 10 < speed) {
			if (!another_page())
				break;
			taken++;
		}
		rest(TURN_MS / 4);
	}
	return taken;
}

#endif
