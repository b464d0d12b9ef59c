/* SPDX-License-Identifier: MIT */
/* mmap with MAP_32BIT: old ACPI fields have 32 bits. */
#include "evidence_parse.h"

#include "check.h"

#include <sys/mman.h>

#define ROOM   0x20000u
#define ROUNDS 3000u

static uint8_t *memory; /* what can be read: ROOM bytes, with nothing behind it */

static bool in_room(const void *context, uint64_t address, uint64_t size)
{
	(void)context;
	return address >= (uint64_t)memory && size && size <= ROOM &&
	       address - (uint64_t)memory <= ROOM - size;
}

static const struct evidence_memory view = {in_room, NULL};

static void put(uint32_t at, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		memory[at + i] = (uint8_t)(value >> 8 * i);
}

static uint64_t address(uint32_t at)
{
	return (uint64_t)memory + at;
}

static void table(uint32_t at, const char *signature, uint32_t size)
{
	memcpy(memory + at, signature, 4);
	put(at + 4, size, 4);
}

/* RSDP at 0, XSDT and RSDT with the same FADT and one table more, FACS, DSDT. */
static void make_acpi(void)
{
	memset(memory, 0, ROOM);
	memcpy(memory, "RSD PTR ", 8);
	memory[15] = 2;
	put(16, address(0x200), 4);
	put(20, 36, 4);
	put(24, address(0x100), 8);
	table(0x100, "XSDT", 36 + 16);
	put(0x124, address(0x300), 8);
	put(0x12c, address(0x600), 8);
	table(0x200, "RSDT", 36 + 4);
	put(0x224, address(0x300), 4);
	table(0x300, "FACP", 276);
	put(0x300 + 36, address(0x700), 4);
	put(0x300 + 40, address(0x800), 4);
	put(0x300 + 140, address(0x800), 8);
	table(0x600, "FPDT", 36 + 20 + 16);
	put(0x624, 0x99, 2);
	memory[0x626] = 20;
	memory[0x63a] = 16;
	put(0x640, address(0x900), 8);
	table(0x700, "FACS", 64);
	table(0x800, "DSDT", 100);
	table(0x900, "FBPT", 56);
}

static void acpi(void)
{
	struct evidence_range found[8];

	make_acpi();
	CHECK_EQUAL(evidence_rsdp_size(&view, address(0)), 36);
	CHECK_EQUAL(evidence_acpi_tables(&view, address(0), found, 8), 6);
	CHECK_EQUAL(found[0].address, address(0x100));
	CHECK_EQUAL(found[0].size, 52);
	CHECK_EQUAL(found[2].address, address(0x600));
	CHECK_EQUAL(found[3].address, address(0x200));
	CHECK_EQUAL(found[4].size, 64);
	CHECK_EQUAL(found[5].address, address(0x800));
	CHECK(evidence_acpi_find(found, 6, "DSDT", 100) == memory + 0x800);
	CHECK(!evidence_acpi_find(found, 6, "DSDT", 101));
	CHECK(!evidence_acpi_find(found, 6, "SSDT", 36));
	CHECK_EQUAL(evidence_boot_record(memory + 0x600, 72), address(0x900));
	CHECK_EQUAL(evidence_table_size(&view, address(0x900)), 56);
	CHECK_EQUAL(evidence_acpi_tables(&view, address(0), found, 3), 3);
	put(0x304, ROOM, 4); /* longer than what can be read: its header */
	CHECK_EQUAL(evidence_acpi_tables(&view, address(0), found, 8), 4);
	CHECK_EQUAL(found[1].size, 36);
	put(0x304, 276, 4);
	memory[15] = 0; /* the old one: no XSDT */
	CHECK_EQUAL(evidence_rsdp_size(&view, address(0)), 20);
	CHECK_EQUAL(evidence_acpi_tables(&view, address(0), found, 8), 4);
	CHECK_EQUAL(found[0].address, address(0x200));
	CHECK_EQUAL(evidence_rsdp_size(&view, address(ROOM - 4)), 0);
	CHECK_EQUAL(evidence_rsdp_size(&view, 0), 0);
}

