/* SPDX-License-Identifier: MIT */
/* The line discipline: what is typed, what is seen, what is read. The expectations were seen on a
 * Linux pty. */
#include "devices/tty_line.h"

#include "lib/check.h"

#include <signal.h>

static struct line line;
static char seen[65536];
static size_t seen_length;
static int signalled;

static void on_echo(void *context, const char *bytes, size_t count)
{
	memcpy(seen + seen_length, bytes, count);
	seen_length += count;
	seen[seen_length] = '\0';
}

static void on_signal(void *context, int signal)
{
	signalled = signal;
}

static void start(void)
{
	const struct line_events events = {.echo = on_echo, .signal = on_signal};

	static uint8_t echoes[LINE_ECHO];

	line_init(&line, &events);
	line.echoes = echoes;
	seen_length = 0;
	seen[0] = '\0';
	signalled = 0;
}

static void flush(void)
{
	while (line.flushing)
		line_echo_flush(&line);
}

static void type(const char *text)
{
	for (; *text; text++) {
		CHECK(line_room(&line) > 0);
		line_input(&line, (uint8_t)*text);
		flush();
	}
	line_input_end(&line);
	flush();
}

/* What was echoed since the last time. */
#define SEEN(text)                        \
	do {                              \
		CHECK_STRING(seen, text); \
		seen_length = 0;          \
		seen[0] = '\0';           \
	} while (0)

/* One read of up to `size` bytes gives this. */
static void reads(size_t size, const char *text)
{
	char bytes[LINE_BUFFER + 1];
	bool end;
	size_t count = line_read(&line, (uint8_t *)bytes, size, &end);

	bytes[count] = '\0';
	CHECK_STRING(bytes, text);
}

static void set_local(tcflag_t on, tcflag_t off)
{
	struct termios termios = line.termios;

	termios.c_lflag = (termios.c_lflag | on) & ~off;
	line_set(&line, &termios);
}

static void test_lines(void)
{
	start();
	type("hello");
	CHECK(!line_readable(&line, 1));
	CHECK_EQUAL(line_available(&line), 0);
	type("\rsecond\n");
	CHECK(line_readable(&line, 1));
	CHECK_EQUAL(line_available(&line), 13);
	SEEN("hello\r\nsecond\r\n");
	reads(100, "hello\n");
	reads(3, "sec");
	reads(100, "ond\n");
	CHECK(!line_readable(&line, 1));
}

static void test_end_of_file(void)
{
	bool end;
	uint8_t byte;

	start();
	type("part\4");
	CHECK(line_readable(&line, 1));
	reads(100, "part");
	CHECK(!line_readable(&line, 1));
	type("\4");
	CHECK(line_readable(&line, 1));
	CHECK_EQUAL(line_read(&line, &byte, 1, &end), 0);
	CHECK(end);
	SEEN("part");
	type("a\4b\n");
	reads(100, "a");
	reads(100, "b\n");
}

static void test_erasing(void)
{
	start();
	type("abc\177\177x\n");
	SEEN("abc\b \b\b \bx\r\n");
	reads(100, "ax\n");
	type("\177\177y\n"); /* nothing to erase, not even the line before */
	SEEN("y\r\n");
	reads(100, "y\n");
	type("kill me\25ok\n");
	reads(100, "ok\n");
	SEEN("kill me\b \b\b \b\b \b\b \b\b \b\b \b\b \bok\r\n");
	type("two words  \27x\n");
	reads(100, "two x\n");
	SEEN("two words  \b \b\b \b\b \b\b \b\b \b\b \b\b \bx\r\n");
	type("\1\177"); /* a control character takes two cells */
	SEEN("^A\b \b\b \b");
	type("a\t\177b\n");
	SEEN("a\t\b\b\b\b\b\b\bb\r\n");
	reads(100, "ab\n");
}

static void test_erasing_words(void)
{
	start();
	type("foo-bar\27\n");
	SEEN("foo-bar\b \b\b \b\b \b\r\n");
	reads(100, "foo-\n");
	type("ab\13cd\177\177\177\177\n");
	SEEN("ab^Kcd\b \b\b \b\b \b\b \b\b \b\r\n");
	reads(100, "a\n");
}

