/* SPDX-License-Identifier: MIT */
/*
 * What keys mean: the layout's characters, Shift, AltGr, Caps Lock, dead keys, Control, Alt as ESC
 * before the character, function keys, the keypad; and the keys that are for the terminals
 * themselves (Alt-F1.., Shift-PageUp, Ctrl-Alt-Del). The bytes are those of Linux's console.
 *
 * Modifiers are looked up in the set of keys that are down, so that each of two Shift keys counts.
 * Right Alt is Alt on layouts where AltGr changes nothing.
 */
#include "devices/keyboard.h"
#include "lib/printf.h"
#include "lib/string.h"

#include <linux/input-event-codes.h>

enum modifier { SHIFT = 1, ALTGR = 2, CONTROL = 4, ALT = 8 };

#define ESCAPE 0x1bu

const struct keymap *keymap_find(const char *name)
{
	for (unsigned i = 0; i < keymap_count; i++) {
		if (!strcmp(keymaps[i].name, name))
			return &keymaps[i];
	}
	return NULL;
}

void keyboard_init(struct keyboard *keyboard, const struct keymap *map)
{
	*keyboard = (struct keyboard){.map = map};
}

static bool is_down(const struct keyboard *keyboard, unsigned code)
{
	return keyboard->down[code / 64] >> code % 64 & 1;
}

/* The key beside the left Shift has something there on every layout. */
static bool has_altgr(const struct keymap *map)
{
	for (unsigned i = 0; i < KEY_102ND; i++) {
		if (map->keys[i].codes[0] != map->keys[i].codes[2])
			return true;
	}
	return false;
}

static unsigned modifiers(const struct keyboard *keyboard)
{
	unsigned held = 0;

	if (is_down(keyboard, KEY_LEFTSHIFT) || is_down(keyboard, KEY_RIGHTSHIFT))
		held |= SHIFT;
	if (is_down(keyboard, KEY_LEFTCTRL) || is_down(keyboard, KEY_RIGHTCTRL))
		held |= CONTROL;
	if (is_down(keyboard, KEY_LEFTALT))
		held |= ALT;
	if (is_down(keyboard, KEY_RIGHTALT))
		held |= has_altgr(keyboard->map) ? ALTGR : ALT;
	return held;
}

/* ---- Bytes ---- */

static void put(struct keys *keys, uint32_t byte)
{
	if (keys->count < KEYS_BYTES)
		keys->bytes[keys->count++] = (uint8_t)byte;
}

static void put_text(struct keys *keys, const char *text)
{
	while (*text)
		put(keys, (uint8_t)*text++);
}

static void put_character(struct keys *keys, const struct keyboard_terms *terms, uint32_t c)
{
	if (c < 0x80) {
		put(keys, c);
	} else if (terms->mode != KEYBOARD_UNICODE) {
		if (c < 0x100)
			put(keys, c);
	} else if (c < 0x800) {
		put(keys, 0xc0 | c >> 6);
		put(keys, 0x80 | (c & 63));
	} else {
		put(keys, 0xe0 | c >> 12);
		put(keys, 0x80 | (c >> 6 & 63));
		put(keys, 0x80 | (c & 63));
	}
}

/* ---- Characters ---- */

/* The control character that goes with a character, or the character itself. */
static uint32_t controlled(uint32_t c)
{
	if (c >= '@' && c <= '~')
		return c & 0x1f;
	if (c >= '3' && c <= '7')
		return c - '3' + ESCAPE;
	switch (c) {
	case ' ':
	case '2':
		return 0;
	case '8':
	case '?':
		return 0x7f;
	case '-':
	case '/':
		return 0x1f;
	}
	return c;
}

static uint16_t composed(unsigned dead, uint32_t base)
{
	unsigned low = 0, high = composition_count;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		const struct composition *at = &compositions[middle];

		if (at->dead < dead || (at->dead == dead && at->base < base))
			low = middle + 1;
		else
			high = middle;
	}
	if (low < composition_count && compositions[low].dead == dead &&
		compositions[low].base == base)
		return compositions[low].result;
	return 0;
}

/* With a dead key waiting: the two together, or one after the other. */
static void put_composed(struct keyboard *keyboard, struct keys *keys,
	const struct keyboard_terms *terms, uint32_t character)
{
	unsigned dead = keyboard->dead - 1u;
	uint16_t both = composed(dead, character);

	keyboard->dead = 0;
	put_character(keys, terms, both ? both : dead_alone[dead]);
	if (!both)
		put_character(keys, terms, character);
}

