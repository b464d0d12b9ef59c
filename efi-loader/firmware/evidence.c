/* SPDX-License-Identifier: MIT */
/*
 * Evidence at entry. The command line has to be read before anybody knows that evidence is wanted, so "at entry" is
 * after the configuration was read; registers are those of the first instruction (cpu_state.c).
 *
 * The page tables come first: they say what can be read without a fault, and nothing of the firmware's is looked at
 * before they were asked.
 */
#include "evidence_internal.h"

#include "console.h"
#include "cpu.h"
#include "cpu_state.h"

#define ROOM_MOST  (UINT64_C(8) << 20) /* bytes of evidence */
#define ROOM_LEAST (UINT64_C(1) << 20)
#define RUNS_MOST  16384u
#define SCRATCH    (UINT64_C(512) << 10)
#define TABLE_MOST 4096u
#define WATCHDOG   300u

#define EFER_NXE   UINT64_C(0x800)

struct collector collector;

static bool is_readable(const void *context, uint64_t address, uint64_t size)
{
	return evidence_is_mapped(context, address, size);
}

static const uint64_t *view_table(uint64_t table)
{
	return (const uint64_t *)table; /* UEFI maps all memory 1:1 */
}

/* As much as there is. */
static bool take_block(struct loader *l)
{
	uint64_t behind = RUNS_MOST * sizeof(struct evidence_mapping) + SCRATCH, room;

	for (room = ROOM_MOST; room >= ROOM_LEAST; room /= 2) {
		EFI_PHYSICAL_ADDRESS base = 0;

		if (EFI_ERROR(l->boot->AllocatePages(
			    AllocateAnyPages, EfiLoaderData, (room + behind) / MEMORY_PAGE, &base)))
			continue;
		collector.block = (struct handoff_range){base, room + behind};
		evidence_begin(&collector.writer, (void *)base, room);
		collector.walk.runs = (struct evidence_mapping *)(base + room);
		collector.walk.capacity = RUNS_MOST;
		collector.scratch = (uint8_t *)(collector.walk.runs + RUNS_MOST);
		collector.scratch_size = SCRATCH;
		return true;
	}
	warn("no memory for evidence of the firmware");
	return false;
}

void evidence_release(struct loader *l)
{
	if (collector.block.size)
		l->boot->FreePages(collector.block.base, collector.block.size / MEMORY_PAGE);
	collector = (struct collector){0};
}

/* ---- The CPU ---- */

/* Of a selector that is not null and lies in the GDT; else 0. */
static uint64_t descriptor(const struct handoff_cpu *c, uint16_t selector)
{
	uint64_t at = selector & 0xfff8u, value;

	if (!at || selector & 4 || at + 7 > c->gdt_limit || !readable(c->gdt_base + at, 8))
		return 0;
	__builtin_memcpy(&value, (const void *)(c->gdt_base + at), sizeof(value));
	return value;
}

static void collect_cpu(const struct handoff_cpu *c)
{
	struct evidence_cpu out = {.cr0 = c->cr0,
		.cr2 = c->cr2,
		.cr3 = c->cr3,
		.cr4 = c->cr4,
		.efer = c->efer,
		.rflags = c->rflags,
		.rsp = c->rsp,
		.xcr0 = c->xcr0,
		.gdt_base = c->gdt_base,
		.idt_base = c->idt_base,
		.code = descriptor(c, c->cs),
		.stack = descriptor(c, c->ss),
		.data = descriptor(c, c->ds),
		.extra = descriptor(c, c->es),
		.gdt_limit = c->gdt_limit,
		.idt_limit = c->idt_limit,
		.cs = c->cs,
		.ss = c->ss,
		.ds = c->ds,
		.es = c->es,
		.fs = c->fs,
		.gs = c->gs,
		.tr = c->tr,
		.ldtr = c->ldtr,
		.fcw = c->fcw,
		.mxcsr = c->mxcsr};

	collect(EVIDENCE_CPU, EVIDENCE_ENTRY, 0, &out, sizeof(out), NULL, 0);
}

