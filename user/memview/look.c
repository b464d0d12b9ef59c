/* SPDX-License-Identifier: MIT */
/*
 * A look at memory: /proc/baton/frames for what each frame is, /proc/PID/maps and pagemap for who maps it.
 *
 * The parts are read one after the other while everything runs, so they need not agree: a frame may have gone from a
 * process to another in between. What is shown is what each part said. A page that was private before the
 * processes were looked at and after it, and that none of them maps, is called leaked after ORPHAN_LOOKS such looks
 * running, unless some process could not be looked at as a whole.
 *
 * Processes are those of /proc. Who has no memory of his own (a zombie) has no areas. Processes that share one space
 * (vfork) show the same pages twice.
 */
#include "look.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <baton/frames.h>

#define FRAMES_FILE  "/proc/baton/frames"
#define WORDS        8192u       /* of a read */
#define AREA_PAGES   (1ul << 20) /* 4 GiB: of larger mappings only the start is looked at */
#define PROCESSES    4096u
#define MAPS_MAX     (1u << 20)
#define SLOT_HISTORY 64u

static uint64_t words[WORDS];

/* A list with room for one more: the items, or NULL with errno. */
static void *room_for_one(void *items, size_t count, size_t size)
{
	if (count & (count - 1)) /* grows at powers of two alone */
		return items;
	return realloc(items, (count ? 2 * count : 1) * size);
}

/* ---- Slots ---- */

static pid_t slot_pids[SLOTS];

/* The slot of a process: the one it has, else the lowest that is free, else the last. */
static unsigned slot_of(pid_t pid)
{
	unsigned free = SLOTS - 1;

	for (unsigned i = SLOTS; i--;) {
		if (slot_pids[i] == pid)
			return i;
		if (!slot_pids[i])
			free = i;
	}
	slot_pids[free] = pid;
	return free;
}

static void forget_slots(const struct look *look)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		if (slot_pids[i] && !look_process(look, slot_pids[i]))
			slot_pids[i] = 0;
	}
}

/* ---- Frames ---- */

static int grow_frames(struct look *look, size_t count)
{
	void *parts[] = {
		realloc(look->words, count * sizeof *look->words),
		realloc(look->classes, count * sizeof *look->classes),
		realloc(look->owners, count * sizeof *look->owners),
		realloc(look->mappers, count * sizeof *look->mappers),
		realloc(look->orphaned, count * sizeof *look->orphaned),
		realloc(look->reached, count * sizeof *look->reached),
	};
	bool whole = true;

	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++)
		whole = whole && parts[i];
	look->words = parts[0] ? parts[0] : look->words;
	look->classes = parts[1] ? parts[1] : look->classes;
	look->owners = parts[2] ? parts[2] : look->owners;
	look->mappers = parts[3] ? parts[3] : look->mappers;
	look->orphaned = parts[4] ? parts[4] : look->orphaned;
	look->reached = parts[5] ? parts[5] : look->reached;
	if (!whole)
		return -1;
	if (count > look->frame_count) {
		memset(look->orphaned + look->frame_count, 0, count - look->frame_count);
		memset(look->reached + look->frame_count, 0, count - look->frame_count);
	}
	return 0;
}

