/* SPDX-License-Identifier: MIT */
/* Text of /proc's files: made in pieces as it is read; see procfs.c. What can be written takes it whole. */
#include "files/procfs.h"

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/current.h"
#include "process/process.h"

#define FIRST_SIZE 2040u           /* of the buffer; half a page with the allocator's own */
#define MOST_SIZE  (1024u * 1024u) /* one piece of text is shorter */
#define WRITE_MAX  4095u           /* bytes that one write takes */

/* ---- Adding ---- */

void text_add(struct text *text, const char *template, ...)
{
	size_t room = text->size - text->used;
	va_list arguments;
	int length;

	va_start(arguments, template);
	length = format_va(text->bytes + text->used, room, template, arguments);
	va_end(arguments);
	if ((size_t)length < room)
		text->used += (size_t)length;
	else
		text->overflow = true;
}

void text_bytes(struct text *text, const void *bytes, size_t size)
{
	if (size >= text->size - text->used) {
		text->overflow = true;
		return;
	}
	memcpy(text->bytes + text->used, bytes, size);
	text->used += size;
}

void text_escaped(struct text *text, const char *string, const char *escaped)
{
	for (; *string; string++) {
		if (strchr(escaped, *string))
			text_add(text, "\\%03o", (unsigned char)*string);
		else
			text_bytes(text, string, 1);
	}
}

void text_pad(struct text *text, size_t start, size_t column)
{
	size_t length = text->used - start < column ? column - (text->used - start) : 1;

	if (length >= text->size - text->used) {
		text->overflow = true;
		return;
	}
	memset(text->bytes + text->used, ' ', length);
	text->used += length;
}

void text_number(struct text *text, uint64_t number, size_t width)
{
	char digits[32];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	while (sizeof(digits) - at < width && at)
		digits[--at] = ' ';
	text_bytes(text, digits + at, sizeof(digits) - at);
}

/* ---- Reading ---- */

static int larger(struct text *text)
{
	size_t size = text->size ? text->size * 2 : FIRST_SIZE;
	char *bytes = size <= MOST_SIZE ? kmalloc(size) : NULL;

	if (!bytes)
		return -ENOMEM;
	kfree(text->bytes);
	*text = (struct text){.bytes = bytes, .size = size};
	return 0;
}

/* Errors are Linux's: who may no longer attach hears EPERM. */
static int may_show(const struct proc_inode *inode)
{
	enum proc_access access = inode->pid ? inode->entry->access : PROC_ANYBODY;
	int error = access >= PROC_READ_NOW ? proc_may(inode, access) : 0;

	return error == -EACCES && access == PROC_ATTACH ? -EPERM : error;
}

/* The next piece. */
static int make_piece(struct proc_file *file) requires(file->lock)
{
	struct text *text = &file->text;
	uint64_t cursor = file->cursor;
	int error = may_show(file->inode);

	if (!error && !text->bytes)
		error = larger(text);
	file->start += (int64_t)text->used;
	text->used = 0;
	while (!error) {
		text->overflow = false;
		error = file->inode->entry->show(file, text);
		if (error || !text->overflow)
			break;
		text->used = 0;
		file->cursor = cursor;
		error = larger(text);
	}
	if (error) {
		text->used = 0;
		file->cursor = cursor;
	}
	return error;
}

/* From the start, up to the piece in which `position` is. */
static int go_to(struct proc_file *file, int64_t position) requires(file->lock)
{
	int error = 0;

	if (!position || position < file->start) {
		file->cursor = 0;
		file->start = 0;
		file->text.used = 0;
	}
	while (!error && file->cursor != PROC_END &&
		position >= file->start + (int64_t)file->text.used) {
		error = make_piece(file);
		sched_point();
	}
	return error;
}

static ssize_t read_locked(struct proc_file *file, struct io *io, int64_t *position) requires(
	file->lock)
{
	size_t done = 0, part, moved, from;
	int error = 0;

	do {
		error = go_to(file, *position);
		if (error || *position >= file->start + (int64_t)file->text.used)
			break;
		from = (size_t)(*position - file->start);
		part = file->text.used - from;
		if (part > io->left)
			part = io->left;
		moved = io_put(io, file->text.bytes + from, part);
		*position += (int64_t)moved;
		done += moved;
		if (moved < part)
			break;
	} while (io->left);
	return io_result(io, done, error);
}

ssize_t proc_read(struct file *file, struct io *io, int64_t *position)
{
	struct proc_file *proc = file->private;
	ssize_t result;

	if (!io->left)
		return 0;
	if (!proc->inode->entry->show)
		return -EINVAL;
	mutex_lock(&proc->lock);
	result = read_locked(proc, io, position);
	mutex_unlock(&proc->lock);
	return result;
}

char *proc_scratch(struct proc_file *file)
{
	if (!file->scratch)
		file->scratch = kmalloc(PATH_MAX);
	return file->scratch;
}

/* ---- Writing ---- */

static ssize_t proc_write(struct file *file, struct io *io, int64_t *position)
{
	struct proc_inode *inode = proc_inode_of(file->inode);
	size_t size = io->left < WRITE_MAX ? io->left : WRITE_MAX;
	ssize_t result;
	char *text;

	if (!inode->entry->store)
		return inode->pid ? -EINVAL : -EIO;
	text = kmalloc(size + 1);
	if (!text)
		return -ENOMEM;
	if (io_get(io, text, size) < size) {
		result = -EFAULT;
	} else {
		text[size] = '\0';
		result = inode->entry->store(inode, text, size);
	}
	kfree(text);
	if (result > 0)
		*position += result;
	return result;
}

/* ---- Open files ---- */

int proc_open(struct file *file)
{
	struct proc_inode *inode = proc_inode_of(file->inode);
	struct proc_file *proc;
	uint64_t space_id = 0;
	int error = inode->pid ? proc_may_see(inode, inode->entry->access, &space_id) : 0;

	if (error)
		return error;
	proc = kzalloc(sizeof(*proc));
	if (!proc)
		return -ENOMEM;
	mutex_init(&proc->lock, "proc_file->lock");
	proc->inode = inode;
	proc->space_id = space_id;
	file->private = proc;
	return 0;
}

void proc_close(struct file *file)
{
	struct proc_file *proc = file->private;

	kfree(proc->text.bytes);
	kfree(proc->scratch);
	kfree(proc);
}

const struct file_operations proc_text_operations = {
	.open = proc_open,
	.release = proc_close,
	.read = proc_read,
	.write = proc_write,
	.seek = file_seek,
};

const struct file_operations proc_process_text_operations = {
	.open = proc_open,
	.release = proc_close,
	.read = proc_read,
	.write = proc_write,
	.seek = file_seek,
	.traits = FILE_NO_SPLICE,
};
