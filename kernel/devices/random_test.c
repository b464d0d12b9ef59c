/* SPDX-License-Identifier: MIT */
/* The generator against its definition written out again, with fake sources; that no number comes
 * twice, that the seed is wiped, that every source counts and the log tells of it. */
#include "devices/random.h"
#include "arch/arch.h"
#include "lib/chacha20.h"
#include "lib/check.h"
#include "lib/log.h"

#include <stdarg.h>

static bool have_hardware;
static uint64_t hardware_next = 1000, cycles_next = 5;
static char info[300], warning[300];

bool arch_random64(uint64_t *out)
{
	*out = have_hardware ? hardware_next++ : 0;
	return have_hardware;
}

uint64_t arch_cycles(void)
{
	return cycles_next += 3;
}

void log_line(enum log_level level, const char *text, ...)
{
	va_list arguments;

	va_start(arguments, text);
	vsnprintf(level == LOG_INFO ? info : warning, sizeof(info), text, arguments);
	va_end(arguments);
}

void panic(const char *text, ...)
{
	printf("panic: %s\n", text);
	exit(1);
}

/* ---- The definition ---- */

static uint8_t model_key[32];
static const uint8_t no_nonce[12];

static uint8_t model_pool[480];
static size_t model_left;

static void model_half(uint8_t out[32])
{
	uint8_t blocks[512];

	if (!model_left) {
		for (uint32_t i = 0; i < 8; i++)
			chacha20_block(blocks + 64 * i, model_key, i, no_nonce);
		memcpy(model_key, blocks, 32);
		memcpy(model_pool, blocks + 32, 480);
		model_left = 480;
	}
	memcpy(out, model_pool + 480 - model_left, 32);
	model_left -= 32;
}

static void model_stir(const void *data, size_t size)
{
	uint8_t block[64];

	for (size_t i = 0; i < size; i++) {
		model_key[i % 32] ^= ((const uint8_t *)data)[i];
		if (i % 32 == 31 || i + 1 == size) {
			chacha20_block(block, model_key, 0, no_nonce);
			memcpy(model_key, block, 32);
			model_left = 0;
		}
	}
}

static void model_init(const uint8_t seed[64], uint64_t hardware, uint64_t cycles)
{
	uint64_t words[8] = {0}, samples[32];

	model_stir(seed, 64);
	for (unsigned i = 0; i < 8 && have_hardware; i++)
		words[i] = hardware + i;
	model_stir(words, sizeof(words));
	for (unsigned i = 0; i < 32; i++)
		samples[i] = cycles += 3;
	model_stir(samples, sizeof(samples));
}

static void init(uint32_t sources)
{
	uint8_t seed[64], zero[64] = {0};

	memset(seed, 0x42, sizeof(seed));
	model_init(seed, hardware_next, cycles_next);
	info[0] = warning[0] = 0;
	random_init(seed, sources);
	CHECK(!memcmp(seed, zero, sizeof(seed)));
}

static void test_small(void)
{
	uint8_t expected[32], found[33];

	for (size_t size = 1; size <= 32; size++) {
		memset(found, 0xee, sizeof(found));
		random_bytes(found, size);
		model_half(expected);
		CHECK(!memcmp(found, expected, size));
		CHECK_EQUAL(found[size], 0xee);
	}
	random_bytes(found, 0); /* changes nothing */
}

static void test_large(void)
{
	static uint8_t found[200001];
	static const size_t sizes[] = {33, 64, 65, 1000, 65536, 65537, 200000};
	uint8_t stream_key[32], block[64];

	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		found[sizes[s]] = 0xee;
		random_bytes(found, sizes[s]);
		for (size_t at = 0; at < sizes[s]; at += 65536) {
			size_t piece = sizes[s] - at < 65536 ? sizes[s] - at : 65536;

			model_half(stream_key);
			if (piece <= 32)
				CHECK(!memcmp(found + at, stream_key, piece));
			for (size_t i = 0; i < piece && piece > 32; i += 64) {
				chacha20_block(block, stream_key, (uint32_t)(i / 64), no_nonce);
				CHECK(!memcmp(
					found + at + i, block, piece - i < 64 ? piece - i : 64));
			}
		}
		CHECK_EQUAL(found[sizes[s]], 0xee);
	}
}

static void test_stir(void)
{
	uint8_t expected[32], found[32];

	random_stir("some forty-one bytes of something unknown", 41);
	model_stir("some forty-one bytes of something unknown", 41);
	random_bytes(found, 32);
	model_half(expected);
	CHECK(!memcmp(found, expected, 32));
}

/* Crude, but it sees a stuck or repeating generator. */
static void test_spread(void)
{
	static uint64_t numbers[4096];
	unsigned ones = 0;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		numbers[i] = random_u64();
		ones += (unsigned)__builtin_popcountll(numbers[i]);
		for (size_t j = 0; j < i; j++)
			CHECK(numbers[i] != numbers[j]);
	}
	CHECK(ones > 4096 * 31 && ones < 4096 * 33);
}

int main(void)
{
	have_hardware = true;
	init(HANDOFF_SEED_RNG_PROTOCOL | HANDOFF_SEED_RDRAND);
	CHECK_STRING(
		info, "random: seeded from EFI_RNG_PROTOCOL, the loader's RDRAND, RDRAND, timing");
	CHECK_STRING(warning, "");
	test_small();
	test_large();
	test_stir();
	have_hardware = false;
	init(HANDOFF_SEED_TSC);
	CHECK_STRING(info, "random: seeded from the loader's timing, timing");
	CHECK(strstr(warning, "nothing but timing"));
	test_small();
	init(HANDOFF_SEED_RNG_PROTOCOL);
	CHECK_STRING(warning, "");
	test_spread();
	return check_done();
}
