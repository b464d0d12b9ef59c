/* SPDX-License-Identifier: MIT */
/* The machine as the loader was entered. */
#include "bytes.h"
#include "report.h"

#define CR0_PE     UINT64_C(1)
#define CR0_EM     UINT64_C(4)
#define CR0_TS     UINT64_C(8)
#define CR0_WP     UINT64_C(0x10000)
#define CR0_PG     UINT64_C(0x80000000)
#define CR4_OSFXSR UINT64_C(0x200)
#define EFER_LMA   UINT64_C(0x400)
#define EFER_NXE   UINT64_C(0x800)
#define RFLAGS_IF  UINT64_C(0x200)
#define RFLAGS_DF  UINT64_C(0x400)
#define STACK_SIZE UINT64_C(0x20000)

typedef unsigned long long ull;

static const struct evidence_cpu *cpu(const struct judgement *j)
{
	return evidence_head(evidence_of(j->evidence, EVIDENCE_CPU, EVIDENCE_ENTRY, NULL));
}

static void mode(struct judgement *j)
{
	const struct evidence_cpu *c = cpu(j);

	if (!(c->efer & EFER_LMA))
		wrong(j, "EFER.LMA is 0 (%#llx)", (ull)c->efer);
	if (!(c->cr0 & CR0_PG) || !(c->cr0 & CR0_PE))
		wrong(j, "CR0 is %#llx: no paging or no protection", (ull)c->cr0);
	if (c->cr0 & CR0_EM)
		wrong(j, "CR0.EM is 1");
	if (c->cr0 & CR0_TS)
		wrong(j, "CR0.TS is 1");
}

/* Bytes of [base, end) that some mapping covers; *elsewhere: a page of it that is mapped to another one. */
static uint64_t covered(
	const struct evidence_record *mappings, uint64_t base, uint64_t end, uint64_t *elsewhere)
{
	const struct evidence_mapping *m = evidence_tail(mappings);
	size_t count = evidence_count(mappings);
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t from = m[i].virt > base ? m[i].virt : base;
		uint64_t to =
			m[i].size > UINT64_MAX - m[i].virt ? UINT64_MAX : m[i].virt + m[i].size;

		if (to > end)
			to = end;
		if (from >= to)
			continue;
		bytes += to - from;
		if (m[i].virt != m[i].phys)
			*elsewhere = from;
	}
	return bytes;
}

/* A page that is left out to catch what has no business there is allowed: page 0, and what is no memory. */
static void identity(struct judgement *j)
{
	const struct evidence_record *mappings =
		evidence_of(j->evidence, EVIDENCE_MAPPINGS, EVIDENCE_ENTRY, NULL);
	struct map map = map_find(j->evidence, EVIDENCE_ENTRY);

	for (size_t i = 0; i < map.count; i++) {
		struct region region = map_at(&map, i);
		uint64_t elsewhere = UINT64_MAX, base = region.base ? region.base : MEMORY_PAGE;
		uint64_t bytes = covered(mappings, base, region.end, &elsewhere);

		if (elsewhere != UINT64_MAX)
			wrong(j, "%#llx (%s) is mapped to another address", (ull)elsewhere,
				memory_type_name(region.type));
		if (region.end > base && bytes < region.end - base &&
			region.type != MEMORY_RESERVED && region.type != MEMORY_UNUSABLE &&
			region.type != MEMORY_UNACCEPTED)
			wrong(j, "%#llx-%#llx (%s) is not mapped whole", (ull)region.base,
				(ull)region.end - 1, memory_type_name(region.type));
	}
}

static uint64_t bytes_with(
	const struct evidence_record *mappings, uint64_t base, uint64_t size, uint32_t access)
{
	const struct evidence_mapping *m = evidence_tail(mappings);
	size_t count = evidence_count(mappings);
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t from = m[i].virt > base ? m[i].virt - base : 0;
		uint64_t to = m[i].virt + m[i].size - base;

		if (m[i].virt + m[i].size <= base || m[i].virt + m[i].size < m[i].virt)
			continue;
		if (to > size)
			to = size;
		if (from < to && (m[i].access & access) == access)
			bytes += to - from;
	}
	return bytes;
}

