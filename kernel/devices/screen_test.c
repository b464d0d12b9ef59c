/* SPDX-License-Identifier: MIT */
/* The screen model: bytes in, rows of text and colours out; then bytes at random under the
 * sanitizers. */
#include "devices/screen.h"
#include "lib/check.h"

#define COLUMNS 10u
#define ROWS    4u

static struct cell cells[COLUMNS * ROWS];
static struct screen screen;

static void say(const char *text)
{
	screen_write(&screen, text, strlen(text));
}

static void start(const char *text)
{
	screen_init(&screen, cells, COLUMNS, ROWS);
	say(text);
}

/* A row without trailing blanks; characters beyond ASCII as `~`. */
static const char *row_text(unsigned row)
{
	static char text[COLUMNS + 1];
	unsigned length = 0;

	for (unsigned x = 0; x < COLUMNS; x++) {
		uint16_t c = screen_cell(&screen, x, row)->character;

		text[x] = c < 0x80 ? (char)c : '~';
		if (c != ' ')
			length = x + 1;
	}
	text[length] = 0;
	return text;
}

#define CHECK_ROWS(a, b, c, d)                \
	do {                                  \
		CHECK_STRING(row_text(0), a); \
		CHECK_STRING(row_text(1), b); \
		CHECK_STRING(row_text(2), c); \
		CHECK_STRING(row_text(3), d); \
	} while (0)

#define CHECK_CURSOR(column, row)              \
	do {                                   \
		CHECK_EQUAL(screen.x, column); \
		CHECK_EQUAL(screen.y, row);    \
	} while (0)

static void test_text(void)
{
	start("one\r\ntwo\nthree\rT");
	CHECK_ROWS("one", "two", "T  three", "");
	CHECK_CURSOR(1, 2);
	start("a\tb\tc\td");
	CHECK_ROWS("a       bd", "", "", "");
	start("abc\b\bX\a\x7f");
	CHECK_ROWS("aXc", "", "", "");
}

static void test_wrap_and_scroll(void)
{
	start("0123456789");
	CHECK_CURSOR(9, 0); /* the wrap waits for the next character */
	CHECK(screen.wrap_pending);
	say("\r\nx");
	CHECK_ROWS("0123456789", "x", "", "");
	start("0123456789abc");
	CHECK_ROWS("0123456789", "abc", "", "");
	start("1\r\n2\r\n3\r\n4");
	screen.changed_first = ROWS;
	screen.changed_end = 0;
	say("\r\n5");
	CHECK_ROWS("2", "3", "4", "5");
	CHECK_EQUAL(screen.changed_first, 0);
	CHECK_EQUAL(screen.changed_end, ROWS);
	for (int i = 0; i < 100; i++)
		say("\r\nline");
	CHECK_ROWS("line", "line", "line", "line");
}

static void test_changes(void)
{
	start("");
	screen.changed_first = ROWS;
	screen.changed_end = 0;
	say("\x1b[3;1Hx");
	CHECK_EQUAL(screen.changed_first, 2);
	CHECK_EQUAL(screen.changed_end, 3);
}

static void test_colours(void)
{
	start("a\x1b[1;31mb\x1b[7mc\x1b[0md\x1b[93;44me\x1b[39;49mf\x1b[38;5;1mg\x1b[mh");
	CHECK_EQUAL(screen_cell(&screen, 0, 0)->colours, SCREEN_COLOURS(7, 0));
	CHECK_EQUAL(screen_cell(&screen, 1, 0)->colours, SCREEN_COLOURS(9, 0));
	CHECK_EQUAL(screen_cell(&screen, 2, 0)->colours, SCREEN_COLOURS(0, 9));
	CHECK_EQUAL(screen_cell(&screen, 3, 0)->colours, SCREEN_COLOURS(7, 0));
	CHECK_EQUAL(screen_cell(&screen, 4, 0)->colours, SCREEN_COLOURS(11, 4));
	CHECK_EQUAL(screen_cell(&screen, 5, 0)->colours, SCREEN_COLOURS(7, 0));
	CHECK_EQUAL(screen_cell(&screen, 6, 0)->colours, SCREEN_COLOURS(7, 0));
	CHECK_STRING(row_text(0), "abcdefgh");

	/* A log line's colour does not disturb a program's. */
	start("\x1b[32ma");
	screen_override(&screen, 11);
	say("b");
	screen_override(&screen, -1);
	say("c");
	CHECK_EQUAL(screen_cell(&screen, 0, 0)->colours, SCREEN_COLOURS(2, 0));
	CHECK_EQUAL(screen_cell(&screen, 1, 0)->colours, SCREEN_COLOURS(11, 0));
	CHECK_EQUAL(screen_cell(&screen, 2, 0)->colours, SCREEN_COLOURS(2, 0));
}

