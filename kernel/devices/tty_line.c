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
 * No locks: the tty's lock is held by the caller.
 */
#include "devices/tty_line.h"

#include "lib/string.h"

#include <asm/signal.h>

#define DISABLED 0u /* a c_cc that is off: _POSIX_VDISABLE */
#define TAB_STOP 8u

static bool in_flag(const struct line *line, tcflag_t flag)
{
	return line->termios.c_iflag & flag;
}

static bool out_flag(const struct line *line, tcflag_t flag)
{
	return line->termios.c_oflag & flag;
}

static bool local_flag(const struct line *line, tcflag_t flag)
{
	return line->termios.c_lflag & flag;
}

static bool is_special(const struct line *line, uint8_t byte, unsigned int which)
{
	return line->termios.c_cc[which] != DISABLED && line->termios.c_cc[which] == byte;
}

static bool is_continuation(const struct line *line, uint8_t byte)
{
	return in_flag(line, IUTF8) && (byte & 0xc0) == 0x80;
}

static bool is_control(uint8_t byte)
{
	return byte < 0x20 || byte == 0x7f;
}

static uint8_t at(const struct line *line, uint32_t position)
{
	return line->bytes[position % LINE_BUFFER];
}

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

void line_init(struct line *line, const struct line_events *events)
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

	memset(line, 0, sizeof(*line));
	line->events = *events;
	line->termios = (struct termios){
		.c_iflag = ICRNL | IXON,
		.c_oflag = OPOST | ONLCR,
		.c_cflag = B38400 | CS8 | CREAD | HUPCL,
		.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	};
	memcpy(line->termios.c_cc, control, sizeof(control));
}

/* ---- Output ---- */

