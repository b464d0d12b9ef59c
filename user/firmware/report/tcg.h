/* SPDX-License-Identifier: MIT */
/* The TCG's event log in its crypto-agile form, and what the PCRs must be after it. */
#ifndef REPORT_TCG_H
#define REPORT_TCG_H

#include "bytes.h"
#include "hash.h"

#define TCG_PCRS  24u
#define TCG_BANKS 8u

struct tcg_replay {
	unsigned banks, events;
	struct {
		uint16_t algorithm, size;
	} bank[TCG_BANKS];
	unsigned algorithm; /* the one that is replayed */
	uint8_t pcr[TCG_PCRS][32];
	bool exit_called, exit_succeeded; /* the two exit events are in PCR 5 */
};

/* Replays one bank; NULL, or what is wrong. The replay's algorithm must be one that hash.h knows. */
const char *tcg_replay_log(struct tcg_replay *replay, unsigned algorithm, struct span log);
/* Goes on with the events of EFI_TCG2_FINAL_EVENTS_TABLE. */
const char *tcg_replay_final(struct tcg_replay *replay, struct span table);

#endif
