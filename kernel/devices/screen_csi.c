/* SPDX-License-Identifier: MIT */
/*
 * Control sequences (CSI): cursor, erasing, inserting, deleting, scrolling, attributes and colours,
 * modes, tab stops, reports. screen_parse.c has read them; see there for what they follow.
 */
#include "devices/screen.h"
#include "lib/printf.h"
#include "lib/string.h"

/* ---- Answers ---- */

void screen_reply(struct screen *screen, const char *text)
{
	size_t length = strlen(text);

	if (length > SCREEN_REPLY - screen->reply_length)
		return;
	memcpy(screen->reply + screen->reply_length, text, length);
	screen->reply_length += (unsigned)length;
}

static void report_status(struct screen *screen, unsigned what)
{
	char text[32];
	unsigned y = screen->origin ? screen->pen.y - screen->top : screen->pen.y;

	if (what == 5)
		screen_reply(screen, "\x1b[0n");
	if (what != 6)
		return;
	format(text, sizeof(text), "\x1b[%u;%uR", y + 1, screen->pen.x + 1);
	screen_reply(screen, text);
}

/* ---- Colours ---- */

/* The step of the cube (0, 95, 135, 175, 215, 255) that is nearest. */
static unsigned cube_step(unsigned intensity)
{
	return intensity < 48 ? 0 : intensity < 115 ? 1 : (intensity - 35) / 40;
}

/* The nearest of the 256 colours beyond the first 16, which a program may change. */
static uint8_t nearest_colour(unsigned red, unsigned green, unsigned blue)
{
	unsigned r = cube_step(red), g = cube_step(green), b = cube_step(blue);
	unsigned grey = (red + green + blue) / 3;

	if (r == g && g == b && grey > 3 && grey < 247)
		return (uint8_t)(232 + (grey - 3) / 10);
	return (uint8_t)(16 + 36 * r + 6 * g + b);
}

static unsigned to_byte(unsigned value)
{
	return value > 255 ? 255 : value;
}

/* What follows 38 or 48 at parameter `at`: 5;N or 2;R;G;B. How many parameters that is. */
static unsigned extended_colour(const struct screen *screen, unsigned at, uint8_t *colour)
{
	const unsigned *p = &screen->parameters[at];
	unsigned left = screen->parameter_count - at;

	if (left >= 2 && p[1] == 5) {
		if (p[2] < 256)
			*colour = (uint8_t)p[2];
		return 2;
	}
	if (left >= 4 && p[1] == 2) {
		*colour = nearest_colour(to_byte(p[2]), to_byte(p[3]), to_byte(p[4]));
		return 4;
	}
	return left;
}

static void select_set(struct screen *screen, unsigned parameter)
{
	screen->cp437 = parameter > 10;
	screen->upper_half = parameter > 11;
	screen->utf8_left = 0;
}

static void select_attribute(struct screen *screen, unsigned parameter)
{
	struct screen_pen *pen = &screen->pen;

	switch (parameter) {
	case 0:
		screen_reset_attributes(screen);
		break;
	case 1:
		pen->bold = true;
		pen->dim = false;
		break;
	case 2:
		pen->dim = true;
		pen->bold = false;
		break;
	case 4:
	case 21:
		pen->underline = true;
		break;
	case 7:
		pen->inverse = true;
		break;
	case 10:
	case 11:
	case 12:
		select_set(screen, parameter);
		break;
	case 22:
		pen->bold = pen->dim = false;
		break;
	case 24:
		pen->underline = false;
		break;
	case 27:
		pen->inverse = false;
		break;
	}
}

static void select_colour(struct screen *screen, unsigned parameter)
{
	struct screen_pen *pen = &screen->pen;

	if (parameter >= 30 && parameter <= 37)
		pen->foreground = (uint8_t)(parameter - 30);
	else if (parameter == 39)
		pen->foreground = SCREEN_DEFAULT_FOREGROUND;
	else if (parameter >= 40 && parameter <= 47)
		pen->background = (uint8_t)(parameter - 40);
	else if (parameter == 49)
		pen->background = SCREEN_DEFAULT_BACKGROUND;
	else if (parameter >= 90 && parameter <= 97)
		pen->foreground = (uint8_t)(parameter - 90 + 8);
	else if (parameter >= 100 && parameter <= 107)
		pen->background = (uint8_t)(parameter - 100 + 8);
}

