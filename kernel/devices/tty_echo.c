/* SPDX-License-Identifier: MIT */
/*
 * Output processing and echo (man 3 termios: c_oflag, and ECHO* of c_lflag). See tty_line.c.
 *
 * Echo goes through output processing like a program's output. While output is held (STOP) it waits in
 * line->waiting, and what has no room there is lost.
 */
#include "devices/tty_echo.h"

#include "lib/string.h"

/* ---- Output ---- */

/* What one byte of output becomes (up to TAB_STOP bytes); keeps the column. */
static size_t process(struct line *line, uint8_t byte, char *to)
{
	uint32_t spaces;

	switch (byte) {
	case '\n':
		if (out_flag(line, ONLRET | ONLCR))
			line->column = 0;
		line->line_start = line->column;
		if (!out_flag(line, ONLCR))
			break;
		memcpy(to, "\r\n", 2);
		return 2;
	case '\r':
		if (out_flag(line, ONOCR) && line->column == 0)
			return 0;
		if (out_flag(line, OCRNL)) {
			byte = '\n';
			if (out_flag(line, ONLRET))
				line->line_start = line->column = 0;
			break;
		}
		line->line_start = line->column = 0;
		break;
	case '\t':
		spaces = TAB_STOP - line->column % TAB_STOP;
		line->column += spaces;
		if ((line->termios.c_oflag & TABDLY) != XTABS)
			break;
		memset(to, ' ', spaces);
		return spaces;
	case '\b':
		if (line->column)
			line->column--;
		break;
	default:
		if (is_control(byte))
			break;
		if (out_flag(line, OLCUC) && is_lower(byte))
			byte -= 0x20;
		if (!is_continuation(line, byte))
			line->column++;
		break;
	}
	*to = (char)byte;
	return 1;
}

size_t line_output(
	struct line *line, const char *from, size_t count, size_t *used, char *to, size_t room)
{
	size_t made = 0;

	if (!out_flag(line, OPOST)) {
		*used = count < room ? count : room;
		memcpy(to, from, *used);
		return *used;
	}
	for (*used = 0; *used < count && room - made >= TAB_STOP; ++*used)
		made += process(line, (uint8_t)from[*used], to + made);
	return made;
}

/* ---- Echo ---- */

#define UNCHANGED 0xff /* Linux's echo passes this byte by output processing */

static void echo_raw(struct line *line, const char *bytes, size_t count)
{
	size_t room = sizeof(line->waiting) - line->waits;

	if (!line->stopped) {
		line->events.echo(line->events.context, bytes, count);
		return;
	}
	if (count > room)
		count = room;
	memcpy(line->waiting + line->waits, bytes, count);
	line->waits += (uint32_t)count;
}

void line_echo_release(struct line *line)
{
	if (line->waits)
		line->events.echo(line->events.context, line->waiting, line->waits);
	line->waits = 0;
}

void line_echo(struct line *line, const char *bytes, size_t count)
{
	char out[64];
	size_t made, used;

	while (count) {
		made = line_output(line, bytes, count, &used, out, sizeof(out));
		if (made)
			echo_raw(line, out, made);
		bytes += used;
		count -= used;
	}
}

void line_echo_byte(struct line *line, uint8_t byte)
{
	char text[2] = {'^', (char)(byte ^ 0x40)};

	if (local_flag(line, ECHOCTL) && is_control(byte) && byte != '\t') {
		echo_raw(line, text, 2);
		line->column += 2;
		return;
	}
	text[0] = (char)byte;
	if (byte == UNCHANGED) {
		echo_raw(line, text, 1);
		line->column++;
	} else {
		line_echo(line, text, 1);
	}
}

/* ---- Erasing ---- */

/* The cells of the tab that stood at line->head: those before it count from the last tab, or from the
 * column where the line began. */
static uint32_t tab_cells(const struct line *line)
{
	uint32_t column = 0, place = line->head;

	while (place != line->ready) {
		uint8_t byte = at(line, --place);

		if (byte == '\t')
			return TAB_STOP - column % TAB_STOP;
		if (is_control(byte))
			column += local_flag(line, ECHOCTL) ? 2 : 0;
		else if (!is_continuation(line, byte))
			column++;
	}
	return TAB_STOP - (column + line->line_start) % TAB_STOP;
}

static void erase_tab(struct line *line)
{
	for (uint32_t cells = tab_cells(line); cells; cells--) {
		echo_raw(line, "\b", 1);
		if (line->column)
			line->column--;
	}
}

/* ECHOPRT: what is erased is shown again, between \ and /. */
static void print_erased(struct line *line, uint8_t first, uint32_t size)
{
	if (!line->erasing)
		line_echo(line, "\\", 1);
	line->erasing = true;
	line_echo_byte(line, first);
	for (uint32_t i = 1; i < size; i++) {
		const char byte = (char)at(line, line->head + i);

		line_echo(line, &byte, 1);
	}
}

void line_echo_erased(struct line *line)
{
	if (!line->erasing)
		return;
	line->erasing = false;
	line_echo(line, "/", 1);
}

void line_echo_erase(struct line *line, uint8_t first, uint32_t size, uint8_t eraser)
{
	if (local_flag(line, ECHOPRT)) {
		print_erased(line, first, size);
	} else if (is_special(line, eraser, VERASE) && !local_flag(line, ECHOE)) {
		line_echo_byte(line, eraser);
	} else if (first == '\t') {
		erase_tab(line);
	} else {
		if (is_control(first) && local_flag(line, ECHOCTL))
			line_echo(line, "\b \b", 3);
		if (!is_control(first) || local_flag(line, ECHOCTL))
			line_echo(line, "\b \b", 3);
	}
}
