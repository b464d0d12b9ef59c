/* SPDX-License-Identifier: MIT */
#include "sample.h"

#include <stdlib.h>

void put(struct blob *blob, size_t at, unsigned bytes, uint64_t value)
{
	if (at + bytes > BLOB_MAX)
		abort();
	for (unsigned i = 0; i < bytes; i++)
		blob->data[at + i] = (uint8_t)(value >> 8 * i);
	if (blob->size < at + bytes)
		blob->size = at + bytes;
}

void put_text(struct blob *blob, size_t at, const char *text)
{
	for (; *text; text++)
		put(blob, at++, 1, (unsigned char)*text);
}

void seal_table(struct blob *blob)
{
	put(blob, 16, 4, 0);
	put(blob, 16, 4, baton_crc32(0, blob->data, blob->data[12] | blob->data[13] << 8));
}

void seal_sum(struct blob *blob, size_t at, size_t size)
{
	blob->data[at] = 0;
	blob->data[at] = (uint8_t)-span_sum((struct span){blob->data, size});
}

static void good_cpu(struct sample *s)
{
	s->machine = (struct evidence_machine){.tsc_hz = 1000000000};
	s->cpu = (struct evidence_cpu){.cr0 = 0x80010033,
		.cr3 = 0x7180000,
		.cr4 = 0x668,
		.efer = 0xd00,
		.rflags = 0x202,
		.rsp = 0x7160ff8,
		.xcr0 = 7,
		.gdt_base = 0x7190000,
		.idt_base = 0x7191000,
		.code = 0x00af9a000000ffff,
		.stack = 0x00cf93000000ffff,
		.data = 0x00cf93000000ffff,
		.extra = 0x00cf93000000ffff,
		.cs = 0x38,
		.ss = 0x30,
		.ds = 0x30,
		.es = 0x30,
		.fcw = 0x37f,
		.mxcsr = 0x1f80};
	s->msrs[0] = (struct evidence_msr){0x277, 0x7040600070406};
	s->msrs[1] = (struct evidence_msr){0x2ff, 0xc06};
	s->msrs[2] = (struct evidence_msr){0x200, 0xc0000000};
	s->msrs[3] = (struct evidence_msr){0x201, 0xfc0000800};
	s->self = (struct evidence_self){.image_base = 0x7000000, .image_size = 0x20000};
}

static void good_map(struct sample *s)
{
	static const struct sample_descriptor good[MAP_ENTRIES] = {
		[MAP_PAGE0] = {MEMORY_BOOT_CODE, 0, 0, 0, 1, 0xf, 0},
		[MAP_LOW] = {MEMORY_FREE, 0, 0x1000, 0, 0x9f, 0xf, 0},
		[MAP_FREE] = {MEMORY_FREE, 0, 0x100000, 0, 0x6f00, 0xf, 0},
		[MAP_LOADER] = {MEMORY_LOADER_CODE, 0, 0x7000000, 0, 0x100, 0xf, 0},
		[MAP_BOOT] = {MEMORY_BOOT_DATA, 0, 0x7100000, 0, 0x100, 0xf, 0},
		[MAP_BOOT_CODE] = {MEMORY_BOOT_CODE, 0, 0x7200000, 0, 0x100, 0xf, 0},
		[MAP_RECLAIM] = {MEMORY_ACPI_RECLAIM, 0, 0x7300000, 0, 0x10, 0xf, 0},
		[MAP_NVS] = {MEMORY_ACPI_NVS, 0, 0x7310000, 0, 0x10, 0xf, 0},
		[MAP_RUNTIME_CODE] = {MEMORY_RUNTIME_CODE, 0, 0x7320000, 0, 0x10,
			0xf | MEMORY_RUNTIME, 0},
		[MAP_RUNTIME_DATA] = {MEMORY_RUNTIME_DATA, 0, 0x7330000, 0, 0x20,
			0xf | MEMORY_RUNTIME, 0},
		[MAP_BOOT_2] = {MEMORY_BOOT_DATA, 0, 0x7350000, 0, 0xb0, 0xf, 0},
		[MAP_ECAM] = {MEMORY_RESERVED, 0, 0xb0000000, 0, 0x10000, 1, 0},
	};
	static const struct evidence_mapping mappings[] = {
		{0x1000, 0x1000, 0x6fff000, EVIDENCE_READ | EVIDENCE_WRITE, 0},
		{0x7000000, 0x7000000, 0x20000, EVIDENCE_READ | EVIDENCE_EXECUTE, 0},
		{0x7020000, 0x7020000, 0x1e0000, EVIDENCE_READ | EVIDENCE_WRITE, 0},
		{0x7200000, 0x7200000, 0x100000, EVIDENCE_READ | EVIDENCE_EXECUTE, 0},
		{0x7300000, 0x7300000, 0x20000, EVIDENCE_READ | EVIDENCE_WRITE, 0},
		{0x7320000, 0x7320000, 0x10000, EVIDENCE_READ | EVIDENCE_EXECUTE, 0},
		{0x7330000, 0x7330000, 0xd0000, EVIDENCE_READ | EVIDENCE_WRITE, 0},
		{0x80000000, 0x80000000, 0x80000000, EVIDENCE_READ | EVIDENCE_WRITE, 0},
	};

	s->map.head = (struct evidence_memory_map){
		.key = 77, .descriptor_size = 48, .descriptor_version = 1};
	memcpy(s->map.at, good, sizeof good);
	s->map.count = MAP_ENTRIES;
	s->map_before = s->previous = s->map;
	memcpy(s->mappings, mappings, sizeof mappings);
	s->mapping_count = sizeof mappings / sizeof *mappings;
	s->map_calls[0] = (struct evidence_map_call){0, 48 * MAP_ENTRIES, EFI_BUFFER_TOO_SMALL, 48};
	s->map_calls[1] = (struct evidence_map_call){4096, 48 * MAP_ENTRIES, EFI_SUCCESS, 48};
}

