/* SPDX-License-Identifier: MIT */
/* SHA-1 of short messages, FIPS 180-4; SHA-256 is the loader's. */
#include "hash.h"

#include <string.h>

#include "../../../efi-loader/pure/sha256.h"

#define MESSAGE_MAX 128u

static uint32_t left(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static void sha1_block(uint32_t h[5], const uint32_t words[16])
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	memcpy(w, words, 64);
	for (unsigned t = 16; t < 80; t++)
		w[t] = left(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	for (unsigned t = 0; t < 80; t++) {
		uint32_t f = t < 20   ? ((b & c) | (~b & d)) + 0x5a827999
			     : t < 40 ? (b ^ c ^ d) + 0x6ed9eba1
			     : t < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
				      : (b ^ c ^ d) + 0xca62c1d6;

		f += left(a, 5) + e + w[t];
		e = d;
		d = c;
		c = left(b, 30);
		b = a;
		a = f;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

size_t hash_size(unsigned algorithm)
{
	return algorithm == HASH_SHA1 ? 20 : algorithm == HASH_SHA256 ? 32 : 0;
}

static void sha1(const uint8_t *data, size_t size, uint8_t *digest)
{
	uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	uint8_t message[MESSAGE_MAX + 128] = {0};
	size_t padded = (size + 8) / 64 * 64 + 64;

	memcpy(message, data, size);
	message[size] = 0x80;
	for (unsigned i = 0; i < 8; i++)
		message[padded - 1 - i] = (uint8_t)((uint64_t)size * 8 >> 8 * i);
	for (size_t at = 0; at < padded; at += 64) {
		uint32_t words[16];

		for (unsigned i = 0; i < 16; i++)
			words[i] = (uint32_t)message[at + 4 * i] << 24 |
				   (uint32_t)message[at + 4 * i + 1] << 16 |
				   (uint32_t)message[at + 4 * i + 2] << 8 | message[at + 4 * i + 3];
		sha1_block(h, words);
	}
	for (size_t i = 0; i < sizeof h; i++)
		digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

void hash(unsigned algorithm, const uint8_t *data, size_t size, uint8_t *digest)
{
	if (size > MESSAGE_MAX)
		size = MESSAGE_MAX;
	if (algorithm == HASH_SHA1) {
		sha1(data, size, digest);
	} else if (algorithm == HASH_SHA256) {
		struct sha256 found = sha256_of(data, size);

		memcpy(digest, found.bytes, sizeof found.bytes);
	}
}
