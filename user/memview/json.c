/* SPDX-License-Identifier: MIT */
/*
 * One look as JSON, on standard output:
 *
 *	{"schema": 1, "page_size": 4096, "ram_pages": N, "classes": {"free": N, ...},
 *	 "frames": [[FIRST, COUNT, "CLASS", PID], ...],
 *	 "processes": [{"pid": N, "name": S, "areas": [{"start": N, "end": N, "access": S, "name": S,
 *		"pages": [[ADDRESS, FRAME], ...]}, ...]}, ...]}
 *
 * `frames` are runs of frames of one class and owner, from frame 0 on with no gap; PID is 0 where no single process
 * maps them. Pages are those in memory.
 */
#include <stdio.h>

#include "json.h"

static void put_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void put_classes(const struct look *look)
{
	printf("\"classes\": {");
	for (unsigned class = 0; class < CLASSES; class ++)
		printf("%s\"%s\": %zu", class ? ", " : "", class_looks[class].name,
			look->counts[class]);
	printf("},\n");
}

static pid_t owner_of(const struct look *look, size_t frame)
{
	return look->owners[frame] == NOBODY ? 0 : look->processes[look->owners[frame]].pid;
}

static void put_frames(const struct look *look)
{
	size_t first = 0, end;

	printf("\"frames\": [");
	for (; first < look->frame_count; first = end) {
		for (end = first + 1; end < look->frame_count; end++)
			if (look->classes[end] != look->classes[first] ||
				look->owners[end] != look->owners[first])
				break;
		printf("%s[%zu, %zu, \"%s\", %d]", first ? ",\n" : "", first, end - first,
			class_looks[look->classes[first]].name, owner_of(look, first));
	}
	printf("],\n");
}

static void put_area(const struct process *process, const struct area *area)
{
	printf("{\"start\": %lu, \"end\": %lu, \"access\": \"%s\", \"name\": ", area->start,
		area->end, area->access);
	put_string(area->name);
	printf(", \"pages\": [");
	for (size_t i = area->first; i < area->first + area->count; i++)
		printf("%s[%lu, %lu]", i > area->first ? ", " : "", process->pages[i].address,
			PAGEMAP_FRAME(process->pages[i].word));
	printf("]}");
}

static void put_process(const struct process *process)
{
	printf("{\"pid\": %d, \"name\": ", process->pid);
	put_string(process->name);
	printf(", \"areas\": [");
	for (size_t i = 0; i < process->area_count; i++) {
		if (i)
			printf(",\n");
		put_area(process, &process->areas[i]);
	}
	printf("]}");
}

int json_put(const struct look *look)
{
	printf("{\"schema\": 1, \"page_size\": %lu, \"ram_pages\": %zu,\n", PAGE_SIZE,
		look->frame_count - look->counts[CLASS_HOLE]);
	put_classes(look);
	put_frames(look);
	printf("\"processes\": [");
	for (size_t i = 0; i < look->process_count; i++) {
		if (i)
			printf(",\n");
		put_process(&look->processes[i]);
	}
	printf("]}\n");
	return fflush(stdout) || ferror(stdout) ? -1 : 0;
}
