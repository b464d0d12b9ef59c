/* SPDX-License-Identifier: MIT */
/*
 * The linear framebuffer that the firmware left: its description is checked here once, everything
 * that a store's address is made of, so that no cell can lie outside of the range mapped. One per
 * machine, and for ever. What is painted there: vt.c.
 */
#include "devices/framebuffer.h"
#include "arch/arch.h"
#include "devices/painter.h"
#include "firmware/handoff_intake.h"
#include "firmware/memory_map.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

#include <baton/handoff.h>

#define MAX_PIXELS  16384u /* a side */
#define DENSE_WIDTH 2560u  /* pixels: from here on the large font, 160 columns */

static bool masks_sane(const struct handoff_framebuffer *fb)
{
	uint32_t red = fb->red_mask, green = fb->green_mask, blue = fb->blue_mask;

	return red && green && blue && !(red & green) && !(red & blue) && !(green & blue);
}

/* The firmware's framebuffer is a device's, or memory set aside: no RAM that the kernel uses. */
static bool in_ram(const struct handoff_framebuffer *fb)
{
	const struct handoff_memory *m;

	for (size_t i = 0; (m = memory_map_entry(i)); i++) {
		if (handoff_is_ram(m->type) && fb->base < m->base + m->size &&
			m->base < fb->base + fb->size)
			return true;
	}
	return false;
}

/* NULL, or what is wrong with it. */
static const char *check(const struct handoff_framebuffer *fb, const struct font *font)
{
	if (fb->width < font->width || fb->height < font->height || fb->width > MAX_PIXELS ||
		fb->height > MAX_PIXELS)
		return "size out of range";
	if (fb->pitch < fb->width * 4)
		return "lines overlap";
	if (fb->size < (uint64_t)fb->pitch * (fb->height - 1) + fb->width * 4)
		return "the range is too small";
	if (fb->base + fb->size < fb->base)
		return "the range wraps";
	if (!masks_sane(fb))
		return "colour masks are empty or overlap";
	if (in_ram(fb))
		return "the range is RAM";
	return NULL;
}

/* On a dense screen the small font cannot be read. */
static const struct font *font_for(const struct handoff_framebuffer *fb, const char *name)
{
	if (name && !strcmp(name, "small"))
		return &font_regular;
	if (name && !strcmp(name, "large"))
		return &font_large;
	if (name)
		log_warn("font=%s: expected small or large", name);
	return fb->width >= DENSE_WIDTH ? &font_large : &font_regular;
}

static struct framebuffer found;

const struct framebuffer *framebuffer_get(void)
{
	return found.pixels ? &found : NULL;
}

int framebuffer_init(
	const struct handoff_framebuffer *fb, const char *font_name, struct painter *painter)
{
	const struct font *font;
	const char *wrong;

	if (!fb->size)
		return -ENODEV;
	font = font_for(fb, font_name);
	wrong = check(fb, font);
	if (wrong) {
		log_warn("framebuffer: %s: %ux%u, pitch %u, %lu bytes at %#lx, masks %x %x %x",
			wrong, fb->width, fb->height, fb->pitch, fb->size, fb->base, fb->red_mask,
			fb->green_mask, fb->blue_mask);
		return -EINVAL;
	}
	*painter = (struct painter){
		.width = fb->width, .height = fb->height, .pitch = fb->pitch, .font = font};
	painter->pixels = arch_map_device(fb->base, fb->size, MAP_WRITE_COMBINING);
	if (!painter->pixels)
		return -ENOMEM;
	found = (struct framebuffer){.pixels = painter->pixels,
		.base = fb->base,
		.size = (uint64_t)fb->pitch * fb->height,
		.width = fb->width,
		.height = fb->height,
		.pitch = fb->pitch,
		.red = fb->red_mask,
		.green = fb->green_mask,
		.blue = fb->blue_mask};
	if (found.size > fb->size) /* the last line may end early */
		found.size = fb->size;
	painter_init(painter, fb->red_mask, fb->green_mask, fb->blue_mask);
	return 0;
}
