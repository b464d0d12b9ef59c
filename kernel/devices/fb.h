/* SPDX-License-Identifier: MIT */
#ifndef DEVICES_FB_H
#define DEVICES_FB_H

#include "lib/types.h"

/* Makes /dev/fb0, if there is a framebuffer. After files_init. 0 or a negative
 * errno. */
int fb_init(void) MUST_CHECK;

#endif
