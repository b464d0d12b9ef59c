/* SPDX-License-Identifier: MIT */
/* The ioctls of virtual terminals. See vt_ioctl.c. */
#ifndef DEVICES_VT_IOCTL_H
#define DEVICES_VT_IOCTL_H

#include "devices/tty.h"

/* A driver's operation `ioctl`. */
long vt_ioctl(struct tty *tty, unsigned command, uintptr_t argument);

#endif
