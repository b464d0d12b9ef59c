/* SPDX-License-Identifier: MIT */
/* ExitBootServices and what is left afterwards. */
#include "bytes.h"
#include "report.h"
#include "uefi_tables.h"

#define ATTEMPTS_MAX     2u
#define PCI_MASTER       4u /* of the command register */
#define PCI_CLASS_BRIDGE 6u

typedef unsigned long long ull;

static const struct evidence_record *exit_calls(const struct judgement *j)
{
	return evidence_of(j->evidence, EVIDENCE_EXIT_CALLS, EVIDENCE_ANY_PHASE, NULL);
}

static void stale_key(struct judgement *j)
{
	const struct evidence_exit_call *call = evidence_tail(exit_calls(j));
	size_t count = evidence_count(exit_calls(j));
	bool tried = false;

	for (size_t i = 0; i < count; i++) {
		if (!call[i].deliberate)
			continue;
		tried = true;
		if (call[i].status != EFI_INVALID_PARAMETER)
			wrong(j, "a stale key gives %s", status_text(call[i].status).text);
	}
	if (!tried)
		skip(j, "no stale key was tried");
	else if (call[count - 1].status != EFI_SUCCESS)
		wrong(j, "the last attempt gave %s", status_text(call[count - 1].status).text);
}

static void attempts(struct judgement *j)
{
	const struct evidence_exit_call *call = evidence_tail(exit_calls(j));
	size_t count = evidence_count(exit_calls(j));
	unsigned tries = 0, changes = 0;
	uint64_t ticks = 0;

	for (size_t i = 0; i < count; i++) {
		if (call[i].deliberate)
			continue;
		tries++;
		ticks += call[i].ticks;
		changes += i && call[i].entries != call[i - 1].entries;
	}
	if (tries > ATTEMPTS_MAX)
		wrong(j, "%u attempts", tries);
	seen(j, "%u attempts in %llu ticks; the map's size changed %u times", tries, (ull)ticks,
		changes);
}

static void table_after(struct judgement *j)
{
	const struct evidence_record *record = evidence_find(
		j->evidence, EVIDENCE_TABLE, EVIDENCE_PHYSICAL, EVIDENCE_SYSTEM_TABLE);
	struct span s;

	if (!record) {
		skip(j, "no evidence: the system table after exit");
		return;
	}
	s = span_of(record);
	for (size_t at = SYSTEM_CONSOLE_FIRST; at < SYSTEM_CONSOLE_END; at += 8)
		if (le64(s, at))
			wrong(j, "a console field at offset %zu is %#llx", at, (ull)le64(s, at));
	if (le64(s, SYSTEM_BOOT))
		wrong(j, "BootServices is %#llx", (ull)le64(s, SYSTEM_BOOT));
	if (!table_crc_holds(s))
		wrong(j, "its CRC32 %#x is wrong", le32(s, 16));
}

