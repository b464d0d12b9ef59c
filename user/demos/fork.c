/* SPDX-License-Identifier: MIT */
/*
 * fork: fills some memory, then becomes four processes by forking twice. All four have the same pages, until one
 * writes: that one gets a copy. Each then writes over its inheritance page by page and takes more of its own.
 */
#include "pages.h"

#define INHERITED 96

int main(void)
{
	static char *inherited[INHERITED];
	int count = 0, speed = 1;

	while (count < INHERITED && (inherited[count] = another_page()))
		count++;
	rest(1500);
	if (fork() == 0)
		speed += 1;
	rest(1500);
	if (fork() == 0)
		speed += 2;
	rest(1500);
	srand((unsigned)getpid());
	for (int i = 0; i < count; i++) {
		*inherited[i] = (char)speed;
		rest(4 * TURN_MS / speed);
	}
	take_pages(PAGES_LIMIT - INHERITED, 2 * speed);
	for (;;)
		pause();
}
