/* SPDX-License-Identifier: MIT */
/* Random numbers for keys, canaries, addresses and getrandom. See random.c. */
#ifndef DEVICES_RANDOM_H
#define DEVICES_RANDOM_H

#include "lib/types.h"

#include <baton/handoff.h>

/* Seeds the generator from the hand-off's seed (enum handoff_seed_source, or-ed), the CPU's
 * generator and timing, says in the log from which, and wipes `seed`. Once, before random_bytes. */
void random_init(uint8_t seed[HANDOFF_SEED_SIZE], uint32_t seed_sources);

/* Fills `to`; never waits. From any context. */
void random_bytes(void *to, size_t size);
uint64_t random_u64(void);

/* Mixes in what may be unpredictable; known or chosen data does no harm. */
void random_stir(const void *data, size_t size);

#endif
