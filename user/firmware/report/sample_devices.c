/* SPDX-License-Identifier: MIT */
/* The made-up firmware's devices: ACPI, SMBIOS, event log, graphics. */
#include "sample.h"

#define ACPI_ADDRESS 0x7300000u
#define FACS_ADDRESS 0x7310000u

static void acpi_table(
	struct blob *blob, unsigned number, const char *name, size_t size, unsigned revision)
{
	blob->address = ACPI_ADDRESS + 0x400 * (uint64_t)number;
	put(blob, size - 1, 1, 0);
	put_text(blob, 0, name);
	put(blob, 4, 4, size);
	put(blob, 8, 1, revision);
	put_text(blob, 10, "SAMPLESAMPLE  ");
}

static void good_fadt(struct sample *s)
{
	struct blob *fadt = &s->acpi[FACP];

	acpi_table(fadt, FACP, "FACP", 276, 6);
	put(fadt, 36, 4, FACS_ADDRESS);
	put(fadt, 40, 4, s->acpi[DSDT].address);
	put(fadt, 56, 4, 0x600); /* PM1a event block */
	put(fadt, 64, 4, 0x604); /* PM1a control block */
	put(fadt, 76, 4, 0x608); /* PM timer */
	put(fadt, 88, 1, 4);
	put(fadt, 89, 1, 2);
	put(fadt, 91, 1, 4);
	put(fadt, 132, 8, 0); /* X_FIRMWARE_CTRL: the old field holds */
	put(fadt, 140, 8, s->acpi[DSDT].address);
	put(fadt, 148, 1, 1);
	put(fadt, 152, 8, 0x600);
	put(fadt, 172, 1, 1);
	put(fadt, 176, 8, 0x604);
	put(fadt, 208, 1, 1);
	put(fadt, 212, 8, 0x608);
}

static void good_madt(struct sample *s)
{
	struct blob *madt = &s->acpi[MADT];

	acpi_table(madt, MADT, "APIC", 72, 5);
	put(madt, 36, 4, 0xfee00000);
	for (unsigned i = 0; i < 2; i++) {
		put(madt, 44 + 8 * i, 1, 0);
		put(madt, 45 + 8 * i, 1, 8);
		put(madt, 46 + 8 * i, 1, i);
		put(madt, 47 + 8 * i, 1, i);
		put(madt, 48 + 8 * i, 4, 1);
		s->processors[i] = (struct evidence_processor){i, 0};
	}
	put(madt, 60, 1, 1);
	put(madt, 61, 1, 12);
	put(madt, 62, 1, 2);
	put(madt, 64, 4, 0xfec00000);
}

static void good_acpi(struct sample *s)
{
	struct blob *xsdt = &s->acpi[XSDT], *facs = &s->acpi[FACS];

	acpi_table(xsdt, XSDT, "XSDT", 36 + 6 * 8, 1);
	acpi_table(&s->acpi[DSDT], DSDT, "DSDT", 40, 2);
	good_fadt(s);
	good_madt(s);
	acpi_table(&s->acpi[HPET], HPET, "HPET", 56, 1);
	put(&s->acpi[HPET], 44, 8, 0xfed00000);
	acpi_table(&s->acpi[MCFG], MCFG, "MCFG", 60, 1);
	put(&s->acpi[MCFG], 44, 8, 0xb0000000);
	put(&s->acpi[MCFG], 55, 1, 255);
	acpi_table(&s->acpi[SPCR], SPCR, "SPCR", 80, 2);
	put(&s->acpi[SPCR], 44, 8, 0x3f8);
	acpi_table(&s->acpi[FPDT], FPDT, "FPDT", 52, 1);
	put(&s->acpi[FPDT], 38, 1, 16);
	put(&s->acpi[FPDT], 44, 8, 0x7334000);
	for (unsigned i = FACP; i <= FPDT; i++)
		put(xsdt, 36 + 8 * (i - FACP), 8, s->acpi[i].address);
	for (unsigned i = XSDT; i <= DSDT; i++)
		seal_sum(&s->acpi[i], 9, s->acpi[i].size);
	facs->address = FACS_ADDRESS;
	put(facs, 63, 1, 0);
	put_text(facs, 0, "FACS");
	put(facs, 4, 4, 64);
	s->rsdp.address = ACPI_ADDRESS + 0x3000;
	put(&s->rsdp, 35, 1, 0);
	put_text(&s->rsdp, 0, "RSD PTR ");
	put(&s->rsdp, 15, 1, 2);
	put(&s->rsdp, 20, 4, 36);
	put(&s->rsdp, 24, 8, xsdt->address);
	seal_sum(&s->rsdp, 8, 20);
	seal_sum(&s->rsdp, 32, 36);
}