static void select_graphics(struct screen *screen)
{
	for (unsigned i = 0; i <= screen->parameter_count; i++) {
		unsigned parameter = screen->parameters[i];

		if (parameter == 38)
			i += extended_colour(screen, i, &screen->pen.foreground);
		else if (parameter == 48)
			i += extended_colour(screen, i, &screen->pen.background);
		else if (parameter < 30)
			select_attribute(screen, parameter);
		else
			select_colour(screen, parameter);
	}
}

/* ---- Tab stops ---- */

static bool is_tab_stop(const struct screen *screen, unsigned x)
{
	if (x >= SCREEN_TAB_STOPS)
		return !(x % 8);
	return screen->tab_stops[x / 64] >> x % 64 & 1;
}

void screen_set_tab_stop(struct screen *screen, bool on)
{
	unsigned x = screen->pen.x;

	if (x >= SCREEN_TAB_STOPS)
		return;
	screen->tab_stops[x / 64] &= ~(1ull << x % 64);
	screen->tab_stops[x / 64] |= (uint64_t)on << x % 64;
}

static void clear_tab_stops(struct screen *screen, unsigned which)
{
	if (which == 0)
		screen_set_tab_stop(screen, false);
	if (which == 3)
		memset(screen->tab_stops, 0, sizeof(screen->tab_stops));
}

/* A wrap that waits still waits, as on Linux. */
void screen_tab(struct screen *screen, unsigned count)
{
	unsigned *x = &screen->pen.x;

	while (count-- && *x + 1 < screen->columns) {
		do
			++*x;
		while (*x + 1 < screen->columns && !is_tab_stop(screen, *x));
	}
}

static void back_tab(struct screen *screen, unsigned count)
{
	unsigned *x = &screen->pen.x;

	screen->wrap_pending = false;
	while (count-- && *x) {
		do
			--*x;
		while (*x && !is_tab_stop(screen, *x));
	}
}

/* ---- Control sequences ---- */

/* What J and K do: 0 from the cursor on, 1 up to it and with it, 2 all. */
static void erase_in_line(struct screen *screen, unsigned how)
{
	unsigned from = how == 0 ? screen->pen.x : 0;
	unsigned end = how == 1 ? screen->pen.x + 1 : screen->columns;

	if (how > 2)
		return;
	screen_blank(screen, screen->pen.y, from, end);
	screen->wrap_pending = false;
}

static void erase_in_display(struct screen *screen, unsigned how)
{
	unsigned first = how == 0 ? screen->pen.y + 1 : 0;
	unsigned end = how == 1 ? screen->pen.y : screen->rows;

	if (how > 3)
		return;
	for (unsigned row = first; row < end; row++)
		screen_blank(screen, row, 0, screen->columns);
	if (how < 2)
		erase_in_line(screen, how);
	if (how == 3)
		screen_forget_history(screen);
	screen->wrap_pending = false;
}

static void move_to_row(struct screen *screen, unsigned x, unsigned row)
{
	screen_move(screen, x, (int64_t)row + (screen->origin ? screen->top : 0));
}

static void set_private_mode(struct screen *screen, unsigned mode, bool on)
{
	switch (mode) {
	case 1:
		screen->cursor_keys = on;
		break;
	case 5:
		if (screen->inverse_screen != on)
			screen_touch_all(screen);
		screen->inverse_screen = on;
		break;
	case 6:
		screen->origin = on;
		move_to_row(screen, 0, 0);
		break;
	case 7:
		screen->no_wrap = !on;
		break;
	case 8:
		screen->no_repeat = !on;
		break;
	case 25:
		screen->cursor_hidden = !on;
		break;
	}
}

static void set_modes(struct screen *screen, bool on)
{
	for (unsigned i = 0; i <= screen->parameter_count; i++) {
		if (screen->mark == '?')
			set_private_mode(screen, screen->parameters[i], on);
		else if (screen->parameters[i] == 4)
			screen->insert = on;
		else if (screen->parameters[i] == 20)
			screen->newline = on;
	}
}

