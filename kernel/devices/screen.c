/* SPDX-License-Identifier: MIT */
/*
 * The screen model: a grid of cells and a small part of ECMA-48 with Linux's console_codes(4)
 * meanings: UTF-8 text, \b \t \n \r, SGR (0 1 7 22 27 30-37 39 40-47 49 90-97 100-107), cursor
 * movement (A B C D G H d f), erasing (J K), the cursor's visibility, ESC c. Other sequences are
 * recognised and ignored as a whole; control strings (OSC, DCS ...) too.
 *
 * Rows are a ring: scrolling moves `top` and blanks one row. changed_first .. changed_end says which
 * rows on screen may differ since a painter last set them to an empty range.
 *
 * Bad UTF-8 and characters beyond the Basic Multilingual Plane become U+FFFD. Every character takes
 * one column.
 */
#include "devices/screen.h"

#define REPLACEMENT   0xfffdu
#define PARAMETER_MAX 9999u
#define TAB_WIDTH     8u

struct cell *screen_cell(const struct screen *screen, unsigned column, unsigned row)
{
	unsigned line = screen->top + row;

	if (line >= screen->rows)
		line -= screen->rows;
	return &screen->cells[line * screen->columns + column];
}

static void touch(struct screen *screen, unsigned first, unsigned end)
{
	if (first < screen->changed_first)
		screen->changed_first = first;
	if (end > screen->changed_end)
		screen->changed_end = end;
}

static uint8_t current_colours(const struct screen *screen)
{
	unsigned foreground = screen->foreground, background = screen->background;

	if (screen->bold && foreground < 8)
		foreground += 8;
	if (screen->override_foreground >= 0) {
		foreground = (unsigned)screen->override_foreground;
		background = SCREEN_DEFAULT_BACKGROUND;
	} else if (screen->inverse) {
		return SCREEN_COLOURS(background, foreground);
	}
	return SCREEN_COLOURS(foreground, background);
}

/* Blanks cells [from, end) of a row in the current background. */
static void blank(struct screen *screen, unsigned row, unsigned from, unsigned end)
{
	struct cell *cell = screen_cell(screen, from, row);
	struct cell empty = {' ', SCREEN_COLOURS(SCREEN_DEFAULT_FOREGROUND, screen->background), 0};

	for (; from < end; from++)
		*cell++ = empty;
	touch(screen, row, row + 1);
}

static void reset_attributes(struct screen *screen)
{
	screen->foreground = SCREEN_DEFAULT_FOREGROUND;
	screen->background = SCREEN_DEFAULT_BACKGROUND;
	screen->bold = screen->inverse = false;
}

static void reset(struct screen *screen)
{
	screen->top = screen->x = screen->y = 0;
	screen->wrap_pending = screen->cursor_hidden = false;
	screen->state = SCREEN_GROUND;
	screen->utf8_left = 0;
	reset_attributes(screen);
	for (unsigned row = 0; row < screen->rows; row++)
		blank(screen, row, 0, screen->columns);
}

void screen_init(struct screen *screen, struct cell *cells, unsigned columns, unsigned rows)
{
	*screen = (struct screen){.columns = columns,
		.rows = rows,
		.cells = cells,
		.changed_first = rows,
		.override_foreground = -1};
	reset(screen);
}

void screen_override(struct screen *screen, int foreground)
{
	screen->override_foreground = foreground;
}

static void line_feed(struct screen *screen)
{
	screen->wrap_pending = false;
	if (screen->y + 1 < screen->rows) {
		screen->y++;
		return;
	}
	screen->top = screen->top + 1 < screen->rows ? screen->top + 1 : 0;
	blank(screen, screen->rows - 1, 0, screen->columns);
	touch(screen, 0, screen->rows);
}

static void put_character(struct screen *screen, unsigned character)
{
	if (screen->wrap_pending) {
		screen->x = 0;
		line_feed(screen);
	}
	*screen_cell(screen, screen->x, screen->y) =
		(struct cell){(uint16_t)character, current_colours(screen), 0};
	touch(screen, screen->y, screen->y + 1);
	if (screen->x + 1 < screen->columns)
		screen->x++;
	else
		screen->wrap_pending = true;
}

/* ---- Sequences ---- */

