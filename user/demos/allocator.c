/* SPDX-License-Identifier: MIT */
/*
 * allocator SPEED: takes page after page of memory until it has its share, then rests. memview starts four of them at
 * the speeds 1 to 4. Each page is its own: no two processes ever have the same one.
 */
#include "pages.h"

int main(int argc, char **argv)
{
	int speed = argc > 1 ? atoi(argv[1]) : 1;

	srand((unsigned)getpid());
	take_pages(PAGES_LIMIT, speed < 1 ? 1 : 2 * speed);
	for (;;)
		pause();
}