struct msrs {
	struct evidence_msr at[128];
	unsigned int count;
};

static void add_msr(struct msrs *m, uint32_t index)
{
	m->at[m->count++] = (struct evidence_msr){index, read_msr(index)};
}

/* Those that CPUID says are there: another is a fault. */
static void collect_msrs(const struct handoff_cpu *c)
{
	static const uint16_t fixed[] = {
		0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f};
	uint32_t features = cpuid(1, 0).d;
	static struct msrs m;

	m.count = 0;
	add_msr(&m, 0xc0000080);
	if (features >> 9 & 1)
		add_msr(&m, 0x1b);
	if (features >> 16 & 1)
		add_msr(&m, 0x277);
	if (features >> 12 & 1) {
		unsigned int variable = (unsigned int)(read_msr(0xfe) & 0xff);

		add_msr(&m, 0xfe);
		add_msr(&m, 0x2ff);
		for (unsigned int i = 0; i < 2 * variable && i < 64; i++)
			add_msr(&m, 0x200 + i);
		for (unsigned int i = 0; read_msr(0xfe) >> 8 & 1 && i < 11; i++)
			add_msr(&m, fixed[i]);
	}
	if (c->cr4 & CR4_OSXSAVE)
		m.at[m.count++] = (struct evidence_msr){UINT64_MAX, c->xcr0};
	collect(EVIDENCE_MSRS, EVIDENCE_ENTRY, 0, NULL, 0, m.at, m.count * sizeof(m.at[0]));
}

static void walk_tables(const struct handoff_cpu *c)
{
	struct evidence_walk *w = &collector.walk;

	w->root = c->cr3;
	w->levels = c->cr4 & CR4_LA57 ? 5 : 4;
	w->no_execute = c->efer & EFER_NXE;
	w->view = view_table;
	evidence_walk(w);
	collector.memory = (struct evidence_memory){is_readable, w};
	if (w->cut)
		say("evidence: the firmware's page tables have more than %u runs", RUNS_MOST);
	collect(EVIDENCE_MAPPINGS, EVIDENCE_ENTRY, 0, NULL, 0, w->runs,
		w->count * sizeof(w->runs[0]));
}

/* ---- The memory map ---- */

static struct evidence_map_call ask_map(
	struct loader *l, UINTN size, struct evidence_memory_map *head)
{
	struct evidence_map_call call = {.given = size};
	UINTN key = 0, descriptor_size = 0;
	UINT32 version = 0;

	call.status = l->boot->GetMemoryMap(&size, (EFI_MEMORY_DESCRIPTOR *)collector.scratch, &key,
		&descriptor_size, &version);
	call.returned = size;
	call.descriptor_size = descriptor_size;
	*head = (struct evidence_memory_map){key, call.status, (uint32_t)descriptor_size, version};
	return call;
}

/* Too small by all, by one descriptor; a single one; exactly what it wants; more. */
static void collect_map(struct loader *l)
{
	struct evidence_memory_map head;
	struct evidence_map_call calls[5] = {ask_map(l, 0, &head)};
	UINTN needed = calls[0].returned, one = calls[0].descriptor_size;

	calls[1] = ask_map(l, needed > one ? needed - one : 0, &head);
	calls[2] = ask_map(l, one, &head);
	needed = calls[2].returned < collector.scratch_size ? calls[2].returned : 0;
	calls[3] = ask_map(l, needed, &head);
	calls[4] = ask_map(l, collector.scratch_size, &head);
	if (!calls[4].status)
		collect(EVIDENCE_MEMORY_MAP, EVIDENCE_ENTRY, 0, &head, sizeof(head),
			collector.scratch, calls[4].returned);
	collect(EVIDENCE_MAP_CALLS, EVIDENCE_ENTRY, 0, NULL, 0, calls, sizeof(calls));
}