/* RAM does not change its size: after the first look one read gives all. */
static int take_frames(struct look *look)
{
	size_t count = 0;
	ssize_t got = 0;
	int fd = open(FRAMES_FILE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	for (;;) {
		got = pread(fd, words, sizeof words, (off_t)(count * sizeof *words));
		if (got <= 0)
			break;
		if (count + (size_t)got / sizeof *words > look->frame_count) {
			if (grow_frames(look, count + (size_t)got / sizeof *words) < 0) {
				got = -1;
				break;
			}
			look->frame_count = count + (size_t)got / sizeof *words;
		}
		memcpy(look->words + count, words, (size_t)got);
		count += (size_t)got / sizeof *words;
	}
	close(fd);
	return got < 0 ? -1 : 0;
}

/* ---- Processes ---- */

/* All of a small file with a NUL behind it; its bytes, -1: none. */
static ssize_t read_text(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	size_t used = 0;
	ssize_t got;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (used < size - 1 && (got = read(fd, text + used, size - 1 - used)) > 0)
		used += (size_t)got;
	close(fd);
	text[used] = 0;
	return (ssize_t)used;
}

static int add_page(struct process *process, uint64_t address, uint64_t word)
{
	struct mapped_page *pages =
		room_for_one(process->pages, process->page_count, sizeof *pages);

	if (!pages)
		return -1;
	process->pages = pages;
	pages[process->page_count++] = (struct mapped_page){address, word};
	return 0;
}

static int add_pages(struct process *process, const struct area *area, int pagemap)
{
	uint64_t page = area->start / PAGE_SIZE, end = area->end / PAGE_SIZE;

	if (end - page > AREA_PAGES) {
		end = page + AREA_PAGES;
		process->partial = true;
	}
	while (page < end) {
		size_t wanted = end - page < WORDS ? (size_t)(end - page) : WORDS;
		ssize_t got = pread(
			pagemap, words, wanted * sizeof *words, (off_t)(page * sizeof *words));

		if (got <= 0) /* it has ended, or executes another program */
			return 0;
		for (size_t i = 0; i < (size_t)got / sizeof *words; i++)
			if ((words[i] & PAGEMAP_PRESENT) &&
				add_page(process, (page + i) * PAGE_SIZE, words[i]) < 0)
				return -1;
		page += (size_t)got / sizeof *words;
	}
	return 0;
}

static int add_area(struct process *process, char *line, int pagemap)
{
	struct area *areas = room_for_one(process->areas, process->area_count, sizeof *areas);
	struct area *area;
	int name = 0;

	if (!areas)
		return -1;
	process->areas = areas;
	area = &areas[process->area_count];
	*area = (struct area){.first = process->page_count};
	if (sscanf(line, "%lx-%lx %4s %*x %*x:%*x %*u %n", &area->start, &area->end, area->access,
		    &name) != 3)
		return 0;
	if (name) /* its end is what tells most */
		snprintf(area->name, sizeof area->name, "%s",
			line + name +
				(strlen(line + name) < sizeof area->name
						? 0
						: strlen(line + name) + 1 - sizeof area->name));
	process->area_count++;
	if (add_pages(process, area, pagemap) < 0)
		return -1;
	area->count = process->page_count - area->first;
	return 0;
}

static int take_process(struct process *process)
{
	static char maps[MAPS_MAX];
	char path[64], *line, *next;
	int pagemap, error = 0;

	if (read_text(process->pid, "comm", process->name, sizeof process->name) < 0)
		return 0;
	process->name[strcspn(process->name, "\n")] = 0;
	snprintf(path, sizeof path, "/proc/%d/pagemap", process->pid);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (pagemap < 0)
		return 0;
	if (read_text(process->pid, "maps", maps, sizeof maps) > 0) {
		for (line = maps; *line && !error; line = next) {
			next = line + strcspn(line, "\n");
			if (*next)
				*next++ = 0;
			error = add_area(process, line, pagemap);
		}
	}
	close(pagemap);
	return error;
}

static void forget_processes(struct look *look)
{
	for (size_t i = 0; i < look->process_count; i++) {
		free(look->processes[i].areas);
		free(look->processes[i].pages);
	}
	look->process_count = 0;
}

static int by_pid(const void *a, const void *b)
{
	const struct process *one = a, *two = b;

	return one->pid < two->pid ? -1 : one->pid > two->pid;
}

static int list_processes(struct look *look)
{
	DIR *directory = opendir("/proc");
	struct dirent *entry;

	if (!directory)
		return -1;
	while ((entry = readdir(directory)) && look->process_count < PROCESSES) {
		struct process *grown;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		grown = room_for_one(look->processes, look->process_count, sizeof *grown);
		if (!grown) {
			closedir(directory);
			return -1;
		}
		look->processes = grown;
		grown[look->process_count++] = (struct process){.pid = atoi(entry->d_name)};
	}
	closedir(directory);
	qsort(look->processes, look->process_count, sizeof *look->processes, by_pid);
	return 0;
}

static int take_processes(struct look *look)
{
	if (list_processes(look) < 0)
		return -1;
	forget_slots(look);
	for (size_t i = 0; i < look->process_count; i++) {
		look->processes[i].slot = slot_of(look->processes[i].pid);
		if (take_process(&look->processes[i]) < 0)
			return -1;
	}
	return 0;
}

/* What seemed to be nobody's must be private still: else it was only given back meanwhile. */
static int confirm_orphans(struct look *look)
{
	int fd = open(FRAMES_FILE, O_RDONLY | O_CLOEXEC);
	uint64_t word;

	if (fd < 0)
		return -1;
	for (size_t frame = 0; frame < look->frame_count; frame++) {
		if (look->orphaned[frame] &&
			(pread(fd, &word, sizeof word, (off_t)(frame * sizeof word)) !=
					sizeof word ||
				BATON_FRAME_KIND(word) != BATON_FRAME_PRIVATE))
			look->orphaned[frame] = 0;
	}
	close(fd);
	return 0;
}

int look_take(struct look *look)
{
	forget_processes(look);
	if (take_frames(look) < 0) {
		perror("memview: " FRAMES_FILE);
		return -1;
	}
	if (take_processes(look) < 0) {
		perror("memview: /proc");
		return -1;
	}
	look_classify(look);
	return confirm_orphans(look);
}

void look_free(struct look *look)
{
	forget_processes(look);
	free(look->processes);
	free(look->words);
	free(look->classes);
	free(look->owners);
	free(look->mappers);
	free(look->orphaned);
	free(look->reached);
	*look = (struct look){0};
}
