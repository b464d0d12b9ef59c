/* SPDX-License-Identifier: MIT */
/*
 * The line discipline (man 3 termios), as Linux's n_tty does it for a terminal.
 *
 * Canonical mode: bytes are collected until NL, EOL, EOL2 or EOF; until then they can be erased.
 * `ready` moves past each complete line, and a reader gets one line at a time. An EOF is kept as a
 * mark in the buffer: a read stops there, and one that finds only the mark returns 0. Raw mode: each
 * byte is ready at once.
 *
 * Echo knows the column, so that erasing a tab or a control character takes back as many cells as it
 * took. UTF-8: with IUTF8 a continuation byte takes none and erase takes the whole character (wide
 * characters are counted as one cell, as Linux does).
 *
 * A full buffer: in canonical mode without a complete line further bytes are dropped, but for one
 * that ends the line; otherwise line_room says 0 and the driver keeps what it has.
 *
 * An editing key that changes much works in parts, as echo goes out in parts: line->flushing asks the owner to call
 * line_echo_flush again before all else.
 *
 * No locks: the tty's lock is held by the caller.
 */
#include "devices/tty_echo.h"

#include "lib/string.h"

#include <asm/signal.h>

#define EDIT_AT_ONCE \
	64u /* characters that an editing key erases or shows under one hold of the owner's lock */

static bool get_bit(const uint64_t *bits, uint32_t position)
{
	return bits[position % LINE_BUFFER / 64] >> (position % 64) & 1;
}

static void put_bit(uint64_t *bits, uint32_t position, bool on)
{
	uint64_t bit = UINT64_C(1) << (position % 64);
	uint64_t *word = &bits[position % LINE_BUFFER / 64];

	*word = on ? *word | bit : *word & ~bit;
}

static struct termios first_settings(void)
{
	static const cc_t control[] = {[VINTR] = 3,
		[VQUIT] = 28,
		[VERASE] = 127,
		[VKILL] = 21,
		[VEOF] = 4,
		[VMIN] = 1,
		[VSTART] = 17,
		[VSTOP] = 19,
		[VSUSP] = 26,
		[VREPRINT] = 18,
		[VDISCARD] = 15,
		[VWERASE] = 23,
		[VLNEXT] = 22};
	struct termios first = {
		.c_iflag = ICRNL | IXON,
		.c_oflag = OPOST | ONLCR,
		.c_cflag = B38400 | CS8 | CREAD | HUPCL,
		.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	};

	memcpy(first.c_cc, control, sizeof(control));
	return first;
}

void line_init(struct line *line, const struct line_events *events)
{
	memset(line, 0, sizeof(*line));
	line->events = *events;
	line->termios = first_settings();
}

/* EXTPROC: the other side edits; lines are bytes here. */
static bool is_canonical(const struct line *line)
{
	return local_flag(line, ICANON) && !local_flag(line, EXTPROC);
}

/* ---- Editing ---- */

static void store(struct line *line, uint8_t byte, bool end, bool mark)
{
	if (line->head - line->tail >= LINE_BUFFER)
		return;
	line->bytes[line->head % LINE_BUFFER] = byte;
	put_bit(line->ends, line->head, end);
	put_bit(line->marks, line->head, mark);
	line->head++;
	if (end || !is_canonical(line))
		line->ready = line->head;
}

static bool is_word(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || is_upper(byte) || is_lower(byte) || byte == '_';
}

/* Where the last character of the line being typed begins; line->head: there is none, or no whole one. */
static uint32_t last_character(const struct line *line)
{
	uint32_t place = line->head;

	while (place != line->ready && is_continuation(line, at(line, --place)))
		;
	return place != line->head && is_continuation(line, at(line, place)) ? line->head : place;
}