/* ---- Tables ---- */

uint64_t evidence_table(struct loader *l, const EFI_GUID *guid)
{
	for (UINTN i = 0; i < l->system->NumberOfTableEntries; i++)
		if (guid_equal(&l->system->ConfigurationTable[i].VendorGuid, guid))
			return (uint64_t)l->system->ConfigurationTable[i].VendorTable;
	return 0;
}

void evidence_collect_table(
	enum evidence_phase phase, enum evidence_table which, const EFI_TABLE_HEADER *table)
{
	static const uint32_t least[] = {
		sizeof(EFI_SYSTEM_TABLE), sizeof(EFI_BOOT_SERVICES), sizeof(EFI_RUNTIME_SERVICES)};
	uint64_t size = least[which];

	if (!readable((uint64_t)table, sizeof(*table)))
		return;
	if (table->HeaderSize > size && table->HeaderSize <= TABLE_MOST)
		size = table->HeaderSize;
	collect_blob(EVIDENCE_TABLE, phase, which, (uint64_t)table, size);
}

void evidence_collect_configuration(struct loader *l, enum evidence_phase phase)
{
	_Static_assert(sizeof(EFI_CONFIGURATION_TABLE) == sizeof(struct evidence_configuration),
		"one structure, two names");

	collect_blob(EVIDENCE_CONFIGURATION, phase, 0, (uint64_t)l->system->ConfigurationTable,
		l->system->NumberOfTableEntries * sizeof(EFI_CONFIGURATION_TABLE));
}

void evidence_collect_attributes(struct loader *l, enum evidence_phase phase)
{
	static const EFI_GUID guid = MEMORY_ATTRIBUTES_TABLE_GUID;
	uint64_t address = evidence_table(l, &guid), size;
	const struct memory_attributes_table *table = (const void *)address;

	if (!readable(address, sizeof(*table)))
		return;
	size = sizeof(*table) + (uint64_t)table->entries * table->descriptor_size;
	collect_blob(EVIDENCE_ATTRIBUTES, phase, 0, address,
		size <= EVIDENCE_TABLE_MAX ? size : sizeof(*table));
}

static void collect_small_tables(struct loader *l)
{
	static const EFI_GUID properties = RT_PROPERTIES_TABLE_GUID, esrt = ESRT_GUID;
	uint64_t address = evidence_table(l, &properties);

	collect_blob(EVIDENCE_RT_PROPERTIES, EVIDENCE_ENTRY, 0, address, 8);
	address = evidence_table(l, &esrt);
	if (readable(address, 16)) {
		uint64_t entries = *(const uint32_t *)address;

		collect_blob(EVIDENCE_ESRT, EVIDENCE_ENTRY, 0, address,
			readable(address, 16 + 40 * entries) ? 16 + 40 * entries : 16);
	}
}

static void collect_acpi(struct loader *l)
{
	static const EFI_GUID acpi2 = ACPI_20_TABLE_GUID, acpi1 = ACPI_TABLE_GUID;
	uint64_t rsdp = evidence_table(l, &acpi2);
	const uint8_t *fpdt;
	uint32_t length;

	if (!rsdp)
		rsdp = evidence_table(l, &acpi1);
	collect_blob(EVIDENCE_RSDP, EVIDENCE_ENTRY, 0, rsdp,
		evidence_rsdp_size(&collector.memory, rsdp));
	collector.acpi_count =
		evidence_acpi_tables(&collector.memory, rsdp, collector.acpi, COLLECTOR_TABLES);
	for (size_t i = 0; i < collector.acpi_count; i++)
		collect_blob(EVIDENCE_ACPI, EVIDENCE_ENTRY, (uint32_t)i, collector.acpi[i].address,
			collector.acpi[i].size);
	fpdt = evidence_acpi_find(collector.acpi, collector.acpi_count, "FPDT", 52);
	if (!fpdt)
		return;
	__builtin_memcpy(&length, fpdt + 4, sizeof(length));
	collector.boot_record = evidence_boot_record(fpdt, length);
}

