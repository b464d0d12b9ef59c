/* SPDX-License-Identifier: MIT */
#include "memory_map.h"

#include "check.h"

#define MOST        64u
#define FUZZ_ROUNDS 100000u
#define PAGES_SHOWN 64u /* the fuzzer's maps lie in so many pages, which a plain model can hold */

#define WB          FIRMWARE_MEMORY_WB

static struct handoff_memory scratch[MOST], entries[2 * MOST + 16];
static struct complaint why;

static struct memory_list sanitise(
	const struct firmware_descriptor *d, size_t n, enum memory_phase phase)
{
	struct memory_list list = {.entries = entries, .capacity = memory_map_capacity(n)};

	CHECK_EQUAL(memory_map_sanitise(d, n * sizeof(*d), sizeof(*d), phase, scratch, &list, &why),
		VERDICT_OK);
	return list;
}

static void sorts_and_merges(void)
{
	static const struct firmware_descriptor d[] = {
		{FIRMWARE_CONVENTIONAL, 0, 0x5000, 0, 3, WB},
		{FIRMWARE_LOADER_DATA, 0, 0x3000, 0, 2, WB},
		{FIRMWARE_RESERVED, 0, 0x1000, 0, 1, 0},
		{FIRMWARE_BOOT_SERVICES_DATA, 0, 0x8000, 0, 1, WB},
		{FIRMWARE_CONVENTIONAL, 0, 0x9000, 0, 0, WB},
	};
	struct memory_list list = sanitise(d, 5, MEMORY_AFTER_EXIT);

	CHECK_EQUAL(list.count, 3);
	CHECK_EQUAL(entries[0].base, 0x1000);
	CHECK_EQUAL(entries[0].type, HANDOFF_MEMORY_RESERVED);
	CHECK_EQUAL(entries[1].base, 0x3000);
	CHECK_EQUAL(entries[1].size, 0x5000);
	CHECK_EQUAL(entries[1].type, HANDOFF_MEMORY_FREE);
	CHECK_EQUAL(entries[2].type, HANDOFF_MEMORY_BOOT_SERVICES);
	list = sanitise(d, 5, MEMORY_BEFORE_EXIT);
	CHECK_EQUAL(list.count, 4);
	CHECK_EQUAL(entries[1].type, HANDOFF_MEMORY_BOOT_SERVICES);
	CHECK_EQUAL(entries[1].size, 0x2000);
}

static void resolves_overlaps(void)
{
	static const struct firmware_descriptor d[] = {
		{FIRMWARE_CONVENTIONAL, 0, 0x0, 0, 16, WB | 1},
		{FIRMWARE_MMIO, 0, 0x4000, 0, 2, 1},
		{FIRMWARE_RUNTIME_DATA, 0, 0x5000, 0, 2, WB | FIRMWARE_MEMORY_RUNTIME},
		{FIRMWARE_RUNTIME_DATA, 0, 0x6000, 0, 2, WB | 2},
	};
	struct memory_list list = sanitise(d, 4, MEMORY_AFTER_EXIT);

	CHECK_EQUAL(list.count, 5);
	CHECK_EQUAL(entries[0].size, 0x4000);
	CHECK_EQUAL(entries[1].type, HANDOFF_MEMORY_MMIO);
	CHECK_EQUAL(entries[1].size, 0x2000);
	CHECK_EQUAL(entries[2].base, 0x6000);
	CHECK_EQUAL(entries[2].attributes, WB | FIRMWARE_MEMORY_RUNTIME);
	CHECK_EQUAL(entries[3].base, 0x7000);
	CHECK_EQUAL(entries[3].attributes, WB | 2);
	CHECK_EQUAL(entries[4].base, 0x8000);
}

static void knows_types(void)
{
	static const struct {
		uint32_t firmware;
		uint64_t attributes;
		uint32_t type;
	} cases[] = {{FIRMWARE_CONVENTIONAL, 0, HANDOFF_MEMORY_RESERVED},
		{FIRMWARE_CONVENTIONAL, WB | FIRMWARE_MEMORY_SP, HANDOFF_MEMORY_RESERVED},
		{FIRMWARE_PAL_CODE, WB, HANDOFF_MEMORY_RESERVED},
		{0x80000001, WB, HANDOFF_MEMORY_RESERVED},
		{UINT32_MAX, WB, HANDOFF_MEMORY_RESERVED},
		{FIRMWARE_UNACCEPTED, WB, HANDOFF_MEMORY_UNACCEPTED},
		{FIRMWARE_PERSISTENT, WB, HANDOFF_MEMORY_PERSISTENT},
		{FIRMWARE_UNUSABLE, WB, HANDOFF_MEMORY_UNUSABLE},
		{FIRMWARE_ACPI_NVS, WB, HANDOFF_MEMORY_ACPI_NVS},
		{FIRMWARE_ACPI_RECLAIM, WB, HANDOFF_MEMORY_ACPI_RECLAIM},
		{FIRMWARE_RUNTIME_CODE, WB, HANDOFF_MEMORY_RUNTIME_CODE}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct firmware_descriptor d = {
			cases[i].firmware, 0, 0x1000, 0, 1, cases[i].attributes};

		CHECK_EQUAL(sanitise(&d, 1, MEMORY_AFTER_EXIT).count, 1);
		CHECK_EQUAL(entries[0].type, cases[i].type);
	}
}

