/* SPDX-License-Identifier: MIT */
/* The screen model: bytes in, rows of text and colours out; then bytes at random under the
 * sanitizers. */
#include "devices/screen.h"
#include "lib/check.h"

#define COLUMNS 10u
#define ROWS    4u
#define HISTORY 3u

static uint64_t memory[COLUMNS * (ROWS + HISTORY) * 2];
static struct screen screen;

static void say(const char *text)
{
	screen_write(&screen, text, strlen(text));
}

static void start(const char *text)
{
	CHECK(screen_memory(COLUMNS, ROWS, HISTORY) <= sizeof(memory));
	screen_init(&screen, memory, COLUMNS, ROWS, HISTORY);
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

#define CHECK_CURSOR(column, row)                  \
	do {                                       \
		CHECK_EQUAL(screen.pen.x, column); \
		CHECK_EQUAL(screen.pen.y, row);    \
	} while (0)

#define CHECK_COLOURS(column, row, front, back)                                    \
	do {                                                                       \
		CHECK_EQUAL(screen_cell(&screen, column, row)->foreground, front); \
		CHECK_EQUAL(screen_cell(&screen, column, row)->background, back);  \
	} while (0)

static void test_text(void)
{
	start("one\r\ntwo\nthree\rT");
	CHECK_ROWS("one", "two", "T  three", "");
	CHECK_CURSOR(1, 2);
	start("a\tb\tc\td");
	CHECK_ROWS("a       bc", "d", "", ""); /* a wrap that waits still waits after a tab */
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
	CHECK_COLOURS(0, 0, 7, 0);
	CHECK_COLOURS(1, 0, 9, 0);
	CHECK_COLOURS(2, 0, 8, 1); /* exchanged first, then made bright, as on Linux */
	CHECK_COLOURS(3, 0, 7, 0);
	CHECK_COLOURS(4, 0, 11, 4);
	CHECK_COLOURS(5, 0, 7, 0);
	CHECK_COLOURS(6, 0, 1, 0);
	CHECK_COLOURS(7, 0, 7, 0);
	CHECK_STRING(row_text(0), "abcdefgh");

	/* A log line's colour does not disturb a program's. */
	start("\x1b[32ma");
	screen_override(&screen, 11);
	say("b");
	screen_override(&screen, -1);
	say("c");
	CHECK_COLOURS(0, 0, 2, 0);
	CHECK_COLOURS(1, 0, 11, 0);
	CHECK_COLOURS(2, 0, 2, 0);
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
	CHECK_COLOURS(9, 3, 7, 4);
	start("\x1b[31maaaa\x1b"
	      "cb");
	CHECK_ROWS("b", "", "", "");
	CHECK_COLOURS(0, 0, 7, 0);
}

/* Sequences that are not known leave nothing on screen. */
static void test_ignored(void)
{
	start("a\x1b[?25lb\x1b[5ic\x1b]0;title\ad\x1b]0;t\x1b\\e\x1b(Bf\x1b[>4;2mg\x1b[1;2\x18h");
	CHECK_STRING(row_text(0), "abcdefgh");
	CHECK(screen.cursor_hidden);
	CHECK_COLOURS(7, 0, 7, 0);
	say("\x1b[?25h");
	CHECK(!screen.cursor_hidden);
	start("a\x1b[1;2;3;4;5;6;7;8;9;10;1;1;1;1;1;1;1;1mb\x1b[3\rmc");
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

/* What leaves at the top can be looked at again, and comes back when something is written. */
/* A history that grows keeps what is in it, in order, whatever its state is; the old memory may go. */
static void test_growing(void)
{
	for (unsigned lines = 0; lines < 12; lines++) {
		void *first = malloc(screen_memory(COLUMNS, ROWS, HISTORY));
		void *second = malloc(screen_memory(COLUMNS, ROWS, 3 * HISTORY));
		unsigned kept;
		char text[16];

		screen_init(&screen, first, COLUMNS, ROWS, HISTORY);
		for (unsigned i = 0; i < lines; i++) {
			snprintf(text, sizeof(text), "%c\r\n", 'a' + i);
			screen_write(&screen, text, strlen(text));
		}
		kept = screen.history_count;
		screen_grow(&screen, second, 3 * HISTORY);
		free(first);
		CHECK_EQUAL(screen.history_count, kept);
		for (unsigned i = lines; i < lines + 8; i++) {
			snprintf(text, sizeof(text), "%c\r\n", 'a' + i);
			screen_write(&screen, text, strlen(text));
		}
		/* The cursor's line is empty; above it the last letters stand in order, as far back as is kept. */
		screen_look(&screen, 100);
		kept = screen.history_count;
		CHECK_EQUAL(screen.view, kept);
		CHECK(kept <= 3 * HISTORY);
		for (unsigned row = 0; row < ROWS; row++) {
			unsigned letter = lines + 8 - (ROWS - 1) - kept + row;

			CHECK_EQUAL(screen_cell(&screen, 0, row)->character, 'a' + letter);
		}
		free(second);
	}
}

static void test_history(void)
{
	start("1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n9");
	CHECK_ROWS("6", "7", "8", "9");
	screen_look(&screen, 2);
	CHECK_ROWS("4", "5", "6", "7");
	CHECK(!screen_shows_cursor(&screen));
	screen_look(&screen, 100);
	CHECK_ROWS("3", "4", "5", "6"); /* three are kept */
	screen_look(&screen, -1);
	CHECK_ROWS("4", "5", "6", "7");
	say("x");
	CHECK_ROWS("6", "7", "8", "9x");
	CHECK(screen_shows_cursor(&screen));
	/* A region that is not the whole screen keeps nothing. */
	say("\x1b[1;3r\x1b[3;1H\n\n");
	screen_look(&screen, 100);
	CHECK_ROWS("3", "4", "5", "8");
	screen_look(&screen, -100);
	CHECK_ROWS("8", "", "", "9x");
	say("\x1b[3J");
	screen_look(&screen, 5);
	CHECK_ROWS("", "", "", "");
	screen_look(&screen, -5);
	start("1\r\n2\r\n3\r\n4\r\n5");
	screen_look(&screen, 2);
	CHECK_ROWS("1", "2", "3", "4");
}

/* What a program writes, and what then stands there: man 4 console_codes. The screens are given as
 * rows with | between, the cursor's place after them. */
static const struct sequence_case {
	const char *bytes, *rows;
	unsigned x, y;
} sequences[] = {
	/* scroll region, line feeds at its edges and outside of it */
	{"1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[3;1H\nx", "1|3|x|4", 1, 2},
	{"1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[2;1H\x1bMx", "1|x|2|4", 1, 1},
	{"1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[4;1H\n\nx", "1|2|3|x", 1, 3},
	{"1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[H\x1bMx", "x|2|3|4", 1, 0},
	{"1\r\n2\x1b[3;2rx", "1|2x||", 2, 1}, /* no region: ignored */
	{"1\r\n2\x1b[2;5rx", "1|2x||", 2, 1},
	{"1\x1b[2;3r\x1b[r2", "2|||", 1, 0},
	{"1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[S", "1|3||4", 0, 0},
	{"1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[T", "1||2|4", 0, 0},
	{"1\r\n2\r\n3\r\n4\x1b"
	 "D5\x1b"
	 "E6",
		"3|4| 5|6", 1, 3},
	/* insert and delete */
	{"1\r\n2\r\n3\r\n4\x1b[2;1H\x1b[L", "1||2|3", 0, 1},
	{"1\r\n2\r\n3\r\n4\x1b[2;2H\x1b[2M", "1|4||", 1, 1},
	{"1\r\n2\r\n3\r\n4\x1b[2H\x1b[99M", "1|||", 0, 1},
	{"abcdef\x1b[3G\x1b[2P", "abef|||", 2, 0},
	{"abcdef\x1b[3G\x1b[99P", "ab|||", 2, 0},
	{"abcdef\x1b[3G\x1b[2@", "ab  cdef|||", 2, 0},
	{"abcdefghij\x1b[3G\x1b[99@", "ab|||", 2, 0},
	{"abcdef\x1b[3G\x1b[2X", "ab  ef|||", 2, 0},
	{"abcdef\x1b[3G\x1b[99X", "ab|||", 2, 0},
	{"abcdefgh\x1b[3G\x1b[4hXY\x1b[4lZ", "abXYZdefgh|||", 5, 0},
	/* the last column */
	{"0123456789\x1b[K", "012345678|||", 9, 0},
	{"0123456789\bX", "01234567X9|||", 9, 0},
	{"0123456789\tX", "0123456789|X||", 1, 1},
	{"\x1b[?7l0123456789ab\x1b[?7h", "012345678b|||", 9, 0},
	{"0123456789\x1b[AX", "012345678X|||", 9, 0},
	/* movement */
	{"\x1b[3;4H\x1b[Ex\x1b[2Fy", "|y||x", 1, 1},
	{"\x1b[2;3H\x1b[ax\x1b[ey", "|   x|    y|", 5, 2},
	{"\x1b[5`x", "    x|||", 5, 0},
	{"\x1b[2;3r\x1b[?6hx\x1b[2;2Hy\x1b[9;1Hz\x1b[?6l", "|x|zy|", 0, 0},
	{"ab\x1b"
	 "7\x1b[3;3Hx\x1b"
	 "8c",
		"abc||  x|", 3, 0},
	{"ab\x1b[s\x1b[3;3Hx\x1b[uc", "abc||  x|", 3, 0},
	{"a\x1b[20hb\nc\x1b[20l\nd", "ab|c| d|", 2, 2},
	/* tab stops */
	{"\x1b[3g\x1b[4G\x1bH\r\tx\ty", "   x     y|||", 9, 0},
	{"\x1b[9G\x1b[g\r\tx", "         x|||", 9, 0},
	{"\x1b[10G\x1b[Zx", "        x|||", 9, 0},
	/* characters */
	{"\x1b(0lqk\x1b(Blqk", "~~~lqk|||", 6, 0},
	{"l\x0el\x0fl\x1b)Bl\x0el", "l~lll|||", 5, 0},
	{"\x1b[11m\xc4\x01\x1b[10mA", "~~A|||", 3, 0},
	{"\x1b[11m\x18\x1a\x1b[1\x18x", "~~x|||", 3, 0}, /* CAN is one only in a sequence */
	{"\x1b[11ma\x9b"
	 "4Gb",
		"a  b|||", 4, 0}, /* CSI is no picture */
	{"\x1b[12mE\x1b[10mE\x1b[12m\x0f"
	 "E",
		"~EE|||", 3, 0},
	{"\x1b(U\xc3\xa4\xe2\x94\x80x", "~~x|||", 3, 0}, /* with UTF-8 it has no meaning */
	{"\x1b(U\x1b%@\xc3\xa4x", "~~x|||", 3, 0},
	{"\x1b%@\x91\x84x\x9b"
	 "5Gy",
		"~~x y|||", 5, 0}, /* of C1 only CSI is there */
	{"\x1b%@\xe9\x1b%G\xc3\xa9", "~~|||", 2, 0},
	{"e\xcc\x81x\xe2\x80\x8by", "exy|||", 3, 0}, /* of no width */
	{"a\xe6\x97\xa5z", "a~ z|||", 4, 0},         /* wide */
	/* ... at the end of a line its other half goes to the next, as on Linux */
	{"\x1b[9G\xe6\x97\xa5\xe6\x97\xa5z", "        ~|~ z||", 3, 1},
	{"\x1b[10G\xe6\x97\xa5z", "         ~| z||", 2, 1},
	{"\x1b[?7l\x1b[10G\xe6\x97\xa5\x1b[?7h", "|||", 9, 0},
	{"abcdef\r\x1b[4h\xe6\x97\xa5\x1b[4l", "~ abcdef|||", 2, 0},
	{"\xe6\x97\xa5\b\bx", "x|||", 1, 0},
	{"\xef\xbd\xb1\xef\xbc\xa1z", "~~ z|||", 4, 0}, /* of half and of full width */
	{"\xe6\x97\xa5\xcc\x81z", "~ z|||", 3, 0},
	{"\xc2\x9b"
	 "3Gx",
		"  x|||", 3, 0}, /* CSI in one character */
	{"ab\x1b[3b", "abbbb|||", 5, 0},
	{"\x1b#8\x1b[2;1H\x1b[2M", "EEEEEEEEEE|EEEEEEEEEE||", 0, 1},
	/* of no effect, and nothing of them on screen */
	{"a\x1b[?1049hb\x1b[?1049lc\x1b[?2004hd\x1b[2 qe\x1b[?1cf", "abcdef|||", 6, 0},
	{"a\x1bP1$r0m\x1b\\b\x1b_x\x1b\\c\x1b]8;;http://x\x1b\\d", "abcd|||", 4, 0},
	{"a\x1b[[Ab\x1b]Rc\x1b]P1ff0000d\x1b[38:2:1:2:3me", "abcde|||", 5, 0},
	{"a\x1b*Bb\x1b Fc\x1b[>cd", "abcd|||", 4, 0},
	{"a\x1b[!pb\x1b[1\x1b[2Gc", "ac|||", 2, 0},
};

static void test_sequences(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(sequences); i++) {
		char rows[ROWS * (COLUMNS + 1) + 1] = "";

		start(sequences[i].bytes);
		for (unsigned y = 0; y < ROWS; y++) {
			strcat(rows, row_text(y));
			if (y + 1 < ROWS)
				strcat(rows, "|");
		}
		if (strcmp(rows, sequences[i].rows) || screen.pen.x != sequences[i].x ||
			screen.pen.y != sequences[i].y)
			fprintf(stderr, "case %zu\n", i);
		CHECK_STRING(rows, sequences[i].rows);
		CHECK_CURSOR(sequences[i].x, sequences[i].y);
	}
}

static void test_more_colours(void)
{
	start("\x1b[38;5;208ma\x1b[48;5;17mb\x1b[0;38;2;255;0;0mc\x1b[38;2;128;128;128md");
	CHECK_COLOURS(0, 0, 208, 0);
	CHECK_COLOURS(1, 0, 208, 17);
	CHECK_COLOURS(2, 0, 196, 0);
	CHECK_COLOURS(3, 0, 244, 0);
	start("\x1b[2ma\x1b[22mb\x1b[4mc\x1b[24md\x1b[1;38;5;9;44me\x1b[38;5;300mf");
	CHECK_COLOURS(0, 0, 8, 0);
	CHECK_COLOURS(1, 0, 7, 0);
	CHECK_EQUAL(screen_cell(&screen, 2, 0)->underline, 1);
	CHECK_EQUAL(screen_cell(&screen, 3, 0)->underline, 0);
	CHECK_COLOURS(4, 0, 9, 4);
	CHECK_COLOURS(5, 0, 9, 4);
	start("\x1b]P1123456");
	CHECK_EQUAL(screen.palette[1], 0x123456);
	CHECK(screen.palette_changed);
	say("\x1b]R");
	CHECK_EQUAL(screen.palette[1], 0xaa0000);
}

static void test_replies(void)
{
	start("ab\x1b[6n\x1b[5n\x1b[c\x1bZ\x1b[3;4r\x1b[?6h\x1b[2;5H\x1b[6n");
	CHECK_EQUAL(screen.reply_length, 6 + 4 + 5 + 5 + 6);
	CHECK(!memcmp(screen.reply, "\x1b[1;3R\x1b[0n\x1b[?6c\x1b[?6c\x1b[2;5R", 26));
	for (int i = 0; i < 100; i++)
		say("\x1b[6n"); /* nobody takes them: dropped whole */
	CHECK_EQUAL(screen.reply_length, 26 + 18);
}

static void test_modes(void)
{
	start("\x1b[?1h\x1b=\x1b[20h\x1b[1;3q\a");
	CHECK(screen.cursor_keys && screen.keypad && screen.newline && screen.bell);
	CHECK_EQUAL(screen.leds, 1);
	say("\x1b[3q");
	CHECK_EQUAL(screen.leds, 5);
	say("\x1b[?1l\x1b>\x1b[20l\x1b[q\x1b[?5h");
	CHECK(!screen.cursor_keys && !screen.keypad && !screen.newline && screen.inverse_screen);
	CHECK_EQUAL(screen.leds, 0);
	say("\x1b"
	    "c");
	CHECK(!screen.inverse_screen);
}

/* Each line of cells is at exactly one place. */
static void check_lines(void)
{
	bool seen[16] = {false};
	unsigned count = screen.rows + screen.history_size;

	CHECK(count <= 16);
	for (unsigned i = 0; i < count; i++) {
		CHECK(screen.lines[i] < count && !seen[screen.lines[i]]);
		seen[screen.lines[i]] = true;
	}
}

static void check_sane(unsigned size)
{
	CHECK(screen.pen.x < size && screen.pen.y < screen.rows);
	CHECK(screen.top < screen.bottom && screen.bottom <= screen.rows);
	CHECK(screen.history_count <= screen.history_size && screen.view <= screen.history_count);
	CHECK(screen.reply_length <= SCREEN_REPLY);
	for (unsigned row = 0; row < screen.rows; row++) {
		for (unsigned x = 0; x < size; x++)
			CHECK(screen_cell(&screen, x, row)->character);
	}
	check_lines();
}

static void test_random_bytes(void)
{
	static const char likely[] = "\x1b\x1b[[[;;0123456789mHJKABCDEFGLMPSTXZ@dhlrsunqbcgI?"
				     "\r\n\n\t\b\xc3\xa9\xe2 abc()]P78#%";
	uint64_t seed = 7;

	for (unsigned size = 1; size <= 12; size++) {
		unsigned rows = 1 + size % 4, history = size % 3;
		size_t bytes = screen_memory(size, rows, history);
		void *exact = malloc(bytes);

		CHECK(exact);
		screen_init(&screen, exact, size, rows, history);
		for (unsigned i = 0; i < 100000; i++) {
			uint64_t r = check_random(&seed);
			char byte =
				r & 3 ? likely[(r >> 8) % (sizeof(likely) - 1)] : (char)(r >> 8);

			screen_write(&screen, &byte, 1);
			if (r >> 40 & 1)
				screen.reply_length = 0;
			if (!(r >> 41 & 63))
				screen_look(&screen, (int)(r >> 50 & 7) - 3);
			if (!(r >> 41 & 15))
				check_sane(size);
		}
		free(exact);
	}
	CHECK_EQUAL(screen_memory(70000, 2, 0), 0);
	CHECK_EQUAL(screen_memory(2, 70000, 0), 0);
}

/* However hostile the bytes: a piece is what SCREEN_WORK allows and one sequence more. */
static void test_work(void)
{
	static const char *const streams[] = {"\n", "x", "\x1b[2J", "\x1b[999S", "\x1b[999T",
		"\x1b[999L", "\x1b[H\x1b[999L", "\x1b[65535b", "\x1b[999@", "\x1b[999P", "\x1b#8",
		"\x1b"
		"c",
		"\x1b[H\x1b[M\x1bM"};
	unsigned columns = 240, rows = 67, most = SCREEN_WORK + 16 * columns + columns * rows + 16;
	uint64_t *cells = malloc(screen_memory(columns, rows, 0));
	char bytes[1024];

	CHECK(cells);
	for (unsigned i = 0; i < ARRAY_SIZE(streams); i++) {
		size_t length = strlen(streams[i]), count = sizeof(bytes) / length * length,
		       pieces = 0;
		struct screen large;

		screen_init(&large, cells, columns, rows, 0);
		for (size_t at = 0; at < count; at += length)
			memcpy(bytes + at, streams[i], length);
		for (size_t at = 0, done; at < count; at += done, pieces++) {
			done = screen_write_some(&large, bytes + at, count - at);
			CHECK(done > 0 && large.work <= most);
		}
		CHECK(pieces > 1 || !strcmp(streams[i], "x"));
	}
	free(cells);
}

int main(void)
{
	test_work();
	test_text();
	test_wrap_and_scroll();
	test_changes();
	test_colours();
	test_more_colours();
	test_movement();
	test_erasing();
	test_ignored();
	test_utf8();
	test_history();
	test_growing();
	test_sequences();
	test_replies();
	test_modes();
	test_random_bytes();
	return check_done();
}
