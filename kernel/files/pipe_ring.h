/* SPDX-License-Identifier: MIT */
/* The ring of a pipe, for pipe.c and pipe_range.c; see pipe.c. */
#ifndef FILES_PIPE_RING_H
#define FILES_PIPE_RING_H

#include "files/pipe.h"
#include "memory/pages.h"

static inline struct pipe *pipe_of(const struct file *file)
{
	return file->inode->driver;
}

/* Without the lock others may read and write meanwhile: the tail, read first, is never ahead. */
static inline uint32_t used_slots(const struct pipe *pipe)
{
	uint32_t tail = __atomic_load_n(&pipe->tail, __ATOMIC_ACQUIRE);

	return __atomic_load_n(&pipe->head, __ATOMIC_ACQUIRE) - tail;
}

static inline bool is_full(const struct pipe *pipe)
{
	return used_slots(pipe) >= __atomic_load_n(&pipe->slots, __ATOMIC_ACQUIRE) ||
	       __atomic_load_n(&pipe->filling, __ATOMIC_ACQUIRE);
}

static inline bool has_writers(const struct pipe *pipe)
{
	return __atomic_load_n(&pipe->writers, __ATOMIC_ACQUIRE);
}

static inline bool has_readers(const struct pipe *pipe)
{
	return __atomic_load_n(&pipe->readers, __ATOMIC_ACQUIRE);
}

/* Somebody else reads it, or there is nothing yet and may be. */
static inline bool must_wait(const struct pipe *pipe)
{
	return __atomic_load_n(&pipe->splicing, __ATOMIC_ACQUIRE) ||
	       (!used_slots(pipe) && has_writers(pipe));
}

/* The page of an emptied slot: one is kept for the next write. */
static inline void drop_page(struct pipe *pipe, struct pipe_slot *slot)
{
	if (!pipe->spare && !slot->foreign)
		pipe->spare = slot->page;
	else
		frame_put(slot->page);
	slot->page = NULL;
}

static inline void consume(struct pipe *pipe, struct pipe_slot *slot, uint32_t size)
{
	slot->offset += size;
	slot->length -= size;
	if (slot->length)
		return;
	drop_page(pipe, slot);
	__atomic_store_n(&pipe->tail, pipe->tail + 1, __ATOMIC_RELEASE);
}

/* Until must_wait is no longer true: 0, or -ERESTARTSYS. */
int pipe_sleep_until_readable(struct pipe *pipe) MUST_CHECK;
ssize_t pipe_read(struct file *file, struct io *io, int64_t *position) MUST_CHECK;
ssize_t pipe_write(struct file *file, struct io *io, int64_t *position) MUST_CHECK;

/* ---- pipe_range.c ---- */

/* The same from and to one range of user memory, quicker. */
ssize_t pipe_read_range(struct file *file, user_t to, size_t size) MUST_CHECK;
ssize_t pipe_write_range(struct file *file, user_t from, size_t size) MUST_CHECK;

#endif
