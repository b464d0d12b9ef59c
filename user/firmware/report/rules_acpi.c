/* SPDX-License-Identifier: MIT */
/* ACPI's tables, and the devices that they speak of. */
#include "acpi.h"
#include "report.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MIB          (UINT64_C(1) << 20)
#define HPET_PART    20 /* one in 20: between two reads there may be an interrupt */
#define CLOCKS_PART  20
#define CLOCKS_SLACK UINT64_C(5000000) /* ns */
#define CPU_ENABLED  1u
#define FPDT_BASIC   2u
#define BASIC_OFFSET 8u /* of the basic boot record in the boot performance table */

typedef unsigned long long ull;

static bool has_table(const struct evidence *e, uint64_t address, const char *name)
{
	const struct evidence_record *record = NULL;

	while ((record = evidence_of(e, EVIDENCE_ACPI, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_blob *head = evidence_head(record);

		if (head->address == address && (!name || span_starts(span_of(record), name)))
			return true;
	}
	return false;
}

static void root_pointer(struct judgement *j)
{
	struct span s = span_of(evidence_of(j->evidence, EVIDENCE_RSDP, EVIDENCE_ANY_PHASE, NULL));

	if (!span_starts(s, "RSD PTR "))
		wrong(j, "RSDP: its signature is wrong");
	if (s.size < 20 || span_sum(span_part(s, 0, 20)))
		wrong(j, "RSDP: its checksum is wrong");
	if (le8(s, 15) < 2) {
		wrong(j, "RSDP: revision %u has no XSDT", le8(s, 15));
		return;
	}
	if (le32(s, 20) < 36 || le32(s, 20) > s.size)
		wrong(j, "RSDP: length %u", le32(s, 20));
	else if (span_sum(span_part(s, 0, le32(s, 20))))
		wrong(j, "RSDP: its extended checksum is wrong");
	if (!has_table(j->evidence, le64(s, 24), "XSDT"))
		wrong(j, "RSDP: there is no XSDT at %#llx", (ull)le64(s, 24));
}

static void tables(struct judgement *j)
{
	struct span xsdt = acpi_find(j->evidence, "XSDT", 0, NULL);
	const struct evidence_record *record = NULL;

	root_pointer(j);
	while ((record = evidence_of(j->evidence, EVIDENCE_ACPI, EVIDENCE_ANY_PHASE, record))) {
		struct span s = span_of(record);

		if (span_starts(s, "FACS"))
			continue;
		if (le32(s, 4) < ACPI_HEADER || le32(s, 4) != s.size)
			wrong(j, "table %u: length %u, %zu bytes there", record->index, le32(s, 4),
				s.size);
		else if (span_sum(s))
			wrong(j, "%.4s: its checksum is wrong", (const char *)s.data);
	}
	if (xsdt.size >= ACPI_HEADER && (xsdt.size - ACPI_HEADER) % 8)
		wrong(j, "XSDT: %zu bytes are no whole number of entries", xsdt.size - ACPI_HEADER);
	for (size_t at = ACPI_HEADER; at + 8 <= xsdt.size; at += 8)
		if (!has_table(j->evidence, le64(xsdt, at), NULL))
			wrong(j, "XSDT: there is no table at %#llx", (ull)le64(xsdt, at));
}

/* ACPI 6.5 5.2.9: where both are there they say the same. */
static void fadt(struct judgement *j)
{
	static const struct {
		const char *name;
		uint16_t old, extended; /* offsets; of the address in a generic address structure */
	} fields[] = {{"FIRMWARE_CTRL", 36, 132}, {"DSDT", 40, 140}, {"PM1a_EVT_BLK", 56, 152},
		{"PM1b_EVT_BLK", 60, 164}, {"PM1a_CNT_BLK", 64, 176}, {"PM1b_CNT_BLK", 68, 188},
		{"PM2_CNT_BLK", 72, 200}, {"PM_TMR_BLK", 76, 212}, {"GPE0_BLK", 80, 224},
		{"GPE1_BLK", 84, 236}};
	struct span s = acpi_find(j->evidence, "FACP", 0, NULL), facs;
	uint64_t address = 0;

	if (!s.size) {
		wrong(j, "there is no FADT");
		return;
	}
	for (unsigned i = 0; i < COUNT(fields); i++) {
		uint64_t old = le32(s, fields[i].old), extended = le64(s, fields[i].extended);

		if (old && extended && old != extended)
			wrong(j, "%s is %#llx, X_%s %#llx", fields[i].name, (ull)old,
				fields[i].name, (ull)extended);
	}
	facs = acpi_find(j->evidence, "FACS", 0, &address);
	if (address % 64)
		wrong(j, "FACS at %#llx is not aligned to 64", (ull)address);
	if (facs.size && le32(facs, 4) < 64)
		wrong(j, "FACS has %u bytes", le32(facs, 4));
}

#define CPUS_MAX 1024u

struct madt_ids {
	struct judgement *j;
	unsigned cpus, io_apics;
	uint32_t apic[CPUS_MAX], uid[CPUS_MAX];
	uint8_t io_apic[64];
};

static void madt_cpu(struct madt_ids *ids, uint32_t apic, uint32_t uid)
{
	for (unsigned i = 0; i < ids->cpus; i++) {
		if (ids->apic[i] == apic)
			wrong(ids->j, "APIC identifier %u stands there twice", apic);
		if (ids->uid[i] == uid)
			wrong(ids->j, "processor UID %u stands there twice", uid);
	}
	if (ids->cpus == CPUS_MAX)
		return;
	ids->apic[ids->cpus] = apic;
	ids->uid[ids->cpus++] = uid;
}

static void madt_entry(void *context, struct span entry)
{
	struct madt_ids *ids = context;

	if (le8(entry, 0) == 0 && le32(entry, 4) & CPU_ENABLED)
		madt_cpu(ids, le8(entry, 3), le8(entry, 2));
	if (le8(entry, 0) == 9 && le32(entry, 8) & CPU_ENABLED)
		madt_cpu(ids, le32(entry, 4), le32(entry, 12));
	if (le8(entry, 0) != 1)
		return;
	for (unsigned i = 0; i < ids->io_apics; i++)
		if (ids->io_apic[i] == le8(entry, 2))
			wrong(ids->j, "I/O APIC identifier %u stands there twice", le8(entry, 2));
	if (ids->io_apics < sizeof ids->io_apic)
		ids->io_apic[ids->io_apics++] = le8(entry, 2);
}

static void madt(struct judgement *j)
{
	const struct evidence_record *record =
		evidence_of(j->evidence, EVIDENCE_PROCESSORS, EVIDENCE_ANY_PHASE, NULL);
	const struct evidence_processor *cpu = evidence_tail(record);
	struct span s = acpi_find(j->evidence, "APIC", 0, NULL);
	struct madt_ids ids = {.j = j};

	if (!s.size) {
		wrong(j, "there is no MADT");
		return;
	}
	if (!acpi_madt(s, madt_entry, &ids))
		wrong(j, "an entry's length is wrong");
	for (size_t i = 0; i < evidence_count(record); i++) {
		bool known = false;

		for (unsigned k = 0; k < ids.cpus; k++)
			known |= ids.apic[k] == cpu[i].apic_id;
		if (!known && ids.cpus < CPUS_MAX)
			wrong(j, "a CPU says that it is %u, which MADT does not know",
				cpu[i].apic_id);
	}
	seen(j, "%u CPUs, %u I/O APICs", ids.cpus, ids.io_apics);
}

static const struct evidence_probe *probe(const struct judgement *j, uint32_t what, size_t n)
{
	const struct evidence_record *record = NULL;

	while ((record = evidence_of(j->evidence, EVIDENCE_PROBES, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_probe *probes = evidence_tail(record);

		for (size_t i = 0; i < evidence_count(record); i++)
			if (probes[i].what == what && !n--)
				return &probes[i];
	}
	return NULL;
}

static void mcfg(struct judgement *j)
{
	struct map map = map_find(j->evidence, EVIDENCE_BEFORE_EXIT);
	struct span s = acpi_find(j->evidence, "MCFG", 0, NULL);
	const struct evidence_probe *asked;

	if (!s.size) {
		skip(j, "there is no MCFG");
		return;
	}
	for (size_t at = MCFG_ENTRIES; at + 16 <= s.size; at += 16) {
		uint64_t base = le64(s, at);
		unsigned first = le8(s, at + 10), last = le8(s, at + 11);
		uint32_t type = map_lookup(&map, base + first * MIB).type;

		if (base % MIB || last < first)
			wrong(j, "segment %u: base %#llx, buses %u to %u", le16(s, at + 8),
				(ull)base, first, last);
		if (type != MEMORY_RESERVED && type != MEMORY_MMIO && type != UINT32_MAX)
			wrong(j, "segment %u: base %#llx lies in %s", le16(s, at + 8), (ull)base,
				memory_type_name(type));
	}
	for (size_t n = 0; (asked = probe(j, EVIDENCE_PROBE_ECAM, n)); n++)
		if (asked->found != asked->expected)
			wrong(j, "segment %u: ECAM reads %#llx, ports CF8/CFC %#llx", asked->index,
				(ull)asked->found, (ull)asked->expected);
}

static void hpet_spcr(struct judgement *j)
{
	const struct evidence_probe *hpet = probe(j, EVIDENCE_PROBE_HPET, 0),
				    *uart = probe(j, EVIDENCE_PROBE_UART, 0);

	if (!hpet && !uart)
		skip(j, "neither HPET nor SPCR was asked");
	if (hpet && (hpet->found < hpet->expected - hpet->expected / HPET_PART ||
			    hpet->found - hpet->expected / HPET_PART > hpet->expected))
		wrong(j, "HPET: %llu ticks, expected %llu", (ull)hpet->found, (ull)hpet->expected);
	if (uart && uart->found != uart->expected)
		wrong(j, "SPCR's UART keeps %#llx, expected %#llx", (ull)uart->found,
			(ull)uart->expected);
}

static uint64_t stamp(const struct judgement *j, uint32_t what)
{
	const struct evidence_record *record =
		evidence_of(j->evidence, EVIDENCE_STAMPS, EVIDENCE_ANY_PHASE, NULL);
	const struct evidence_stamp *stamps = evidence_tail(record);

	for (size_t i = 0; i < evidence_count(record); i++)
		if (stamps[i].what == what)
			return stamps[i].tsc;
	return 0;
}

/* What both clocks saw: from our start to our call of ExitBootServices. */
static void same_interval(struct judgement *j, uint64_t theirs)
{
	const struct evidence_machine *machine =
		evidence_head(evidence_of(j->evidence, EVIDENCE_MACHINE, EVIDENCE_ANY_PHASE, NULL));
	uint64_t entry = stamp(j, EVIDENCE_STAMP_ENTRY), leave = stamp(j, EVIDENCE_STAMP_EXIT),
		 ours;

	if (!machine->tsc_hz || !entry || leave < entry)
		return;
	ours = (uint64_t)((double)(leave - entry) * 1e9 / (double)machine->tsc_hz);
	if (theirs > ours + ours / CLOCKS_PART + CLOCKS_SLACK ||
		ours > theirs + theirs / CLOCKS_PART + CLOCKS_SLACK)
		wrong(j, "from our start to exit: %llu ns, %llu ns by the TSC", (ull)theirs,
			(ull)ours);
}

static void fpdt(struct judgement *j)
{
	static const char *const names[] = {"ResetEnd", "LoadImageStart", "StartImageStart",
		"ExitBootServicesEntry", "ExitBootServicesExit"};
	struct span s =
		span_of(evidence_of(j->evidence, EVIDENCE_BOOT_RECORD, EVIDENCE_ANY_PHASE, NULL));
	struct span basic = span_part(s, BASIC_OFFSET, 48);

	if (!span_starts(s, "FBPT") || le32(s, 4) > s.size || basic.size < 48 ||
		le16(basic, 0) != FPDT_BASIC) {
		wrong(j, "the boot performance table does not begin with a basic record");
		return;
	}
	for (unsigned i = 0; i < COUNT(names); i++) {
		uint64_t value = le64(basic, 8 + 8 * (size_t)i);

		if (!value)
			wrong(j, "%s is 0", names[i]);
		else if (i && value < le64(basic, 8 * (size_t)i))
			wrong(j, "%s (%llu ns) is before %s", names[i], (ull)value, names[i - 1]);
	}
	if (!j->wrong)
		same_interval(j, le64(basic, 32) - le64(basic, 24));
}

#define ACPI                                      \
	{                                         \
		EVIDENCE_ACPI, EVIDENCE_ANY_PHASE \
	}
#define PROBES                                      \
	{                                           \
		EVIDENCE_PROBES, EVIDENCE_ANY_PHASE \
	}

static const struct check checks[] = {
	{"acpi.tables", 62, SEVERITY_E, "RSDP, XSDT and each table: checksum and length",
		"ACPI 6.5 5.2.5-5.2.8", "sums to 0, lengths as they are, each table there",
		{{EVIDENCE_RSDP, EVIDENCE_ANY_PHASE}, ACPI}, .judge = tables},
	{"acpi.fadt", 63, SEVERITY_E, "FADT's X_ fields agree with the old ones; FACS is aligned",
		"ACPI 6.5 5.2.9, 5.2.10", "the same address where both are there; a multiple of 64",
		{ACPI}, .judge = fadt},
	{"acpi.madt", 64, SEVERITY_E, "MADT's identifiers are unique and as CPUID says",
		"ACPI 6.5 5.2.12", "no identifier twice, each CPU that started among them",
		{ACPI, {EVIDENCE_PROCESSORS, EVIDENCE_ANY_PHASE}}, .judge = madt},
	{"acpi.mcfg", 65, SEVERITY_E, "ECAM is aligned, reserved and readable",
		"PCI Firmware 3.3 4.1.2 *", "a multiple of 1 MiB, no RAM, as CF8/CFC read",
		{ACPI, PROBES, {EVIDENCE_MEMORY_MAP, EVIDENCE_BEFORE_EXIT}}, .judge = mcfg},
	{"acpi.hpet-spcr", 66, SEVERITY_W, "HPET ticks, and SPCR's UART answers",
		"IA-PC HPET 1.0a 2.3 *", "as its period says, within one in 20; a byte is kept",
		{PROBES}, .varies = true, .judge = hpet_spcr},
	{"acpi.fpdt", 67, SEVERITY_W, "FPDT's times ascend and agree with the TSC",
		"ACPI 6.5 5.2.24 *", "none 0, none before the last; within one in 20",
		{{EVIDENCE_BOOT_RECORD, EVIDENCE_ANY_PHASE}, {EVIDENCE_STAMPS, EVIDENCE_ANY_PHASE},
			{EVIDENCE_MACHINE, EVIDENCE_ANY_PHASE}},
		.varies = true, .judge = fpdt},
};

const struct family family_acpi = {"ACPI", checks, sizeof checks / sizeof *checks};
