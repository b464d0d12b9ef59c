/* SPDX-License-Identifier: MIT */
#ifndef DEVICES_FRAMEBUFFER_H
#define DEVICES_FRAMEBUFFER_H

#include "lib/types.h"

struct handoff_framebuffer;
struct painter;

/* Checks and maps what the firmware left, and readies a painter for it, all but `painted`. The font is small,
 * large, or (NULL) by the width; of another name a log line tells.
 * -ENODEV: there is none. -EINVAL: its description is wrong (a log line says how). -ENOMEM. */
int framebuffer_init(const struct handoff_framebuffer *fb, const char *font_name,
	struct painter *painter) MUST_CHECK;

struct framebuffer {
	uint8_t *pixels; /* the kernel's mapping, write-combining */
	phys_t base;
	uint64_t size; /* bytes that are shown */
	unsigned width, height;
	size_t pitch;
	uint32_t red, green, blue; /* masks */
};

/* NULL: there is none. */
const struct framebuffer *framebuffer_get(void);

#endif
