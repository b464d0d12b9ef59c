/* SPDX-License-Identifier: MIT */
/*
 * QR codes, after ISO/IEC 18004:2015 (its sections in parentheses).
 *
 * Text becomes bits (7.4), bits become codewords, these are cut into blocks that each get their Reed-Solomon
 * correction (7.5), and the interleaved codewords go over the matrix in a zigzag of two columns from the right
 * (7.7.3), wherever nothing else stands: finder, timing and alignment patterns, format and version (6.3, 7.9,
 * 7.10). The mask (7.8) is always pattern 0: choosing it guards pictures of regular data, and what is shown
 * here is packed, so it looks random anyway.
 */
#include "lib/qr.h"

#include "lib/string.h"

#define DARK     1u
#define FUNCTION 2u /* no data there */
#define MODE     2u /* alphanumeric */

const char qr_characters[46] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/* By level and version (table 9): correction codewords of a block, and blocks. */
static const uint8_t correction[2][QR_VERSION_MAX] = {
	[QR_LEVEL_M] = {10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26,
		26},
	[QR_LEVEL_L] = {7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28,
		28},
};
static const uint8_t block_counts[2][QR_VERSION_MAX] = {
	[QR_LEVEL_M] = {1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16},
	[QR_LEVEL_L] = {1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8},
};

int qr_value(char character)
{
	const char *at = character ? strchr(qr_characters, character) : NULL;

	return at ? (int)(at - qr_characters) : -1;
}

/* ---- Sizes ---- */

/* Alignment patterns in a row, counted with those that finders hide. */
static unsigned alignments(unsigned version)
{
	return version == 1 ? 0 : version / 7 + 2;
}

static unsigned codewords_of(unsigned version)
{
	unsigned n = alignments(version);
	unsigned modules = (16 * version + 128) * version + 64;

	if (n)
		modules -= (25 * n - 10) * n - 55;
	if (version >= 7)
		modules -= 36;
	return modules / 8;
}

static unsigned data_codewords(unsigned version, enum qr_level level)
{
	return codewords_of(version) -
	       (unsigned)correction[level][version - 1] * block_counts[level][version - 1];
}

static unsigned count_bits(unsigned version)
{
	return version < 10 ? 9 : 11;
}

static bool choose(struct qr *qr, size_t length)
{
	static const enum qr_level levels[] = {QR_LEVEL_M, QR_LEVEL_L};
	size_t bits = 4 + length / 2 * 11 + length % 2 * 6;

	for (unsigned i = 0; i < ARRAY_SIZE(levels); i++) {
		for (unsigned v = 1; v <= QR_VERSION_MAX; v++) {
			if (bits + count_bits(v) > 8 * data_codewords(v, levels[i]))
				continue;
			qr->version = v;
			qr->level = levels[i];
			qr->side = 17 + 4 * v;
			return true;
		}
	}
	return false;
}

/* ---- Data ---- */

static size_t put_bits(uint8_t *to, size_t at, unsigned value, unsigned count)
{
	while (count--) {
		if (value >> count & 1)
			to[at / 8] |= (uint8_t)(0x80 >> at % 8);
		at++;
	}
	return at;
}

static bool put_data(struct qr *qr, const char *text, size_t length)
{
	unsigned room = data_codewords(qr->version, qr->level);
	uint8_t pad = 0xec;
	size_t at = put_bits(qr->blocks, 0, MODE, 4);

	at = put_bits(qr->blocks, at, (unsigned)length, count_bits(qr->version));
	for (size_t i = 0; i < length; i += 2) {
		int first = qr_value(text[i]), second = i + 1 < length ? qr_value(text[i + 1]) : 0;

		if (first < 0 || second < 0)
			return false;
		if (i + 1 < length)
			at = put_bits(qr->blocks, at, (unsigned)(first * 45 + second), 11);
		else
			at = put_bits(qr->blocks, at, (unsigned)first, 6);
	}
	/* Up to four zero bits and the rest of a byte, which are there; then two bytes in turn. */
	at = at + 4 > 8 * room ? room : (at + 4 + 7) / 8;
	for (; at < room; at++, pad ^= 0xec ^ 0x11)
		qr->blocks[at] = pad;
	return true;
}

/* In GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1. */
static uint8_t multiply(uint8_t a, uint8_t b)
{
	unsigned product = 0;

	for (int i = 7; i >= 0; i--) {
		product = product << 1 ^ (product >> 7) * 0x11d;
		product ^= (b >> i & 1) * a;
	}
	return (uint8_t)product;
}

/* The product of (x - 2^i) for i below `degree`, without its leading coefficient, the highest power first. */
static void make_generator(uint8_t *generator, unsigned degree)
{
	uint8_t root = 1;

	memset(generator, 0, degree);
	generator[degree - 1] = 1;
	for (unsigned i = 0; i < degree; i++, root = multiply(root, 2)) {
		for (unsigned k = 0; k < degree; k++) {
			generator[k] = multiply(generator[k], root);
			if (k + 1 < degree)
				generator[k] ^= generator[k + 1];
		}
	}
}

/* The remainder of the data, as a polynomial, by the generator. */
static void make_correction(
	const uint8_t *data, unsigned size, const uint8_t *generator, unsigned degree, uint8_t *out)
{
	memset(out, 0, degree);
	for (unsigned i = 0; i < size; i++) {
		uint8_t factor = data[i] ^ out[0];

		memmove(out, out + 1, degree - 1);
		out[degree - 1] = 0;
		for (unsigned k = 0; k < degree; k++)
			out[k] ^= multiply(generator[k], factor);
	}
}

/* Blocks' first bytes, their second ones, ...; then the corrections' likewise. The first blocks may be shorter by
 * one than the last. */