static void good_pci(struct sample *s)
{
	s->pci[0] = (struct evidence_pci){.vendor = 0x8086, .device = 0x29c0, .class = 0x060000};
	s->pci[1] = (struct evidence_pci){
		.vendor = 0x1af4, .device = 0x1001, .slot = 2, .class = 0x010000, .command = 3};
	s->pci[2] = (struct evidence_pci){.vendor = 0x1234,
		.device = 0x1111,
		.slot = 1,
		.class = 0x030000,
		.command = 3,
		.bars = {{0x80000000, 0x1000000}}};
}

/* An event with a digest of one byte repeated in each of the two banks; returns the offset behind it. */
static size_t log_event(struct blob *log, size_t at, uint32_t pcr, uint32_t type, uint8_t byte,
	const char *text, size_t size)
{
	put(log, at, 4, pcr);
	put(log, at + 4, 4, type);
	put(log, at + 8, 4, 2);
	put(log, at + 12, 2, 4);
	put(log, at + 34, 2, 0xb);
	for (size_t i = 0; i < 20; i++)
		put(log, at + 14 + i, 1, byte);
	for (size_t i = 0; i < 32; i++)
		put(log, at + 36 + i, 1, byte);
	put(log, at + 68, 4, size);
	put(log, at + 72 + size - 1, 1, 0);
	put_text(log, at + 72, text);
	return at + 72 + size;
}

/* What Python's hashlib makes of the events below: PCR 0 began at locality 3. */
static const struct evidence_pcr good_pcrs[] = {
	{0, 0x4, 20,
		{0x8d, 0x52, 0xf9, 0x39, 0x35, 0xb2, 0x8a, 0x7d, 0x42, 0x51, 0x7b, 0x2a, 0xc7, 0x8e,
			0xd7, 0xd9, 0xab, 0x5c, 0x0b, 0xf5}},
	{5, 0x4, 20,
		{0x62, 0x58, 0xf5, 0xe1, 0xf2, 0x33, 0xce, 0x7a, 0x84, 0xb6, 0xe9, 0xc2, 0xa1, 0x3d,
			0xbf, 0x8d, 0xd2, 0x2e, 0xad, 0x16}},
	{0, 0xb, 32,
		{0xb8, 0xe8, 0xcc, 0x97, 0x15, 0x6c, 0x2b, 0x31, 0x42, 0xcb, 0x8e, 0x87, 0x62, 0x36,
			0xfd, 0x47, 0x29, 0x74, 0x81, 0x53, 0x74, 0x3b, 0x48, 0x0a, 0xf0, 0x94,
			0x95, 0x65, 0xf2, 0x27, 0xd2, 0xeb}},
	{5, 0xb, 32,
		{0x22, 0xd0, 0xd4, 0x08, 0x14, 0x7e, 0x90, 0x4f, 0xa9, 0xfe, 0x6f, 0xeb, 0xa5, 0xfc,
			0x51, 0x37, 0x4e, 0x44, 0xf0, 0x71, 0x01, 0xe2, 0x08, 0xe6, 0x2f, 0xd5,
			0x45, 0x38, 0x41, 0x59, 0x5a, 0xde}},
	{7, 0x4, 20, {0}}, {7, 0xb, 32, {0}},
	{7, 0xc, 48, {1}}, /* a bank that cannot be replayed */
};

