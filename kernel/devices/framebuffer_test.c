/* SPDX-License-Identifier: MIT */
/* The framebuffer console: bad descriptions and failing allocations are refused without a trace; a
 * good one shows what is written to the console that it registers. */
#include "devices/vt.h"
#include "arch/arch.h"
#include "devices/console.h"
#include "devices/font.h"
#include "devices/framebuffer.h"
#include "devices/painter.h"
#include "firmware/handoff_intake.h"
#include "firmware/memory_map.h"
#include "lib/check.h"
#include "lib/errno.h"
#include "memory/slab.h"

#include <baton/handoff.h>

#define WIDTH  323u
#define HEIGHT 50u
#define PITCH  1300u

static uint8_t *pixels;
static unsigned allocations, warnings;
static bool no_memory, no_mapping;
static struct console *registered;

/* RAM, a hole with the framebuffer, something else right before it. */
static const struct handoff_memory map[] = {{0x100000, 0x3ff00000, HANDOFF_MEMORY_FREE, 0, 0},
	{0xbfff0000, 0x10000, HANDOFF_MEMORY_RESERVED, 0, 0}};

const struct handoff_memory *memory_map_entry(size_t index)
{
	return index < ARRAY_SIZE(map) ? &map[index] : NULL;
}

bool handoff_is_ram(uint32_t type)
{
	return type == HANDOFF_MEMORY_FREE;
}

void *kmalloc(size_t size)
{
	void *p = no_memory ? NULL : malloc(size);

	allocations += p != NULL;
	return p;
}

void kfree(void *p)
{
	allocations -= p != NULL;
	free(p);
}

void *arch_map_device(phys_t phys, size_t size, enum map_cache cache)
{
	CHECK_EQUAL(phys, 0xc0000000);
	CHECK_EQUAL(cache, MAP_WRITE_COMBINING);
	if (no_mapping)
		return NULL;
	free(pixels);
	pixels = malloc(size);
	return pixels;
}

void log_line(enum log_level level, const char *text, ...)
{
	warnings += level == LOG_WARN;
}

bool log_panicking(void)
{
	return false;
}

void console_register(struct console *console)
{
	registered = console;
}

static const struct handoff_framebuffer good = {.base = 0xc0000000,
	.size = PITCH * (HEIGHT - 1) + WIDTH * 4,
	.width = WIDTH,
	.height = HEIGHT,
	.pitch = PITCH,
	.red_mask = 0xff0000,
	.green_mask = 0xff00,
	.blue_mask = 0xff};

#define REFUSED(field, value)                                       \
	do {                                                        \
		struct handoff_framebuffer bad_ = good;             \
		bad_.field = (value);                               \
		warnings = 0;                                       \
		CHECK_EQUAL(vt_console_init(&bad_, NULL), -EINVAL); \
		CHECK_EQUAL(warnings, 1);                           \
		CHECK(!registered && !allocations);                 \
	} while (0)

static void test_refused(void)
{
	struct handoff_framebuffer none = {0};

	CHECK_EQUAL(vt_console_init(&none, NULL), -ENODEV);
	REFUSED(width, 7);
	REFUSED(height, 15);
	REFUSED(width, 20000);
	REFUSED(height, 0xffffffff);
	REFUSED(pitch, WIDTH * 4 - 1);
	REFUSED(pitch, 0xffffffff);
	REFUSED(size, good.size - 1);
	REFUSED(base, UINT64_MAX - 100);
	REFUSED(base, 0x3fffffff); /* its first byte is RAM's last */
	REFUSED(base, 0x100000);
	REFUSED(red_mask, 0);
	REFUSED(green_mask, 0xff0000);
	REFUSED(blue_mask, 0x1ff);
	no_memory = true;
	CHECK_EQUAL(vt_console_init(&good, NULL), -ENOMEM);
	no_memory = false;
	no_mapping = true;
	CHECK_EQUAL(vt_console_init(&good, NULL), -ENOMEM);
	no_mapping = false;
	CHECK(!registered && !allocations);
}

static uint32_t pixel_at(unsigned x, unsigned y)
{
	uint32_t pixel;

	memcpy(&pixel, pixels + y * PITCH + x * 4, 4);
	return pixel;
}

static void check_glyph(unsigned column, unsigned row, char c, uint32_t colour)
{
	const uint8_t *bits = font_regular.bitmaps + font_glyph(&font_regular, (unsigned)c) * 16;

	for (unsigned y = 0; y < 16; y++) {
		for (unsigned x = 0; x < 8; x++)
			CHECK_EQUAL(pixel_at(column * 8 + x, row * 16 + y),
				bits[y] & 0x80 >> x ? colour : 0);
	}
}

/* The mode's width decides, unless the option does; what is no font's name is told. */
static void test_fonts(void)
{
	static const struct {
		unsigned width;
		const char *name;
		const struct font *font;
		unsigned warnings;
	} cases[] = {{1920, NULL, &font_regular, 0}, {2560, NULL, &font_large, 0},
		{320, "large", &font_large, 0}, {3840, "small", &font_regular, 0},
		{320, "huge", &font_regular, 1}};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct handoff_framebuffer fb = good;
		struct painter painter;

		fb.width = cases[i].width;
		fb.pitch = fb.width * 4;
		fb.size = fb.pitch * HEIGHT;
		warnings = 0;
		CHECK_EQUAL(framebuffer_init(&fb, cases[i].name, &painter), 0);
		CHECK(painter.font == cases[i].font);
		CHECK_EQUAL(warnings, cases[i].warnings);
	}
}

int main(void)
{
	test_refused();
	test_fonts();
	CHECK_EQUAL(vt_console_init(&good, NULL), 0);
	CHECK_STRING(registered->name, "tty0");
	registered->write(registered, "ab\r\nc", 5);
	registered->settle(registered);
	check_glyph(0, 0, 'a', 0xaaaaaa);
	check_glyph(1, 0, 'b', 0xaaaaaa);
	check_glyph(39, 2, ' ', 0);
	registered->colour(registered, CONSOLE_RED);
	registered->write(registered, "E", 1);
	registered->colour(registered, CONSOLE_YELLOW);
	registered->write(registered, "W", 1);
	registered->colour(registered, CONSOLE_NORMAL);
	registered->write(registered, "n", 1);
	check_glyph(3, 1, ' ', 0); /* painted when the log's lock is free */
	registered->settle(registered);
	check_glyph(0, 1, 'c', 0xaaaaaa);
	check_glyph(1, 1, 'E', 0xff5555);
	check_glyph(2, 1, 'W', 0xffff55);
	check_glyph(3, 1, 'n', 0xaaaaaa);
	free(pixels);
	return check_done();
}