static void interleave(struct qr *qr)
{
	unsigned blocks = block_counts[qr->level][qr->version - 1];
	unsigned degree = correction[qr->level][qr->version - 1];
	unsigned data = data_codewords(qr->version, qr->level);
	unsigned shorter = blocks - data % blocks, least = data / blocks;
	uint8_t generator[30], remainder[30];
	const uint8_t *from = qr->blocks;

	make_generator(generator, degree);
	for (unsigned b = 0; b < blocks; b++) {
		unsigned size = least + (b >= shorter);

		for (unsigned i = 0; i < least; i++)
			qr->codewords[i * blocks + b] = from[i];
		if (size > least)
			qr->codewords[least * blocks + b - shorter] = from[least];
		make_correction(from, size, generator, degree, remainder);
		for (unsigned i = 0; i < degree; i++)
			qr->codewords[data + i * blocks + b] = remainder[i];
		from += size;
	}
}

/* ---- The matrix ---- */

static void set(struct qr *qr, unsigned x, unsigned y, bool dark)
{
	qr->cells[y][x] = FUNCTION | (dark ? DARK : 0);
}

static unsigned distance(int a, int b)
{
	return (unsigned)(a > b ? a - b : b - a);
}

/* Squares in squares around a middle: dark but for the rings at these two distances. */
static void put_rings(struct qr *qr, int x, int y, int reach, unsigned light, unsigned border)
{
	for (int dy = -reach; dy <= reach; dy++) {
		for (int dx = -reach; dx <= reach; dx++) {
			unsigned ring = distance(dx, 0) > distance(dy, 0) ? distance(dx, 0)
									  : distance(dy, 0);
			int at_x = x + dx, at_y = y + dy;

			if (at_x >= 0 && at_x < (int)qr->side && at_y >= 0 && at_y < (int)qr->side)
				set(qr, (unsigned)at_x, (unsigned)at_y,
					ring != light && ring != border);
		}
	}
}

static unsigned alignment_place(const struct qr *qr, unsigned index)
{
	unsigned n = alignments(qr->version);
	unsigned step = (4 * qr->version + 2 * n + 1) / (2 * n - 2) * 2;

	return index ? qr->side - 7 - (n - 1 - index) * step : 6;
}

static void put_patterns(struct qr *qr)
{
	unsigned n = alignments(qr->version), last = qr->side - 4;

	for (unsigned i = 0; i < qr->side; i++) {
		set(qr, i, 6, !(i & 1));
		set(qr, 6, i, !(i & 1));
	}
	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = 0; k < n; k++) {
			bool corner = (!i && !k) || (!i && k == n - 1) || (i == n - 1 && !k);

			if (!corner)
				put_rings(qr, (int)alignment_place(qr, i),
					(int)alignment_place(qr, k), 2, 1, 1);
		}
	}
	put_rings(qr, 3, 3, 4, 2, 4);
	put_rings(qr, (int)last, 3, 4, 2, 4);
	put_rings(qr, 3, (int)last, 4, 2, 4);
}

/* The rest of a division of `value` (of BCH codes). */
static unsigned checked(unsigned value, unsigned degree, unsigned generator)
{
	unsigned rest = value;

	for (unsigned i = 0; i < degree; i++)
		rest = rest << 1 ^ (rest >> (degree - 1)) * generator;
	return value << degree | rest;
}

/* Twice: around the finder at the top left, and split over the two others. Mask 0. */
static void put_format(struct qr *qr)
{
	unsigned bits = checked((unsigned)(qr->level == QR_LEVEL_L) << 3, 10, 0x537) ^ 0x5412;

	for (unsigned i = 0; i < 15; i++) {
		bool dark = bits >> i & 1;

		if (i < 6)
			set(qr, 8, i, dark);
		else if (i < 8)
			set(qr, 8, i + 1, dark);
		else
			set(qr, i == 8 ? 7 : 14 - i, 8, dark);
		if (i < 8)
			set(qr, qr->side - 1 - i, 8, dark);
		else
			set(qr, 8, qr->side - 15 + i, dark);
	}
	set(qr, 8, qr->side - 8, true);
}

static void put_version(struct qr *qr)
{
	unsigned bits = checked(qr->version, 12, 0x1f25);

	for (unsigned i = 0; qr->version >= 7 && i < 18; i++) {
		set(qr, qr->side - 11 + i % 3, i / 3, bits >> i & 1);
		set(qr, i / 3, qr->side - 11 + i % 3, bits >> i & 1);
	}
}

/* In pairs of columns from the right, up and down in turn; column 6 is the timing pattern's. */
static void put_codewords(struct qr *qr)
{
	size_t at = 0, bits = 8 * codewords_of(qr->version);

	for (unsigned right = qr->side - 1, pair = 0; pair < (qr->side - 1) / 2;
		pair++, right -= 2) {
		if (right == 6)
			right--;
		for (unsigned i = 0; i < 2 * qr->side; i++) {
			unsigned x = right - i % 2, y = pair % 2 ? i / 2 : qr->side - 1 - i / 2;
			bool dark;

			if (qr->cells[y][x] & FUNCTION)
				continue;
			dark = at < bits && (qr->codewords[at / 8] >> (7 - at % 8) & 1);
			at++;
			qr->cells[y][x] = dark != !((x + y) & 1);
		}
	}
}

bool qr_make(struct qr *qr, const char *text, size_t length)
{
	memset(qr, 0, sizeof(*qr));
	if (!choose(qr, length) || !put_data(qr, text, length))
		return false;
	interleave(qr);
	put_patterns(qr);
	put_format(qr);
	put_version(qr);
	put_codewords(qr);
	return true;
}
