/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/smaps and smaps_rollup: each mapping with what of it is in memory, or their sum. The space's lock is held
 * while a few mappings, or one large one, are counted, and given away then, so that a large space does
 * not keep its owner from faults for long.
 */
#include "files/procfs.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "memory/object.h"
#include "memory/pages.h"
#include "memory/vma.h"
#include "process/current.h"

#define PSS_SHIFT 12
#define LARGE     (4u << 20) /* after a mapping of more bytes others get the lock */

/* Bytes. */
struct pages_seen {
	uint64_t size, resident, shared_clean, shared_dirty, private_clean, private_dirty;
	uint64_t anonymous, locked;
	/* each page divided by its users, shifted by PSS_SHIFT */
	uint64_t share, share_dirty, share_anonymous, share_shmem;
};

/* A page of an object has a reference of that too, which is no user. */
static uint32_t users_of(const struct frame *frame)
{
	uint32_t count = __atomic_load_n(&frame->references, __ATOMIC_RELAXED);

	if (frame->state == FRAME_OBJECT && count > 1)
		count--;
	return count ? count : 1;
}

static void see_page(struct pages_seen *seen, const struct frame *frame, bool writable)
{
	uint32_t users = users_of(frame);
	bool anonymous = frame->state == FRAME_ANON;
	bool shmem = !anonymous && frame->flags & FRAME_SHMEM;
	bool dirty = anonymous || shmem || writable;
	uint64_t share = (PAGE_SIZE << PSS_SHIFT) / users;
	uint64_t *kind = users > 1 ? dirty ? &seen->shared_dirty : &seen->shared_clean
			 : dirty   ? &seen->private_dirty
				   : &seen->private_clean;

	*kind += PAGE_SIZE;
	seen->resident += PAGE_SIZE;
	seen->share += share;
	seen->share_dirty += dirty ? share : 0;
	seen->share_shmem += shmem ? share : 0;
	if (anonymous) {
		seen->share_anonymous += share;
		seen->anonymous += PAGE_SIZE;
	}
}

static void see_mapping(struct pages_seen *seen, const struct vma *vma)
{
	struct arch_space *arch = &vma->space->arch;
	struct arch_mapping mapping;
	uint64_t share = seen->share;
	struct frame *frame;

	seen->size += vma->end - vma->start;
	for (uintptr_t page = arch_next_page(arch, vma->start, vma->end); page < vma->end;
		page = arch_next_page(arch, page + PAGE_SIZE, vma->end)) {
		if (!arch_lookup(arch, page, &mapping))
			continue;
		frame = phys_frame(mapping.phys);
		if (frame->state == FRAME_ANON || frame->state == FRAME_OBJECT)
			see_page(seen, frame, mapping.access & MAP_WRITE);
	}
	if (vma->flags & VMA_LOCKED)
		seen->locked += seen->share - share;
}

/* `name` is a literal, padded to 16 columns: a large process has thousands of lines. */
#define add_line(out, name, bytes) add_padded(out, "" name, sizeof(name) - 1, bytes)

static void add_padded(struct text *out, const char *name, size_t length, uint64_t bytes)
{
	text_bytes(out, name, length);
	text_number(out, bytes / 1024, 8);
	text_bytes(out, " kB\n", 4);
}

static void add_seen(struct text *out, const struct pages_seen *seen)
{
	add_line(out, "Rss:            ", seen->resident);
	add_line(out, "Pss:            ", seen->share >> PSS_SHIFT);
	add_line(out, "Pss_Dirty:      ", seen->share_dirty >> PSS_SHIFT);
}

static void add_more(struct text *out, const struct pages_seen *seen)
{
	static const char never[] = "LazyFree:              0 kB\nAnonHugePages:         0 kB\n"
				    "ShmemPmdMapped:        0 kB\nFilePmdMapped:         0 kB\n"
				    "Shared_Hugetlb:        0 kB\nPrivate_Hugetlb:       0 kB\n"
				    "Swap:                  0 kB\nSwapPss:               0 kB\n";

	add_line(out, "Shared_Clean:   ", seen->shared_clean);
	add_line(out, "Shared_Dirty:   ", seen->shared_dirty);
	add_line(out, "Private_Clean:  ", seen->private_clean);
	add_line(out, "Private_Dirty:  ", seen->private_dirty);
	add_line(out, "Referenced:     ", seen->resident);
	add_line(out, "Anonymous:      ", seen->anonymous);
	text_bytes(out, never, sizeof(never) - 1);
	add_line(out, "Locked:         ", seen->locked >> PSS_SHIFT);
}

