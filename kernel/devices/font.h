/* SPDX-License-Identifier: MIT */
/* A console font: glyphs of one size, and which character has which. tools/font.py makes them from
 * PSF files of Debian's console-setup-linux. */
#ifndef DEVICES_FONT_H
#define DEVICES_FONT_H

#include "lib/types.h"

struct font_map {
	uint16_t character; /* a code point of the Basic Multilingual Plane */
	uint16_t glyph;
};

struct font {
	uint8_t width, height; /* pixels */
	uint8_t row_bytes; /* of a glyph's row: the leftmost pixel is the top bit of the first */
	uint16_t glyph_count;
	uint16_t map_count;
	const uint8_t *bitmaps;     /* glyph_count * height * row_bytes */
	const struct font_map *map; /* sorted by character */
};

extern const struct font font_regular; /* 8x16, generated */
extern const struct font font_large;   /* 16x32, generated */

/* The glyph of a character; that of U+FFFD, or `?`, or 0, for one that the font lacks. Pure. */
unsigned font_glyph(const struct font *font, unsigned character);

#endif