static void wx_audit(struct judgement *j)
{
	const struct evidence_record *mappings =
		evidence_of(j->evidence, EVIDENCE_MAPPINGS, EVIDENCE_ENTRY, NULL);
	const struct evidence_self *self =
		evidence_head(evidence_of(j->evidence, EVIDENCE_SELF, EVIDENCE_ANY_PHASE, NULL));
	const struct evidence_cpu *c = cpu(j);
	uint32_t both = EVIDENCE_WRITE | EVIDENCE_EXECUTE;

	seen(j, "W+X: %llu KiB in all, %llu KiB of our image",
		(ull)bytes_with(mappings, 0, UINT64_MAX, both) >> 10,
		(ull)bytes_with(mappings, self->image_base, self->image_size, both) >> 10);
	seen(j, "the stack is %sexecutable, page 0 is %s, EFER.NXE %u, CR0.WP %u",
		bytes_with(mappings, c->rsp & ~(MEMORY_PAGE - 1), MEMORY_PAGE, EVIDENCE_EXECUTE)
			? ""
			: "not ",
		bytes_with(mappings, 0, MEMORY_PAGE, EVIDENCE_READ) ? "mapped" : "not mapped",
		!!(c->efer & EFER_NXE), !!(c->cr0 & CR0_WP));
}

static void flags(struct judgement *j)
{
	if (cpu(j)->rflags & RFLAGS_DF)
		wrong(j, "DF is 1");
	if (!(cpu(j)->rflags & RFLAGS_IF))
		wrong(j, "IF is 0");
}

/* RSP is that of the first instruction: the return address stands there. */
static void stack(struct judgement *j)
{
	const struct evidence_record *record =
		evidence_of(j->evidence, EVIDENCE_SELF, EVIDENCE_ANY_PHASE, NULL);
	const struct evidence_self *self = record ? evidence_head(record) : NULL;
	struct map map = map_find(j->evidence, EVIDENCE_ENTRY);
	uint64_t rsp = cpu(j)->rsp, base = map_lookup(&map, rsp).base;

	if (self && self->stack_size)
		base = self->stack_base;
	if ((rsp + 8) % 16)
		wrong(j, "RSP is %#llx: not aligned to 16 before the call", (ull)rsp);
	if (!map_lookup(&map, rsp).pages)
		wrong(j, "RSP is %#llx, which is not in the memory map", (ull)rsp);
	else if (rsp - base < STACK_SIZE)
		wrong(j, "%llu KiB below RSP %#llx", (ull)(rsp - base) >> 10, (ull)rsp);
}

static void fpu(struct judgement *j)
{
	if (cpu(j)->fcw != 0x37f)
		wrong(j, "FCW is %#x", cpu(j)->fcw);
	if (!(cpu(j)->cr4 & CR4_OSFXSR))
		wrong(j, "CR4.OSFXSR is 0: there is no MXCSR, and SSE faults");
	else if (cpu(j)->mxcsr != 0x1f80)
		wrong(j, "MXCSR is %#x", cpu(j)->mxcsr);
}

static uint64_t descriptor_base(uint64_t descriptor)
{
	return (descriptor >> 16 & 0xffffff) | (descriptor >> 56) << 24;
}

static void selectors(struct judgement *j)
{
	const struct evidence_cpu *c = cpu(j);
	const struct {
		const char *name;
		uint64_t value;
	} segments[] = {{"CS", c->code}, {"SS", c->stack}, {"DS", c->data}, {"ES", c->extra}},
	  tables[] = {{"the GDT", c->gdt_base}, {"the IDT", c->idt_base},
		  {"the page tables (CR3)", c->cr3 & UINT64_C(0x000ffffffffff000)},
		  {"the stack", c->rsp}};
	struct map map = map_find(j->evidence, EVIDENCE_ENTRY);

	for (unsigned i = 0; i < 4; i++)
		if (descriptor_base(segments[i].value))
			wrong(j, "%s is not flat: base %#llx", segments[i].name,
				(ull)descriptor_base(segments[i].value));
	if (!(c->code >> 53 & 1))
		wrong(j, "CS is no 64-bit segment: descriptor %#llx", (ull)c->code);
	for (unsigned i = 0; i < 4; i++) {
		struct region region = map_lookup(&map, tables[i].value);

		if (region.type == MEMORY_FREE)
			wrong(j, "%s at %#llx lies in conventional memory", tables[i].name,
				(ull)tables[i].value);
		seen(j, "%s: %s", tables[i].name, memory_type_name(region.type));
	}
}