static void uefi_table(struct blob *blob, const char *signature, size_t size)
{
	blob->address = 0x7331000;
	put_text(blob, 0, signature);
	put(blob, 8, 4, 2 << 16 | 70);
	put(blob, 12, 4, size);
	for (size_t at = 24; at < size; at += 8)
		put(blob, at, 8, 0x7202000 + at);
	seal_table(blob);
}

static void good_tables(struct sample *s)
{
	uefi_table(&s->tables[EVIDENCE_SYSTEM_TABLE], "IBI SYST", 120);
	uefi_table(&s->tables[EVIDENCE_BOOT_TABLE], "BOOTSERV", 376);
	uefi_table(&s->tables[EVIDENCE_RUNTIME_TABLE], "RUNTSERV", 136);
	for (uint32_t i = 0; i < EVIDENCE_SERVICES; i++)
		put(&s->tables[EVIDENCE_RUNTIME_TABLE], service_offset(i), 8,
			0x7321000 + 64 * (uint64_t)i);
	seal_table(&s->tables[EVIDENCE_RUNTIME_TABLE]);
	s->system_after = s->tables[EVIDENCE_SYSTEM_TABLE];
	for (size_t at = SYSTEM_CONSOLE_FIRST; at < SYSTEM_CONSOLE_END; at += 8)
		put(&s->system_after, at, 8, 0);
	put(&s->system_after, SYSTEM_BOOT, 8, 0);
	seal_table(&s->system_after);
	s->runtime_after = s->runtime_virtual = s->tables[EVIDENCE_RUNTIME_TABLE];
	for (uint32_t i = 0; i < EVIDENCE_SERVICES; i++)
		put(&s->runtime_virtual, service_offset(i), 8,
			0xffff000007321000 + 64 * (uint64_t)i);
	seal_table(&s->runtime_virtual);
	s->configuration_address = 0x7332000;
	s->configuration_count = s->configuration_after_count = 4;
	for (unsigned i = 0; i < 4; i++) {
		memset(s->configuration[i].guid, (int)(0x10 + i), 16);
		s->configuration[i].pointer = i ? 0x7333000 + 64 * i : 0x7300000;
		s->configuration_after[i] = s->configuration[i];
	}
}

