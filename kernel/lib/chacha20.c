/* SPDX-License-Identifier: MIT */
/*
 * The ChaCha20 block function (RFC 8439 2.1-2.3): a state of sixteen words (constants, key, counter,
 * nonce), twenty rounds of quarter rounds down the columns and the diagonals in turn, and the state
 * before added at the end. Constant time: no table, no branch on data.
 */
#include "lib/chacha20.h"
#include "lib/string.h"

static inline uint32_t rotate(uint32_t x, unsigned bits)
{
	return x << bits | x >> (32 - bits);
}

#define QUARTER_ROUND(a, b, c, d)      \
	do {                           \
		a += b;                \
		d = rotate(d ^ a, 16); \
		c += d;                \
		b = rotate(b ^ c, 12); \
		a += b;                \
		d = rotate(d ^ a, 8);  \
		c += d;                \
		b = rotate(b ^ c, 7);  \
	} while (0)

void chacha20_block(uint8_t out[CHACHA20_BLOCK], const uint8_t key[CHACHA20_KEY], uint32_t counter,
	const uint8_t nonce[CHACHA20_NONCE])
{
	/* Little-endian words, as the machine's. The constants say "expand 32-byte k". */
	uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	uint32_t s[16];

	memcpy(&start[4], key, CHACHA20_KEY);
	start[12] = counter;
	memcpy(&start[13], nonce, CHACHA20_NONCE);
	memcpy(s, start, sizeof(s));
	for (unsigned round = 0; round < 20; round += 2) {
		QUARTER_ROUND(s[0], s[4], s[8], s[12]);
		QUARTER_ROUND(s[1], s[5], s[9], s[13]);
		QUARTER_ROUND(s[2], s[6], s[10], s[14]);
		QUARTER_ROUND(s[3], s[7], s[11], s[15]);
		QUARTER_ROUND(s[0], s[5], s[10], s[15]);
		QUARTER_ROUND(s[1], s[6], s[11], s[12]);
		QUARTER_ROUND(s[2], s[7], s[8], s[13]);
		QUARTER_ROUND(s[3], s[4], s[9], s[14]);
	}
	for (unsigned i = 0; i < 16; i++)
		s[i] += start[i];
	memcpy(out, s, CHACHA20_BLOCK);
	memset(s, 0, sizeof(s));
	memset(start, 0, sizeof(start));
	__asm__ volatile(""
			 :
			 : "r"(s), "r"(start)
			 : "memory"); /* the wiping is not optimised away */
}
