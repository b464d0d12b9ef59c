/* SPDX-License-Identifier: MIT */
/*
 * The framebuffer console: the screen model (screen.c) and its painter (painter.c) on the linear
 * framebuffer that the firmware left. One per machine, and for ever.
 *
 * The description comes from firmware: everything that a store's address is made of is checked here
 * once, so that no cell can lie outside of the range mapped. The two grids of cells (what stands
 * there, what is shown) take 4 bytes a cell each.
 *
 * Locks: the log's, held by whoever calls a console's functions.
 */
#include "devices/framebuffer.h"
#include "arch/arch.h"
#include "devices/console.h"
#include "devices/painter.h"
#include "lib/errno.h"
#include "memory/slab.h"

#include <baton/handoff.h>

#define MAX_PIXELS  16384u /* a side */
#define DENSE_WIDTH 2560u  /* pixels: from here on the large font, 160 columns */
#define HISTORY     200u   /* lines */

static struct screen screen;
static struct painter painter;

static void write_bytes(struct console *console, const char *bytes, size_t count)
{
	screen_write(&screen, bytes, count);
	painter_update(&painter, &screen);
}

static void set_colour(struct console *console, enum console_colour colour)
{
	static const int foregrounds[] = {
		[CONSOLE_NORMAL] = -1, [CONSOLE_DIM] = 8, [CONSOLE_YELLOW] = 11, [CONSOLE_RED] = 9};

	screen_override(&screen, foregrounds[colour]);
}

static struct console console = {.name = "tty0", .write = write_bytes, .colour = set_colour};

static bool masks_sane(const struct handoff_framebuffer *fb)
{
	uint32_t red = fb->red_mask, green = fb->green_mask, blue = fb->blue_mask;

	return red && green && blue && !(red & green) && !(red & blue) && !(green & blue);
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
	return NULL;
}

/* On a dense screen the small font cannot be read. */
static const struct font *font_for(const struct handoff_framebuffer *fb)
{
	return fb->width >= DENSE_WIDTH ? &font_large : &font_regular;
}

int framebuffer_init(const struct handoff_framebuffer *fb)
{
	const struct font *font = font_for(fb);
	const char *wrong;
	unsigned columns, rows;
	size_t painted, size;
	void *memory;

	if (!fb->size)
		return -ENODEV;
	wrong = check(fb, font);
	if (wrong) {
		log_warn("framebuffer: %s: %ux%u, pitch %u, %lu bytes at %#lx, masks %x %x %x",
			wrong, fb->width, fb->height, fb->pitch, fb->size, fb->base, fb->red_mask,
			fb->green_mask, fb->blue_mask);
		return -EINVAL;
	}
	columns = fb->width / font->width;
	rows = fb->height / font->height;
	painted = sizeof(struct cell) * columns * rows;
	size = screen_memory(columns, rows, HISTORY);
	memory = kmalloc(painted + size);
	if (!memory)
		return -ENOMEM;
	painter.pixels = arch_map_device(fb->base, fb->size, MAP_WRITE_COMBINING);
	if (!painter.pixels) {
		kfree(memory);
		return -ENOMEM;
	}
	painter.width = fb->width;
	painter.height = fb->height;
	painter.pitch = fb->pitch;
	painter.font = font;
	painter.painted = memory;
	screen_init(&screen, (uint8_t *)memory + painted, columns, rows, HISTORY);
	painter_init(&painter, fb->red_mask, fb->green_mask, fb->blue_mask);
	painter_clear(&painter, &screen);
	console_register(&console);
	return 0;
}
