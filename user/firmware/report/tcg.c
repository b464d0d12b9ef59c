/* SPDX-License-Identifier: MIT */
/*
 * The log: one event in the form of TPM 1.2 that names the banks (TCG_EfiSpecIDEvent), then events with a digest
 * for each bank. An event extends its PCR: the PCR becomes the hash of its value and the digest; EV_NO_ACTION extends
 * nothing, but "StartupLocality" says with what PCR 0 began.
 */
#include "tcg.h"

#define EV_NO_ACTION  3u
#define EV_EFI_ACTION 0x80000007u
#define FIRST_DATA    32u /* PCR, type, SHA-1 digest, size */
#define EXIT_PCR      5u

static const char *read_header(struct tcg_replay *replay, struct span log, size_t *end)
{
	size_t size = le32(log, 28);
	struct span data = span_part(log, FIRST_DATA, size);
	uint32_t banks = le32(data, 24);

	if (log.size < FIRST_DATA || size > log.size - FIRST_DATA)
		return "the first event is longer than the log";
	if (le32(log, 4) != EV_NO_ACTION || !span_starts(data, "Spec ID Event03"))
		return "the first event does not name the banks";
	if (!banks || banks > TCG_BANKS || data.size < 28 + 4 * (size_t)banks)
		return "the first event has a wrong number of banks";
	replay->banks = banks;
	for (unsigned i = 0; i < banks; i++) {
		replay->bank[i].algorithm = le16(data, 28 + 4 * (size_t)i);
		replay->bank[i].size = le16(data, 30 + 4 * (size_t)i);
	}
	*end = FIRST_DATA + size;
	return NULL;
}

static unsigned bank_size(const struct tcg_replay *replay, unsigned algorithm)
{
	for (unsigned i = 0; i < replay->banks; i++)
		if (replay->bank[i].algorithm == algorithm)
			return replay->bank[i].size;
	return 0;
}

static void take(struct tcg_replay *replay, uint32_t pcr, uint32_t type, struct span digest,
	struct span data)
{
	uint8_t both[64];
	size_t size = digest.size;

	if (type == EV_NO_ACTION) {
		if (pcr == 0 && data.size >= 17 && span_starts(data, "StartupLocality"))
			replay->pcr[0][hash_size(replay->algorithm) - 1] = le8(data, 16);
		return;
	}
	if (pcr == EXIT_PCR && type == EV_EFI_ACTION) {
		replay->exit_called |= span_starts(data, "Exit Boot Services Invocation");
		replay->exit_succeeded |=
			span_starts(data, "Exit Boot Services Returned with Success");
	}
	if (size != hash_size(replay->algorithm))
		return;
	memcpy(both, replay->pcr[pcr], size);
	memcpy(both + size, digest.data, size);
	hash(replay->algorithm, both, 2 * size, replay->pcr[pcr]);
}

/* One event from *at on. */
static const char *read_event(struct tcg_replay *replay, struct span log, size_t *at)
{
	uint32_t pcr = le32(log, *at), type = le32(log, *at + 4), count = le32(log, *at + 8);
	struct span digest = {NULL, 0};
	size_t size;

	if (log.size - *at < 16)
		return "an event is cut off";
	if (pcr >= TCG_PCRS)
		return "an event is of no PCR";
	if (count != replay->banks)
		return "an event has not a digest for each bank";
	*at += 12;
	for (unsigned i = 0; i < count; i++) {
		unsigned algorithm = le16(log, *at), length = bank_size(replay, algorithm);

		if (!length || *at + 2 + length > log.size)
			return "a digest is of no bank, or is cut off";
		if (algorithm == replay->algorithm)
			digest = span_part(log, *at + 2, length);
		*at += 2 + length;
	}
	size = le32(log, *at);
	if (log.size - *at < 4 || size > log.size - *at - 4)
		return "an event's data is cut off";
	take(replay, pcr, type, digest, span_part(log, *at + 4, size));
	*at += 4 + size;
	replay->events++;
	return NULL;
}

const char *tcg_replay_log(struct tcg_replay *replay, unsigned algorithm, struct span log)
{
	const char *error;
	size_t at = 0;

	*replay = (struct tcg_replay){.algorithm = algorithm};
	/* PCRs 17 to 22 begin with all bits set, TPM 2.0's PC Client profile. */
	for (unsigned i = 17; i <= 22; i++)
		memset(replay->pcr[i], 0xff, sizeof replay->pcr[i]);
	error = read_header(replay, log, &at);
	while (!error && at < log.size)
		error = read_event(replay, log, &at);
	return error;
}

const char *tcg_replay_final(struct tcg_replay *replay, struct span table)
{
	uint64_t count = le64(table, 8);
	const char *error = NULL;
	size_t at = 16;

	if (le64(table, 0) != 1)
		return "the final events have an unknown version";
	for (; !error && count; count--)
		error = at < table.size ? read_event(replay, table, &at)
					: "there are fewer final events than it says";
	return error;
}
