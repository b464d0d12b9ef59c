/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID: the files about an address space: maps, mem, cmdline, environ, auxv.
 *
 * Each read finds the space anew and holds it while it lasts (procfs.c says why). A space of another
 * process is read by its frames, one page at a time, without touching the tables in use. maps makes its lines with
 * the space's lock held, as many as fit into the buffer, and goes on from the address where it stopped.
 */
#include "files/procfs.h"

#include <elf.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/object.h"
#include "memory/pages.h"
#include "memory/vma.h"
#include "process/current.h"
#include "process/process.h"
#include "vdso/vdso.h"

#define AUXV_MAX    (2 * 24) /* words */
#define NAME_COLUMN 73
#define PIECE       1024u /* of cmdline and environ */

/* ---- Reading another space ---- */

/* Bytes of a space, as far as they can be read: how many. */
static size_t read_space(struct space *space, uintptr_t address, void *to, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t within = (address + done) & (PAGE_SIZE - 1), part = size - done;
		struct frame *frame;

		if (part > PAGE_SIZE - within)
			part = PAGE_SIZE - within;
		if (space_frame(space, address + done, FAULT_READ, &frame))
			break;
		memcpy((char *)to + done, (char *)frame_ptr(frame) + within, part);
		frame_put(frame);
		done += part;
	}
	return done;
}

/* ---- maps ---- */

static void add_file_name(struct proc_file *file, struct text *out, struct inode *inode)
{
	const char *text = NULL;
	struct path path;

	if (inode_mapped_name(inode, &path)) {
		text = file->scratch ? proc_path_text(&path, file->scratch) : NULL;
		path_put(&path);
	}
	text_escaped(out, text ? text : "?", "\n");
}

static void add_name(struct proc_file *file, struct text *out, const struct vma *vma,
	const char *special, const struct object_name *name)
{
	const struct space *space = vma->space;

	if (special) {
		text_add(out, "%s", special);
	} else if (name->inode) {
		add_file_name(file, out, name->inode);
	} else if (vma->object) {
		text_add(out, "%s", name->text);
	} else if (vma->start <= space->brk && vma->end >= space->brk_start) {
		text_add(out, "[heap]");
	} else if (vma->start <= space->stack_start && vma->end >= space->stack_start) {
		text_add(out, "[stack]");
	}
}

void proc_add_mapped_file(struct proc_file *file, struct text *out, const struct vma *vma)
{
	struct object_name name = {0};

	if (vma->object->operations && vma->object->operations->describe)
		vma->object->operations->describe(vma->object, &name);
	if (name.inode)
		add_file_name(file, out, name.inode);
	else
		text_add(out, "%s", name.text);
}

/* One line: Linux's show_map_vma. */
void proc_add_mapping(struct proc_file *file, struct text *out, const struct vma *vma)
{
	const char *special = vma->object ? vdso_name(vma->object) : NULL;
	struct object_name name = {0};
	size_t line = out->used, bare;

	if (vma->object && !special && vma->object->operations && vma->object->operations->describe)
		vma->object->operations->describe(vma->object, &name);
	text_add(out, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", vma->start, vma->end,
		vma->access & MAP_READ ? 'r' : '-', vma->access & MAP_WRITE ? 'w' : '-',
		vma->access & MAP_EXECUTE ? 'x' : '-', vma->flags & VMA_SHARED ? 's' : 'p',
		special ? 0 : vma->offset, device_major(name.device), device_minor(name.device),
		name.number);
	bare = out->used;
	text_pad(out, line, NAME_COLUMN);
	line = out->used;
	add_name(file, out, vma, special, &name);
	if (out->used == line)
		out->used = bare;
	text_add(out, "\n");
}

/* Nobody there: the end of the text where the process has no memory any more. */
int proc_no_space(struct proc_file *file)
{
	struct process *process;
	int error = proc_process(file->inode, &process);

	if (!error)
		process_put(process);
	file->cursor = PROC_END;
	return error;
}

int proc_show_mappings(struct proc_file *file, struct text *out,
	void (*add)(struct proc_file *file, struct text *out, const struct vma *vma))
{
	struct space *space = proc_file_space(file);
	struct vma *vma;
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
		add(file, out, vma);
		if (out->overflow && whole) {
			out->used = whole;
			out->overflow = false;
			break;
		}
		file->cursor = vma->end;
		if (out->overflow)
			break;
	}
	mutex_unlock(&space->lock);
	space_put(space);
	if (!vma)
		file->cursor = PROC_END;
	return 0;
}

int proc_show_maps(struct proc_file *file, struct text *out)
{
	return proc_show_mappings(file, out, proc_add_mapping);
}

/* ---- mem ---- */

