/* SPDX-License-Identifier: MIT */
/* What runtime services touched, kept and took while they ran behind bars. */
#include "bytes.h"
#include "report.h"
#include "uefi_tables.h"

#define STACK_LEAST 4096u /* bytes that a caller must offer */
#define TIME_PARTS  2u    /* longer than 1/2 s is a hang to who waits for it */

typedef unsigned long long ull;

static void image_of(const struct evidence *e, uint64_t ip, char *text, size_t room)
{
	const struct evidence_record *record = NULL;
	char volume[48] = "";

	while ((record = evidence_of(e, EVIDENCE_IMAGE, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_image *image = evidence_head(record);

		if (ip - image->base >= image->size)
			continue;
		if (image->offset)
			snprintf(volume, sizeof volume, ", at %#llx of its volume",
				(ull)image->offset);
		snprintf(text, room, "%.63s (%s%s) +%#llx",
			*image->name ? image->name : "an image without a name",
			guid_text(image->file).text, volume, (ull)(ip - image->base));
		return;
	}
	snprintf(text, room, "no image, %#llx", (ull)ip);
}

static void violations(struct judgement *j, uint32_t what)
{
	const struct evidence_record *record = NULL;

	while ((record =
			evidence_of(j->evidence, EVIDENCE_VIOLATION, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_violation *v = evidence_head(record);
		char who[208];

		if (v->what != what)
			continue;
		image_of(j->evidence, v->ip, who, sizeof who);
		wrong(j, "%s %s %#llx (%s), by %s", service_name(v->service),
			v->access & EVIDENCE_EXECUTE ? "executes"
			: v->access & EVIDENCE_WRITE ? "writes"
						     : "reads",
			(ull)v->address, memory_type_name(v->memory_type), who);
	}
}

static void outside(struct judgement *j)
{
	violations(j, EVIDENCE_OUTSIDE);
}

static void permission(struct judgement *j)
{
	violations(j, EVIDENCE_PERMISSION);
}

static void stale(struct judgement *j)
{
	violations(j, EVIDENCE_STALE);
}

static void inventory(struct judgement *j)
{
	static const char *const names[] = {
		"?", "in", "out", "SMI", "MSR", "CR", "cli/sti", "hlt", "other"};
	const struct evidence_record *record =
		evidence_of(j->evidence, EVIDENCE_TRAPS, EVIDENCE_ANY_PHASE, NULL);
	const struct evidence_trap *trap = evidence_tail(record);

	for (size_t i = 0; i < evidence_count(record); i++)
		seen(j, "%s: %llu x %s %#llx", service_name(trap[i].service), (ull)trap[i].count,
			names[trap[i].what < sizeof names / sizeof *names ? trap[i].what : 0],
			(ull)trap[i].detail);
	if (!evidence_count(record))
		seen(j, "no instruction trapped");
}

static void registers(struct judgement *j)
{
	static const char *const names[] = {"RBX", "RBP", "RSI", "RDI", "R12-R15", "RSP",
		"XMM6-XMM15", "DF", "IF", "MXCSR", "FCW"};
	const struct evidence_record *record = NULL;

	while ((record = evidence_of(j->evidence, EVIDENCE_CALL, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_call *call = evidence_head(record);

		for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
			if (call->lost >> i & 1)
				wrong(j, "%s does not keep %s (call %u)",
					service_name(call->service), names[i], record->index);
	}
}

static void stack(struct judgement *j)
{
	const struct evidence_record *record = NULL;
	uint64_t most = 0;

	while ((record = evidence_of(j->evidence, EVIDENCE_CALL, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_call *call = evidence_head(record);

		if (call->outcome == EVIDENCE_ABORTED_STACK || call->stack > STACK_LEAST)
			wrong(j, "%s takes %llu bytes%s (call %u)", service_name(call->service),
				(ull)call->stack,
				call->outcome == EVIDENCE_ABORTED_STACK
					? " and ran into the guard page"
					: "",
				record->index);
		if (call->stack > most)
			most = call->stack;
	}
	seen(j, "%llu bytes at most", (ull)most);
}

static void duration(struct judgement *j)
{
	const struct evidence_machine *machine =
		evidence_head(evidence_of(j->evidence, EVIDENCE_MACHINE, EVIDENCE_ANY_PHASE, NULL));
	const struct evidence_record *record = NULL;
	uint64_t longest = 0;

	if (!machine->tsc_hz) {
		skip(j, "the TSC's rate is not known");
		return;
	}
	while ((record = evidence_of(j->evidence, EVIDENCE_CALL, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_call *call = evidence_head(record);

		if (call->outcome == EVIDENCE_ABORTED_TIME ||
			call->ticks > machine->tsc_hz / TIME_PARTS)
			wrong(j, "%s took %llu ms%s (call %u)", service_name(call->service),
				(ull)(call->ticks / (machine->tsc_hz / 1000 + 1)),
				call->outcome == EVIDENCE_ABORTED_TIME ? " and was aborted" : "",
				record->index);
		if (call->ticks > longest)
			longest = call->ticks;
	}
	seen(j, "%llu ticks at most", (ull)longest);
}

#define CALLS                                             \
	{                                                 \
		{                                         \
			EVIDENCE_CALL, EVIDENCE_ANY_PHASE \
		}                                         \
	}

static const struct check checks[] = {
	{"isolation.outside", 38, SEVERITY_E,
		"no access outside runtime memory, the stack and the arguments", "UEFI 2.10 8.1",
		"no such access", CALLS, .judge = outside},
	{"isolation.permissions", 39, SEVERITY_E, "no write of RO, no execution of XP memory",
		"UEFI 2.10 4.6.4", "no such access", CALLS, .judge = permission},
	{"isolation.stale-pointers", 40, SEVERITY_E,
		"no physical address is used after SetVirtualAddressMap", "UEFI 2.10 8.4",
		"no such access", {{EVIDENCE_CALL, EVIDENCE_VIRTUAL}}, .judge = stale},
	{"isolation.inventory", 41, SEVERITY_I, "privileged instructions, ports and SMIs",
		"UEFI 2.10 8.1", "a record", {{EVIDENCE_TRAPS, EVIDENCE_ANY_PHASE}},
		.judge = inventory},
	{"isolation.registers", 42, SEVERITY_E, "a call keeps the registers that the caller owns",
		"UEFI 2.10 2.3.4",
		"RBX, RBP, RDI, RSI, R12-R15, RSP, XMM6-XMM15, IF and control words kept, DF 0",
		CALLS, .judge = registers},
	{"isolation.stack", 43, SEVERITY_E, "4 KiB of stack are enough", "UEFI 2.10 2.3.4",
		"4096 bytes or less", CALLS, .varies = true, .judge = stack},
	{"isolation.time", 44, SEVERITY_W, "a call takes less than half a second", "UEFI 2.10 8.1",
		"500 ms or less",
		{{EVIDENCE_CALL, EVIDENCE_ANY_PHASE}, {EVIDENCE_MACHINE, EVIDENCE_ANY_PHASE}},
		.varies = true, .judge = duration},
};

const struct family family_isolation = {"isolation", checks, sizeof checks / sizeof *checks};