static void select_graphic(struct screen *screen, unsigned parameter)
{
	if (parameter == 0)
		reset_attributes(screen);
	else if (parameter == 1)
		screen->bold = true;
	else if (parameter == 22)
		screen->bold = false;
	else if (parameter == 7)
		screen->inverse = true;
	else if (parameter == 27)
		screen->inverse = false;
	else if (parameter >= 30 && parameter <= 37)
		screen->foreground = (uint8_t)(parameter - 30);
	else if (parameter == 39)
		screen->foreground = SCREEN_DEFAULT_FOREGROUND;
	else if (parameter >= 40 && parameter <= 47)
		screen->background = (uint8_t)(parameter - 40);
	else if (parameter == 49)
		screen->background = SCREEN_DEFAULT_BACKGROUND;
	else if (parameter >= 90 && parameter <= 97)
		screen->foreground = (uint8_t)(parameter - 90 + 8);
	else if (parameter >= 100 && parameter <= 107)
		screen->background = (uint8_t)(parameter - 100 + 8);
}

static void select_graphics(struct screen *screen)
{
	for (unsigned i = 0; i <= screen->parameter_count; i++) {
		unsigned parameter = screen->parameters[i];

		if (parameter == 38 || parameter == 48) /* 256 colours, direct colour: not here */
			return;
		select_graphic(screen, parameter);
	}
}

static void move_to(struct screen *screen, unsigned x, unsigned y)
{
	screen->x = x < screen->columns ? x : screen->columns - 1;
	screen->y = y < screen->rows ? y : screen->rows - 1;
	screen->wrap_pending = false;
}

/* What J and K do: 0 from the cursor on, 1 up to it and with it, 2 all. */
static void erase_in_line(struct screen *screen, unsigned how)
{
	unsigned from = how == 0 ? screen->x : 0;
	unsigned end = how == 1 ? screen->x + 1 : screen->columns;

	if (how <= 2)
		blank(screen, screen->y, from, end);
}

static void erase_in_display(struct screen *screen, unsigned how)
{
	unsigned first = how == 0 ? screen->y + 1 : 0;
	unsigned end = how == 1 ? screen->y : screen->rows;

	if (how > 2)
		return;
	for (unsigned row = first; row < end; row++)
		blank(screen, row, 0, screen->columns);
	if (how < 2)
		erase_in_line(screen, how);
}

static void set_private_mode(struct screen *screen, bool on)
{
	if (screen->parameters[0] == 25)
		screen->cursor_hidden = !on;
}

static void control_sequence(struct screen *screen, char final)
{
	unsigned first = screen->parameters[0], second = screen->parameters[1];
	unsigned count = first ? first : 1;
	unsigned x = screen->x, y = screen->y;

	if (screen->private_sequence) {
		if (final == 'h' || final == 'l')
			set_private_mode(screen, final == 'h');
		return;
	}
	switch (final) {
	case 'A':
		move_to(screen, x, y > count ? y - count : 0);
		break;
	case 'B':
		move_to(screen, x, y + count);
		break;
	case 'C':
		move_to(screen, x + count, y);
		break;
	case 'D':
		move_to(screen, x > count ? x - count : 0, y);
		break;
	case 'G':
		move_to(screen, count - 1, y);
		break;
	case 'd':
		move_to(screen, x, count - 1);
		break;
	case 'H':
	case 'f':
		move_to(screen, second ? second - 1 : 0, count - 1);
		break;
	case 'J':
		erase_in_display(screen, first);
		break;
	case 'K':
		erase_in_line(screen, first);
		break;
	case 'm':
		select_graphics(screen);
		break;
	}
}

static void csi_byte(struct screen *screen, uint8_t byte)
{
	unsigned *parameter = &screen->parameters[screen->parameter_count];

	if (byte >= '0' && byte <= '9') {
		if (*parameter < PARAMETER_MAX)
			*parameter = *parameter * 10 + (unsigned)(byte - '0');
	} else if (byte == ';') {
		if (screen->parameter_count + 1 < SCREEN_PARAMETERS)
			screen->parameter_count++;
	} else if (byte >= '<' && byte <= '?') {
		screen->private_sequence = true;
	} else if (byte >= '@' && byte <= '~') {
		screen->state = SCREEN_GROUND;
		control_sequence(screen, (char)byte);
	}
}

static void escape_byte(struct screen *screen, uint8_t byte)
{
	screen->state = SCREEN_GROUND;
	switch (byte) {
	case '[':
		screen->state = SCREEN_CSI;
		screen->private_sequence = false;
		screen->parameter_count = 0;
		for (unsigned i = 0; i < SCREEN_PARAMETERS; i++)
			screen->parameters[i] = 0;
		break;
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_':
		screen->state = SCREEN_STRING;
		break;
	case '(':
	case ')':
	case '#':
	case '%':
		screen->state = SCREEN_SKIP_ONE;
		break;
	case 'c':
		reset(screen);
		break;
	}
}

