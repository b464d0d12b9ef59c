/* SPDX-License-Identifier: MIT */
/*
 * A small packer: one block with the fixed codes (RFC 1951 3.2.6), and for each place the longest match among all
 * before it, found by looking. That is quadratic, which a text of a thousand bytes may be: no tables, no state.
 */
#include "lib/deflate.h"

#include "lib/string.h"

#define MATCH_LEAST 3u
#define MATCH_MOST  257u /* 258 has a code of its own, which is not worth it here */
#define END         256u

struct out {
	uint8_t *bytes;
	size_t size, room;
	uint32_t bits; /* not yet a byte, the first lowest */
	unsigned count;
};

static void put_byte(struct out *out, uint8_t byte)
{
	if (out->size < out->room)
		out->bytes[out->size] = byte;
	out->size++;
}

/* The lowest bit first, as all numbers but codes go. */
static void put(struct out *out, uint32_t bits, unsigned count)
{
	out->bits |= bits << out->count;
	for (out->count += count; out->count >= 8; out->count -= 8, out->bits >>= 8)
		put_byte(out, (uint8_t)out->bits);
}

/* Codes go with their highest bit first. */
static void put_code(struct out *out, unsigned code, unsigned count)
{
	while (count--)
		put(out, code >> count & 1, 1);
}

static void put_symbol(struct out *out, unsigned symbol)
{
	if (symbol < 144)
		put_code(out, 0x30 + symbol, 8);
	else if (symbol < 256)
		put_code(out, 0x190 + symbol - 144, 9);
	else if (symbol < 280)
		put_code(out, symbol - 256, 7);
	else
		put_code(out, 0xc0 + symbol - 280, 8);
}

static unsigned log2_of(unsigned value)
{
	return 31u - (unsigned)__builtin_clz(value);
}

static void put_match(struct out *out, unsigned length, unsigned distance)
{
	unsigned value = length - MATCH_LEAST, extra = value < 8 ? 0 : log2_of(value) - 2;

	put_symbol(out, 257 + 4 * extra + (value >> extra));
	put(out, value & ((1u << extra) - 1), extra);
	value = distance - 1;
	extra = value < 4 ? 0 : log2_of(value) - 1;
	put_code(out, 2 * extra + (value >> extra), 5);
	put(out, value & ((1u << extra) - 1), extra);
}

static unsigned longest_match(const uint8_t *in, size_t at, size_t size, unsigned *distance)
{
	unsigned longest = 0;

	for (size_t from = at; from-- > 0;) {
		unsigned length = 0;

		while (length < MATCH_MOST && at + length < size &&
			in[from + length] == in[at + length])
			length++;
		if (length > longest) {
			longest = length;
			*distance = (unsigned)(at - from);
		}
	}
	return longest;
}

static uint32_t adler32(const uint8_t *in, size_t size)
{
	uint32_t a = 1, b = 0;

	for (size_t i = 0; i < size; i++) {
		a = (a + in[i]) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

size_t zlib_pack(const void *from, size_t size, uint8_t *bytes, size_t room)
{
	struct out out = {.bytes = bytes, .room = room};
	const uint8_t *in = from;
	uint32_t sum = adler32(in, size);
	unsigned length, distance = 0;

	if (size > DEFLATE_IN_MAX)
		return 0;
	put(&out, 0x0178, 16); /* deflate, 32 KiB at most; the least effort */
	put(&out, 3, 3);       /* the last block; fixed codes */
	for (size_t at = 0; at < size; at += length) {
		length = longest_match(in, at, size, &distance);
		if (length >= MATCH_LEAST) {
			put_match(&out, length, distance);
		} else {
			put_symbol(&out, in[at]);
			length = 1;
		}
	}
	put_symbol(&out, END);
	put(&out, 0, 7); /* up to the byte's end */
	out.count = 0;
	for (unsigned i = 4; i-- > 0;)
		put_byte(&out, (uint8_t)(sum >> 8 * i));
	return out.size <= room ? out.size : 0;
}
