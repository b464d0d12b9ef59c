/* SPDX-License-Identifier: MIT */
/* SMBIOS, ESRT, the TCG's event log, graphics. */
#include "report.h"
#include "smbios.h"
#include "tcg.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PIXEL_BYTES  4u
#define BLT_ONLY     3u /* no framebuffer to write to */
#define MODES_MAX    1024u

typedef unsigned long long ull;

static void structures(struct judgement *j, struct span table)
{
	/* Of those that DSP0134 6.2 wants, the ones that a machine without a slot or a cache has too. */
	static const uint8_t required[] = {0, 1, 3, 4, 16, 17, 19, 32};
	uint8_t types[32] = {0}, handles[8192] = {0};
	struct smbios_structure s = {0};
	unsigned count = 0;
	size_t at = 0;
	int got = 1;

	while (s.type != 127 && (got = smbios_next(table, &at, &s)) > 0) {
		count++;
		types[s.type / 8] |= (uint8_t)(1 << s.type % 8);
		if (handles[s.handle / 8] >> s.handle % 8 & 1)
			wrong(j, "handle %#x comes twice", s.handle);
		handles[s.handle / 8] |= (uint8_t)(1 << s.handle % 8);
	}
	if (got < 0)
		wrong(j, "a structure at offset %zu is cut off", at);
	else if (s.type != 127)
		wrong(j, "no structure of type 127 ends the table");
	for (unsigned i = 0; i < sizeof required; i++)
		if (!(types[required[i] / 8] >> required[i] % 8 & 1))
			wrong(j, "no structure of type %u", required[i]);
	seen(j, "%u structures", count);
}

