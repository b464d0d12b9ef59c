/* SPDX-License-Identifier: MIT */
/*
 * Where bytes of a read go and bytes of a write come from: user memory (one range or an iovec) or a
 * kernel buffer, so that one file operation serves system calls and the kernel itself.
 *
 * An io shrinks as it is used. Moving fewer bytes than asked means that user memory could not be
 * touched there (io_failed): the operation ends with what it has moved, or -EFAULT when that is none.
 */
#ifndef FILES_IO_H
#define FILES_IO_H

#include "lib/errno.h"
#include "lib/types.h"
#include "memory/user.h"

#include <linux/uio.h>

#define IO_MAX ((size_t)0x7ffff000) /* bytes of one call, Linux's MAX_RW_COUNT */

struct io {
	size_t left;         /* bytes still to move */
	char *kernel;        /* the next byte, or NULL: user memory */
	user_t user;         /* the next byte of the present range */
	size_t range;        /* bytes left in the present range */
	struct iovec *next;  /* further ranges, copied from the user */
	unsigned int ranges; /* how many */
	bool failed;         /* user memory could not be touched */
	bool append;         /* a write goes to the file's end, as with O_APPEND */
};

static inline struct io io_kernel(void *buffer, size_t size)
{
	return (struct io){.left = size, .kernel = buffer};
}

static inline struct io io_user(user_t buffer, size_t size)
{
	return (struct io){.left = size, .user = buffer, .range = size};
}

/* Over ranges in kernel memory that stay there while the io is used; `size` is their sum, or less. */
static inline struct io io_vector(struct iovec *ranges, unsigned int count, size_t size)
{
	return (struct io){.left = size, .next = ranges, .ranges = count};
}

size_t io_put_any(struct io *io, const void *from, size_t size) MUST_CHECK;
size_t io_get_any(struct io *io, void *to, size_t size) MUST_CHECK;

/* Whether it goes to, or comes from, the user range at hand: as nearly all does. */
static inline bool io_is_simple(const struct io *io, size_t size)
{
	return likely(!io->kernel && size <= io->range && size <= io->left);
}

static inline size_t io_moved(struct io *io, size_t moved, size_t size)
{
	io->user = user_offset(io->user, moved);
	io->range -= moved;
	io->left -= moved;
	io->failed = moved < size;
	return moved;
}

/* To the reader: `size` bytes, or zeros. The number moved. */
static inline size_t MUST_CHECK io_put(struct io *io, const void *from, size_t size)
{
	if (io_is_simple(io, size))
		return io_moved(io, copy_to_user_partial(io->user, from, size), size);
	return io_put_any(io, from, size);
}
size_t io_put_zeros(struct io *io, size_t size) MUST_CHECK;

/* From the writer. */
static inline size_t MUST_CHECK io_get(struct io *io, void *to, size_t size)
{
	if (io_is_simple(io, size))
		return io_moved(io, copy_from_user_partial(to, io->user, size), size);
	return io_get_any(io, to, size);
}

static inline bool io_failed(const struct io *io)
{
	return io->failed;
}

/* What a call returns that has moved `done` bytes and ends for `error` (0 or negative). */
static inline ssize_t io_result(const struct io *io, size_t done, int error)
{
	if (done)
		return (ssize_t)done;
	if (error)
		return error;
	return io->failed ? -EFAULT : 0;
}

#endif