static void test_utf8(void)
{
	struct termios termios;

	start();
	termios = line.termios;
	termios.c_iflag |= IUTF8;
	line_set(&line, &termios);
	type("\303\244\303\266\177\n");
	SEEN("\303\244\303\266\b \b\r\n");
	reads(100, "\303\244\n");
}

static void test_signals(void)
{
	start();
	type("half\3");
	CHECK_EQUAL(signalled, SIGINT);
	SEEN("^C"); /* it came at once with what is dropped */
	type("x\n");
	reads(100, "x\n"); /* the half line is gone */
	type("\34");
	CHECK_EQUAL(signalled, SIGQUIT);
	type("\32");
	CHECK_EQUAL(signalled, SIGTSTP);
	set_local(NOFLSH, 0);
	type("keep\3\n");
	reads(100, "keep\n");
	set_local(0, ISIG);
	signalled = 0;
	type("\3\n");
	CHECK_EQUAL(signalled, 0);
	reads(100, "\3\n");
}

static void test_literal_and_reprint(void)
{
	start();
	type("\26\3x\26\177\n");
	CHECK_EQUAL(signalled, 0);
	SEEN("^\b^Cx^\b^?\r\n");
	reads(100, "\3x\177\n");
	type("abc\22\n");
	SEEN("abc^R\r\nabc\r\n");
	reads(100, "abc\n");
}

static void test_echo_off(void)
{
	start();
	set_local(0, ECHO);
	type("secret\n");
	SEEN("");
	set_local(ECHONL, 0);
	type("secret\n");
	SEEN("\r\n");
}

static void test_raw(void)
{
	struct termios termios;

	start();
	type("begun");
	termios = line.termios;
	termios.c_lflag = 0;
	termios.c_iflag = 0;
	termios.c_oflag = 0;
	line_set(&line, &termios);
	CHECK(line_readable(&line, 5));
	reads(100, "begun");
	seen_length = 0;
	seen[0] = '\0';
	type("\r\n\3\4\177");
	CHECK(line_readable(&line, 5));
	CHECK(!line_readable(&line, 6));
	reads(2, "\r\n");
	reads(100, "\3\4\177");
	SEEN("");
	for (unsigned int i = 0; i < LINE_BUFFER; i++) {
		if (!line_room(&line))
			break;
		line_input(&line, 'x');
	}
	CHECK_EQUAL(line_room(&line), 0);
	CHECK(line_available(&line) >= LINE_BUFFER - 1);
}

/* More than fits into one line: the end is lost, the line still ends. */
static void test_long_line(void)
{
	static char bytes[LINE_BUFFER + 1];
	bool end;

	start();
	for (unsigned int i = 0; i < 2 * LINE_BUFFER; i++) {
		CHECK(line_room(&line) > 0);
		line_input(&line, 'y');
	}
	line_input(&line, '\n');
	CHECK_EQUAL(line_read(&line, (uint8_t *)bytes, sizeof(bytes), &end), LINE_BUFFER);
	CHECK_EQUAL(bytes[LINE_BUFFER - 1], '\n');
	CHECK_EQUAL(bytes[LINE_BUFFER - 2], 'y');
	CHECK(end);
}

static void test_output(void)
{
	char out[64];
	size_t used;

	start();
	CHECK_EQUAL(line_output(&line, "a\nb", 3, &used, out, sizeof(out)), 4);
	CHECK(!memcmp(out, "a\r\nb", 4));
	line.termios.c_oflag |= XTABS;
	CHECK_EQUAL(line_output(&line, "\tc", 2, &used, out, sizeof(out)), 8);
	CHECK(!memcmp(out, "       c", 8));
	CHECK_EQUAL(line_output(&line, "0123456789", 10, &used, out, 9), 2);
	CHECK_EQUAL(used, 2);
	line.termios.c_oflag = 0;
	CHECK_EQUAL(line_output(&line, "a\n\t", 3, &used, out, sizeof(out)), 3);
	CHECK(!memcmp(out, "a\n\t", 3));
}

static void test_flow(void)
{
	start();
	type("\23");
	CHECK(line.stopped);
	type("\21");
	CHECK(!line.stopped);
	type("\23\3");
	CHECK(!line.stopped);
	SEEN("^C");
}