static void dead_key(struct keyboard *keyboard, struct keys *keys,
	const struct keyboard_terms *terms, unsigned number)
{
	bool again = keyboard->dead == number + 1;

	if (keyboard->dead)
		put_character(keys, terms, dead_alone[keyboard->dead - 1u]);
	keyboard->dead = again ? 0 : (uint8_t)(number + 1);
}

/* Control and Alt want ASCII: of the key's characters the nearest such one, or the one that stands there. */
static uint32_t nearest_ascii(const struct keymap_key *key, unsigned level)
{
	for (unsigned other = 0; other < ARRAY_SIZE(key->codes); other++) {
		uint32_t c = key->codes[level ^ other];

		if (c && c < 0x80)
			return c;
	}
	return key->codes[level];
}

static void character_key(struct keyboard *keyboard, struct keys *keys,
	const struct keyboard_terms *terms, unsigned code, unsigned held)
{
	const struct keymap_key *key = &keyboard->map->keys[code];
	unsigned level = (held & SHIFT ? 1u : 0) | (held & ALTGR ? 2u : 0);
	uint32_t c;

	if (key->caps && keyboard->locks & LOCK_CAPS && !(held & CONTROL))
		level ^= 1;
	c = key->codes[level];
	if (!c)
		return;
	if (c >= KEYMAP_DEAD && c < KEYMAP_DEAD + dead_count) {
		dead_key(keyboard, keys, terms, c - KEYMAP_DEAD);
		return;
	}
	if (held & (CONTROL | ALT))
		c = nearest_ascii(key, level);
	if (held & CONTROL)
		c = controlled(c);
	if (held & ALT && c < 0x80)
		put(keys, ESCAPE);
	if (keyboard->dead)
		put_composed(keyboard, keys, terms, c);
	else
		put_character(keys, terms, c);
}

/* ---- Other keys ---- */

/* ESC [ N ~ of the keys that have it; 0: another. Function keys from F6 on; F13-F20 are Shift-F1 on. */
static unsigned tilde_number(unsigned code)
{
	static const uint8_t numbers[KEY_DELETE + 1] = {[KEY_HOME] = 1,
		[KEY_INSERT] = 2,
		[KEY_DELETE] = 3,
		[KEY_END] = 4,
		[KEY_PAGEUP] = 5,
		[KEY_PAGEDOWN] = 6,
		[KEY_F6] = 17,
		[KEY_F7] = 18,
		[KEY_F8] = 19,
		[KEY_F9] = 20,
		[KEY_F10] = 21,
		[KEY_F11] = 23,
		[KEY_F12] = 24};

	return code < sizeof(numbers) ? numbers[code] : 0;
}

static int function_number(unsigned code)
{
	if (code >= KEY_F1 && code <= KEY_F10)
		return (int)(code - KEY_F1) + 1;
	return code == KEY_F11 ? 11 : code == KEY_F12 ? 12 : 0;
}

static void put_tilde(struct keys *keys, unsigned number)
{
	char text[8];

	format(text, sizeof(text), "\x1b[%u~", number);
	put_text(keys, text);
}

static void function_key(struct keys *keys, unsigned code, unsigned held)
{
	static const uint8_t shifted[] = {25, 26, 28, 29, 31, 32, 33, 34};
	unsigned number = (unsigned)function_number(code);

	if (held & ALT) {
		keys->action = KEYS_SWITCH;
		keys->argument = number;
	} else if (held & CONTROL) { /* F25 and on: nothing */
		return;
	} else if (held & SHIFT) { /* F13 to F24, of which F21 and on are nothing */
		if (number <= ARRAY_SIZE(shifted))
			put_tilde(keys, shifted[number - 1]);
	} else if (number <= 5) {
		put_text(keys, "\x1b[[");
		put(keys, 'A' + number - 1);
	} else {
		put_tilde(keys, tilde_number(code));
	}
}

static void cursor_key(struct keys *keys, const struct keyboard_terms *terms, unsigned letter)
{
	put_text(keys, terms->cursor_keys ? "\x1bO" : "\x1b[");
	put(keys, letter);
}

static unsigned cursor_letter(unsigned code)
{
	switch (code) {
	case KEY_UP:
		return 'A';
	case KEY_DOWN:
		return 'B';
	case KEY_RIGHT:
		return 'C';
	case KEY_LEFT:
		return 'D';
	}
	return 0;
}

