/* SPDX-License-Identifier: MIT */
/*
 * gzip members (RFC 1952) with deflated data (RFC 1951): stored blocks, and blocks of literals and
 * matches under a fixed or a given pair of Huffman codes.
 *
 * All input is in memory; output goes through a window of 32 KiB, which is given to the sink each
 * time it is full and at the end, so an archive of any size needs 45 KiB. Nothing of the input is
 * trusted: codes that are over-subscribed or incomplete (but for a single distance code, which
 * RFC 1951 3.2.7 allows, as zlib takes it), matches that reach before the start, lengths without a
 * meaning and input that ends early are refused with a sentence. What the sink got before stays
 * with it. The same inputs are accepted as by zlib; inflate_test.py compares the two.
 */
#include "lib/inflate.h"

#include "lib/string.h"

#define END_OF_BLOCK    256u
#define LENGTHS         29u /* length symbols 257..285 */
#define DISTANCES       30u
#define CODE_LENGTHS    19u
#define CRC_POLYNOMIAL  0xedb88320u /* RFC 1952 8 */
#define GZIP_HEADER     10u
#define GZIP_TRAILER    8u
#define METHOD_DEFLATE  8u
#define FLAG_HEADER_CRC 0x02u
#define FLAG_EXTRA      0x04u
#define FLAG_NAME       0x08u
#define FLAG_COMMENT    0x10u
#define FLAGS_RESERVED  0xe0u

static bool fail(struct inflate *inflate, const char *error)
{
	if (!inflate->error)
		inflate->error = error;
	return false;
}

/* ---- Output ---- */

static void crc_start(struct inflate *inflate)
{
	uint32_t value;

	for (unsigned i = 0; i < 256; i++) {
		value = i;
		for (unsigned bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? CRC_POLYNOMIAL : 0);
		inflate->crc_table[i] = value;
	}
	inflate->crc = UINT32_MAX;
}

static uint32_t crc_update(
	const struct inflate *inflate, uint32_t crc, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		crc = crc >> 8 ^ inflate->crc_table[(crc ^ bytes[i]) & 0xff];
	return crc;
}

/* Gives the sink the first `count` bytes of the window. */
static bool flush(struct inflate *inflate, size_t count)
{
	inflate->crc = crc_update(inflate, inflate->crc, inflate->window, count);
	if (count && !inflate->sink(inflate->context, inflate->window, count))
		return fail(inflate, "stopped by what takes the data");
	return true;
}

static inline bool put(struct inflate *inflate, uint8_t byte)
{
	inflate->window[inflate->produced++ % INFLATE_WINDOW] = byte;
	return inflate->produced % INFLATE_WINDOW || flush(inflate, INFLATE_WINDOW);
}

static bool put_match(struct inflate *inflate, unsigned length, unsigned distance)
{
	if (distance > inflate->produced)
		return fail(inflate, "a match reaches before the start");
	while (length--)
		if (!put(inflate, inflate->window[(inflate->produced - distance) % INFLATE_WINDOW]))
			return false;
	return true;
}

/* ---- Bits ---- */

/* Fills the bit buffer as far as there is input: to 57 bits or more where that goes on. */
static inline void refill(struct inflate *inflate)
{
	while (inflate->bit_count <= 56 && inflate->in < inflate->end) {
		inflate->bits |= (uint64_t)*inflate->in++ << inflate->bit_count;
		inflate->bit_count += 8;
	}
}

static inline void drop(struct inflate *inflate, unsigned count)
{
	inflate->bits >>= count;
	inflate->bit_count -= count;
}

/* `count` bits, at most 32. 0 with the error set where there are fewer. */
static unsigned take(struct inflate *inflate, unsigned count)
{
	unsigned value;

	if (inflate->bit_count < count)
		refill(inflate);
	if (inflate->bit_count < count) {
		fail(inflate, "the data ends early");
		return 0;
	}
	value = (unsigned)(inflate->bits & ((UINT64_C(1) << count) - 1));
	drop(inflate, count);
	return value;
}