/* Of ERASE, WERASE, or KILL with all of ECHOK, ECHOKE, ECHOE: one character. Was it the last? */
static bool erase_one(struct line *line)
{
	bool one = is_special(line, line->edit_key, VERASE);
	bool word = !one && is_special(line, line->edit_key, VWERASE);
	uint32_t place = last_character(line), size = line->head - place;

	if (line->head == line->ready || !size)
		return true;
	if (word && is_word(at(line, place)))
		line->edit_in_word = true;
	else if (line->edit_in_word)
		return true;
	line->head = place;
	if (local_flag(line, ECHO))
		line_echo_erase(line, at(line, place), size, line->edit_key);
	return one;
}

static bool reprint_one(struct line *line)
{
	if (line->edit_position == line->head)
		return true;
	line_echo_byte(line, at(line, line->edit_position++));
	return false;
}

void line_edit_on(struct line *line)
{
	bool over = false;

	for (unsigned int i = 0; i < EDIT_AT_ONCE && !over; i++)
		over = line->edit == EDIT_ERASE ? erase_one(line) : reprint_one(line);
	if (!over) {
		line->flushing = true;
		return;
	}
	if (line->edit == EDIT_ERASE && line->head == line->ready && local_flag(line, ECHO))
		line_echo_erased(line);
	line->edit = EDIT_NONE;
}

static void begin_edit(struct line *line, enum line_edit edit, uint8_t key)
{
	line->edit = edit;
	line->edit_key = key;
	line->edit_in_word = false;
	line->edit_position = line->ready;
	line_edit_on(line);
}

static void kill_line(struct line *line, uint8_t byte)
{
	if (line->head == line->ready)
		return;
	if (local_flag(line, ECHO) && local_flag(line, ECHOK) && local_flag(line, ECHOKE) &&
		local_flag(line, ECHOE)) {
		begin_edit(line, EDIT_ERASE, byte);
		return;
	}
	line->head = line->ready;
	if (!local_flag(line, ECHO))
		return;
	line_echo_erased(line);
	line_echo_byte(line, byte);
	if (local_flag(line, ECHOK))
		line_echo(line, "\n", 1);
}

static void reprint(struct line *line, uint8_t byte)
{
	line_echo_erased(line);
	line_echo_byte(line, byte);
	line_echo(line, "\n", 1);
	begin_edit(line, EDIT_REPRINT, byte);
}

/* A byte is about to be echoed: it may be the first of its line. */
static void echo_typed(struct line *line, uint8_t byte)
{
	if (line->head == line->ready)
		line_echo_start(line);
	line_echo_byte(line, byte);
}

static bool ends_line(const struct line *line, uint8_t byte)
{
	return is_special(line, byte, VEOL) ||
	       (local_flag(line, IEXTEN) && is_special(line, byte, VEOL2));
}

/* In canonical mode: true when the byte was an editing character or ended the line. */
static bool edit(struct line *line, uint8_t byte)
{
	bool extended = local_flag(line, IEXTEN), echo = local_flag(line, ECHO);

	if (is_special(line, byte, VERASE) || (extended && is_special(line, byte, VWERASE))) {
		begin_edit(line, EDIT_ERASE, byte);
	} else if (is_special(line, byte, VKILL)) {
		kill_line(line, byte);
	} else if (extended && is_special(line, byte, VLNEXT)) {
		line->literal = true;
		if (echo)
			line_echo_erased(line);
		if (echo && local_flag(line, ECHOCTL))
			line_echo(line, "^\b", 2);
	} else if (extended && echo && is_special(line, byte, VREPRINT)) {
		reprint(line, byte);
	} else if (byte == '\n') {
		store(line, byte, true, false);
		if (echo || local_flag(line, ECHONL))
			line_echo(line, "\n", 1);
	} else if (is_special(line, byte, VEOF)) {
		store(line, 0, true, true);
	} else if (ends_line(line, byte)) {
		if (echo)
			echo_typed(line, byte);
		if (byte == 0xff && in_flag(line, PARMRK))
			store(line, byte, false, false);
		store(line, byte, true, false);
	} else {
		return false;
	}
	return true;
}