static void smbios(struct judgement *j)
{
	const struct evidence_record *record = NULL;

	while ((record = evidence_of(
			j->evidence, EVIDENCE_SMBIOS_ANCHOR, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_record *table = evidence_find(
			j->evidence, EVIDENCE_SMBIOS, EVIDENCE_ANY_PHASE, record->index);
		const char *error = smbios_anchor(span_of(record), record->index);

		if (error)
			wrong(j, "the entry point of SMBIOS %u: %s", record->index, error);
		if (table)
			structures(j, span_of(table));
		else
			wrong(j, "the entry point of SMBIOS %u points to nothing", record->index);
	}
}

#define ESRT_HEADER 16u
#define ESRT_ENTRY  40u

/* UEFI 2.10 23.4. */
static void esrt(struct judgement *j)
{
	struct span s = span_of(evidence_of(j->evidence, EVIDENCE_ESRT, EVIDENCE_ANY_PHASE, NULL));
	uint32_t count = le32(s, 0);

	if (le64(s, 8) != 1)
		wrong(j, "version %llu", (ull)le64(s, 8));
	if (count > le32(s, 4))
		wrong(j, "%u resources of at most %u", count, le32(s, 4));
	if (s.size < ESRT_HEADER || count > (s.size - ESRT_HEADER) / ESRT_ENTRY) {
		wrong(j, "%u resources in %zu bytes", count, s.size);
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t k = 0; k < i; k++)
			if (!memcmp(s.data + ESRT_HEADER + ESRT_ENTRY * (size_t)i,
				    s.data + ESRT_HEADER + ESRT_ENTRY * (size_t)k, 16))
				wrong(j, "%s comes twice",
					guid_text(s.data + ESRT_HEADER + ESRT_ENTRY * (size_t)i)
						.text);
	seen(j, "%u resources", count);
}

static const char *replay(const struct judgement *j, struct tcg_replay *r, unsigned algorithm)
{
	const struct evidence_record *record =
		evidence_of(j->evidence, EVIDENCE_EVENT_LOG, EVIDENCE_ANY_PHASE, NULL);
	const struct evidence_record *more =
		evidence_of(j->evidence, EVIDENCE_FINAL_EVENTS, EVIDENCE_ANY_PHASE, NULL);
	const char *error = tcg_replay_log(r, algorithm, span_of(record));

	return error || !more ? error : tcg_replay_final(r, span_of(more));
}

static unsigned compare_bank(
	struct judgement *j, const struct evidence_record *record, const struct tcg_replay *r)
{
	const struct evidence_pcr *pcr = evidence_tail(record);
	unsigned compared = 0;

	for (size_t i = 0; i < evidence_count(record); i++) {
		if (pcr[i].algorithm != r->algorithm || pcr[i].pcr >= TCG_PCRS ||
			pcr[i].size != hash_size(r->algorithm))
			continue;
		compared++;
		if (memcmp(pcr[i].digest, r->pcr[pcr[i].pcr], pcr[i].size) != 0)
			wrong(j, "PCR %u of bank %#x is not what the log replays to", pcr[i].pcr,
				r->algorithm);
	}
	return compared;
}

static void event_log(struct judgement *j)
{
	static const unsigned algorithms[] = {HASH_SHA1, HASH_SHA256};
	const struct evidence_record *pcrs =
		evidence_of(j->evidence, EVIDENCE_PCRS, EVIDENCE_ANY_PHASE, NULL);
	const struct evidence_event_log *head = evidence_head(
		evidence_of(j->evidence, EVIDENCE_EVENT_LOG, EVIDENCE_ANY_PHASE, NULL));
	unsigned compared = 0;
	struct tcg_replay r;

	if (head->truncated)
		wrong(j, "the log is truncated");
	for (unsigned i = 0; i < COUNT(algorithms); i++) {
		const char *error = replay(j, &r, algorithms[i]);

		if (error) {
			wrong(j, "%s", error);
			return;
		}
		compared += compare_bank(j, pcrs, &r);
	}
	if (pcrs->phase >= EVIDENCE_PHYSICAL && !(r.exit_called && r.exit_succeeded))
		wrong(j, "PCR 5 has not both events of ExitBootServices");
	if (compared)
		seen(j, "%u events, %u PCRs", r.events, compared);
	else
		skip(j, "no PCR of a bank that can be replayed (SHA-1, SHA-256)");
}

static void edid(struct judgement *j)
{
	static const uint8_t magic[8] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
	const struct evidence_record *record =
		evidence_of(j->evidence, EVIDENCE_EDID, EVIDENCE_ANY_PHASE, NULL);
	struct span s;

	if (!record)
		return;
	s = span_of(record);
	if (s.size < 128 || memcmp(s.data, magic, sizeof magic) != 0 ||
		span_sum(span_part(s, 0, 128)))
		seen(j, "EDID: damaged");
	else
		seen(j, "EDID: %ux%u preferred", le8(s, 56) | (le8(s, 58) & 0xf0u) << 4,
			le8(s, 59) | (le8(s, 61) & 0xf0u) << 4);
}

static bool in_a_bar(const struct judgement *j, uint64_t base, uint64_t size, bool *known)
{
	const struct evidence_record *record = NULL;

	while ((record = evidence_of(j->evidence, EVIDENCE_PCI, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_pci *pci = evidence_tail(record);

		for (size_t i = 0; i < evidence_count(record) * COUNT(pci->bars); i++) {
			uint64_t bar = pci[i / 6].bars[i % 6].base,
				 bytes = pci[i / 6].bars[i % 6].size;

			*known = true;
			if (base >= bar && size <= bytes && base - bar <= bytes - size)
				return true;
		}
	}
	return false;
}

static void graphics(struct judgement *j)
{
	const struct evidence_record *record =
		evidence_of(j->evidence, EVIDENCE_GRAPHICS, EVIDENCE_ANY_PHASE, NULL);
	const struct evidence_graphics *g = evidence_head(record);
	const struct evidence_mode *mode = evidence_tail(record);
	bool current = false, known = false;

	for (size_t i = 0; i < evidence_count(record) && i < MODES_MAX; i++) {
		if (mode[i].pitch < mode[i].width)
			wrong(j, "mode %u: %u pixels a line, pitch %u", mode[i].number,
				mode[i].width, mode[i].pitch);
		if (mode[i].number != g->mode)
			continue;
		current = true;
		if (mode[i].format != BLT_ONLY &&
			g->size / PIXEL_BYTES < (uint64_t)mode[i].pitch * mode[i].height)
			wrong(j, "mode %u needs %llu bytes, the framebuffer has %llu",
				mode[i].number, (ull)mode[i].pitch * mode[i].height * PIXEL_BYTES,
				(ull)g->size);
	}
	if (!current)
		wrong(j, "the current mode %u is none of the list", g->mode);
	if (g->size && !in_a_bar(j, g->base, g->size, &known) && known)
		wrong(j, "the framebuffer %#llx, %llu bytes, is inside no BAR", (ull)g->base,
			(ull)g->size);
	edid(j);
}

static const struct check checks[] = {
	{"smbios.structures", 68, SEVERITY_E, "SMBIOS: entry points, a whole table, required types",
		"DSP0134 5.2, 6.1, 6.2 *",
		"checksums right, handles unique, types 0 1 3 4 16 17 19 32",
		{{EVIDENCE_SMBIOS_ANCHOR, EVIDENCE_ANY_PHASE}}, .judge = smbios},
	{"esrt.entries", 69, SEVERITY_E, "ESRT's number fits its size, each resource once",
		"UEFI 2.10 23.4 *", "version 1, no GUID twice",
		{{EVIDENCE_ESRT, EVIDENCE_ANY_PHASE}}, .judge = esrt},
	{"tcg.event-log", 70, SEVERITY_E,
		"the event log parses, replays to the PCRs, and PCR 5 has the events of exit",
		"TCG PC Client Platform Firmware Profile 1.05 *",
		"each PCR as replayed; invocation and success in PCR 5",
		{{EVIDENCE_EVENT_LOG, EVIDENCE_ANY_PHASE}, {EVIDENCE_PCRS, EVIDENCE_ANY_PHASE}},
		.varies = true, .judge = event_log},
	{"graphics.gop", 71, SEVERITY_E, "GOP: pitch at least width, the framebuffer fits a BAR",
		"UEFI 2.10 12.9 *", "the current mode fits the framebuffer, that inside a BAR",
		{{EVIDENCE_GRAPHICS, EVIDENCE_ANY_PHASE}}, .judge = graphics},
};

const struct family family_devices = {
	"SMBIOS, ESRT, TCG, GOP", checks, sizeof checks / sizeof *checks};
