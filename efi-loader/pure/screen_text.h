/* SPDX-License-Identifier: MIT */
/*
 * A few lines of large text in a framebuffer, for the loader's last words: capital letters, digits
 * and some signs of 5x7 dots, each three pixels wide. Other letters become capitals, other bytes
 * blanks. Only writes within the framebuffer, whatever its size.
 */
#ifndef LOADER_SCREEN_TEXT_H
#define LOADER_SCREEN_TEXT_H

#include <baton/handoff.h>

struct screen_text {
	const struct handoff_framebuffer *framebuffer;
	unsigned char *memory; /* NULL: no screen */
	uint32_t column, line; /* of the next character */
};

/* `memory` is where `framebuffer` is mapped. Clears the upper part of the screen. */
void screen_text_begin(
	struct screen_text *s, const struct handoff_framebuffer *framebuffer, void *memory);
void screen_text_write(struct screen_text *s, const char *text);

#endif
