/* SPDX-License-Identifier: MIT */
/* The ranges of runtime services: from maps as firmware gives them, from broken ones, from random bytes. */
#include "firmware/bars_regions.h"

#include <efi.h>
#include <stdlib.h>

#include "arch/fake/test.h"
#include "lib/string.h"
#include "memory/access.h"

#define CODE    EfiRuntimeServicesCode
#define DATA    EfiRuntimeServicesData
#define RUNTIME (EFI_MEMORY_RUNTIME | EFI_MEMORY_WB)
#define RO      0x20000u
#define XP      EFI_MEMORY_XP
#define ROUNDS  20000

/* Descriptors as OVMF has them: 48 bytes apart. */
struct wide {
	EFI_MEMORY_DESCRIPTOR d;
	uint64_t more;
};

_Static_assert(sizeof(struct wide) == 48, "OVMF's size");

static struct wide map[80];
static struct {
	uint32_t version, count, stride, flags;
	struct wide entries[80];
} table;
static size_t map_count;
static struct bars_region all[4 * 80];
static struct bars_regions regions = {.all = all};
static size_t limit; /* of regions; 0: as many as there can be */

static struct wide entry(uint32_t type, uint64_t start, uint64_t pages, uint64_t attributes)
{
	return (struct wide){.d = {.Type = type,
				     .PhysicalStart = start,
				     .NumberOfPages = pages,
				     .Attribute = attributes}};
}

static void start(void)
{
	map_count = 0;
	table.version = 1;
	table.count = 0;
	table.stride = sizeof(struct wide);
}

static void add_map(uint32_t type, uint64_t at, uint64_t pages, uint64_t attributes)
{
	map[map_count++] = entry(type, at, pages, attributes);
}

static void add_table(uint32_t type, uint64_t at, uint64_t pages, uint64_t attributes)
{
	table.entries[table.count++] = entry(type, at, pages, RUNTIME | attributes);
}

static const char *find(void)
{
	struct bars_source source = {.map = map,
		.map_size = map_count * sizeof(map[0]),
		.stride = sizeof(map[0]),
		.table = &table,
		.table_size = table.count ? 16 + table.count * sizeof(table.entries[0]) : 0};

	regions.most = limit ? limit : bars_regions_most(&source);
	CHECK(regions.most <= sizeof(all) / sizeof(all[0]));
	return bars_regions_find(&source, &regions);
}

static unsigned access_at(uint64_t phys)
{
	const struct bars_region *region = bars_region_at(&regions, phys);

	return region ? region->access : 0;
}

static void test_map(void)
{
	start();
	add_map(DATA, 0x9000, 2, RUNTIME);
	add_map(EfiConventionalMemory, 0x1000, 4, EFI_MEMORY_WB);
	add_map(CODE, 0x5000, 3, RUNTIME);
	add_map(EfiMemoryMappedIO, 0xffc00000, 0x400, EFI_MEMORY_RUNTIME | EFI_MEMORY_UC);
	CHECK(!find());
	CHECK_EQUAL(regions.count, 3);
	CHECK_EQUAL(access_at(0x4fff), 0);
	CHECK_EQUAL(access_at(0x5000), MAP_READ | MAP_EXECUTE);
	CHECK_EQUAL(access_at(0x7fff), MAP_READ | MAP_EXECUTE);
	CHECK_EQUAL(access_at(0x8000), 0);
	CHECK_EQUAL(access_at(0xafff), MAP_READ | MAP_WRITE);
	CHECK_EQUAL(access_at(0xffffffff), MAP_READ | MAP_WRITE);
	CHECK_EQUAL(access_at(0x100000000), 0);
	CHECK(!bars_region_at(&regions, 0x5000)->told);
}