static void smbios(void)
{
	struct evidence_range anchor, structures;

	memset(memory, 0, ROOM);
	memory[5] = 31;
	put(22, 4096, 2);
	put(24, address(0x100), 4);
	memory[0x100 + 1] = 10;
	memcpy(memory + 0x10a, "one\0two\0", 9);
	memory[0x113] = 127;
	memory[0x114] = 4;
	evidence_smbios(&view, 2, address(0), &anchor, &structures);
	CHECK_EQUAL(anchor.size, 31);
	CHECK_EQUAL(structures.address, address(0x100));
	CHECK_EQUAL(structures.size, 0x19);
	memory[0x113] = 126; /* nothing ends it: all that is said to be there */
	evidence_smbios(&view, 2, address(0), &anchor, &structures);
	CHECK_EQUAL(structures.size, 4096);
	memory[6] = 24;
	put(12, 0x40, 4);
	put(16, address(0x100), 8);
	memory[0x113] = 127;
	evidence_smbios(&view, 3, address(0), &anchor, &structures);
	CHECK_EQUAL(anchor.size, 24);
	CHECK_EQUAL(structures.size, 0x19);
	put(16, address(ROOM), 8);
	evidence_smbios(&view, 3, address(0), &anchor, &structures);
	CHECK_EQUAL(structures.size, 0);
	evidence_smbios(&view, 3, address(ROOM - 8), &anchor, &structures);
	CHECK_EQUAL(anchor.size, 0);
}

static void make_image(const char *codeview, uint32_t name_at, const char *name)
{
	memset(memory, 0, ROOM);
	put(0, 0x5a4d, 2);
	put(60, 0x80, 4);
	put(0x80, 0x4550, 4);
	put(0x98, 0x20b, 2);
	put(0x98 + 60, 0x2000, 4);
	put(0x98 + 108, 16, 4);
	put(0x98 + 112 + 48, 0x3000, 4);
	put(0x3000 + 12, 2, 4);
	put(0x3000 + 20, 0x3100, 4);
	memcpy(memory + 0x3100, codeview, 4);
	strcpy((char *)memory + 0x3100 + name_at, name);
}

static void images(void)
{
	char name[64];

	make_image("RSDS", 24, "/build/X64.v1/Runtime/Time.Rt.dll");
	CHECK_EQUAL(evidence_image_headers(memory, ROOM), 0x2000);
	CHECK_EQUAL(evidence_image_headers(memory, 0x1000), 0x1000);
	evidence_image_name(memory, ROOM, name);
	CHECK_TEXT(name, "Time.Rt");
	make_image("NB10", 16, "C:\\a.b\\Variable");
	evidence_image_name(memory, ROOM, name);
	CHECK_TEXT(name, "Variable");
	evidence_image_name(memory, 0x3020, name);
	CHECK_TEXT(name, "");
	put(0x98 + 108, 6, 4); /* no debug directory */
	evidence_image_name(memory, ROOM, name);
	CHECK_TEXT(name, "");
	memset(memory, 0, ROOM);
	CHECK_EQUAL(evidence_image_headers(memory, ROOM), 4096);
}

static void paths(void)
{
	static const uint8_t hard[] = {4, 6, 20, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
		15, 16, 0x7f, 0xff, 4, 0, 9};
	static const uint8_t other[] = {1, 1, 6, 0, 0, 0, 0x7f, 0xff, 4, 0};
	static const uint8_t endless[] = {1, 1, 0, 0, 0, 0, 0x7f, 0xff, 4, 0};

	CHECK_EQUAL(evidence_path_size(hard, sizeof(hard)), 24);
	CHECK(evidence_path_file(hard, 24) == hard + 4);
	CHECK_EQUAL(evidence_path_size(hard, 23), 0);
	CHECK_EQUAL(evidence_path_size(other, sizeof(other)), 10);
	CHECK(!evidence_path_file(other, 10));
	CHECK_EQUAL(evidence_path_size(endless, sizeof(endless)), 0);
}

