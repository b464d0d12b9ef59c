/* SPDX-License-Identifier: MIT */
/*
 * The files of /proc that tell of page frames, as arrays of 64-bit words: kpagecount, kpageflags and
 * PID/pagemap are Linux's (Documentation/admin-guide/mm/pagemap.rst), baton/frames tells what those
 * cannot (baton/frames.h).
 *
 * Words are made in the open file's scratch page, as many as fit, and copied to the user with no lock of memory held:
 * the reader's own page may have to be faulted in. The frame numbers of a pagemap are for who opened it with CAP_SYS_ADMIN; the
 * others are root's by their mode.
 */
#include "files/procfs.h"

#include <linux/capability.h>
#include <linux/kernel-page-flags.h>

#include "baton/frames.h"
#include "firmware/handoff_intake.h"
#include "firmware/memory_map.h"
#include "lib/errno.h"
#include "memory/space.h"
#include "memory/view.h"
#include "process/credentials.h"
#include "process/current.h"

#define WORD       sizeof(uint64_t)
#define WORDS_MAX  (PATH_MAX / WORD) /* of the scratch page */
#define BIT(which) (UINT64_C(1) << (which))
/* Not in Linux's header for programs, but in what the file shows. */
#define KPF_RESERVED_BIT 32

/* Makes `count` words from word `first` on, which lie below `end`. */
typedef void (*words_of)(void *context, uint64_t first, size_t count, uint64_t *out);

/* ---- Arrays of words ---- */

static ssize_t read_words_locked(struct proc_file *proc, struct io *io, int64_t *position,
	uint64_t end, words_of make, void *context) requires(proc->lock)
{
	uint64_t *words = (uint64_t *)(void *)proc_scratch(proc);
	size_t done = 0;

	if (!words)
		return -ENOMEM;
	while (io->left) {
		uint64_t first = (uint64_t)*position / WORD;
		size_t count = io->left / WORD, moved;

		if (first >= end)
			break;
		if (count > end - first)
			count = (size_t)(end - first);
		if (count > WORDS_MAX)
			count = WORDS_MAX;
		make(context, first, count, words);
		moved = io_put(io, words, count * WORD);
		*position += (int64_t)moved;
		done += moved;
		if (moved < count * WORD)
			break;
		sched_point();
	}
	return io_result(io, done, 0);
}

static ssize_t read_words(struct file *file, struct io *io, int64_t *position, uint64_t end,
	words_of make, void *context)
{
	struct proc_file *proc = file->private;
	ssize_t result;

	if (*position % (int64_t)WORD || io->left % WORD)
		return -EINVAL;
	mutex_lock(&proc->lock);
	result = read_words_locked(proc, io, position, end, make, context);
	mutex_unlock(&proc->lock);
	return result;
}

/* ---- Page frames ---- */

typedef uint64_t (*word_of)(uint64_t number, const struct page_view *view);

static void make_frames(void *context, uint64_t first, size_t count, uint64_t *out)
{
	struct page_view views[PAGES_VIEW_MAX];
	word_of word = *(word_of *)context;

	while (count) {
		unsigned part = count < PAGES_VIEW_MAX ? (unsigned)count : PAGES_VIEW_MAX;

		pages_view(first, part, views);
		for (unsigned i = 0; i < part; i++)
			*out++ = word(first + i, &views[i]);
		first += part;
		count -= part;
	}
}

static ssize_t read_frames(struct file *file, struct io *io, int64_t *position, word_of word)
{
	return read_words(file, io, position, memory_map_ram_end() / PAGE_SIZE, make_frames, &word);
}

static uint64_t count_word(uint64_t number, const struct page_view *view)
{
	(void)number;
	return view->mappings;
}

/* The allocator does not have it: who does? */
static enum baton_frame_kind foreign_kind(uint64_t number)
{
	phys_t address = number * PAGE_SIZE;
	const struct handoff_memory *entry = memory_map_find(address);

	if (!entry || !handoff_is_ram(entry->type))
		return entry && entry->type >= HANDOFF_MEMORY_UNUSABLE ? BATON_FRAME_RESERVED
								       : BATON_FRAME_HOLE;
	switch (entry->type) {
	case HANDOFF_MEMORY_ACPI_RECLAIM:
	case HANDOFF_MEMORY_ACPI_NVS:
	case HANDOFF_MEMORY_RUNTIME_CODE:
	case HANDOFF_MEMORY_RUNTIME_DATA:
		return BATON_FRAME_FIRMWARE;
	case HANDOFF_MEMORY_FREE:
	case HANDOFF_MEMORY_BOOT_SERVICES:
		return BATON_FRAME_RESERVED; /* the first MiB, a part of a page */
	case HANDOFF_MEMORY_INITRD:
		return BATON_FRAME_INITRD;
	default:
		return BATON_FRAME_IMAGE;
	}
}

