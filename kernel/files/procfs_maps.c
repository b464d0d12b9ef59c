/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID: map_files, numa_maps and clear_refs, which are about mappings one by one. man 5 proc.
 *
 * map_files has a name START-END for each mapping of a file, which leads to the file. The space's lock is never held
 * while a name goes to the reader, whose own space it may be: a directory's position is the page where the search for
 * the next mapping begins.
 */
#include "files/procfs.h"

#include <linux/capability.h>

#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/object.h"
#include "memory/pages.h"
#include "memory/vma.h"
#include "process/credentials.h"
#include "process/process.h"
#include "vdso/vdso.h"

/* Of inodes: the mapping's first page, with the pid above. */
#define PID_SHIFT 40
#define NUMBERS   (UINT64_C(1) << 38)

/* ---- map_files ---- */

static bool is_of_file(const struct vma *vma)
{
	return vma->object && !vdso_name(vma->object);
}

/* An address in hexadecimal as maps has it, at *at, which moves behind it. */
static bool parse_address(const char **at, const char *end, uintptr_t *out)
{
	const char *from = *at;
	uintptr_t value = 0;

	for (; *at < end && *at - from < 16; ++*at) {
		char c = **at;

		if (c >= '0' && c <= '9')
			value = value << 4 | (uintptr_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uintptr_t)(c - 'a' + 10);
		else
			break;
	}
	*out = value;
	return *at > from && (*from != '0' || *at == from + 1);
}

static bool parse_range(const struct name *name, struct proc_range *out)
{
	const char *at = name->text, *end = at + name->length;

	return parse_address(&at, end, &out->start) && at < end && *at++ == '-' &&
	       parse_address(&at, end, &out->end) && at == end;
}

/* What the mapping of exactly these addresses is of, with its access in *access; false: there is none. */
static bool find_range(const struct proc_inode *inode, const struct proc_range *range,
	struct object_name *name, struct path *path, unsigned *access)
{
	struct space *space = proc_space(inode, 0);
	const struct vma *vma;
	bool found;

	if (!space)
		return false;
	*name = (struct object_name){0};
	*path = (struct path){NULL, NULL};
	mutex_lock(&space->lock);
	vma = vma_find(space, range->start);
	found = vma && vma->start == range->start && vma->end == range->end && is_of_file(vma);
	if (found) {
		*access = vma->flags & VMA_READ_ONLY || !(vma->flags & VMA_SHARED) ? 0400 : 0600;
		if (vma->object->operations && vma->object->operations->describe)
			vma->object->operations->describe(vma->object, name);
		if (name->inode && !inode_mapped_name(name->inode, path))
			*path = (struct path){NULL, NULL};
	}
	mutex_unlock(&space->lock);
	space_put(space);
	return found;
}

static void put_name(struct path *path)
{
	if (path->dentry)
		path_put(path);
}

static int jump_mapping(struct proc_inode *inode, struct path *out)
{
	struct object_name name;
	unsigned access;

	if (!capable(CAP_SYS_ADMIN) && !capable(CAP_CHECKPOINT_RESTORE))
		return -EPERM;
	return find_range(inode, &inode->range, &name, out, &access) && out->dentry ? 0 : -ENOENT;
}

static ssize_t mapping_text(struct proc_inode *inode, char *buffer)
{
	struct object_name name;
	struct path path;
	const char *text;
	unsigned access;
	ssize_t length;

	if (!find_range(inode, &inode->range, &name, &path, &access))
		return -ENOENT;
	if (!path.dentry)
		return format(buffer, PATH_MAX, "%s", name.text);
	text = proc_path_text(&path, buffer);
	length = text ? (ssize_t)strlen(text) : -ENAMETOOLONG;
	if (text)
		memmove(buffer, text, (size_t)length + 1);
	put_name(&path);
	return length;
}

static const struct proc_entry read_link = {.name = "",
	.mode = S_IFLNK | 0400,
	.access = PROC_READ,
	.jump = jump_mapping,
	.jump_text = mapping_text};
static const struct proc_entry write_link = {.name = "",
	.mode = S_IFLNK | 0600,
	.access = PROC_READ,
	.jump = jump_mapping,
	.jump_text = mapping_text};

static uint64_t number_of(const struct proc_inode *directory, uintptr_t start)
{
	return (uint64_t)directory->pid->number << PID_SHIFT | NUMBERS | start / PAGE_SIZE;
}

static int lookup_mapping(
	struct proc_inode *directory, const struct name *name, struct proc_inode **out)
{
	int error = proc_may(directory, PROC_READ);
	struct object_name object;
	struct proc_range range;
	struct path path;
	unsigned access;

	if (error)
		return error == -ESRCH ? -ENOENT : error;
	if (!parse_range(name, &range) || !find_range(directory, &range, &object, &path, &access))
		return -ENOENT;
	put_name(&path);
	*out = proc_inode_create(directory, access == 0600 ? &write_link : &read_link,
		number_of(directory, range.start), NULL);
	if (!*out)
		return -ENOMEM;
	(*out)->range.start = range.start;
	(*out)->range.end = range.end;
	(*out)->fd = 0; /* a link to a file that is open */
	return 0;
}

/* The first mapping of a file that ends behind an address, in the space with this id. */
static bool next_range(const struct proc_inode *directory, uint64_t space_id, uintptr_t from,
	struct proc_range *out)
{
	struct space *space = space_id ? proc_space(directory, space_id) : NULL;
	const struct vma *vma;