static void put_return(struct keys *keys, const struct keyboard_terms *terms)
{
	put(keys, '\r');
	if (terms->newline)
		put(keys, '\n');
}

/* Keys of one character whatever the layout. false: this is none. */
static bool plain_key(
	struct keys *keys, const struct keyboard_terms *terms, unsigned code, unsigned held)
{
	unsigned before = keys->count;

	if (held & ALT)
		put(keys, ESCAPE);
	switch (code) {
	case KEY_ESC:
		put(keys, ESCAPE);
		return true;
	case KEY_BACKSPACE:
		put(keys, held & CONTROL ? '\b' : 0x7f);
		return true;
	case KEY_TAB:
		if (held == SHIFT)
			put(keys, ESCAPE);
		put(keys, '\t');
		return true;
	case KEY_ENTER:
		put_return(keys, terms);
		return true;
	}
	keys->count = before;
	return false;
}

/* The key that a keypad's key is without Num Lock. */
static unsigned keypad_other(unsigned code)
{
	static const uint8_t others[] = {[KEY_KP7 - KEY_KP7] = KEY_HOME,
		[KEY_KP8 - KEY_KP7] = KEY_UP,
		[KEY_KP9 - KEY_KP7] = KEY_PAGEUP,
		[KEY_KP4 - KEY_KP7] = KEY_LEFT,
		[KEY_KP6 - KEY_KP7] = KEY_RIGHT,
		[KEY_KP1 - KEY_KP7] = KEY_END,
		[KEY_KP2 - KEY_KP7] = KEY_DOWN,
		[KEY_KP3 - KEY_KP7] = KEY_PAGEDOWN,
		[KEY_KP0 - KEY_KP7] = KEY_INSERT,
		[KEY_KPDOT - KEY_KP7] = KEY_DELETE};

	return code >= KEY_KP7 && code <= KEY_KPDOT ? others[code - KEY_KP7] : 0;
}

/* A key of the keypad: its character, and what follows ESC O in application mode. */
static bool keypad_characters(unsigned code, char *plain, char *application)
{
	static const char plains[] = "789-456+1230.", keypad[] = "wxyStuvlqrspn";

	if (code >= KEY_KP7 && code <= KEY_KPDOT) {
		*plain = plains[code - KEY_KP7];
		*application = keypad[code - KEY_KP7];
	} else if (code == KEY_KPENTER) {
		*plain = '\r';
		*application = 'M';
	} else if (code == KEY_KPASTERISK) {
		*plain = '*';
		*application = 'R';
	} else if (code == KEY_KPSLASH) {
		*plain = '/';
		*application = 'Q';
	} else {
		return false;
	}
	return true;
}

static void other_key(struct keyboard *keyboard, struct keys *keys,
	const struct keyboard_terms *terms, unsigned code, unsigned held);

static bool keypad_key(struct keyboard *keyboard, struct keys *keys,
	const struct keyboard_terms *terms, unsigned code, unsigned held)
{
	unsigned other = keypad_other(code);
	char plain, application;

	if (!keypad_characters(code, &plain, &application))
		return false;
	if (terms->keypad && !(held & SHIFT)) {
		put_text(keys, "\x1bO");
		put(keys, (uint8_t)application);
	} else if (other && !(keyboard->locks & LOCK_NUM)) {
		other_key(keyboard, keys, terms, other, held);
	} else if (code == KEY_KP5 && !(keyboard->locks & LOCK_NUM)) {
		cursor_key(keys, terms, 'G');
	} else if (code == KEY_KPENTER) {
		put_return(keys, terms);
	} else if (code == KEY_KPDOT) {
		character_key(keyboard, keys, terms, code, 0);
	} else {
		put(keys, (uint8_t)plain);
	}
	return true;
}

static bool terminal_key(struct keys *keys, unsigned code, unsigned held)
{
	enum keyboard_action action = KEYS_NOTHING;

	if (held == SHIFT && code == KEY_PAGEUP)
		action = KEYS_LOOK_BACK;
	else if (held == SHIFT && code == KEY_PAGEDOWN)
		action = KEYS_LOOK_FORWARD;
	else if (held == ALT && code == KEY_LEFT)
		action = KEYS_PREVIOUS;
	else if (held == ALT && code == KEY_RIGHT)
		action = KEYS_NEXT;
	else if (held & ALT && held & CONTROL && code == KEY_DELETE)
		action = KEYS_REBOOT;
	keys->action = action;
	return action != KEYS_NOTHING;
}

