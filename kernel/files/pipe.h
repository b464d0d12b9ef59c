/* SPDX-License-Identifier: MIT */
/* Pipes as the system calls and splice.c see them; see pipe.c. */
#ifndef FILES_PIPE_H
#define FILES_PIPE_H

#include "files/async.h"
#include "files/vfs.h"
#include "process/wait.h"

#define PIPE_SLOTS 16u /* of a new pipe */

struct pipe_slot {
	struct frame *page;
	uint32_t offset, length; /* the bytes of the page that are to be read; length > 0 */
	bool packet;             /* written with O_DIRECT: a read ends with it */
	bool foreign; /* others see the page too (tee): nothing is written behind its bytes */
};

struct pipe {
	struct mutex lock;
	struct wait_queue readable, writable; /* also: an end was opened or closed */
	struct async_list readers_async, writers_async;
	uint32_t head, tail;                 /* slots ever filled and emptied */
	uint32_t slots;                      /* of ring; a power of two */
	uint32_t readers, writers;           /* open ends */
	uint32_t readers_ever, writers_ever; /* for FIFOs: opens of each side, counted on */
	bool splicing;                       /* its oldest bytes go to a file: nobody else reads */
	bool filling;           /* a splice has its free slots: nobody else fills them */
	struct frame *spare;    /* for the next slot to be filled, or NULL */
	struct pipe_slot *ring; /* `first`, or memory of its own */
	struct pipe_slot first[PIPE_SLOTS];
};

extern const struct file_operations pipe_file_operations;

/* The two ends of a new pipe; flags: O_NONBLOCK, O_DIRECT. 0, -ENOMEM. */
int pipe_create(unsigned int flags, struct file **reader, struct file **writer) MUST_CHECK;
/* The pipe that an open file is an end of, or NULL. */
struct pipe *pipe_of_file(struct file *file);
extern uint32_t pipe_size_most; /* fs.pipe-max-size; atomic */
/* F_GETPIPE_SZ: bytes, or -EBADF when the file is no pipe. */
long pipe_size(struct file *file);
/* F_SETPIPE_SZ: the size it got, -EBADF, -EINVAL, -EBUSY (there is more in it), -EPERM, -ENOMEM. */
long pipe_set_size(struct file *file, unsigned long bytes) MUST_CHECK;

/* There are bytes to be read; there is room. Without the lock. */
static inline void pipe_tell_readers(struct pipe *pipe)
{
	wake_events(&pipe->readable, POLLIN | POLLRDNORM);
	async_tell(&pipe->readers_async, ASYNC_IN);
}

static inline void pipe_tell_writers(struct pipe *pipe)
{
	wake_events(&pipe->writable, POLLOUT | POLLWRNORM);
	async_tell(&pipe->writers_async, ASYNC_OUT);
}

/* For splice and tee, with pipe->lock. */
static inline struct pipe_slot *pipe_slot(const struct pipe *pipe, uint32_t at)
{
	return &pipe->ring[at & (pipe->slots - 1)];
}
void pipe_push(struct pipe *pipe, const struct pipe_slot *slot); /* there is a free slot */
/* The first `size` bytes of the oldest slot have been read. */
void pipe_consume(struct pipe *pipe, struct pipe_slot *slot, uint32_t size);
/* To a reader what is there, from a writer what there is room for: the bytes moved. packet: see O_DIRECT. */
size_t pipe_take(struct pipe *pipe, struct io *io);
size_t pipe_fill(struct pipe *pipe, struct io *io, bool packet, int *error);
bool pipe_is_full(const struct pipe *pipe);
/* Until there may be bytes, or room, or nobody at the other end; without the lock. -EAGAIN, or
 * -ERESTARTSYS. */
int pipe_wait_readable(struct pipe *pipe, bool nonblocking) MUST_CHECK;
int pipe_wait_writable(struct pipe *pipe, bool nonblocking) MUST_CHECK;

#endif
