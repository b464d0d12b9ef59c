/* SPDX-License-Identifier: MIT */
/* The memory attributes table and the runtime properties table. */
#include "bytes.h"
#include "pe.h"
#include "report.h"
#include "uefi_tables.h"

#define TABLE_HEADER 16u /* version, number, descriptor size, flags */

typedef unsigned long long ull;

static struct map table_now(const struct judgement *j)
{
	return attributes_find(j->evidence, EVIDENCE_BEFORE_EXIT);
}

static void sorted(struct judgement *j)
{
	struct span s =
		span_of(evidence_of(j->evidence, EVIDENCE_ATTRIBUTES, EVIDENCE_BEFORE_EXIT, NULL));
	struct map map = table_now(j);
	uint64_t end = 0;

	if (le32(s, 0) != 1 && le32(s, 0) != 2)
		wrong(j, "version %u", le32(s, 0));
	if (le32(s, 8) < 40)
		wrong(j, "descriptor size %u", le32(s, 8));
	else if ((uint64_t)le32(s, 4) * le32(s, 8) > s.size - TABLE_HEADER || s.size < TABLE_HEADER)
		wrong(j, "%u entries of %u bytes in a table of %zu", le32(s, 4), le32(s, 8),
			s.size);
	for (size_t i = 0; i < map.count; i++) {
		struct region region = map_at(&map, i);

		if (!memory_is_runtime(region.type))
			wrong(j, "%#llx has type %s", (ull)region.base,
				memory_type_name(region.type));
		if (region.base % MEMORY_PAGE)
			wrong(j, "%#llx begins in a page", (ull)region.base);
		if (region.end <= region.base)
			wrong(j, "%#llx has no pages or wraps around", (ull)region.base);
		if (region.base < end)
			wrong(j, "%#llx comes after %#llx: not sorted, or an overlap",
				(ull)region.base, (ull)end);
		end = region.end;
	}
}

static void inside(struct judgement *j)
{
	struct map table = table_now(j), map = map_find(j->evidence, EVIDENCE_BEFORE_EXIT);

	for (size_t i = 0; i < table.count; i++) {
		struct region entry = map_at(&table, i), region = map_lookup(&map, entry.base);

		if (region.type != entry.type || entry.end > region.end)
			wrong(j, "%#llx-%#llx (%s) is not inside one such entry of the map",
				(ull)entry.base, (ull)entry.end - 1, memory_type_name(entry.type));
	}
}

static void cover(struct judgement *j)
{
	struct map table = table_now(j), map = map_find(j->evidence, EVIDENCE_BEFORE_EXIT);

	for (size_t i = 0; i < map.count; i++) {
		struct region region = map_at(&map, i);
		uint64_t pages = 0;

		if (!memory_is_runtime(region.type))
			continue;
		for (size_t k = 0; k < table.count; k++) {
			struct region entry = map_at(&table, k);

			if (entry.base >= region.base && entry.end <= region.end)
				pages += entry.pages;
		}
		if (pages != region.pages)
			wrong(j, "%#llx-%#llx (%s): %llu of %llu pages described", (ull)region.base,
				(ull)region.end - 1, memory_type_name(region.type), (ull)pages,
				(ull)region.pages);
	}
}

static void permissions(struct judgement *j)
{
	struct map table = table_now(j);

	for (size_t i = 0; i < table.count; i++) {
		struct region entry = map_at(&table, i);

		if (!(entry.attributes & (MEMORY_RO | MEMORY_XP)))
			wrong(j, "%#llx-%#llx (%s) is writable and executable", (ull)entry.base,
				(ull)entry.end - 1, memory_type_name(entry.type));
	}
}

static void section_agrees(struct judgement *j, const struct evidence_image *image,
	const struct pe_section *section, const struct map *table)
{
	uint64_t first = image->base + section->address;

	for (uint64_t at = first; at - first < section->size;) {
		struct region entry = map_lookup(table, at);
		const char *what = NULL;

		if (!entry.pages)
			what = "not described";
		else if (section->characteristics & PE_EXECUTE && entry.attributes & MEMORY_XP)
			what = "not executable";
		else if (section->characteristics & PE_WRITE && entry.attributes & MEMORY_RO)
			what = "read-only";
		if (what) {
			wrong(j, "%.63s %s at %#llx is %s", image->name, section->name, (ull)at,
				what);
			return;
		}
		at = entry.end;
	}
}

