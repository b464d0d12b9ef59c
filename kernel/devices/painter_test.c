/* SPDX-License-Identifier: MIT */
/*
 * The painter into memory of odd pitch and various masks, against a reference that computes each
 * pixel alone from the model, the font and the masks. Between updates the pixels are scribbled
 * over: what did not change must keep the scribble (only changed cells are painted), what changed
 * must be right (nothing was read back), and bytes outside of the lines must never change.
 */
#include "devices/painter.h"
#include "lib/check.h"

struct layout {
	unsigned width, height, gap; /* gap: bytes after each line */
	uint32_t red, green, blue;
};

static const struct layout layouts[] = {
	{160, 64, 0, 0xff0000, 0xff00, 0xff},
	{163, 70, 5, 0xff, 0xff00, 0xff0000},
	{171, 65, 3, 0xff000000, 0xff0000, 0xff00},
	{168, 64, 1024, 0x3ff00000, 0xffc00, 0x3ff},
	{165, 64, 1, 0xf800, 0x7e0, 0x1f},
};

/* A wide font of our own: 12x4, its rows in two bytes. */
static const uint8_t wide_bitmaps[] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0x81, 0x10, 0xff, 0xf0, 0x00, 0x10, 0xa5, 0xa0};
static const struct font_map wide_map[] = {{' ', 0}, {'?', 1}};
static const struct font wide_font = {.width = 12,
	.height = 4,
	.row_bytes = 2,
	.glyph_count = 2,
	.map_count = 2,
	.bitmaps = wide_bitmaps,
	.map = wide_map};

#define CANARY 0xc5

static struct painter painter;
static struct screen screen;
static uint8_t *pixels;
static size_t pixels_size;

static unsigned component(uint32_t mask, unsigned intensity)
{
	unsigned shift = (unsigned)__builtin_ctz(mask);
	double top = mask >> shift;

	return (unsigned)((double)intensity * top / 255 + 0.5) << shift;
}

static uint32_t rgb(const struct layout *layout, unsigned red, unsigned green, unsigned blue)
{
	return component(layout->red, red) | component(layout->green, green) |
	       component(layout->blue, blue);
}

static uint32_t colour(const struct layout *layout, unsigned ansi)
{
	static const unsigned steps[] = {0, 95, 135, 175, 215, 255};

	if (ansi >= 232)
		return rgb(layout, 8 + (ansi - 232) * 10, 8 + (ansi - 232) * 10,
			8 + (ansi - 232) * 10);
	if (ansi >= 16)
		return rgb(layout, steps[(ansi - 16) / 36], steps[(ansi - 16) / 6 % 6],
			steps[(ansi - 16) % 6]);
	/* brown instead of dark yellow; bright ones 0x55 more */
	unsigned base = ansi & 8 ? 0x55 : 0, on = 0xaa;
	unsigned red = base + (ansi & 1 ? on : 0), blue = base + (ansi & 4 ? on : 0);
	unsigned green = base + (ansi == 3 ? 0x55 : ansi & 2 ? on : 0);

	return rgb(layout, red, green, blue);
}

static unsigned reference_glyph(const struct font *font, unsigned character)
{
	for (unsigned i = 0; i < font->map_count; i++) {
		if (font->map[i].character == character)
			return font->map[i].glyph;
	}
	return character == '?'      ? 0
	       : character == 0xfffd ? reference_glyph(font, '?')
				     : reference_glyph(font, 0xfffd);
}

static uint32_t pixel_at(unsigned x, unsigned y)
{
	uint32_t pixel;

	memcpy(&pixel, pixels + y * painter.pitch + x * 4, 4);
	return pixel;
}

static bool is_cursor(unsigned column, unsigned row)
{
	return column == screen.pen.x && row == screen.pen.y && !screen.cursor_hidden &&
	       !screen.view;
}

static unsigned font_lines(void)
{
	return painter.font->height < 32 ? 1 : painter.font->height / 16;
}

static uint32_t expected_pixel(const struct layout *layout, unsigned x, unsigned y)
{
	const struct font *font = painter.font;
	unsigned column = x / font->width, row = y / font->height;
	struct cell cell;
	unsigned bit = x % font->width;
	const uint8_t *bits;
	bool on;

	if (column >= screen.columns || row >= screen.rows)
		return colour(layout, 0);
	cell = *screen_cell(&screen, column, row);
	bits = font->bitmaps +
	       (reference_glyph(font, cell.character) * font->height + y % font->height) *
		       font->row_bytes;
	on = bits[bit / 8] >> (7 - bit % 8) & 1;
	if (is_cursor(column, row))
		on = !on;
	if (cell.underline && y % font->height >= font->height - 1 - font_lines() &&
		y % font->height < font->height - 1u)
		on = !is_cursor(column, row);
	return colour(layout, on ? cell.foreground : cell.background);
}