/* A pad file of 30 bytes behind the header, a large file of 40, the file wanted; nothing behind it. */
static void make_volume(uint32_t extended)
{
	uint32_t at = extended ? extended + 24 : 72;

	memset(memory, 0xff, 0x400);
	memcpy(memory + 40, "_FVH", 4);
	put(48, 72, 2);
	put(52, extended, 2);
	if (extended)
		put(extended + 16, 20, 4);
	put(at + 19, 0, 1);
	put(at + 20, 30, 3);
	memset(memory + at + 32, 0x11, 16);
	put(at + 32 + 19, 1, 1);
	put(at + 32 + 24, 40, 8);
	memset(memory + at + 72, 0x22, 16);
	put(at + 72 + 19, 0, 1);
	put(at + 72 + 20, 100, 3);
}

static void volumes(void)
{
	uint8_t pad[16], large[16], wanted[16], missing[16] = {0};

	memset(pad, 0xff, 16);
	memset(large, 0x11, 16);
	memset(wanted, 0x22, 16);
	make_volume(0);
	CHECK_EQUAL(evidence_volume_file(memory, 0x400, pad), 72);
	CHECK_EQUAL(evidence_volume_file(memory, 0x400, large), 104);
	CHECK_EQUAL(evidence_volume_file(memory, 0x400, wanted), 144);
	CHECK_EQUAL(evidence_volume_file(memory, 0x400, missing), 0);
	CHECK_EQUAL(evidence_volume_file(memory, 243, wanted), 0); /* cut off in it */
	CHECK_EQUAL(evidence_volume_file(memory, 40, wanted), 0);
	make_volume(80);
	CHECK_EQUAL(evidence_volume_file(memory, 0x400, wanted), 80 + 24 + 72);
	put(80 + 16, UINT32_MAX, 4);
	CHECK_EQUAL(evidence_volume_file(memory, 0x400, wanted), 0);
	make_volume(0);
	put(104 + 24, UINT64_MAX - 8, 8);
	CHECK_EQUAL(evidence_volume_file(memory, 0x400, wanted), 0);
	memory[40] = 0;
	CHECK_EQUAL(evidence_volume_file(memory, 0x400, pad), 0);
}

/* One bank of 4 bytes; an event of 10 bytes more; the table of final events with one. */
static void make_log(void)
{
	memset(memory, 0, ROOM);
	put(28, 32, 4);
	put(32 + 24, 1, 4);
	put(32 + 28, 0xb, 2);
	put(32 + 30, 4, 2);
	put(64 + 8, 1, 4);
	put(64 + 12, 0xb, 2);
	put(64 + 18, 10, 4);
	put(0x200, 1, 8);
	put(0x208, 1, 8);
	memcpy(memory + 0x210, memory + 64, 22);
}

static void logs(void)
{
	make_log();
	CHECK_EQUAL(evidence_log_size(&view, address(0), address(64), true), 64 + 32);
	CHECK_EQUAL(evidence_log_size(&view, address(0), address(0), true), 64);
	CHECK_EQUAL(evidence_log_size(&view, address(0), address(0), false), 64);
	CHECK_EQUAL(evidence_log_size(&view, address(64), address(0), true), 0);
	CHECK_EQUAL(evidence_final_size(&view, address(0x200), address(0)), 16 + 32);
	put(64 + 12, 0xc, 2); /* a bank that the log does not name */
	CHECK_EQUAL(evidence_log_size(&view, address(0), address(64), true), 0);
	put(64 + 12, 0xb, 2);
	put(64 + 18, ROOM, 4);
	CHECK_EQUAL(evidence_log_size(&view, address(0), address(64), true), 0);
	put(0x208, 2, 8);
	put(0x210 + 32 + 8, 20, 4); /* more digests than there are banks */
	CHECK_EQUAL(evidence_final_size(&view, address(0x200), address(0)), 0);
}