/* Anything at all, in any mode: counters stay in order, nothing is read that was not typed. */
static void test_random(void)
{
	uint64_t state = 77;
	uint8_t bytes[64];
	bool end;

	start();
	for (int i = 0; i < 300000; i++) {
		uint64_t r = check_random(&state);
		struct termios termios = line.termios;

		seen_length = 0;
		if (r % 1000 == 0) {
			termios.c_lflag = (tcflag_t)(r >> 20);
			termios.c_iflag = (tcflag_t)(r >> 40) & 0x7fff;
			line_set(&line, &termios);
		} else if (r % 7 == 0) {
			line_read(&line, bytes, r >> 32 & 63, &end);
		} else if (line_room(&line)) {
			line_input(&line, (uint8_t)(r >> 13));
		}
		CHECK(line.head - line.tail <= LINE_BUFFER);
		CHECK(line.ready - line.tail <= line.head - line.tail);
	}
}

static void set_all(tcflag_t in, tcflag_t out, tcflag_t local)
{
	struct termios termios = line.termios;

	termios.c_iflag = in;
	termios.c_oflag = out;
	termios.c_lflag = local;
	line_set(&line, &termios);
}

static void test_case(void)
{
	start();
	set_all(IUCLC, OPOST | OLCUC | ONLCR, ICANON | ECHO | IEXTEN);
	type("MiX1\351\n");
	SEEN("MIX1\311\r\n");
	reads(100, "mix1\351\n");
}

static void test_printed_erase(void)
{
	start();
	set_local(ECHOPRT, 0);
	type("abc\177\177x\n");
	SEEN("abc\\cb/x\r\n");
	reads(100, "ax\n");
	type("ab\177\177y\n"); /* all of it gone: the end is shown at once */
	SEEN("ab\\ba/y\r\n");
	reads(100, "y\n");
}

static void test_parity(void)
{
	start();
	set_all(PARMRK | INPCK, 0, 0);
	type("\xff");
	line_input_bad(&line, LINE_PARITY, 'p');
	reads(100, "\xff\xff\xff");
	set_all(INPCK, 0, 0);
	line_input_bad(&line, LINE_PARITY, 'p');
	CHECK_EQUAL(line_available(&line), 1); /* a 0 in its place */
	line_flush_input(&line);
	set_all(INPCK | IGNPAR, 0, 0);
	line_input_bad(&line, LINE_PARITY, 'p');
	CHECK_EQUAL(line_available(&line), 0);
	set_all(BRKINT, 0, 0);
	line_input_bad(&line, LINE_BREAK, 0);
	CHECK_EQUAL(signalled, SIGINT);
	CHECK_EQUAL(line_available(&line), 0);
}

static void test_external(void)
{
	start();
	set_local(EXTPROC, 0);
	type("a\3\177b");
	CHECK_EQUAL(signalled, 0);
	SEEN("");
	CHECK(line_readable(&line, 1));
	reads(100, "a\3\177b");
}

static void test_mode_change(void)
{
	start();
	type("half");
	CHECK(!line_readable(&line, 1));
	set_local(0, ICANON);
	CHECK(line_readable(&line, 4));
	set_local(ICANON, 0);
	type("more\n");
	reads(100, "half"); /* what was there is a line */
	reads(100, "more\n");
	type("x\4");
	set_local(0, ICANON);
	CHECK_EQUAL(line_available(&line), 2); /* the end of file is a 0 now */
}

static void test_held_echo(void)
{
	start();
	type("a\23bc");
	SEEN(""); /* nothing of what came at once */
	CHECK(line.stopped);
	type("\21");
	SEEN("abc");
	line.held = true;
	line_stop(&line);
	type("\21");
	CHECK(line.stopped); /* TCOOFF's stop is not START's */
	line.held = false;
	line_start(&line);
	CHECK(!line.stopped);
}

/* As much as there is room for; the rest comes with the next input. */
static size_t room;

static size_t echo_room(void *context)
{
	return room;
}

