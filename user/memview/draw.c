/* SPDX-License-Identifier: MIT */
/*
 * The picture, from the top: all of RAM, each cell many pages; a window of it, each cell a page; the address space of one
 * process, and of the next ones as far as there is room; the legend; what the cursor is on.
 *
 * A cell that stands for many pages has the colour of what most of its used pages are, the paler the fewer
 * are used. Rows of the overview without any RAM are left out, so that a hole below 4 GiB costs nothing. How many
 * pages are a cell is a power of two, the least with which all of RAM fits.
 */
#include <stdio.h>
#include <string.h>

#include "view.h"

#define BIG_ROWS 40 /* from here on there is room for empty lines */

/* ---- Layout ---- */

static bool has_ram(const struct look *look, uint64_t first, uint64_t count)
{
	for (uint64_t i = first; i < first + count && i < look->frame_count; i++)
		if (look->classes[i] != CLASS_HOLE)
			return true;
	return false;
}

static int rows_with_ram(const struct look *look, uint64_t frames)
{
	int rows = 0;

	for (uint64_t at = 0; at < look->frame_count; at += frames)
		rows += has_ram(look, at, frames);
	return rows;
}

static uint64_t pages_a_cell(const struct look *look, const struct layout *layout)
{
	uint64_t pages = 1;

	while (rows_with_ram(look, pages * (uint64_t)layout->cells) > layout->overview_rows)
		pages *= 2;
	return pages;
}

static int cells_for(int columns)
{
	int cells = 16;

	while (cells * 2 <= columns && cells < 256)
		cells *= 2;
	return cells;
}

void view_layout(const struct canvas *canvas, const struct look *look, struct layout *out)
{
	int gap = canvas->rows >= BIG_ROWS, rows, at = 1 + gap;

	*out = (struct layout){.label = 10, .process_label = 30};
	out->cells = cells_for(canvas->columns - out->label);
	if (canvas->columns - out->label - out->cells >= 22)
		out->legend_column = out->label + out->cells + 1;
	rows = canvas->rows - 7 - 4 * gap - (out->legend_column ? 0 : 2);
	if (rows < 6)
		rows = 6;
	out->overview_rows = rows / 5 < 2 ? 2 : rows / 5;
	out->overview_rows = rows_with_ram(look, pages_a_cell(look, out) * (uint64_t)out->cells);
	out->pages_rows = (rows - out->overview_rows) * 2 / 5;
	out->process_rows = rows - out->overview_rows - out->pages_rows;
	out->process_cells = out->cells + out->label - out->process_label;
	out->process_cells -= out->process_cells % 8;
	if (out->process_cells < 8)
		out->process_cells = 8;
	out->overview = at + 1;
	out->pages = out->overview + out->overview_rows + gap + 1;
	out->process = out->pages + out->pages_rows + gap + 1;
	out->legend = out->process + out->process_rows + gap;
	out->info = out->legend + (out->legend_column ? 0 : 2);
	out->keys = out->info + 2;
	if (out->legend_column)
		out->legend = out->overview - 1;
}

/* ---- Cells ---- */

struct cell class_cell(enum frame_class class, const struct process *owner)
{
	const struct class_look *look = &class_looks[class];
	struct cell cell = {look->ink, look->paper, look->letter, STYLE_TILE, 0};

	if (look->letter)
		return cell;
	cell.letter = owner ? slot_letter(owner->slot) : '?';
	cell.paper = owner ? slot_colour(owner->slot) : DIM;
	if (class == CLASS_FILE)
		cell.paper = colour_mix(cell.paper, PAPER, 130);
	return cell;
}

struct cell seen_cell(const struct view *view, struct cell cell, bool reached)
{
	if (view->eyes && !reached) {
		cell.ink = colour_mix(cell.ink, PAPER, 40);
		cell.paper = colour_mix(cell.paper, PAPER, 40);
	}
	return cell;
}

static bool reaches_any(const struct look *look, uint64_t first, uint64_t count)
{
	for (uint64_t i = first; i < first + count && i < look->frame_count; i++)
		if (look->reached[i])
			return true;
	return false;
}

static const struct process *owner_of(const struct look *look, uint64_t frame)
{
	int16_t owner = look->owners[frame];

	return owner == NOBODY ? NULL : &look->processes[owner];
}

/* ---- The overview ---- */

/* What most of the used pages from `first` on are; and how many of 256 are used. */
struct mixture {
	unsigned counts[CLASSES], slots[SLOTS];
	unsigned used, ram;
	const struct process *owners[SLOTS];
};

static void mix_pages(const struct look *look, uint64_t first, uint64_t count, struct mixture *out)
{
	memset(out, 0, sizeof *out);
	for (uint64_t i = first; i < first + count && i < look->frame_count; i++) {
		enum frame_class class = look->classes[i];
		const struct process *owner = owner_of(look, i);

		out->ram += class != CLASS_HOLE;
		out->used += class > CLASS_FREE;
		out->counts[class]++;
		if (owner && !class_looks[class].letter) {
			out->slots[owner->slot]++;
			out->owners[owner->slot] = owner;
		}
	}
}