static void check_canaries(void)
{
	for (unsigned y = 0; y < painter.height; y++) {
		for (size_t i = painter.width * 4; i < painter.pitch; i++) {
			if (y * painter.pitch + i < pixels_size)
				CHECK_EQUAL(pixels[y * painter.pitch + i], CANARY);
		}
	}
}

static void check_all(const struct layout *layout)
{
	for (unsigned y = 0; y < painter.height; y++) {
		for (unsigned x = 0; x < painter.width; x++)
			CHECK_EQUAL(pixel_at(x, y), expected_pixel(layout, x, y));
	}
	check_canaries();
}

static void start(const struct layout *layout, const struct font *font)
{
	unsigned columns = layout->width / font->width, rows = layout->height / font->height;
	size_t count = (size_t)columns * rows;
	uint8_t *cells = malloc(count * sizeof(struct cell) + screen_memory(columns, rows, 2));

	painter = (struct painter){.width = layout->width,
		.height = layout->height,
		.pitch = layout->width * 4 + layout->gap,
		.font = font};
	/* exactly what belongs to it: the last line has no gap */
	pixels_size = painter.pitch * (layout->height - 1) + layout->width * 4;
	pixels = malloc(pixels_size);
	CHECK(pixels && cells);
	memset(pixels, CANARY, pixels_size);
	painter.pixels = pixels;
	painter.painted = (struct cell *)cells;
	screen_init(&screen, cells + count * sizeof(struct cell), columns, rows, 2);
	painter_init(&painter, layout->red, layout->green, layout->blue);
	painter_clear(&painter, &screen);
}

static void stop(void)
{
	free(painter.painted);
	free(pixels);
}

static void say(const char *text)
{
	screen_write(&screen, text, strlen(text));
	painter_update(&painter, &screen);
}

static void test_layout(const struct layout *layout, const struct font *font)
{
	static const char *const texts[] = {"", "plain text, ~ {} |",
		"\r\n\x1b[1;33mwarn \x1b[41m red",
		"\x1b[0m\r\n\xc3\xa9\xe2\x94\x80\xe2\x99\xa6 \xe4\xb8\x80", "\x1b[7minverse\x1b[m",
		"\r\n1\r\n2\r\n3\r\n4\r\n5", "\x1b[44m\x1b[2J\x1b[Hblue", "\x1b[?25l.",
		"\x1b[m\x1b[?25h",
		"\x1b[4munder line\x1b[24m\x1b[38;5;208;48;5;17mx\x1b[38;5;250my\x1b[m",
		"\x1b[1;31m\r\n\r\n\r\n\r\n\r\nend"};

	start(layout, font);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		say(texts[i]);
		check_all(layout);
	}
	screen_look(&screen, 2);
	painter_update(&painter, &screen);
	check_all(layout);
	screen_look(&screen, -2);
	painter_update(&painter, &screen);
	check_all(layout);
	stop();
}

static void test_palette(void)
{
	struct layout layout = layouts[0];

	start(&layout, &font_regular);
	say("\x1b[31mred\x1b[32mgreen");
	say("\x1b]P155ff55"); /* 1 becomes what 10 is */
	CHECK_EQUAL(painter.palette[1], painter.palette[10]);
	for (unsigned y = 0; y < 16; y++) {
		for (unsigned x = 0; x < 24; x++)
			CHECK(pixel_at(x, y) == 0 || pixel_at(x, y) == colour(&layout, 10));
	}
	say("\x1b]R");
	check_all(&layout);
	say("\x1b[?5h");
	CHECK_EQUAL(pixel_at(159, 63), colour(&layout, 7));
	say("\x1b[?5l");
	check_all(&layout);
	stop();
}

#define SCRIBBLE 0x5eadbeefu

static void scribble(void)
{
	for (unsigned y = 0; y < painter.height; y++) {
		for (unsigned x = 0; x < painter.width; x++) {
			uint32_t pixel = SCRIBBLE;

			memcpy(pixels + y * painter.pitch + x * 4, &pixel, 4);
		}
	}
}