static void pcrs(void)
{
	static const uint8_t good[] = {0x80, 1, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0,
		0xb, 3, 0, 0x82, 0, 0, 0, 0, 2, 0, 2, 0xaa, 0xbb, 0, 2, 0xcc, 0xdd};
	uint8_t command[EVIDENCE_PCR_COMMAND], bad[sizeof(good)];
	struct evidence_pcr out[8];

	evidence_pcr_command(command, 0xb, 8);
	CHECK(!memcmp(command,
		(uint8_t[]){0x80, 1, 0, 0, 0, 20, 0, 0, 1, 0x7e, 0, 0, 0, 1, 0, 0xb, 3, 0, 0xff, 0},
		20));
	CHECK_EQUAL(evidence_pcr_answer(good, sizeof(good), 0xb, 8, out), 2);
	CHECK_EQUAL(out[0].pcr, 9);
	CHECK_EQUAL(out[1].pcr, 15);
	CHECK_EQUAL(out[1].size, 2);
	CHECK_EQUAL(out[1].digest[1], 0xdd);
	for (size_t size = 0; size < sizeof(good); size++)
		CHECK(evidence_pcr_answer(good, size, 0xb, 8, out) < 2);
	memcpy(bad, good, sizeof(good));
	bad[9] = 1; /* TPM_RC */
	CHECK_EQUAL(evidence_pcr_answer(bad, sizeof(bad), 0xb, 8, out), 0);
}

static void bars(void)
{
	struct evidence_range bar = evidence_bar(0xfe000008, 0xff000008);

	CHECK_EQUAL(bar.address, 0xfe000000);
	CHECK_EQUAL(bar.size, 0x1000000);
	bar = evidence_bar(UINT64_C(0x80000000c), UINT64_C(0xfffffff00000000c));
	CHECK_EQUAL(bar.address, UINT64_C(0x800000000));
	CHECK_EQUAL(bar.size, UINT64_C(0x1000000000));
	bar = evidence_bar(0xc001, 0xffe1);
	CHECK_EQUAL(bar.size, 0);
	bar = evidence_bar(0, 0);
	CHECK_EQUAL(bar.size, 0);
}

/* Whatever stands there, nothing outside of the room is looked at: behind it is no memory. */
static void fuzz(void)
{
	struct evidence_range found[8], structures;
	uint64_t seed = 6;
	char name[64];

	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint32_t at = next_random(&seed) % 8;

		round % 4 == 0   ? make_acpi()
		: round % 4 == 1 ? make_image("RSDS", 24, "a")
		: round % 4 == 2 ? make_volume(round % 8 == 2 ? 80 : 0)
				 : make_log();
		for (unsigned int i = 0; i < 8; i++)
			memory[next_random(&seed) % 0x400] = (uint8_t)next_random(&seed);
		evidence_acpi_tables(&view, address(at), found, 8);
		evidence_smbios(&view, 2 + round % 2, address(at), found, &structures);
		evidence_image_name(memory + ROOM - 0x3130, 0x3130, name);
		evidence_image_name(memory, ROOM, name);
		CHECK(evidence_image_headers(memory, ROOM) <= ROOM);
		CHECK(evidence_path_size(memory, ROOM) <= ROOM);
		evidence_volume_file(memory, ROOM, memory + 0x1000);
		evidence_log_size(&view, address(0), address(64), round % 2);
		evidence_final_size(&view, address(0x200), address(0));
	}
}

int main(void)
{
	uint8_t *pages = mmap(NULL, 2 * ROOM, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	CHECK(pages != MAP_FAILED && !mprotect(pages + ROOM, ROOM, PROT_NONE));
	memory = pages;
	acpi();
	smbios();
	images();
	paths();
	volumes();
	logs();
	pcrs();
	bars();
	fuzz();
	return 0;
}
