/* SPDX-License-Identifier: MIT */
/* The keyboard of the virtual terminals. See vt_keyboard.c. */
#ifndef DEVICES_VT_KEYBOARD_H
#define DEVICES_VT_KEYBOARD_H

#include "devices/keyboard.h"
#include "devices/vt.h"
#include "lib/lock.h"
#include "lib/types.h"

extern struct keyboard vt_keys guarded_by(vt_lock);

/* With this layout; NULL: us. */
void vt_keyboard_init(const char *layout);
/* ioctls about the keyboard; -ENOTTY: none. may: the caller may change the terminal. */
long vt_keyboard_ioctl(struct vt *vt, bool may, unsigned command, uintptr_t argument);
/* Those about its tables; vt_keymap.c. */
long vt_keymap_ioctl(struct vt *vt, bool may, unsigned command, uintptr_t argument);
/* The LEDs are those of the terminal shown. Without locks. */
void vt_keyboard_show_leds(void);
/* The modifiers held, a bit each (TIOCL_GETSHIFTSTATE). */
unsigned vt_keyboard_modifiers(void);

#endif
