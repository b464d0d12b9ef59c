/* SPDX-License-Identifier: MIT */
#include "random_pool.h"

#include "check.h"

/* The same input gives the same output, any other gives another, and outputs differ. */
static void depends_on_all_input(void)
{
	struct random_pool a = {{0}}, b = {{0}}, c = {{0}};
	unsigned char x[64], y[64], data[100] = {0};

	random_pool_add(&a, data, sizeof(data));
	random_pool_add(&b, data, sizeof(data));
	random_pool_take(&a, x, sizeof(x));
	random_pool_take(&b, y, sizeof(y));
	CHECK(!memcmp(x, y, sizeof(x)));
	random_pool_take(&a, y, sizeof(y));
	CHECK(memcmp(x, y, 32) && memcmp(x, y + 32, 32) && memcmp(x, x + 32, 32));
	for (size_t i = 0; i < sizeof(data); i++) {
		c = (struct random_pool){{0}};
		data[i] = 1;
		random_pool_add(&c, data, sizeof(data));
		random_pool_take(&c, y, sizeof(y));
		CHECK(memcmp(x, y, 32) && memcmp(x + 32, y + 32, 32));
		data[i] = 0;
	}
	/* Length counts, not only content. */
	c = (struct random_pool){{0}};
	random_pool_add(&c, data, sizeof(data) - 1);
	random_pool_take(&c, y, sizeof(y));
	CHECK(memcmp(x, y, 32));
}

/* Bits are set as often as not. */
static void looks_random(void)
{
	struct random_pool pool = {{0}};
	unsigned char out[4096];
	unsigned int ones = 0;

	random_pool_add(&pool, "seed", 4);
	random_pool_take(&pool, out, sizeof(out));
	for (size_t i = 0; i < sizeof(out); i++)
		ones += (unsigned int)__builtin_popcount(out[i]);
	CHECK(ones > 16384 - 400 && ones < 16384 + 400);
}

/* What was taken cannot be computed again from the state that stays. */
static void forgets(void)
{
	struct random_pool pool = {{0}}, copy;
	unsigned char out[32], again[32];

	random_pool_add(&pool, "seed", 4);
	random_pool_take(&pool, out, sizeof(out));
	copy = pool;
	random_pool_take(&copy, again, sizeof(again));
	CHECK(memcmp(out, again, sizeof(out)));
	for (size_t i = 0; i < 16; i++)
		CHECK(memcmp(&pool.state[i], out, 4));
}

int main(void)
{
	depends_on_all_input();
	looks_random();
	forgets();
	return 0;
}
