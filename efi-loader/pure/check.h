/* SPDX-License-Identifier: MIT */
/* For the unit tests beside the pure files: a failed check tells its place and ends the test;
 * random numbers are the same in every run. */
#ifndef LOADER_CHECK_H
#define LOADER_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(truth)                                                                        \
	do {                                                                                \
		if (!(truth)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #truth); \
			exit(1);                                                            \
		}                                                                           \
	} while (0)

#define CHECK_EQUAL(found, expected)                                                        \
	do {                                                                                \
		unsigned long long f_ = (unsigned long long)(found);                        \
		unsigned long long e_ = (unsigned long long)(expected);                     \
		if (f_ != e_) {                                                             \
			fprintf(stderr, "%s:%d: %s is 0x%llx, expected 0x%llx\n", __FILE__, \
				__LINE__, #found, f_, e_);                                  \
			exit(1);                                                            \
		}                                                                           \
	} while (0)

#define CHECK_TEXT(found, expected)                                                         \
	do {                                                                                \
		if (strcmp(found, expected)) {                                              \
			fprintf(stderr, "%s:%d: %s is \"%s\", expected \"%s\"\n", __FILE__, \
				__LINE__, #found, found, expected);                         \
			exit(1);                                                            \
		}                                                                           \
	} while (0)

/* splitmix64 */
static inline uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

#endif
