/* SPDX-License-Identifier: MIT */
/*
 * ACPI: tables made by hand in a fake physical memory, read by the whole walk; each way of being
 * wrong; tables spoilt at random; and power-off and reset against fake registers. Each look at
 * memory gives a copy of exactly the size asked for, so the sanitizer sees a byte too many.
 */
#include "firmware/acpi.h"
#include "arch/arch.h"
#include "firmware/acpi_tables.h"
#include "lib/check.h"
#include "lib/errno.h"
#include "lib/log.h"

#include <stdarg.h>

#define BASE 0x7fe00000u /* of the fake memory */
#define SIZE 0x8000u

static uint8_t memory[SIZE];
static unsigned views, fail_view; /* fail_view: which look from now finds no memory; 0: none */
static char log_text[1 << 16];

void *arch_map_device(phys_t phys, size_t size, enum map_cache cache)
{
	uint8_t *copy;

	CHECK(size > 0 && size <= ACPI_TABLE_MAX);
	if (fail_view && --fail_view == 0)
		return NULL;
	copy = malloc(size + 16);
	CHECK(copy);
	memcpy(copy, &phys, sizeof(phys)); /* before what is handed out */
	for (size_t i = 0; i < size; i++)
		copy[16 + i] =
			phys + i >= BASE && phys + i < BASE + SIZE ? memory[phys + i - BASE] : 0xff;
	views++;
	return copy + 16;
}

void arch_unmap_device(void *p, size_t size)
{
	uint8_t *copy = (uint8_t *)p - 16;
	phys_t phys;

	memcpy(&phys, copy, sizeof(phys));
	for (size_t i = 0; i < size; i++) {
		if (phys + i >= BASE && phys + i < BASE + SIZE)
			memory[phys + i - BASE] = copy[16 + i];
	}
	free(copy);
	views--;
}

void log_line(enum log_level level, const char *text, ...)
{
	size_t length = strlen(log_text);
	va_list arguments;

	if (length > sizeof(log_text) / 2)
		length = 0;
	va_start(arguments, text);
	vsnprintf(log_text + length, sizeof(log_text) - length, text, arguments);
	va_end(arguments);
	strcat(log_text, "\n");
}

/* ---- Fake registers ---- */

static char writes[400];
static uint16_t pm1a;
static bool legacy_mode;

static void note(const char *what, unsigned port, unsigned value)
{
	size_t length = strlen(writes);

	snprintf(writes + length, sizeof(writes) - length, "%s %x=%x ", what, port, value);
}

uint8_t arch_in8(uint16_t port)
{
	return 0xff;
}

uint16_t arch_in16(uint16_t port)
{
	CHECK(port == 0x604 || port == 0x704);
	return port == 0x604 ? pm1a : 0;
}

void arch_out8(uint16_t port, uint8_t value)
{
	note("b", port, value);
	if (port == 0xb2 && value == 2 && legacy_mode)
		pm1a |= 1;
}

void arch_out16(uint16_t port, uint16_t value)
{
	note("w", port, value);
}

void arch_out32(uint16_t port, uint32_t value)
{
	note("l", port, value);
}

/* ---- Making tables ---- */

static size_t used;

static void put(size_t at, uint64_t value, unsigned bytes)
{
	CHECK(at + bytes <= SIZE);
	memcpy(memory + at, &value, bytes);
}

static void fix_checksum(size_t at, size_t length, size_t field)
{
	uint8_t sum = 0;

	memory[at + field] = 0;
	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + memory[at + i]);
	memory[at + field] = (uint8_t)-sum;
}

/* Its offset in memory. */
static size_t make_table(const char *signature, const void *body, size_t size)
{
	size_t at = used;

	memset(memory + at, 0, 36);
	memcpy(memory + at, signature, 4);
	put(at + 4, 36 + size, 4);
	memcpy(memory + at + 36, body, size);
	fix_checksum(at, 36 + size, 9);
	used = (at + 36 + size + 15 + 1) & ~(size_t)7; /* not all of them 16-aligned */
	return at;
}

