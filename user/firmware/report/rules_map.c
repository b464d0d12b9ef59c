/* SPDX-License-Identifier: MIT */
/* The memory map, as it was at entry and before exit. */
#include "acpi.h"
#include "bytes.h"
#include "report.h"

#define MIB (UINT64_C(1) << 20)

typedef unsigned long long ull;

static void descriptor(struct judgement *j)
{
	const struct evidence_record *record =
		evidence_of(j->evidence, EVIDENCE_MEMORY_MAP, EVIDENCE_ENTRY, NULL);
	const struct evidence_memory_map *head = evidence_head(record);
	size_t size = evidence_tail_size(record);

	if (head->descriptor_size < 40 || head->descriptor_size % 8)
		wrong(j, "descriptor size %u", head->descriptor_size);
	else if (size % head->descriptor_size)
		wrong(j, "%zu bytes are no whole number of descriptors of %u", size,
			head->descriptor_size);
	if (head->descriptor_version != 1)
		wrong(j, "descriptor version %u", head->descriptor_version);
	record = evidence_of(j->evidence, EVIDENCE_MAP_CALLS, EVIDENCE_ENTRY, NULL);
	for (size_t i = 0; i < evidence_count(record); i++) {
		const struct evidence_map_call *call =
			(const struct evidence_map_call *)evidence_tail(record) + i;

		if (call->status == EFI_SUCCESS && call->returned > call->given)
			wrong(j, "SUCCESS with a buffer of %llu bytes, needed %llu",
				(ull)call->given, (ull)call->returned);
		else if (call->status != EFI_SUCCESS && call->status != EFI_BUFFER_TOO_SMALL)
			wrong(j, "a buffer of %llu bytes gives %s", (ull)call->given,
				status_text(call->status).text);
		else if (call->status == EFI_BUFFER_TOO_SMALL && call->returned <= call->given)
			wrong(j, "BUFFER_TOO_SMALL of %llu bytes, and needs %llu", (ull)call->given,
				(ull)call->returned);
	}
}

static void overlap(struct judgement *j)
{
	struct map map = map_find(j->evidence, EVIDENCE_BEFORE_EXIT);

	for (size_t i = 0; i < map.count; i++) {
		struct region a = map_at(&map, i);

		if (!a.pages)
			wrong(j, "%#llx (%s) has no pages", (ull)a.base, memory_type_name(a.type));
		else if (a.end <= a.base)
			wrong(j, "%#llx with %#llx pages wraps around", (ull)a.base, (ull)a.pages);
		if (a.base % MEMORY_PAGE)
			wrong(j, "%#llx begins in a page", (ull)a.base);
		for (size_t k = 0; k < i; k++) {
			struct region b = map_at(&map, k);

			if (a.base < b.end && b.base < a.end)
				wrong(j, "%#llx (%s) and %#llx (%s) overlap", (ull)b.base,
					memory_type_name(b.type), (ull)a.base,
					memory_type_name(a.type));
		}
	}
}

static void types(struct judgement *j)
{
	struct map map = map_find(j->evidence, EVIDENCE_BEFORE_EXIT);

	for (size_t i = 0; i < map.count; i++) {
		struct region region = map_at(&map, i);

		if (region.type >= MEMORY_TYPES && region.type < MEMORY_OEM)
			wrong(j, "%#llx has type %#x", (ull)region.base, region.type);
	}
}

static void runtime(struct judgement *j)
{
	struct map map = map_find(j->evidence, EVIDENCE_BEFORE_EXIT);

	for (size_t i = 0; i < map.count; i++) {
		struct region region = map_at(&map, i);
		bool has = region.attributes & MEMORY_RUNTIME;

		if (memory_is_runtime(region.type) && !has)
			wrong(j, "%#llx (%s) has no RUNTIME attribute", (ull)region.base,
				memory_type_name(region.type));
		if ((region.type == MEMORY_ACPI_RECLAIM || region.type == MEMORY_ACPI_NVS) && has)
			wrong(j, "%#llx (%s) has the RUNTIME attribute", (ull)region.base,
				memory_type_name(region.type));
	}
}

