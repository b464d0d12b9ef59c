/* SPDX-License-Identifier: MIT */
/*
 * Which video mode, and what the kernel is told of it. Only modes with a linear framebuffer of 32
 * bits a pixel count.
 */
#ifndef LOADER_VIDEO_H
#define LOADER_VIDEO_H

#include "verdict.h"

#include <baton/handoff.h>

#define VIDEO_LEAST_WIDTH  800u
#define VIDEO_LEAST_HEIGHT 600u

/* EFI_GRAPHICS_PIXEL_FORMAT, UEFI 2.10 12.9.2.1. */
enum video_format { VIDEO_RGBX, VIDEO_BGRX, VIDEO_BIT_MASK, VIDEO_BLT_ONLY };

/* EFI_GRAPHICS_OUTPUT_MODE_INFORMATION. */
struct video_mode {
	uint32_t version, width, height, format;
	uint32_t red_mask, green_mask, blue_mask, reserved_mask; /* of VIDEO_BIT_MASK */
	uint32_t pixels_per_line;
};

bool video_mode_usable(const struct video_mode *mode);

/*
 * The index of the mode to set, `current` when it is to be kept (or there is no better one):
 * the one asked for by `width` and `height` (0: nothing asked); otherwise the current one unless it
 * is unusable or below 800x600; then the smallest usable one from there on. `*found` tells whether
 * what was asked for is there.
 */
uint32_t video_choose(const struct video_mode *modes, uint32_t count, uint32_t current,
	uint32_t width, uint32_t height, bool *found);

/* Fills `out` from the mode that is set; refuses a framebuffer that does not hold its own lines. */
enum verdict video_describe(const struct video_mode *mode, uint64_t base, uint64_t size,
	struct handoff_framebuffer *out, struct complaint *why);

#endif
