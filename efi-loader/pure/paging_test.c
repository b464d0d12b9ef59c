/* SPDX-License-Identifier: MIT */
#include "paging.h"

#include "check.h"

#define MIB         UINT64_C(0x100000)
#define GIB         UINT64_C(0x40000000)
#define TABLES_PHYS UINT64_C(0x7654000)
#define CAPACITY    4096u
#define DIRECT      UINT64_C(0xffff888000000000)
#define KERNEL      UINT64_C(0xffffffff80000000)
#define FUZZ_ROUNDS 20000u

static struct complaint why;
static uint64_t *memory;

static struct paging begin(size_t capacity, unsigned int levels, unsigned int features)
{
	struct paging p = {.tables = memory,
		.phys = TABLES_PHYS,
		.capacity = capacity,
		.levels = levels,
		.features = features};

	CHECK_EQUAL(paging_begin(&p, &why), VERDICT_OK);
	return p;
}

struct answer {
	bool present, writable, executable;
	uint64_t phys, page;
};

/* The CPU's walk, by the manual and not by paging.c. */
static struct answer walk(const struct paging *p, uint64_t virt)
{
	struct answer a = {.writable = true, .executable = true};
	size_t table = 0;

	for (unsigned int shift = 12 + 9 * (p->levels - 1);; shift -= 9) {
		uint64_t e = memory[table * 512 + (virt >> shift & 511)];

		if (!(e & 1))
			return (struct answer){0};
		a.writable &= e >> 1 & 1;
		a.executable &= !(e >> 63);
		if (shift == 12 || (e & 0x80)) {
			CHECK(shift <= 30);
			a.present = true;
			a.page = UINT64_C(1) << shift;
			CHECK(!(e & 0x000ffffffffff000 & (a.page - 1)));
			a.phys = (e & 0x000ffffffffff000) + (virt & (a.page - 1));
			return a;
		}
		CHECK((e & 0x000ffffffffff000) >= TABLES_PHYS);
		table = ((e & 0x000ffffffffff000) - TABLES_PHYS) / 4096;
		CHECK(table < p->used);
	}
}

static void uses_large_pages(void)
{
	struct paging p = begin(CAPACITY, 4, PAGING_GIGABYTE_PAGES | PAGING_NO_EXECUTE);
	struct paging_run r = {DIRECT + MIB, MIB, 3 * GIB, HANDOFF_READ | HANDOFF_WRITE};

	CHECK_EQUAL(paging_map(&p, &r, &why), VERDICT_OK);
	CHECK_EQUAL(walk(&p, DIRECT + MIB).page, 0x1000);
	CHECK_EQUAL(walk(&p, DIRECT + 2 * MIB).page, 2 * MIB);
	CHECK_EQUAL(walk(&p, DIRECT + GIB).page, GIB);
	CHECK_EQUAL(walk(&p, DIRECT + 3 * GIB).page, 0x1000);
	CHECK_EQUAL(walk(&p, DIRECT + 3 * GIB + MIB - 1).phys, 3 * GIB + MIB - 1);
	CHECK(!walk(&p, DIRECT + 3 * GIB + MIB).present);
	CHECK(!walk(&p, DIRECT + MIB - 1).present);
	CHECK(walk(&p, DIRECT + GIB).writable && !walk(&p, DIRECT + GIB).executable);
	CHECK_EQUAL(p.used, 1 + 1 + 2 + 2);
	p = begin(CAPACITY, 4, PAGING_NO_EXECUTE);
	CHECK_EQUAL(paging_map(&p, &r, &why), VERDICT_OK);
	CHECK_EQUAL(walk(&p, DIRECT + GIB).page, 2 * MIB);
}

