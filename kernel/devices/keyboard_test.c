/* SPDX-License-Identifier: MIT */
/* Keys in, bytes out: layouts, modifiers, dead keys, the keypad, the terminals' own keys, scan codes;
 * then keys at random under the sanitizers. */
#include "devices/keyboard.h"
#include "lib/check.h"

#include <linux/input-event-codes.h>
#include <linux/keyboard.h>

static struct keyboard keyboard;
static struct keyboard_terms terms;
static struct keyboard_terminal terminal;
static char typed[256];
static struct keys last;

static void press(unsigned code, enum key_event event)
{
	size_t length = strlen(typed);

	keyboard_key(&keyboard, code, event, &terminal, &terms, &last);
	CHECK(length + last.count < sizeof(typed));
	memcpy(typed + length, last.bytes, last.count);
	typed[length + last.count] = 0;
}

static void start(const char *layout)
{
	const struct keymap *map = keymap_find(layout);

	CHECK(map);
	keyboard_init(&keyboard, map);
	terms = (struct keyboard_terms){0};
	terminal = (struct keyboard_terminal){0};
	typed[0] = 0;
}

static void tap(unsigned code)
{
	press(code, PRESSED);
	press(code, RELEASED);
}

static void with(unsigned modifier, unsigned code)
{
	struct keys of_key;

	press(modifier, PRESSED);
	press(code, PRESSED);
	of_key = last;
	press(code, RELEASED);
	press(modifier, RELEASED);
	last = of_key;
}

#define CHECK_TYPED(text)                  \
	do {                               \
		CHECK_STRING(typed, text); \
		typed[0] = 0;              \
	} while (0)

static void test_us(void)
{
	start("us");
	tap(KEY_Q);
	with(KEY_LEFTSHIFT, KEY_Q);
	with(KEY_RIGHTSHIFT, KEY_1);
	tap(KEY_SPACE);
	tap(KEY_BACKSLASH);
	CHECK_TYPED("qQ! \\");
	with(KEY_LEFTCTRL, KEY_C);
	with(KEY_RIGHTCTRL, KEY_LEFTBRACE);
	with(KEY_LEFTCTRL, KEY_BACKSLASH);
	CHECK_TYPED("\x03\x1b\x1c");
	with(KEY_LEFTALT, KEY_X);
	with(KEY_RIGHTALT, KEY_X); /* no AltGr here */
	CHECK_TYPED("\x1bx\x1bx");
	press(KEY_A, PRESSED);
	press(KEY_A, REPEATED);
	terms.no_repeat = true;
	press(KEY_A, REPEATED);
	CHECK_TYPED("aa");
	tap(0);
	tap(500);
	CHECK_TYPED("");
}

/* As Debian's tables (ckbcomp) have them. */
static void test_modifiers(void)
{
	start("us");
	press(KEY_LEFTCTRL, PRESSED);
	with(KEY_LEFTSHIFT, KEY_LEFTBRACE);
	with(KEY_LEFTSHIFT, KEY_BACKSLASH);
	with(KEY_LEFTSHIFT, KEY_RIGHTBRACE);
	with(KEY_LEFTSHIFT, KEY_GRAVE);
	CHECK_TYPED("\x1b\x1c\x1d\x1e");
	tap(KEY_F1);
	with(KEY_LEFTSHIFT, KEY_F1);
	CHECK_TYPED(""); /* F25, F37: no string */
	with(KEY_LEFTSHIFT, KEY_TAB);
	with(KEY_LEFTSHIFT, KEY_PAGEUP);
	CHECK_EQUAL(last.action, KEYS_NOTHING);
	with(KEY_LEFTALT, KEY_LEFT);
	CHECK_EQUAL(last.action, KEYS_NOTHING);
	CHECK_TYPED("\t\x1b[5~\x1b[D");
	press(KEY_LEFTCTRL, RELEASED);
	with(KEY_LEFTSHIFT, KEY_F8);
	with(KEY_LEFTSHIFT, KEY_F9); /* F21 */
	CHECK_TYPED("\x1b[34~");
	start("de"); /* Control and Alt take the key's ASCII character */
	with(KEY_LEFTALT, KEY_LEFTBRACE);
	with(KEY_LEFTALT, KEY_MINUS);
	with(KEY_LEFTCTRL, KEY_MINUS);
	CHECK_TYPED("\xc3\xbc\x1b?\x7f");
	press(KEY_RIGHTALT, PRESSED);
	with(KEY_LEFTCTRL, KEY_E);
	with(KEY_LEFTALT, KEY_E);
	with(KEY_LEFTCTRL, KEY_7);
	press(KEY_RIGHTALT, RELEASED);
	CHECK_TYPED("\x05\x1b"
		    "e\x1b");
}

