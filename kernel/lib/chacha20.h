/* SPDX-License-Identifier: MIT */
#ifndef LIB_CHACHA20_H
#define LIB_CHACHA20_H

#include "lib/types.h"

#define CHACHA20_BLOCK 64u
#define CHACHA20_KEY   32u
#define CHACHA20_NONCE 12u

/* One block of key stream, RFC 8439 2.3. Pure. */
void chacha20_block(uint8_t out[CHACHA20_BLOCK], const uint8_t key[CHACHA20_KEY], uint32_t counter,
	const uint8_t nonce[CHACHA20_NONCE]);

#endif
