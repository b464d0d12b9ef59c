/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a terminal: UTF-8 text, control characters, escape and control sequences, with the
 * meanings of Linux's console (man 4 console_codes) and its terminfo entry `linux`.
 *
 * Beyond Linux's: CSI S, T (scroll), b (repeat), I, Z (tabs), 256 colours shown as they are (direct
 * colours as the nearest of them), and DEC's line drawing in G0 or G1 works in UTF-8 mode too (the code
 * page of the IBM PC by ESC ( U does not; by SGR 11 and 12 it does). As on
 * Linux, an alternate screen (?47, ?1047, ?1049), bracketed paste and mouse reports are not there:
 * the sequences are read and have no effect. Control strings are swallowed up to BEL or ST. What is
 * not known is recognised as a whole and ignored.
 *
 * Bad UTF-8 is U+FFFD, one for each byte that cannot begin a character and one for each sequence cut
 * short; characters beyond the Basic Multilingual Plane too. Characters of no width are dropped.
 */
#include "devices/screen.h"
#include "lib/string.h"

#define REPLACEMENT   0xfffdu
#define CSI           0x9bu
#define PARAMETER_MAX 9999u
#define PALETTE_HEX   7u /* ESC ] P n rr gg bb */

/* ---- Control sequences ---- */

static void csi_byte(struct screen *screen, uint8_t byte)
{
	unsigned *parameter = &screen->parameters[screen->parameter_count];

	if (byte >= '0' && byte <= '9') {
		*parameter = *parameter * 10 + (unsigned)(byte - '0');
		if (*parameter > PARAMETER_MAX)
			*parameter = PARAMETER_MAX;
	} else if (byte == ';') {
		if (screen->parameter_count + 1 < SCREEN_PARAMETERS)
			screen->parameter_count++;
		else
			screen->state = SCREEN_CSI_IGNORE;
	} else if (byte >= '<' && byte <= '?' && !screen->mark) {
		screen->mark = (char)byte;
	} else if (byte == '[') { /* a function key's own sequence, come back */
		screen->state = SCREEN_SKIP_ONE;
	} else if (byte >= '@' && byte <= '~') {
		screen->state = SCREEN_GROUND;
		screen_control_sequence(screen, byte);
	} else {
		screen->state = SCREEN_CSI_IGNORE;
	}
}

static void start_csi(struct screen *screen)
{
	screen->state = SCREEN_CSI;
	screen->mark = 0;
	screen->parameter_count = 0;
	memset(screen->parameters, 0, sizeof(screen->parameters));
}

/* ---- Escape sequences ---- */

static int hex_digit(uint8_t byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte |= 0x20;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* ESC ] P: seven digits, with no end of their own. */
static void palette_byte(struct screen *screen, uint8_t byte)
{
	int digit = hex_digit(byte);

	if (digit < 0) {
		screen->state = SCREEN_GROUND;
		return;
	}
	screen->parameters[0] = screen->parameters[0] << 4 | (unsigned)digit;
	if (++screen->parameter_count < PALETTE_HEX)
		return;
	screen->palette[screen->parameters[0] >> 24 & 15] = screen->parameters[0] & 0xffffff;
	screen->palette_changed = true;
	screen->state = SCREEN_GROUND;
}

static void begin_sequence(struct screen *screen, uint8_t byte)
{
	switch (byte) {
	case '[':
		start_csi(screen);
		break;
	case ']':
		screen->state = SCREEN_OSC;
		break;
	case 'P':
	case 'X':
	case '^':
	case '_':
		screen->state = SCREEN_STRING;
		break;
	case '(':
		screen->state = SCREEN_SET_G0;
		break;
	case ')':
		screen->state = SCREEN_SET_G1;
		break;
	case '#':
		screen->state = SCREEN_HASH;
		break;
	case '%':
		screen->state = SCREEN_PERCENT;
		break;
	default:
		if (byte >= ' ' && byte <= '/') /* intermediates: *, +, SP ... */
			screen->state = SCREEN_SKIP_ONE;
	}
}

static void escape_byte(struct screen *screen, uint8_t byte)
{
	screen->state = SCREEN_GROUND;
	switch (byte) {
	case '7':
		screen->saved = screen->pen;
		break;
	case '8':
		screen_restore_cursor(screen);
		break;
	case '=':
		screen->keypad = true;
		break;
	case '>':
		screen->keypad = false;
		break;
	case 'D':
		screen_line_feed(screen);
		break;
	case 'E':
		screen->pen.x = 0;
		screen_line_feed(screen);
		break;
	case 'H':
		screen_set_tab_stop(screen, true);
		break;
	case 'M':
		screen_reverse_line_feed(screen);
		break;
	case 'Z':
		screen_reply(screen, "\x1b[?6c");
		break;
	case 'c':
		screen_reset_palette(screen);
		screen_reset(screen);
		break;
	default:
		begin_sequence(screen, byte);
	}
}

static void select_charset(struct screen *screen, unsigned which, uint8_t byte)
{
	screen->state = SCREEN_GROUND;
	if (byte == '0')
		screen->pen.sets[which] = CHARSET_GRAPHICS;
	else if (byte == 'B' || byte == 'A' || byte == 'K')
		screen->pen.sets[which] = CHARSET_LATIN1;
	else if (byte == 'U')
		screen->pen.sets[which] = CHARSET_CP437;
}

/* The byte after ESC ]. */
static void osc_byte(struct screen *screen, uint8_t byte)
{
	screen->state = SCREEN_STRING;
	if (byte == 'P') {
		screen->state = SCREEN_PALETTE;
		screen->parameters[0] = screen->parameter_count = 0;
	} else if (byte == 'R') {
		screen->state = SCREEN_GROUND;
		screen_reset_palette(screen);
	}
}