static void other_key(struct keyboard *keyboard, struct keys *keys,
	const struct keyboard_terms *terms, unsigned code, unsigned held)
{
	if (terminal_key(keys, code, held) || plain_key(keys, terms, code, held))
		return;
	if (function_number(code))
		function_key(keys, code, held);
	else if (cursor_letter(code))
		cursor_key(keys, terms, cursor_letter(code));
	else if (tilde_number(code))
		put_tilde(keys, tilde_number(code));
	else if (code == KEY_PAUSE)
		put_text(keys, "\x1b[P");
}

static unsigned lock_of(unsigned code)
{
	return code == KEY_CAPSLOCK     ? LOCK_CAPS
	       : code == KEY_NUMLOCK    ? LOCK_NUM
	       : code == KEY_SCROLLLOCK ? LOCK_SCROLL
					: 0;
}

/* Key numbers as they are: medium raw mode. */
static void put_code(struct keys *keys, unsigned code, enum key_event event)
{
	put(keys, code | (event == RELEASED ? 0x80 : 0));
}

struct keys keyboard_key(struct keyboard *keyboard, unsigned code, enum key_event event,
	const struct keyboard_terms *terms)
{
	struct keys keys = {0};
	unsigned held;

	if (!code || code >= 128)
		return keys;
	if (event == RELEASED)
		keyboard->down[code / 64] &= ~(1ull << code % 64);
	else
		keyboard->down[code / 64] |= 1ull << code % 64;
	if (terms->mode == KEYBOARD_CODES) {
		put_code(&keys, code, event);
		return keys;
	}
	if (event == RELEASED || (event == REPEATED && (terms->no_repeat || lock_of(code))))
		return keys;
	if (lock_of(code)) {
		keyboard->locks ^= (uint8_t)lock_of(code);
		keys.action = KEYS_LOCKS;
		return keys;
	}
	held = modifiers(keyboard);
	if (code < KEYMAP_KEYS && code != KEY_KPDOT && keyboard->map->keys[code].codes[0])
		character_key(keyboard, &keys, terms, code, held);
	else if (!keypad_key(keyboard, &keys, terms, code, held))
		other_key(keyboard, &keys, terms, code, held);
	if (terms->mode == KEYBOARD_OFF)
		keys.count = 0;
	return keys;
}

/* ---- PS/2 ---- */

#define SCANCODE_EXTENDED 0xe0u
#define SCANCODE_PAUSE    0xe1u
#define SCANCODE_UP       0x80u

unsigned scancode_key(struct scancodes *scancodes, uint8_t byte, bool *up)
{
	static const uint8_t extended[128] = {[0x1c] = KEY_KPENTER,
		[0x1d] = KEY_RIGHTCTRL,
		[0x35] = KEY_KPSLASH,
		[0x37] = KEY_SYSRQ,
		[0x38] = KEY_RIGHTALT,
		[0x47] = KEY_HOME,
		[0x48] = KEY_UP,
		[0x49] = KEY_PAGEUP,
		[0x4b] = KEY_LEFT,
		[0x4d] = KEY_RIGHT,
		[0x4f] = KEY_END,
		[0x50] = KEY_DOWN,
		[0x51] = KEY_PAGEDOWN,
		[0x52] = KEY_INSERT,
		[0x53] = KEY_DELETE,
		[0x5b] = KEY_LEFTMETA,
		[0x5c] = KEY_RIGHTMETA,
		[0x5d] = KEY_COMPOSE};
	unsigned code = byte & ~SCANCODE_UP;
	bool is_extended = scancodes->extended;

	*up = byte & SCANCODE_UP;
	if (scancodes->skip) { /* e1 1d 45 e1 9d c5, all at once: Pause has no release */
		scancodes->skip--;
		*up = false;
		return scancodes->skip ? 0 : KEY_PAUSE;
	}
	scancodes->extended = byte == SCANCODE_EXTENDED;
	if (byte == SCANCODE_PAUSE)
		scancodes->skip = 5;
	if (byte == SCANCODE_EXTENDED || byte == SCANCODE_PAUSE)
		return 0;
	return is_extended ? extended[code] : code <= KEY_F12 ? code : 0;
}