/* What one byte of output becomes (up to TAB_STOP bytes); keeps the column. */
static size_t process(struct line *line, uint8_t byte, char *to)
{
	uint32_t spaces;

	switch (byte) {
	case '\n':
		if (out_flag(line, ONLRET))
			line->column = 0;
		if (!out_flag(line, ONLCR))
			break;
		line->column = 0;
		memcpy(to, "\r\n", 2);
		return 2;
	case '\r':
		if (out_flag(line, ONOCR) && line->column == 0)
			return 0;
		if (out_flag(line, OCRNL)) {
			byte = '\n';
			if (out_flag(line, ONLRET))
				line->column = 0;
			break;
		}
		line->column = 0;
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
		if (!is_control(byte) && !is_continuation(line, byte))
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

static void echo_raw(struct line *line, const char *bytes, size_t count)
{
	line->events.echo(line->events.context, bytes, count);
}

/* Through output processing. */
static void echo(struct line *line, const char *bytes, size_t count)
{
	char out[64];
	size_t made, used;

	while (count) {
		made = line_output(line, bytes, count, &used, out, sizeof(out));
		echo_raw(line, out, made);
		bytes += used;
		count -= used;
	}
}

static void echo_byte(struct line *line, uint8_t byte)
{
	char text[2] = {'^', (char)(byte ^ 0x40)};

	if (local_flag(line, ECHOCTL) && is_control(byte) && byte != '\t' && byte != '\n') {
		echo(line, text, 2);
		return;
	}
	text[0] = (char)byte;
	echo(line, text, 1);
}

/* The cells that the line being typed takes up to `end`, from the column where it began. */
static uint32_t column_at(const struct line *line, uint32_t end)
{
	uint32_t column = line->line_start;

	for (uint32_t i = line->ready; i != end; i++) {
		uint8_t byte = at(line, i);

		if (byte == '\t')
			column += TAB_STOP - column % TAB_STOP;
		else if (is_control(byte))
			column += local_flag(line, ECHOCTL) ? 2 : 0;
		else if (!is_continuation(line, byte))
			column++;
	}
	return column;
}

/* The cells of the byte at `position`. A tab's depend on all before it. */
static uint32_t cells(const struct line *line, uint32_t position)
{
	uint8_t byte = at(line, position);

	if (byte == '\t')
		return column_at(line, position + 1) - column_at(line, position);
	if (is_control(byte))
		return local_flag(line, ECHOCTL) ? 2 : 0;
	return !is_continuation(line, byte);
}

/* Takes back on the screen what stood from line->head up to `old_head`, last first. Over a tab's
 * cells there is nothing to blank. */
static void erase_cells(struct line *line, uint32_t old_head)
{
	const char *back;
	uint32_t width;

	while (old_head != line->head) {
		old_head--;
		back = at(line, old_head) == '\t' ? "\b" : "\b \b";
		for (width = cells(line, old_head); width && line->column; width--, line->column--)
			echo_raw(line, back, strlen(back));
	}
}

/* ---- Editing ---- */

static void store(struct line *line, uint8_t byte, bool end, bool mark)
{
	if (line->head - line->tail >= LINE_BUFFER)
		return;
	if (line->head == line->ready)
		line->line_start = line->column;
	line->bytes[line->head % LINE_BUFFER] = byte;
	put_bit(line->ends, line->head, end);
	put_bit(line->marks, line->head, mark);
	line->head++;
	if (end || !local_flag(line, ICANON))
		line->ready = line->head;
}

/* One character back, all its bytes; false: there is none. */
static bool back_one(struct line *line)
{
	if (line->head == line->ready)
		return false;
	do
		line->head--;
	while (line->head != line->ready && is_continuation(line, at(line, line->head)));
	return true;
}

static bool is_word(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
	       (byte >= 'A' && byte <= 'Z') || byte == '_' || byte >= 0x80;
}

static void back_word(struct line *line)
{
	while (line->head != line->ready && !is_word(at(line, line->head - 1)))
		line->head--;
	while (line->head != line->ready && is_word(at(line, line->head - 1)))
		line->head--;
}

static void erase(struct line *line, uint8_t byte)
{
	uint32_t old_head = line->head;

	if (is_special(line, byte, VERASE) && !back_one(line))
		return;
	if (is_special(line, byte, VWERASE))
		back_word(line);
	if (!local_flag(line, ECHO))
		return;
	if (local_flag(line, ECHOE))
		erase_cells(line, old_head);
	else
		echo_byte(line, byte);
}

static void kill_line(struct line *line, uint8_t byte)
{
	bool clean = local_flag(line, ECHOK) && local_flag(line, ECHOKE) && local_flag(line, ECHOE);
	uint32_t old_head = line->head;

	line->head = line->ready;
	if (!local_flag(line, ECHO))
		return;
	if (clean) {
		erase_cells(line, old_head);
		return;
	}
	echo_byte(line, byte);
	if (local_flag(line, ECHOK))
		echo(line, "\n", 1);
}

static void reprint(struct line *line)
{
	if (!local_flag(line, ECHO))
		return;
	echo_byte(line, line->termios.c_cc[VREPRINT]);
	echo(line, "\n", 1);
	line->line_start = line->column;
	for (uint32_t i = line->ready; i != line->head; i++)
		echo_byte(line, at(line, i));
}

/* In canonical mode: true when the byte was an editing character or ended the line. */
static bool edit(struct line *line, uint8_t byte)
{
	bool extended = local_flag(line, IEXTEN);

	if (is_special(line, byte, VERASE) || (extended && is_special(line, byte, VWERASE))) {
		erase(line, byte);
	} else if (is_special(line, byte, VKILL)) {
		kill_line(line, byte);
	} else if (extended && is_special(line, byte, VLNEXT)) {
		line->literal = true;
		if (local_flag(line, ECHO) && local_flag(line, ECHOCTL))
			echo_raw(line, "^\b", 2);
	} else if (extended && is_special(line, byte, VREPRINT)) {
		reprint(line);
	} else if (byte == '\n') {
		store(line, byte, true, false);
		if (local_flag(line, ECHO) || local_flag(line, ECHONL))
			echo(line, "\n", 1);
	} else if (is_special(line, byte, VEOF)) {
		store(line, 0, true, true);
	} else if (is_special(line, byte, VEOL) || (extended && is_special(line, byte, VEOL2))) {
		store(line, byte, true, false);
		if (local_flag(line, ECHO))
			echo_byte(line, byte);
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
	line->literal = false;
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
	line->literal = line->stopped = line->held = false;
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

static bool flow_control(struct line *line, uint8_t byte)
{
	if (!in_flag(line, IXON))
		return false;
	if (is_special(line, byte, VSTART))
		line_start(line);
	else if (is_special(line, byte, VSTOP))
		line_stop(line);
	else
		return false;
	return true;
}

/* CR and NL as the input modes have them; false: the byte is dropped. */
static bool translate(const struct line *line, uint8_t *byte)
{
	if (in_flag(line, ISTRIP))
		*byte &= 0x7f;
	if (*byte == '\r') {
		if (in_flag(line, IGNCR))
			return false;
		if (in_flag(line, ICRNL))
			*byte = '\n';
	} else if (*byte == '\n' && in_flag(line, INLCR)) {
		*byte = '\r';
	}
	return true;
}

size_t line_room(const struct line *line)
{
	uint32_t room = LINE_BUFFER - (line->head - line->tail);

	/* The last place is for what ends a line; with no line to read, bytes may be dropped. */
	if (local_flag(line, ICANON) && line->ready == line->tail)
		return LINE_BUFFER;
	return room > 1 ? room - 1 : 0;
}

static void ordinary(struct line *line, uint8_t byte)
{
	/* Echo needs the column before, to know where the line began. */
	if (line->head == line->ready)
		line->line_start = line->column;
	if (local_flag(line, ICANON) && LINE_BUFFER - (line->head - line->tail) <= 1) {
		if (in_flag(line, IMAXBEL))
			echo_raw(line, "\a", 1);
		return;
	}
	if (line->head - line->tail < LINE_BUFFER) {
		store(line, byte, false, false);
		if (local_flag(line, ECHO))
			echo_byte(line, byte);
	}
}

void line_input(struct line *line, uint8_t byte)
{
	int signal;

	if (line->literal) {
		line->literal = false;
		ordinary(line, byte);
		return;
	}
	if (flow_control(line, byte))
		return;
	if (in_flag(line, IXANY))
		line_start(line);
	if (signal_for(line, byte, &signal)) {
		if (!local_flag(line, NOFLSH))
			line_flush_input(line);
		line_start(line);
		if (local_flag(line, ECHO))
			echo_byte(line, byte);
		line->events.signal(line->events.context, signal);
		return;
	}
	if (!translate(line, &byte))
		return;
	if (local_flag(line, ICANON) && edit(line, byte))
		return;
	ordinary(line, byte);
}

void line_set(struct line *line, const struct termios *termios)
{
	bool was = local_flag(line, ICANON);

	line->termios = *termios;
	if (was && !local_flag(line, ICANON))
		line->ready = line->head;
	line->literal = false;
}

/* ---- Reading ---- */

bool line_readable(const struct line *line, uint32_t least)
{
	uint32_t ready = line->ready - line->tail;

	if (local_flag(line, ICANON))
		return ready > 0;
	return ready >= (least ? least : 1);
}

size_t line_available(const struct line *line)
{
	size_t count = 0;

	for (uint32_t i = line->tail; i != line->ready; i++)
		count += !get_bit(line->marks, i);
	return count;
}

size_t line_read(struct line *line, uint8_t *to, size_t size, bool *end)
{
	bool canonical = local_flag(line, ICANON);
	size_t count = 0;
	uint32_t place;

	*end = false;
	while (count < size && line->tail != line->ready && !*end) {
		place = line->tail++;
		if (!get_bit(line->marks, place))
			to[count++] = at(line, place);
		*end = canonical && get_bit(line->ends, place);
	}
	return count;
}
