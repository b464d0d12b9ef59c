/* SPDX-License-Identifier: MIT */
/* Unpacking gzip files (RFC 1952) whose data is deflated (RFC 1951). Pure: see inflate.c. */
#ifndef LIB_INFLATE_H
#define LIB_INFLATE_H

#include "lib/types.h"

#define INFLATE_WINDOW 32768u /* bytes: the furthest that a match reaches back */

/* Takes `count` bytes, at most INFLATE_WINDOW; false ends the unpacking. */
typedef bool inflate_sink(void *context, const uint8_t *bytes, size_t count);

#define HUFFMAN_FAST_BITS 10u
#define HUFFMAN_MAX_BITS  15u
#define HUFFMAN_SYMBOLS   288u

/* A canonical code: short codes by a table, long ones length by length. */
struct huffman {
	uint16_t fast[1u << HUFFMAN_FAST_BITS]; /* symbol << 4 | length; 0: longer, or no code */
	uint16_t count[HUFFMAN_MAX_BITS + 1];   /* codes of each length */
	uint16_t symbol[HUFFMAN_SYMBOLS];       /* in the order of their codes */
};

/* One unpacking. About 45 KiB; what it holds before is of no matter. */
struct inflate {
	const uint8_t *in, *end;
	uint64_t bits; /* read from `in` and not used yet, the first lowest */
	unsigned bit_count;
	const char *error; /* why it ended, or NULL */
	inflate_sink *sink;
	void *context;
	uint64_t produced; /* bytes */
	uint32_t crc;      /* of what the sink has had, inverted */
	uint32_t crc_table[256];
	struct huffman literals, distances;
	uint8_t window[INFLATE_WINDOW];
};

struct gunzip_result {
	uint64_t used; /* bytes of the input: up to the member's end, or to where it went wrong */
	uint64_t produced; /* bytes given to the sink */
	const char *error; /* NULL: all is well */
};

/* Unpacks the one gzip member that begins at `in`. Its check value and length are compared. */
struct gunzip_result gunzip(
	struct inflate *inflate, const void *in, uint64_t size, inflate_sink *sink, void *context);

#endif
