/* SPDX-License-Identifier: MIT */
#ifndef DEVICES_FRAMEBUFFER_H
#define DEVICES_FRAMEBUFFER_H

#include "lib/types.h"

struct handoff_framebuffer;

/* Makes the framebuffer a console: maps it, clears it, shows the log so far. Needs kmalloc.
 * -ENODEV: there is none. -EINVAL: its description is wrong (a log line says how). -ENOMEM. */
int framebuffer_init(const struct handoff_framebuffer *fb) MUST_CHECK;

#endif
