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

void sample_good_devices(struct sample *s)
{
	good_pci(s);
	good_acpi(s);
}
