/* SPDX-License-Identifier: MIT */
#include "evidence_walk.h"

#include "check.h"

#define MIB    UINT64_C(0x100000)
#define GIB    UINT64_C(0x40000000)
#define TABLES 8u
#define RUNS   600u
#define NX     (UINT64_C(1) << 63)

/* A table's address is its number times 4096. */
static uint64_t memory[TABLES][512];
static struct evidence_mapping runs[RUNS];

static const uint64_t *view(uint64_t table)
{
	CHECK(table % 4096 == 0 && table / 4096 < TABLES);
	return memory[table / 4096];
}

static struct evidence_walk walked(unsigned int levels, bool no_execute, size_t capacity)
{
	struct evidence_walk w = {.root = 8 /* PCD: no part of the address */,
		.levels = levels,
		.no_execute = no_execute,
		.view = view,
		.runs = runs,
		.capacity = capacity};

	evidence_walk(&w);
	return w;
}

/* 2 MiB in small pages, of which one is not there and one is read-only; 2 MiB; from 1 GiB on one of 1 GiB. */
static void make(void)
{
	memset(memory, 0, sizeof(memory));
	memory[0][0] = 0x1000 | 7;
	memory[1][0] = 0x2000 | 7;
	memory[1][1] = GIB | 0x83 | NX;
	memory[2][0] = 0x3000 | 7;
	memory[2][1] = 2 * MIB | 0x1083; /* PAT's bit of a large page */
	for (uint64_t i = 0; i < 512; i++)
		memory[3][i] = i << 12 | 3;
	memory[3][0] = 0;
	memory[3][5] &= ~UINT64_C(2);
}

static void check_run(
	size_t i, uint64_t virt, uint64_t phys, uint64_t size, enum evidence_access access)
{
	CHECK_EQUAL(runs[i].virt, virt);
	CHECK_EQUAL(runs[i].phys, phys);
	CHECK_EQUAL(runs[i].size, size);
	CHECK_EQUAL(runs[i].access, access);
}

static void merges(void)
{
	struct evidence_walk w;

	make();
	w = walked(4, true, RUNS);
	CHECK_EQUAL(w.count, 4);
	CHECK_EQUAL(w.tables, 4);
	CHECK(!w.cut);
	check_run(0, 0x1000, 0x1000, 0x4000, 7);
	check_run(1, 0x5000, 0x5000, 0x1000, 5);
	check_run(2, 0x6000, 0x6000, 4 * MIB - 0x6000, 7);
	check_run(3, GIB, GIB, GIB, 3);
	CHECK(evidence_is_mapped(&w, 0x1000, 4 * MIB - 0x1000));
	CHECK(evidence_is_mapped(&w, GIB, GIB));
	CHECK(!evidence_is_mapped(&w, 0xfff, 2));
	CHECK(!evidence_is_mapped(&w, 4 * MIB - 1, 2));
	CHECK(!evidence_is_mapped(&w, GIB, GIB + 1));
	CHECK(!evidence_is_mapped(&w, UINT64_MAX, 2));
	CHECK(!evidence_is_mapped(&w, GIB, 0));
	w = walked(4, false, RUNS);
	CHECK_EQUAL(w.runs[3].access, 7);
	w = walked(4, true, 2);
	CHECK(w.cut && w.count == 2);
}

/* What is above takes away, whatever is said below. */
static void inherits(void)
{
	struct evidence_walk w;

	make();
	memory[1][0] = (0x2000 | 1) | NX;
	w = walked(4, true, RUNS);
	CHECK_EQUAL(w.count, 2);
	check_run(0, 0x1000, 0x1000, 4 * MIB - 0x1000, 1);
}

static void other_places(void)
{
	struct evidence_walk w;

	make();
	memory[0][511] = 0x1000 | 7;
	w = walked(4, true, RUNS);
	CHECK_EQUAL(w.count, 8);
	check_run(4, UINT64_C(0xffffff8000001000), 0x1000, 0x4000, 7);
	CHECK(!evidence_is_mapped(&w, UINT64_C(0xffffff8000001000), 1));
	memset(memory[0], 0, sizeof(memory[0]));
	memory[0][1] = 0x4000 | 7;
	memory[4][0] = 0x1000 | 7;
	w = walked(5, true, RUNS);
	CHECK_EQUAL(w.count, 4);
	check_run(3, (UINT64_C(1) << 48) + GIB, GIB, GIB, 3);
}

/* Tables that lead to themselves end. */
static void endless(void)
{
	struct evidence_walk w;

	memset(memory, 0, sizeof(memory));
	for (unsigned int i = 0; i < 512; i++)
		memory[0][i] = 3;
	w = walked(4, true, RUNS);
	CHECK(w.cut);
}

int main(void)
{
	merges();
	inherits();
	other_places();
	endless();
	return 0;
}
