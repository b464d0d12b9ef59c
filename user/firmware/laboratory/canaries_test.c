/* SPDX-License-Identifier: MIT */
/* Canaries over made-up pages: what changes is found, at its place, once, by the look that has to find it. */
#include "canaries.h"

#include <stdio.h>
#include <string.h>

#define CHECK_EQUAL(found, expected) expect(#found, (uint64_t)(found), (uint64_t)(expected))
#define CHECK(claim)                 expect(#claim, !!(claim), 1)
#define PAGES                        200u
#define BASE                         UINT64_C(0x1000000)
#define LONELY                       7u /* pages from this one on lie elsewhere */

static uint64_t memory[PAGES][CANARY_PAGE / 8], phys[PAGES];
static uint8_t near[PAGES];
static struct canaries canaries;
static struct evidence_canary told[CANARY_RUNS + CANARY_BROKEN];

static unsigned failures;

static void expect(const char *what, uint64_t found, uint64_t expected)
{
	if (found != expected) {
		printf("%s: %#llx, expected %#llx\n", what, (unsigned long long)found,
			(unsigned long long)expected);
		failures++;
	}
}

static void start(void)
{
	canaries = (struct canaries){.memory = memory, .phys = phys, .near = near, .count = PAGES};
	memset(near, 0, sizeof near);
	for (unsigned i = 0; i < PAGES; i++) /* from above, as an allocator may give them */
		phys[i] = BASE + (PAGES - i) * CANARY_PAGE + (i < LONELY ? 0x100000 : 0);
	canaries_fill(&canaries);
}

static void spoil(unsigned page, unsigned at, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		((uint8_t *)memory[page])[at + i] ^= 0x41;
}

static void test_whole(void)
{
	start();
	for (unsigned i = 0; i < 2 * CANARY_SAMPLE; i++)
		canaries_look(&canaries, 3);
	canaries_look_at_all(&canaries, 3);
	CHECK_EQUAL(canaries_tell(&canaries, told), 2);
	CHECK_EQUAL(told[0].size + told[1].size, PAGES * CANARY_PAGE);
	CHECK_EQUAL(told[0].base, BASE + CANARY_PAGE);
	CHECK_EQUAL(told[1].base, BASE + (PAGES - LONELY + 1) * CANARY_PAGE + 0x100000);
	CHECK(!told[0].changed && !told[1].changed && told[0].service == UINT32_MAX);
}

static void test_changed(void)
{
	size_t count;

	start();
	spoil(100, 4093, 3);
	canaries_look_at_all(&canaries, 6);
	canaries_look_at_all(&canaries, 7);
	CHECK_EQUAL(canaries.broken_count, 1);
	count = canaries_tell(&canaries, told);
	CHECK_EQUAL(count, 3);
	CHECK_EQUAL(told[2].base, BASE + (PAGES - 100) * CANARY_PAGE);
	CHECK_EQUAL(told[2].first, told[2].base + 4093);
	CHECK_EQUAL(told[2].changed, 3);
	CHECK_EQUAL(told[2].service, 6);
}

/* Each page within a round of samples; a neighbour and, where it is asked for, everything at once. */
static void test_sample(void)
{
	start();
	for (unsigned page = 0; page < PAGES; page++)
		spoil(page, 8, 1);
	for (unsigned i = 0; i < CANARY_SAMPLE - 1; i++)
		canaries_look(&canaries, 1);
	CHECK_EQUAL(canaries.broken_count, CANARY_BROKEN);
	start();
	spoil(130, 0, 1);
	for (unsigned i = 0; i < CANARY_SAMPLE; i++)
		canaries_look(&canaries, i);
	CHECK_EQUAL(canaries.broken_count, 1);
	CHECK_EQUAL(canaries.broken[0].service, 130 % CANARY_SAMPLE);
	start();
	near[131] = 1;
	spoil(131, 0, 1);
	canaries_look(&canaries, 0);
	CHECK_EQUAL(canaries.broken_count, 1);
	start();
	canaries.thorough = true;
	spoil(150, 0, 1);
	canaries_look(&canaries, 0);
	CHECK_EQUAL(canaries.broken_count, 1);
}

int main(void)
{
	test_whole();
	test_changed();
	test_sample();
	printf("%s\n", failures ? "failed" : "passed");
	return failures != 0;
}
