/* SPDX-License-Identifier: MIT */
/* The ioctls that get and set a terminal's settings. See tty_settings.c. */
#ifndef DEVICES_TTY_SETTINGS_H
#define DEVICES_TTY_SETTINGS_H

#include "devices/tty.h"
#include "memory/user.h"

/* -ENOTTY: it is not about settings. */
long tty_settings_ioctl(struct tty *tty, unsigned int command, user_t user);

/* Writes the speed that the driver could give into the settings; with tty->lock. */
void tty_set_speed(struct tty *tty, uint32_t baud) requires(tty->lock);

#endif
