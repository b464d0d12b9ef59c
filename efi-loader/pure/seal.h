/* SPDX-License-Identifier: MIT */
/* Sealing the hand-off: what makes it recognisable, made last. And the check of it. */
#ifndef LOADER_SEAL_H
#define LOADER_SEAL_H

#include "verdict.h"

#include <baton/handoff.h>

/* Writes magic, version, size, build id; then the CRC over all. Nothing may change afterwards. */
void handoff_seal(struct handoff *handoff, const char *build_id);

/* Only the CRC anew, where size is the structure's; for tests. */
void handoff_seal_again(struct handoff *handoff);

/* `available` bytes stand at `handoff`. What handoff_seal made passes; the kernel's check is its
 * own, this one is for the tests and the probe. */
enum verdict handoff_verify(
	const struct handoff *handoff, uint64_t available, struct complaint *why);

#endif