static void keeps_rights(void)
{
	struct paging p = begin(CAPACITY, 4, PAGING_NO_EXECUTE);
	struct paging_run text = {KERNEL, 0x5000, 0x2000, HANDOFF_READ | HANDOFF_EXECUTE};
	struct paging_run rodata = {KERNEL + 0x2000, 0x7000, 0x1000, HANDOFF_READ};
	struct paging_run wx = {
		KERNEL + 0x3000, 0, 0x1000, HANDOFF_READ | HANDOFF_WRITE | HANDOFF_EXECUTE};

	CHECK_EQUAL(paging_map(&p, &text, &why), VERDICT_OK);
	CHECK_EQUAL(paging_map(&p, &rodata, &why), VERDICT_OK);
	CHECK_EQUAL(paging_map(&p, &wx, &why), VERDICT_MALFORMED);
	CHECK(walk(&p, KERNEL).executable && !walk(&p, KERNEL).writable);
	CHECK(!walk(&p, KERNEL + 0x2000).executable && !walk(&p, KERNEL + 0x2000).writable);
	CHECK(!walk(&p, KERNEL + 0x3000).present);
	CHECK_EQUAL(walk(&p, KERNEL + 0x1234).phys, 0x6234);
}

static void refuses(void)
{
	struct paging p = begin(CAPACITY, 4, PAGING_NO_EXECUTE);
	struct paging_run r = {DIRECT, 0, 2 * MIB, HANDOFF_READ};

	CHECK_EQUAL(paging_map(&p, &r, &why), VERDICT_OK);
	CHECK_EQUAL(paging_map(&p, &r, &why), VERDICT_MALFORMED);
	r.size = 0x1000;
	CHECK_EQUAL(paging_map(&p, &r, &why), VERDICT_MALFORMED);
	r = (struct paging_run){DIRECT + 0x800, 0, 0x1000, HANDOFF_READ};
	CHECK_EQUAL(paging_map(&p, &r, &why), VERDICT_MALFORMED);
	r = (struct paging_run){DIRECT, MEMORY_PHYS_END, 0x1000, HANDOFF_READ};
	CHECK_EQUAL(paging_map(&p, &r, &why), VERDICT_MALFORMED);
	r = (struct paging_run){UINT64_MAX - 0xfff, 0, 0x2000, HANDOFF_READ};
	CHECK_EQUAL(paging_map(&p, &r, &why), VERDICT_MALFORMED);
	p = begin(3, 4, PAGING_NO_EXECUTE);
	r = (struct paging_run){KERNEL, 0, 0x1000, HANDOFF_READ};
	CHECK_EQUAL(paging_map(&p, &r, &why), VERDICT_NO_ROOM);
	p.capacity = 0;
	CHECK_EQUAL(paging_begin(&p, &why), VERDICT_NO_ROOM);
}

/* The jump's tables: identity, both of one page, with 4 and 5 levels. */
static void maps_in_five_levels(void)
{
	for (unsigned int levels = 4; levels <= 5; levels++) {
		struct paging p = begin(16, levels, 0);
		struct paging_run r = {
			0x1234567000, 0x1234567000, 0x1000, HANDOFF_READ | HANDOFF_EXECUTE};

		CHECK_EQUAL(paging_map(&p, &r, &why), VERDICT_OK);
		CHECK_EQUAL(walk(&p, 0x1234567890).phys, 0x1234567890);
		CHECK(walk(&p, 0x1234567890).executable);
		CHECK_EQUAL(p.used, levels);
	}
}

static bool read_only_at(const struct handoff_range *ro, size_t count, uint64_t phys)
{
	for (size_t i = 0; i < count; i++)
		if (phys - ro[i].base < ro[i].size)
			return true;
	return false;
}

static void check_direct_map(const struct paging *p, const struct memory_list *list,
	const struct handoff_range *ro, size_t ro_count)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct handoff_memory *m = &list->entries[i];
		bool ram = memory_type_is_ram(m->type);
		uint64_t step = m->size / 64 / 4096 * 4096 + 4096;

		for (uint64_t o = 0; o < m->size; o += step) {
			struct answer a = walk(p, DIRECT + m->base + o);

			CHECK_EQUAL(a.present, ram);
			CHECK(!ram || a.phys == m->base + o);
			CHECK(!a.executable || !a.present);
			CHECK(!ram || a.writable == !read_only_at(ro, ro_count, m->base + o));
		}
	}
}