static ssize_t read_mem(struct file *file, struct io *io, int64_t *position)
{
	struct space *space = proc_file_space(file->private);
	size_t done = 0, part, moved, within;
	struct frame *frame;
	int error = 0;

	if (!space)
		return 0;
	while (io->left && !error) {
		within = (size_t)*position & (PAGE_SIZE - 1);
		part = io->left < PAGE_SIZE - within ? io->left : PAGE_SIZE - within;
		if (space_frame(space, (uintptr_t)*position, FAULT_READ, &frame)) {
			error = -EIO;
			break;
		}
		moved = io_put(io, (char *)frame_ptr(frame) + within, part);
		frame_put(frame);
		*position += (int64_t)moved;
		done += moved;
		if (moved < part)
			break;
		sched_point();
	}
	space_put(space);
	return io_result(io, done, error);
}

static ssize_t write_mem_locked(struct proc_file *proc, struct space *space, struct io *io,
	int64_t *position) requires(proc->lock)
{
	size_t done = 0, part, moved, within;
	int error = proc_scratch(proc) ? 0 : -ENOMEM;

	while (io->left && !error) {
		within = (size_t)*position & (PAGE_SIZE - 1);
		part = io->left < PAGE_SIZE - within ? io->left : PAGE_SIZE - within;
		moved = io_get(io, proc->scratch, part);
		if (!moved)
			break;
		error = space_write_forced(space, (uintptr_t)*position, proc->scratch, moved);
		if (error) {
			error = -EIO;
			break;
		}
		*position += (int64_t)moved;
		done += moved;
		if (moved < part)
			break;
		sched_point();
	}
	return io_result(io, done, error);
}

static ssize_t write_mem(struct file *file, struct io *io, int64_t *position)
{
	struct proc_file *proc = file->private;
	struct space *space = proc_file_space(proc);
	ssize_t result;

	if (!space)
		return 0;
	mutex_lock(&proc->lock);
	result = write_mem_locked(proc, space, io, position);
	mutex_unlock(&proc->lock);
	space_put(space);
	return result;
}

const struct file_operations proc_mem_operations = {
	.open = proc_open,
	.release = proc_close,
	.read = read_mem,
	.write = write_mem,
	.seek = file_seek,
};

/* ---- cmdline, environ, auxv ---- */

/* The next piece of [start, end), of which the cursor counts the bytes. */
static void add_range(struct proc_file *file, struct text *out, struct space *space,
	uintptr_t start, uintptr_t end)
{
	size_t left = end - start > file->cursor ? end - start - file->cursor : 0;
	size_t part = left < PIECE ? left : PIECE, got;

	if (part > out->size - out->used - 1)
		part = out->size - out->used - 1;
	got = read_space(space, start + file->cursor, out->bytes + out->used, part);
	out->used += got;
	file->cursor = got < part || got == left ? PROC_END : file->cursor + got;
}

/* A program that overwrote the end of its arguments wrote a title: up to its NUL, a page at most. */
static bool has_title(struct space *space)
{
	char last;

	return space->arguments < space->arguments_end &&
	       read_space(space, space->arguments_end - 1, &last, 1) == 1 && last;
}

static void add_title(struct text *out, struct space *space)
{
	size_t most = space->environment_end - space->arguments, got, length;

	if (most > PAGE_SIZE)
		most = PAGE_SIZE;
	if (most >= out->size) {
		out->overflow = true;
		return;
	}
	got = read_space(space, space->arguments, out->bytes, most);
	for (length = 0; length < got && out->bytes[length]; length++)
		;
	out->used = length < got ? length + 1 : got;
}

int proc_show_cmdline(struct proc_file *file, struct text *out)
{
	struct space *space = proc_space(file->inode, 0);

	if (!space)
		return proc_no_space(file);
	if (!file->cursor && has_title(space)) {
		add_title(out, space);
		file->cursor = PROC_END;
	} else {
		add_range(file, out, space, space->arguments, space->arguments_end);
	}
	space_put(space);
	return 0;
}

int proc_show_environ(struct proc_file *file, struct text *out)
{
	struct space *space = proc_file_space(file);

	if (!space) {
		file->cursor = PROC_END;
		return 0;
	}
	add_range(file, out, space, space->arguments_end, space->environment_end);
	space_put(space);
	return 0;
}

/* As it stands on the program's stack. */
int proc_show_auxv(struct proc_file *file, struct text *out)
{
	struct space *space = proc_file_space(file);
	uint64_t words[AUXV_MAX];
	size_t got, count = 0;

	file->cursor = PROC_END;
	if (!space)
		return 0;
	got = read_space(space, space->auxv, words, sizeof(words)) / sizeof(words[0]);
	space_put(space);
	while (count + 2 <= got) {
		count += 2;
		if (words[count - 2] == AT_NULL)
			break;
	}
	text_bytes(out, words, count * sizeof(words[0]));
	return 0;
}