/* Back to whole bytes: what was read ahead goes back, the rest of the present byte is passed over. */
static void align(struct inflate *inflate)
{
	drop(inflate, inflate->bit_count % 8);
	inflate->in -= inflate->bit_count / 8;
	inflate->bits = 0;
	inflate->bit_count = 0;
}

/* ---- Codes ---- */

static unsigned reverse(unsigned code, unsigned length)
{
	unsigned reversed = 0;

	for (; length; length--, code >>= 1)
		reversed = reversed << 1 | (code & 1);
	return reversed;
}

static void fill_fast(struct huffman *code, unsigned first, unsigned length, unsigned symbol)
{
	for (unsigned i = reverse(first, length); i < 1u << HUFFMAN_FAST_BITS; i += 1u << length)
		code->fast[i] = (uint16_t)(symbol << 4 | length);
}

/* Makes the canonical code of RFC 1951 3.2.2. False: over-subscribed, or incomplete and not one that
 * may be: empty, or a single code of one bit. */
static bool make_code(struct huffman *code, const uint8_t *lengths, unsigned symbols, bool complete)
{
	uint16_t offset[HUFFMAN_MAX_BITS + 2];
	unsigned most = 0, next = 0;
	int left = 1;

	memset(code, 0, sizeof(*code));
	for (unsigned i = 0; i < symbols; i++)
		code->count[lengths[i]]++;
	code->count[0] = 0;
	offset[1] = 0;
	for (unsigned length = 1; length <= HUFFMAN_MAX_BITS; length++) {
		left = left * 2 - code->count[length];
		if (left < 0)
			return false;
		if (code->count[length])
			most = length;
		offset[length + 1] = (uint16_t)(offset[length] + code->count[length]);
	}
	if (left && (complete || most > 1))
		return false;
	for (unsigned i = 0; i < symbols; i++)
		if (lengths[i])
			code->symbol[offset[lengths[i]]++] = (uint16_t)i;
	for (unsigned length = 1, i = 0; length <= HUFFMAN_FAST_BITS; length++, next <<= 1)
		for (unsigned n = code->count[length]; n; n--)
			fill_fast(code, next++, length, code->symbol[i++]);
	return true;
}

/* A code of more than HUFFMAN_FAST_BITS bits, or none. */
static unsigned decode_slowly(struct inflate *inflate, const struct huffman *code)
{
	unsigned value = 0, first = 0, index = 0;

	for (unsigned length = 1; length <= HUFFMAN_MAX_BITS; length++) {
		if (inflate->bit_count < length) {
			fail(inflate, "the data ends early");
			return 0;
		}
		value = value << 1 | (unsigned)(inflate->bits >> (length - 1) & 1);
		if (value - first < code->count[length]) {
			drop(inflate, length);
			return code->symbol[index + value - first];
		}
		index += code->count[length];
		first = (first + code->count[length]) << 1;
	}
	fail(inflate, "bits that are no code");
	return 0;
}

static inline unsigned decode(struct inflate *inflate, const struct huffman *code)
{
	unsigned entry;

	if (inflate->bit_count < HUFFMAN_MAX_BITS)
		refill(inflate);
	entry = code->fast[inflate->bits & ((1u << HUFFMAN_FAST_BITS) - 1)];
	if (!entry || (entry & 15) > inflate->bit_count)
		return decode_slowly(inflate, code);
	drop(inflate, entry & 15);
	return entry >> 4;
}

/* ---- Blocks ---- */

static bool stored_block(struct inflate *inflate)
{
	unsigned size, inverse;

	align(inflate);
	size = take(inflate, 16);
	inverse = take(inflate, 16);
	if (inflate->error)
		return false;
	if (size != (inverse ^ 0xffff))
		return fail(inflate, "a stored block's length and its complement differ");
	align(inflate);
	if (size > (size_t)(inflate->end - inflate->in))
		return fail(inflate, "the data ends early");
	while (size--)
		if (!put(inflate, *inflate->in++))
			return false;
	return true;
}

