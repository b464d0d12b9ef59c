/* SPDX-License-Identifier: MIT */
/*
 * The grid of a terminal's screen: cells, scrolling with history, erasing, inserting, deleting.
 *
 * Lines of cells stand in one array and never move. `lines` says which of them is at each row, so
 * that scrolling any region moves numbers and blanks one line. The history is a ring of such
 * numbers: a line that leaves the screen at its top changes places with the oldest line kept, and
 * that one comes in blank at the bottom. Each line is in exactly one place of `lines`.
 *
 * The view (screen_look) shows history lines above those of the screen's top. Whatever is written
 * returns to the screen proper, as Linux's console does.
 *
 * changed_first .. changed_end says which rows on screen may differ since who paints last set them
 * to an empty range. What is erased gets the current background (back colour erase). Attributes are
 * resolved when a character is written, in Linux's order: inverse exchanges the colours, bold
 * brightens the foreground that comes of it, dim makes it grey.
 */
#include "devices/screen.h"
#include "lib/string.h"

#define TAB_WIDTH      8u
#define DIM_FOREGROUND 8u
#define LINES_MAX      60000u

/* The colours of a VGA text screen, as Linux's console: 0xRRGGBB. */
uint32_t screen_usual_palette[16] = {0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa,
	0x00aaaa, 0xaaaaaa, 0x555555, 0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff,
	0xffffff};

/* ---- Lines ---- */

static struct cell *line_cells(const struct screen *screen, unsigned line)
{
	return &screen->cells[(size_t)line * screen->columns];
}

/* A row of the screen proper, whatever the view. */
static struct cell *row_cells(const struct screen *screen, unsigned row)
{
	return line_cells(screen, screen->lines[row]);
}

struct cell *screen_cell(const struct screen *screen, unsigned column, unsigned row)
{
	unsigned at;

	if (row >= screen->view)
		return row_cells(screen, row - screen->view) + column;
	at = screen->history_start + screen->history_count - screen->view + row;
	at %= screen->history_size;
	return line_cells(screen, screen->lines[screen->rows + at]) + column;
}

struct cell *screen_own_cell(const struct screen *screen, unsigned column, unsigned row)
{
	return row_cells(screen, row) + column;
}

static void touch(struct screen *screen, unsigned first, unsigned end)
{
	if (first < screen->changed_first)
		screen->changed_first = first;
	if (end > screen->changed_end)
		screen->changed_end = end;
}

void screen_touch_all(struct screen *screen)
{
	touch(screen, 0, screen->rows);
}

bool screen_shows_cursor(const struct screen *screen)
{
	return !screen->cursor_hidden && !screen->view;
}

void screen_look(struct screen *screen, int lines)
{
	int64_t view = (int64_t)screen->view + lines;

	if (view < 0)
		view = 0;
	if (view > screen->history_count)
		view = screen->history_count;
	if (view == screen->view)
		return;
	screen->view = (unsigned)view;
	screen_touch_all(screen);
}

void screen_forget_history(struct screen *screen)
{
	screen->history_count = screen->history_start = 0;
	screen_look(screen, -(int)screen->view);
}

/* ---- Attributes ---- */

/* A blank or, with `character`, what is written next. */
static struct cell pen_cell(const struct screen *screen, unsigned character)
{
	const struct screen_pen *pen = &screen->pen;
	struct cell cell = {.character = (uint16_t)character,
		.foreground = pen->foreground,
		.background = pen->background,
		.underline = pen->underline};

	if (screen->override_foreground >= 0) {
		cell.foreground = (uint8_t)screen->override_foreground;
		cell.background = SCREEN_DEFAULT_BACKGROUND;
		cell.underline = 0;
		return cell;
	}
	if (pen->inverse) {
		cell.foreground = pen->background;
		cell.background = pen->foreground;
	}
	if (pen->bold && cell.foreground < 8)
		cell.foreground = (uint8_t)(cell.foreground + 8);
	else if (pen->dim && cell.foreground < 16)
		cell.foreground = DIM_FOREGROUND;
	return cell;
}

void screen_reset_attributes(struct screen *screen)
{
	struct screen_pen *pen = &screen->pen;

	pen->foreground = SCREEN_DEFAULT_FOREGROUND;
	pen->background = SCREEN_DEFAULT_BACKGROUND;
	pen->bold = pen->dim = pen->underline = pen->inverse = false;
}

void screen_override(struct screen *screen, int foreground)
{
	screen->override_foreground = foreground;
}

void screen_reset_palette(struct screen *screen)
{
	memcpy(screen->palette, screen_usual_palette, sizeof(screen->palette));
	screen->palette_changed = true;
}

/* ---- Erasing and moving cells ---- */

static void fill(struct cell *cell, unsigned count, struct cell with)
{
	while (count--)
		*cell++ = with;
}

/* What is erased: a space in the current background. */
static struct cell blank_cell(const struct screen *screen)
{
	return (struct cell){.character = ' ',
		.foreground = SCREEN_DEFAULT_FOREGROUND,
		.background = screen->pen.background};
}