static uint64_t object_flags(const struct page_view *view)
{
	return BIT(KPF_UPTODATE) | (view->mappings ? BIT(KPF_MMAP) : 0) |
	       (view->shmem ? BIT(KPF_SWAPBACKED) : 0);
}

/* Pages have no LRU lists and no write-back here, so the bits about these are never set. */
static uint64_t flags_word(uint64_t number, const struct page_view *view)
{
	switch (view->state) {
	case FRAME_NONE:
		return foreign_kind(number) == BATON_FRAME_HOLE ? BIT(KPF_NOPAGE)
								: BIT(KPF_RESERVED_BIT);
	case FRAME_FREE:
		return BIT(KPF_BUDDY);
	case FRAME_SLAB:
		return BIT(KPF_SLAB);
	case FRAME_TABLE:
		return BIT(KPF_PGTABLE);
	case FRAME_OBJECT:
		return object_flags(view);
	case FRAME_ANON:
		return BIT(KPF_UPTODATE) | BIT(KPF_ANON) | BIT(KPF_SWAPBACKED) |
		       (view->mappings ? BIT(KPF_MMAP) : 0);
	case FRAME_INITRD:
	case FRAME_ARRAY:
		return BIT(KPF_RESERVED_BIT);
	default:
		return number == space_zero_page() ? BIT(KPF_ZERO_PAGE) | BIT(KPF_RESERVED_BIT) : 0;
	}
}

static uint64_t baton_word(uint64_t number, const struct page_view *view)
{
	static const uint8_t kinds[FRAME_STATES] = {
		[FRAME_FREE] = BATON_FRAME_FREE,
		[FRAME_USED] = BATON_FRAME_KERNEL,
		[FRAME_SLAB] = BATON_FRAME_SLAB,
		[FRAME_TABLE] = BATON_FRAME_TABLE,
		[FRAME_OBJECT] = BATON_FRAME_FILE,
		[FRAME_ANON] = BATON_FRAME_PRIVATE,
		[FRAME_INITRD] = BATON_FRAME_INITRD,
		[FRAME_STACK] = BATON_FRAME_STACK,
		[FRAME_HEAP] = BATON_FRAME_HEAP,
		[FRAME_ARRAY] = BATON_FRAME_ARRAY,
		[FRAME_CACHED] = BATON_FRAME_FREE,
	};
	uint64_t mappings = view->mappings < 0xffff ? view->mappings : 0xffff;

	if (view->state == FRAME_NONE)
		return foreign_kind(number);
	return kinds[view->state] | (uint64_t)view->order << 8 |
	       (view->first ? BATON_FRAME_FIRST : 0) |
	       (number == space_zero_page() ? BATON_FRAME_ZERO : 0) | mappings << 16 |
	       (uint64_t)view->references << 32;
}

static ssize_t read_counts(struct file *file, struct io *io, int64_t *position)
{
	return read_frames(file, io, position, count_word);
}

static ssize_t read_flags(struct file *file, struct io *io, int64_t *position)
{
	return read_frames(file, io, position, flags_word);
}

static ssize_t read_baton_frames(struct file *file, struct io *io, int64_t *position)
{
	return read_frames(file, io, position, baton_word);
}

/* ---- PID/pagemap ---- */

struct pagemap {
	struct space *space;
	enum pagemap_frames frames;
};

static void make_pagemap(void *context, uint64_t first, size_t count, uint64_t *out)
{
	const struct pagemap *map = context;

	space_pagemap(map->space, first, count, map->frames, out);
}

/* As on Linux it is the opener's right that counts, not the reader's. */
static int open_pagemap(struct file *file)
{
	int error = proc_open(file);

	if (!error)
		((struct proc_file *)file->private)->frames = capable(CAP_SYS_ADMIN);
	return error;
}

static ssize_t read_pagemap(struct file *file, struct io *io, int64_t *position)
{
	struct pagemap map = {.space = proc_file_space(file->private),
		.frames = ((struct proc_file *)file->private)->frames ? PAGEMAP_FRAMES
								      : PAGEMAP_NO_FRAMES};
	ssize_t result;

	if (!map.space)
		return 0;
	result = read_words(file, io, position, USER_END / PAGE_SIZE, make_pagemap, &map);
	space_put(map.space);
	return result;
}

#define WORD_FILE(open_function, read_function)                                          \
	{                                                                                \
		.open = (open_function), .release = proc_close, .read = (read_function), \
		.seek = file_seek,                                                       \
	}

const struct file_operations proc_kpagecount_operations = WORD_FILE(proc_open, read_counts);
const struct file_operations proc_kpageflags_operations = WORD_FILE(proc_open, read_flags);
const struct file_operations proc_frames_operations = WORD_FILE(proc_open, read_baton_frames);
const struct file_operations proc_pagemap_operations = WORD_FILE(open_pagemap, read_pagemap);