static void test_table(void)
{
	start();
	add_map(CODE, 0x10000, 16, RUNTIME);
	add_map(DATA, 0x20000, 16, RUNTIME);
	add_table(CODE, 0x10000, 1, RO | XP);
	add_table(CODE, 0x11000, 4, RO);
	add_table(CODE, 0x15000, 3, XP);
	add_table(CODE, 0x18000, 1, 0);
	add_table(CODE, 0x1f000, 2, XP); /* reaches into the next region, which is told too */
	CHECK(!find());
	CHECK_EQUAL(access_at(0x10fff), MAP_READ);
	CHECK_EQUAL(access_at(0x11000), MAP_READ | MAP_EXECUTE);
	CHECK_EQUAL(access_at(0x17fff), MAP_READ | MAP_WRITE);
	CHECK_EQUAL(access_at(0x18000), MAP_READ | MAP_EXECUTE); /* never all three */
	CHECK(bars_region_at(&regions, 0x18000)->told);
	CHECK_EQUAL(access_at(0x19000), MAP_READ | MAP_EXECUTE);
	CHECK(!bars_region_at(&regions, 0x19000)->told);
	CHECK_EQUAL(access_at(0x1f000), MAP_READ | MAP_WRITE);
	CHECK_EQUAL(bars_region_at(&regions, 0x20000)->type, DATA);
	CHECK(bars_region_at(&regions, 0x20000)->told);
	CHECK(!bars_region_at(&regions, 0x21000)->told);
	CHECK_EQUAL(access_at(0x2ffff), MAP_READ | MAP_WRITE);
}

static void test_broken(void)
{
	start();
	add_map(CODE, 0x5000, 3, RUNTIME);
	add_map(DATA, 0x7000, 1, RUNTIME);
	CHECK(find() && strstr(find(), "overlap"));
	start();
	add_map(CODE, 0x5001, 3, RUNTIME);
	CHECK(find() && strstr(find(), "whole"));
	start();
	add_map(CODE, 0x5000, 0, RUNTIME);
	CHECK(find());
	start();
	add_map(CODE, 0x5000, UINT64_MAX / 4096, RUNTIME);
	CHECK(find());
	start();
	for (unsigned i = 0; i < 80; i++)
		add_map(DATA, 0x100000 + i * 0x2000, 1, RUNTIME);
	CHECK(!find());
	CHECK_EQUAL(regions.count, 80);
	limit = 64;
	CHECK(find() && strstr(find(), "too many"));
	CHECK_EQUAL(regions.count, limit);
	limit = 0;
	start();
	add_map(CODE, 0x5000, 3, RUNTIME);
	add_table(CODE, 0x5000, 1, XP);
	table.count = 3;
	CHECK(find() && strstr(find(), "empty"));
	CHECK_EQUAL(access_at(0x5000), MAP_READ | MAP_WRITE);
	table.stride = 8;
	CHECK(find() && strstr(find(), "short"));
}

/* Whatever stands there: sorted, no overlap, never all three rights, and every address finds its own. */
static void test_anything(void)
{
	const char *wrong;

	srand(6);
	for (unsigned round = 0; round < ROUNDS; round++) {
		start();
		for (int i = rand() % 12; i; i--)
			add_map(rand() % 2 ? CODE : DATA, (uint64_t)(rand() % 64) << 12,
				(uint64_t)(rand() % 6), rand() % 4 ? RUNTIME : EFI_MEMORY_WB);
		for (int i = rand() % 12; i; i--)
			add_table(CODE, (uint64_t)(rand() % 64) << 12, (uint64_t)(rand() % 6),
				(rand() % 2 ? RO : 0) | (rand() % 2 ? XP : 0));
		wrong = find();
		CHECK(!wrong || !strstr(wrong, "too many"));
		for (size_t i = 0; i < regions.count; i++) {
			const struct bars_region *r = &regions.all[i];

			CHECK(r->size && !(r->phys % 4096) && !(r->size % 4096));
			CHECK(r->access != (MAP_READ | MAP_WRITE | MAP_EXECUTE));
			CHECK(!i || r[-1].phys + r[-1].size <= r->phys);
			CHECK(bars_region_at(&regions, r->phys) == r);
			CHECK(bars_region_at(&regions, r->phys + r->size - 1) == r);
		}
	}
}

int main(void)
{
	RUN(test_map);
	RUN(test_table);
	RUN(test_broken);
	RUN(test_anything);
	return test_result();
}
