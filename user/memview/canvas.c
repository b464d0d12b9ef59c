/* SPDX-License-Identifier: MIT */
/* The grid of letters, and showing it in a terminal: only what differs from what is there is written. */
#include "canvas.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_MAX 1024
#define ROWS_MAX    512
/* The longest that one cell can become: a move, both colours, the letter. */
#define CELL_BYTES 64u
/* Around each picture ("synchronised output"): a terminal that knows them shows none that is half there; Linux's console
 * and others pass over them. */
#define PICTURE_BEGIN "\033[?2026h"
#define PICTURE_END   "\033[?2026l"

int canvas_resize(struct canvas *canvas, int columns, int rows)
{
	size_t count;
	struct cell *cells;

	columns = columns < 1 ? 1 : columns > COLUMNS_MAX ? COLUMNS_MAX : columns;
	rows = rows < 1 ? 1 : rows > ROWS_MAX ? ROWS_MAX : rows;
	count = (size_t)columns * (size_t)rows;
	cells = calloc(2 * count, sizeof *cells);
	if (!cells)
		return -1;
	free(canvas->cells);
	*canvas = (struct canvas){columns, rows, cells, cells + count};
	return 0;
}

void canvas_free(struct canvas *canvas)
{
	free(canvas->cells);
	*canvas = (struct canvas){0};
}

void canvas_clear(struct canvas *canvas)
{
	for (int i = 0; i < canvas->columns * canvas->rows; i++)
		canvas->cells[i] = (struct cell){INK, PAPER, ' ', STYLE_TEXT, 0};
}

void canvas_put(struct canvas *canvas, int row, int column, struct cell cell)
{
	if (row >= 0 && row < canvas->rows && column >= 0 && column < canvas->columns)
		canvas->cells[row * canvas->columns + column] = cell;
}

int canvas_text(struct canvas *canvas, int row, int column, uint32_t ink, const char *format, ...)
{
	char text[COLUMNS_MAX + 1];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	for (const char *at = text; *at; at++)
		canvas_put(canvas, row, column++,
			(struct cell){
				ink, PAPER, *at < ' ' || *at > '~' ? '?' : *at, STYLE_TEXT, 0});
	return column;
}

uint32_t colour_mix(uint32_t one, uint32_t other, unsigned parts)
{
	uint32_t mixed = 0;

	for (unsigned shift = 0; shift < 24; shift += 8) {
		uint32_t a = one >> shift & 0xff, b = other >> shift & 0xff;

		mixed |= (a * parts + b * (256 - parts)) / 256 << shift;
	}
	return mixed;
}

/* ---- A terminal ---- */

/* The nearest of xterm's 256 colours: its cube of six steps a colour, or its greys. */
static unsigned colour_256(uint32_t colour)
{
	static const uint8_t steps[6] = {0, 95, 135, 175, 215, 255};
	unsigned part[3], cube = 16, far = 0, grey, grey_far = 0;

	for (unsigned i = 0; i < 3; i++) {
		unsigned best = 0;
		int value = (int)(colour >> (16 - 8 * i) & 0xff);

		part[i] = (unsigned)value;
		for (unsigned step = 1; step < 6; step++)
			if (abs(steps[step] - value) < abs(steps[best] - value))
				best = step;
		cube += best * (i == 0 ? 36 : i == 1 ? 6 : 1);
		far += (unsigned)((steps[best] - value) * (steps[best] - value));
	}
	grey = (part[0] + part[1] + part[2]) / 3;
	grey = grey < 8 ? 0 : grey > 238 ? 23 : (grey - 8 + 5) / 10;
	for (unsigned i = 0; i < 3; i++) {
		int off = (int)(8 + 10 * grey) - (int)part[i];

		grey_far += (unsigned)(off * off);
	}
	return grey_far < far ? 232 + grey : cube;
}

static int write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t got = write(fd, bytes, size);

		if (got < 0 && errno != EINTR)
			return -1;
		if (got > 0) {
			bytes += got;
			size -= (size_t)got;
		}
	}
	return 0;
}

static int write_string(int fd, const char *text)
{
	return write_all(fd, text, strlen(text));
}

int terminal_begin(int fd)
{
	return write_string(fd, "\033[0m\033[2J\033[?25l");
}

void terminal_end(int fd)
{
	write_string(fd, "\033[0m\033[2J\033[H\033[?25h");
}

void terminal_size(int fd, int *columns, int *rows)
{
	struct winsize size;

	*columns = 80;
	*rows = 24;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row) {
		*columns = size.ws_col;
		*rows = size.ws_row;
	}
}

/* Where the terminal stands while a picture is being sent. */
struct pen {
	char *at;
	int row, column;
	uint32_t ink, paper;
	bool coloured;
};

static void pen_put(struct pen *pen, int row, int column, const struct cell *cell)
{
	bool turned = cell->style == STYLE_CURSOR;
	uint32_t ink = turned ? 0x000000 : cell->ink, paper = turned ? 0xffffff : cell->paper;

	if (pen->row != row || pen->column != column)
		pen->at += sprintf(pen->at, "\033[%d;%dH", row + 1, column + 1);
	if (!pen->coloured || pen->ink != ink || pen->paper != paper)
		pen->at += sprintf(
			pen->at, "\033[38;5;%u;48;5;%um", colour_256(ink), colour_256(paper));
	*pen->at++ = cell->letter;
	*pen = (struct pen){pen->at, row, column + 1, ink, paper, true};
}

int terminal_show(int fd, struct canvas *canvas)
{
	/* The last cell of the last row would scroll some terminals. */
	int count = canvas->columns * canvas->rows - 1, result;
	char *bytes = malloc((size_t)(count + 1) * CELL_BYTES);
	struct pen pen = {.at = bytes, .row = -1};

	if (!bytes)
		return -1;
	pen.at = stpcpy(pen.at, PICTURE_BEGIN);
	for (int i = 0; i < count; i++) {
		if (!memcmp(&canvas->cells[i], &canvas->shown[i], sizeof *canvas->cells))
			continue;
		pen_put(&pen, i / canvas->columns, i % canvas->columns, &canvas->cells[i]);
		canvas->shown[i] = canvas->cells[i];
	}
	pen.at = stpcpy(pen.at, PICTURE_END);
	result = pen.row < 0 ? 0 : write_all(fd, bytes, (size_t)(pen.at - bytes));
	free(bytes);
	return result;
}
