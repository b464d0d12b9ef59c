/* SPDX-License-Identifier: MIT */
#include "random_pool.h"

#define RATE 32u /* bytes that go in or out between two permutations; the other half is capacity */

static uint32_t rotate(uint32_t v, unsigned int n)
{
	return v << n | v >> (32 - n);
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b;
	*d = rotate(*d ^ *a, 16);
	*c += *d;
	*b = rotate(*b ^ *c, 12);
	*a += *b;
	*d = rotate(*d ^ *a, 8);
	*c += *d;
	*b = rotate(*b ^ *c, 7);
}

static void permute(struct random_pool *pool)
{
	uint32_t x[16], *s = pool->state;

	__builtin_memcpy(x, s, sizeof(x));
	x[15] ^= 1; /* the all-zero state is a fixed point of the rounds alone */
	for (int i = 0; i < 10; i++) {
		for (int k = 0; k < 4; k++)
			quarter_round(&x[k], &x[4 + k], &x[8 + k], &x[12 + k]);
		for (int k = 0; k < 4; k++)
			quarter_round(&x[k], &x[4 + (k + 1) % 4], &x[8 + (k + 2) % 4],
				&x[12 + (k + 3) % 4]);
	}
	for (int i = 0; i < 16; i++)
		s[i] += x[i];
}

void random_pool_add(struct random_pool *pool, const void *data, size_t size)
{
	unsigned char *rate = (unsigned char *)pool->state;
	const unsigned char *p = data;

	while (size) {
		size_t n = size < RATE ? size : RATE;

		for (size_t i = 0; i < n; i++)
			rate[i] ^= *p++;
		pool->state[15] += (uint32_t)n;
		permute(pool);
		size -= n;
	}
}

void random_pool_take(struct random_pool *pool, void *out, size_t size)
{
	unsigned char *to = out;

	while (size) {
		size_t n = size < RATE ? size : RATE;

		permute(pool);
		__builtin_memcpy(to, pool->state, n);
		/* What was given away is forgotten: the next output cannot lead back to it. */
		__builtin_memset(pool->state, 0, RATE);
		permute(pool);
		to += n;
		size -= n;
	}
}
