/* SPDX-License-Identifier: MIT */
#include "placement.h"

#include "check.h"

#define MIB         UINT64_C(0x100000)
#define FUZZ_ROUNDS 50000u

static struct complaint why;

static struct memory_list list_of(struct handoff_memory *entries, size_t count)
{
	return (struct memory_list){entries, count, count};
}

static struct placement_piece piece(uint64_t size)
{
	return (struct placement_piece){"piece", size, MEMORY_PHYS_END, 0};
}

static void goes_low_and_together(void)
{
	struct handoff_memory m[] = {{0x1000, 0x9f000, HANDOFF_MEMORY_FREE, 0, 8},
		{MIB, 7 * MIB, HANDOFF_MEMORY_FREE, 0, 8},
		{20 * MIB, 4 * MIB, HANDOFF_MEMORY_FREE, 0, 8},
		{32 * MIB, 200 * MIB, HANDOFF_MEMORY_FREE, 0, 8}};
	struct memory_list list = list_of(m, 4);
	struct placement_piece p[] = {piece(MIB), piece(0), piece(2 * MIB)};

	CHECK_EQUAL(placement_choose(&list, NULL, 0, p, 3, &why), VERDICT_OK);
	CHECK_EQUAL(p[0].base, 20 * MIB);
	CHECK_EQUAL(p[2].base, 21 * MIB);
	p[2].size = 100 * MIB;
	CHECK_EQUAL(placement_choose(&list, NULL, 0, p, 3, &why), VERDICT_OK);
	CHECK_EQUAL(p[0].base, 32 * MIB);
	CHECK_EQUAL(p[2].base, 33 * MIB);
}

static void falls_back(void)
{
	struct handoff_memory m[] = {{0x1000, 0x9f000, HANDOFF_MEMORY_FREE, 0, 8},
		{MIB, 7 * MIB, HANDOFF_MEMORY_FREE, 0, 8},
		{20 * MIB, 4 * MIB, HANDOFF_MEMORY_FREE, 0, 8},
		{40 * MIB, 50 * MIB, HANDOFF_MEMORY_RESERVED, 0, 8}};
	struct memory_list list = list_of(m, 4);
	struct placement_piece p[] = {piece(MIB), piece(2 * MIB), piece(6 * MIB)};

	CHECK_EQUAL(placement_choose(&list, NULL, 0, p, 3, &why), VERDICT_OK);
	CHECK_EQUAL(p[0].base, 20 * MIB);
	CHECK_EQUAL(p[1].base, 21 * MIB);
	CHECK_EQUAL(p[2].base, MIB);
	p[2].size = 8 * MIB;
	CHECK_EQUAL(placement_choose(&list, NULL, 0, p, 3, &why), VERDICT_NO_ROOM);
	CHECK_TEXT(
		why.text, "piece: no 8192 KiB of free memory in one piece below 0x10000000000000");
}

/* The firmware's stack and tables, in memory that the map calls free. */
static void avoids(void)
{
	struct handoff_memory m[] = {{16 * MIB, 64 * MIB, HANDOFF_MEMORY_FREE, 0, 8}};
	struct memory_list list = list_of(m, 1);
	struct handoff_range avoid[] = {{16 * MIB + 0x800, 0x1000}, {18 * MIB, MIB}};
	struct placement_piece p[] = {piece(MIB), piece(2 * MIB)};

	CHECK_EQUAL(placement_choose(&list, avoid, 2, p, 1, &why), VERDICT_OK);
	CHECK_EQUAL(p[0].base, 16 * MIB + 0x2000);
	CHECK_EQUAL(placement_choose(&list, avoid, 2, p, 2, &why), VERDICT_OK);
	CHECK_EQUAL(p[0].base, 19 * MIB);
	CHECK_EQUAL(p[1].base, 20 * MIB);
}

