/* SPDX-License-Identifier: MIT */
/*
 * Evidence of the firmware (include/baton/evidence.h), collected when `firmware=report` asks for it, and for nothing
 * else: without it each function here is one comparison. What fails is left out and said, never made up.
 *
 * One block of pages holds the evidence and, behind it, room to work in. The beginning, up to what exit may still add,
 * is claimed for the kernel; the rest goes back with all that was the loader's.
 */
#ifndef LOADER_EVIDENCE_H
#define LOADER_EVIDENCE_H

#include "loader.h"

/* evidence.c: the machine as it is before the loader has done more than read its configuration. */
void evidence_at_entry(struct loader *l);
/* evidence_before_exit.c: the last look; and the file on the volume. After it nothing is allocated. */
void evidence_before_exit(struct loader *l);
void evidence_release(struct loader *l);

/* ---- evidence_exit.c: what exit.c calls, before and after ExitBootServices. ---- */

/* What to claim; size 0: there is none. */
struct handoff_range evidence_claim(void);
/* The first time: makes the key of the map that was read last a stale one. False: it did not, or need not. */
bool evidence_make_stale(struct loader *l);
/* A call of ExitBootServices, from one stamp of the TSC to another. */
void evidence_note_exit(const struct handoff *h, uint64_t key, EFI_STATUS status,
	const uint64_t stamps[2], bool deliberate);
/* After the call that succeeded, interrupts off: ends the evidence. */
void evidence_after_exit(struct loader *l, uint64_t key);

#endif
