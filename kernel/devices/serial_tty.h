/* SPDX-License-Identifier: MIT */
#ifndef DEVICES_SERIAL_TTY_H
#define DEVICES_SERIAL_TTY_H

#include "devices/tty.h"
#include "lib/types.h"

/* /dev/ttyS0 to 3, as many as answer. After files_init and the interrupt controllers. 0 or a negative
 * errno. */
int serial_tty_init(void) MUST_CHECK;
/* There is room for input of /dev/console, which comes from serial consoles that nobody has open. */
void serial_tty_resume_consoles(void);
/* The window at the other end of serial port 0, as /dev/console's too. Any context. */
void serial_tty_resize(const struct winsize *size);

#endif
