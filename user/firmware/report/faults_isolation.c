/* SPDX-License-Identifier: MIT */
#include "sample.h"

static void violate(
	struct sample *s, enum evidence_violation_of what, uint32_t access, uint32_t memory_type)
{
	s->violation = (struct evidence_violation){
		EVIDENCE_SET_VARIABLE, what, access, memory_type, 0x7351000, 0x7321100};
	s->violation_phase = EVIDENCE_PHYSICAL;
}

static void boot_memory(struct sample *s)
{
	violate(s, EVIDENCE_OUTSIDE, EVIDENCE_WRITE, MEMORY_BOOT_DATA);
}

static void boot_code(struct sample *s)
{
	violate(s, EVIDENCE_OUTSIDE, EVIDENCE_EXECUTE, MEMORY_BOOT_CODE);
}

static void executes_data(struct sample *s)
{
	violate(s, EVIDENCE_PERMISSION, EVIDENCE_EXECUTE, MEMORY_RUNTIME_DATA);
}

static void stale_pointer(struct sample *s)
{
	violate(s, EVIDENCE_STALE, EVIDENCE_READ, MEMORY_RUNTIME_DATA);
	s->violation_phase = EVIDENCE_VIRTUAL;
}

static void halts(struct sample *s)
{
	s->traps[0].what = EVIDENCE_TRAP_HALT;
}

static void loses_rbx(struct sample *s)
{
	s->calls[3].call.lost = EVIDENCE_LOST_RBX;
}

static void leaves_df(struct sample *s)
{
	s->calls[4].call.lost = EVIDENCE_LOST_DF;
}

static void deep(struct sample *s)
{
	s->calls[5].call.stack = 5000;
}

static void slow(struct sample *s)
{
	s->calls[5].call.ticks = 600000000;
}

static void endless(struct sample *s)
{
	sample_call(s, EVIDENCE_CASE_PLAIN, EVIDENCE_PHYSICAL)->call.outcome =
		EVIDENCE_ABORTED_TIME;
}

static void never_virtual(struct sample *s)
{
	while (s->call_count && s->calls[s->call_count - 1].phase == EVIDENCE_VIRTUAL)
		s->call_count--;
}

static const struct fault faults[] = {
	{"a write into boot services memory", boot_memory, {{"isolation.outside", VERDICT_FAIL}}},
	{"a call of boot services code", boot_code, {{"isolation.outside", VERDICT_FAIL}}},
	{"data executed", executes_data, {{"isolation.permissions", VERDICT_FAIL}}},
	{"a physical pointer kept", stale_pointer, {{"isolation.stale-pointers", VERDICT_FAIL}}},
	{"hlt: a record", halts, {{0}}},
	{"RBX lost", loses_rbx, {{"isolation.registers", VERDICT_FAIL}}},
	{"DF left set", leaves_df, {{"isolation.registers", VERDICT_FAIL}}},
	{"5000 bytes of stack", deep, {{"isolation.stack", VERDICT_FAIL}}},
	{"600 ms", slow, {{"isolation.time", VERDICT_WARN}}},
	{"GetTime never returns", endless,
		{{"isolation.time", VERDICT_WARN}, {"time.get", VERDICT_TAINTED},
			{"time.bad-fields", VERDICT_TAINTED}}},
	{"no call with virtual addresses", never_virtual,
		{{"isolation.stale-pointers", VERDICT_SKIP}}},
};

const struct fault_list faults_isolation = {faults, sizeof faults / sizeof *faults};