static void map_all(struct paging *p, const struct memory_list *list, struct handoff_range *ro,
	uint64_t image_size)
{
	uint64_t size = 0, half = image_size / 2 & ~UINT64_C(0xfff);
	struct paging_run runs[] = {{KERNEL, ro[0].base, half, HANDOFF_READ | HANDOFF_EXECUTE},
		{KERNEL + half, ro[0].base + half, image_size - half, HANDOFF_READ | HANDOFF_WRITE},
		{UINT64_C(0xffffc90000001000), ro[1].base - 0x4000, 0x4000,
			HANDOFF_READ | HANDOFF_WRITE},
		{ro[1].base, ro[1].base, 0x1000, HANDOFF_READ | HANDOFF_EXECUTE}};

	CHECK_EQUAL(paging_map_ram(p, list, DIRECT, ro, 2, &size, &why), VERDICT_OK);
	for (int i = 0; i < 4; i++)
		CHECK_EQUAL(paging_map(p, &runs[i], &why), VERDICT_OK);
	check_direct_map(p, list, ro, 2);
}

/* Random machines: the bound holds, the direct map is as promised. */
static void fuzz(void)
{
	uint64_t seed = 6;

	for (unsigned int round = 0; round < FUZZ_ROUNDS; round++) {
		struct handoff_memory m[20];
		struct memory_list list = {m, 20, 20};
		unsigned int features =
			PAGING_NO_EXECUTE | (next_random(&seed) & PAGING_GIGABYTE_PAGES);
		uint64_t at = 0, image_size = (2 + next_random(&seed) % 3000) * 0x1000;
		struct handoff_range ro[2] = {{0}};
		struct paging p;

		for (size_t i = 0; i < 20; i++) {
			uint64_t unit = i == 12 ? GIB : next_random(&seed) % 2 ? MIB : 0x1000;

			at += next_random(&seed) % 3 * 0x1000;
			m[i] = (struct handoff_memory){at, (1 + next_random(&seed) % 20) * unit,
				(uint32_t)(1 + next_random(&seed) % (HANDOFF_MEMORY_TYPES - 1)), 0,
				8};
			if (i == 10) {
				m[i].type = HANDOFF_MEMORY_FREE;
				m[i].size = 16 * MIB;
				ro[0] = (struct handoff_range){
					at + next_random(&seed) % 64 * 0x1000, image_size};
				ro[1] = (struct handoff_range){
					ro[0].base + image_size + 5 * 0x1000, 0x1000};
			}
			at += m[i].size;
		}
		ro[0].size = image_size / 2 & ~UINT64_C(0xfff);
		p = begin(paging_bound(&list, image_size, features), 4, features);
		CHECK(p.capacity <= CAPACITY);
		map_all(&p, &list, ro, image_size);
		CHECK(p.used <= p.capacity);
	}
}

/* 20 GiB and more must stay cheap. */
static void large_machines(void)
{
	struct handoff_memory m[] = {{0, 2 * GIB, HANDOFF_MEMORY_FREE, 0, 8},
		{4 * GIB, 1022 * GIB, HANDOFF_MEMORY_FREE, 0, 8}};
	struct memory_list list = {m, 2, 2};

	CHECK(paging_bound(&list, MIB, PAGING_GIGABYTE_PAGES) < 64);
	m[1].size = 18 * GIB;
	CHECK(paging_bound(&list, MIB, 0) < 64);
}

int main(void)
{
	memory = malloc(CAPACITY * 4096);
	CHECK(memory);
	uses_large_pages();
	keeps_rights();
	refuses();
	maps_in_five_levels();
	fuzz();
	large_machines();
	free(memory);
	return 0;
}
