/* SPDX-License-Identifier: MIT */
#ifndef DEVICES_CONSOLE_TTY_H
#define DEVICES_CONSOLE_TTY_H

#include "devices/tty.h"
#include "lib/types.h"

/* /dev/console: output to every console of the log, input from those that nobody has open. After
 * files_init and before the terminals that are consoles. 0 or a negative errno. */
int console_tty_init(void) MUST_CHECK;
/* As tty_receive and tty_resize. */
size_t console_tty_receive(const uint8_t *bytes, size_t count);
void console_tty_resize(const struct winsize *size);

#endif