static const uint8_t madt_body[] = {
	0, 0, 0xe0, 0xfe, 1, 0, 0, 0,                       /* local APICs, has 8259s */
	0, 8, 0, 0, 1, 0, 0, 0,                             /* CPU 0 */
	0, 8, 1, 1, 1, 0, 0, 0,                             /* CPU 1 */
	0, 8, 2, 2, 0, 0, 0, 0,                             /* never there */
	0, 8, 3, 3, 2, 0, 0, 0,                             /* may come */
	0, 8, 4, 255, 1, 0, 0, 0,                           /* the broadcast id */
	9, 16, 0, 0, 0x2c, 1, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, /* x2APIC 300 */
	1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0, 2, 10, 0, 0, 2, 0, 0, 0, 0,
	0,                                   /* timer at GSI 2 */
	2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0,    /* SCI: level, high */
	2, 10, 0, 5, 21, 0, 0, 0, 0x0f, 0,   /* level, low */
	4, 6, 255, 0, 0, 1,                  /* NMI at LINT1 */
	77, 3, 0,                            /* unknown */
	5, 12, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, /* local APICs at 4 GiB */
};

static const uint8_t s5_aml[] = {0x10, 0x20, 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a, 0x05,
	0x01, 0x00, 0x00, 0x5b, 0x5b};

struct machine {
	size_t rsdp, root, madt, fadt, hpet, dsdt;
};

static struct machine make_machine(bool xsdt)
{
	uint8_t fadt[276 - 36] = {0}, hpet[20] = {0}, root[5 * 8];
	struct machine m;
	uint64_t dsdt;
	size_t entry = xsdt ? 8 : 4;

	memset(memory, 0, sizeof(memory));
	used = 0x40;
	m.dsdt = make_table("DSDT", s5_aml, sizeof(s5_aml));
	dsdt = BASE + m.dsdt;
	m.madt = make_table("APIC", madt_body, sizeof(madt_body));
	memcpy(hpet + 4, "\0\x40\0\0\0\0\xd0\xfe\0\0\0\0", 12);
	hpet[17] = 0x37;
	m.hpet = make_table("HPET", hpet, sizeof(hpet));
	memcpy(fadt + 40 - 36, &dsdt, 4);
	fadt[46 - 36] = 9;
	fadt[48 - 36] = 0xb2;
	fadt[52 - 36] = 2;
	memcpy(fadt + 64 - 36, "\x04\x06\0\0\x04\x07", 6);
	memcpy(fadt + 76 - 36, "\x08\x06", 2);
	fadt[91 - 36] = 4;
	fadt[108 - 36] = 0x32;
	memcpy(fadt + 112 - 36, "\xa5\x05\0", 3); /* 32-bit timer, reset register */
	memcpy(fadt + 116 - 36, "\1\x08\0\0\xf9\x0c", 6);
	fadt[128 - 36] = 0x0f;
	memcpy(fadt + 140 - 36, &dsdt, 8);
	m.fadt = make_table("FACP", fadt, sizeof(fadt));
	memset(root, 0, sizeof(root));
	for (size_t i = 0; i < 5; i++) {
		uint64_t table = i == 3 ? 0 : BASE + (i == 0 ? m.fadt : i == 1 ? m.madt : m.hpet);

		memcpy(root + i * entry, &table, entry);
	}
	m.root = make_table(xsdt ? "XSDT" : "RSDT", root, 5 * entry);
	m.rsdp = used;
	memcpy(memory + m.rsdp, "RSD PTR ", 8);
	memory[m.rsdp + 15] = xsdt ? 2 : 0;
	put(m.rsdp + 16, xsdt ? 0 : BASE + m.root, 4);
	fix_checksum(m.rsdp, 20, 8);
	if (xsdt) {
		put(m.rsdp + 20, 36, 4);
		put(m.rsdp + 24, BASE + m.root, 8);
		fix_checksum(m.rsdp, 36, 32);
	}
	return m;
}

