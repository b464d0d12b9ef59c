/* SPDX-License-Identifier: MIT */
/*
 * Pipes: the usual read and write, of one range of user memory, without pipe.c's loops. A read takes
 * this way when what it asks for, or all there is, lies in the oldest slot; a write, when the pipe is
 * empty and its bytes go to one page. Whatever else comes goes pipe.c's way, from the start: nothing
 * has been changed by then. The two must do the same to the pipe, its waiters and its times.
 *
 * Lock: as in pipe.c.
 */
#include "files/file.h"
#include "files/pipe_ring.h"
#include "lib/errno.h"
#include "memory/user.h"
#include "process/current.h"

static COLD ssize_t read_in_general(struct file *file, user_t to, size_t size)
{
	struct io io = io_user(to, size);
	int64_t none = 0;

	return pipe_read(file, &io, &none);
}

static COLD ssize_t write_in_general(struct file *file, user_t from, size_t size)
{
	struct io io = io_user(from, size);
	int64_t none = 0;

	return pipe_write(file, &io, &none);
}

/* From the oldest slot, under the lock: the bytes moved, or 0 for the general way. */
static inline size_t read_slot(struct pipe *pipe, user_t to, size_t size)
{
	struct pipe_slot *slot = pipe_slot(pipe, pipe->tail);
	uint32_t used = pipe->head - pipe->tail;
	size_t part;

	if (unlikely(pipe->splicing || !used || slot->packet))
		return 0;
	part = slot->length;
	if (size < part)
		part = size;
	else if (used > 1)
		return 0;
	if (copy_to_user_partial(to, (char *)frame_ptr(slot->page) + slot->offset, part) < part)
		return 0;
	consume(pipe, slot, (uint32_t)part);
	return part;
}

ssize_t pipe_read_range(struct file *file, user_t to, size_t size)
{
	struct pipe *pipe = pipe_of(file);
	size_t part;
	int error;

	if (unlikely(!size))
		return 0;
	if (must_wait(pipe)) {
		error = file_nonblocking(file) ? -EAGAIN : pipe_sleep_until_readable(pipe);
		if (unlikely(error))
			return error;
	}
	error = mutex_lock_interruptible(&pipe->lock);
	if (unlikely(error))
		return error;
	part = read_slot(pipe, to, size);
	mutex_unlock(&pipe->lock);
	if (unlikely(!part))
		return read_in_general(file, to, size);
	pipe_tell_writers(pipe);
	inode_touch_accessed(file->inode);
	return (ssize_t)part;
}

/* To an empty pipe, under the lock; false: the general way. */
static inline bool write_slot(struct pipe *pipe, user_t from, size_t size, bool packet)
{
	uint32_t head = pipe->head;

	if (unlikely(!has_readers(pipe) || head != pipe->tail || !pipe->spare || pipe->filling))
		return false;
	if (copy_from_user_partial(frame_ptr(pipe->spare), from, size) < size)
		return false;
	*pipe_slot(pipe, head) =
		(struct pipe_slot){.page = pipe->spare, .length = (uint32_t)size, .packet = packet};
	pipe->spare = NULL;
	__atomic_store_n(&pipe->head, head + 1, __ATOMIC_RELEASE);
	return true;
}

ssize_t pipe_write_range(struct file *file, user_t from, size_t size)
{
	struct pipe *pipe = pipe_of(file);
	bool done;
	int error;

	if (unlikely(!size || size > PAGE_SIZE))
		return write_in_general(file, from, size);
	error = mutex_lock_interruptible(&pipe->lock);
	if (unlikely(error))
		return error;
	done = write_slot(pipe, from, size, file->flags & O_DIRECT);
	mutex_unlock(&pipe->lock);
	if (unlikely(!done))
		return write_in_general(file, from, size);
	pipe_tell_readers(pipe);
	inode_touch_modified(file->inode);
	return (ssize_t)size;
}
