/* SPDX-License-Identifier: MIT */
/* The system, boot and runtime services tables and the configuration table. */
#include "bytes.h"
#include "report.h"
#include "uefi_tables.h"

typedef unsigned long long ull;

static const struct {
	const char *name;
	uint64_t signature;
	uint32_t least; /* bytes of the table in UEFI 2.0 */
} tables[] = {
	[EVIDENCE_SYSTEM_TABLE] = {"system table", UINT64_C(0x5453595320494249), 120},
	[EVIDENCE_BOOT_TABLE] = {"boot services table", UINT64_C(0x56524553544f4f42), 376},
	[EVIDENCE_RUNTIME_TABLE] = {"runtime services table", UINT64_C(0x56524553544e5552), 136},
};

bool table_crc_holds(struct span s)
{
	uint8_t zero[4] = {0};
	uint32_t size = le32(s, 12), crc;

	if (size < 24 || size > s.size)
		return false;
	crc = baton_crc32(0, s.data, 16);
	crc = baton_crc32(crc, zero, sizeof zero);
	return baton_crc32(crc, s.data + 20, size - 20) == le32(s, 16);
}

static void headers(struct judgement *j)
{
	for (uint32_t i = 0; i < 3; i++) {
		const struct evidence_record *record =
			evidence_find(j->evidence, EVIDENCE_TABLE, EVIDENCE_ENTRY, i);
		struct span s;

		if (!record) {
			wrong(j, "there is no %s", tables[i].name);
			continue;
		}
		s = span_of(record);
		if (le64(s, 0) != tables[i].signature)
			wrong(j, "%s: signature %#llx", tables[i].name, (ull)le64(s, 0));
		if (le32(s, 8) >> 16 < 1 || le32(s, 8) >> 16 > 2)
			wrong(j, "%s: revision %#x", tables[i].name, le32(s, 8));
		if (le32(s, 12) < tables[i].least || le32(s, 12) > s.size)
			wrong(j, "%s: header size %u", tables[i].name, le32(s, 12));
		else if (!table_crc_holds(s))
			wrong(j, "%s: CRC32 %#x is wrong", tables[i].name, le32(s, 16));
		if (le32(s, 20))
			wrong(j, "%s: the reserved field is %#x", tables[i].name, le32(s, 20));
	}
}