static int read_machine(const struct machine *m)
{
	int error;

	log_text[0] = 0;
	error = acpi_init(BASE + m->rsdp);
	CHECK_EQUAL(views, 0);
	return error;
}

#define CHECK_LOG(part)                                       \
	do {                                                  \
		if (!strstr(log_text, part))                  \
			fprintf(stderr, "log: %s", log_text); \
		CHECK(strstr(log_text, part));                \
	} while (0)

/* ---- Tests ---- */

static void check_madt(const struct acpi_madt *madt)
{
	static const struct acpi_cpu cpus[] = {
		{0, 0, true}, {1, 1, true}, {3, 3, false}, {300, 7, true}};

	CHECK(madt->present && madt->has_pics);
	CHECK_EQUAL(madt->local_apic, 0x100000000);
	CHECK_EQUAL(madt->cpu_count, ARRAY_SIZE(cpus));
	for (size_t i = 0; i < ARRAY_SIZE(cpus); i++) {
		CHECK_EQUAL(madt->cpus[i].apic_id, cpus[i].apic_id);
		CHECK_EQUAL(madt->cpus[i].uid, cpus[i].uid);
		CHECK_EQUAL(madt->cpus[i].enabled, cpus[i].enabled);
	}
	CHECK_EQUAL(madt->ioapic_count, 1);
	CHECK_EQUAL(madt->ioapics[0].address, 0xfec00000);
	CHECK_EQUAL(madt->isa[0].gsi, 2);
	CHECK(!madt->isa[0].level && !madt->isa[0].active_low);
	CHECK(madt->isa[9].gsi == 9 && madt->isa[9].level && !madt->isa[9].active_low);
	CHECK(madt->isa[5].gsi == 21 && madt->isa[5].level && madt->isa[5].active_low);
	CHECK(madt->isa[4].gsi == 4 && !madt->isa[4].level);
	CHECK_EQUAL(madt->nmi_lint, 1);
}

static void test_good(bool xsdt)
{
	struct machine m = make_machine(xsdt);
	const struct acpi_info *info = acpi_info();

	CHECK_EQUAL(read_machine(&m), 0);
	CHECK_STRING(log_text, "ACPI: 4 CPUs, 1 IOAPIC, PM timer 32 bits, HPET yes, power-off yes, "
			       "reset yes\n");
	check_madt(&info->madt);
	CHECK_EQUAL(info->fadt.sci_irq, 9);
	CHECK_EQUAL(info->fadt.smi_command, 0xb2);
	CHECK_EQUAL(info->fadt.pm1a_control.address, 0x604);
	CHECK_EQUAL(info->fadt.pm1b_control.address, 0x704);
	CHECK_EQUAL(info->fadt.pm_timer.address, 0x608);
	CHECK_EQUAL(info->fadt.pm_timer.space, ACPI_IO);
	CHECK_EQUAL(info->fadt.century, 0x32);
	CHECK(!info->fadt.no_cmos_clock);
	CHECK_EQUAL(info->fadt.reset.address, 0xcf9);
	CHECK_EQUAL(info->hpet.address, 0xfed00000);
	CHECK_EQUAL(info->hpet.least_ticks, 0x37);
	CHECK_EQUAL(info->s5.type_a, 5);
	CHECK_EQUAL(info->s5.type_b, 1);
}

