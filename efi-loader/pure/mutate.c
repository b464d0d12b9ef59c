/* SPDX-License-Identifier: MIT */
#include "mutate.h"

#include "seal.h"

static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* What a word becomes: another bit, one of the values at which things end, a neighbour, or anything. */
static uint64_t other(uint64_t old, uint64_t *state)
{
	static const uint64_t edges[] = {0, 1, 0xfff, 0x1000, 0x200000, 0xffffffff, 0x100000000,
		0x7fffffffffffffff, 0x8000000000000000, 0xffff800000000000, 0xffffffff80000000,
		0xfffffffffffff000, 0xffffffffffffffff};
	uint64_t kind = draw(state), value = draw(state);

	switch (kind % 8) {
	case 0 ... 3:
		return old ^ UINT64_C(1) << value % 64;
	case 4:
		return edges[value % (sizeof(edges) / sizeof(edges[0]))];
	case 5:
		return old + (value & 1 ? 0x1000 : -(uint64_t)0x1000);
	case 6:
		return old + (value & 1 ? 0x40000000 : -(uint64_t)0x40000000);
	default:
		return value >> (kind >> 8) % 64;
	}
}

static void mutate_word(void *bytes, size_t size, uint64_t *state)
{
	char *at = (char *)bytes + draw(state) % (size / 8) * 8;
	uint64_t word;

	__builtin_memcpy(&word, at, sizeof(word));
	word = other(word, state);
	__builtin_memcpy(at, &word, sizeof(word));
}

void handoff_mutate(struct handoff *h, struct handoff_memory *map, char *line, uint32_t seed)
{
	uint64_t state = seed, kind = draw(&state) % 16;

	if (kind < 4 && h->memory.size)
		mutate_word(map, h->memory.size, &state);
	else if (kind == 4 && h->command_line.size)
		line[draw(&state) % h->command_line.size] = (char)draw(&state);
	else
		mutate_word(h, sizeof(*h), &state);
	if (draw(&state) % 4)
		handoff_seal_again(h);
}