static bool is_ram(uint32_t type)
{
	return (type >= MEMORY_LOADER_CODE && type <= MEMORY_FREE) || type == MEMORY_ACPI_RECLAIM ||
	       type == MEMORY_ACPI_NVS;
}

static void cacheability(struct judgement *j)
{
	struct map map = map_find(j->evidence, EVIDENCE_BEFORE_EXIT);

	for (size_t i = 0; i < map.count; i++) {
		struct region region = map_at(&map, i);

		if (is_ram(region.type) && !(region.attributes & MEMORY_WB))
			wrong(j, "%#llx (%s): attributes %#llx", (ull)region.base,
				memory_type_name(region.type), (ull)region.attributes);
	}
}

struct device_search {
	struct judgement *j;
	struct map map;
};

static void device(void *context, const char *name, uint64_t base, uint64_t size)
{
	struct device_search *search = context;

	for (size_t i = 0; i < search->map.count; i++) {
		struct region region = map_at(&search->map, i);

		if (region.type >= MEMORY_LOADER_CODE && region.type <= MEMORY_FREE &&
			base < region.end && (base >= region.base || region.base - base < size))
			wrong(search->j, "%s at %#llx lies in %s", name, (ull)base,
				memory_type_name(region.type));
	}
}

static void devices(struct judgement *j)
{
	struct device_search search = {j, map_find(j->evidence, EVIDENCE_BEFORE_EXIT)};
	const struct evidence_record *record =
		evidence_of(j->evidence, EVIDENCE_GRAPHICS, EVIDENCE_ANY_PHASE, NULL);

	acpi_devices(j->evidence, device, &search);
	if (record) {
		const struct evidence_graphics *graphics = evidence_head(record);

		if (graphics->size)
			device(&search, "the framebuffer", graphics->base, graphics->size);
	}
}