static void test_bad_roots(void)
{
	struct machine m = make_machine(true);

	log_text[0] = 0;
	CHECK_EQUAL(acpi_init(0), -ENODEV);
	CHECK_EQUAL(acpi_init(0x1000), -EINVAL); /* all ones there */
	CHECK_LOG("RSDP does not begin");
	CHECK_EQUAL(acpi_init(UINT64_MAX - 5), -EINVAL);
	CHECK_LOG("RSDP cannot be mapped");
	memory[m.rsdp + 17] ^= 1;
	CHECK_EQUAL(read_machine(&m), -EINVAL);
	CHECK_LOG("RSDP has a wrong checksum");
	m = make_machine(true);
	memory[m.rsdp + 25] ^= 1;
	CHECK_EQUAL(read_machine(&m), -EINVAL);
	CHECK_LOG("wrong extended checksum");
	m = make_machine(true);
	put(m.rsdp + 20, 35, 4);
	CHECK_EQUAL(read_machine(&m), -EINVAL);
	CHECK_LOG("RSDP has 35 bytes, expected 36");
	m = make_machine(true);
	memory[m.root + 40] ^= 1;
	CHECK_EQUAL(read_machine(&m), -EINVAL);
	CHECK_LOG("table XSDT");
	CHECK(!acpi_info()->madt.present && !acpi_info()->fadt.present);
	m = make_machine(true);
	put(m.root + 4, 0xffffffff, 4);
	CHECK_EQUAL(read_machine(&m), -EINVAL);
	CHECK_LOG("says it has 4294967295 bytes");
	m = make_machine(true);
	memcpy(memory + m.root, "XSDX", 4);
	fix_checksum(m.root, 36 + 40, 9);
	CHECK_EQUAL(read_machine(&m), -EINVAL);
	CHECK_LOG("is no XSDT");
}

/* One bad table is left out, the others count. */
static void test_bad_tables(void)
{
	struct machine m = make_machine(true);

	memory[m.madt + 50] ^= 1;
	CHECK_EQUAL(read_machine(&m), 0);
	CHECK_LOG("table APIC at 0x7fe00080, 163 bytes, has a wrong checksum");
	CHECK(!acpi_info()->madt.present && acpi_info()->fadt.present && acpi_info()->s5.present);
	m = make_machine(true);
	memory[m.madt + 45] = 0; /* an entry of no length */
	fix_checksum(m.madt, 36 + sizeof(madt_body), 9);
	CHECK_EQUAL(read_machine(&m), 0);
	CHECK_LOG("MADT entry at offset 44, type 0, has 0 bytes, expected 8 to");
	CHECK_EQUAL(acpi_info()->madt.cpu_count, 0);
	m = make_machine(true);
	memory[m.madt + 55] = 0; /* CPU 1 has the id of CPU 0 */
	fix_checksum(m.madt, 36 + sizeof(madt_body), 9);
	CHECK_EQUAL(read_machine(&m), 0);
	CHECK_LOG("MADT names APIC id 0 twice");
	m = make_machine(true);
	put(m.fadt + 140, 0x1000, 8); /* the DSDT is nowhere */
	fix_checksum(m.fadt, 276, 9);
	CHECK_EQUAL(read_machine(&m), 0);
	CHECK(!acpi_info()->s5.present && acpi_info()->fadt.present);
	CHECK_LOG("table ???? at 0x1000");
	CHECK_EQUAL(acpi_power_off(), -ENODEV);
	m = make_machine(true);
	put(m.hpet + 40, 1, 1);
	fix_checksum(m.hpet, 56, 9);
	CHECK_EQUAL(read_machine(&m), 0);
	CHECK_LOG("HPET lies in space 1");
}

/* Older FADTs are shorter: what is past the end is absent, and not looked at. */
static void test_short_fadt(void)
{
	struct machine m = make_machine(true);
	char message[ACPI_MESSAGE_MAX];
	struct acpi_fadt fadt;

	put(m.fadt + 140, 0x123456789, 8);
	put(m.fadt + 172, 1, 4);
	put(m.fadt + 176, 0x804, 8);
	for (size_t length = 0; length <= 276; length++) {
		uint8_t *exact = malloc(length ? length : 1);
		bool good;

		CHECK(exact);
		memcpy(exact, memory + m.fadt, length);
		good = acpi_parse_fadt(exact, length, &fadt, message);
		CHECK_EQUAL(good, length >= 116);
		CHECK_EQUAL(fadt.present, good);
		CHECK_EQUAL(fadt.dsdt, !good ? 0 : length >= 148 ? 0x123456789 : BASE + m.dsdt);
		CHECK_EQUAL(fadt.pm1a_control.address, !good ? 0 : length >= 184 ? 0x804 : 0x604);
		CHECK_EQUAL(fadt.reset.address, length >= 129 ? 0xcf9 : 0);
		free(exact);
	}
}

