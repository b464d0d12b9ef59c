/* SPDX-License-Identifier: MIT */
/*
 * What keys mean. The modifiers that are held, or locked, choose a table; the key's symbol there says what is done: a
 * character goes to the program, a function key's string, an action is the terminals' own (Alt-F1.., Shift-PageUp,
 * Ctrl-Alt-Del). Symbols, tables and what comes of them are those of Linux's console (man 5 keymaps, man 2
 * ioctl_console), so that its programs can show and change them.
 *
 * The tables are a layout's (tools/keymap.py); those that a program has changed are in keyboard->tables.
 *
 * A modifier's keys are counted, so that each of two Shift keys counts. A program that reads codes itself (KEYBOARD_RAW,
 * KEYBOARD_CODES) or nothing (KEYBOARD_OFF) is left alone: modifiers are followed, nothing else is done.
 */
#include "devices/keyboard.h"
#include "lib/printf.h"
#include "lib/string.h"

#include <linux/input-event-codes.h>
#include <linux/keyboard.h>

#define ESCAPE     0x1bu
#define META_BIT   0x80u
#define CHARACTER  0xf000u /* a symbol that is a character is exclusive-or this */
#define CAPS_TABLE 64u     /* of a layout: the modifier by which Caps Lock does its work */

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
	*keyboard = (struct keyboard){
		.map = map, .compositions = compositions, .composition_count = composition_count};
}

uint16_t keyboard_no_table[1];

int keyboard_symbol(const struct keyboard *keyboard, unsigned table, unsigned key)
{
	const uint16_t *row, *changed = keyboard->tables ? keyboard->tables->symbols[table] : NULL;

	if (changed)
		return changed == keyboard_no_table ? -1 : changed[key];
	if (table >= KEYMAP_TABLES)
		return -1;
	if (key >= KEYMAP_KEYS)
		return K_HOLE;
	row = keymap_rows[keyboard->map->rows[key]];
	if (table & CAPS_TABLE && row[KEYMAP_QUADS])
		row = keymap_rows[row[KEYMAP_QUADS]];
	return keymap_quads[row[table / 4 % KEYMAP_QUADS]][table % 4];
}

static const char *usual_string(unsigned number)
{
	static const char *const strings[] = {"\33[[A", "\33[[B", "\33[[C", "\33[[D", "\33[[E",
		"\33[17~", "\33[18~", "\33[19~", "\33[20~", "\33[21~", "\33[23~", "\33[24~",
		"\33[25~", "\33[26~", "\33[28~", "\33[29~", "\33[31~", "\33[32~", "\33[33~",
		"\33[34~", "\33[1~", "\33[2~", "\33[3~", "\33[4~", "\33[5~", "\33[6~", "\33[M",
		NULL, NULL, "\33[P"};

	return number < ARRAY_SIZE(strings) ? strings[number] : NULL;
}

const char *keyboard_string(const struct keyboard *keyboard, unsigned number)
{
	const char *changed = keyboard->strings ? keyboard->strings->text[number] : NULL;

	return changed ? changed : usual_string(number);
}

unsigned keyboard_leds(const struct keyboard_terminal *terminal)
{
	unsigned caps = terminal->modifier_locks & CAPS_TABLE ? LOCK_CAPS : 0;

	return terminal->own_leds ? terminal->leds : terminal->locks | caps;
}

/* ---- Bytes ---- */

/* A key that is being looked at, and who it is for. */
struct typing {
	struct keyboard *keyboard;
	struct keyboard_terminal *terminal;
	const struct keyboard_terms *terms;
	struct keys *keys;
	enum key_event event;
};

static void put(struct keys *keys, uint32_t byte)
{
	if (keys->count < sizeof(keys->bytes))
		keys->bytes[keys->count++] = (uint8_t)byte;
}

static void put_text(struct keys *keys, const char *text)
{
	while (*text)
		put(keys, (uint8_t)*text++);
}

static void put_utf8(struct keys *keys, uint32_t c)
{
	if (c < 0x80) {
		put(keys, c);
	} else if (c < 0x800) {
		put(keys, 0xc0 | c >> 6);
		put(keys, 0x80 | (c & 63));
	} else {
		put(keys, 0xe0 | (c >> 12 & 15));
		put(keys, 0x80 | (c >> 6 & 63));
		put(keys, 0x80 | (c & 63));
	}
}

static void put_character(struct typing *typing, uint32_t c)
{
	if (typing->terminal->mode == KEYBOARD_UNICODE)
		put_utf8(typing->keys, c);
	else if (c < 0x100)
		put(typing->keys, c);
}

