/* SPDX-License-Identifier: MIT */
#include "sample.h"

static void seal(struct blob *table)
{
	seal_sum(table, 9, table->size);
}

static void bad_sum(struct sample *s)
{
	s->acpi[MCFG].data[9]++;
}

static void bad_length(struct sample *s)
{
	put(&s->acpi[MCFG], 4, 4, 61);
	seal(&s->acpi[MCFG]);
}

static void rsdp_sum(struct sample *s)
{
	s->rsdp.data[33]++;
}

static void rsdp_old(struct sample *s)
{
	put(&s->rsdp, 15, 1, 0);
	seal_sum(&s->rsdp, 8, 20);
	seal_sum(&s->rsdp, 32, 36);
}

static void xsdt_dangles(struct sample *s)
{
	put(&s->acpi[XSDT], 36, 8, 0x1234);
	seal(&s->acpi[XSDT]);
}

static void other_pm1a(struct sample *s)
{
	put(&s->acpi[FACP], 176, 8, 0x404);
	seal(&s->acpi[FACP]);
}

static void crooked_facs(struct sample *s)
{
	s->acpi[FACS].address += 8;
}

static void apic_twice(struct sample *s)
{
	put(&s->acpi[MADT], 44 + 8 + 3, 1, 0);
	s->processors[1].apic_id = 0;
	seal(&s->acpi[MADT]);
}

static void unknown_cpu(struct sample *s)
{
	s->processors[1].apic_id = 4;
}

static void madt_cut(struct sample *s)
{
	put(&s->acpi[MADT], 61, 1, 0);
	seal(&s->acpi[MADT]);
}

static void mcfg_crooked(struct sample *s)
{
	put(&s->acpi[MCFG], 44, 8, 0xb0000100);
	seal(&s->acpi[MCFG]);
}

static void ecam_silent(struct sample *s)
{
	s->probes[2].found = 0xffffffff;
}

static void hpet_stands(struct sample *s)
{
	s->probes[0].found = 0;
}

static void uart_silent(struct sample *s)
{
	s->probes[1].found = 0xff;
}

static void not_asked(struct sample *s)
{
	memset(s->probes, 0, sizeof s->probes);
}

static void exit_before_start(struct sample *s)
{
	put(&s->boot_record, 40, 8, 950000000);
}

static void other_clock(struct sample *s)
{
	put(&s->boot_record, 40, 8, 2801000000);
	put(&s->boot_record, 48, 8, 2801000001);
}

static void no_reset_end(struct sample *s)
{
	put(&s->boot_record, 16, 8, 0);
}

static void seal_rsdp(struct sample *s)
{
	seal_sum(&s->rsdp, 8, 20);
	seal_sum(&s->rsdp, 32, 36);
}

static void rsdp_signature(struct sample *s)
{
	put_text(&s->rsdp, 0, "RSD PTX ");
	seal_rsdp(s);
}

static void rsdp_first_sum(struct sample *s)
{
	s->rsdp.data[9]++;
	seal_sum(&s->rsdp, 32, 36);
}

static void rsdp_short(struct sample *s)
{
	put(&s->rsdp, 20, 4, 35);
	seal_rsdp(s);
}

static void rsdp_dangles(struct sample *s)
{
	put(&s->rsdp, 24, 8, 0x1234);
	seal_rsdp(s);
}

static void xsdt_half_entry(struct sample *s)
{
	struct blob *xsdt = &s->acpi[XSDT];

	put(xsdt, xsdt->size + 3, 1, 0);
	put(xsdt, 4, 4, xsdt->size);
	seal(xsdt);
}

static void no_fadt(struct sample *s)
{
	put_text(&s->acpi[FACP], 0, "FACQ");
	seal(&s->acpi[FACP]);
}

static void short_facs(struct sample *s)
{
	put(&s->acpi[FACS], 4, 4, 32);
}

static void uid_twice(struct sample *s)
{
	put(&s->acpi[MADT], 44 + 8 + 2, 1, 0);
	seal(&s->acpi[MADT]);
}

