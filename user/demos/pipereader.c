/* SPDX-License-Identifier: MIT */
/*
 * pipereader: reads what pipewriter wrote, slowly, and keeps the last PAGES_LIMIT pages of it in memory of its own.
 */
#include "pages.h"

int main(void)
{
	static char *kept[PAGES_LIMIT];

	for (unsigned count = 0;; count++) {
		char **page = &kept[count % PAGES_LIMIT];
		ssize_t got;

		if (!*page && !(*page = another_page()))
			return 1;
		got = read(STDIN_FILENO, *page, PAGE_SIZE);
		if (got <= 0)
			return got < 0;
		rest(2 * TURN_MS);
	}
}