/* Unaligned, wrapping, beyond the last address: what is usable shrinks, what is not grows. */
static void rounds_and_clips(void)
{
	struct firmware_descriptor d = {FIRMWARE_CONVENTIONAL, 0, 0x1001, 0, 2, WB};

	CHECK_EQUAL(sanitise(&d, 1, MEMORY_AFTER_EXIT).count, 1);
	CHECK_EQUAL(entries[0].base, 0x2000);
	CHECK_EQUAL(entries[0].size, 0x1000);
	d.type = FIRMWARE_RESERVED;
	sanitise(&d, 1, MEMORY_AFTER_EXIT);
	CHECK_EQUAL(entries[0].base, 0x1000);
	CHECK_EQUAL(entries[0].size, 0x3000);
	d.pages = UINT64_MAX;
	sanitise(&d, 1, MEMORY_AFTER_EXIT);
	CHECK_EQUAL(entries[0].base + entries[0].size, MEMORY_PHYS_END);
	d.physical_start = UINT64_MAX - 5;
	CHECK_EQUAL(sanitise(&d, 1, MEMORY_AFTER_EXIT).count, 0);
}

static void refuses_bad_sizes(void)
{
	struct memory_list list = {.entries = entries, .capacity = 1};
	struct firmware_descriptor d[2] = {{FIRMWARE_CONVENTIONAL, 0, 0x1000, 0, 1, WB},
		{FIRMWARE_CONVENTIONAL, 0, 0x3000, 0, 1, WB}};

	CHECK_EQUAL(memory_map_sanitise(d, 80, 39, MEMORY_AFTER_EXIT, scratch, &list, &why),
		VERDICT_MALFORMED);
	CHECK_EQUAL(memory_map_sanitise(d, 79, 40, MEMORY_AFTER_EXIT, scratch, &list, &why),
		VERDICT_MALFORMED);
	CHECK_EQUAL(memory_map_sanitise(d, 80, 40, MEMORY_AFTER_EXIT, scratch, &list, &why),
		VERDICT_NO_ROOM);
	CHECK_EQUAL(
		memory_map_sanitise(d, 0, 40, MEMORY_AFTER_EXIT, scratch, &list, &why), VERDICT_OK);
	CHECK_EQUAL(list.count, 0);
}

static void claims(void)
{
	struct firmware_descriptor d = {FIRMWARE_CONVENTIONAL, 0, 0x1000, 0, 8, WB};
	struct memory_list list = sanitise(&d, 1, MEMORY_AFTER_EXIT);

	list.capacity = 8;
	CHECK_EQUAL(memory_map_claim(&list, (struct handoff_range){0x3000, 0x2000},
			    HANDOFF_MEMORY_KERNEL, &why),
		VERDICT_OK);
	CHECK_EQUAL(list.count, 3);
	CHECK_EQUAL(entries[1].base, 0x3000);
	CHECK_EQUAL(entries[1].size, 0x2000);
	CHECK_EQUAL(entries[2].base, 0x5000);
	CHECK_EQUAL(entries[2].size, 0x4000);
	CHECK_EQUAL(memory_map_claim(&list, (struct handoff_range){0x5000, 0x4000},
			    HANDOFF_MEMORY_INITRD, &why),
		VERDICT_OK);
	CHECK_EQUAL(list.count, 3);
	CHECK_EQUAL(memory_map_claim(&list, (struct handoff_range){0x1000, 0x1000},
			    HANDOFF_MEMORY_STACK, &why),
		VERDICT_OK);
	CHECK_EQUAL(list.count, 4);
	CHECK_EQUAL(entries[1].base, 0x2000);
	CHECK_EQUAL(entries[1].type, HANDOFF_MEMORY_FREE);
}

static void refuses_claims(void)
{
	struct firmware_descriptor d = {FIRMWARE_CONVENTIONAL, 0, 0x1000, 0, 8, WB};
	struct memory_list list = sanitise(&d, 1, MEMORY_AFTER_EXIT);
	static const struct handoff_range bad[] = {
		{0, 0x1000}, {0x9000, 0x1000}, {0x8000, 0x2000}, {0x1000, UINT64_MAX & ~0xfffull}};

	for (size_t i = 0; i < 4; i++)
		CHECK_EQUAL(memory_map_claim(&list, bad[i], HANDOFF_MEMORY_KERNEL, &why),
			VERDICT_MALFORMED);
	CHECK_EQUAL(
		memory_map_claim(&list, (struct handoff_range){0, 0}, HANDOFF_MEMORY_KERNEL, &why),
		VERDICT_OK);
	list.capacity = 2;
	CHECK_EQUAL(memory_map_claim(&list, (struct handoff_range){0x3000, 0x1000},
			    HANDOFF_MEMORY_KERNEL, &why),
		VERDICT_NO_ROOM);
	CHECK_EQUAL(list.count, 1);
}