/* ---- Text ---- */

static void put_character(struct screen *screen, uint32_t character)
{
	unsigned width = character_width(character);

	if (character == CSI) { /* in one character */
		start_csi(screen);
		return;
	}
	if (character < 0xa0 && character >= 0x7f)
		return;
	if (character > 0xffff)
		character = REPLACEMENT;
	if (width)
		screen->last_character = character;
	screen_put(screen, character, width);
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
	bool bad = value < screen->utf8_least || value > 0x10ffff ||
		   (value >= 0xd800 && value < 0xe000) || (value & 0xfffe) == 0xfffe;

	put_character(screen, bad ? REPLACEMENT : value);
}

/* A byte that is a character by itself; of C1 only CSI is none. */
static void single_byte(struct screen *screen, uint8_t byte, enum screen_charset set)
{
	if (byte == CSI) {
		start_csi(screen);
		return;
	}
	if (screen->upper_half)
		byte |= 0x80;
	if (byte >= 0x80 && byte < 0xa0)
		set = CHARSET_CP437;
	put_character(screen, charset_character(set, byte));
}

static void text_byte(struct screen *screen, uint8_t byte)
{
	enum screen_charset set = screen->cp437 ? CHARSET_CP437 : screen->pen.sets[screen->pen.set];

	if (screen->cp437 || !screen->utf8 || (set == CHARSET_GRAPHICS && byte < 0x80)) {
		single_byte(screen, byte, set);
		return;
	}
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

/* Control characters act inside of sequences too. false: with the code page of the IBM PC selected,
 * this one is a picture. */
static bool control_character(struct screen *screen, uint8_t byte)
{
	switch (byte) {
	case '\a':
		screen->bell |= !screen->cp437;
		return !screen->cp437;
	case '\b':
		if (screen->pen.x)
			screen->pen.x--;
		screen->wrap_pending = false;
		return true;
	case '\t':
		if (screen->cp437)
			return false;
		screen_tab(screen, 1);
		return true;
	case '\v':
		if (screen->cp437)
			return false;
		__attribute__((fallthrough));
	case '\n':
	case '\f':
		screen_line_feed(screen);
		if (screen->newline)
			screen->pen.x = 0;
		return true;
	case '\r':
		screen->pen.x = 0;
		screen->wrap_pending = false;
		return true;
	case 0x0e: /* SO */
	case 0x0f: /* SI */
		screen->pen.set = byte == 0x0e;
		screen->cp437 = screen->upper_half = false;
		return true;
	case 0x18: /* CAN, SUB: give the sequence up */
	case 0x1a:
		if (screen->cp437 && screen->state == SCREEN_GROUND)
			return false;
		screen->state = SCREEN_GROUND;
		return true;
	case 0x1b:
		screen->state = SCREEN_ESCAPE;
		return true;
	case 0:
	case 0x7f:
		return true;
	}
	return byte < ' ' && !screen->cp437;
}

/* Up to BEL, CAN, SUB, or ST, which is ESC \. */
static void string_byte(struct screen *screen, uint8_t byte)
{
	if (screen->state == SCREEN_STRING_ESCAPE && byte != '\\') {
		escape_byte(screen, byte);
		return;
	}
	if (byte == '\a' || byte == 0x18 || byte == 0x1a || screen->state == SCREEN_STRING_ESCAPE)
		screen->state = SCREEN_GROUND;
	else if (byte == 0x1b)
		screen->state = SCREEN_STRING_ESCAPE;
}

static void sequence_byte(struct screen *screen, uint8_t byte)
{
	switch (screen->state) {
	case SCREEN_ESCAPE:
		escape_byte(screen, byte);
		break;
	case SCREEN_CSI:
		csi_byte(screen, byte);
		break;
	case SCREEN_CSI_IGNORE:
		if (byte >= '@' && byte <= '~')
			screen->state = SCREEN_GROUND;
		break;
	case SCREEN_OSC:
		osc_byte(screen, byte);
		break;
	case SCREEN_PALETTE:
		palette_byte(screen, byte);
		break;
	case SCREEN_SET_G0:
	case SCREEN_SET_G1:
		select_charset(screen, screen->state == SCREEN_SET_G1, byte);
		break;
	case SCREEN_HASH:
		screen->state = SCREEN_GROUND;
		if (byte == '8')
			screen_align(screen);
		break;
	case SCREEN_PERCENT:
		screen->state = SCREEN_GROUND;
		if (byte == '@')
			screen->utf8 = false;
		else if (byte == 'G' || byte == '8')
			screen->utf8 = true;
		break;
	default:
		screen->state = SCREEN_GROUND;
	}
}

void screen_parse_byte(struct screen *screen, uint8_t byte)
{
	if (screen->state == SCREEN_STRING || screen->state == SCREEN_STRING_ESCAPE) {
		string_byte(screen, byte);
		return;
	}
	if ((byte < ' ' || byte == 0x7f) && screen->utf8_left) {
		screen->utf8_left = 0;
		put_character(screen, REPLACEMENT);
	}
	if (byte == '\a' && screen->state == SCREEN_OSC)
		screen->state = SCREEN_GROUND;
	else if (screen->state == SCREEN_SKIP_ONE && byte >= ' ')
		screen->state = SCREEN_GROUND;
	else if (control_character(screen, byte))
		return;
	else if (screen->state == SCREEN_GROUND)
		text_byte(screen, byte);
	else
		sequence_byte(screen, byte);
}