	if (!space)
		return false;
	mutex_lock(&space->lock);
	for (vma = vma_find(space, from); vma && !is_of_file(vma);)
		vma = vma_next(vma);
	if (vma)
		*out = (struct proc_range){vma->start, vma->end};
	mutex_unlock(&space->lock);
	space_put(space);
	return vma;
}

static int iterate_mappings(struct file *file, struct entry_sink *sink, int64_t *position)
{
	const struct proc_inode *directory = proc_inode_of(file->inode);
	uint64_t space_id;
	int error = proc_may_see(directory, PROC_READ, &space_id);
	struct proc_range range;
	char name[40];
	int length;

	if (error)
		return error == -ESRCH ? -ENOENT : error;
	while (*position - 2 < (int64_t)(UINTPTR_MAX / 2 / PAGE_SIZE) &&
		next_range(directory, space_id, (uintptr_t)(*position - 2) * PAGE_SIZE, &range)) {
		length = format(name, sizeof(name), "%lx-%lx", range.start, range.end);
		if (!sink->emit(sink, name, (uint32_t)length, number_of(directory, range.start),
			    S_IFLNK, (int64_t)(range.end / PAGE_SIZE) + 2))
			break;
		*position = (int64_t)(range.end / PAGE_SIZE) + 2;
	}
	return 0;
}

const struct proc_directory proc_map_files_directory = {
	.lookup = lookup_mapping, .iterate = iterate_mappings};

/* ---- numa_maps: one node, and its policy ---- */

struct pages_counted {
	uint64_t pages, anonymous, dirty, most_users;
};

static void count_pages(struct pages_counted *count, const struct vma *vma)
{
	struct arch_space *arch = &vma->space->arch;
	struct arch_mapping mapping;
	const struct frame *frame;
	uint64_t users;

	for (uintptr_t page = arch_next_page(arch, vma->start, vma->end); page < vma->end;
		page = arch_next_page(arch, page + PAGE_SIZE, vma->end)) {
		if (!arch_lookup(arch, page, &mapping))
			continue;
		frame = phys_frame(mapping.phys);
		if (frame->state != FRAME_ANON && frame->state != FRAME_OBJECT)
			continue;
		users = __atomic_load_n(&frame->references, __ATOMIC_RELAXED);
		if (frame->state == FRAME_OBJECT)
			users--;
		count->pages++;
		count->anonymous += frame->state == FRAME_ANON;
		count->dirty += frame->state == FRAME_ANON || frame->flags & FRAME_SHMEM ||
				mapping.access & MAP_WRITE;
		if (users > count->most_users)
			count->most_users = users;
	}
}

static void add_numa_line(struct proc_file *file, struct text *out, const struct vma *vma)
{
	const struct space *space = vma->space;
	struct pages_counted count = {0};

	text_add(out, "%08lx default", vma->start);
	if (is_of_file(vma)) {
		text_add(out, " file=");
		proc_add_mapped_file(file, out, vma);
	} else if (vma->start <= space->brk && vma->end >= space->brk_start) {
		text_add(out, " heap");
	} else if (vma->start <= space->stack_start && vma->end >= space->stack_start) {
		text_add(out, " stack");
	}
	count_pages(&count, vma);
	if (count.pages) {
		if (count.anonymous)
			text_add(out, " anon=%lu", count.anonymous);
		if (count.dirty)
			text_add(out, " dirty=%lu", count.dirty);
		if (count.pages != count.anonymous && count.pages != count.dirty)
			text_add(out, " mapped=%lu", count.pages);
		if (count.most_users > 1)
			text_add(out, " mapmax=%lu", count.most_users);
		text_add(out, " N0=%lu kernelpagesize_kB=%lu", count.pages, PAGE_SIZE / 1024);
	}
	text_add(out, "\n");
}

int proc_show_numa_maps(struct proc_file *file, struct text *out)
{
	return proc_show_mappings(file, out, add_numa_line);
}

/* ---- clear_refs ---- */

enum { CLEAR_LEAST = 1, CLEAR_PEAK = 5 };

/* Nobody may read it; root is not hindered by its mode. */
int proc_show_refused(struct proc_file *file, struct text *out)
{
	(void)file;
	(void)out;
	return -EINVAL;
}

ssize_t proc_store_refused(struct proc_inode *inode, char *text, size_t size)
{
	(void)inode;
	(void)text;
	(void)size;
	return -EINVAL;
}

/* 5 forgets the most that was resident. The others are of what is not kept: every page counts as referenced and as
 * written all the time. */
ssize_t proc_store_clear_refs(struct proc_inode *inode, char *text, size_t size)
{
	struct process *process;
	struct space *space;
	long value;
	int error = proc_parse_number(text, &value);

	if (error || value < CLEAR_LEAST || value > CLEAR_PEAK)
		return error ? error : -EINVAL;
	error = proc_process(inode, &process);
	if (error)
		return error;
	process_put(process);
	space = proc_space(inode, 0);
	if (space && value == CLEAR_PEAK) {
		mutex_lock(&space->lock);
		space->resident_most = 0;
		mutex_unlock(&space->lock);
	}
	if (space)
		space_put(space);
	return (ssize_t)size;
}
