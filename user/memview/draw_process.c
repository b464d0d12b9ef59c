/* SPDX-License-Identifier: MIT */
/*
 * The address space of a process: a row or more for each mapping, with a cell for each page, or for as many as
 * must share one that the whole fits. Of these the most telling page is shown. What is there but may not be
 * written is darker.
 */
#include <stdio.h>

#include "view.h"

/* The rows that a space takes with so many pages a cell. */
static uint64_t rows_with(const struct process *process, uint64_t pages, uint64_t cells)
{
	uint64_t rows = 0;

	for (size_t i = 0; i < process->area_count; i++) {
		uint64_t count = (process->areas[i].end - process->areas[i].start) / PAGE_SIZE;

		rows += (count + pages * cells - 1) / (pages * cells);
	}
	return rows;
}

/* So many that the space fits into these rows, if a row for each mapping does: that is the least. */
static uint64_t pages_a_cell(
	const struct process *process, const struct layout *layout, uint64_t room)
{
	uint64_t pages = 1, cells = (uint64_t)layout->process_cells;

	while (rows_with(process, pages, cells) > room &&
		rows_with(process, pages, cells) > process->area_count)
		pages *= 2;
	return pages;
}

static unsigned telling(enum frame_class class)
{
	static const uint8_t order[CLASSES] = {
		[CLASS_LEAKED] = 6,
		[CLASS_COPY] = 5,
		[CLASS_OWN] = 4,
		[CLASS_SHARED] = 3,
		[CLASS_FILE] = 2,
		[CLASS_ZERO] = 1,
	};

	return order[class];
}

/* One cell of a mapping: its present pages from *at on that lie below `end`; what is shown in *shown. */
static struct cell area_cell(const struct look *look, const struct process *process,
	const struct area *area, size_t *at, uint64_t end, struct mapped_page *shown)
{
	enum frame_class best = CLASS_HOLE;
	struct cell cell = {0x46536a, 0x141a26, '.', STYLE_TILE, 0};

	*shown = (struct mapped_page){0, 0};
	for (; *at < area->first + area->count && process->pages[*at].address < end; ++*at) {
		uint64_t frame = PAGEMAP_FRAME(process->pages[*at].word);
		enum frame_class class =
			frame < look->frame_count ? look->classes[frame] : CLASS_KERNEL;

		if (shown->word && telling(class) <= telling(best))
			continue;
		best = class;
		*shown = process->pages[*at];
	}
	if (!shown->word)
		return cell;
	/* Of memory that is mapped twice in the same process nobody is the one owner. */
	cell = class_cell(best, process);
	if (area->access[1] != 'w')
		cell.paper = colour_mix(cell.paper, PAPER, 150);
	return cell;
}

/* Another process's space is shown, too; most of it the selected one cannot touch. */
static bool is_reached(const struct look *look, const struct mapped_page *shown)
{
	uint64_t frame = PAGEMAP_FRAME(shown->word);

	return !shown->word || (frame < look->frame_count && look->reached[frame]);
}

static void draw_label(struct canvas *canvas, const struct layout *layout, int row,
	const struct area *area, uint64_t address)
{
	if (address != area->start)
		canvas_text(canvas, row, 0, DIM, "%12lx", address);
	else
		canvas_text(canvas, row, 0, INK, "%12lx %s %.*s", address, area->access,
			layout->process_label - 19, area_name(area));
}

struct area_place {
	int row;
	uint64_t pages; /* a cell */
};

/* Draws one mapping; the page under the cursor goes to *under. The row behind it. */
static int draw_area(struct canvas *canvas, const struct layout *layout, const struct view *view,
	const struct look *look, const struct process *process, const struct area *area,
	struct area_place place, struct mapped_page *under)
{
	uint64_t bytes = place.pages * PAGE_SIZE, address = area->start;
	int last = layout->process + layout->process_rows, row = place.row;
	size_t at = area->first;

	for (; address < area->end && row < last; row++) {
		draw_label(canvas, layout, row, area, address);
		for (int i = 0; i < layout->process_cells && address < area->end; i++) {
			struct mapped_page shown;
			struct cell cell =
				area_cell(look, process, area, &at, address + bytes, &shown);

			canvas_put(canvas, row, layout->process_label + i,
				seen_cell(view, cell, is_reached(look, &shown)));
			if (view->row == row - layout->process && view->column == i)
				*under = shown;
			address += bytes;
		}
	}
	return row;
}

static void draw_name(struct canvas *canvas, int row, const struct process *process, uint64_t pages)
{
	int column;

	canvas_put(canvas, row, 0, class_cell(CLASS_OWN, process));
	column = canvas_text(canvas, row, 2, TITLE, "%s[%d]", process->name, process->pid);
	canvas_text(canvas, row, column, DIM, "   %zu pages in memory, a cell is %lu page%s",
		process->page_count, pages, pages == 1 ? "" : "s");
}

/* From `row` on, which has the name; the row behind. */
static int draw_process(struct canvas *canvas, const struct layout *layout, const struct view *view,
	const struct look *look, const struct process *process, int row, struct mapped_page *under)
{
	int room = layout->process + layout->process_rows - row - 1;
	struct area_place place = {row + 1, pages_a_cell(process, layout, (uint64_t)room)};

	draw_name(canvas, row, process, place.pages);
	for (size_t i = 0; i < process->area_count; i++) {
		if (place.row >= layout->process + layout->process_rows)
			break;
		place.row = draw_area(
			canvas, layout, view, look, process, &process->areas[i], place, under);
	}
	return place.row;
}

bool draw_processes(struct canvas *canvas, const struct layout *layout, const struct view *view,
	const struct look *look, struct mapped_page *under)
{
	const struct process *process = look_process(look, view->selected);
	size_t at = process ? (size_t)(process - look->processes) : 0;
	int row = layout->process - 1, last = layout->process + layout->process_rows;

	*under = (struct mapped_page){0, 0};
	if (!process) {
		canvas_text(canvas, row, 0, DIM, "no process");
		return false;
	}
	row = draw_process(canvas, layout, view, look, process, row, under) + 1;
	for (size_t i = 1; i < look->process_count; i++) {
		process = &look->processes[(at + i) % look->process_count];
		if (process->watched && row + 1 + (int)process->area_count <= last)
			row = draw_process(canvas, layout, view, look, process, row, under) + 1;
	}
	return under->word != 0;
}
