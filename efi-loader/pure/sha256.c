/* SPDX-License-Identifier: MIT */
#include "sha256.h"

#define BLOCK 64u
#define TURNS 64u

/* Fractional parts of the cube roots of the first 64 primes, FIPS 180-4 4.2.2. */
static const uint32_t constants[TURNS] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
	0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
	0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152,
	0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
	0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624,
	0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3,
	0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn_right(uint32_t x, unsigned int by)
{
	return x >> by | x << (32 - by);
}

static void fill_schedule(uint32_t w[TURNS], const uint8_t *block)
{
	for (unsigned int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
		       (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (unsigned int i = 16; i < TURNS; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] + (turn_right(a, 7) ^ turn_right(a, 18) ^ a >> 3) +
		       (turn_right(b, 17) ^ turn_right(b, 19) ^ b >> 10);
	}
}

static void add_block(uint32_t state[8], const uint8_t *block)
{
	uint32_t w[TURNS], s[8];

	fill_schedule(w, block);
	__builtin_memcpy(s, state, sizeof(s));
	for (unsigned int i = 0; i < TURNS; i++) {
		uint32_t e = s[4], a = s[0];
		uint32_t one = s[7] + (turn_right(e, 6) ^ turn_right(e, 11) ^ turn_right(e, 25)) +
			       ((e & s[5]) ^ (~e & s[6])) + constants[i] + w[i];
		uint32_t two = (turn_right(a, 2) ^ turn_right(a, 13) ^ turn_right(a, 22)) +
			       ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

		for (unsigned int j = 7; j; j--)
			s[j] = s[j - 1];
		s[4] += one;
		s[0] = one + two;
	}
	for (unsigned int i = 0; i < 8; i++)
		state[i] += s[i];
}

struct sha256 sha256_of(const void *data, uint64_t size)
{
	uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
		0x1f83d9ab, 0x5be0cd19};
	const uint8_t *at = data;
	uint64_t left = size;
	uint8_t last[2 * BLOCK] = {0};
	size_t length;
	struct sha256 digest;

	for (; left >= BLOCK; left -= BLOCK, at += BLOCK)
		add_block(state, at);
	if (left)
		__builtin_memcpy(last, at, left);
	last[left] = 0x80;
	length = left + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
	for (unsigned int i = 0; i < 8; i++)
		last[length - 1 - i] = (uint8_t)(size * 8 >> 8 * i);
	for (size_t i = 0; i < length; i += BLOCK)
		add_block(state, last + i);
	for (unsigned int i = 0; i < SHA256_SIZE; i++)
		digest.bytes[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
	return digest;
}

/* The value of a hexadecimal digit; 16: it is none. */
static unsigned int digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 16;
}

static bool line_is(const struct sha256 *digest, const char *line, uint64_t length)
{
	if (length < 2 * SHA256_SIZE)
		return false;
	for (unsigned int i = 0; i < SHA256_SIZE; i++) {
		unsigned int high = digit(line[2 * i]), low = digit(line[2 * i + 1]);

		if (high > 15 || low > 15 || (high << 4 | low) != digest->bytes[i])
			return false;
	}
	return length == 2 * SHA256_SIZE || line[2 * SHA256_SIZE] == ' ';
}

bool sha256_is_listed(const struct sha256 *digest, const char *list, uint64_t size)
{
	uint64_t at = 0;

	while (at < size) {
		uint64_t end = at;

		while (end < size && list[end] != '\n' && list[end] != '\r' && list[end])
			end++;
		if (line_is(digest, list + at, end - at))
			return true;
		at = end + 1;
	}
	return false;
}
