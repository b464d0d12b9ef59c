/* SPDX-License-Identifier: MIT */
/*
 * Showing the grid on /dev/fb0, with the console's own font. Cells that have changed are drawn into a strip of one
 * row's height, which is written scan line by scan line: nothing is ever read from the framebuffer. The virtual
 * terminal in front is in graphics mode meanwhile, so that the kernel's text does not come between.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <linux/kd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "canvas.h"
#include "devices/font.h"

#define WIDE 2560u /* pixels, from which on the large font is legible */

struct screen {
	int fd;
	struct fb_var_screeninfo mode;
	uint32_t line; /* bytes of a scan line */
	const struct font *font;
	uint32_t *strip; /* a row of cells */
};

/* ---- Opening ---- */

/* The terminal in front is not kept open: its keys would be its own then, and not the console's. */
static void set_console(int mode)
{
	int fd = open("/dev/tty0", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0) {
		ioctl(fd, KDSETMODE, mode);
		close(fd);
	}
}

static int open_mode(struct screen *screen, const char *path)
{
	struct fb_fix_screeninfo fixed;

	screen->fd = open(path, O_RDWR | O_CLOEXEC);
	if (screen->fd < 0)
		return -1;
	if (ioctl(screen->fd, FBIOGET_VSCREENINFO, &screen->mode) < 0 ||
		ioctl(screen->fd, FBIOGET_FSCREENINFO, &fixed) < 0)
		return -1;
	screen->line = fixed.line_length;
	screen->font = screen->mode.xres >= WIDE ? &font_large : &font_regular;
	screen->strip = malloc((size_t)screen->mode.xres * screen->font->height * 4);
	if (!screen->strip)
		return -1;
	errno = ENOTSUP;
	return screen->mode.bits_per_pixel == 32 ? 0 : -1;
}

static uint32_t pixel_of(const struct screen *screen, uint32_t colour)
{
	return (colour >> 16 & 0xff) << screen->mode.red.offset |
	       (colour >> 8 & 0xff) << screen->mode.green.offset |
	       (colour & 0xff) << screen->mode.blue.offset;
}

static int clear_screen(struct screen *screen)
{
	size_t size = (size_t)screen->mode.xres * 4;
	uint32_t paper = pixel_of(screen, PAPER);

	for (unsigned x = 0; x < screen->mode.xres; x++)
		screen->strip[x] = paper;
	for (unsigned y = 0; y < screen->mode.yres; y++)
		if (pwrite(screen->fd, screen->strip, size, (off_t)y * screen->line) !=
			(ssize_t)size)
			return -1;
	return 0;
}

struct screen *screen_begin(const char *path)
{
	struct screen *screen = calloc(1, sizeof *screen);
	int error;

	if (!screen)
		return NULL;
	if (open_mode(screen, path) < 0) {
		error = errno;
		screen_end(screen);
		errno = error;
		return NULL;
	}
	set_console(KD_GRAPHICS);
	if (clear_screen(screen) < 0) {
		error = errno;
		screen_end(screen);
		errno = error;
		return NULL;
	}
	return screen;
}

void screen_end(struct screen *screen)
{
	set_console(KD_TEXT);
	if (screen->fd >= 0)
		close(screen->fd);
	free(screen->strip);
	free(screen);
}

void screen_size(const struct screen *screen, int *columns, int *rows)
{
	*columns = (int)(screen->mode.xres / screen->font->width);
	*rows = (int)(screen->mode.yres / screen->font->height);
}

/* ---- Drawing ---- */

/* The console's rule (font_glyph): binary search; U+FFFD never is needed, all letters are ASCII. */
static const uint8_t *glyph_of(const struct font *font, char letter)
{
	size_t low = 0, high = font->map_count;
	unsigned glyph = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (font->map[middle].character < (unsigned char)letter) {
			low = middle + 1;
		} else {
			glyph = font->map[middle].glyph;
			high = middle;
		}
	}
	return font->bitmaps + (size_t)glyph * font->height * font->row_bytes;
}

/* A pixel of a cell: letter, paper, or what sets a tile apart. */
static uint32_t shade(const struct font *font, const struct cell *cell, const uint8_t *glyph,
	unsigned x, unsigned y)
{
	bool edge = x + 1 == font->width || y + 1 == font->height;

	if (cell->style == STYLE_CURSOR && (edge || x == 0 || y == 0))
		return 0xffffff;
	if (cell->style == STYLE_TILE && edge)
		return PAPER;
	return glyph[y * font->row_bytes + x / 8] >> (7 - x % 8) & 1 ? cell->ink : cell->paper;
}

static void draw_cell(struct screen *screen, const struct cell *cell, unsigned at, unsigned width)
{
	const struct font *font = screen->font;
	const uint8_t *glyph = glyph_of(font, cell->letter);

	for (unsigned y = 0; y < font->height; y++)
		for (unsigned x = 0; x < font->width; x++)
			screen->strip[y * width + at + x] =
				pixel_of(screen, shade(font, cell, glyph, x, y));
}

/* Cells `first` up to `end` of a row. */
static int draw_run(struct screen *screen, struct canvas *canvas, int row, int first, int end)
{
	const struct font *font = screen->font;
	unsigned width = (unsigned)(end - first) * font->width;
	size_t size = (size_t)width * 4;
	off_t at = (off_t)row * font->height * screen->line + (off_t)first * font->width * 4;

	for (int column = first; column < end; column++) {
		struct cell *cell = &canvas->cells[row * canvas->columns + column];

		draw_cell(screen, cell, (unsigned)(column - first) * font->width, width);
		canvas->shown[row * canvas->columns + column] = *cell;
	}
	for (unsigned y = 0; y < font->height; y++, at += screen->line)
		if (pwrite(screen->fd, screen->strip + (size_t)y * width, size, at) !=
			(ssize_t)size)
			return -1;
	return 0;
}

static bool is_changed(const struct canvas *canvas, int row, int column)
{
	int i = row * canvas->columns + column;

	return memcmp(&canvas->cells[i], &canvas->shown[i], sizeof *canvas->cells) != 0;
}

int screen_show(struct screen *screen, struct canvas *canvas)
{
	for (int row = 0; row < canvas->rows; row++) {
		for (int column = 0, end; column < canvas->columns; column = end) {
			end = column + 1;
			if (!is_changed(canvas, row, column))
				continue;
			while (end < canvas->columns && is_changed(canvas, row, end))
				end++;
			if (draw_run(screen, canvas, row, column, end) < 0)
				return -1;
		}
	}
	return 0;
}