/* Every cut of the MADT's end is told, or is the end of an entry. */
static void test_cuts(void)
{
	static struct acpi_madt madt;
	char message[ACPI_MESSAGE_MAX];
	struct machine m = make_machine(true);
	unsigned good = 0;

	for (size_t length = 0; length <= 36 + sizeof(madt_body); length++) {
		uint8_t *exact = malloc(length ? length : 1);

		CHECK(exact);
		memcpy(exact, memory + m.madt, length);
		if (acpi_parse_madt(exact, length, &madt, message))
			good++;
		else
			CHECK(madt.cpu_count == 0 && !madt.present && strstr(message, "MADT"));
		free(exact);
	}
	CHECK_EQUAL(good, 14); /* none, or one to thirteen entries */
}

static bool s5_of(const void *aml, size_t size, struct acpi_sleep *out)
{
	uint8_t *exact = malloc(36 + size);
	bool found;

	CHECK(exact);
	memset(exact, 0, 36);
	memcpy(exact + 36, aml, size);
	found = acpi_find_s5(exact, 36 + size, out);
	free(exact);
	return found;
}

static void test_s5(void)
{
	static const struct {
		const char *aml;
		size_t size;
		int a, b; /* -1: not found */
	} cases[] = {
		{"\x08_S5_\x12\x06\x04\0\0\0\0", 12, 0, 0}, /* QEMU's */
		{"\x08\\_S5_\x12\x06\x04\x01\0\0\0", 13, 1, 0},
		{"\x08_S5_\x12\x40\x0b\x04\x0a\x07\x0b\x07\0\0\0", 15, -1,
			-1}, /* longer than the table */
		{"\x08_S5_\x12\x4a\x00\x04\x0a\x07\x0b\x07\0\0\0", 16, 7, 7},
		{"\x08_S5_\x12\x09\x02\x0c\x03\0\0\0\x0a\x02\xff\xff", 17, 3, 2},
		{"\x08_S5_\x12\x04\x01\x0a\x06", 10, 6, 0},         /* one element */
		{"\x08_S5_\x12\x06\x04\x0a\x08\0\0", 12, -1, -1},   /* 8 is no sleep type */
		{"\x08_S5_\x12\x03\x04\x0a\x05\x01\0", 12, -1, -1}, /* ends inside of an integer */
		{"\x08_S5_\x11\x06\x04\0\0\0\0", 12, -1, -1},       /* a buffer */
		{"\x10_S5_\x12\x06\x04\0\0\0\0", 12, -1, -1},       /* not a name */
		{"\x08_S4_\x12\x06\x04\0\0\0\0\x08_S5_\x12\x06\x04\x01\x01\0\0", 24, 1, 1},
		{"\x08_S5_\x12\x00\x08_S5_\x12\x06\x04\x01\x01\0\0", 19, 1,
			1}, /* the first is broken */
		{"", 0, -1, -1},
	};
	struct acpi_sleep s5;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool found = s5_of(cases[i].aml, cases[i].size, &s5);

		CHECK_EQUAL(found, cases[i].a >= 0);
		if (found) {
			CHECK_EQUAL(s5.type_a, cases[i].a);
			CHECK_EQUAL(s5.type_b, cases[i].b);
		}
		for (size_t size = 0; size < cases[i].size; size++) /* cut anywhere */
			s5_of(cases[i].aml, size, &s5);
	}
}