/* The model: for each page the most restrictive of the descriptors that cover it. */
static const uint32_t model_types[] = {FIRMWARE_CONVENTIONAL, FIRMWARE_BOOT_SERVICES_CODE,
	FIRMWARE_ACPI_RECLAIM, FIRMWARE_ACPI_NVS, FIRMWARE_RUNTIME_DATA, FIRMWARE_RUNTIME_CODE,
	FIRMWARE_UNACCEPTED, FIRMWARE_PERSISTENT, FIRMWARE_UNUSABLE, FIRMWARE_RESERVED,
	FIRMWARE_MMIO};
static const uint32_t handoff_types[] = {HANDOFF_MEMORY_FREE, HANDOFF_MEMORY_BOOT_SERVICES,
	HANDOFF_MEMORY_ACPI_RECLAIM, HANDOFF_MEMORY_ACPI_NVS, HANDOFF_MEMORY_RUNTIME_DATA,
	HANDOFF_MEMORY_RUNTIME_CODE, HANDOFF_MEMORY_UNACCEPTED, HANDOFF_MEMORY_PERSISTENT,
	HANDOFF_MEMORY_UNUSABLE, HANDOFF_MEMORY_RESERVED, HANDOFF_MEMORY_MMIO};

static void check_against_model(const struct memory_list *list, const int *model)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct handoff_memory *m = &list->entries[i], *next = m + 1;

		CHECK(m->size && !((m->base | m->size) % MEMORY_PAGE));
		if (i + 1 < list->count) {
			CHECK(m->base + m->size <= next->base);
			CHECK(m->base + m->size < next->base || m->type != next->type ||
				m->attributes != next->attributes);
		}
	}
	for (uint64_t page = 0; page < PAGES_SHOWN; page++) {
		uint32_t type = 0;

		for (size_t i = 0; i < list->count; i++)
			if (page * MEMORY_PAGE - list->entries[i].base < list->entries[i].size)
				type = list->entries[i].type;
		CHECK_EQUAL(type, model[page] < 0 ? 0 : handoff_types[model[page]]);
	}
}

static void fuzz(void)
{
	uint64_t seed = 2;

	for (unsigned int round = 0; round < FUZZ_ROUNDS; round++) {
		struct firmware_descriptor d[MOST];
		size_t n = next_random(&seed) % 24;
		int model[PAGES_SHOWN];
		struct memory_list list;

		memset(model, -1, sizeof(model));
		for (size_t i = 0; i < n; i++) {
			uint64_t page = next_random(&seed) % PAGES_SHOWN;
			uint64_t count = next_random(&seed) % 16;
			int kind = (int)(next_random(&seed) % 11);

			if (page + count > PAGES_SHOWN)
				count = PAGES_SHOWN - page;
			d[i] = (struct firmware_descriptor){model_types[kind], 0,
				page * MEMORY_PAGE, 0, count,
				WB | (next_random(&seed) % 2) * FIRMWARE_MEMORY_RUNTIME};
			for (; count; count--, page++)
				model[page] = model[page] > kind ? model[page] : kind;
		}
		list = sanitise(d, n, MEMORY_AFTER_EXIT);
		check_against_model(&list, model);
	}
}

/* Any bytes at all as descriptors: no crash, and the output keeps its promises. */
static void fuzz_bytes(void)
{
	uint64_t seed = 3;

	for (unsigned int round = 0; round < FUZZ_ROUNDS / 4; round++) {
		struct firmware_descriptor d[16];
		uint64_t *words = (uint64_t *)d;
		struct memory_list list;

		for (size_t i = 0; i < sizeof(d) / 8; i++)
			words[i] = next_random(&seed) >> next_random(&seed) % 64;
		list = sanitise(d, 16, MEMORY_AFTER_EXIT);
		for (size_t i = 0; i < list.count; i++) {
			CHECK(entries[i].size &&
				entries[i].base + entries[i].size <= MEMORY_PHYS_END);
			CHECK(!i || entries[i - 1].base + entries[i - 1].size <= entries[i].base);
		}
	}
}

int main(void)
{
	sorts_and_merges();
	resolves_overlaps();
	knows_types();
	rounds_and_clips();
	refuses_bad_sizes();
	claims();
	refuses_claims();
	fuzz();
	fuzz_bytes();
	return 0;
}
