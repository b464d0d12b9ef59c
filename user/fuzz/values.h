/* SPDX-License-Identifier: MIT */
/* What values.c keeps its lists in. */
#ifndef USER_FUZZ_VALUES_H
#define USER_FUZZ_VALUES_H

#include <stdint.h>

#define SIGCHLD_NUMBER 17
#define FDS_USUAL      24 /* descriptors that a worker opens at each refresh, from 3 on */

/* ONE: one of them; SOME: an or of up to three. */
enum values_how { ONE, SOME };

struct values {
	enum values_how how;
	unsigned count;
	const int64_t *list;
};

#endif
