/* SPDX-License-Identifier: MIT */
#include "sample.h"

static struct sample_descriptor *entry(struct sample *s, unsigned index)
{
	return (struct sample_descriptor *)(void *)(s->attributes_before.data + 16) + index;
}

static void version_3(struct sample *s)
{
	put(&s->attributes_before, 0, 4, 3);
}

static void too_many(struct sample *s)
{
	put(&s->attributes_before, 4, 4, 5);
}

static void unsorted(struct sample *s)
{
	struct sample_descriptor first = *entry(s, 0);

	*entry(s, 0) = *entry(s, 1);
	*entry(s, 1) = first;
}

static void boot_memory(struct sample *s)
{
	*entry(s, 3) =
		(struct sample_descriptor){MEMORY_BOOT_DATA, 0, 0x7350000, 0, 0x10, MEMORY_XP, 0};
}

static void across_regions(struct sample *s)
{
	entry(s, 2)->pages += 1;
	entry(s, 3)->base += 0x1000;
	entry(s, 3)->pages -= 1;
}

static void not_covered(struct sample *s)
{
	entry(s, 3)->pages--;
}

static void writable_code(struct sample *s)
{
	entry(s, 1)->attributes = MEMORY_RUNTIME;
}

static void code_not_executable(struct sample *s)
{
	entry(s, 1)->attributes = MEMORY_RUNTIME | MEMORY_XP;
}

static void data_read_only(struct sample *s)
{
	entry(s, 2)->attributes |= MEMORY_RO;
}

static void no_sections(struct sample *s)
{
	put(&s->headers, 0x80, 4, 0);
}

static void other_at_entry(struct sample *s)
{
	put(&s->attributes, 4, 4, 3);
}

static void properties_version(struct sample *s)
{
	put(&s->rt_properties, 0, 2, 2);
}

static void unsupported_answers(struct sample *s)
{
	put(&s->rt_properties, 4, 4, 0x3fff & ~(1u << EVIDENCE_UPDATE_CAPSULE));
}

static void null_after_exit(struct sample *s)
{
	put(&s->runtime_after, service_offset(EVIDENCE_SET_TIME), 8, 0);
	seal_table(&s->runtime_after);
}

static void small_descriptors(struct sample *s)
{
	put(&s->attributes_before, 8, 4, 32);
}

static void in_a_page(struct sample *s)
{
	entry(s, 3)->base += 0x10;
}

static void no_pages(struct sample *s)
{
	put(&s->attributes_before, 4, 4, 5);
	s->attributes_before.size += sizeof *entry(s, 4);
	*entry(s, 4) =
		(struct sample_descriptor){MEMORY_RUNTIME_DATA, 0, 0x7350000, 0, 0, MEMORY_XP, 0};
}

static const struct fault faults[] = {
	{"version 3", version_3, {{"attributes.sorted", VERDICT_FAIL}}},
	{"more entries than bytes", too_many, {{"attributes.sorted", VERDICT_FAIL}}},
	{"not sorted", unsorted, {{"attributes.sorted", VERDICT_FAIL}}},
	{"boot services memory in it", boot_memory,
		{{"attributes.sorted", VERDICT_FAIL}, {"attributes.cover", VERDICT_FAIL}}},
	{"an entry across two regions", across_regions,
		{{"attributes.inside", VERDICT_FAIL}, {"attributes.cover", VERDICT_FAIL}}},
	{"a page not covered", not_covered, {{"attributes.cover", VERDICT_FAIL}}},
	{"code writable", writable_code, {{"attributes.permissions", VERDICT_WARN}}},
	{"code not executable", code_not_executable, {{"attributes.images", VERDICT_FAIL}}},
	{"data read-only", data_read_only, {{"attributes.images", VERDICT_FAIL}}},
	{"an image without sections", no_sections, {{"attributes.images", VERDICT_SKIP}}},
	{"another table at entry: a record", other_at_entry, {{0}}},
	{"RT_PROPERTIES version 2", properties_version, {{"services.rt-properties", VERDICT_FAIL}}},
	{"an unsupported service answers", unsupported_answers,
		{{"services.rt-properties", VERDICT_FAIL}}},
	{"a service NULL after exit", null_after_exit, {{"services.rt-properties", VERDICT_FAIL}}},
	{"descriptors of 32 bytes", small_descriptors,
		{{"attributes.sorted", VERDICT_FAIL}, {"attributes.cover", VERDICT_FAIL},
			{"attributes.images", VERDICT_FAIL}}},
	{"an entry that begins in a page", in_a_page,
		{{"attributes.sorted", VERDICT_FAIL}, {"attributes.inside", VERDICT_FAIL},
			{"attributes.cover", VERDICT_FAIL}}},
	{"an entry without pages", no_pages,
		{{"attributes.sorted", VERDICT_FAIL}, {"attributes.inside", VERDICT_FAIL}}},
};

const struct fault_list faults_attributes = {faults, sizeof faults / sizeof *faults};