static void snapshot(struct judgement *j)
{
	const struct evidence_record *record =
		evidence_of(j->evidence, EVIDENCE_MSRS, EVIDENCE_ENTRY, NULL);
	const struct evidence_msr *msr = evidence_tail(record);
	size_t count = evidence_count(record);
	unsigned ranges = 0;

	seen(j, "CR4 %#llx, XCR0 %#llx", (ull)cpu(j)->cr4, (ull)cpu(j)->xcr0);
	for (size_t i = 0; i < count; i++) {
		if (msr[i].index == 0x277)
			seen(j, "PAT %#llx", (ull)msr[i].value);
		if (msr[i].index == 0x2ff)
			seen(j, "MTRR default type %#llx", (ull)msr[i].value);
		if (msr[i].index >= 0x200 && msr[i].index < 0x220 && msr[i].index & 1)
			ranges += msr[i].value >> 11 & 1;
	}
	seen(j, "%u variable MTRRs in use", ranges);
}

#define AT_ENTRY(kind)                          \
	{                                       \
		EVIDENCE_##kind, EVIDENCE_ENTRY \
	}

static const struct check checks[] = {
	{"entry.cr0-em-ts", 1, SEVERITY_E, "long mode with paging, CR0.EM and CR0.TS clear",
		"UEFI 2.10 2.3.4", "EFER.LMA, CR0.PG and PE 1, CR0.EM and TS 0", {AT_ENTRY(CPU)},
		.judge = mode},
	{"entry.identity-map", 2, SEVERITY_E, "every range of the memory map is identity-mapped",
		"UEFI 2.10 2.3.4", "each page at its own address; page 0 may be left out",
		{AT_ENTRY(MAPPINGS), AT_ENTRY(MEMORY_MAP)}, .judge = identity},
	{"entry.wx-audit", 3, SEVERITY_I, "what may be written and executed at once",
		"UEFI 2.10 2.3.4", "a record",
		{AT_ENTRY(CPU), AT_ENTRY(MAPPINGS), {EVIDENCE_SELF, EVIDENCE_ANY_PHASE}},
		.judge = wx_audit},
	{"entry.flags", 4, SEVERITY_E, "direction flag clear, interrupts on", "UEFI 2.10 2.3.4",
		"DF 0, IF 1", {AT_ENTRY(CPU)}, .judge = flags},
	{"entry.stack", 5, SEVERITY_E, "128 KiB of stack or more, aligned to 16", "UEFI 2.10 2.3.4",
		"128 KiB below RSP; RSP + 8 a multiple of 16 at the first instruction",
		{AT_ENTRY(CPU), AT_ENTRY(MEMORY_MAP)}, .judge = stack},
	{"entry.fpu", 6, SEVERITY_E, "x87 and SSE control words", "UEFI 2.10 2.3.4",
		"FCW 0x37f, MXCSR 0x1f80", {AT_ENTRY(CPU)}, .judge = fpu},
	{"entry.selectors", 7, SEVERITY_E,
		"selectors are flat, the CPU's tables lie in memory in use", "UEFI 2.10 2.3.4",
		"base 0, CS 64-bit; no table in conventional memory",
		{AT_ENTRY(CPU), AT_ENTRY(MEMORY_MAP)}, .judge = selectors},
	{"entry.cpu-state", 8, SEVERITY_I, "CR4, XCR0, PAT and MTRRs", "UEFI 2.10 2.3.4",
		"a record", {AT_ENTRY(CPU), AT_ENTRY(MSRS)}, .judge = snapshot},
};

const struct family family_entry = {"entry", checks, sizeof checks / sizeof *checks};
