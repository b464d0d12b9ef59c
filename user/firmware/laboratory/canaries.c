/* SPDX-License-Identifier: MIT */
/*
 * Canaries: what a firmware does in System Management Mode, or a device that it left running, no page table stops and no
 * trap tells. It shows in memory that nobody may change: free RAM, freed boot-services memory among it, filled with
 * words that each depend on their place. A page that changed is told once, with the call after which it was seen, and filled
 * again. Pure, but for the memory.
 */
#include "canaries.h"

#include <stdlib.h>

#define WORDS (CANARY_PAGE / sizeof(uint64_t))
#define STEP  UINT64_C(0x9e3779b97f4a7c15)

static void fill_page(struct canaries *c, size_t page)
{
	uint64_t word = c->phys[page] * STEP;

	for (size_t i = 0; i < WORDS; i++, word += STEP)
		c->memory[page][i] = word;
}

void canaries_fill(struct canaries *c)
{
	for (size_t page = 0; page < c->count; page++)
		fill_page(c, page);
}

static void tell_change(struct canaries *c, size_t page, uint32_t service)
{
	struct evidence_canary found = {
		.base = c->phys[page], .size = CANARY_PAGE, .service = service};
	uint64_t word = c->phys[page] * STEP;

	for (size_t i = 0; i < CANARY_PAGE; i++, word += i % 8 ? 0 : STEP) {
		if (((const uint8_t *)c->memory[page])[i] == (uint8_t)(word >> (8 * (i % 8))))
			continue;
		if (!found.changed++)
			found.first = found.base + i;
	}
	if (c->broken_count < CANARY_BROKEN)
		c->broken[c->broken_count++] = found;
	fill_page(c, page);
}

static void look(struct canaries *c, size_t page, uint32_t service)
{
	const volatile uint64_t *memory = c->memory[page];
	uint64_t word = c->phys[page] * STEP, wrong = 0;

	for (size_t i = 0; i < WORDS; i++, word += STEP)
		wrong |= memory[i] ^ word;
	if (wrong)
		tell_change(c, page, service);
}

void canaries_look_at_all(struct canaries *c, uint32_t service)
{
	for (size_t page = 0; page < c->count; page++)
		look(c, page, service);
}

void canaries_look(struct canaries *c, uint32_t service)
{
	if (c->thorough) {
		canaries_look_at_all(c, service);
		return;
	}
	for (size_t page = 0; page < c->count; page++)
		if (c->near[page] || page % CANARY_SAMPLE == c->turn)
			look(c, page, service);
	c->turn = (c->turn + 1) % CANARY_SAMPLE;
}

static int by_place(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return one < other ? -1 : one > other;
}

size_t canaries_tell(struct canaries *c, struct evidence_canary *out)
{
	size_t runs = 0;

	qsort(c->phys, c->count, sizeof c->phys[0], by_place);
	for (size_t page = 0; page < c->count; page++) {
		if (runs && out[runs - 1].base + out[runs - 1].size == c->phys[page])
			out[runs - 1].size += CANARY_PAGE;
		else if (runs < CANARY_RUNS)
			out[runs++] = (struct evidence_canary){
				.base = c->phys[page], .size = CANARY_PAGE, .service = UINT32_MAX};
	}
	for (unsigned i = 0; i < c->broken_count; i++)
		out[runs++] = c->broken[i];
	return runs;
}
