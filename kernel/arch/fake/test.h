/* SPDX-License-Identifier: MIT */
/*
 * A small frame around lib/check.h for unit tests that need the fake machine. Each test runs in a
 * child process, so that it finds the static state of what it tests fresh.
 *
 *	static void test_this(void) { CHECK(1 + 1 == 2); }
 *	int main(void) { RUN(test_this); return test_result(); }
 */
#ifndef FAKE_TEST_H
#define FAKE_TEST_H

#include "lib/check.h"
#include "lib/types.h"

#define RUN(test) test_run(#test, test)

void test_run(const char *name, void (*test)(void));
/* Whether run() ends the process by a panic whose text contains `words`. It runs in a child, but
 * on the same RAM, which it may leave broken: the last step of a test. */
bool test_panics(void (*run)(void), const char *words);
int test_result(void); /* what main returns: 0 when all held */

/* A fixed sequence of numbers below `limit`: the same in every run. */
uint64_t test_random(uint64_t limit);
void test_seed(uint64_t seed);

#endif