static void io_apic_twice(struct sample *s)
{
	struct blob *madt = &s->acpi[MADT];

	put(madt, 72, 1, 1);
	put(madt, 73, 1, 12);
	put(madt, 74, 1, 2);
	put(madt, 76, 8, 0xfec10000);
	put(madt, 4, 4, madt->size);
	seal(madt);
}

static void no_madt(struct sample *s)
{
	put_text(&s->acpi[MADT], 0, "APIX");
	seal(&s->acpi[MADT]);
}

static void no_basic_record(struct sample *s)
{
	put_text(&s->boot_record, 0, "FBPX");
}

static void loaded_before_reset(struct sample *s)
{
	put(&s->boot_record, 16, 8, 950000000);
}

#define ONE(check, verdict)            \
	{                              \
		{                      \
			check, verdict \
		}                      \
	}

static const struct fault faults[] = {
	{"a table's checksum", bad_sum, ONE("acpi.tables", VERDICT_FAIL)},
	{"a table longer than it is", bad_length, ONE("acpi.tables", VERDICT_FAIL)},
	{"RSDP's extended checksum", rsdp_sum, ONE("acpi.tables", VERDICT_FAIL)},
	{"RSDP of ACPI 1.0", rsdp_old, ONE("acpi.tables", VERDICT_FAIL)},
	{"XSDT points to nothing", xsdt_dangles, ONE("acpi.tables", VERDICT_FAIL)},
	{"X_PM1a_CNT_BLK is another", other_pm1a, ONE("acpi.fadt", VERDICT_FAIL)},
	{"FACS not aligned", crooked_facs, ONE("acpi.fadt", VERDICT_FAIL)},
	{"an APIC identifier twice", apic_twice, ONE("acpi.madt", VERDICT_FAIL)},
	{"a CPU that MADT does not know", unknown_cpu, ONE("acpi.madt", VERDICT_FAIL)},
	{"a MADT entry of 0 bytes", madt_cut, ONE("acpi.madt", VERDICT_FAIL)},
	{"ECAM not aligned", mcfg_crooked, ONE("acpi.mcfg", VERDICT_FAIL)},
	{"ECAM does not answer", ecam_silent, ONE("acpi.mcfg", VERDICT_FAIL)},
	{"HPET stands still", hpet_stands, ONE("acpi.hpet-spcr", VERDICT_WARN)},
	{"the UART does not answer", uart_silent, ONE("acpi.hpet-spcr", VERDICT_WARN)},
	{"no device was asked", not_asked, ONE("acpi.hpet-spcr", VERDICT_SKIP)},
	{"exit before the start", exit_before_start, ONE("acpi.fpdt", VERDICT_WARN)},
	{"FPDT by another clock", other_clock, ONE("acpi.fpdt", VERDICT_WARN)},
	{"no ResetEnd", no_reset_end, ONE("acpi.fpdt", VERDICT_WARN)},
	{"RSDP's signature", rsdp_signature, ONE("acpi.tables", VERDICT_FAIL)},
	{"RSDP's first checksum", rsdp_first_sum, ONE("acpi.tables", VERDICT_FAIL)},
	{"RSDP too short", rsdp_short, ONE("acpi.tables", VERDICT_FAIL)},
	{"RSDP points to nothing", rsdp_dangles, ONE("acpi.tables", VERDICT_FAIL)},
	{"half an entry in XSDT", xsdt_half_entry, ONE("acpi.tables", VERDICT_FAIL)},
	{"no FADT", no_fadt, ONE("acpi.fadt", VERDICT_FAIL)},
	{"FACS of 32 bytes", short_facs, ONE("acpi.fadt", VERDICT_FAIL)},
	{"a processor UID twice", uid_twice, ONE("acpi.madt", VERDICT_FAIL)},
	{"an I/O APIC twice", io_apic_twice, ONE("acpi.madt", VERDICT_FAIL)},
	{"no MADT", no_madt, ONE("acpi.madt", VERDICT_FAIL)},
	{"no basic boot record", no_basic_record, ONE("acpi.fpdt", VERDICT_WARN)},
	{"loaded before reset ended", loaded_before_reset, ONE("acpi.fpdt", VERDICT_WARN)},
};

const struct fault_list faults_acpi = {faults, sizeof faults / sizeof *faults};
