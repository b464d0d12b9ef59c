/* SPDX-License-Identifier: MIT */
/* What each frame is and whose: pure, from one look's words and pages. And how each kind looks. */
#include <string.h>

#include <baton/frames.h>

#include "look.h"

#define ORPHAN_LOOKS 3

const struct class_look class_looks[CLASSES] = {
	[CLASS_HOLE] = {"hole", "no RAM", ' ', 0x303848, 0x0b0e14},
	[CLASS_FREE] = {"free", "free", '.', 0x46536a, 0x1a2130},
	[CLASS_RESERVED] = {"reserved", "reserved", 'R', 0x9a8f80, 0x3b342c},
	[CLASS_FIRMWARE] = {"firmware", "firmware", 'F', 0xe0c8a8, 0x72522f},
	[CLASS_IMAGE] = {"image", "kernel image", 'K', 0xd5dcea, 0x4b5770},
	[CLASS_KERNEL] = {"kernel", "kernel, other", 'k', 0xd5dcea, 0x4b5770},
	[CLASS_SLAB] = {"slab", "small objects", 'O', 0xd5dcea, 0x5d6b88},
	[CLASS_HEAP] = {"heap", "large objects", 'H', 0xd5dcea, 0x53658f},
	[CLASS_STACK] = {"stack", "kernel stacks", 'Y', 0xd5dcea, 0x6c7590},
	[CLASS_ARRAY] = {"array", "frame records", 'A', 0x99a5bd, 0x39445a},
	[CLASS_TABLE] = {"table", "page tables", 'T', 0x141820, 0xaab4c8},
	[CLASS_INITRD] = {"initrd", "initrd", 'I', 0xb7d5cf, 0x2c4d4a},
	[CLASS_CACHE] = {"cache", "files' data", 'D', 0x8fb5b0, 0x22403e},
	[CLASS_FILE] = {"file", "file, one process", 0, 0xffffff, 0},
	[CLASS_OWN] = {"own", "private", 0, 0x10141c, 0},
	[CLASS_SHARED] = {"shared", "shared", 'S', 0x10141c, 0xf4f6fa},
	[CLASS_COPY] = {"copy", "copy on write", 'C', 0x3a2a00, 0xf6e27a},
	[CLASS_ZERO] = {"zero", "zero page", 'Z', 0x10141c, 0x8d9bb5},
	[CLASS_LEAKED] = {"leaked", "leaked", 'L', 0xffffff, 0xff1f44},
};

/* Bright ones that can be told apart; they begin anew where there are more processes. */
static const uint32_t colours[] = {0x4e9af1, 0xf2a134, 0x57c06a, 0xe5634d, 0xb57edc, 0x2fc4c0,
	0xf08cb4, 0xb5cc3f, 0xc98f5a, 0x7f8ff0, 0x8fd6a0, 0xd96ba8};

char slot_letter(unsigned slot)
{
	return slot < SLOTS ? "123456789abcdefghijlmnopqrstuvwxyz?"[slot] : '?';
}

uint32_t slot_colour(unsigned slot)
{
	return colours[slot % (sizeof colours / sizeof *colours)];
}

const char *area_name(const struct area *area)
{
	const char *slash = area->name[0] == '[' ? NULL : strrchr(area->name, '/');

	return slash && slash[1] ? slash + 1 : area->name;
}

const struct process *look_process(const struct look *look, pid_t pid)
{
	for (size_t i = 0; i < look->process_count; i++) {
		if (look->processes[i].pid == pid)
			return &look->processes[i];
	}
	return NULL;
}

/* Who maps what: the first is the owner, a second makes it nobody's. */
static void count_mappers(struct look *look)
{
	memset(look->mappers, 0, look->frame_count * sizeof *look->mappers);
	for (size_t i = 0; i < look->frame_count; i++)
		look->owners[i] = NOBODY;
	for (size_t i = 0; i < look->process_count; i++) {
		const struct process *process = &look->processes[i];

		for (size_t page = 0; page < process->page_count; page++) {
			uint64_t frame = PAGEMAP_FRAME(process->pages[page].word);

			if (frame >= look->frame_count || look->mappers[frame] == UINT16_MAX)
				continue;
			look->owners[frame] = look->mappers[frame]++ ? NOBODY : (int16_t)i;
		}
	}
}