/* ---- Text ---- */

/* true: the byte was a control character, which act inside of sequences too. */
static bool control_character(struct screen *screen, uint8_t byte)
{
	switch (byte) {
	case '\b':
		if (screen->x && !screen->wrap_pending)
			screen->x--;
		screen->wrap_pending = false;
		return true;
	case '\t':
		move_to(screen, (screen->x / TAB_WIDTH + 1) * TAB_WIDTH, screen->y);
		return true;
	case '\n':
	case '\v':
	case '\f':
		line_feed(screen);
		return true;
	case '\r':
		screen->x = 0;
		screen->wrap_pending = false;
		return true;
	case 0x18: /* CAN, SUB: give the sequence up */
	case 0x1a:
		screen->state = SCREEN_GROUND;
		return true;
	case 0x1b:
		screen->state = SCREEN_ESCAPE;
		return true;
	default:
		return byte < ' ' || byte == 0x7f;
	}
}

static void start_utf8(struct screen *screen, uint8_t byte)
{
	if (byte >= 0xc2 && byte < 0xe0) {
		screen->utf8_left = 1;
		screen->utf8_least = 0x80;
		screen->utf8_value = byte & 0x1fu;
	} else if (byte >= 0xe0 && byte < 0xf0) {
		screen->utf8_left = 2;
		screen->utf8_least = 0x800;
		screen->utf8_value = byte & 0x0fu;
	} else if (byte >= 0xf0 && byte < 0xf5) {
		screen->utf8_left = 3;
		screen->utf8_least = 0x10000;
		screen->utf8_value = byte & 0x07u;
	} else {
		put_character(screen, REPLACEMENT);
	}
}

static void end_utf8(struct screen *screen)
{
	uint32_t value = screen->utf8_value;
	bool bad =
		value < screen->utf8_least || value > 0xffff || (value >= 0xd800 && value < 0xe000);

	put_character(screen, bad ? REPLACEMENT : value);
}

static void text_byte(struct screen *screen, uint8_t byte)
{
	if (screen->utf8_left) {
		if ((byte & 0xc0) == 0x80) {
			screen->utf8_value = screen->utf8_value << 6 | (byte & 0x3fu);
			if (!--screen->utf8_left)
				end_utf8(screen);
			return;
		}
		screen->utf8_left = 0; /* cut short: the byte begins something new */
		put_character(screen, REPLACEMENT);
	}
	if (byte < 0x80)
		put_character(screen, byte);
	else
		start_utf8(screen, byte);
}

static void screen_byte(struct screen *screen, uint8_t byte)
{
	if (screen->state == SCREEN_STRING) { /* up to BEL, or to the ESC of ESC \ */
		if (byte == '\a')
			screen->state = SCREEN_GROUND;
		else if (byte == 0x1b)
			screen->state = SCREEN_ESCAPE;
		return;
	}
	if ((byte < ' ' || byte == 0x7f) && screen->utf8_left) {
		screen->utf8_left = 0;
		put_character(screen, REPLACEMENT);
	}
	if (control_character(screen, byte))
		return;
	switch (screen->state) {
	case SCREEN_ESCAPE:
		escape_byte(screen, byte);
		break;
	case SCREEN_CSI:
		csi_byte(screen, byte);
		break;
	case SCREEN_SKIP_ONE:
		screen->state = SCREEN_GROUND;
		break;
	default:
		text_byte(screen, byte);
	}
}

static bool is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

/* The common case, plain text that ends before the last column, without the parser. Returns how
 * many bytes it was. */
static size_t write_plain(struct screen *screen, const char *bytes, size_t count)
{
	size_t room = screen->columns - 1 - screen->x;
	struct cell *cell = screen_cell(screen, screen->x, screen->y);
	struct cell next = {0, current_colours(screen), 0};
	size_t done = 0;

	if (screen->state != SCREEN_GROUND || screen->utf8_left)
		return 0;
	if (count > room)
		count = room;
	while (done < count && is_printable(bytes[done])) {
		next.character = (uint16_t)bytes[done++];
		*cell++ = next;
	}
	if (done) {
		screen->x += (unsigned)done;
		touch(screen, screen->y, screen->y + 1);
	}
	return done;
}

void screen_write(struct screen *screen, const char *bytes, size_t count)
{
	while (count) {
		size_t done = write_plain(screen, bytes, count);

		if (!done) {
			screen_byte(screen, (uint8_t)*bytes);
			done = 1;
		}
		bytes += done;
		count -= done;
	}
}
