/* SPDX-License-Identifier: MIT */
/* Scan codes of an AT keyboard (set 1, as the i8042 translates them) to keys, and back. */
#include "devices/keyboard.h"

#include <linux/input-event-codes.h>

#define SCANCODE_EXTENDED 0xe0u
#define SCANCODE_PAUSE    0xe1u
#define SCANCODE_UP       0x80u
#define SCANCODE_SYSRQ    0x54u /* with Alt; without it 0xe0 0x37 */
#define FAKE_SHIFT        0x2au /* comes before 0xe0 0x37 */

/* After 0xe0. */
static const uint8_t extended[128] = {[0x1c] = KEY_KPENTER,
	[0x1d] = KEY_RIGHTCTRL,
	[0x35] = KEY_KPSLASH,
	[0x37] = KEY_SYSRQ,
	[0x38] = KEY_RIGHTALT,
	[0x46] = KEY_PAUSE, /* with Control */
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

unsigned scancode_key(struct scancodes *scancodes, uint8_t byte, bool *up)
{
	unsigned code = byte & ~SCANCODE_UP;
	bool is_extended = scancodes->extended;

	*up = byte & SCANCODE_UP;
	if (scancodes->skip) { /* e1 1d 45, and e1 9d c5 when it is let go */
		scancodes->skip--;
		return scancodes->skip ? 0 : KEY_PAUSE;
	}
	scancodes->extended = byte == SCANCODE_EXTENDED;
	if (byte == SCANCODE_PAUSE)
		scancodes->skip = 2;
	if (byte == SCANCODE_EXTENDED || byte == SCANCODE_PAUSE)
		return 0;
	if (is_extended)
		return extended[code];
	return code == SCANCODE_SYSRQ ? KEY_SYSRQ : code <= KEY_F12 ? code : 0;
}

unsigned key_scancodes(unsigned code, bool up, bool alt, uint8_t bytes[SCANCODE_BYTES])
{
	uint8_t release = up ? SCANCODE_UP : 0;
	unsigned count = 0;

	if (code == KEY_PAUSE) {
		bytes[count++] = SCANCODE_PAUSE;
		bytes[count++] = 0x1d | release;
		bytes[count++] = 0x45 | release;
		return count;
	}
	if (code == KEY_SYSRQ && alt)
		code = SCANCODE_SYSRQ;
	if (code && code <= KEY_F12) {
		bytes[count++] = (uint8_t)code | release;
		return count;
	}
	if (code == KEY_SYSRQ) {
		bytes[count++] = SCANCODE_EXTENDED;
		bytes[count++] = FAKE_SHIFT | release;
	}
	for (unsigned i = 0; i < sizeof(extended); i++) {
		if (extended[i] != code || !code)
			continue;
		bytes[count++] = SCANCODE_EXTENDED;
		bytes[count++] = (uint8_t)i | release;
		break;
	}
	return count;
}