static void put_application(struct keys *keys, uint32_t letter, bool application)
{
	put_text(keys, application ? "\33O" : "\33[");
	put(keys, letter);
}

/* ---- Characters ---- */

/* The second of two characters: what they make, or the first goes out and this is what is left. */
static uint32_t composed(struct typing *typing, uint32_t second)
{
	struct keyboard *keyboard = typing->keyboard;
	uint32_t first = keyboard->dead;

	keyboard->dead = 0;
	for (unsigned i = 0; i < keyboard->composition_count; i++) {
		const struct composition *at = &keyboard->compositions[i];

		if (at->first == first && at->second == second)
			return at->result;
	}
	if (second == ' ' || second == first)
		return first;
	put_character(typing, first);
	return second;
}

static void character(struct typing *typing, uint32_t c)
{
	struct keyboard *keyboard = typing->keyboard;

	if (keyboard->dead)
		c = composed(typing, c);
	if (keyboard->compose) {
		keyboard->compose = false;
		keyboard->dead = (uint16_t)c;
	} else {
		put_character(typing, c);
	}
}

static void dead_key(struct typing *typing, uint32_t c)
{
	typing->keyboard->dead = (uint16_t)(typing->keyboard->dead ? composed(typing, c) : c);
}

static void meta(struct typing *typing, unsigned value)
{
	if (typing->terminal->meta_bit) {
		put(typing->keys, value | META_BIT);
	} else {
		put(typing->keys, ESCAPE);
		put(typing->keys, value);
	}
}

/* A digit of a character's number: 0-9 of a decimal one, then those of a hexadecimal one. */
static void digit(struct keyboard *keyboard, unsigned value)
{
	unsigned base = value < 10 ? 10 : 16;

	if (!keyboard->has_number)
		keyboard->number = 0;
	keyboard->has_number = true;
	keyboard->number = keyboard->number * base + (value < 10 ? value : value - 10);
}

/* ---- Function keys, the keypad ---- */

static void function(struct typing *typing, unsigned number)
{
	const char *text = keyboard_string(typing->keyboard, number);

	if (text)
		put_text(typing->keys, text);
}

static void cursor(struct typing *typing, unsigned value)
{
	put_application(typing->keys, (uint8_t) "BDCA"[value & 3], typing -> terms -> cursor_keys);
}

static void enter(struct typing *typing)
{
	put(typing->keys, '\r');
	if (typing->terms->newline)
		put(typing->keys, '\n');
}

/* What the key is without Num Lock: a symbol; 0: the same. */
static unsigned pad_other(unsigned value)
{
	static const uint16_t others[] = {[KVAL(K_P0)] = K_INSERT,
		[KVAL(K_P1)] = K_SELECT,
		[KVAL(K_P2)] = K_DOWN,
		[KVAL(K_P3)] = K_PGDN,
		[KVAL(K_P4)] = K_LEFT,
		[KVAL(K_P6)] = K_RIGHT,
		[KVAL(K_P7)] = K_FIND,
		[KVAL(K_P8)] = K_UP,
		[KVAL(K_P9)] = K_PGUP,
		[KVAL(K_PCOMMA)] = K_REMOVE,
		[KVAL(K_PDOT)] = K_REMOVE};

	return value < ARRAY_SIZE(others) ? others[value] : 0;
}

static void keypad(struct typing *typing, unsigned value)
{
	static const char plain[] = "0123456789+-*/\r,.?()#",
			  application[] = "pqrstuvwxylSRQMnnmPQS";
	bool numbers = typing->terminal->locks & LOCK_NUM;
	unsigned other = pad_other(value);

	if (value >= NR_PAD)
		return;
	if (typing->terms->keypad && !typing->keyboard->held[KG_SHIFT])
		put_application(typing->keys, (uint8_t)application[value], true);
	else if (!numbers && value == KVAL(K_P5))
		put_application(typing->keys, 'G', typing->terms->keypad);
	else if (!numbers && KTYP(other) == KT_CUR)
		cursor(typing, KVAL(other));
	else if (!numbers && other)
		function(typing, KVAL(other));
	else if (value == KVAL(K_PENTER))
		enter(typing);
	else
		put(typing->keys, (uint8_t)plain[value]);
}

/* ---- Modifiers and locks ---- */

static void set_modifier(struct keyboard *keyboard, unsigned number)
{
	if (keyboard->held[number])
		keyboard->modifiers |= (uint8_t)(1u << number);
	else
		keyboard->modifiers &= (uint8_t) ~(1u << number);
}