static bool fixed_codes(struct inflate *inflate)
{
	uint8_t lengths[HUFFMAN_SYMBOLS];

	memset(lengths, 8, sizeof(lengths));
	memset(lengths + 144, 9, 256 - 144);
	memset(lengths + 256, 7, 280 - 256);
	make_code(&inflate->literals, lengths, HUFFMAN_SYMBOLS, true);
	memset(lengths, 5, 32);
	make_code(&inflate->distances, lengths, 32, true);
	return true;
}

/* The lengths of both codes, themselves coded: RFC 1951 3.2.7. */
static bool read_lengths(struct inflate *inflate, uint8_t *lengths, unsigned total)
{
	unsigned symbol, again, i = 0;
	uint8_t value;

	while (i < total) {
		symbol = decode(inflate, &inflate->literals);
		if (inflate->error)
			return false;
		if (symbol < 16) {
			lengths[i++] = (uint8_t)symbol;
			continue;
		}
		if (symbol == 16 && !i)
			return fail(inflate, "a length repeated before the first one");
		value = symbol == 16 ? lengths[i - 1] : 0;
		again = symbol == 16   ? 3 + take(inflate, 2)
			: symbol == 17 ? 3 + take(inflate, 3)
				       : 11 + take(inflate, 7);
		if (inflate->error)
			return false;
		if (again > total - i)
			return fail(inflate, "more code lengths than codes");
		memset(lengths + i, value, again);
		i += again;
	}
	return true;
}

