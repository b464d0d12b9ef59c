/* SPDX-License-Identifier: MIT */
#include "sample.h"

static void em(struct sample *s)
{
	s->cpu.cr0 |= 4;
}

static void ts(struct sample *s)
{
	s->cpu.cr0 |= 8;
}

static void no_long_mode(struct sample *s)
{
	s->cpu.efer &= ~0x400ull;
}

static void elsewhere(struct sample *s)
{
	s->mappings[4].phys += 0x1000;
}

static void hole(struct sample *s)
{
	s->mappings[6].size -= 0x1000;
}

static void writable_code(struct sample *s)
{
	s->mappings[1].access |= EVIDENCE_WRITE;
}

static void direction(struct sample *s)
{
	s->cpu.rflags |= 0x400;
}

static void interrupts_off(struct sample *s)
{
	s->cpu.rflags &= ~0x200ull;
}

static void crooked_stack(struct sample *s)
{
	s->cpu.rsp -= 8;
}

static void small_stack(struct sample *s)
{
	s->cpu.rsp = 0x7100000 + 0x1fff8;
}

static void known_small_stack(struct sample *s)
{
	s->self.stack_base = s->cpu.rsp - 0x10008;
	s->self.stack_size = 0x10010;
}

static void fcw(struct sample *s)
{
	s->cpu.fcw = 0x27f;
}

static void mxcsr(struct sample *s)
{
	s->cpu.mxcsr = 0x9fc0;
}

static void no_sse(struct sample *s)
{
	s->cpu.cr4 &= ~UINT64_C(0x200);
	s->cpu.mxcsr = 0;
}

static void based_segment(struct sample *s)
{
	s->cpu.data |= 0x100000;
}

static void free_gdt(struct sample *s)
{
	s->cpu.gdt_base = 0x200000;
}

static void no_cpu(struct sample *s)
{
	s->without = 1ull << EVIDENCE_CPU;
}

static void no_mappings(struct sample *s)
{
	s->without = 1ull << EVIDENCE_MAPPINGS;
}

static void no_paging(struct sample *s)
{
	s->cpu.cr0 &= ~0x80000000ull;
}

static void stack_nowhere(struct sample *s)
{
	s->cpu.rsp = 0x90000ff8;
}

static void code_of_32_bits(struct sample *s)
{
	s->cpu.code &= ~(1ull << 53);
}

static const struct fault faults[] = {
	{"CR0.EM set", em, {{"entry.cr0-em-ts", VERDICT_FAIL}}},
	{"CR0.TS set", ts, {{"entry.cr0-em-ts", VERDICT_FAIL}}},
	{"no long mode", no_long_mode, {{"entry.cr0-em-ts", VERDICT_FAIL}}},
	{"a mapping to elsewhere", elsewhere, {{"entry.identity-map", VERDICT_FAIL}}},
	{"a page not mapped", hole, {{"entry.identity-map", VERDICT_FAIL}}},
	{"code writable: a record, no verdict", writable_code, {{0}}},
	{"DF set", direction, {{"entry.flags", VERDICT_FAIL}}},
	{"IF clear", interrupts_off, {{"entry.flags", VERDICT_FAIL}}},
	{"a crooked stack", crooked_stack, {{"entry.stack", VERDICT_FAIL}}},
	{"a small stack", small_stack, {{"entry.stack", VERDICT_FAIL}}},
	{"a small stack inside its region", known_small_stack, {{"entry.stack", VERDICT_FAIL}}},
	{"FCW", fcw, {{"entry.fpu", VERDICT_FAIL}}},
	{"MXCSR", mxcsr, {{"entry.fpu", VERDICT_FAIL}}},
	{"no SSE", no_sse, {{"entry.fpu", VERDICT_FAIL}}},
	{"a segment with a base", based_segment, {{"entry.selectors", VERDICT_FAIL}}},
	{"the GDT in free memory", free_gdt, {{"entry.selectors", VERDICT_FAIL}}},
	{"no registers seen", no_cpu,
		{{"entry.cr0-em-ts", VERDICT_SKIP}, {"entry.wx-audit", VERDICT_SKIP},
			{"entry.flags", VERDICT_SKIP}, {"entry.stack", VERDICT_SKIP},
			{"entry.fpu", VERDICT_SKIP}, {"entry.selectors", VERDICT_SKIP},
			{"entry.cpu-state", VERDICT_SKIP}}},
	{"page tables not walked", no_mappings,
		{{"entry.identity-map", VERDICT_SKIP}, {"entry.wx-audit", VERDICT_SKIP}}},
	{"no paging", no_paging, {{"entry.cr0-em-ts", VERDICT_FAIL}}},
	{"a stack outside the map", stack_nowhere, {{"entry.stack", VERDICT_FAIL}}},
	{"CS of 32 bits", code_of_32_bits, {{"entry.selectors", VERDICT_FAIL}}},
};

const struct fault_list faults_entry = {faults, sizeof faults / sizeof *faults};