static void test_movement(void)
{
	start("\x1b[2;3Hx");
	CHECK_ROWS("", "  x", "", "");
	say("\x1b[A\x1b[4Dy");
	CHECK_ROWS("y", "  x", "", "");
	say("\x1b[2B\x1b[5Cz\x1b[2Gw\x1b[4dv");
	CHECK_ROWS("y", "  x", " w    z", "  v");
	say("\x1b[99;99H");
	CHECK_CURSOR(9, 3);
	say("\x1b[99A\x1b[99D");
	CHECK_CURSOR(0, 0);
	say("\x1b[99999999999B\x1b[;H");
	CHECK_CURSOR(0, 0);
}

static void test_erasing(void)
{
	start("aaaa\r\nbbbb\r\ncccc\x1b[2;3H\x1b[K");
	CHECK_ROWS("aaaa", "bb", "cccc", "");
	say("\x1b[1K");
	CHECK_ROWS("aaaa", "", "cccc", "");
	say("x\x1b[J");
	CHECK_ROWS("aaaa", "  x", "", "");
	say("\x1b[1J");
	CHECK_ROWS("", "", "", "");
	start("aaaa\r\nbbbb\x1b[44m\x1b[2J");
	CHECK_ROWS("", "", "", "");
	CHECK_EQUAL(screen_cell(&screen, 9, 3)->colours, SCREEN_COLOURS(7, 4));
	start("\x1b[31maaaa\x1b"
	      "cb");
	CHECK_ROWS("b", "", "", "");
	CHECK_EQUAL(screen_cell(&screen, 0, 0)->colours, SCREEN_COLOURS(7, 0));
}

/* Sequences that are not known leave nothing on screen. */
static void test_ignored(void)
{
	start("a\x1b[?25lb\x1b[5ic\x1b]0;title\ad\x1b]0;t\x1b\\e\x1b(Bf\x1b[>4;2mg\x1b[1;2\x18h");
	CHECK_STRING(row_text(0), "abcdefgh");
	CHECK(screen.cursor_hidden);
	CHECK_EQUAL(screen_cell(&screen, 7, 0)->colours, SCREEN_COLOURS(7, 0));
	say("\x1b[?25h");
	CHECK(!screen.cursor_hidden);
	start("a\x1b[1;2;3;4;5;6;7;8;9;10;11mb\x1b[3\rmc");
	CHECK_STRING(row_text(0), "cb");
}

static void test_utf8(void)
{
	static const struct {
		const char *bytes;
		uint16_t expected[4]; /* 0: the end */
	} cases[] = {
		{"\xc3\xa9", {0xe9}},
		{"\xe2\x94\x80x", {0x2500, 'x'}},
		{"\xf0\x9f\x98\x80", {0xfffd}},       /* outside the plane */
		{"\xc0\x80", {0xfffd, 0xfffd}},       /* never valid */
		{"\xe0\x80\x80", {0xfffd}},           /* too long */
		{"\xed\xa0\x80", {0xfffd}},           /* a surrogate */
		{"\xc3x", {0xfffd, 'x'}},             /* cut short */
		{"\xe2\x94\xc3\xa9", {0xfffd, 0xe9}}, /* cut short by another */
		{"\x80"
		 "a",
			{0xfffd, 'a'}},
		{"\xff", {0xfffd}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		start(cases[i].bytes);
		for (unsigned x = 0; x < 4; x++) {
			uint16_t expected = cases[i].expected[x] ? cases[i].expected[x] : ' ';

			CHECK_EQUAL(screen_cell(&screen, x, 0)->character, expected);
		}
	}
	start("\xe2\x94");
	say("\x80"); /* in two writes */
	CHECK_EQUAL(screen_cell(&screen, 0, 0)->character, 0x2500);
}

static void test_random_bytes(void)
{
	static const char likely[] = "\x1b[;0123456789mHJKABCDGdhl?\r\n\t\b\xc3\xa9\xe2 abc";
	uint64_t seed = 7;

	for (unsigned size = 1; size <= 10; size++) {
		struct cell *exact = malloc(sizeof(*exact) * size * 3);

		CHECK(exact);
		screen_init(&screen, exact, size, 3);
		for (unsigned i = 0; i < 200000; i++) {
			uint64_t r = check_random(&seed);
			char byte =
				r & 1 ? likely[(r >> 8) % (sizeof(likely) - 1)] : (char)(r >> 8);

			screen_write(&screen, &byte, 1);
			CHECK(screen.x < size && screen.y < 3 && screen.top < 3);
		}
		free(exact);
	}
}

int main(void)
{
	test_text();
	test_wrap_and_scroll();
	test_changes();
	test_colours();
	test_movement();
	test_erasing();
	test_ignored();
	test_utf8();
	test_random_bytes();
	return check_done();
}