static enum frame_class class_of_private(struct look *look, size_t frame, bool partial)
{
	if (look->mappers[frame] > 1)
		return CLASS_COPY;
	if (look->mappers[frame] == 1) {
		look->orphaned[frame] = 0;
		/* A second entry may be of a process that has come since. */
		return BATON_FRAME_MAPPINGS(look->words[frame]) > 1 ? CLASS_COPY : CLASS_OWN;
	}
	if (!partial && look->orphaned[frame] < ORPHAN_LOOKS)
		look->orphaned[frame]++;
	return look->orphaned[frame] < ORPHAN_LOOKS ? CLASS_OWN : CLASS_LEAKED;
}

static enum frame_class class_of(struct look *look, size_t frame, bool partial)
{
	static const uint8_t classes[BATON_FRAME_KINDS] = {
		[BATON_FRAME_HOLE] = CLASS_HOLE,
		[BATON_FRAME_FREE] = CLASS_FREE,
		[BATON_FRAME_KERNEL] = CLASS_KERNEL,
		[BATON_FRAME_SLAB] = CLASS_SLAB,
		[BATON_FRAME_TABLE] = CLASS_TABLE,
		[BATON_FRAME_INITRD] = CLASS_INITRD,
		[BATON_FRAME_STACK] = CLASS_STACK,
		[BATON_FRAME_HEAP] = CLASS_HEAP,
		[BATON_FRAME_ARRAY] = CLASS_ARRAY,
		[BATON_FRAME_IMAGE] = CLASS_IMAGE,
		[BATON_FRAME_FIRMWARE] = CLASS_FIRMWARE,
		[BATON_FRAME_RESERVED] = CLASS_RESERVED,
	};
	uint64_t word = look->words[frame];
	unsigned kind = BATON_FRAME_KIND(word);

	if (kind == BATON_FRAME_PRIVATE)
		return class_of_private(look, frame, partial);
	look->orphaned[frame] = 0;
	if (word & BATON_FRAME_ZERO)
		return CLASS_ZERO;
	if (kind != BATON_FRAME_FILE)
		return kind < BATON_FRAME_KINDS ? classes[kind] : CLASS_KERNEL;
	if (!look->mappers[frame])
		return CLASS_CACHE;
	return look->mappers[frame] > 1 ? CLASS_SHARED : CLASS_FILE;
}

void look_classify(struct look *look)
{
	bool partial = false;

	for (size_t i = 0; i < look->process_count; i++)
		partial = partial || look->processes[i].partial;
	count_mappers(look);
	memset(look->counts, 0, sizeof look->counts);
	for (size_t frame = look->frame_count; frame--;) {
		look->classes[frame] = class_of(look, frame, partial);
		look->counts[look->classes[frame]]++;
		if (look->classes[frame] != CLASS_HOLE)
			look->first_frame = frame;
	}
}

size_t look_reach(struct look *look, pid_t pid)
{
	const struct process *process = look_process(look, pid);
	size_t count = 0;

	memset(look->reached, 0, look->frame_count * sizeof *look->reached);
	for (size_t page = 0; process && page < process->page_count; page++) {
		uint64_t frame = PAGEMAP_FRAME(process->pages[page].word);

		if (frame >= look->frame_count)
			continue;
		count += !look->reached[frame];
		look->reached[frame] = 1;
	}
	return count;
}

bool look_mapper(const struct look *look, uint64_t frame, size_t *process, size_t *page)
{
	for (; *process < look->process_count; ++*process, *page = 0) {
		const struct process *one = &look->processes[*process];

		for (; *page < one->page_count; ++*page) {
			if (PAGEMAP_FRAME(one->pages[*page].word) == frame)
				return true;
		}
	}
	return false;
}