static void images(struct judgement *j)
{
	const struct evidence_record *record = NULL;
	struct map table = table_now(j);
	unsigned looked_at = 0;

	while ((record = evidence_of(j->evidence, EVIDENCE_IMAGE, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_image *image = evidence_head(record);
		unsigned count = pe_sections(span_of(record));

		looked_at += count;
		for (unsigned i = 0; i < count; i++) {
			struct pe_section section = pe_section(span_of(record), i);

			section_agrees(j, image, &section, &table);
		}
	}
	if (!looked_at)
		skip(j, "no image with sections");
}

static void reread(struct judgement *j)
{
	const struct evidence_record *a =
		evidence_of(j->evidence, EVIDENCE_ATTRIBUTES, EVIDENCE_ENTRY, NULL);
	const struct evidence_record *b =
		evidence_of(j->evidence, EVIDENCE_ATTRIBUTES, EVIDENCE_BEFORE_EXIT, NULL);
	struct span then = span_of(a), now = span_of(b);

	if (then.size == now.size && !memcmp(then.data, now.data, now.size))
		seen(j, "the same at entry and before exit");
	else
		seen(j, "%u entries at entry, %u before exit: copy it late", le32(then, 4),
			le32(now, 4));
}

static void properties(struct judgement *j)
{
	struct span s =
		span_of(evidence_of(j->evidence, EVIDENCE_RT_PROPERTIES, EVIDENCE_ANY_PHASE, NULL));
	const struct evidence_record *record = NULL;

	if (le16(s, 0) != 1 || le16(s, 2) != 8)
		wrong(j, "version %u, length %u", le16(s, 0), le16(s, 2));
	while ((record = evidence_of(j->evidence, EVIDENCE_CALL, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_call *call = evidence_head(record);

		if (record->phase < EVIDENCE_PHYSICAL || call->service >= EVIDENCE_SERVICES ||
			le32(s, 4) >> call->service & 1 || call->outcome != EVIDENCE_RETURNED)
			continue;
		if (call->status != EFI_UNSUPPORTED)
			wrong(j, "%s is not supported and gives %s", service_name(call->service),
				status_text(call->status).text);
	}
	record = evidence_find(
		j->evidence, EVIDENCE_TABLE, EVIDENCE_PHYSICAL, EVIDENCE_RUNTIME_TABLE);
	for (uint32_t i = 0; record && i < EVIDENCE_SERVICES; i++)
		if (!le64(span_of(record), service_offset(i)))
			wrong(j, "%s is NULL after exit", service_name(i));
	seen(j, "services supported: %#x", le32(s, 4));
}

#define MAT_SECTION "UEFI 2.10 4.6.4"
#define TABLE_NOW                                         \
	{                                                 \
		EVIDENCE_ATTRIBUTES, EVIDENCE_BEFORE_EXIT \
	}
#define MAP_NOW                                           \
	{                                                 \
		EVIDENCE_MEMORY_MAP, EVIDENCE_BEFORE_EXIT \
	}

static const struct check checks[] = {
	{"attributes.sorted", 31, SEVERITY_E, "entries are sorted, aligned and of runtime types",
		MAT_SECTION, "ascending, whole pages, no overlap, types 5 and 6", {TABLE_NOW},
		.judge = sorted},
	{"attributes.inside", 32, SEVERITY_E, "each entry lies inside one entry of the memory map",
		MAT_SECTION, "inside one region of the same type", {TABLE_NOW, MAP_NOW},
		.judge = inside},
	{"attributes.cover", 33, SEVERITY_E, "the entries cover each runtime region", MAT_SECTION,
		"each page of types 5 and 6 described once", {TABLE_NOW, MAP_NOW}, .judge = cover},
	{"attributes.permissions", 34, SEVERITY_W, "nothing is writable and executable",
		MAT_SECTION, "RO or XP on each entry", {TABLE_NOW}, .judge = permissions},
	{"attributes.images", 35, SEVERITY_E, "the table agrees with the images' sections",
		MAT_SECTION, "code not XP, data not RO",
		{TABLE_NOW, {EVIDENCE_IMAGE, EVIDENCE_ANY_PHASE}}, .judge = images},
	{"attributes.reread", 36, SEVERITY_I, "the table at entry and before exit", MAT_SECTION,
		"a record", {{EVIDENCE_ATTRIBUTES, EVIDENCE_ENTRY}, TABLE_NOW}, .varies = true,
		.judge = reread},
	{"services.rt-properties", 37, SEVERITY_E,
		"services that are said to be unsupported say so themselves", "UEFI 2.10 4.6",
		"version 1, length 8; UNSUPPORTED from each such service, none NULL",
		{{EVIDENCE_RT_PROPERTIES, EVIDENCE_ANY_PHASE}, {EVIDENCE_CALL, EVIDENCE_ANY_PHASE}},
		.judge = properties},
};

const struct family family_attributes = {
	"memory attributes", checks, sizeof checks / sizeof *checks};
