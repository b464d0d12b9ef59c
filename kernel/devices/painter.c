/* SPDX-License-Identifier: MIT */
/*
 * Painting the screen model into a framebuffer that is slow to write and never read.
 *
 * `painted` keeps what each place on screen shows. An update compares it with the model in the rows
 * that changed and paints only the cells that differ: after a scroll, the blank parts of the lines
 * cost a comparison. The cursor is the cell under it with its colours exchanged.
 *
 * A glyph's row goes out as 64-bit stores of two pixels. The pixels of all sixteen patterns of four
 * bits are made once for a pair of colours and kept for the next cell. Fonts are a multiple of four
 * pixels wide.
 */
#include "devices/painter.h"

/* The framebuffer's lines need not begin at a multiple of eight bytes. */
typedef uint64_t pixel_pair __attribute__((aligned(1), may_alias));

/* The colours of a VGA text screen, as Linux's console: 0xRRGGBB. */
static const uint32_t vga_colours[16] = {0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa,
	0x00aaaa, 0xaaaaaa, 0x555555, 0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff,
	0xffffff};

unsigned font_glyph(const struct font *font, unsigned character)
{
	static const unsigned fallbacks[] = {0xfffd, '?'};

	for (unsigned attempt = 0;; attempt++) {
		unsigned low = 0, high = font->map_count;

		while (low < high) {
			unsigned middle = (low + high) / 2;

			if (font->map[middle].character < character)
				low = middle + 1;
			else
				high = middle;
		}
		if (low < font->map_count && font->map[low].character == character)
			return font->map[low].glyph;
		if (attempt == ARRAY_SIZE(fallbacks))
			return 0;
		character = fallbacks[attempt];
	}
}

/* An intensity of 0..255 as the bits of a mask. */
static uint32_t scale(uint32_t intensity, uint32_t mask)
{
	unsigned shift;
	uint64_t top;

	if (!mask)
		return 0;
	shift = (unsigned)__builtin_ctz(mask);
	top = mask >> shift;
	return (uint32_t)((intensity * top + 127) / 255) << shift & mask;
}

void painter_init(struct painter *painter, uint32_t red, uint32_t green, uint32_t blue)
{
	for (unsigned i = 0; i < 16; i++)
		painter->palette[i] = scale(vga_colours[i] >> 16, red) |
				      scale(vga_colours[i] >> 8 & 255, green) |
				      scale(vga_colours[i] & 255, blue);
	for (unsigned i = 0; i < ARRAY_SIZE(painter->ascii); i++)
		painter->ascii[i] = (uint16_t)font_glyph(painter->font, i);
	painter->pair = -1;
}

static void fill_line(uint8_t *line, unsigned width, uint32_t pixel)
{
	pixel_pair pair = (uint64_t)pixel << 32 | pixel;
	pixel_pair *to = (pixel_pair *)line;

	for (; width >= 32; width -= 32, to += 16) {
		to[0] = to[1] = to[2] = to[3] = pair;
		to[4] = to[5] = to[6] = to[7] = pair;
		to[8] = to[9] = to[10] = to[11] = pair;
		to[12] = to[13] = to[14] = to[15] = pair;
	}
	for (; width >= 2; width -= 2)
		*to++ = pair;
	if (width)
		__builtin_memcpy(to, &pixel, sizeof(pixel));
}

void painter_clear(struct painter *painter, const struct screen *screen)
{
	size_t count = (size_t)screen->columns * screen->rows;
	struct cell blank = {
		' ', SCREEN_COLOURS(SCREEN_DEFAULT_FOREGROUND, SCREEN_DEFAULT_BACKGROUND), 0};

	for (unsigned y = 0; y < painter->height; y++)
		fill_line(
			painter->pixels + y * painter->pitch, painter->width, painter->palette[0]);
	for (size_t i = 0; i < count; i++)
		painter->painted[i] = blank;
}

static void expand(struct painter *painter, uint8_t colours)
{
	uint32_t foreground = painter->palette[colours & 15];
	uint32_t background = painter->palette[colours >> 4];

	if (painter->pair == colours)
		return;
	painter->pair = colours;
	for (unsigned pattern = 0; pattern < 16; pattern++) {
		for (unsigned bit = 0; bit < 4; bit++)
			painter->expanded[pattern][bit] =
				pattern & 8u >> bit ? foreground : background;
	}
}