static bool in_image(const struct evidence *e, uint64_t address)
{
	const struct evidence_record *record = NULL;

	while ((record = evidence_of(e, EVIDENCE_IMAGE, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_image *image = evidence_head(record);

		if (address - image->base < image->size)
			return true;
	}
	return false;
}

static void pointers(struct judgement *j)
{
	const struct evidence_record *record =
		evidence_find(j->evidence, EVIDENCE_TABLE, EVIDENCE_ENTRY, EVIDENCE_RUNTIME_TABLE);
	struct map map = map_find(j->evidence, EVIDENCE_ENTRY);

	if (!record) {
		skip(j, "no evidence: the runtime services table");
		return;
	}
	for (unsigned i = 0; i < EVIDENCE_SERVICES; i++) {
		uint64_t pointer = le64(span_of(record), service_offset(i));
		struct region region = map_lookup(&map, pointer);

		if (!pointer)
			wrong(j, "%s is NULL", service_name(i));
		else if (region.type != MEMORY_RUNTIME_CODE)
			wrong(j, "%s at %#llx lies in %s", service_name(i), (ull)pointer,
				memory_type_name(region.type));
		else if (!in_image(j->evidence, pointer))
			wrong(j, "%s at %#llx lies in no image", service_name(i), (ull)pointer);
	}
}

static const struct evidence_record *configuration(const struct judgement *j)
{
	return evidence_of(j->evidence, EVIDENCE_CONFIGURATION, EVIDENCE_ENTRY, NULL);
}

static void unique(struct judgement *j)
{
	const struct evidence_configuration *entry = evidence_tail(configuration(j));
	size_t count = evidence_count(configuration(j));

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++)
			if (!memcmp(entry[i].guid, entry[k].guid, 16))
				wrong(j, "%s stands there as entry %zu and %zu",
					guid_text(entry[i].guid).text, k, i);
	seen(j, "%zu entries", count);
}

static bool is_table_memory(uint32_t type)
{
	return type == MEMORY_BOOT_DATA || type == MEMORY_RUNTIME_DATA ||
	       type == MEMORY_ACPI_RECLAIM || type == MEMORY_ACPI_NVS;
}

static void table_memory(struct judgement *j)
{
	const struct evidence_blob *head = evidence_head(configuration(j));
	const struct evidence_configuration *entry = evidence_tail(configuration(j));
	struct map map = map_find(j->evidence, EVIDENCE_ENTRY);
	size_t count = evidence_count(configuration(j));
	uint32_t type = map_lookup(&map, head->address).type;

	if (!is_table_memory(type))
		wrong(j, "the configuration table itself at %#llx: %s", (ull)head->address,
			memory_type_name(type));
	for (size_t i = 0; i < count; i++) {
		type = map_lookup(&map, entry[i].pointer).type;
		if (!is_table_memory(type))
			wrong(j, "%s at %#llx: %s", guid_text(entry[i].guid).text,
				(ull)entry[i].pointer, memory_type_name(type));
	}
}

static void acpi_memory(struct judgement *j)
{
	struct map map = map_find(j->evidence, EVIDENCE_ENTRY);
	const struct evidence_record *record = NULL;

	while ((record = evidence_of(j->evidence, EVIDENCE_ACPI, EVIDENCE_ENTRY, record))) {
		const struct evidence_blob *head = evidence_head(record);
		struct span s = span_of(record);
		uint32_t type = map_lookup(&map, head->address).type;

		if (span_starts(s, "FACS") ? type == MEMORY_ACPI_NVS
					   : type == MEMORY_ACPI_NVS || type == MEMORY_ACPI_RECLAIM)
			continue;
		wrong(j, "%.4s at %#llx: %s", s.size < 4 ? "?" : (const char *)s.data,
			(ull)head->address, memory_type_name(type));
	}
}

#define AT_ENTRY(kind)                          \
	{                                       \
		EVIDENCE_##kind, EVIDENCE_ENTRY \
	}

static const struct check checks[] = {
	{"tables.headers", 9, SEVERITY_E, "signature, revision, size and CRC32 of the three tables",
		"UEFI 2.10 4.2", "as the specification has them, CRC32 over the header's size",
		{AT_ENTRY(TABLE)}, .judge = headers},
	{"tables.runtime-pointers", 10, SEVERITY_E,
		"each runtime service lies in an image of runtime services code", "UEFI 2.10 4.5",
		"not NULL, memory of type 5, inside a runtime image",
		{AT_ENTRY(TABLE), AT_ENTRY(MEMORY_MAP), {EVIDENCE_IMAGE, EVIDENCE_ANY_PHASE}},
		.judge = pointers},
	{"tables.configuration-unique", 11, SEVERITY_E, "one configuration entry for each GUID",
		"UEFI 2.10 4.6", "no GUID twice", {AT_ENTRY(CONFIGURATION)}, .judge = unique},
	{"tables.configuration-memory", 12, SEVERITY_W,
		"configuration tables lie in a type of memory that is allowed", "UEFI 2.10 4.6",
		"boot services data, runtime services data, ACPI reclaim or NVS",
		{AT_ENTRY(CONFIGURATION), AT_ENTRY(MEMORY_MAP)}, .judge = table_memory},
	{"tables.acpi-memory", 13, SEVERITY_E, "ACPI's tables lie in ACPI's memory",
		"UEFI 2.10 4.6, ACPI 6.5 5.2.10", "reclaim or NVS, FACS in NVS",
		{AT_ENTRY(ACPI), AT_ENTRY(MEMORY_MAP)}, .judge = acpi_memory},
};

const struct family family_tables = {"tables", checks, sizeof checks / sizeof *checks};