/* ---- Input ---- */

static void tell(struct line *line, unsigned int bits)
{
	if (line->events.event)
		line->events.event(line->events.context, bits);
}

void line_flush_input(struct line *line)
{
	line->tail = line->ready = line->head;
	line->erasing = false;
	line->edit = EDIT_NONE;
	tell(line, TIOCPKT_FLUSHREAD);
}

void line_stop(struct line *line)
{
	if (line->stopped)
		return;
	line->stopped = true;
	tell(line, TIOCPKT_STOP);
}

void line_start(struct line *line)
{
	if (!line->stopped || line->held)
		return;
	line->stopped = false;
	tell(line, TIOCPKT_START);
}

void line_reset(struct line *line)
{
	line->tail = line->ready = line->head;
	line->literal = line->erasing = line->stopped = line->held = false;
	line->edit = EDIT_NONE;
	line->column = line->line_start = 0;
	line_echo_drop(line);
}

static bool signal_for(struct line *line, uint8_t byte, int *signal)
{
	if (!local_flag(line, ISIG))
		return false;
	if (is_special(line, byte, VINTR))
		*signal = SIGINT;
	else if (is_special(line, byte, VQUIT))
		*signal = SIGQUIT;
	else if (is_special(line, byte, VSUSP))
		*signal = SIGTSTP;
	else
		return false;
	return true;
}

static void send_signal(struct line *line, int signal)
{
	if (!local_flag(line, NOFLSH)) {
		line_echo_drop(line);
		line_flush_input(line);
		tell(line, TIOCPKT_FLUSHWRITE);
	}
	line->events.signal(line->events.context, signal);
}

static void start_with_echo(struct line *line)
{
	line_start(line);
	line_echo_flush(line);
}

static bool flow_control(struct line *line, uint8_t byte)
{
	if (!in_flag(line, IXON))
		return false;
	if (is_special(line, byte, VSTART))
		start_with_echo(line);
	else if (is_special(line, byte, VSTOP))
		line_stop(line);
	else
		return false;
	return true;
}

size_t line_room(const struct line *line)
{
	uint32_t room = LINE_BUFFER - (line->head - line->tail);

	/* The last place is for what ends a line; with no line to read, bytes may be dropped. */
	if (is_canonical(line) && line->ready == line->tail)
		return LINE_BUFFER;
	if (in_flag(line, PARMRK))
		room = (room + 2) / 3;
	return room > 1 ? room - 1 : 0;
}

/* Into the buffer. In canonical mode the last place is for what ends the line. */
static void keep(struct line *line, uint8_t byte)
{
	if (!is_canonical(line) || LINE_BUFFER - (line->head - line->tail) > 1)
		store(line, byte, false, false);
}

/* A byte without a meaning of its own; `newline`: it is a CR's NL, which is echoed as such. */
static void ordinary(struct line *line, uint8_t byte, bool newline)
{
	if (local_flag(line, ECHO)) {
		line_echo_erased(line);
		if (newline)
			line_echo(line, "\n", 1);
		else
			echo_typed(line, byte);
	}
	if (byte == 0xff && in_flag(line, PARMRK))
		keep(line, byte);
	keep(line, byte);
}

static void go_on(struct line *line)
{
	if (line->stopped && in_flag(line, IXON) && in_flag(line, IXANY))
		start_with_echo(line);
}

/* With a meaning or not, after signals and flow control. */
static void typed(struct line *line, uint8_t byte)
{
	bool newline = false;

	go_on(line);
	if (byte == '\r') {
		if (in_flag(line, IGNCR))
			return;
		newline = in_flag(line, ICRNL);
		if (newline)
			byte = '\n';
	} else if (byte == '\n' && in_flag(line, INLCR)) {
		byte = '\r';
	}
	if (!local_flag(line, ICANON) || !edit(line, byte))
		ordinary(line, byte, newline);
}