static void respects_limits(void)
{
	struct handoff_memory m[] = {{17 * MIB, MIB, HANDOFF_MEMORY_FREE, 0, 8},
		{UINT64_C(4096) * MIB, 64 * MIB, HANDOFF_MEMORY_FREE, 0, 8}};
	struct memory_list list = list_of(m, 2);
	struct placement_piece p[] = {piece(0x1000), piece(2 * MIB)};

	p[0].end_max = UINT64_C(1) << 32;
	CHECK_EQUAL(placement_choose(&list, NULL, 0, p, 2, &why), VERDICT_OK);
	CHECK_EQUAL(p[0].base, 17 * MIB);
	CHECK_EQUAL(p[1].base, 4096 * MIB);
	p[1].end_max = UINT64_C(1) << 32;
	CHECK_EQUAL(placement_choose(&list, NULL, 0, p, 2, &why), VERDICT_NO_ROOM);
	p[1] = piece(UINT64_MAX & ~0xfffull);
	CHECK_EQUAL(placement_choose(&list, NULL, 0, p, 2, &why), VERDICT_NO_ROOM);
}

static void slides(void)
{
	uint64_t most[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}, seed = 4;
	struct placement_slides s = placement_slides(NULL);

	CHECK_EQUAL(s.kernel, 0);
	CHECK_EQUAL(s.direct_map_virt, UINT64_C(0xffff888000000000));
	CHECK_EQUAL(s.dynamic_virt, UINT64_C(0xffffc90000000000));
	CHECK_EQUAL(s.frames_virt, UINT64_C(0xffffea0000000000));
	for (int i = 0; i < 1000; i++) {
		s = placement_slides(most);
		CHECK(s.kernel < 512 * MIB && s.kernel % (2 * MIB) == 0);
		CHECK(s.direct_map_virt % (1024 * MIB) == 0);
		CHECK(s.direct_map_virt - UINT64_C(0xffff888000000000) < UINT64_C(1) << 44);
		CHECK(s.dynamic_virt % (1024 * MIB) == 0);
		CHECK(s.dynamic_virt - UINT64_C(0xffffc90000000000) < UINT64_C(1) << 43);
		CHECK(s.frames_virt - UINT64_C(0xffffea0000000000) < UINT64_C(1) << 43);
		CHECK(placement_direct_map_limit(&s) >= UINT64_C(48) << 40);
		for (int k = 0; k < 4; k++)
			most[k] = next_random(&seed);
	}
}

static void check_pieces(const struct memory_list *list, const struct handoff_range *avoid,
	size_t avoids, const struct placement_piece *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t base = p[i].base, end = base + p[i].size;
		bool inside = false;

		for (size_t k = 0; k < list->count; k++)
			inside |= list->entries[k].type == HANDOFF_MEMORY_FREE &&
				  base >= list->entries[k].base &&
				  end <= list->entries[k].base + list->entries[k].size;
		CHECK(inside && end <= p[i].end_max && base >= MEMORY_PAGE);
		for (size_t k = 0; k < avoids; k++)
			CHECK(end <= avoid[k].base || base >= avoid[k].base + avoid[k].size);
		for (size_t k = 0; k < i; k++)
			CHECK(end <= p[k].base || base >= p[k].base + p[k].size);
	}
}

static void fuzz(void)
{
	uint64_t seed = 5, placed = 0;

	for (unsigned int round = 0; round < FUZZ_ROUNDS; round++) {
		struct handoff_memory m[12];
		struct handoff_range avoid[3];
		struct placement_piece p[4];
		struct memory_list list = list_of(m, 12);
		uint64_t at = 0;

		for (size_t i = 0; i < 12; i++) {
			at += next_random(&seed) % 3 * MIB;
			m[i] = (struct handoff_memory){at, (1 + next_random(&seed) % 900) * 0x1000,
				next_random(&seed) % 3 ? HANDOFF_MEMORY_FREE : HANDOFF_MEMORY_MMIO,
				0, 8};
			at += m[i].size;
		}
		for (size_t i = 0; i < 3; i++)
			avoid[i] = (struct handoff_range){
				next_random(&seed) % at, next_random(&seed) % MIB};
		for (size_t i = 0; i < 4; i++) {
			p[i] = piece((1 + next_random(&seed) % 600) * 0x1000);
			p[i].end_max = at - next_random(&seed) % MIB;
		}
		if (placement_choose(&list, avoid, 3, p, 4, &why))
			continue;
		placed++;
		check_pieces(&list, avoid, 3, p, 4);
	}
	CHECK(placed > FUZZ_ROUNDS / 10);
}

int main(void)
{
	goes_low_and_together();
	falls_back();
	avoids();
	respects_limits();
	slides();
	fuzz();
	return 0;
}
