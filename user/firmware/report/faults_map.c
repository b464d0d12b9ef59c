/* SPDX-License-Identifier: MIT */
#include "sample.h"

static void version_2(struct sample *s)
{
	s->map.head.descriptor_version = 2;
}

static void small_success(struct sample *s)
{
	s->map_calls[0].status = EFI_SUCCESS;
}

static void small_wrong_status(struct sample *s)
{
	s->map_calls[0].status = EFI_INVALID_PARAMETER;
}

static void small_no_size(struct sample *s)
{
	s->map_calls[0].returned = 0;
}

static void overlapping(struct sample *s)
{
	s->map_before.at[MAP_FREE].pages++;
}

static void empty_entry(struct sample *s)
{
	s->map_before.at[MAP_ECAM].pages = 0;
}

static void wrapping(struct sample *s)
{
	s->map_before.at[MAP_ECAM].pages = 0x10000000000000;
}

static void unknown_type(struct sample *s)
{
	s->map_before.at[s->map_before.count++] =
		(struct sample_descriptor){0x6fffffff, 0, 0xfd000000, 0, 1, 1, 0};
}

static void no_runtime(struct sample *s)
{
	s->map_before.at[MAP_RUNTIME_DATA].attributes = 0xf;
}

static void runtime_acpi(struct sample *s)
{
	s->map_before.at[MAP_NVS].attributes |= MEMORY_RUNTIME;
}

static void uncached(struct sample *s)
{
	s->map_before.at[MAP_FREE].attributes = MEMORY_UC;
}

static void ecam_free(struct sample *s)
{
	s->map_before.at[MAP_ECAM].type = MEMORY_FREE;
	s->map_before.at[MAP_ECAM].attributes = 0xf;
}

static void runtime_page0(struct sample *s)
{
	s->map_before.at[MAP_PAGE0].type = MEMORY_RUNTIME_DATA;
	s->map_before.at[MAP_PAGE0].attributes |= MEMORY_RUNTIME;
	s->previous = s->map_before;
}

static void written_page0(struct sample *s)
{
	s->canaries[1].changed = 4;
}

static void no_low_memory(struct sample *s)
{
	s->map_before.at[MAP_LOW].type = MEMORY_RESERVED;
}

static void one_more_entry(struct sample *s)
{
	s->map_before.at[s->map_before.count++] =
		(struct sample_descriptor){MEMORY_RESERVED, 0, 0xfd000000, 0, 1, 1, 0};
}

static void moved(struct sample *s)
{
	s->previous.at[MAP_NVS].base -= 0x1000;
	s->previous.at[MAP_RECLAIM].pages--;
}

static void first_boot(struct sample *s)
{
	s->previous.head.descriptor_size = 0; /* what was kept cannot be read: all moved */
}

static void small_descriptors(struct sample *s)
{
	s->map.head.descriptor_size = 36;
}

static void half_a_descriptor(struct sample *s)
{
	s->map.more = 8;
}

static void in_a_page(struct sample *s)
{
	s->map_before.at[MAP_ECAM].base += 8;
}

static const struct fault faults[] = {
	{"descriptor version 2", version_2, {{"map.descriptor", VERDICT_FAIL}}},
	{"SUCCESS with a small buffer", small_success, {{"map.descriptor", VERDICT_FAIL}}},
	{"a small buffer is an invalid parameter", small_wrong_status,
		{{"map.descriptor", VERDICT_FAIL}}},
	{"too small, and no size", small_no_size, {{"map.descriptor", VERDICT_FAIL}}},
	{"an overlap", overlapping, {{"map.no-overlap", VERDICT_FAIL}}},
	{"an entry without pages", empty_entry, {{"map.no-overlap", VERDICT_FAIL}}},
	{"an entry that wraps", wrapping, {{"map.no-overlap", VERDICT_FAIL}}},
	{"an unknown type", unknown_type, {{"map.types", VERDICT_FAIL}}},
	{"runtime memory without RUNTIME", no_runtime, {{"map.runtime-attribute", VERDICT_FAIL}}},
	{"ACPI memory with RUNTIME", runtime_acpi, {{"map.runtime-attribute", VERDICT_FAIL}}},
	{"RAM that cannot be cached", uncached, {{"map.cacheability", VERDICT_WARN}}},
	{"ECAM in free memory", ecam_free,
		{{"map.devices-not-free", VERDICT_FAIL}, {"acpi.mcfg", VERDICT_FAIL}}},
	{"page 0 is runtime data", runtime_page0,
		{{"map.page-0", VERDICT_WARN}, {"attributes.cover", VERDICT_FAIL}}},
	{"page 0 is written", written_page0, {{"map.page-0", VERDICT_WARN}}},
	{"no memory below 1 MiB", no_low_memory, {{"map.low-memory", VERDICT_WARN}}},
	{"an entry more: a record, no verdict", one_more_entry, {{0}}},
	{"ACPI memory moved since the last boot", moved, {{"map.across-boots", VERDICT_WARN}}},
	{"the last boot's map is damaged", first_boot, {{"map.across-boots", VERDICT_WARN}}},
	{"descriptors of 36 bytes", small_descriptors,
		{{"map.descriptor", VERDICT_FAIL}, {"entry.stack", VERDICT_FAIL},
			{"tables.runtime-pointers", VERDICT_FAIL},
			{"tables.configuration-memory", VERDICT_WARN},
			{"tables.acpi-memory", VERDICT_FAIL}}},
	{"half a descriptor", half_a_descriptor, {{"map.descriptor", VERDICT_FAIL}}},
	{"an entry that begins in a page", in_a_page, {{"map.no-overlap", VERDICT_FAIL}}},
};

const struct fault_list faults_map = {faults, sizeof faults / sizeof *faults};