/* A PE32+ with three sections: code, data, relocations. */
static void good_image(struct sample *s)
{
	static const struct {
		const char *name;
		uint32_t address, size, characteristics;
	} sections[] = {{".text", 0x1000, 0x8000, 0x60000020},
		{".data", 0x9000, 0x5000, 0xc0000040}, {".reloc", 0xe000, 0x2000, 0x42000040}};
	struct blob *pe = &s->headers;

	s->image =
		(struct evidence_image){.base = 0x7320000, .size = 0x10000, .name = "Sample.dll"};
	put_text(pe, 0, "MZ");
	put(pe, 0x3c, 4, 0x80);
	put_text(pe, 0x80, "PE");
	put(pe, 0x84, 2, 0x8664);
	put(pe, 0x86, 2, 3);
	put(pe, 0x94, 2, 240);
	put(pe, 0x98, 2, 0x20b);
	for (unsigned i = 0; i < 3; i++) {
		size_t at = 0x98 + 240 + 40 * i;

		put_text(pe, at, sections[i].name);
		put(pe, at + 8, 4, sections[i].size);
		put(pe, at + 12, 4, sections[i].address);
		put(pe, at + 36, 4, sections[i].characteristics);
	}
}

static void good_attributes(struct sample *s)
{
	static const struct sample_descriptor good[] = {
		{MEMORY_RUNTIME_CODE, 0, 0x7320000, 0, 1, MEMORY_RUNTIME | MEMORY_XP, 0},
		{MEMORY_RUNTIME_CODE, 0, 0x7321000, 0, 8, MEMORY_RUNTIME | MEMORY_RO, 0},
		{MEMORY_RUNTIME_CODE, 0, 0x7329000, 0, 7, MEMORY_RUNTIME | MEMORY_XP, 0},
		{MEMORY_RUNTIME_DATA, 0, 0x7330000, 0, 0x20, MEMORY_RUNTIME | MEMORY_XP, 0},
	};
	struct blob *table = &s->attributes;

	table->address = 0x7350000;
	put(table, 0, 4, 1);
	put(table, 4, 4, 4);
	put(table, 8, 4, sizeof *good);
	put(table, 12, 4, 0);
	memcpy(table->data + 16, good, sizeof good);
	table->size = 16 + sizeof good;
	s->attributes_before = *table;
	put(&s->rt_properties, 0, 2, 1);
	put(&s->rt_properties, 2, 2, 8);
	put(&s->rt_properties, 4, 4, 0x3fff);
}

static void good_exit(struct sample *s)
{
	s->exits[0] = (struct evidence_exit_call){76, EFI_INVALID_PARAMETER, 1000, 12, 1};
	s->exits[1] = (struct evidence_exit_call){77, EFI_SUCCESS, 90000, 12, 0};
	s->exit_count = 2;
	s->canaries[0] = (struct evidence_canary){0x100000, 0x6f00000, 0, 0, UINT32_MAX, 0};
	s->canaries[1] = (struct evidence_canary){0, 0x1000, 0, 0, UINT32_MAX, 1};
	s->canaries[2] =
		(struct evidence_canary){0x7350000, 0xb0000, 0, 0, EVIDENCE_SET_VARIABLE, 0};
	s->watchdog = (struct evidence_watchdog){EFI_SUCCESS, 2000000000};
	s->traps[0] = (struct evidence_trap){EVIDENCE_GET_TIME, EVIDENCE_TRAP_OUT, 0x70, 15};
	s->traps[1] = (struct evidence_trap){EVIDENCE_GET_TIME, EVIDENCE_TRAP_IN, 0x71, 15};
	s->stamps[0] = (struct evidence_stamp){EVIDENCE_STAMP_ENTRY, 0, 1000000000};
	s->stamps[1] = (struct evidence_stamp){EVIDENCE_STAMP_EXIT, 0, 1800000000};
	s->stamps[2] = (struct evidence_stamp){EVIDENCE_STAMP_EXITED, 0, 1800090000};
}

void sample_good(struct sample *s)
{
	memset(s, 0, sizeof *s);
	good_cpu(s);
	good_map(s);
	good_tables(s);
	good_image(s);
	good_attributes(s);
	good_exit(s);
	sample_good_devices(s);
	sample_good_services(s);
}