static struct cell mixed_cell(const struct look *look, uint64_t first, uint64_t count)
{
	struct mixture mix;
	enum frame_class most = CLASS_FREE;
	unsigned slot = 0;
	struct cell cell;

	mix_pages(look, first, count, &mix);
	if (!mix.ram)
		return class_cell(CLASS_HOLE, NULL);
	for (unsigned class = CLASS_FREE + 1; class < CLASSES; class ++)
		if (mix.counts[class] && (most == CLASS_FREE || class == CLASS_LEAKED ||
						 mix.counts[class] > mix.counts[most]))
			most = class;
	for (unsigned i = 1; i < SLOTS; i++)
		if (mix.slots[i] > mix.slots[slot])
			slot = i;
	cell = class_cell(most, mix.owners[slot]);
	if (mix.used)
		cell.paper = colour_mix(
			cell.paper, class_looks[CLASS_FREE].paper, 96 + 160 * mix.used / mix.ram);
	return cell;
}

/* A number of pages as bytes with a unit, in `out`. */
static const char *size_text(uint64_t pages, char *out, size_t size)
{
	uint64_t kib = pages * (PAGE_SIZE / 1024);

	if (kib < 1024 || kib % 1024)
		snprintf(out, size, "%lu KiB", kib);
	else if (kib < 1024 * 1024 || kib % (1024 * 1024))
		snprintf(out, size, "%lu MiB", kib / 1024);
	else
		snprintf(out, size, "%lu GiB", kib / 1024 / 1024);
	return out;
}

static void draw_overview(struct canvas *canvas, const struct layout *layout,
	const struct view *view, const struct look *look)
{
	uint64_t pages = pages_a_cell(look, layout), row_pages = pages * (uint64_t)layout->cells;
	int row = layout->overview, column;
	char size[32];

	column = canvas_text(canvas, row - 1, 0, TITLE, "Physical memory");
	canvas_text(canvas, row - 1, column, DIM, "   a cell is %s",
		size_text(pages, size, sizeof size));
	for (uint64_t at = 0; at < look->frame_count; at += row_pages) {
		if (!has_ram(look, at, row_pages))
			continue;
		canvas_text(canvas, row, 0, DIM, "%9lx", at * PAGE_SIZE);
		for (int i = 0; i < layout->cells; i++) {
			uint64_t first = at + (uint64_t)i * pages;
			struct cell cell = mixed_cell(look, first, pages);

			if (view->eyes && reaches_any(look, first, pages))
				cell = class_cell(CLASS_OWN, look_process(look, view->selected));
			else if (view->eyes)
				cell = seen_cell(view, cell, false);
			else if (view->window < first + pages &&
				 first < view->window +
						 (uint64_t)(layout->cells * layout->pages_rows))
				cell.ink = TITLE;
			canvas_put(canvas, row, layout->label + i, cell);
		}
		row++;
	}
}

/* ---- The window of pages ---- */

/* How much of what one wants to watch is in a window. */
static unsigned interest(
	const struct view *view, const struct look *look, uint64_t first, uint64_t count)
{
	unsigned sum = 0;

	for (uint64_t i = first; i < first + count && i < look->frame_count; i++) {
		enum frame_class class = look->classes[i];
		const struct process *owner = owner_of(look, i);

		if (owner && owner->pid == view->self)
			continue;
		sum += class == CLASS_OWN || class == CLASS_COPY || class == CLASS_LEAKED;
	}
	return sum;
}

static void follow(struct view *view, const struct layout *layout, const struct look *look)
{
	uint64_t row = (uint64_t)layout->cells, count = row * (uint64_t)layout->pages_rows;
	uint64_t step = row * (uint64_t)((layout->pages_rows + 1) / 2);
	unsigned here = interest(view, look, view->window, count), most = here;
	uint64_t best = view->window;

	for (uint64_t at = look->first_frame / row * row; at < look->frame_count; at += step) {
		unsigned there = interest(view, look, at, count);

		if (there > most && there > here + here / 4) {
			most = there;
			best = at;
		}
	}
	view->window = best;
}

