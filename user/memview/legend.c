/* SPDX-License-Identifier: MIT */
/* The legend, with how many pages are of each kind, and the answer to "what is this cell, and who maps it?" */
#include <stdio.h>
#include <string.h>

#include <baton/frames.h>

#include "view.h"

#define MAPPERS_SHOWN 4

/* ---- Legend ---- */

static void legend_column(
	struct canvas *canvas, const struct layout *layout, const struct look *look)
{
	int row = layout->legend, column = layout->legend_column;

	for (unsigned class = CLASS_FREE; class < CLASSES; class ++) {
		struct cell cell = class_cell(class, NULL);

		if (class == CLASS_OWN || class == CLASS_FILE)
			continue; /* by process, below */
		canvas_put(canvas, row, column, cell);
		canvas_text(canvas, row, column + 2, look->counts[class] ? INK : DIM, "%-13s%6zu",
			class_looks[class].title, look->counts[class]);
		row++;
	}
	row++;
	for (size_t i = 0; i < look->process_count && row < layout->info; i++) {
		const struct process *process = &look->processes[i];

		if (!process->page_count)
			continue;
		canvas_put(canvas, row, column, class_cell(CLASS_OWN, process));
		canvas_text(canvas, row, column + 2, INK, "%.13s[%d]", process->name, process->pid);
		row++;
	}
}

/* In two rows: a letter and a short word each, then the processes. */
static void legend_rows(struct canvas *canvas, const struct layout *layout, const struct look *look)
{
	static const enum frame_class shown[] = {CLASS_IMAGE, CLASS_SLAB, CLASS_TABLE,
		CLASS_FIRMWARE, CLASS_RESERVED, CLASS_CACHE, CLASS_SHARED, CLASS_COPY,
		CLASS_LEAKED};
	static const char *const words[] = {"kernel", "objects", "tables", "firmware", "reserved",
		"files", "shared", "copy", "leaked"};
	int column = 0;

	for (unsigned i = 0; i < sizeof shown / sizeof *shown; i++) {
		canvas_put(canvas, layout->legend, column, class_cell(shown[i], NULL));
		column = canvas_text(canvas, layout->legend, column + 1, DIM, "%s ", words[i]);
	}
	column = 0;
	for (size_t i = 0; i < look->process_count && column < canvas->columns - 12; i++) {
		if (!look->processes[i].page_count)
			continue;
		canvas_put(canvas, layout->legend + 1, column,
			class_cell(CLASS_OWN, &look->processes[i]));
		column = canvas_text(canvas, layout->legend + 1, column + 1, DIM, "%s[%d] ",
			look->processes[i].name, look->processes[i].pid);
	}
}

void draw_legend(struct canvas *canvas, const struct layout *layout, const struct look *look)
{
	if (layout->legend_column)
		legend_column(canvas, layout, look);
	else
		legend_rows(canvas, layout, look);
}

/* ---- What is under the cursor ---- */

static const char *area_at(const struct process *process, uint64_t address)
{
	for (size_t i = 0; i < process->area_count; i++) {
		const struct area *area = &process->areas[i];

		if (address >= area->start && address < area->end)
			return *area->name ? area_name(area) : "anonymous";
	}
	return "";
}

static void draw_mappers(struct canvas *canvas, int row, const struct look *look, uint64_t frame)
{
	size_t process = 0, page = 0;
	int column = canvas_text(canvas, row, 0, DIM, "mapped by ");

	for (int i = 0; look_mapper(look, frame, &process, &page); i++, page++) {
		const struct process *one = &look->processes[process];
		uint64_t address = one->pages[page].address;

		if (i == MAPPERS_SHOWN) {
			canvas_text(canvas, row, column, DIM, "and others");
			return;
		}
		column = canvas_text(
			canvas, row, column, slot_colour(one->slot), "%s[%d]", one->name, one->pid);
		column = canvas_text(
			canvas, row, column, INK, " at %lx %s   ", address, area_at(one, address));
	}
	if (!process || !look->mappers[frame])
		canvas_text(canvas, row, column, DIM, "nobody");
}

void draw_hint(struct canvas *canvas, const struct layout *layout, const struct view *view)
{
	canvas_text(canvas, layout->info, 0, TITLE, "%s", view->tells);
	if (view->keys)
		canvas_text(canvas, layout->info + 1, 0, INK, "%s",
			view->eyes ? "What is dark the process cannot touch; v: all of it again."
				   : "Tab: what is this cell, and who maps it?   v: what can the "
				     "process touch?");
}

void draw_info(
	struct canvas *canvas, const struct layout *layout, const struct look *look, uint64_t frame)
{
	uint64_t word;
	int column;

	if (frame >= look->frame_count) {
		canvas_text(canvas, layout->info, 0, DIM, "no page of RAM is there");
		return;
	}
	word = look->words[frame];
	column = canvas_text(canvas, layout->info, 0, TITLE, "page %#lx", frame * PAGE_SIZE);
	column = canvas_text(canvas, layout->info, column, INK, "   %s",
		class_looks[look->classes[frame]].title);
	if (BATON_FRAME_KIND(word) != BATON_FRAME_FREE && BATON_FRAME_REFERENCES(word))
		column = canvas_text(canvas, layout->info, column, INK, "   %u reference%s",
			BATON_FRAME_REFERENCES(word), BATON_FRAME_REFERENCES(word) == 1 ? "" : "s");
	if (BATON_FRAME_ORDER(word))
		canvas_text(canvas, layout->info, column, INK, "   in a block of %u pages",
			1u << BATON_FRAME_ORDER(word));
	draw_mappers(canvas, layout->info + 1, look, frame);
}