static void canaries(struct judgement *j)
{
	const struct evidence_record *record = NULL;
	uint64_t bytes = 0;

	while ((record = evidence_of(j->evidence, EVIDENCE_CANARIES, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_canary *canary = evidence_tail(record);

		for (size_t i = 0; i < evidence_count(record); i++) {
			if (canary[i].page0)
				continue;
			bytes += canary[i].size;
			if (canary[i].changed)
				wrong(j,
					"%llu bytes changed in %#llx-%#llx, the first at %#llx, "
					"%s%s",
					(ull)canary[i].changed, (ull)canary[i].base,
					(ull)(canary[i].base + canary[i].size - 1),
					(ull)canary[i].first,
					canary[i].service == UINT32_MAX ? "before any call"
									: "after ",
					canary[i].service == UINT32_MAX
						? ""
						: service_name(canary[i].service));
		}
	}
	if (!bytes)
		skip(j, "no memory was watched");
	else
		seen(j, "%llu MiB watched", (ull)bytes >> 20);
}

static void bus_masters(struct judgement *j)
{
	const struct evidence_record *record =
		evidence_of(j->evidence, EVIDENCE_PCI, EVIDENCE_PHYSICAL, NULL);
	const struct evidence_pci *pci = evidence_tail(record);

	for (size_t i = 0; i < evidence_count(record); i++)
		if (pci[i].command & PCI_MASTER && pci[i].class >> 16 != PCI_CLASS_BRIDGE)
			wrong(j, "%04x:%02x:%02x.%u (%04x:%04x, class %06x) is a bus master",
				pci[i].segment, pci[i].bus, pci[i].slot, pci[i].function,
				pci[i].vendor, pci[i].device, pci[i].class);
}

static void configuration_unchanged(struct judgement *j)
{
	const struct evidence_record *a =
		evidence_of(j->evidence, EVIDENCE_CONFIGURATION, EVIDENCE_BEFORE_EXIT, NULL);
	const struct evidence_record *b =
		evidence_of(j->evidence, EVIDENCE_CONFIGURATION, EVIDENCE_PHYSICAL, NULL);
	const struct evidence_configuration *before = evidence_tail(a), *after = evidence_tail(b);

	if (evidence_count(a) != evidence_count(b)) {
		wrong(j, "%zu entries before exit, %zu after", evidence_count(a),
			evidence_count(b));
		return;
	}
	for (size_t i = 0; i < evidence_count(a); i++)
		if (memcmp(&before[i], &after[i], sizeof *before) != 0)
			wrong(j, "entry %zu was %s at %#llx and is %s at %#llx", i,
				guid_text(before[i].guid).text, (ull)before[i].pointer,
				guid_text(after[i].guid).text, (ull)after[i].pointer);
}

static void watchdog(struct judgement *j)
{
	const struct evidence_watchdog *w = evidence_head(
		evidence_of(j->evidence, EVIDENCE_WATCHDOG, EVIDENCE_ANY_PHASE, NULL));

	if (w->disable_status != EFI_SUCCESS)
		wrong(j, "SetWatchdogTimer(0) gives %s", status_text(w->disable_status).text);
	seen(j, "no reset for %llu ticks after exit", (ull)w->after_exit);
}

#define EXIT_SECTION "UEFI 2.10 7.4.6"
#define EXIT_CALLS                                              \
	{                                                       \
		{                                               \
			EVIDENCE_EXIT_CALLS, EVIDENCE_ANY_PHASE \
		}                                               \
	}

static const struct check checks[] = {
	{"exit.stale-key", 24, SEVERITY_E, "a stale map key is refused, then a good one accepted",
		EXIT_SECTION, "INVALID_PARAMETER, then SUCCESS", EXIT_CALLS, .judge = stale_key},
	{"exit.attempts", 25, SEVERITY_W, "two attempts are enough", EXIT_SECTION,
		"SUCCESS at the first or second attempt", EXIT_CALLS, .varies = true,
		.judge = attempts},
	{"exit.system-table", 26, SEVERITY_W, "the system table forgets boot services and consoles",
		EXIT_SECTION, "BootServices and six console fields 0, CRC32 right",
		{{EVIDENCE_TABLE, EVIDENCE_PHYSICAL}}, .judge = table_after},
	{"exit.canaries", 27, SEVERITY_E, "free memory is left alone after exit", EXIT_SECTION,
		"no byte changed", {{EVIDENCE_CANARIES, EVIDENCE_ANY_PHASE}}, .varies = true,
		.judge = canaries},
	{"exit.bus-masters", 28, SEVERITY_W, "no device is a bus master after exit", EXIT_SECTION,
		"bus mastering off but for bridges", {{EVIDENCE_PCI, EVIDENCE_PHYSICAL}},
		.judge = bus_masters},
	{"exit.configuration", 29, SEVERITY_W, "the configuration table stays as it is across exit",
		EXIT_SECTION, "the same entries",
		{{EVIDENCE_CONFIGURATION, EVIDENCE_BEFORE_EXIT},
			{EVIDENCE_CONFIGURATION, EVIDENCE_PHYSICAL}},
		.judge = configuration_unchanged},
	{"exit.watchdog", 30, SEVERITY_E,
		"the watchdog can be turned off, and nothing resets after exit", EXIT_SECTION,
		"SetWatchdogTimer(0) gives SUCCESS", {{EVIDENCE_WATCHDOG, EVIDENCE_ANY_PHASE}},
		.varies = true, .judge = watchdog},
};

const struct family family_exit = {"ExitBootServices", checks, sizeof checks / sizeof *checks};
