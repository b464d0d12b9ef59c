/* SPDX-License-Identifier: MIT */
/*
 * Output processing and echo (man 3 termios: c_oflag, and ECHO* of c_lflag). See tty_line.c.
 *
 * Echo of what comes at once (one write to a pty's master) waits in line->echoes until all of that was looked
 * at, as on Linux: a signal key drops it, a key that stops the output holds all of it. It lies there as it
 * was typed, and becomes output (and moves the column) when it goes out. What cannot go out, because output
 * is stopped or the driver has no room, waits for START, the next input or the next write; of more than
 * KEPT bytes the oldest are lost. One flush sends AT_ONCE items, since it works under the owner's spin lock;
 * line->flushing then asks for the next.
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

/* A byte of line->echoes after ESCAPE: one of these, or a control character that is shown as ^X. */
#define ESCAPE     0xffu /* twice: the byte itself, which Linux passes by output processing */
#define MOVE_BACK  0x80u /* the column before */
#define LINE_START 0x81u
#define ERASE_TAB  0x82u /* a third byte: cells before the tab, AFTER_TAB when from another one on */
#define AFTER_TAB  0x80u
#define KEPT       3807u /* of what cannot go out */
#define AT_ONCE    256u  /* items of one flush */

static uint8_t echo_at(const struct line *line, uint32_t position)
{
	return line->echoes[position % LINE_ECHO];
}

/* Bytes of the oldest item. */
static uint32_t item_size(const struct line *line)
{
	if (echo_at(line, line->echo_tail) != ESCAPE)
		return 1;
	return echo_at(line, line->echo_tail + 1) == ERASE_TAB ? 3 : 2;
}

static size_t repeat_back(struct line *line, uint32_t count, char *to)
{
	memset(to, '\b', count);
	line->column -= line->column < count ? line->column : count;
	return count;
}

static size_t erase_tab(struct line *line, uint8_t cells, char *to)
{
	uint32_t column = cells & AFTER_TAB ? cells & ~AFTER_TAB : cells + line->line_start;

	return repeat_back(line, TAB_STOP - column % TAB_STOP, to);
}

/* What the oldest item becomes: up to TAB_STOP bytes. */
static size_t show(struct line *line, char *to)
{
	uint8_t byte = echo_at(line, line->echo_tail), what = echo_at(line, line->echo_tail + 1);
	size_t used;

	if (byte != ESCAPE)
		return line_output(line, (const char *)&byte, 1, &used, to, TAB_STOP);
	switch (what) {
	case ESCAPE:
		*to = (char)ESCAPE;
		line->column++;
		return 1;
	case MOVE_BACK:
		line->column -= line->column > 0;
		return 0;
	case LINE_START:
		line->line_start = line->column;
		return 0;
	case ERASE_TAB:
		return erase_tab(line, echo_at(line, line->echo_tail + 2), to);
	default:
		to[0] = '^';
		to[1] = (char)(what ^ 0x40);
		line->column += 2;
		return 2;
	}
}

/* Up to AT_ONCE items, as far as there is room. Could more go? */
static bool send(struct line *line, size_t room)
{
	char out[64];
	size_t made = 0, more;
	uint32_t column, start;
	bool fits = true;

	for (uint32_t items = 0; items < AT_ONCE && line->echo_tail != line->echo_head; items++) {
		column = line->column;
		start = line->line_start;
		more = show(line, out + made);
		fits = more <= room - made;
		if (!fits) { /* not now */
			line->column = column;
			line->line_start = start;
			break;
		}
		line->echo_tail += item_size(line);
		made += more;
		if (made > sizeof(out) - TAB_STOP) {
			line->events.echo(line->events.context, out, made);
			room -= made;
			made = 0;
		}
	}
	if (made)
		line->events.echo(line->events.context, out, made);
	return fits && line->echo_tail != line->echo_head;
}

static void flush_some(struct line *line)
{
	line->flushing = false;
	if (line->echo_tail == line->echo_head)
		return;
	if (!line->stopped)
		line->flushing = send(line, line->events.echo_room
						    ? line->events.echo_room(line->events.context)
						    : SIZE_MAX);
	while (!line->flushing && line->echo_head - line->echo_tail > KEPT)
		line->echo_tail += item_size(line);
}

void line_echo_flush(struct line *line)
{
	if (line->edit)
		line_edit_on(line);
	else
		flush_some(line);
}

void line_echo_drop(struct line *line)
{
	line->echo_tail = line->echo_head;
	line->flushing = line->edit != EDIT_NONE;
}

/* One item. Where too much waits the oldest ones go. */
static void add(struct line *line, const uint8_t *bytes, uint32_t count)
{
	if (!line->echoes)
		return;
	if (line->echo_head - line->echo_tail > LINE_ECHO - count)
		flush_some(line);
	for (uint32_t i = 0; i < count; i++)
		line->echoes[line->echo_head++ % LINE_ECHO] = bytes[i];
}

static void add_special(struct line *line, uint8_t what)
{
	add(line, (const uint8_t[]){ESCAPE, what}, 2);
}

void line_echo(struct line *line, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t byte = (uint8_t)bytes[i];

		if (byte == ESCAPE)
			add_special(line, byte);
		else
			add(line, &byte, 1);
	}
}

void line_echo_byte(struct line *line, uint8_t byte)
{
	if (local_flag(line, ECHOCTL) && is_control(byte) && byte != '\t')
		add_special(line, byte);
	else
		line_echo(line, (const char *)&byte, 1);
}

void line_echo_start(struct line *line)
{
	add_special(line, LINE_START);
}

/* ---- Erasing ---- */

/* The tab that stood at line->head: the cells before it count from the last tab, or from the column where
 * the line began. */
static void echo_erase_tab(struct line *line)
{
	uint32_t cells = 0, place = line->head, after = 0;

	while (place != line->ready && !after) {
		uint8_t byte = at(line, --place);

		if (byte == '\t')
			after = AFTER_TAB;
		else if (is_control(byte))
			cells += local_flag(line, ECHOCTL) ? 2 : 0;
		else if (!is_continuation(line, byte))
			cells++;
	}
	add(line, (const uint8_t[]){ESCAPE, ERASE_TAB, (uint8_t)(cells % TAB_STOP | after)}, 3);
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
		add_special(line, MOVE_BACK);
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
		echo_erase_tab(line);
	} else {
		if (is_control(first) && local_flag(line, ECHOCTL))
			line_echo(line, "\b \b", 3);
		if (!is_control(first) || local_flag(line, ECHOCTL))
			line_echo(line, "\b \b", 3);
	}
}