static void test_power(void)
{
	struct machine m = make_machine(true);

	CHECK_EQUAL(read_machine(&m), 0);
	writes[0] = 0;
	pm1a = 0;
	legacy_mode = true;
	CHECK_EQUAL(acpi_power_off(), -EIO); /* a fake machine stays on */
	CHECK_STRING(writes, "b b2=2 w 604=1401 w 604=3401 w 704=400 w 704=2400 ");
	writes[0] = 0;
	pm1a = 0x1c01; /* on already, with another sleep type */
	CHECK_EQUAL(acpi_power_off(), -EIO);
	CHECK_STRING(writes, "w 604=1401 w 604=3401 w 704=400 w 704=2400 ");
	writes[0] = 0;
	CHECK_EQUAL(acpi_reset(), -EIO);
	CHECK_STRING(writes, "b cf9=f ");

	/* Reset by memory, and by PCI configuration space of device 3, function 1, offset 0x42. */
	memory[m.fadt + 116] = ACPI_MEMORY;
	put(m.fadt + 120, BASE + 0x20, 8);
	fix_checksum(m.fadt, 276, 9);
	CHECK_EQUAL(read_machine(&m), 0);
	CHECK_EQUAL(acpi_reset(), -EIO);
	CHECK_EQUAL(memory[0x20], 0x0f);
	memory[m.fadt + 116] = ACPI_PCI_CONFIG;
	put(m.fadt + 120, 0x300010042, 8);
	fix_checksum(m.fadt, 276, 9);
	CHECK_EQUAL(read_machine(&m), 0);
	writes[0] = 0;
	CHECK_EQUAL(acpi_reset(), -EIO);
	CHECK_STRING(writes, "l cf8=80001940 b cfe=f ");
	memory[m.fadt + 116] = 9;
	fix_checksum(m.fadt, 276, 9);
	CHECK_EQUAL(read_machine(&m), 0);
	CHECK_EQUAL(acpi_reset(), -ENODEV);

	/* Hardware-reduced: one byte to the sleep control register. */
	memory[m.fadt + 114] |= 0x10;
	put(m.fadt + 244, 1, 4);
	put(m.fadt + 248, 0x600, 8);
	fix_checksum(m.fadt, 276, 9);
	CHECK_EQUAL(read_machine(&m), 0);
	writes[0] = 0;
	CHECK_EQUAL(acpi_power_off(), -EIO);
	CHECK_STRING(writes, "b 600=34 ");
}

static void test_no_memory(void)
{
	struct machine m = make_machine(true);

	for (unsigned n = 1; n < 30; n++) {
		fail_view = n;
		read_machine(&m);
		fail_view = 0;
	}
}

/* Bytes spoilt with the checksums put right again, so that the parsers see them. */
static void test_random(void)
{
	uint64_t seed = 5;

	for (unsigned n = 0; n < 2000; n++) {
		struct machine m = make_machine(check_random(&seed) & 1);
		size_t tables[] = {m.root, m.madt, m.fadt, m.hpet, m.dsdt};

		for (unsigned k = 0; k < 4; k++) {
			size_t at = 0x40 + check_random(&seed) % (used - 0x40);

			memory[at] = (uint8_t)check_random(&seed);
		}
		for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
			size_t length = acpi_get32(memory, tables[i] + 4);

			if (length >= 36 && tables[i] + length <= SIZE)
				fix_checksum(tables[i], length, 9);
		}
		fix_checksum(m.rsdp, 20, 8);
		if (memory[m.rsdp + 15] >= 2)
			fix_checksum(m.rsdp, 36, 32);
		read_machine(&m);
		CHECK(acpi_info()->madt.cpu_count <= ACPI_CPUS_MAX);
		CHECK(acpi_info()->s5.type_a < 8 && acpi_info()->s5.type_b < 8);
	}
}

int main(void)
{
	test_good(true);
	test_good(false);
	test_bad_roots();
	test_bad_tables();
	test_short_fadt();
	test_cuts();
	test_s5();
	test_power();
	test_no_memory();
	test_random();
	return check_done();
}