static void draw_pages(struct canvas *canvas, const struct layout *layout, const struct view *view,
	const struct look *look)
{
	int column = canvas_text(canvas, layout->pages - 1, 0, TITLE, "Its pages");

	canvas_text(canvas, layout->pages - 1, column, DIM, "   a cell is a page%s",
		view->following ? "; here processes have most of theirs" : "");
	for (int row = 0; row < layout->pages_rows; row++) {
		uint64_t first = view->window + (uint64_t)(row * layout->cells);

		if (first >= look->frame_count)
			break;
		canvas_text(canvas, layout->pages + row, 0, DIM, "%9lx", first * PAGE_SIZE);
		for (int i = 0; i < layout->cells && first + (uint64_t)i < look->frame_count; i++) {
			uint64_t frame = first + (uint64_t)i;

			canvas_put(canvas, layout->pages + row, layout->label + i,
				seen_cell(view,
					class_cell(look->classes[frame], owner_of(look, frame)),
					look->reached[frame]));
		}
	}
}

/* ---- All of it ---- */

/* What runs and how it is shown comes first: of the figures a narrow terminal may show less. */
static void draw_title(struct canvas *canvas, const struct view *view, const struct look *look)
{
	size_t ram = look->frame_count - look->counts[CLASS_HOLE];
	int column = canvas_text(canvas, 0, 0, TITLE, "memview");

	if (*view->demo)
		column = canvas_text(canvas, 0, column, slot_colour(2), "   demo: %s", view->demo);
	if (view->frozen)
		column = canvas_text(canvas, 0, column, slot_colour(1), "   FROZEN");
	if (look->counts[CLASS_LEAKED])
		column = canvas_text(canvas, 0, column, class_looks[CLASS_LEAKED].paper,
			"   %zu pages leaked", look->counts[CLASS_LEAKED]);
	if (view->eyes)
		column = canvas_text(canvas, 0, column, TITLE, "   its eyes: %zu pages of %zu",
			view->reached, ram);
	canvas_text(canvas, 0, column, INK, "   %zu MiB of RAM, %zu KiB in use, %zu processes",
		ram / 256, (ram - look->counts[CLASS_FREE]) * 4, look->process_count);
}

static void draw_keys(struct canvas *canvas, const struct layout *layout, const struct view *view)
{
	if (view->keys)
		canvas_text(canvas, layout->keys, 0, DIM, "%s",
			canvas->columns >= 157
				? "a allocator  f fork  e forkexit  p pipe  r recurse  s spawn  "
				  "x none   space freeze  . step   n b c process   v its eyes   "
				  "Tab arrows ask   g follow   q quit"
				: "demos a f e p r s x, space freeze, . step, n b c v process, "
				  "Tab arrows, q");
}

/* The frame under the cursor, or frame_count. */
static uint64_t frame_under(
	const struct view *view, const struct layout *layout, const struct look *look)
{
	uint64_t frame = view->window + (uint64_t)(view->row * layout->cells + view->column);

	return frame < look->frame_count ? frame : look->frame_count;
}

static void put_cursor(struct canvas *canvas, int row, int column)
{
	if (row < canvas->rows && column < canvas->columns)
		canvas->cells[row * canvas->columns + column].style = STYLE_CURSOR;
}

void view_draw(struct canvas *canvas, const struct layout *layout, struct view *view,
	const struct look *look)
{
	uint64_t frame = look->frame_count;
	struct mapped_page under;

	canvas_clear(canvas);
	if (view->following)
		follow(view, layout, look);
	draw_title(canvas, view, look);
	draw_overview(canvas, layout, view, look);
	draw_pages(canvas, layout, view, look);
	if (draw_processes(canvas, layout, view, look, &under) && view->cursor &&
		view->part == PART_PROCESS)
		frame = PAGEMAP_FRAME(under.word);
	draw_legend(canvas, layout, look);
	if (view->cursor && view->part == PART_PAGES) {
		frame = frame_under(view, layout, look);
		put_cursor(canvas, layout->pages + view->row, layout->label + view->column);
	} else if (view->cursor) {
		put_cursor(
			canvas, layout->process + view->row, layout->process_label + view->column);
	}
	if (view->cursor)
		draw_info(canvas, layout, look, frame);
	else
		draw_hint(canvas, layout, view);
	draw_keys(canvas, layout, view);
}

void view_move(struct view *view, const struct layout *layout, const struct look *look, int rows,
	int columns)
{
	int most = view->part == PART_PAGES ? layout->cells : layout->process_cells;
	int last = view->part == PART_PAGES ? layout->pages_rows : layout->process_rows;
	uint64_t row_pages = (uint64_t)layout->cells;

	if (view->cursor) { /* the first key only brings it */
		view->row += rows;
		view->column += columns;
	}
	view->cursor = true;
	view->following = view->following && view->part != PART_PAGES;
	view->column = view->column < 0 ? 0 : view->column >= most ? most - 1 : view->column;
	if (view->part == PART_PAGES && view->row < 0 && view->window >= row_pages)
		view->window -= row_pages;
	if (view->part == PART_PAGES && view->row >= last &&
		view->window + row_pages * (uint64_t)last < look->frame_count)
		view->window += row_pages;
	view->row = view->row < 0 ? 0 : view->row >= last ? last - 1 : view->row;
}
