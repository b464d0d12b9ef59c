/* SPDX-License-Identifier: MIT */
/* What is drawn of a look, and where: the state that keys change. See draw.c. */
#ifndef MEMVIEW_VIEW_H
#define MEMVIEW_VIEW_H

#include "canvas.h"
#include "look.h"

enum view_part { PART_PAGES, PART_PROCESS }; /* where the cursor is */

struct view {
	bool frozen, cycling;
	bool eyes;       /* what the selected process cannot touch is dark */
	size_t reached;  /* then: how many pages it can */
	bool following;  /* the page window goes where processes have their pages */
	bool keys;       /* somebody reads the last line */
	uint64_t window; /* the first frame of the page window */
	pid_t self;      /* whose pages nobody wants to watch */
	pid_t selected;  /* the process that is shown; 0: none yet */
	bool cursor;     /* there is one */
	enum view_part part;
	int row, column;   /* of the cursor, within its part */
	const char *demo;  /* what runs, or "" */
	const char *tells; /* what is to be seen in it, or "" */
};

/* Rows and columns of the parts, and what the canvas's size gives them. Pure. */
struct layout {
	int cells, label;  /* of a row of frames; its label's columns */
	int legend_column; /* 0: the legend stands in rows of its own */
	int overview, overview_rows;
	int pages, pages_rows;
	int process, process_rows, process_label, process_cells;
	int legend, info, keys; /* rows */
};

void view_layout(const struct canvas *canvas, const struct look *look, struct layout *out);
void view_draw(struct canvas *canvas, const struct layout *layout, struct view *view,
	const struct look *look);
/* Moves the cursor; the page window scrolls with it. */
void view_move(struct view *view, const struct layout *layout, const struct look *look, int rows,
	int columns);

/* draw_process.c: the part of the processes. Gives the page under the cursor, or false. */
bool draw_processes(struct canvas *canvas, const struct layout *layout, const struct view *view,
	const struct look *look, struct mapped_page *under);
/* How a frame's cell looks. `owner`: NULL, nobody's alone. */
struct cell class_cell(enum frame_class class, const struct process *owner);
/* As the selected process would see it that could see memory: what it cannot touch is dark. */
struct cell seen_cell(const struct view *view, struct cell cell, bool reached);
/* legend.c: the colours, and what is under the cursor. */
void draw_legend(struct canvas *canvas, const struct layout *layout, const struct look *look);
void draw_info(struct canvas *canvas, const struct layout *layout, const struct look *look,
	uint64_t frame);
/* Without a cursor: what is to be seen, and how one asks. */
void draw_hint(struct canvas *canvas, const struct layout *layout, const struct view *view);

#endif
