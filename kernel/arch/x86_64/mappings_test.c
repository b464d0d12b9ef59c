/* SPDX-License-Identifier: MIT */
/* Page tables made by hand, read back: ranges, what the way to a page takes away, and each rule that they can break. */
#include "mappings.h"

#include "arch/fake/fake.h"
#include "arch/fake/test.h"
#include "lib/string.h"
#include "paging.h"

#define MIB         (1ul << 20)
#define RAM         (16 * MIB)
#define DIRECT_MAP  0xffff900000000000ul
#define IMAGE       0xffffffff80000000ul
#define TEXT_PHYS   (8 * MIB)
#define DATA_PHYS   (9 * MIB)
#define KERNEL_DATA (PTE_PRESENT | PTE_WRITE | PTE_NX)
#define KERNEL_TEXT PTE_PRESENT
#define TABLE       (PTE_PRESENT | PTE_WRITE)
#define LOWER_LAST  ((1ul << 47) - PAGE_SIZE)

static uint64_t *top;
static phys_t next_table;

static uint64_t *table_new(phys_t *phys)
{
	*phys = next_table;
	next_table += PAGE_SIZE;
	return memset(arch_phys_to_ptr(*phys), 0, PAGE_SIZE);
}

/* The entry of that level for an address, with tables on the way. */
static uint64_t *entry_at(virt_t at, unsigned wanted)
{
	uint64_t *table = top;

	for (unsigned level = 3; level > wanted; level--) {
		uint64_t *entry = &table[index_at(at, level)];
		phys_t phys;

		if (!*entry) {
			table_new(&phys);
			*entry = phys | TABLE;
		}
		table = table_of(*entry);
	}
	return &table[index_at(at, wanted)];
}

/* 16 MiB of direct map in large pages but for the one with the text, four pages of text, two of data. */
static void start(void)
{
	phys_t phys;

	fake_memory_init(RAM, 0);
	next_table = PAGE_SIZE;
	top = table_new(&phys);
	for (phys_t at = 0; at < RAM; at += 2 * MIB) {
		if (at != TEXT_PHYS)
			*entry_at(DIRECT_MAP + at, 1) = at | KERNEL_DATA | PTE_LARGE;
	}
	for (phys_t at = TEXT_PHYS; at < TEXT_PHYS + 2 * MIB; at += PAGE_SIZE) {
		bool text = at < TEXT_PHYS + 4 * PAGE_SIZE;

		*entry_at(DIRECT_MAP + at, 0) = at | (text ? PTE_PRESENT | PTE_NX : KERNEL_DATA);
	}
	for (unsigned i = 0; i < 4; i++)
		*entry_at(IMAGE + i * PAGE_SIZE, 0) = (TEXT_PHYS + i * PAGE_SIZE) | KERNEL_TEXT;
	for (unsigned i = 4; i < 6; i++)
		*entry_at(IMAGE + i * PAGE_SIZE, 0) = (DATA_PHYS + i * PAGE_SIZE) | KERNEL_DATA;
}

static bool is_range(virt_t at, virt_t from, uint64_t size, bool write, bool execute)
{
	struct arch_range range;

	return mappings_next(top, at, &range) && range.start == from && range.size == size &&
	       range.write == write && range.execute == execute && !range.user && !range.uncached;
}

static bool is_broken(const char *words, virt_t address)
{
	struct arch_mappings mappings;
	const char *broken = mappings_broken(top, DIRECT_MAP, &mappings);

	return words ? broken && strstr(broken, words) && mappings.broken_at == address : !broken;
}

