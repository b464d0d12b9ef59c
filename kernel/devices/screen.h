/* SPDX-License-Identifier: MIT */
/*
 * A terminal's screen as cells: what stands where in which colour, the cursor, the lines that were
 * scrolled off, and the bytes that change them. Pure: no pixels, no memory of its own. See screen.c
 * for the grid, screen_parse.c and screen_csi.c for the bytes, screen_charset.c for the characters.
 */
#ifndef DEVICES_SCREEN_H
#define DEVICES_SCREEN_H

#include "lib/types.h"

struct cell {
	uint16_t character;             /* a code point of the Basic Multilingual Plane */
	uint8_t foreground, background; /* of the 256 colours */
	uint8_t underline;              /* 1 or 0 */
	uint8_t unused[3];              /* 0: cells are compared as words */
} __attribute__((aligned(8)));

/* Colours by their ANSI numbers, 8-15 the bright ones; then a cube of 6x6x6 and 24 greys. */
#define SCREEN_DEFAULT_FOREGROUND 7u
#define SCREEN_DEFAULT_BACKGROUND 0u
#define SCREEN_PARAMETERS         16u
#define SCREEN_REPLY              48u
#define SCREEN_TAB_STOPS          256u /* columns that can have one */
#define SCREEN_WORK               8192u

/* What a byte or a character stands for. */
enum screen_charset { CHARSET_LATIN1, CHARSET_GRAPHICS, CHARSET_CP437 };

/* What is written next looks like this, and where; what ESC 7 keeps. */
struct screen_pen {
	unsigned x, y;
	uint8_t foreground, background;
	bool bold, dim, underline, inverse;
	enum screen_charset sets[2]; /* G0, G1 */
	unsigned set;                /* which of them is in use: SI, SO */
};

struct screen {
	unsigned columns, rows, history_size; /* history_size: lines kept above the screen */
	struct cell *cells;                   /* columns * (rows + history_size), the caller's */
	uint16_t *lines; /* which line of `cells` is at a row; then the ring of history */
	unsigned history_count, history_start; /* in the ring: the oldest */
	unsigned view;                         /* how many lines back the viewer looks */
	unsigned changed_first, changed_end;   /* rows that may differ from what was painted */
	bool palette_changed;                  /* since who paints last set it to false */
	bool bell;                             /* rung since who listens set it to false */
	uint32_t palette[16];                  /* 0xRRGGBB */
	unsigned
		work; /* since screen_write_some began: cells changed, 16 for a byte of a sequence */

	struct screen_pen pen, saved;
	unsigned top, bottom;    /* the scroll region: first row, and the row after its last */
	bool wrap_pending;       /* the last column was written: the next character begins a line */
	int override_foreground; /* -1: none */
	uint64_t tab_stops[SCREEN_TAB_STOPS / 64];

	/* modes; the last five are the keyboard's */
	bool cursor_hidden, insert, origin, no_wrap, inverse_screen, utf8;
	bool cp437,
		upper_half; /* SGR 11, 12: bytes are pictures of the IBM PC; with 12 of its upper half */
	bool newline, cursor_keys, keypad, no_repeat;
	uint8_t leds; /* CSI q: bits of scroll, num, caps lock */

	/* answers to what was asked for, to be taken as input; what does not fit is dropped */
	char reply[SCREEN_REPLY];
	unsigned reply_length;

	/* the parser's */
	enum {
		SCREEN_GROUND,
		SCREEN_ESCAPE,
		SCREEN_CSI,
		SCREEN_CSI_IGNORE,
		SCREEN_STRING,
		SCREEN_STRING_ESCAPE,
		SCREEN_OSC,
		SCREEN_PALETTE,
		SCREEN_SET_G0,
		SCREEN_SET_G1,
		SCREEN_HASH,
		SCREEN_PERCENT,
		SCREEN_SKIP_ONE
	} state;
	char mark; /* ?, >, = or < after CSI; 0: none */
	unsigned parameters[SCREEN_PARAMETERS], parameter_count;
	uint32_t utf8_value;
	unsigned utf8_left;
	uint32_t utf8_least;     /* smaller values were encoded too long */
	uint32_t last_character; /* for CSI b */
};

/* What screen_reset_palette gives every screen; its owner may change it. */
extern uint32_t screen_usual_palette[16];

/* Bytes of memory that a screen takes; 0: more than can be. */
size_t screen_memory(unsigned columns, unsigned rows, unsigned history);
/* `memory` is of that size, aligned to 8; columns and rows are at least 1. Blank, the cursor at the
 * top left. */
void screen_init(
	struct screen *screen, void *memory, unsigned columns, unsigned rows, unsigned history);
/* A longer history, in other memory of screen_memory(.., history) bytes; the old memory is free then. */
void screen_grow(struct screen *screen, void *memory, unsigned history);
void screen_write(struct screen *screen, const char *bytes, size_t count);
/* Writes until all is done, or SCREEN_WORK is reached: for callers that hold a lock. How many bytes; at least
 * one of count. A single byte may end a sequence that changes each cell of the screen. */
size_t screen_write_some(struct screen *screen, const char *bytes, size_t count) MUST_CHECK;
/* Writes in this foreground whatever the attributes say, until called with -1. */
void screen_override(struct screen *screen, int foreground);
/* Looks `lines` further back (negative: forward); what is written next returns to the end. */
void screen_look(struct screen *screen, int lines);
/* All rows may have changed. */
void screen_touch_all(struct screen *screen);

/* What is to be seen at a place, the first row on screen being 0, the view applied. Without cursor. */
struct cell *screen_cell(const struct screen *screen, unsigned column, unsigned row);
/* The same whatever the view. */
struct cell *screen_own_cell(const struct screen *screen, unsigned column, unsigned row);
/* The cursor to a place, held within the screen. */
void screen_move_to(struct screen *screen, unsigned x, unsigned y);
/* Is the cursor to be seen? */
bool screen_shows_cursor(const struct screen *screen);

/* ---- Between screen.c and screen_parse.c ---- */

void screen_parse_byte(struct screen *screen, uint8_t byte);
void screen_reset(struct screen *screen);
void screen_reset_palette(struct screen *screen);
void screen_put(struct screen *screen, unsigned character, unsigned width);
void screen_line_feed(struct screen *screen);
void screen_reverse_line_feed(struct screen *screen);
/* Rows [first, end) up (positive) or down by `count`; blank lines come in. A whole screen scrolled
 * up goes into the history. */
void screen_scroll(struct screen *screen, unsigned first, unsigned end, int count);
void screen_blank(struct screen *screen, unsigned row, unsigned from, unsigned end);
void screen_insert_cells(struct screen *screen, unsigned count);
void screen_delete_cells(struct screen *screen, unsigned count);
/* To a place, held within the screen, or the scroll region with origin mode on. */
void screen_move(struct screen *screen, int64_t x, int64_t y);
void screen_forget_history(struct screen *screen);
void screen_reset_attributes(struct screen *screen);
void screen_align(struct screen *screen); /* all E: DECALN */

void screen_control_sequence(struct screen *screen, uint8_t final);
void screen_restore_cursor(struct screen *screen);
void screen_tab(struct screen *screen, unsigned count);
void screen_set_tab_stop(struct screen *screen, bool on); /* at the cursor's column */
void screen_reply(struct screen *screen, const char *text);

/* Columns that a character takes: 0 (combining, of no width), 1 or 2. Pure. */
unsigned character_width(uint32_t character);
/* What a byte means in a set. Pure. */
uint16_t charset_character(enum screen_charset set, uint8_t byte);

#endif
