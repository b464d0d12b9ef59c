/* SPDX-License-Identifier: MIT */
/*
 * A terminal's screen as cells: what stands where in which colour, the cursor, and the bytes that
 * change them. Pure: no pixels, no memory of its own. See screen.c.
 */
#ifndef DEVICES_SCREEN_H
#define DEVICES_SCREEN_H

#include "lib/types.h"

struct cell {
	uint16_t character; /* a code point of the Basic Multilingual Plane */
	uint8_t colours;    /* SCREEN_COLOURS(foreground, background) */
	uint8_t unused;     /* 0 */
};

/* Colours by their ANSI numbers, 8-15 the bright ones. */
#define SCREEN_COLOURS(foreground, background) ((uint8_t)((foreground) | (background) << 4))
#define SCREEN_DEFAULT_FOREGROUND              7u
#define SCREEN_DEFAULT_BACKGROUND              0u
#define SCREEN_PARAMETERS                      8u

struct screen {
	unsigned columns, rows;
	struct cell *cells; /* columns * rows, the caller's */
	unsigned top;       /* which row of `cells` is the first one shown */
	unsigned x, y;      /* the cursor */
	bool wrap_pending;  /* the last column was written: the next character begins a line */
	bool cursor_hidden;
	unsigned changed_first, changed_end; /* rows that may differ from what was painted */

	/* attributes of what is written next */
	uint8_t foreground, background;
	bool bold, inverse;
	int override_foreground; /* -1: none */

	/* the parser's */
	enum { SCREEN_GROUND, SCREEN_ESCAPE, SCREEN_CSI, SCREEN_STRING, SCREEN_SKIP_ONE } state;
	bool private_sequence; /* CSI ? */
	unsigned parameters[SCREEN_PARAMETERS], parameter_count;
	uint32_t utf8_value;
	unsigned utf8_left;
	uint32_t utf8_least; /* smaller values were encoded too long */
};

/* `cells` has room for columns * rows, both at least 1. All blank, cursor at the top left. */
void screen_init(struct screen *screen, struct cell *cells, unsigned columns, unsigned rows);
void screen_write(struct screen *screen, const char *bytes, size_t count);
/* Writes in this foreground whatever the attributes say, until called with -1. */
void screen_override(struct screen *screen, int foreground);

/* What stands at a place, the first row on screen being 0. The cursor is not in it. */
struct cell *screen_cell(const struct screen *screen, unsigned column, unsigned row);

#endif