static void add_flags(struct text *out, const struct vma *vma)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {{VMA_GROWS_DOWN, "gd"}, {VMA_LOCKED, "lo"}, {VMA_SEQUENTIAL, "sr"},
		{VMA_RANDOM, "rr"}, {VMA_DONT_FORK, "dc"}, {VMA_ACCOUNTED, "ac"},
		{VMA_NO_RESERVE, "nr"}, {VMA_WIPE_ON_FORK, "wf"}, {VMA_DONT_DUMP, "dd"}};

	text_add(out, "VmFlags:%s%s%s%s mr%s me%s", vma->access & MAP_READ ? " rd" : "",
		vma->access & MAP_WRITE ? " wr" : "", vma->access & MAP_EXECUTE ? " ex" : "",
		vma->flags & VMA_SHARED ? " sh" : "", vma->flags & VMA_READ_ONLY ? "" : " mw",
		vma->flags & VMA_SHARED ? " ms" : "");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (vma->flags & names[i].flag)
			text_add(out, " %s", names[i].name);
	text_add(out, " sd \n"); /* soft-dirty: all is, as nobody clears it */
}

static void add_mapping(struct proc_file *file, struct text *out, const struct vma *vma)
{
	struct pages_seen seen = {0};

	proc_add_mapping(file, out, vma);
	see_mapping(&seen, vma);
	add_line(out, "Size:           ", seen.size);
	add_line(out, "KernelPageSize: ", PAGE_SIZE);
	add_line(out, "MMUPageSize:    ", PAGE_SIZE);
	add_seen(out, &seen);
	add_more(out, &seen);
	text_add(out, "THPeligible:    0\n");
	add_flags(out, vma);
}

/* As many mappings as fit: the space's lock is given away between two pieces. */
int proc_show_smaps(struct proc_file *file, struct text *out)
{
	struct space *space = proc_file_space(file);
	const struct vma *vma;
	size_t whole;

	if (!space)
		return proc_no_space(file);
	if (!proc_scratch(file)) {
		space_put(space);
		return -ENOMEM;
	}
	mutex_lock(&space->lock);
	for (vma = vma_find(space, file->cursor); vma; vma = vma_next(vma)) {
		whole = out->used;
		add_mapping(file, out, vma);
		if (out->overflow && whole) {
			out->used = whole;
			out->overflow = false;
			break;
		}
		file->cursor = vma->end;
		if (out->overflow || vma->end - vma->start > LARGE)
			break;
	}
	if (!vma)
		file->cursor = PROC_END;
	mutex_unlock(&space->lock);
	space_put(space);
	return 0;
}

static void see_all(struct space *space, struct pages_seen *all, uintptr_t *first, uintptr_t *end)
{
	const struct vma *vma;

	for (uintptr_t at = 0;;) {
		mutex_lock(&space->lock);
		vma = vma_find(space, at);
		if (!vma) {
			mutex_unlock(&space->lock);
			return;
		}
		if (!at)
			*first = vma->start;
		*end = vma->end;
		see_mapping(all, vma);
		at = vma->end;
		mutex_unlock(&space->lock);
		sched_point();
	}
}

int proc_show_smaps_rollup(struct proc_file *file, struct text *out)
{
	struct space *space = proc_file_space(file);
	struct pages_seen all = {0};
	uintptr_t first = 0, end = 0;
	size_t line = out->used;

	if (!space)
		return proc_no_space(file);
	see_all(space, &all, &first, &end);
	space_put(space);
	text_add(out, "%08lx-%08lx ---p 00000000 00:00 0 ", first, end);
	text_pad(out, line, 73);
	text_add(out, "[rollup]\n");
	add_seen(out, &all);
	add_line(out, "Pss_Anon:       ", all.share_anonymous >> PSS_SHIFT);
	add_line(out, "Pss_File:       ",
		(all.share - all.share_anonymous - all.share_shmem) >> PSS_SHIFT);
	add_line(out, "Pss_Shmem:      ", all.share_shmem >> PSS_SHIFT);
	add_more(out, &all);
	file->cursor = PROC_END;
	return 0;
}