static void collect_smbios(struct loader *l)
{
	static const EFI_GUID guids[] = {[2] = SMBIOS_TABLE_GUID, [3] = SMBIOS3_TABLE_GUID};
	struct evidence_range anchor, structures;

	for (unsigned int version = 2; version <= 3; version++) {
		evidence_smbios(&collector.memory, version, evidence_table(l, &guids[version]),
			&anchor, &structures);
		collect_blob(EVIDENCE_SMBIOS_ANCHOR, EVIDENCE_ENTRY, version, anchor.address,
			anchor.size);
		collect_blob(EVIDENCE_SMBIOS, EVIDENCE_ENTRY, version, structures.address,
			structures.size);
	}
}

/* ---- The rest ---- */

void evidence_get_time(struct loader *l, struct evidence_time *out)
{
	EFI_TIME now = {0};

	*out = (struct evidence_time){.tsc = read_tsc()};
	out->status = l->system->RuntimeServices->GetTime(&now, NULL);
	out->year = now.Year;
	out->month = now.Month;
	out->day = now.Day;
	out->hour = now.Hour;
	out->minute = now.Minute;
	out->second = now.Second;
	out->nanosecond = now.Nanosecond;
	out->zone = now.TimeZone;
	out->daylight = now.Daylight;
}

static void collect_machine(struct loader *l)
{
	struct evidence_machine machine = {
		.tsc_hz = collector.tsc_hz, .firmware_revision = l->system->FirmwareRevision};
	const CHAR16 *vendor = l->system->FirmwareVendor;
	uint8_t name[128];
	size_t size = 0;

	for (size_t i = 0;
		size + 3 < sizeof(name) && readable((uint64_t)&vendor[i], 2) && vendor[i]; i++) {
		unsigned int c = vendor[i];

		if (c >= 0x800)
			name[size++] = (uint8_t)(0xe0 | c >> 12);
		if (c >= 0x80)
			name[size++] = (uint8_t)(c >= 0x800 ? 0x80 | (c >> 6 & 63) : 0xc0 | c >> 6);
		name[size++] = (uint8_t)(c >= 0x80 ? 0x80 | (c & 63) : c);
	}
	collect(EVIDENCE_MACHINE, EVIDENCE_ENTRY, 0, &machine, sizeof(machine), name, size);
}

void evidence_at_entry(struct loader *l)
{
	const struct handoff_cpu *c = &l->handoff.cpu;

	if (!l->options.report || !take_block(l))
		return;
	collector.active = true;
	collector.watchdog.disable_status = l->boot->SetWatchdogTimer(0, 0x10000, 0, NULL);
	l->boot->SetWatchdogTimer(WATCHDOG, 0x10000, 0, NULL);
	walk_tables(c);
	collect_cpu(c);
	collect_msrs(c);
	collect_map(l);
	evidence_collect_table(EVIDENCE_ENTRY, EVIDENCE_SYSTEM_TABLE, &l->system->Hdr);
	evidence_collect_table(EVIDENCE_ENTRY, EVIDENCE_BOOT_TABLE, &l->boot->Hdr);
	evidence_collect_table(
		EVIDENCE_ENTRY, EVIDENCE_RUNTIME_TABLE, &l->system->RuntimeServices->Hdr);
	evidence_collect_configuration(l, EVIDENCE_ENTRY);
	evidence_collect_attributes(l, EVIDENCE_ENTRY);
	collect_small_tables(l);
	collect_acpi(l);
	collect_smbios(l);
	evidence_get_time(l, &collector.times[0]);
	evidence_clocks();
	collect_machine(l);
	evidence_previous(l);
}
