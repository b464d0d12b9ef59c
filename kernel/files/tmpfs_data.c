/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing a regular file whose data is a memory object.
 *
 * Reads take no lock but the object's, page by page: a read beside a write sees each page's old or
 * new bytes. Writes, and whatever changes the size, hold the inode's lock; the size grows after the
 * bytes are there, so a reader never sees what was not written. The bytes after the end in the last
 * page are zero. User memory is touched with the inode's lock held (vfs.h has the order).
 */
#include <asm/signal.h>
#include <linux/falloc.h>
#include <linux/resource.h>

#include "files/attributes.h"
#include "files/tmpfs.h"

#include "files/inotify.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "process/current.h"

#include <asm/signal.h>

static ALWAYS_INLINE ssize_t read_from(struct file *file, struct io *io, int64_t *position)
{
	struct object *object = file->inode->object;
	uint64_t at = (uint64_t)*position, size;
	size_t done = 0, part, moved;
	struct frame *frame;

	while (io->left) {
		size = __atomic_load_n(&object->size, __ATOMIC_ACQUIRE);
		if (at >= size)
			break;
		part = PAGE_SIZE - at % PAGE_SIZE;
		if (part > size - at)
			part = size - at;
		if (part > io->left)
			part = io->left;
		frame = object_peek_memory(object, at / PAGE_SIZE);
		if (likely(frame)) {
			moved = io_put(io, (char *)frame_ptr(frame) + at % PAGE_SIZE, part);
			frame_put(frame);
		} else {
			moved = io_put_zeros(io, part);
		}
		at += moved;
		done += moved;
		if (moved < part || !io->left)
			break;
		sched_point();
	}
	*position = (int64_t)at;
	file_touch_accessed(file);
	return io_result(io, done, 0);
}

static ssize_t read_data(struct file *file, struct io *io, int64_t *position)
{
	return read_from(file, io, position);
}

/* read(2) in one piece. */
static ssize_t read_range(struct file *file, user_t to, size_t size)
{
	struct io io = io_user(to, size);
	ssize_t result = -EINVAL;

	mutex_lock(&file->position_lock);
	if (likely(!file_is_nowhere(file, &io, file->position)))
		result = read_from(file, &io, &file->position);
	mutex_unlock(&file->position_lock);
	return result;
}

static void grow_to(struct object *object, uint64_t size)
{
	spin_lock(&object->lock);
	if (size > object->size)
		__atomic_store_n(&object->size, size, __ATOMIC_RELEASE);
	spin_unlock(&object->lock);
}

#define NO_WRITING (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

/* Whether a write up to `end` is sealed off. */
static bool is_sealed(const struct object *object, uint64_t end)
{
	return object->seals & NO_WRITING || (object->seals & F_SEAL_GROW && end > object->size);
}

/* Writes at *at with the inode's lock held. */
static ssize_t write_locked(struct object *object, struct io *io, uint64_t *at)
{
	size_t done = 0, part, moved;
	struct frame *frame;
	int error = 0;

	while (io->left) {
		part = PAGE_SIZE - *at % PAGE_SIZE;
		if (part > io->left)
			part = io->left;
		if (unlikely(object->seals & (F_SEAL_GROW | NO_WRITING)) &&
			is_sealed(object, *at + part)) {
			error = -EPERM;
			break;
		}
		error = object_page(object, *at / PAGE_SIZE, &frame);
		if (error)
			break;
		moved = io_get(io, (char *)frame_ptr(frame) + *at % PAGE_SIZE, part);
		frame_put(frame);
		*at += moved;
		done += moved;
		if (moved < part)
			break;
		sched_point();
	}
	if (done)
		grow_to(object, *at);
	return io_result(io, done, error);
}

ssize_t tmpfs_write(struct inode *inode, struct io *io, uint64_t at)
{
	return write_locked(inode->object, io, &at);
}

void tmpfs_grow(struct inode *inode, uint64_t size)
{
	grow_to(inode->object, size);
}

static ssize_t write_data(struct file *file, struct io *io, int64_t *position)
{
	struct inode *inode = file->inode;
	uint64_t at, limit = process_limit(RLIMIT_FSIZE);
	ssize_t result;

	if (!io->left)
		return 0;
	mutex_lock(&inode->lock);
	at = io->append || __atomic_load_n(&file->flags, __ATOMIC_RELAXED) & O_APPEND
		     ? inode->object->size
		     : (uint64_t)*position;
	if (at >= INT64_MAX || at >= limit) {
		if (at >= limit)
			signal_current(SIGXFSZ);
		result = -EFBIG;
	} else {
		if (io->left > INT64_MAX - at) /* appending only: others are checked before */
			io->left = INT64_MAX - at;
		if (io->left > limit - at)
			io->left = limit - at;
		result = write_locked(inode->object, io, &at);
		if (result > 0) {
			if (inode_drop_set_ids(inode))
				inotify_file(file, IN_ATTRIB);
			inode_touch_modified(inode);
		}
		*position = (int64_t)at;
	}
	mutex_unlock(&inode->lock);
	return result;
}

