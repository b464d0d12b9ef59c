/* SPDX-License-Identifier: MIT */
/*
 * One pool for all random numbers that the loader gathers and gives away: a sponge over the ChaCha
 * permutation (RFC 8439 2.3, 20 rounds, with feed-forward). Bytes go in by xor into the first half
 * and a permutation; what comes out never shows the state, and each output is followed by a
 * permutation of its own, so the slides of KASLR say nothing of the kernel's seed.
 */
#ifndef LOADER_RANDOM_POOL_H
#define LOADER_RANDOM_POOL_H

#include <stddef.h>
#include <stdint.h>

struct random_pool {
	uint32_t state[16];
};

void random_pool_add(struct random_pool *pool, const void *data, size_t size);
void random_pool_take(struct random_pool *pool, void *out, size_t size);

#endif
