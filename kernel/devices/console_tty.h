/* SPDX-License-Identifier: MIT */
#ifndef DEVICES_CONSOLE_TTY_H
#define DEVICES_CONSOLE_TTY_H

#include "lib/types.h"

/* /dev/console and /dev/ttyS0: output to every console of the log, input from serial port 0. After
 * files_init, serial_console_init and the interrupt controllers. 0 or a negative errno. */
int console_tty_init(void) MUST_CHECK;
/* What was typed on another keyboard than the serial port's. Any context. */
void console_tty_receive(const uint8_t *bytes, size_t count);

#endif