static void lock(struct typing *typing, unsigned bit)
{
	if (typing->event == PRESSED) {
		typing->terminal->locks ^= (uint8_t)bit;
		typing->keys->action = KEYS_LOCKS;
	}
}

/* Alt is let go: a number that was typed becomes its character. */
static void end_number(struct typing *typing)
{
	struct keyboard *keyboard = typing->keyboard;

	if (!keyboard->has_number)
		return;
	keyboard->has_number = false;
	if (typing->terminal->mode == KEYBOARD_UNICODE)
		put_utf8(typing->keys, keyboard->number);
	else
		put(typing->keys, keyboard->number & 0xff);
}

static void modifier(struct typing *typing, unsigned number)
{
	struct keyboard *keyboard = typing->keyboard;
	unsigned before = keyboard->modifiers;

	if (typing->event == REPEATED)
		return;
	if (number == KVAL(K_CAPSSHIFT)) { /* Shift that ends Caps Lock */
		number = KG_SHIFT;
		if (typing->event == PRESSED && typing->terminal->locks & LOCK_CAPS)
			lock(typing, LOCK_CAPS);
	}
	if (number >= ARRAY_SIZE(keyboard->held))
		return;
	if (typing->event == PRESSED)
		keyboard->held[number]++;
	else if (keyboard->held[number])
		keyboard->held[number]--;
	set_modifier(keyboard, number);
	if (typing->event == RELEASED && keyboard->modifiers != before)
		end_number(typing);
}

void keyboard_look(struct keyboard *keyboard)
{
	memset(keyboard->held, 0, sizeof(keyboard->held));
	for (unsigned key = 0; key < KEYBOARD_KEYS; key++) {
		int symbol = keyboard_symbol(keyboard, 0, key);
		unsigned number = KVAL((unsigned)symbol);

		if (!(keyboard->down[key / 64] >> key % 64 & 1) || symbol < 0 ||
			(KTYP(symbol) != KT_SHIFT && KTYP(symbol) != KT_SLOCK))
			continue;
		if (symbol == K_CAPSSHIFT)
			number = KG_SHIFT;
		if (number < ARRAY_SIZE(keyboard->held))
			keyboard->held[number]++;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(keyboard->held); i++)
		set_modifier(keyboard, i);
}

static void modifier_lock(struct typing *typing, unsigned number)
{
	if (typing->event != PRESSED || number >= 8)
		return;
	typing->terminal->modifier_locks ^= (uint8_t)(1u << number);
	typing->keys->action = KEYS_LOCKS;
}

static void modifier_once(struct typing *typing, unsigned number)
{
	struct keyboard_terminal *terminal = typing->terminal;

	modifier(typing, number);
	if (typing->event != PRESSED || number >= 8)
		return;
	terminal->once ^= (uint8_t)(1u << number);
	if (keyboard_symbol(typing->keyboard, terminal->modifier_locks ^ terminal->once, 0) < 0)
		terminal->once = (uint8_t)(1u << number);
}

/* ---- Symbols ---- */

static enum keyboard_action special_action(unsigned symbol)
{
	switch (symbol) {
	case K_BREAK:
		return KEYS_BREAK;
	case K_CONS:
		return KEYS_LAST;
	case K_HOLD:
		return KEYS_HOLD;
	case K_SCROLLFORW:
		return KEYS_LOOK_FORWARD;
	case K_SCROLLBACK:
		return KEYS_LOOK_BACK;
	case K_BOOT:
		return KEYS_REBOOT;
	case K_DECRCONSOLE:
		return KEYS_PREVIOUS;
	case K_INCRCONSOLE:
		return KEYS_NEXT;
	case K_SPAWNCONSOLE:
		return KEYS_SIGNAL;
	}
	return KEYS_NOTHING;
}

static void special(struct typing *typing, unsigned symbol)
{
	struct keyboard *keyboard = typing->keyboard;

	switch (symbol) {
	case K_ENTER:
		if (keyboard->dead)
			put_character(typing, keyboard->dead);
		keyboard->dead = 0;
		enter(typing);
		return;
	case K_CAPS:
		lock(typing, LOCK_CAPS);
		return;
	case K_CAPSON:
		if (!(typing->terminal->locks & LOCK_CAPS))
			lock(typing, LOCK_CAPS);
		return;
	case K_NUM:
		if (typing->terms->keypad)
			put_application(typing->keys, 'P', true);
		else
			lock(typing, LOCK_NUM);
		return;
	case K_BARENUMLOCK:
		lock(typing, LOCK_NUM);
		return;
	case K_COMPOSE:
		keyboard->compose = true;
		return;
	case K_HOLD:
		if (typing->event == REPEATED)
			return;
	}
	typing->keys->action = special_action(symbol);
}

