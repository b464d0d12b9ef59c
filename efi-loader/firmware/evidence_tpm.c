/* SPDX-License-Identifier: MIT */
/*
 * The event log and the PCRs, read at one time: between the log's first reading and the PCRs' nothing of ours extends
 * one. What the firmware adds meanwhile stands in its table of final events, which begins to fill when the log is read
 * first; where somebody had read it before, that table repeats what the log has, and is left out.
 */
#include "evidence_internal.h"

#include "console.h"

#define FORMAT_SHA1  1u
#define FORMAT_AGILE 2u
#define PCRS         24u
#define ANSWER_MOST  1024u
#define FINAL_EVENTS 8u /* offset of their number */

/* TPM_ALG_ID of each bit of the hash bitmap, TCG EFI Protocol 1.00 6.4. */
static const uint16_t algorithms[] = {0x4, 0xb, 0xc, 0xd, 0x12};

static uint64_t final_events(uint64_t table)
{
	return readable(table, 16) ? *(const uint64_t *)(table + FINAL_EVENTS) : 0;
}

/* The log's address, or 0. */
static uint64_t collect_log(struct tcg2_protocol *tcg2, uint32_t format)
{
	struct evidence_event_log head = {.format = format};
	uint64_t log = 0, last = 0, size;
	BOOLEAN truncated = FALSE;

	if (tcg2->get_event_log(tcg2, format, &log, &last, &truncated) || !log || !last)
		return 0;
	head.truncated = truncated;
	size = evidence_log_size(&collector.memory, log, last, format == FORMAT_AGILE);
	if (!size) {
		say("evidence: the TPM's event log at 0x%lx has no end", log);
		return 0;
	}
	collect(EVIDENCE_EVENT_LOG, EVIDENCE_BEFORE_EXIT, 0, &head, sizeof(head), (const void *)log,
		size);
	return log;
}

static size_t read_pcrs(struct tcg2_protocol *tcg2, uint16_t algorithm, struct evidence_pcr *out)
{
	uint8_t command[EVIDENCE_PCR_COMMAND], answer[ANSWER_MOST];
	size_t count = 0;

	for (unsigned int first = 0; first < PCRS; first += 8) {
		evidence_pcr_command(command, algorithm, first);
		__builtin_memset(answer, 0, sizeof(answer));
		if (tcg2->submit_command(tcg2, sizeof(command), command, sizeof(answer), answer))
			return count;
		count += evidence_pcr_answer(answer, sizeof(answer), algorithm, first, out + count);
	}
	return count;
}

void evidence_tpm(struct loader *l)
{
	static EFI_GUID guid = TCG2_PROTOCOL_GUID;
	static const EFI_GUID final_guid = FINAL_EVENTS_TABLE_GUID;
	struct tcg2_capability capability = {.size = sizeof(capability)};
	struct evidence_pcr *pcrs = (struct evidence_pcr *)collector.scratch;
	uint64_t final = evidence_table(l, &final_guid), before = final_events(final), log;
	struct tcg2_protocol *tcg2;
	size_t count = 0;

	if (l->boot->LocateProtocol(&guid, NULL, (void **)&tcg2) ||
		tcg2->get_capability(tcg2, &capability) || !capability.tpm_present)
		return;
	log = collect_log(tcg2, capability.event_logs & FORMAT_AGILE ? FORMAT_AGILE : FORMAT_SHA1);
	for (unsigned int i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (capability.hash_algorithms >> i & 1)
			count += read_pcrs(tcg2, algorithms[i], pcrs + count);
	collect(EVIDENCE_PCRS, EVIDENCE_BEFORE_EXIT, 0, NULL, 0, pcrs, count * sizeof(*pcrs));
	if (log && !before && final_events(final))
		collect(EVIDENCE_FINAL_EVENTS, EVIDENCE_BEFORE_EXIT, 0, NULL, 0,
			(const void *) final, evidence_final_size(&collector.memory, final, log));
}