/* ---- fallocate ---- */

/* Clears a part of one page, if that is there. */
static void clear_part(struct object *object, uint64_t start, uint64_t end)
{
	struct frame *frame;

	if (start >= end || object_peek(object, start / PAGE_SIZE, &frame) || !frame)
		return;
	memset((char *)frame_ptr(frame) + start % PAGE_SIZE, 0, end - start);
	frame_put(frame);
}

static int punch(struct object *object, uint64_t start, uint64_t end)
{
	uint64_t first = DIV_ROUND_UP(start, PAGE_SIZE), last = end / PAGE_SIZE;

	if (first > last) { /* within one page */
		clear_part(object, start, end);
		return 0;
	}
	clear_part(object, start, first * PAGE_SIZE);
	clear_part(object, last * PAGE_SIZE, end);
	return first < last ? object_punch(object, first, last - first) : 0;
}

/* What was made for nothing goes again, as far as it lies behind the end, where nobody can have written. */
static int take_back(struct object *object, uint64_t first, uint64_t last, int error)
{
	uint64_t end = DIV_ROUND_UP(object->size, PAGE_SIZE);

	first = first > end ? first : end;
	if (first < last && object_punch(object, first, last - first))
		return -EIO;
	return error;
}

/* Pages for the whole range. */
static int fill(struct object *object, uint64_t start, uint64_t end)
{
	uint64_t first = start / PAGE_SIZE, last = DIV_ROUND_UP(end, PAGE_SIZE), at;
	struct frame *frame;
	int error = 0;

	for (at = first; at < last && !error; at++) {
		if (object_has(object, at))
			continue;
		error = current_signal_pending() ? -EINTR : object_page(object, at, &frame);
		if (!error)
			frame_put(frame);
		sched_point();
	}
	return error ? take_back(object, first, at, error) : 0;
}

int tmpfs_allocate(struct inode *inode, int mode, uint64_t start, uint64_t length)
{
	struct object *object = inode->object;
	uint64_t end = start + length;
	int error;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	if (mode & FALLOC_FL_PUNCH_HOLE)
		return object->seals & NO_WRITING ? -EPERM : punch(object, start, end);
	if (end > object->size && end > process_limit(RLIMIT_FSIZE)) {
		signal_current(SIGXFSZ);
		return -EFBIG;
	}
	if (object->seals & F_SEAL_GROW && end > object->size)
		return -EPERM;
	if (!tmpfs_may_hold(inode->superblock, DIV_ROUND_UP(end, PAGE_SIZE) - start / PAGE_SIZE))
		return -ENOSPC;
	error = fill(object, start, end);
	if (!error && !(mode & FALLOC_FL_KEEP_SIZE))
		grow_to(object, end);
	return error;
}

/* SEEK_DATA and SEEK_HOLE: the first page that is, or is not, there. */
static int64_t seek_by_content(struct object *object, uint64_t offset, int whence)
{
	uint64_t size = __atomic_load_n(&object->size, __ATOMIC_RELAXED), index, next;
	int64_t found;

	if (offset >= size)
		return -ENXIO;
	index = next = offset / PAGE_SIZE;
	spin_lock(&object->lock);
	if (whence == SEEK_DATA) {
		found = radix_next(&object->pages, &next) ? (int64_t)(next * PAGE_SIZE) : -ENXIO;
	} else {
		while (radix_get(&object->pages, index))
			index++;
		found = (int64_t)(index * PAGE_SIZE);
	}
	spin_unlock(&object->lock);
	if (found >= 0 && (uint64_t)found < offset)
		found = (int64_t)offset;
	if (found >= 0 && (uint64_t)found >= size)
		found = whence == SEEK_DATA ? -ENXIO : (int64_t)size;
	return found;
}

static int64_t seek_data(struct file *file, int64_t offset, int whence)
{
	struct object *object = file->inode->object;

	switch (whence) {
	case SEEK_END:
		return seek_from((int64_t)__atomic_load_n(&object->size, __ATOMIC_RELAXED), offset);
	case SEEK_DATA:
	case SEEK_HOLE:
		return offset < 0 ? -ENXIO : seek_by_content(object, (uint64_t)offset, whence);
	default:
		return file_seek(file, offset, whence);
	}
}

const struct file_operations tmpfs_file_operations = {
	.read = read_data,
	.read_range = read_range,
	.write = write_data,
	.seek = seek_data,
};