static void page0(struct judgement *j)
{
	struct map map = map_find(j->evidence, EVIDENCE_BEFORE_EXIT);
	struct region region = map_lookup(&map, 0);
	const struct evidence_record *record = NULL;
	bool watched = false;

	if (memory_is_runtime(region.type))
		wrong(j, "page 0 is %s: NULL is an address", memory_type_name(region.type));
	else
		seen(j, "page 0: %s", memory_type_name(region.type));
	while ((record = evidence_of(j->evidence, EVIDENCE_CANARIES, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_canary *canary = evidence_tail(record);

		for (size_t i = 0; i < evidence_count(record); i++) {
			watched |= canary[i].page0;
			if (canary[i].page0 && canary[i].changed)
				wrong(j, "%llu bytes of page 0 were written after exit, from %#llx",
					(ull)canary[i].changed, (ull)canary[i].first);
		}
	}
	if (!watched)
		skip(j, "page 0 was not watched");
}

static void low_memory(struct judgement *j)
{
	struct map map = map_find(j->evidence, EVIDENCE_BEFORE_EXIT);
	uint64_t bytes = 0;

	for (size_t i = 0; i < map.count; i++) {
		struct region region = map_at(&map, i);

		if (region.type == MEMORY_FREE && region.base < MIB && region.end > region.base)
			bytes += (region.end < MIB ? region.end : MIB) -
				 (region.base ? region.base : MEMORY_PAGE);
	}
	if (bytes < MEMORY_PAGE)
		wrong(j, "no page: other CPUs cannot be started");
	else
		seen(j, "%llu KiB", (ull)bytes >> 10);
}

static void size(struct judgement *j)
{
	struct map map = map_find(j->evidence, EVIDENCE_BEFORE_EXIT);
	size_t fragments = 0;

	for (size_t i = 0; i < map.count; i++)
		fragments += memory_is_runtime(map_at(&map, i).type);
	seen(j, "%zu entries, %zu of runtime services", map.count, fragments);
}

/* What hibernation rests upon: an image of RAM is put back under the same firmware. */
static bool kept(uint32_t type)
{
	return memory_is_runtime(type) || type == MEMORY_ACPI_RECLAIM || type == MEMORY_ACPI_NVS;
}

static void missing_in(
	struct judgement *j, const struct map *a, const struct map *b, const char *which)
{
	for (size_t i = 0; i < a->count; i++) {
		struct region region = map_at(a, i), other;

		if (!kept(region.type))
			continue;
		other = map_lookup(b, region.base);
		if (other.type != region.type || other.base != region.base ||
			other.pages != region.pages)
			wrong(j, "%#llx-%#llx (%s) only in %s boot", (ull)region.base,
				(ull)region.end - 1, memory_type_name(region.type), which);
	}
}

static void across_boots(struct judgement *j)
{
	struct map now = map_find(j->evidence, EVIDENCE_BEFORE_EXIT),
		   then = map_find(j->evidence, EVIDENCE_PREVIOUS_BOOT);

	missing_in(j, &now, &then, "this");
	missing_in(j, &then, &now, "the last");
}

#define MAP_SECTION "UEFI 2.10 7.2.3 *"
#define LAST_MAP                                          \
	{                                                 \
		EVIDENCE_MEMORY_MAP, EVIDENCE_BEFORE_EXIT \
	}

static const struct check checks[] = {
	{"map.descriptor", 14, SEVERITY_E, "descriptor size and version; a small buffer is refused",
		MAP_SECTION, "size 40 or more, version 1; BUFFER_TOO_SMALL with the size needed",
		{{EVIDENCE_MEMORY_MAP, EVIDENCE_ENTRY}, {EVIDENCE_MAP_CALLS, EVIDENCE_ENTRY}},
		.judge = descriptor},
	{"map.no-overlap", 15, SEVERITY_E, "no overlap, no wrap-around, no entry without pages",
		MAP_SECTION, "whole pages, each in one entry", {LAST_MAP}, .judge = overlap},
	{"map.types", 16, SEVERITY_E, "types are defined ones, or an OEM's or OS's", MAP_SECTION,
		"0 to 15, or 0x70000000 and up", {LAST_MAP}, .judge = types},
	{"map.runtime-attribute", 17, SEVERITY_E,
		"runtime services' memory has RUNTIME, ACPI's has not", MAP_SECTION,
		"RUNTIME on types 5 and 6, not on 9 and 10", {LAST_MAP}, .judge = runtime},
	{"map.cacheability", 18, SEVERITY_W, "RAM can be write-back", MAP_SECTION,
		"WB among its attributes", {LAST_MAP}, .judge = cacheability},
	{"map.devices-not-free", 19, SEVERITY_E, "no device in memory that the system may use",
		MAP_SECTION, "APICs, HPET, ECAM, framebuffer outside types 1 to 7",
		{LAST_MAP, {EVIDENCE_ACPI, EVIDENCE_ENTRY}}, .judge = devices},
	{"map.page-0", 20, SEVERITY_W, "page 0 is no runtime memory and is left alone after exit",
		MAP_SECTION, "not of types 5, 6; unchanged",
		{LAST_MAP, {EVIDENCE_CANARIES, EVIDENCE_ANY_PHASE}}, .judge = page0},
	{"map.low-memory", 21, SEVERITY_W, "conventional memory below 1 MiB", MAP_SECTION,
		"one page or more but page 0", {LAST_MAP}, .judge = low_memory},
	{"map.size", 22, SEVERITY_I, "entries and fragments of runtime memory", MAP_SECTION,
		"a record", {LAST_MAP}, .varies = true, .judge = size},
	{"map.across-boots", 23, SEVERITY_W,
		"runtime and ACPI memory at the same place as at the boot before", MAP_SECTION,
		"the same ranges: hibernation needs it",
		{LAST_MAP, {EVIDENCE_MEMORY_MAP, EVIDENCE_PREVIOUS_BOOT}}, .judge = across_boots},
};

const struct family family_map = {"memory map", checks, sizeof checks / sizeof *checks};
