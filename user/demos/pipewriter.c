/* SPDX-License-Identifier: MIT */
/*
 * pipewriter: writes a page of letters into standard output, a pipe, again and again, a little faster than pipereader reads.
 * The pages between the two are the kernel's: the pipe fills up, and then the writer waits.
 */
#include <string.h>

#include "pages.h"

int main(void)
{
	char *page = another_page();
	char letter = 'a';

	if (!page)
		return 1;
	for (;;) {
		memset(page, letter, PAGE_SIZE);
		if (write(STDOUT_FILENO, page, PAGE_SIZE) < 0)
			return 1;
		letter = letter == 'z' ? 'a' : (char)(letter + 1);
		rest(TURN_MS);
	}
}