/* The characters by which a keymap's dead keys stand in compositions. */
static uint32_t dead_character(unsigned value)
{
	static const char characters[] = "`'^~\",_U.*=cki#o!?+-)(:n;$@";

	return value < NR_DEAD ? (uint8_t)characters[value] : ' ';
}

/* What is done when a key goes down, or is repeated. */
static void pressed(struct typing *typing, unsigned kind, unsigned value)
{
	switch (kind) {
	case KT_LATIN:
		character(typing, value);
		break;
	case KT_FN:
		function(typing, value);
		break;
	case KT_SPEC:
		special(typing, K(KT_SPEC, value));
		break;
	case KT_PAD:
		keypad(typing, value);
		break;
	case KT_DEAD:
		dead_key(typing, dead_character(value));
		break;
	case KT_DEAD2:
		dead_key(typing, value);
		break;
	case KT_CONS:
		typing->keys->action = KEYS_SWITCH;
		typing->keys->argument = value + 1;
		break;
	case KT_CUR:
		cursor(typing, value);
		break;
	case KT_META:
		meta(typing, value);
		break;
	case KT_ASCII:
		digit(typing->keyboard, value);
		break;
	case KT_LOCK:
		modifier_lock(typing, value);
		break;
	}
}

static void put_codes(struct typing *typing, unsigned code)
{
	uint8_t bytes[SCANCODE_BYTES];
	const struct keyboard *keyboard = typing->keyboard;
	unsigned up = typing->event == RELEASED ? 0x80 : 0;
	bool alt = (keyboard->down[0] >> KEY_LEFTALT & 1) ||
		   (keyboard->down[KEY_RIGHTALT / 64] >> KEY_RIGHTALT % 64 & 1);

	if (typing->terminal->mode == KEYBOARD_RAW) {
		unsigned count = key_scancodes(code, up, alt, bytes);

		for (unsigned i = 0; i < count; i++)
			put(typing->keys, bytes[i]);
	} else if (code < 128) {
		put(typing->keys, code | up);
	} else { /* three bytes, as Linux's medium raw mode has it */
		put(typing->keys, up);
		put(typing->keys, code >> 7 | 0x80);
		put(typing->keys, code | 0x80);
	}
}

static void symbol_key(struct typing *typing, unsigned code, bool codes)
{
	struct keyboard *keyboard = typing->keyboard;
	struct keyboard_terminal *terminal = typing->terminal;
	unsigned table = (keyboard->modifiers | terminal->once) ^ terminal->modifier_locks;
	int symbol = keyboard_symbol(keyboard, table, code), other;
	unsigned kind;

	if (symbol < 0) {
		keyboard_look(keyboard);
		terminal->once = 0;
		return;
	}
	kind = KTYP((unsigned)symbol);
	if (kind >= KEYBOARD_KINDS) {
		if (typing->event != RELEASED && !codes && terminal->mode != KEYBOARD_OFF)
			character(typing, (uint32_t)symbol ^ CHARACTER);
		return;
	}
	if (kind == KT_LETTER) {
		kind = KT_LATIN;
		other = keyboard_symbol(keyboard, table ^ 1u << KG_SHIFT, code);
		if (terminal->locks & LOCK_CAPS && other >= 0)
			symbol = other;
	}
	if (kind == KT_SHIFT)
		modifier(typing, KVAL((unsigned)symbol));
	else if (codes || terminal->mode == KEYBOARD_OFF)
		return;
	else if (kind == KT_SLOCK)
		modifier_once(typing, KVAL((unsigned)symbol));
	else if (typing->event != RELEASED)
		pressed(typing, kind, KVAL((unsigned)symbol));
	if (kind != KT_SLOCK)
		terminal->once = 0;
}

void keyboard_key(struct keyboard *keyboard, unsigned code, enum key_event event,
	struct keyboard_terminal *terminal, const struct keyboard_terms *terms, struct keys *keys)
{
	struct typing typing = {keyboard, terminal, terms, keys, event};
	bool codes = terminal->mode == KEYBOARD_RAW || terminal->mode == KEYBOARD_CODES;

	keys->count = 0;
	keys->action = KEYS_NOTHING;
	if (!code || code >= KEYBOARD_KEYS)
		return;
	if (event == RELEASED)
		keyboard->down[code / 64] &= ~(1ull << code % 64);
	else
		keyboard->down[code / 64] |= 1ull << code % 64;
	if (codes)
		put_codes(&typing, code);
	if (event != REPEATED || !terms->no_repeat)
		symbol_key(&typing, code, codes);
}
