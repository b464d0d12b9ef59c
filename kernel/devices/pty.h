/* SPDX-License-Identifier: MIT */
/* Pseudo-terminals. See pty.c. */
#ifndef DEVICES_PTY_H
#define DEVICES_PTY_H

#include "lib/types.h"

/* Makes /dev/ptmx. 0 or a negative errno. */
int pty_init(void) MUST_CHECK;

#endif