static unsigned painted_pixels; /* as painted_cells found */

/* The cells of which an update painted something, by the scribble that is gone; what was painted must be right. */
static unsigned painted_cells(const struct layout *layout)
{
	unsigned painted = 0, width = painter.font->width, height = painter.font->height;

	painted_pixels = 0;
	for (unsigned row = 0; row < screen.rows; row++) {
		for (unsigned column = 0; column < screen.columns; column++) {
			unsigned left = 0;

			for (unsigned i = 0; i < width * height; i++) {
				unsigned x = column * width + i % width,
					 y = row * height + i / width;

				if (pixel_at(x, y) == SCRIBBLE)
					left++;
				else
					CHECK_EQUAL(pixel_at(x, y), expected_pixel(layout, x, y));
			}
			painted += left < width * height;
			painted_pixels += width * height - left;
		}
	}
	check_canaries();
	return painted;
}

static void test_only_changes(void)
{
	const struct layout *layout = &layouts[1];

	start(layout, &font_regular);
	say("line one\r\nline two\r\nx");
	scribble();
	painter_update(&painter, &screen);
	CHECK_EQUAL(painted_cells(layout), 1); /* the cursor */
	say("abc");
	CHECK_EQUAL(painted_cells(layout), 4); /* three, and the cursor's new place */
	scribble();
	say("\rxabc");
	CHECK_EQUAL(painted_cells(layout), 1);
	scribble();
	say("\r\n\r\n"); /* scrolls: "line one" gives way to "line two": 3 of 7 letters differ */
	CHECK(painted_cells(layout) <= 20);
	stop();
}

/* Of a letter that follows another in the same colours, the rows of pixels in which they differ. */
static void test_difference(void)
{
	const struct layout *layout = &layouts[1];
	const uint8_t *old = font_regular.bitmaps + font_glyph(&font_regular, 'c') * 16u;
	const uint8_t *new = font_regular.bitmaps + font_glyph(&font_regular, 'e') * 16u;
	unsigned rows = 0;

	for (unsigned y = 0; y < 16; y++)
		rows += old[y] != new[y];
	CHECK(rows > 0 && rows < 16);
	start(layout, &font_regular);
	say("\x1b[?25lc");
	scribble();
	say("\re");
	CHECK_EQUAL(painted_cells(layout), 1);
	CHECK_EQUAL(painted_pixels, rows * 8);
	scribble();
	say("\r\x1b[31me");
	CHECK_EQUAL(painted_cells(layout), 1);
	CHECK_EQUAL(painted_pixels, 16 * 8);
	stop();
}

/* A step paints a row at most, however much has changed, and what comes in between is painted too. */
static void test_steps(void)
{
	const struct layout *layout = &layouts[1];
	unsigned steps = 0;
	bool more;

	start(layout, &font_regular);
	say("\x1b[?25l"); /* the cursor comes with the last step */
	screen_write(&screen, "\x1b[41m\x1b[2J", 9);
	do {
		scribble();
		more = painter_step(&painter, &screen);
		CHECK(painted_cells(layout) <= screen.columns);
		if (++steps == 2)
			screen_write(&screen, "\x1b[Hagain", 8);
	} while (more);
	CHECK(steps > screen.rows && steps <= 2 * screen.rows + 1);
	stop();
}

static void test_glyphs(void)
{
	static const unsigned characters[] = {
		' ', '~', '?', 0xe9, 0x2500, 0xfffd, 0x4e00, 0, 0xffff};

	for (size_t i = 0; i < ARRAY_SIZE(characters); i++)
		CHECK_EQUAL(font_glyph(&font_regular, characters[i]),
			reference_glyph(&font_regular, characters[i]));
	for (unsigned i = 0; i < font_regular.map_count; i++)
		CHECK_EQUAL(font_glyph(&font_regular, font_regular.map[i].character),
			font_regular.map[i].glyph);
	CHECK_EQUAL(font_glyph(&wide_font, 'x'), 1);
	CHECK_EQUAL(font_regular.width, 8);
	CHECK_EQUAL(font_regular.height, 16);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		test_layout(&layouts[i], &font_regular);
		test_layout(&layouts[i], &wide_font);
	}
	test_palette();
	test_only_changes();
	test_difference();
	test_steps();
	test_glyphs();
	return check_done();
}
