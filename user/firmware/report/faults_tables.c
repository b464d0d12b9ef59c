/* SPDX-License-Identifier: MIT */
#include "sample.h"

static void bad_crc(struct sample *s)
{
	s->tables[EVIDENCE_BOOT_TABLE].data[100] ^= 1;
}

static void bad_signature(struct sample *s)
{
	put_text(&s->tables[EVIDENCE_SYSTEM_TABLE], 0, "IBI SYSX");
	seal_table(&s->tables[EVIDENCE_SYSTEM_TABLE]);
}

static void bad_revision(struct sample *s)
{
	put(&s->tables[EVIDENCE_SYSTEM_TABLE], 8, 4, 0);
	seal_table(&s->tables[EVIDENCE_SYSTEM_TABLE]);
}

static void long_header(struct sample *s)
{
	put(&s->tables[EVIDENCE_BOOT_TABLE], 12, 4, 0xffffffff);
}

static void no_boot_table(struct sample *s)
{
	s->tables[EVIDENCE_BOOT_TABLE].size = 0;
}

static void set_pointer(struct sample *s, enum evidence_service service, uint64_t pointer)
{
	put(&s->tables[EVIDENCE_RUNTIME_TABLE], service_offset(service), 8, pointer);
	seal_table(&s->tables[EVIDENCE_RUNTIME_TABLE]);
}

static void null_service(struct sample *s)
{
	set_pointer(s, EVIDENCE_UPDATE_CAPSULE, 0);
}

static void service_in_boot_code(struct sample *s)
{
	set_pointer(s, EVIDENCE_GET_TIME, 0x7200100);
}

static void service_in_no_image(struct sample *s)
{
	s->image.size = 0x1000;
}

static void twice(struct sample *s)
{
	memcpy(s->configuration[3].guid, s->configuration[1].guid, 16);
	memcpy(s->configuration_after[3].guid, s->configuration_after[1].guid, 16);
}

static void in_free_memory(struct sample *s)
{
	s->configuration[2].pointer = s->configuration_after[2].pointer = 0x300000;
}

static void array_in_code(struct sample *s)
{
	s->configuration_address = 0x7200000;
}

static void acpi_in_boot_memory(struct sample *s)
{
	s->acpi[SPCR].address = 0x7110000;
	put(&s->acpi[XSDT], 36 + 8 * (SPCR - FACP), 8, 0x7110000);
	seal_sum(&s->acpi[XSDT], 9, s->acpi[XSDT].size);
}

static void facs_in_reclaim(struct sample *s)
{
	s->map.at[MAP_NVS].type = MEMORY_ACPI_RECLAIM;
}

static void reserved_field(struct sample *s)
{
	put(&s->tables[EVIDENCE_SYSTEM_TABLE], 20, 4, 1);
	seal_table(&s->tables[EVIDENCE_SYSTEM_TABLE]);
}

static const struct fault faults[] = {
	{"a CRC32 wrong", bad_crc, {{"tables.headers", VERDICT_FAIL}}},
	{"a signature wrong", bad_signature, {{"tables.headers", VERDICT_FAIL}}},
	{"a revision of 0", bad_revision, {{"tables.headers", VERDICT_FAIL}}},
	{"a header without end", long_header, {{"tables.headers", VERDICT_FAIL}}},
	{"no boot services", no_boot_table, {{"tables.headers", VERDICT_FAIL}}},
	{"a service NULL", null_service, {{"tables.runtime-pointers", VERDICT_FAIL}}},
	{"a service in boot code", service_in_boot_code,
		{{"tables.runtime-pointers", VERDICT_FAIL}}},
	{"a service in no image", service_in_no_image, {{"tables.runtime-pointers", VERDICT_FAIL}}},
	{"a GUID twice", twice, {{"tables.configuration-unique", VERDICT_FAIL}}},
	{"a table in free memory", in_free_memory, {{"tables.configuration-memory", VERDICT_WARN}}},
	{"the table itself in code", array_in_code,
		{{"tables.configuration-memory", VERDICT_WARN}}},
	{"an ACPI table in boot memory", acpi_in_boot_memory,
		{{"tables.acpi-memory", VERDICT_FAIL}}},
	{"FACS in reclaim memory", facs_in_reclaim, {{"tables.acpi-memory", VERDICT_FAIL}}},
	{"a reserved field set", reserved_field, {{"tables.headers", VERDICT_FAIL}}},
};

const struct fault_list faults_tables = {faults, sizeof faults / sizeof *faults};