static void test_caps(void)
{
	start("us");
	tap(KEY_CAPSLOCK);
	CHECK_EQUAL(keyboard_leds(&terminal), LOCK_CAPS);
	press(KEY_CAPSLOCK, REPEATED);
	CHECK_EQUAL(keyboard_leds(&terminal), LOCK_CAPS);
	tap(KEY_A);
	tap(KEY_1);
	with(KEY_LEFTSHIFT, KEY_A);
	with(KEY_LEFTCTRL, KEY_A);
	CHECK_TYPED("A1a\x01");
	press(KEY_CAPSLOCK, PRESSED);
	CHECK_EQUAL(last.action, KEYS_LOCKS);
	CHECK_EQUAL(keyboard_leds(&terminal), 0);
}

static void test_de(void)
{
	start("de");
	tap(KEY_Y);
	tap(KEY_Z);
	tap(KEY_APOSTROPHE);
	with(KEY_LEFTSHIFT, KEY_SEMICOLON);
	tap(KEY_MINUS);
	with(KEY_RIGHTALT, KEY_Q);
	with(KEY_RIGHTALT, KEY_E);
	with(KEY_RIGHTALT, KEY_7);
	tap(KEY_102ND);
	CHECK_TYPED("zy\xc3\xa4\xc3\x96\xc3\x9f@\xe2\x82\xac{<");
	tap(KEY_GRAVE); /* dead circumflex */
	CHECK_TYPED("");
	tap(KEY_A);
	tap(KEY_EQUAL); /* dead acute */
	with(KEY_LEFTSHIFT, KEY_E);
	tap(KEY_GRAVE);
	tap(KEY_SPACE);
	tap(KEY_GRAVE);
	tap(KEY_X);
	tap(KEY_GRAVE);
	tap(KEY_GRAVE);
	tap(KEY_B);
	CHECK_TYPED("\xc3\xa2\xc3\x89^^x^b");
	terminal.mode = KEYBOARD_LATIN1;
	tap(KEY_APOSTROPHE);
	with(KEY_RIGHTALT, KEY_E); /* not in Latin-1 */
	CHECK_TYPED("\xe4");
}

static void test_fr(void)
{
	start("fr");
	tap(KEY_Q);
	tap(KEY_W);
	tap(KEY_SEMICOLON);
	tap(KEY_1);
	with(KEY_LEFTSHIFT, KEY_1);
	tap(KEY_2);
	with(KEY_RIGHTALT, KEY_0);
	CHECK_TYPED("azm&1\xc3\xa9@");
	tap(KEY_LEFTBRACE); /* dead circumflex, with Shift diaeresis */
	tap(KEY_O);
	with(KEY_LEFTSHIFT, KEY_LEFTBRACE);
	tap(KEY_I);
	CHECK_TYPED("\xc3\xb4\xc3\xaf");
	with(KEY_LEFTCTRL, KEY_Q);
	CHECK_TYPED("\x01");
}

static void test_special(void)
{
	start("us");
	tap(KEY_UP);
	tap(KEY_LEFT);
	terms.cursor_keys = true;
	tap(KEY_DOWN);
	tap(KEY_RIGHT);
	CHECK_TYPED("\x1b[A\x1b[D\x1bOB\x1bOC");
	tap(KEY_F1);
	tap(KEY_F5);
	tap(KEY_F6);
	tap(KEY_F10);
	tap(KEY_F11);
	tap(KEY_F12);
	with(KEY_LEFTSHIFT, KEY_F1);
	CHECK_TYPED("\x1b[[A\x1b[[E\x1b[17~\x1b[21~\x1b[23~\x1b[24~\x1b[25~");
	tap(KEY_HOME);
	tap(KEY_INSERT);
	tap(KEY_DELETE);
	tap(KEY_END);
	tap(KEY_PAGEUP);
	tap(KEY_PAGEDOWN);
	CHECK_TYPED("\x1b[1~\x1b[2~\x1b[3~\x1b[4~\x1b[5~\x1b[6~");
	tap(KEY_ENTER);
	tap(KEY_BACKSPACE);
	tap(KEY_TAB);
	tap(KEY_ESC);
	terms.newline = true;
	tap(KEY_ENTER);
	with(KEY_LEFTSHIFT, KEY_TAB);
	with(KEY_LEFTALT, KEY_BACKSPACE);
	with(KEY_LEFTCTRL, KEY_BACKSPACE);
	CHECK_TYPED("\r\x7f\t\x1b\r\n\x1b\t\x1b\x7f\b");
}