void screen_blank(struct screen *screen, unsigned row, unsigned from, unsigned end)
{
	if (from >= end)
		return;
	fill(row_cells(screen, row) + from, end - from, blank_cell(screen));
	screen->work += end - from;
	touch(screen, row, row + 1);
}

void screen_insert_cells(struct screen *screen, unsigned count)
{
	unsigned room = screen->columns - screen->pen.x;
	struct cell *at = row_cells(screen, screen->pen.y) + screen->pen.x;

	if (count > room)
		count = room;
	memmove(at + count, at, (room - count) * sizeof(*at));
	screen->work += room;
	screen_blank(screen, screen->pen.y, screen->pen.x, screen->pen.x + count);
}

void screen_delete_cells(struct screen *screen, unsigned count)
{
	unsigned room = screen->columns - screen->pen.x;
	struct cell *at = row_cells(screen, screen->pen.y) + screen->pen.x;

	if (count > room)
		count = room;
	memmove(at, at + count, (room - count) * sizeof(*at));
	screen->work += room;
	screen_blank(screen, screen->pen.y, screen->columns - count, screen->columns);
}

void screen_align(struct screen *screen)
{
	for (unsigned row = 0; row < screen->rows; row++)
		fill(row_cells(screen, row), screen->columns, pen_cell(screen, 'E'));
	screen->work += screen->rows * screen->columns;
	screen_touch_all(screen);
}

/* ---- Scrolling ---- */

/* The line that leaves goes into the history; the one that may be written comes back. */
static uint16_t keep_line(struct screen *screen, uint16_t leaving)
{
	uint16_t *ring = screen->lines + screen->rows, *place, free_line;

	if (!screen->history_size)
		return leaving;
	place = &ring[(screen->history_start + screen->history_count) % screen->history_size];
	free_line = *place;
	*place = leaving;
	if (screen->history_count < screen->history_size)
		screen->history_count++;
	else if (++screen->history_start == screen->history_size)
		screen->history_start = 0;
	return free_line;
}

static void up_by_one(struct screen *screen, unsigned first, unsigned end)
{
	uint16_t line = screen->lines[first];

	if (!first && end == screen->rows)
		line = keep_line(screen, line);
	memmove(&screen->lines[first], &screen->lines[first + 1],
		(end - first - 1) * sizeof(*screen->lines));
	screen->lines[end - 1] = line;
	screen_blank(screen, end - 1, 0, screen->columns);
}

static void down_by_one(struct screen *screen, unsigned first, unsigned end)
{
	uint16_t line = screen->lines[end - 1];

	memmove(&screen->lines[first + 1], &screen->lines[first],
		(end - first - 1) * sizeof(*screen->lines));
	screen->lines[first] = line;
	screen_blank(screen, first, 0, screen->columns);
}

void screen_scroll(struct screen *screen, unsigned first, unsigned end, int count)
{
	unsigned steps = count < 0 ? 0u - (unsigned)count : (unsigned)count;

	if (first >= end || !count)
		return;
	if (steps > end - first)
		steps = end - first;
	while (steps--) {
		if (count > 0)
			up_by_one(screen, first, end);
		else
			down_by_one(screen, first, end);
	}
	touch(screen, first, end);
}

void screen_line_feed(struct screen *screen)
{
	screen->wrap_pending = false;
	if (screen->pen.y + 1 == screen->bottom)
		screen_scroll(screen, screen->top, screen->bottom, 1);
	else if (screen->pen.y + 1 < screen->rows)
		screen->pen.y++;
}

void screen_reverse_line_feed(struct screen *screen)
{
	screen->wrap_pending = false;
	if (screen->pen.y == screen->top)
		screen_scroll(screen, screen->top, screen->bottom, -1);
	else if (screen->pen.y)
		screen->pen.y--;
}

void screen_move(struct screen *screen, int64_t x, int64_t y)
{
	int64_t first = screen->origin ? screen->top : 0;
	int64_t end = screen->origin ? screen->bottom : screen->rows;

	x = x < 0 ? 0 : x >= screen->columns ? screen->columns - 1 : x;
	y = y < first ? first : y >= end ? end - 1 : y;
	screen->pen.x = (unsigned)x;
	screen->pen.y = (unsigned)y;
	screen->wrap_pending = false;
}

void screen_move_to(struct screen *screen, unsigned x, unsigned y)
{
	screen->pen.x = x < screen->columns ? x : screen->columns - 1;
	screen->pen.y = y < screen->rows ? y : screen->rows - 1;
	screen->wrap_pending = false;
}

/* ---- Text ---- */

static void put_one(struct screen *screen, unsigned character)
{
	struct screen_pen *pen = &screen->pen;

	if (screen->wrap_pending) {
		pen->x = 0;
		screen_line_feed(screen);
	}
	if (screen->insert)
		screen_insert_cells(screen, 1);
	row_cells(screen, pen->y)[pen->x] = pen_cell(screen, character);
	touch(screen, pen->y, pen->y + 1);
	if (pen->x + 1 < screen->columns)
		pen->x++;
	else
		screen->wrap_pending = !screen->no_wrap;
}