static bool given_codes(struct inflate *inflate)
{
	static const uint8_t order[CODE_LENGTHS] = {
		16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
	unsigned literals = 257 + take(inflate, 5), distances = 1 + take(inflate, 5);
	unsigned given = 4 + take(inflate, 4);
	uint8_t lengths[286 + DISTANCES] = {0};

	if (literals > 286 || distances > DISTANCES)
		return fail(inflate, "more symbols than there are");
	for (unsigned i = 0; i < given; i++)
		lengths[order[i]] = (uint8_t)take(inflate, 3);
	if (inflate->error)
		return false;
	if (!make_code(&inflate->literals, lengths, CODE_LENGTHS, true))
		return fail(inflate, "a bad code for the code lengths");
	if (!read_lengths(inflate, lengths, literals + distances))
		return false;
	if (!lengths[END_OF_BLOCK])
		return fail(inflate, "no code for the end of the block");
	if (!make_code(&inflate->literals, lengths, literals, false))
		return fail(inflate, "a bad code for literals and lengths");
	if (!make_code(&inflate->distances, lengths + literals, distances, false))
		return fail(inflate, "a bad code for distances");
	return true;
}

static bool match(struct inflate *inflate, unsigned symbol)
{
	static const uint16_t lengths[LENGTHS] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23,
		27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
	static const uint8_t length_bits[LENGTHS] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2,
		3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
	static const uint16_t distances[DISTANCES] = {1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65,
		97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289,
		16385, 24577};
	unsigned length, distance;

	symbol -= END_OF_BLOCK + 1;
	if (symbol >= LENGTHS)
		return fail(inflate, "a length symbol without a meaning");
	length = lengths[symbol] + take(inflate, length_bits[symbol]);
	symbol = decode(inflate, &inflate->distances);
	if (inflate->error)
		return false;
	if (symbol >= DISTANCES)
		return fail(inflate, "a distance symbol without a meaning");
	distance = distances[symbol] + take(inflate, symbol < 4 ? 0 : symbol / 2 - 1);
	return !inflate->error && put_match(inflate, length, distance);
}

static bool coded_block(struct inflate *inflate)
{
	unsigned symbol;

	for (;;) {
		symbol = decode(inflate, &inflate->literals);
		if (inflate->error)
			return false;
		if (symbol == END_OF_BLOCK)
			return true;
		if (symbol < END_OF_BLOCK ? !put(inflate, (uint8_t)symbol)
					  : !match(inflate, symbol))
			return false;
	}
}

static bool inflate_blocks(struct inflate *inflate)
{
	unsigned last, kind;
	bool well;

	do {
		last = take(inflate, 1);
		kind = take(inflate, 2);
		if (inflate->error)
			return false;
		if (kind == 3)
			return fail(inflate, "a block of a kind that does not exist");
		if (kind == 0)
			well = stored_block(inflate);
		else
			well = (kind == 1 ? fixed_codes(inflate) : given_codes(inflate)) &&
			       coded_block(inflate);
	} while (well && !last);
	align(inflate);
	return well && flush(inflate, inflate->produced % INFLATE_WINDOW);
}

/* ---- The member ---- */

static bool skip_bytes(struct inflate *inflate, size_t count)
{
	if (count > (size_t)(inflate->end - inflate->in))
		return fail(inflate, "the header ends early");
	inflate->in += count;
	return true;
}

static bool skip_string(struct inflate *inflate)
{
	const uint8_t *nul = memchr(inflate->in, 0, (size_t)(inflate->end - inflate->in));

	return nul ? skip_bytes(inflate, (size_t)(nul - inflate->in) + 1)
		   : fail(inflate, "the header ends early");
}

static bool gzip_header(struct inflate *inflate)
{
	const uint8_t *start = inflate->in;
	uint32_t crc;
	uint8_t flags;

	if (!skip_bytes(inflate, GZIP_HEADER))
		return false;
	if (start[0] != 0x1f || start[1] != 0x8b)
		return fail(inflate, "no gzip file");
	if (start[2] != METHOD_DEFLATE)
		return fail(inflate, "a method other than deflate");
	flags = start[3];
	if (flags & FLAGS_RESERVED)
		return fail(inflate, "header flags without a meaning");
	if (flags & FLAG_EXTRA) {
		if (!skip_bytes(inflate, 2) ||
			!skip_bytes(inflate, (size_t)(inflate->in[-2] | inflate->in[-1] << 8)))
			return false;
	}
	if (((flags & FLAG_NAME) && !skip_string(inflate)) ||
		((flags & FLAG_COMMENT) && !skip_string(inflate)))
		return false;
	if (flags & FLAG_HEADER_CRC) {
		crc = ~crc_update(inflate, UINT32_MAX, start, (size_t)(inflate->in - start));
		if (!skip_bytes(inflate, 2))
			return false;
		if ((inflate->in[-2] | inflate->in[-1] << 8) != (int)(crc & 0xffff))
			return fail(inflate, "the header's check value is wrong");
	}
	return true;
}

static bool gzip_trailer(struct inflate *inflate)
{
	uint32_t crc = take(inflate, 32), size = take(inflate, 32);

	if (inflate->error)
		return false;
	align(inflate);
	if (crc != ~inflate->crc)
		return fail(inflate, "the data's check value is wrong");
	return size == (uint32_t)inflate->produced || fail(inflate, "the data's length is wrong");
}

struct gunzip_result gunzip(
	struct inflate *inflate, const void *in, uint64_t size, inflate_sink *sink, void *context)
{
	inflate->in = in;
	inflate->end = inflate->in + size;
	inflate->bits = 0;
	inflate->bit_count = 0;
	inflate->error = NULL;
	inflate->sink = sink;
	inflate->context = context;
	inflate->produced = 0;
	crc_start(inflate);
	if (gzip_header(inflate) && inflate_blocks(inflate))
		gzip_trailer(inflate);
	return (struct gunzip_result){.used = (uint64_t)(inflate->in - (const uint8_t *)in),
		.produced = inflate->produced,
		.error = inflate->error};
}
