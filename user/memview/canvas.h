/* SPDX-License-Identifier: MIT */
/* A grid of coloured letters, and the two ways to show it: a terminal and a framebuffer. */
#ifndef MEMVIEW_CANVAS_H
#define MEMVIEW_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

enum cell_style {
	STYLE_TEXT,
	STYLE_TILE,  /* on a framebuffer set apart from its neighbours */
	STYLE_CURSOR /* a tile with a frame around it; in a terminal the other way round */
};

struct cell {
	uint32_t ink, paper; /* 0xRRGGBB */
	char letter;         /* ASCII */
	uint8_t style;       /* enum cell_style */
	uint16_t none;       /* 0: no padding, so that cells are compared as bytes */
};

struct canvas {
	int columns, rows;
	struct cell *cells, *shown; /* what is to be seen, and what is by now */
};

#define PAPER 0x0b0e14u
#define INK   0xaeb9ccu
#define DIM   0x66728au
#define TITLE 0xf4f6fau

/* 0, or -1 with errno. A canvas that has a size already gets another one. */
int canvas_resize(struct canvas *canvas, int columns, int rows);
void canvas_free(struct canvas *canvas);
void canvas_clear(struct canvas *canvas);
/* What lies outside of the canvas is not drawn. */
void canvas_put(struct canvas *canvas, int row, int column, struct cell cell);
/* The column behind the text. */
int canvas_text(struct canvas *canvas, int row, int column, uint32_t ink, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* Part of one colour, the rest of another: `parts` of 256. Pure. */
uint32_t colour_mix(uint32_t one, uint32_t other, unsigned parts);

/* ---- The ways to show it: what has changed since the last time is drawn ---- */

/* 256 colours, as TERM=linux and xterm-256color have them. 0, or -1 with errno. */
int terminal_begin(int fd);
void terminal_end(int fd);
void terminal_size(int fd, int *columns, int *rows);
int terminal_show(int fd, struct canvas *canvas);

struct screen;
/* /dev/fb0 with the console's text turned off; NULL with errno. */
struct screen *screen_begin(const char *path);
void screen_end(struct screen *screen);
void screen_size(const struct screen *screen, int *columns, int *rows);
int screen_show(struct screen *screen, struct canvas *canvas);

#endif