static void test_ranges(void)
{
	struct arch_mappings mappings;
	struct arch_range range;

	start();
	CHECK(is_range(KERNEL_HALF, DIRECT_MAP, TEXT_PHYS, true, false));
	CHECK(is_range(
		DIRECT_MAP + TEXT_PHYS, DIRECT_MAP + TEXT_PHYS, 4 * PAGE_SIZE, false, false));
	/* small pages, then large ones: one range */
	CHECK(is_range(DIRECT_MAP + TEXT_PHYS + 4 * PAGE_SIZE,
		DIRECT_MAP + TEXT_PHYS + 4 * PAGE_SIZE, RAM - TEXT_PHYS - 4 * PAGE_SIZE, true,
		false));
	CHECK(is_range(DIRECT_MAP + RAM, IMAGE, 4 * PAGE_SIZE, false, true));
	CHECK(is_range(IMAGE + 4 * PAGE_SIZE, IMAGE + 4 * PAGE_SIZE, 2 * PAGE_SIZE, true, false));
	CHECK(!mappings_next(top, IMAGE + 6 * PAGE_SIZE, &range));
	CHECK(!mappings_next(top, 0, &range));
	CHECK(is_broken(NULL, 0));
	CHECK(!mappings_broken(top, DIRECT_MAP, &mappings));
	CHECK_EQUAL(mappings.ranges, 5);
	CHECK_EQUAL(mappings.executable, 4 * PAGE_SIZE);
}

/* The very last page: the address after it is 0. */
static void test_end(void)
{
	struct arch_range range;

	start();
	*entry_at(~0ul << PAGE_SHIFT, 0) = DATA_PHYS | KERNEL_DATA;
	CHECK(is_range(IMAGE + 6 * PAGE_SIZE, ~0ul << PAGE_SHIFT, PAGE_SIZE, true, false));
	*entry_at(LOWER_LAST, 0) = DATA_PHYS | KERNEL_DATA;
	CHECK(mappings_next(top, 0, &range) && range.start == LOWER_LAST &&
		range.size == PAGE_SIZE);
	CHECK(is_broken("lower half", LOWER_LAST));
}

/* An entry above takes from all below it. */
static void test_way(void)
{
	start();
	*entry_at(IMAGE, 1) |= PTE_NX;
	CHECK(is_range(IMAGE, IMAGE, 4 * PAGE_SIZE, false, false));
	*entry_at(IMAGE, 2) &= ~PTE_WRITE;
	CHECK(is_range(IMAGE, IMAGE, 6 * PAGE_SIZE, false, false));
	CHECK(is_broken(NULL, 0));
	start();
	*entry_at(IMAGE, 0) |= PTE_USER; /* the tables above are the kernel's alone */
	CHECK(is_broken(NULL, 0));
	*entry_at(IMAGE, 1) |= PTE_USER;
	*entry_at(IMAGE, 2) |= PTE_USER;
	CHECK(is_broken(NULL, 0));
	*entry_at(IMAGE, 3) |= PTE_USER;
	CHECK(is_broken("user mode", IMAGE));
}

static void test_broken(void)
{
	start();
	*entry_at(IMAGE + 4 * PAGE_SIZE, 0) &= ~PTE_NX;
	CHECK(is_broken("written and executed", IMAGE + 4 * PAGE_SIZE));
	start();
	*entry_at(IMAGE + 3 * PAGE_SIZE, 0) |= PTE_WRITE;
	CHECK(is_broken("written and executed", IMAGE + 3 * PAGE_SIZE));
	start();
	*entry_at(DIRECT_MAP + 2 * MIB, 1) &= ~PTE_NX;
	CHECK(is_broken("written and executed", DIRECT_MAP + 2 * MIB));
	start();
	*entry_at(DIRECT_MAP + TEXT_PHYS + 2 * PAGE_SIZE, 0) |= PTE_WRITE;
	CHECK(is_broken("through the direct map", IMAGE + 2 * PAGE_SIZE));
	start();
	*entry_at(0x400000, 0) = DATA_PHYS | KERNEL_DATA;
	CHECK(is_broken("lower half", 0x400000));
}

int main(void)
{
	RUN(test_ranges);
	RUN(test_end);
	RUN(test_way);
	RUN(test_broken);
	return test_result();
}