/* A wide character is followed by a blank, as in Linux: our fonts have none of them. */
void screen_put(struct screen *screen, unsigned character, unsigned width)
{
	if (!width)
		return;
	put_one(screen, character);
	if (width > 1)
		put_one(screen, ' ');
}

/* The common case, plain text that ends before the last column, without the parser. Returns how
 * many bytes it was. */
static size_t write_plain(struct screen *screen, const char *bytes, size_t count)
{
	struct screen_pen *pen = &screen->pen;
	size_t room = screen->columns - 1 - pen->x, done = 0;
	struct cell *cell = row_cells(screen, pen->y) + pen->x;
	struct cell next = pen_cell(screen, 0);

	if (count > room)
		count = room;
	while (done < count && bytes[done] >= ' ' && bytes[done] <= '~') {
		next.character = (uint16_t)bytes[done++];
		*cell++ = next;
	}
	if (done) {
		screen->last_character = next.character;
		pen->x += (unsigned)done;
		touch(screen, pen->y, pen->y + 1);
	}
	return done;
}

static bool is_plain(const struct screen *screen)
{
	return screen->state == SCREEN_GROUND && !screen->utf8_left && !screen->insert &&
	       !screen->cp437 && screen->pen.sets[screen->pen.set] == CHARSET_LATIN1;
}

size_t screen_write_some(struct screen *screen, const char *bytes, size_t count)
{
	size_t all = 0;

	screen_look(screen, -(int)screen->view);
	screen->work = 0;
	while (all < count && screen->work < SCREEN_WORK) {
		size_t done = is_plain(screen) ? write_plain(screen, bytes + all, count - all) : 0;

		screen->work += (unsigned)done;
		if (!done) {
			screen->work += 16;
			screen_parse_byte(screen, (uint8_t)bytes[all]);
			done = 1;
		}
		all += done;
	}
	return all;
}

void screen_write(struct screen *screen, const char *bytes, size_t count)
{
	for (size_t all = 0; all < count;)
		all += screen_write_some(screen, bytes + all, count - all);
}

/* ---- Start ---- */

void screen_reset(struct screen *screen)
{
	screen->state = SCREEN_GROUND;
	screen->utf8_left = 0;
	screen->top = 0;
	screen->bottom = screen->rows;
	screen->cursor_hidden = screen->insert = screen->origin = screen->no_wrap = false;
	screen->inverse_screen = screen->cp437 = screen->upper_half = screen->newline =
		screen->cursor_keys = false;
	screen->keypad = screen->no_repeat = false;
	screen->utf8 = true;
	screen_reset_attributes(screen);
	screen->pen.sets[0] = CHARSET_LATIN1;
	screen->pen.sets[1] = CHARSET_GRAPHICS;
	screen->pen.set = 0;
	for (unsigned i = 0; i < SCREEN_TAB_STOPS / 64; i++)
		screen->tab_stops[i] = 0x0101010101010101u;
	screen->tab_stops[0] &= ~1ull;
	screen_move(screen, 0, 0);
	screen->saved = screen->pen;
	for (unsigned row = 0; row < screen->rows; row++)
		screen_blank(screen, row, 0, screen->columns);
}

size_t screen_memory(unsigned columns, unsigned rows, unsigned history)
{
	size_t lines = (size_t)rows + history;

	if (lines > LINES_MAX || columns > LINES_MAX)
		return 0;
	return lines * columns * sizeof(struct cell) + lines * sizeof(uint16_t);
}

void screen_init(
	struct screen *screen, void *memory, unsigned columns, unsigned rows, unsigned history)
{
	*screen = (struct screen){.columns = columns,
		.rows = rows,
		.history_size = history,
		.cells = memory,
		.changed_first = rows,
		.override_foreground = -1};
	screen->lines = (uint16_t *)(screen->cells + (size_t)columns * (rows + history));
	for (unsigned i = 0; i < rows + history; i++)
		screen->lines[i] = (uint16_t)i;
	screen_reset_palette(screen);
	screen_reset(screen);
}

void screen_grow(struct screen *screen, void *memory, unsigned history)
{
	unsigned lines = screen->rows + screen->history_size;
	const uint16_t *old = screen->lines, *old_ring = old + screen->rows;
	struct cell *cells = memory;
	uint16_t *ring;

	memcpy(cells, screen->cells, (size_t)lines * screen->columns * sizeof(*cells));
	screen->lines = (uint16_t *)(cells + (size_t)screen->columns * (screen->rows + history));
	ring = screen->lines + screen->rows;
	memcpy(screen->lines, old, screen->rows * sizeof(*old));
	for (unsigned i = 0; i < screen->history_size; i++)
		ring[i] = old_ring[(screen->history_start + i) % screen->history_size];
	for (unsigned i = screen->history_size; i < history; i++)
		ring[i] = (uint16_t)(screen->rows + i);
	screen->cells = cells;
	screen->history_start = 0;
	screen->history_size = history;
}