static void test_echo_without_room(void)
{
	start();
	line.events.echo_room = echo_room;
	room = 3;
	type("ab\3"); /* ^C is one */
	SEEN("^C");
	type("ab\26\3");
	SEEN("ab^");
	room = 1;
	type("");
	SEEN("\b");
	type("");
	SEEN("");
	room = 100;
	type("c");
	SEEN("^Cc");
	CHECK_EQUAL(line.column, 7);
}

/* Of what cannot go out the newest 3,807 stay, an item never in part. */
static void test_too_much_held(void)
{
	start();
	line_stop(&line);
	for (int i = 0; i < 3000; i++)
		type(i < 2000 ? "x" : "\1");
	CHECK_EQUAL(line.echo_head - line.echo_tail, 3807);
	line_start(&line);
	type("z");
	CHECK_EQUAL(seen_length, 1807 + 2000 + 1);
	CHECK_STRING(seen + seen_length - 3, "^Az");
	type("\25");
	CHECK_EQUAL(seen_length, 3808 + 3 * (2000 + 2 * 1000 + 1));
}

/* A flush sends a part, in order; what comes between waits for the rest. */
static void test_flush_in_parts(void)
{
	start();
	line_stop(&line);
	for (int i = 0; i < 600; i++)
		type(i < 300 ? "x" : "\t");
	line_input(&line, 17);
	CHECK(line.flushing);
	CHECK_EQUAL(seen_length, 255); /* and that a line begins */
	line_echo_flush(&line);
	CHECK(line.flushing);
	CHECK_EQUAL(seen_length, 511);
	line_input(&line, 'y');
	line_stop(&line);
	line_echo_flush(&line);
	CHECK(!line.flushing);
	CHECK_EQUAL(seen_length, 511);
	type("\21");
	CHECK_EQUAL(seen_length, 601);
	CHECK_STRING(seen + 597, "\t\t\ty");
}

static void type_many(unsigned count)
{
	start();
	while (count--)
		type("x");
	seen_length = 0;
}

/* Editing keys take and show 64 characters at a time; all the same is seen in the end. */
static void test_edit_in_parts(void)
{
	struct termios settings;
	uint32_t before;

	type_many(3000);
	line_input(&line, 21); /* KILL */
	CHECK_EQUAL(line.head - line.ready, 3000 - 64);
	for (unsigned parts = 1; line.flushing; parts++) {
		before = line.head;
		line_echo_flush(&line);
		CHECK(before - line.head <= 64);
		CHECK(parts < 64);
	}
	CHECK_EQUAL(line.head, line.ready);
	line_input_end(&line);
	flush();
	CHECK_EQUAL(seen_length, 9000);
	CHECK_STRING(seen + seen_length - 6, "\b \b\b \b");
	type_many(3000);
	line_input(&line, 18); /* REPRINT */
	CHECK(line.flushing);
	flush();
	line_input_end(&line);
	flush();
	CHECK_EQUAL(seen_length, 3000 + 4);
	type_many(3000);
	line_input(&line, 21);
	settings = line.termios;
	settings.c_lflag &= ~(tcflag_t)ECHO;
	line_set(&line, &settings); /* comes after it */
	CHECK_EQUAL(line.head, line.ready);
	type_many(3000);
	line_input(&line, 21);
	line_flush_input(&line);
	flush();
	type("y\n");
	CHECK_EQUAL(line_available(&line), 2);
}

static void test_mark_with_full_read(void)
{
	bool end;
	uint8_t bytes[4];

	start();
	type("ab\4");
	CHECK_EQUAL(line_read(&line, bytes, 2, &end), 2);
	CHECK(end);
	CHECK(!line_readable(&line, 1)); /* no end of file is left */
}

int main(void)
{
	test_lines();
	test_end_of_file();
	test_erasing();
	test_erasing_words();
	test_utf8();
	test_signals();
	test_literal_and_reprint();
	test_echo_off();
	test_raw();
	test_long_line();
	test_output();
	test_flow();
	test_random();
	test_case();
	test_printed_erase();
	test_parity();
	test_external();
	test_mode_change();
	test_held_echo();
	test_echo_without_room();
	test_too_much_held();
	test_flush_in_parts();
	test_edit_in_parts();
	test_mark_with_full_read();
	return check_done();
}
