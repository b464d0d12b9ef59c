/* SPDX-License-Identifier: MIT */
/* Cells to pixels, 32 bits each, in memory that is only ever written. See painter.c. */
#ifndef DEVICES_PAINTER_H
#define DEVICES_PAINTER_H

#include "devices/font.h"
#include "devices/screen.h"
#include "lib/types.h"

struct painter {
	uint8_t *pixels;
	unsigned width, height; /* pixels */
	size_t pitch;           /* bytes from line to line */
	const struct font *font;
	uint32_t red, green, blue; /* masks */
	uint32_t palette[256];     /* as pixels */
	struct cell *painted;      /* what each place on screen shows, the caller's memory */
	uint16_t ascii[128];       /* glyphs */
	unsigned cleared; /* lines of pixels that were filled; all: nothing is to be cleared */

	int pair;                 /* the colours that `expanded` is for; -1: none */
	uint32_t expanded[16][4]; /* four pixels for each pattern of four bits */
};

/* Sets up painter (pixels, width, height, pitch, font and painted are filled in by the caller);
 * the masks say where a pixel's red, green and blue lie. Paints nothing. */
void painter_init(struct painter *painter, uint32_t red, uint32_t green, uint32_t blue);

/* `painted` says blanks from now on; the next steps fill everything with colour 0, some lines each. */
void painter_clear(struct painter *painter, struct screen *screen);

/* Forgets what is shown: the next update paints every cell that is no blank, or all. */
void painter_forget(struct painter *painter, const struct screen *screen);

/* Clears some lines of what is to be cleared, or paints one row of those that changed, or after the last one the cursor: false. Others may write to
 * the screen between two steps. A changed palette paints all. */
bool painter_step(struct painter *painter, struct screen *screen);
/* All steps: the cells that differ from what is shown, and the cursor. */
void painter_update(struct painter *painter, struct screen *screen);

#endif
