/* SPDX-License-Identifier: MIT */
#include "screen_text.h"

#include "check.h"

#define WHITE 0x00ffffffu

static struct handoff_framebuffer screen(uint32_t width, uint32_t height)
{
	return (struct handoff_framebuffer){.base = 1,
		.size = (uint64_t)width * height * 4,
		.width = width,
		.height = height,
		.pitch = width * 4,
		.red_mask = 0xff0000,
		.green_mask = 0xff00,
		.blue_mask = 0xff};
}

/* An I in column 1 of line 1: its middle row is one dot of 3x3 pixels. */
static void draws(void)
{
	struct handoff_framebuffer f = screen(640, 480);
	uint32_t *memory = malloc(f.size);
	struct screen_text s;

	CHECK(memory);
	memset(memory, 0x55, f.size);
	screen_text_begin(&s, &f, memory);
	CHECK_EQUAL(memory[0], 0);
	screen_text_write(&s, "i");
	CHECK_EQUAL(memory[(30 + 9) * 640 + 18 + 6], WHITE);
	CHECK_EQUAL(memory[(30 + 9) * 640 + 18 + 5], 0);
	CHECK_EQUAL(memory[(30 + 9) * 640 + 18 + 9], 0);
	CHECK_EQUAL(memory[(30 + 0) * 640 + 18 + 3], WHITE);
	free(memory);
}

/* Any text on any screen, in a block of just its size: ASan watches. */
static void stays_within(void)
{
	static const uint32_t widths[] = {1, 17, 100, 801};
	char text[256];

	for (int i = 0; i < 255; i++)
		text[i] = (char)(i + 1);
	text[255] = '\0';
	for (int i = 0; i < 4; i++) {
		struct handoff_framebuffer f = screen(widths[i], 50);
		unsigned char *memory = malloc(f.size);
		struct screen_text s;

		CHECK(memory);
		screen_text_begin(&s, &f, memory);
		screen_text_write(&s, text);
		screen_text_write(&s, text);
		free(memory);
	}
}

static void does_without(void)
{
	struct handoff_framebuffer none = {0};
	struct screen_text s;

	screen_text_begin(&s, &none, NULL);
	screen_text_write(&s, "nobody sees this\n");
	CHECK(!s.memory);
}

int main(void)
{
	draws();
	stays_within();
	does_without();
	return 0;
}