static void paint_blank(const struct painter *painter, uint8_t *to, uint32_t pixel)
{
	pixel_pair pair = (uint64_t)pixel << 32 | pixel;

	for (unsigned y = 0; y < painter->font->height; y++, to += painter->pitch) {
		pixel_pair *out = (pixel_pair *)to;

		for (unsigned x = 0; x < painter->font->width; x += 4, out += 2)
			out[0] = out[1] = pair;
	}
}

/* Four pixels: `at` is the pattern times the 16 bytes that its expansion takes. */
static inline void paint_four(const struct painter *painter, pixel_pair *to, unsigned at)
{
	const pixel_pair *from = (const pixel_pair *)((const uint8_t *)painter->expanded + at);

	to[0] = from[0];
	to[1] = from[1];
}

/* The common width: one byte a row. A third of the rows of a letter are blank. */
static void paint_eight_wide(const struct painter *painter, uint8_t *to, const uint8_t *bitmap)
{
	const uint8_t *end = bitmap + painter->font->height;
	pixel_pair blank = *(const pixel_pair *)painter->expanded[0];
	size_t pitch = painter->pitch;

	for (; bitmap < end; bitmap++, to += pitch) {
		pixel_pair *out = (pixel_pair *)to;
		unsigned bits = *bitmap;

		if (!bits) {
			out[0] = out[1] = out[2] = out[3] = blank;
			continue;
		}
		paint_four(painter, out, bits & 0xf0);
		paint_four(painter, out + 2, bits << 4 & 0xf0);
	}
}

static void paint_wide(const struct painter *painter, uint8_t *to, const uint8_t *bitmap)
{
	const struct font *font = painter->font;

	for (unsigned y = 0; y < font->height;
		y++, to += painter->pitch, bitmap += font->row_bytes) {
		for (unsigned x = 0; x < font->width; x += 4)
			paint_four(painter, (pixel_pair *)(to + x * 4),
				(unsigned)bitmap[x / 8] << (x % 8) & 0xf0);
	}
}

static void paint_cell(struct painter *painter, unsigned column, unsigned row, struct cell cell)
{
	const struct font *font = painter->font;
	uint8_t *to = painter->pixels + (size_t)row * font->height * painter->pitch +
		      (size_t)column * font->width * 4;
	unsigned glyph;

	if (cell.character == ' ') {
		paint_blank(painter, to, painter->palette[cell.colours >> 4]);
		return;
	}
	expand(painter, cell.colours);
	glyph = cell.character < ARRAY_SIZE(painter->ascii) ? painter->ascii[cell.character]
							    : font_glyph(font, cell.character);
	if (font->width == 8)
		paint_eight_wide(painter, to, font->bitmaps + glyph * font->height);
	else
		paint_wide(painter, to,
			font->bitmaps + (size_t)glyph * font->height * font->row_bytes);
}

/* Do two cells look the same? */
static bool same(struct cell a, struct cell b)
{
	if (a.character == ' ' && b.character == ' ') /* its foreground does not show */
		return a.colours >> 4 == b.colours >> 4;
	return a.character == b.character && a.colours == b.colours;
}

static uint32_t as_word(const struct cell *cell)
{
	uint32_t word;

	__builtin_memcpy(&word, cell, sizeof(word));
	return word;
}

static void update_row(struct painter *painter, const struct screen *screen, unsigned row)
{
	struct cell *painted = &painter->painted[(size_t)row * screen->columns];
	const struct cell *cell = screen_cell(screen, 0, row);

	for (unsigned column = 0; column < screen->columns; column++, painted++, cell++) {
		if (as_word(painted) == as_word(cell)) /* most, and quickly told */
			continue;
		if (!same(*painted, *cell))
			paint_cell(painter, column, row, *cell);
		*painted = *cell;
	}
}

/* The cursor's place was painted as the model has it; `painted` is told what it shows instead, so
 * that the next update of that row puts it right. */
static void paint_cursor(struct painter *painter, struct screen *screen)
{
	struct cell cell = *screen_cell(screen, screen->x, screen->y);

	cell.colours = (uint8_t)(cell.colours << 4 | cell.colours >> 4);
	paint_cell(painter, screen->x, screen->y, cell);
	painter->painted[(size_t)screen->y * screen->columns + screen->x] = cell;
}

void painter_update(struct painter *painter, struct screen *screen)
{
	for (unsigned row = screen->changed_first; row < screen->changed_end; row++)
		update_row(painter, screen, row);
	screen->changed_first = screen->rows;
	screen->changed_end = 0;
	if (!screen->cursor_hidden) {
		paint_cursor(painter, screen);
		screen->changed_first = screen->y;
		screen->changed_end = screen->y + 1;
	}
}