static void set_region(struct screen *screen, unsigned first, unsigned last)
{
	if (!first)
		first = 1;
	if (!last)
		last = screen->rows;
	if (first >= last || last > screen->rows)
		return;
	screen->top = first - 1;
	screen->bottom = last;
	move_to_row(screen, 0, 0);
}

void screen_restore_cursor(struct screen *screen)
{
	screen->pen = screen->saved;
	screen_move(screen, screen->saved.x, screen->saved.y);
}

static void set_leds(struct screen *screen, unsigned which)
{
	if (!which)
		screen->leds = 0;
	else if (which < 4)
		screen->leds |= (uint8_t)(1u << (which - 1));
}

static void repeat_character(struct screen *screen, unsigned count)
{
	if (count > screen->columns)
		count = screen->columns;
	screen->work += 16 * count;
	while (count-- && screen->last_character)
		screen_put(screen, screen->last_character, 1);
}

/* Sequences that move the cursor. false: this is none of them. */
static bool movement(struct screen *screen, uint8_t final, unsigned first, unsigned second)
{
	unsigned x = screen->pen.x, y = screen->pen.y, count = first ? first : 1;

	switch (final) {
	case 'A':
		screen_move(screen, x, (int64_t)y - count);
		return true;
	case 'B':
	case 'e':
		screen_move(screen, x, (int64_t)y + count);
		return true;
	case 'C':
	case 'a':
		screen_move(screen, (int64_t)x + count, y);
		return true;
	case 'D':
		screen_move(screen, (int64_t)x - count, y);
		return true;
	case 'E':
		screen_move(screen, 0, (int64_t)y + count);
		return true;
	case 'F':
		screen_move(screen, 0, (int64_t)y - count);
		return true;
	case 'G':
	case '`':
		screen_move(screen, count - 1, y);
		return true;
	case 'd':
		move_to_row(screen, x, count - 1);
		return true;
	case 'H':
	case 'f':
		move_to_row(screen, second ? second - 1 : 0, count - 1);
		return true;
	case 'I':
		screen_tab(screen, count);
		return true;
	case 'Z':
		back_tab(screen, count);
		return true;
	}
	return false;
}

/* Sequences that change what stands there. false: this is none of them. */
static bool editing(struct screen *screen, uint8_t final, unsigned first)
{
	unsigned y = screen->pen.y, count = first ? first : 1,
		 left = screen->columns - screen->pen.x;

	switch (final) {
	case 'J':
		erase_in_display(screen, first);
		return true;
	case 'K':
		erase_in_line(screen, first);
		return true;
	case 'L':
		screen_scroll(screen, y, screen->bottom, -(int)count);
		break;
	case 'M':
		screen_scroll(screen, y, screen->bottom, (int)count);
		break;
	case 'P':
		screen_delete_cells(screen, count);
		break;
	case '@':
		screen_insert_cells(screen, count);
		break;
	case 'X':
		count = count < left ? count : left;
		screen_blank(screen, y, screen->pen.x, screen->pen.x + count);
		break;
	case 'S':
		screen_scroll(screen, screen->top, screen->bottom, (int)count);
		break;
	case 'T':
		screen_scroll(screen, screen->top, screen->bottom, -(int)count);
		break;
	default:
		return false;
	}
	screen->wrap_pending = false;
	return true;
}

void screen_control_sequence(struct screen *screen, uint8_t final)
{
	unsigned first = screen->parameters[0], second = screen->parameters[1];

	if (final == 'h' || final == 'l') {
		if (!screen->mark || screen->mark == '?')
			set_modes(screen, final == 'h');
		return;
	}
	if (screen->mark || movement(screen, final, first, second) || editing(screen, final, first))
		return;
	switch (final) {
	case 'b':
		repeat_character(screen, first ? first : 1);
		break;
	case 'c':
		if (!first)
			screen_reply(screen, "\x1b[?6c");
		break;
	case 'g':
		clear_tab_stops(screen, first);
		break;
	case 'm':
		select_graphics(screen);
		break;
	case 'n':
		report_status(screen, first);
		break;
	case 'q':
		set_leds(screen, first);
		break;
	case 'r':
		set_region(screen, first, second);
		break;
	case 's':
		screen->saved = screen->pen;
		break;
	case 'u':
		screen_restore_cursor(screen);
		break;
	}
}