static void test_keypad(void)
{
	start("us");
	tap(KEY_KP8);
	tap(KEY_KP7);
	tap(KEY_KPDOT);
	tap(KEY_KPPLUS);
	tap(KEY_KP5);
	CHECK_TYPED("\x1b[A\x1b[1~\x1b[3~+\x1b[G");
	tap(KEY_NUMLOCK);
	for (unsigned code = KEY_KP7; code <= KEY_KPDOT; code++)
		tap(code);
	tap(KEY_KPENTER);
	tap(KEY_KPASTERISK);
	tap(KEY_KPSLASH);
	CHECK_TYPED("789-456+1230.\r*/");
	terms.keypad = true;
	tap(KEY_KP0);
	tap(KEY_KP9);
	tap(KEY_KPENTER);
	CHECK_TYPED("\x1bOp\x1bOy\x1bOM");
}

static void check_action(unsigned modifier, unsigned code, enum keyboard_action action)
{
	with(modifier, code);
	CHECK_EQUAL(last.action, action);
	CHECK_EQUAL(last.count, 0);
}

static void test_terminals(void)
{
	start("us");
	check_action(KEY_LEFTALT, KEY_F3, KEYS_SWITCH);
	CHECK_EQUAL(last.argument, 3);
	check_action(KEY_LEFTALT, KEY_F12, KEYS_SWITCH);
	CHECK_EQUAL(last.argument, 12);
	check_action(KEY_LEFTALT, KEY_LEFT, KEYS_PREVIOUS);
	check_action(KEY_LEFTALT, KEY_RIGHT, KEYS_NEXT);
	check_action(KEY_LEFTSHIFT, KEY_PAGEUP, KEYS_LOOK_BACK);
	check_action(KEY_RIGHTSHIFT, KEY_PAGEDOWN, KEYS_LOOK_FORWARD);
	press(KEY_LEFTCTRL, PRESSED);
	check_action(KEY_LEFTALT, KEY_DELETE, KEYS_REBOOT);
	press(KEY_LEFTCTRL, RELEASED);
	check_action(KEY_LEFTALT, KEY_UP, KEYS_SIGNAL);
	check_action(KEY_LEFTCTRL, KEY_PAUSE, KEYS_BREAK);
	check_action(KEY_LEFTALT, KEY_SYSRQ, KEYS_LAST);
	press(KEY_SCROLLLOCK, PRESSED);
	CHECK_EQUAL(last.action, KEYS_HOLD);
	press(KEY_SCROLLLOCK, RELEASED);
	terminal.mode = KEYBOARD_OFF;
	tap(KEY_A);
	CHECK_TYPED("");
	check_action(KEY_LEFTALT, KEY_F2, KEYS_NOTHING); /* a display server's business */
	terminal.mode = KEYBOARD_CODES;
	tap(KEY_A);
	CHECK_TYPED("\x1e\x9e");
}

/* Compose, characters by number, the bits of Alt, locks and modifiers for one key, strings and tables of programs. */
static void test_tables(void)
{
	static const struct composition pairs[] = {{'a', 'b', 0x20ac}};
	static struct keyboard_tables tables;
	static struct keyboard_strings strings;
	static uint16_t changed[KEYBOARD_KEYS] = {[KEY_A] = K(KT_SLOCK, KG_SHIFT),
		[KEY_B] = K(KT_LOCK, KG_SHIFT),
		[KEY_C] = K(KT_LETTER, 'c'),
		[KEY_D] = K(KT_FN, 3),
		[KEY_LEFTSHIFT] = K_CAPSSHIFT,
		[KEY_E] = K_CAPSON};
	static uint16_t shifted[KEYBOARD_KEYS] = {[KEY_A] = K(KT_SLOCK, KG_SHIFT),
		[KEY_B] = K(KT_LOCK, KG_SHIFT),
		[KEY_C] = K(KT_LETTER, 'C'),
		[KEY_LEFTSHIFT] = K_CAPSSHIFT};
	char text[] = "four";

	start("us");
	press(KEY_LEFTALT, PRESSED);
	tap(KEY_KP2);
	tap(KEY_KP2);
	tap(KEY_KP8);
	press(KEY_LEFTALT, RELEASED);
	with(KEY_LEFTCTRL, KEY_DOT); /* Compose */
	tap(KEY_S);
	tap(KEY_S);
	CHECK_TYPED("\xc3\xa4\xc3\x9f");
	keyboard.compositions = pairs;
	keyboard.composition_count = 1;
	with(KEY_LEFTCTRL, KEY_DOT);
	tap(KEY_A);
	tap(KEY_B);
	CHECK_TYPED("\xe2\x82\xac");
	terminal.meta_bit = true;
	with(KEY_LEFTALT, KEY_A);
	CHECK_TYPED("\xe1");
	keyboard.tables = &tables;
	keyboard.strings = &strings;
	tables.symbols[0] = changed;
	tables.symbols[1] = shifted;
	strings.text[3] = text;
	tap(KEY_A);
	tap(KEY_C);
	tap(KEY_C);
	tap(KEY_D);
	CHECK_TYPED("Ccfour");
	tap(KEY_B); /* Shift stays */
	tap(KEY_C);
	tap(KEY_B);
	CHECK_TYPED("C");
	terminal.modifier_locks = 0;
	tap(KEY_E);
	CHECK_EQUAL(keyboard_leds(&terminal), LOCK_CAPS);
	tap(KEY_C);
	tap(KEY_LEFTSHIFT);
	tap(KEY_C);
	CHECK_TYPED("Cc");
	tables.symbols[1] = keyboard_no_table;
	press(KEY_RIGHTSHIFT, PRESSED);
	CHECK_EQUAL(keyboard_symbol(&keyboard, 1, KEY_C), -1);
	keyboard.tables = NULL;
}

