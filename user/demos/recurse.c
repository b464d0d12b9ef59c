/* SPDX-License-Identifier: MIT */
/*
 * recurse: calls itself, a page of stack each time, and returns again. The stack grows downwards as it is touched; what it
 * has grown to stays, so the second time no page is new. Then it goes deeper.
 */
#include <string.h>

#include "pages.h"

static int descend(int depth)
{
	volatile char frame[PAGE_SIZE];

	frame[0] = (char)depth;
	frame[PAGE_SIZE - 1] = (char)depth;
	rest(TURN_MS);
	if (depth > 1 && descend(depth - 1) < 0)
		return -1;
	return frame[0] == (char)depth ? depth : -1;
}

int main(void)
{
	for (int depth = 32;; depth = depth < PAGES_LIMIT ? 2 * depth : 32) {
		if (descend(depth) < 0)
			return 1;
		rest(1000);
	}
}
