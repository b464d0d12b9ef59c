/* SPDX-License-Identifier: MIT */
/* SHA-1 and SHA-256 of short messages, FIPS 180-4. */
#include "hash.h"

#include <string.h>

#define MESSAGE_MAX 128u

static uint32_t left(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t right(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static void sha1_block(uint32_t h[8], const uint32_t words[16])
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

static const uint32_t k256[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b,
	0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6,
	0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d,
	0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585,
	0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa,
	0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static void sha256_block(uint32_t h[8], const uint32_t words[16])
{
	uint32_t w[64], v[8];

	memcpy(w, words, 64);
	memcpy(v, h, sizeof v);
	for (unsigned t = 16; t < 64; t++)
		w[t] = w[t - 16] + w[t - 7] +
		       (right(w[t - 15], 7) ^ right(w[t - 15], 18) ^ w[t - 15] >> 3) +
		       (right(w[t - 2], 17) ^ right(w[t - 2], 19) ^ w[t - 2] >> 10);
	for (unsigned t = 0; t < 64; t++) {
		uint32_t one = v[7] + (right(v[4], 6) ^ right(v[4], 11) ^ right(v[4], 25)) +
			       ((v[4] & v[5]) ^ (~v[4] & v[6])) + k256[t] + w[t];
		uint32_t two = (right(v[0], 2) ^ right(v[0], 13) ^ right(v[0], 22)) +
			       ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof *v);
		v[4] += one;
		v[0] = one + two;
	}
	for (unsigned i = 0; i < 8; i++)
		h[i] += v[i];
}

size_t hash_size(unsigned algorithm)
{
	return algorithm == HASH_SHA1 ? 20 : algorithm == HASH_SHA256 ? 32 : 0;
}

void hash(unsigned algorithm, const uint8_t *data, size_t size, uint8_t *digest)
{
	uint32_t h1[8] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	uint32_t h256[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
		0x1f83d9ab, 0x5be0cd19};
	uint32_t *h = algorithm == HASH_SHA1 ? h1 : h256;
	uint8_t message[MESSAGE_MAX + 128] = {0};
	size_t padded;

	if (size > MESSAGE_MAX)
		size = MESSAGE_MAX;
	padded = (size + 8) / 64 * 64 + 64;
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
		if (algorithm == HASH_SHA1)
			sha1_block(h, words);
		else
			sha256_block(h, words);
	}
	for (size_t i = 0; i < hash_size(algorithm); i++)
		digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}