static void test_raw(void)
{
	start("us");
	terminal.mode = KEYBOARD_RAW;
	tap(KEY_A);
	tap(KEY_UP);
	tap(KEY_PAUSE);
	CHECK_TYPED("\x1e\x9e\xe0\x48\xe0\xc8\xe1\x1d\x45\xe1\x9d\xc5");
	tap(KEY_SYSRQ);
	CHECK_TYPED("\xe0\x2a\xe0\x37\xe0\xaa\xe0\xb7");
	terminal.mode = KEYBOARD_CODES;
	tap(200);
	CHECK_EQUAL(last.count, 3);
	CHECK(last.bytes[0] == 0x80 && last.bytes[1] == 0x81 && last.bytes[2] == 0xc8);
	press(KEY_LEFTSHIFT, PRESSED); /* is followed all the same */
	terminal.mode = KEYBOARD_UNICODE;
	typed[0] = 0;
	tap(KEY_A);
	CHECK_TYPED("A");
}

static void test_scancodes(void)
{
	static const struct {
		uint8_t byte;
		unsigned code;
		bool up;
	} steps[] = {{0x1e, KEY_A, false}, {0x9e, KEY_A, true}, {0xe0, 0, false},
		{0x48, KEY_UP, false}, {0xe0, 0, false}, {0xc8, KEY_UP, true},
		{0x48, KEY_KP8, false}, {0xe0, 0, false}, {0x2a, 0, false}, /* a fake Shift */
		{0xe0, 0, false}, {0x38, KEY_RIGHTALT, false}, {0x58, KEY_F12, false},
		{0x56, KEY_102ND, false}, {0xe1, 0, false}, {0x1d, 0, false},
		{0x45, KEY_PAUSE, false}, {0xe1, 0, false}, {0x9d, 0, false},
		{0xc5, KEY_PAUSE, true}, {0x1e, KEY_A, false}, {0x7a, 0, false}, {0xff, 0, true},
		{0x54, KEY_SYSRQ, false}};
	struct scancodes scancodes = {0};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		bool up;
		unsigned code = scancode_key(&scancodes, steps[i].byte, &up);

		CHECK_EQUAL(code, steps[i].code);
		if (code)
			CHECK_EQUAL(up, steps[i].up);
	}
}

static void test_random_keys(void)
{
	uint64_t seed = 3;

	for (unsigned map = 0; map < keymap_count; map++) {
		struct scancodes scancodes = {0};

		keyboard_init(&keyboard, &keymaps[map]);
		for (unsigned i = 0; i < 40000; i++) {
			uint64_t r = check_random(&seed);
			bool up;
			unsigned code = scancode_key(&scancodes, (uint8_t)(r >> 8), &up);

			CHECK(code < 128);
			terminal.mode = (enum keyboard_mode)((r >> 32) % 5);
			terms = (struct keyboard_terms){.cursor_keys = r >> 22 & 1,
				.keypad = r >> 23 & 1,
				.newline = r >> 24 & 1};
			keyboard_key(
				&keyboard, code, up ? RELEASED : PRESSED, &terminal, &terms, &last);
			CHECK(last.count <= sizeof(last.bytes));
		}
	}
}

int main(void)
{
	CHECK(!keymap_find("xx"));
	CHECK_STRING(keymaps[0].name, "us");
	test_us();
	test_modifiers();
	test_caps();
	test_de();
	test_fr();
	test_special();
	test_keypad();
	test_terminals();
	test_tables();
	test_raw();
	test_scancodes();
	test_random_keys();
	return check_done();
}