void line_input(struct line *line, uint8_t byte)
{
	int signal;

	while (line->edit) /* the owner did not ask for all of it */
		line_edit_on(line);
	if (in_flag(line, ISTRIP))
		byte &= 0x7f;
	if (in_flag(line, IUCLC) && local_flag(line, IEXTEN) && is_upper(byte))
		byte += 0x20;
	if (local_flag(line, EXTPROC)) {
		store(line, byte, false, false);
		return;
	}
	if (line->literal) {
		line->literal = false;
		go_on(line);
		ordinary(line, byte, false);
		return;
	}
	if (flow_control(line, byte))
		return;
	if (signal_for(line, byte, &signal)) {
		send_signal(line, signal);
		if (in_flag(line, IXON))
			line_start(line);
		if (local_flag(line, ECHO))
			line_echo_byte(line, byte);
		else
			line_echo_flush(line);
		return;
	}
	typed(line, byte);
}

void line_input_end(struct line *line)
{
	if (local_flag(line, ECHO | ECHONL))
		line_echo_flush(line);
}

static void keep_marked(struct line *line, uint8_t byte)
{
	if (in_flag(line, PARMRK)) {
		keep(line, 0xff);
		keep(line, 0);
	}
	keep(line, byte);
}

void line_input_bad(struct line *line, enum line_bad bad, uint8_t byte)
{
	while (line->edit)
		line_edit_on(line);
	if (bad == LINE_BREAK) {
		if (in_flag(line, IGNBRK))
			return;
		if (in_flag(line, BRKINT))
			send_signal(line, SIGINT);
		else
			keep_marked(line, 0);
	} else if (!in_flag(line, INPCK)) {
		line_input(line, byte);
	} else if (!in_flag(line, IGNPAR)) {
		keep_marked(line, in_flag(line, PARMRK) ? byte : 0);
	}
}

/* The lines typed so far end where canonical mode begins: all that is there is one. */
static void change_mode(struct line *line)
{
	memset(line->ends, 0, sizeof(line->ends));
	memset(line->marks, 0, sizeof(line->marks));
	line->ready = line->head;
	if (line->head != line->tail) { /* a 0 at the end then is what an end of file is kept as */
		put_bit(line->ends, line->head - 1, true);
		put_bit(line->marks, line->head - 1, !at(line, line->head - 1));
	}
	line->literal = line->erasing = false;
}

void line_set(struct line *line, const struct termios *termios)
{
	struct termios old = line->termios;

	while (line->edit) /* with the settings with which it began */
		line_edit_on(line);
	line->termios = *termios;
	if ((old.c_lflag ^ termios->c_lflag) & (ICANON | EXTPROC))
		change_mode(line);
	if (old.c_iflag & IXON && !in_flag(line, IXON))
		start_with_echo(line);
}

void line_set_first(struct line *line, tcflag_t input)
{
	struct termios first = first_settings();

	first.c_iflag |= input;
	line_set(line, &first);
}

/* ---- Reading ---- */

bool line_readable(const struct line *line, uint32_t least)
{
	uint32_t ready = line->ready - line->tail;

	if (is_canonical(line))
		return ready > 0;
	return ready >= (least ? least : 1);
}

size_t line_available(const struct line *line)
{
	size_t count = 0;

	for (uint32_t i = line->tail; i != line->ready; i++)
		count += !is_canonical(line) || !get_bit(line->marks, i);
	return count;
}

size_t line_read(struct line *line, uint8_t *to, size_t size, bool *end)
{
	bool canonical = is_canonical(line);
	size_t count = 0;
	uint32_t place;

	*end = false;
	/* A mark right after the last byte that there is room for goes with it. */
	while (line->tail != line->ready && !*end &&
		(count < size || (canonical && get_bit(line->marks, line->tail)))) {
		place = line->tail++;
		if (!canonical || !get_bit(line->marks, place))
			to[count++] = at(line, place);
		*end = canonical && get_bit(line->ends, place);
	}
	return count;
}
