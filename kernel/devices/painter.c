/* SPDX-License-Identifier: MIT */
/*
 * Painting the screen model into a framebuffer that is slow to write and never read.
 *
 * `painted` keeps what each place on screen shows. An update compares it with the model in the rows
 * that changed and paints only the cells that differ: after a scroll, the blank parts of the lines
 * cost a comparison. The cursor is the cell under it with its colours exchanged.
 *
 * Where one character follows another in the same colours, only those rows of pixels go out in which the two
 * differ: for two letters that is half of them. A glyph's row goes out as 64-bit stores of two pixels. The pixels of all sixteen patterns of four
 * bits are made once for a pair of colours and kept for the next cell. Fonts are a multiple of four
 * pixels wide.
 */
#include "devices/painter.h"

#define CLEAR_LINES 16u /* in a step */

/* The framebuffer's lines need not begin at a multiple of eight bytes. */
typedef uint64_t pixel_pair __attribute__((aligned(1), may_alias));

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

static uint32_t pixel_of(const struct painter *painter, uint32_t rgb)
{
	return scale(rgb >> 16 & 255, painter->red) | scale(rgb >> 8 & 255, painter->green) |
	       scale(rgb & 255, painter->blue);
}

/* One of the colours above 15: xterm's cube of 6x6x6, then 24 greys. 0xRRGGBB. */
static uint32_t fixed_colour(unsigned number)
{
	unsigned grey = 8 + 10 * (number - 232), at = number - 16;
	unsigned red = at / 36, green = at / 6 % 6, blue = at % 6;

	if (number >= 232)
		return grey << 16 | grey << 8 | grey;
	return (red ? 55 + 40 * red : 0) << 16 | (green ? 55 + 40 * green : 0) << 8 |
	       (blue ? 55 + 40 * blue : 0);
}

static void set_palette(struct painter *painter, const uint32_t palette[16])
{
	for (unsigned i = 0; i < 16; i++)
		painter->palette[i] = pixel_of(painter, palette[i]);
	painter->pair = -1;
}

