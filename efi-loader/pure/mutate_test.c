/* SPDX-License-Identifier: MIT */
/* Every mutant differs from the original in eight bytes at most (and the CRC), is the same again by the same seed, and
 * writes nowhere else: the sanitizers watch. */
#include "mutate.h"

#include "check.h"
#include "seal.h"

#include <stdlib.h>

#define ENTRIES 5u
#define ROUNDS  20000u

static struct handoff_memory good_map[ENTRIES];
static const char good_line[] = "quiet hz=100";
static struct handoff good;

static size_t differences(const void *a, const void *b, size_t size)
{
	const char *x = a, *y = b;
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += x[i] != y[i];
	return n;
}

struct spoilt {
	struct handoff h;
	struct handoff_memory map[ENTRIES];
	char line[sizeof(good_line)];
};

static struct spoilt *spoil(uint32_t seed)
{
	struct spoilt *s = malloc(sizeof(*s));

	s->h = good;
	memcpy(s->map, good_map, sizeof(good_map));
	memcpy(s->line, good_line, sizeof(good_line));
	handoff_mutate(&s->h, s->map, s->line, seed);
	return s;
}

int main(void)
{
	static struct complaint why;
	unsigned sealed = 0, in_map = 0, in_line = 0, in_structure = 0;

	good.memory.size = sizeof(good_map);
	good.command_line.size = sizeof(good_line) - 1;
	handoff_seal(&good, "0.1.0-0123456789ab");
	for (uint32_t seed = 1; seed <= ROUNDS; seed++) {
		struct spoilt *a = spoil(seed), *b = spoil(seed);
		size_t map = differences(a->map, good_map, sizeof(good_map));
		size_t line = differences(a->line, good_line, sizeof(good_line));

		CHECK(!memcmp(&a->h, &b->h, sizeof(a->h)) &&
			!memcmp(a->map, b->map, sizeof(a->map)) &&
			!memcmp(a->line, b->line, sizeof(a->line)));
		a->h.crc32 = good.crc32;
		CHECK(differences(&a->h, &good, sizeof(good)) + map + line <= 8);
		CHECK(!a->line[sizeof(good_line) - 1]);
		in_map += map != 0;
		in_line += line != 0;
		in_structure += differences(&a->h, &good, sizeof(good)) != 0;
		sealed += handoff_verify(&b->h, sizeof(b->h), &why) == VERDICT_OK;
		free(a);
		free(b);
	}
	CHECK(in_map > ROUNDS / 8 && in_line > ROUNDS / 32 && in_structure > ROUNDS / 2);
	CHECK(sealed > ROUNDS / 2 && sealed < ROUNDS);
	printf("%u mutants, %u with a right CRC\n", ROUNDS, sealed);
	return 0;
}
