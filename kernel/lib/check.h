/* SPDX-License-Identifier: MIT */
/* What unit tests say things with (host only). A failed check says where and what, and ends the test
 * with status 1. check_done prints how many there were. */
#ifndef LIB_CHECK_H
#define LIB_CHECK_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long check_count_;

#define CHECK(condition)                                                                        \
	do {                                                                                    \
		check_count_++;                                                                 \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                                \
		}                                                                               \
	} while (0)

#define CHECK_EQUAL(found, expected)                                                             \
	do {                                                                                     \
		int64_t found_ = (int64_t)(found), expected_ = (int64_t)(expected);              \
		check_count_++;                                                                  \
		if (found_ != expected_) {                                                       \
			fprintf(stderr,                                                          \
				"%s:%d: %s: found %" PRId64 " (%#" PRIx64 "), expected %" PRId64 \
				" (%#" PRIx64 ")\n",                                             \
				__FILE__, __LINE__, #found, found_, (uint64_t)found_, expected_, \
				(uint64_t)expected_);                                            \
			exit(1);                                                                 \
		}                                                                                \
	} while (0)

#define CHECK_STRING(found, expected)                                                           \
	do {                                                                                    \
		const char *found_ = (found), *expected_ = (expected);                          \
		check_count_++;                                                                 \
		if (!found_ || strcmp(found_, expected_)) {                                     \
			fprintf(stderr, "%s:%d: %s: found \"%s\", expected \"%s\"\n", __FILE__, \
				__LINE__, #found, found_ ? found_ : "(null)", expected_);       \
			exit(1);                                                                \
		}                                                                               \
	} while (0)

static inline int check_done(void)
{
	printf("%lu checks held\n", check_count_);
	return check_count_ ? 0 : 1;
}

/* xorshift64*: the same numbers on every run. */
static inline uint64_t check_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

#endif