void painter_init(struct painter *painter, uint32_t red, uint32_t green, uint32_t blue)
{
	painter->red = red;
	painter->green = green;
	painter->blue = blue;
	for (unsigned i = 16; i < 256; i++)
		painter->palette[i] = pixel_of(painter, fixed_colour(i));
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

void painter_clear(struct painter *painter, struct screen *screen)
{
	size_t count = (size_t)screen->columns * screen->rows;
	struct cell blank = {.character = ' ',
		.foreground = SCREEN_DEFAULT_FOREGROUND,
		.background = SCREEN_DEFAULT_BACKGROUND};

	set_palette(painter, screen->palette);
	screen->palette_changed = false;
	painter->cleared = 0;
	for (size_t i = 0; i < count; i++)
		painter->painted[i] = blank;
	screen_touch_all(screen);
}

static void clear_lines(struct painter *painter)
{
	for (unsigned i = 0; i < CLEAR_LINES && painter->cleared < painter->height; i++)
		fill_line(painter->pixels + painter->cleared++ * painter->pitch, painter->width,
			painter->palette[0]);
}

/* No cell of a screen has the character 0. */
void painter_forget(struct painter *painter, const struct screen *screen)
{
	size_t count = (size_t)screen->columns * screen->rows;

	for (size_t i = 0; i < count; i++)
		painter->painted[i] = (struct cell){0};
}

static void expand(struct painter *painter, struct cell cell)
{
	uint32_t foreground = painter->palette[cell.foreground];
	uint32_t background = painter->palette[cell.background];
	int pair = cell.foreground | cell.background << 8;

	if (painter->pair == pair)
		return;
	painter->pair = pair;
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

/* Eight wide, a multiple of eight rows: those in which the glyph differs from the one that is there. */
static void paint_difference(
	const struct painter *painter, uint8_t *to, const uint8_t *old, const uint8_t *bitmap)
{
	const uint8_t *end = bitmap + painter->font->height;
	size_t pitch = painter->pitch;

	while (bitmap < end) {
#pragma GCC unroll 8
		for (unsigned y = 0; y < 8; y++, to += pitch) {
			unsigned bits = bitmap[y];

			if (bits == old[y])
				continue;
			paint_four(painter, (pixel_pair *)to, bits & 0xf0);
			paint_four(painter, (pixel_pair *)to + 2, bits << 4 & 0xf0);
		}
		bitmap += 8;
		old += 8;
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

/* One line, or two with a large font, near the foot of the cell. */
static void paint_underline(const struct painter *painter, uint8_t *to)
{
	unsigned thick = painter->font->height / 16 ? painter->font->height / 16 : 1;
	unsigned y = painter->font->height - 1 - thick;

	for (; thick; thick--, y++) {
		for (unsigned x = 0; x < painter->font->width; x += 4)
			paint_four(painter, (pixel_pair *)(to + y * painter->pitch + x * 4), 0xf0);
	}
}

static inline const uint8_t *bitmap_of(const struct painter *painter, unsigned character)
{
	const struct font *font = painter->font;
	unsigned glyph = character < ARRAY_SIZE(painter->ascii) ? painter->ascii[character]
								: font_glyph(font, character);

	return font->bitmaps + (size_t)glyph * font->height * font->row_bytes;
}

static void paint_cell(struct painter *painter, uint8_t *to, struct cell cell)
{
	const uint8_t *bitmap;

	if (cell.character == ' ' && !cell.underline) {
		paint_blank(painter, to, painter->palette[cell.background]);
		return;
	}
	expand(painter, cell);
	bitmap = bitmap_of(painter, cell.character);
	if (painter->font->width == 8)
		paint_eight_wide(painter, to, bitmap);
	else
		paint_wide(painter, to, bitmap);
	if (cell.underline)
		paint_underline(painter, to);
}

static uint64_t as_word(struct cell cell)
{
	uint64_t word;

	__builtin_memcpy(&word, &cell, sizeof(word));
	return word;
}

/* What is at a place on screen becomes another cell. Most are text in the same colours: what comes after the
 * character is the same then. */
static inline void repaint_cell(
	struct painter *painter, uint8_t *to, struct cell old, struct cell cell)
{
	bool colours = !((as_word(old) ^ as_word(cell)) >> 16) && old.character && !cell.underline;

	if (!colours || painter->font->width != 8 || painter->font->height & 7) {
		paint_cell(painter, to, cell);
		return;
	}
	expand(painter, cell);
	paint_difference(
		painter, to, bitmap_of(painter, old.character), bitmap_of(painter, cell.character));
}

static uint8_t *pixels_at(const struct painter *painter, unsigned column, unsigned row)
{
	return painter->pixels + (size_t)row * painter->font->height * painter->pitch +
	       (size_t)column * painter->font->width * 4;
}

/* Do two cells look the same? */
static bool same(struct cell a, struct cell b)
{
	if (a.character == ' ' && b.character == ' ' && !a.underline && !b.underline)
		return a.background == b.background; /* the foreground does not show */
	return as_word(a) == as_word(b);
}

static struct cell exchanged(struct cell cell)
{
	uint8_t foreground = cell.foreground;

	cell.foreground = cell.background;
	cell.background = foreground;
	return cell;
}

static void update_row(struct painter *painter, const struct screen *screen, unsigned row)
{
	struct cell *painted = &painter->painted[(size_t)row * screen->columns];
	const struct cell *from = screen_cell(screen, 0, row), *end = from + screen->columns;
	uint8_t *line = pixels_at(painter, 0, row), *to;
	unsigned step = painter->font->width * 4;
	bool inverse = screen->inverse_screen;

	for (const struct cell *first = from; from < end; painted++, from++) {
		struct cell cell = *from;

		if (!inverse && as_word(*painted) == as_word(cell)) /* most, and quickly told */
			continue;
		if (inverse)
			cell = exchanged(cell);
		to = line + (size_t)(from - first) * step;
		if (!same(*painted, cell))
			repaint_cell(painter, to, *painted, cell);
		*painted = cell;
	}
}

/* The cursor's place was painted as the model has it; `painted` is told what it shows instead, so
 * that the next update of that row puts it right. */
static void paint_cursor(struct painter *painter, struct screen *screen)
{
	unsigned x = screen->pen.x, y = screen->pen.y;
	struct cell cell = *screen_cell(screen, x, y);

	if (!screen->inverse_screen)
		cell = exchanged(cell);
	paint_cell(painter, pixels_at(painter, x, y), cell);
	painter->painted[(size_t)y * screen->columns + x] = cell;
}

bool painter_step(struct painter *painter, struct screen *screen)
{
	if (painter->cleared < painter->height) {
		clear_lines(painter);
		return true;
	}
	if (screen->palette_changed) {
		screen->palette_changed = false;
		set_palette(painter, screen->palette);
		painter_forget(painter, screen);
		screen_touch_all(screen);
		return true;
	}
	if (screen->changed_first < screen->changed_end) {
		update_row(painter, screen, screen->changed_first++);
		return true;
	}
	screen->changed_first = screen->rows;
	screen->changed_end = 0;
	if (screen_shows_cursor(screen)) {
		paint_cursor(painter, screen);
		screen->changed_first = screen->pen.y;
		screen->changed_end = screen->pen.y + 1;
	}
	return false;
}

void painter_update(struct painter *painter, struct screen *screen)
{
	while (painter_step(painter, screen))
		;
}