static void good_log(struct sample *s)
{
	struct blob *log = &s->log;
	size_t at = 32 + 37;

	put(log, 4, 4, 3);
	put(log, 28, 4, 37);
	put_text(log, 32, "Spec ID Event03");
	put(log, 32 + 24, 4, 2);
	put(log, 32 + 28, 2, 4);
	put(log, 32 + 30, 2, 20);
	put(log, 32 + 32, 2, 0xb);
	put(log, 32 + 34, 2, 32);
	put(log, 32 + 36, 1, 0);
	at = log_event(log, at, 0, 3, 0, "StartupLocality", 17);
	put(log, at - 1, 1, 3);
	at = log_event(log, at, 0, 8, 0x11, "CRTM", 4);
	at = log_event(log, at, 5, 0x80000007, 0x22, "Exit Boot Services Invocation", 29);
	put(&s->final, 0, 8, 1);
	put(&s->final, 8, 8, 1);
	log_event(
		&s->final, 16, 5, 0x80000007, 0x33, "Exit Boot Services Returned with Success", 40);
	s->log_head = (struct evidence_event_log){2, 0};
	memcpy(s->pcrs, good_pcrs, sizeof good_pcrs);
}

static void good_smbios(struct sample *s)
{
	static const uint8_t types[] = {0, 1, 3, 4, 16, 17, 19, 32, 127};
	size_t at = 0;

	put(&s->anchor, 23, 1, 0);
	put_text(&s->anchor, 0, "_SM3_");
	put(&s->anchor, 6, 1, 24);
	put(&s->anchor, 7, 1, 3);
	put(&s->anchor, 16, 8, 0x7335000);
	for (size_t i = 0; i < sizeof types; i++) {
		put(&s->smbios, at, 1, types[i]);
		put(&s->smbios, at + 1, 1, 8);
		put(&s->smbios, at + 2, 2, 0x100 + i);
		put_text(&s->smbios, at + 8, "made up");
		put(&s->smbios, at + 15, 2, 0);
		at += 17;
	}
	put(&s->anchor, 12, 4, at);
	seal_sum(&s->anchor, 5, 24);
}

static void good_graphics(struct sample *s)
{
	static const uint8_t head[8] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};

	s->graphics = (struct evidence_graphics){0x80000000, 1024 * 768 * 4, 1, 0};
	s->modes[0] =
		(struct evidence_mode){.number = 0, .width = 800, .height = 600, .pitch = 800};
	s->modes[1] =
		(struct evidence_mode){.number = 1, .width = 1024, .height = 768, .pitch = 1024};
	put(&s->edid, 127, 1, 0);
	memcpy(s->edid.data, head, sizeof head);
	put(&s->edid, 56, 1, 1024 & 0xff);
	put(&s->edid, 58, 1, 1024 >> 8 << 4);
	put(&s->edid, 61, 1, 768 >> 8 << 4);
	seal_sum(&s->edid, 127, 128);
	put(&s->esrt, 0, 4, 2);
	put(&s->esrt, 4, 4, 4);
	put(&s->esrt, 8, 8, 1);
	put(&s->esrt, 16 + 79, 1, 0);
	put(&s->esrt, 16, 8, 1111);
	put(&s->esrt, 56, 8, 2222);
}

static void good_times(struct sample *s)
{
	struct blob *table = &s->boot_record;

	put_text(table, 0, "FBPT");
	put(table, 4, 4, 56);
	put(table, 8, 2, 2);
	put(table, 10, 1, 48);
	put(table, 16, 8, 100000000);
	put(table, 24, 8, 900000000);
	put(table, 32, 8, 1000000000);
	put(table, 40, 8, 1801000000);
	put(table, 48, 8, 1801090000);
	s->probes[0] = (struct evidence_probe){EVIDENCE_PROBE_HPET, 0, 100000, 100200};
	s->probes[1] = (struct evidence_probe){EVIDENCE_PROBE_UART, 0, 0x5a, 0x5a};
	s->probes[2] = (struct evidence_probe){EVIDENCE_PROBE_ECAM, 0, 0x29c08086, 0x29c08086};
	s->probes[3] = (struct evidence_probe){EVIDENCE_PROBE_BUS_MASTERS, 0, 0, 0};
}

void sample_good_devices(struct sample *s)
{
	good_acpi(s);
	good_pci(s);
	good_log(s);
	good_smbios(s);
	good_graphics(s);
	good_times(s);
}
