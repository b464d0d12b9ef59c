/* SPDX-License-Identifier: MIT */
#ifndef DEVICES_KEYBOARD_PS2_H
#define DEVICES_KEYBOARD_PS2_H

#include "lib/types.h"

/* The keyboard at the i8042, if there is one: its keys go to vt_key from now on. 0 when there is none
 * (a log line says so); -ENODEV, -EBUSY: its interrupt cannot be had. */
int keyboard_ps2_init(void) MUST_CHECK;

#endif
