/* SPDX-License-Identifier: MIT */
/*
 * Random numbers: ChaCha20 with fast key erasure (Bernstein, "Fast-key-erasure random-number
 * generators", 2017).
 *
 * The whole state is one key of 256 bits and a pool of numbers made in advance. The key makes POOL_BLOCKS
 * blocks of key stream at a time: their first half block becomes the key, so that a later look at
 * the memory tells nothing of numbers given out before; the rest is the pool. A request takes half a
 * block from the pool, which is wiped there at once: the answer to a small request, or the key of a
 * large one's own stream, which is made without the lock and of at most PIECE bytes before it starts
 * over.
 *
 * Stirring in: each 32 bytes are xor-ed to the key, which then becomes half a block under itself; the
 * pool is dropped. Who does not know the key cannot steer it by what he stirs in, and what he knows
 * of the data does not tell him the key.
 *
 * Locks: random_lock guards the state; it is held for POOL_BLOCKS blocks at most, and taken in any
 * context.
 */
#include "devices/random.h"
#include "arch/arch.h"
#include "lib/chacha20.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/string.h"

#define PIECE          (64u * 1024u)
#define POOL_BLOCKS    8u
#define HARDWARE_WORDS 8u
#define HARDWARE_TRIES 10u /* Intel SDM 1, 7.3.17.1: RDRAND may fail that often in a row */
#define TIMING_SAMPLES 32u

static struct spinlock random_lock = SPINLOCK_INIT;
static uint8_t state[POOL_BLOCKS * CHACHA20_BLOCK] guarded_by(random_lock); /* the key first */
static size_t left guarded_by(random_lock); /* of the pool: bytes at the state's end */
static bool seeded;

static const uint8_t no_nonce[CHACHA20_NONCE];

/* memset that the compiler keeps, though nobody reads the memory again. */
static void wipe(void *p, size_t size)
{
	memset(p, 0, size);
	__asm__ volatile("" : : "r"(p) : "memory");
}

/* A new key, and a new pool. */
static void refill(void) requires(random_lock)
{
	uint8_t key[CHACHA20_KEY];

	memcpy(key, state, CHACHA20_KEY);
	for (uint32_t block = 0; block < POOL_BLOCKS; block++)
		chacha20_block(state + block * CHACHA20_BLOCK, key, block, no_nonce);
	wipe(key, sizeof(key));
	left = sizeof(state) - CHACHA20_KEY;
}

static void take(uint8_t out[CHACHA20_KEY]) requires(random_lock)
{
	uint8_t *from;

	_Static_assert(sizeof(state) % CHACHA20_KEY == 0, "the pool is whole halves of blocks");
	if (!left)
		refill();
	from = state + sizeof(state) - left;
	memcpy(out, from, CHACHA20_KEY);
	wipe(from, CHACHA20_KEY);
	left -= CHACHA20_KEY;
}

/* After the key was changed. */
static void next_key(void) requires(random_lock)
{
	uint8_t block[CHACHA20_BLOCK];

	chacha20_block(block, state, 0, no_nonce);
	wipe(state, sizeof(state));
	memcpy(state, block, CHACHA20_KEY);
	wipe(block, sizeof(block));
	left = 0;
}

static void stream(uint8_t *to, size_t size, const uint8_t stream_key[CHACHA20_KEY])
{
	uint8_t block[CHACHA20_BLOCK];

	for (uint32_t counter = 0; size; counter++) {
		size_t n = size < sizeof(block) ? size : sizeof(block);

		chacha20_block(block, stream_key, counter, no_nonce);
		memcpy(to, block, n);
		to += n;
		size -= n;
	}
	wipe(block, sizeof(block));
}

void random_bytes(void *to, size_t size)
{
	uint8_t *out = to;
	uint8_t half[CHACHA20_KEY];

	assert(seeded);
	while (size) {
		size_t piece = size < PIECE ? size : PIECE;

		spin_lock(&random_lock);
		take(half);
		spin_unlock(&random_lock);
		if (piece <= sizeof(half))
			memcpy(out, half, piece);
		else
			stream(out, piece, half);
		out += piece;
		size -= piece;
	}
	wipe(half, sizeof(half));
}

uint64_t random_u64(void)
{
	uint64_t value;

	random_bytes(&value, sizeof(value));
	return value;
}

void random_stir(const void *data, size_t size)
{
	const uint8_t *from = data;

	while (size) {
		size_t n = size < CHACHA20_KEY ? size : CHACHA20_KEY;

		spin_lock(&random_lock);
		for (size_t i = 0; i < n; i++)
			state[i] ^= from[i];
		next_key();
		spin_unlock(&random_lock);
		from += n;
		size -= n;
	}
}

static bool stir_hardware(void)
{
	uint64_t words[HARDWARE_WORDS] = {0};
	unsigned got = 0;

	for (unsigned i = 0; i < HARDWARE_WORDS; i++) {
		for (unsigned tries = 0; tries < HARDWARE_TRIES; tries++) {
			if (arch_random64(&words[i])) {
				got++;
				break;
			}
		}
	}
	random_stir(words, sizeof(words));
	wipe(words, sizeof(words));
	return got == HARDWARE_WORDS;
}

/* How long it took to get here, and the jitter of reading the clock. */
static void stir_timing(void)
{
	uint64_t samples[TIMING_SAMPLES];

	for (unsigned i = 0; i < TIMING_SAMPLES; i++)
		samples[i] = arch_cycles();
	random_stir(samples, sizeof(samples));
	wipe(samples, sizeof(samples));
}

void random_init(uint8_t seed[HANDOFF_SEED_SIZE], uint32_t seed_sources)
{
	bool hardware;

	random_stir(seed, HANDOFF_SEED_SIZE);
	wipe(seed, HANDOFF_SEED_SIZE);
	hardware = stir_hardware();
	stir_timing();
	seeded = true;
	log_info("random: seeded from%s%s%s%s%s timing",
		seed_sources & HANDOFF_SEED_RNG_PROTOCOL ? " EFI_RNG_PROTOCOL," : "",
		seed_sources & HANDOFF_SEED_RDRAND ? " the loader's RDRAND," : "",
		seed_sources & HANDOFF_SEED_TSC ? " the loader's timing," : "",
		seed_sources & HANDOFF_SEED_FILE ? " the seed file," : "",
		hardware ? " RDRAND," : "");
	if (!hardware && !(seed_sources & (HANDOFF_SEED_RNG_PROTOCOL | HANDOFF_SEED_RDRAND)))
		log_warn("random: nothing but timing was there to seed from: numbers may be "
			 "guessed");
}
