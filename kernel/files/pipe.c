/* SPDX-License-Identifier: MIT */
/*
 * Pipes and FIFOs (man 7 pipe).
 *
 * A pipe is a ring of bytes over PIPE_PAGES pages, which come when they are first written to and go
 * when the pipe is empty (but for one). `head` and `tail` count all bytes ever written and read; byte
 * n lies in page n / PAGE_SIZE % PIPE_PAGES. A write of up to PIPE_BUF bytes waits until all of them
 * fit, so it is never mixed with another's.
 *
 * An end is open as long as files of that side exist. The pipe lives in the inode: of a FIFO it is
 * made at the first open and kept with the inode (the inode's lock guards the making).
 *
 * Lock: pipe->lock, a mutex, since user memory is touched under it. It is given away while a call
 * waits; head, tail, readers and writers are read without it by the conditions waited for, and then
 * looked at again with it.
 */
#include "files/pipe.h"

#include "files/file.h"
#include "files/tmpfs.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/current.h"

#include <asm/signal.h>
#include <linux/magic.h>

#define PIPE_PAGES 16u
#define PIPE_BYTES (PIPE_PAGES * PAGE_SIZE)

struct pipe {
	struct mutex lock;
	struct wait_queue readable, writable; /* also: an end was opened or closed */
	uint64_t head, tail;                  /* tail <= head <= tail + PIPE_BYTES */
	uint32_t readers, writers;            /* open ends */
	uint32_t readers_ever, writers_ever;  /* for FIFOs: opens of each side, counted on */
	struct frame *pages[PIPE_PAGES];
};

static struct pipe *pipe_of(const struct file *file)
{
	return file->inode->driver;
}

/* Without the lock others may read and write meanwhile: the tail, read first, is never ahead of the head. */
static uint64_t filled(const struct pipe *pipe)
{
	uint64_t tail = __atomic_load_n(&pipe->tail, __ATOMIC_ACQUIRE);
	uint64_t count = __atomic_load_n(&pipe->head, __ATOMIC_ACQUIRE) - tail;

	return count < PIPE_BYTES ? count : PIPE_BYTES;
}

static bool has_writers(const struct pipe *pipe)
{
	return __atomic_load_n(&pipe->writers, __ATOMIC_ACQUIRE);
}

static bool has_readers(const struct pipe *pipe)
{
	return __atomic_load_n(&pipe->readers, __ATOMIC_ACQUIRE);
}

static struct pipe *make_pipe(void)
{
	struct pipe *pipe = kzalloc(sizeof(*pipe));

	if (!pipe)
		return NULL;
	mutex_init(&pipe->lock);
	wait_queue_init(&pipe->readable);
	wait_queue_init(&pipe->writable);
	return pipe;
}

static void free_pipe(struct pipe *pipe)
{
	for (unsigned int i = 0; i < PIPE_PAGES; i++)
		if (pipe->pages[i])
			frame_put(pipe->pages[i]);
	kfree(pipe);
}

void fifo_release(struct inode *inode)
{
	free_pipe(inode->driver);
}

/* ---- Reading ---- */

/* An empty pipe keeps one page, the next to be written. */
static void drop_pages(struct pipe *pipe)
{
	unsigned int keep = (unsigned int)(pipe->head / PAGE_SIZE % PIPE_PAGES);

	for (unsigned int i = 0; i < PIPE_PAGES; i++) {
		if (i == keep || !pipe->pages[i])
			continue;
		frame_put(pipe->pages[i]);
		pipe->pages[i] = NULL;
	}
}

/* What is there, up to what is asked. */
static size_t take_bytes(struct pipe *pipe, struct io *io)
{
	size_t done = 0, part, moved;
	uint64_t at = pipe->tail;
	struct frame *frame;

	while (io->left && at < pipe->head) {
		part = PAGE_SIZE - at % PAGE_SIZE;
		if (part > pipe->head - at)
			part = pipe->head - at;
		if (part > io->left)
			part = io->left;
		frame = pipe->pages[at / PAGE_SIZE % PIPE_PAGES];
		moved = io_put(io, (char *)frame_ptr(frame) + at % PAGE_SIZE, part);
		at += moved;
		done += moved;
		if (moved < part)
			break;
	}
	__atomic_store_n(&pipe->tail, at, __ATOMIC_RELEASE);
	if (at == pipe->head && done > PAGE_SIZE)
		drop_pages(pipe);
	return done;
}

static ssize_t pipe_read(struct file *file, struct io *io, int64_t *position)
{
	struct pipe *pipe = pipe_of(file);
	size_t done = 0;
	bool writers;
	int error = 0;

	if (!io->left)
		return 0;
	for (;;) {
		error = mutex_lock_interruptible(&pipe->lock);
		if (error)
			break;
		/* First: a writer may come with the last bytes and go while we look. */
		writers = has_writers(pipe);
		done = take_bytes(pipe, io);
		mutex_unlock(&pipe->lock);
		if (done || io_failed(io) || !writers)
			break;
		if (file_nonblocking(file)) {
			error = -EAGAIN;
			break;
		}
		error = wait_event(&pipe->readable, filled(pipe) || !has_writers(pipe));
		if (error)
			break;
	}
	if (done) {
		wake_all(&pipe->writable);
		inode_touch_accessed(file->inode);
	}
	return io_result(io, done, error);
}

/* ---- Writing ---- */

/* What fits now; all or nothing when `whole`. */
static size_t give_bytes(struct pipe *pipe, struct io *io, bool whole, int *error)
{
	size_t done = 0, part, moved;
	uint64_t at = pipe->head, end = pipe->tail + PIPE_BYTES;
	struct frame **frame;

	if (whole && end - at < io->left)
		return 0;
	while (io->left && at < end) {
		part = PAGE_SIZE - at % PAGE_SIZE;
		if (part > end - at)
			part = end - at;
		if (part > io->left)
			part = io->left;
		frame = &pipe->pages[at / PAGE_SIZE % PIPE_PAGES];
		if (!*frame)
			*frame = pages_alloc(0, FRAME_USED, PAGES_NORMAL);
		if (!*frame) {
			*error = -ENOMEM;
			break;
		}
		moved = io_get(io, (char *)frame_ptr(*frame) + at % PAGE_SIZE, part);
		at += moved;
		done += moved;
		if (moved < part)
			break;
	}
	__atomic_store_n(&pipe->head, at, __ATOMIC_RELEASE);
	return done;
}

static bool has_room(const struct pipe *pipe, size_t bytes)
{
	return PIPE_BYTES - filled(pipe) >= bytes;
}

/* One turn of a write: how many bytes it put in; *error when there is no more to be done. */
static size_t write_some(struct pipe *pipe, struct io *io, bool whole, int *error)
{
	int interrupted = mutex_lock_interruptible(&pipe->lock);
	size_t done = 0;

	if (interrupted) {
		*error = interrupted;
		return 0;
	}
	if (has_readers(pipe))
		done = give_bytes(pipe, io, whole, error);
	else
		*error = -EPIPE;
	mutex_unlock(&pipe->lock);
	if (done)
		wake_all(&pipe->readable);
	if (*error == -EPIPE)
		signal_current(SIGPIPE);
	return done;
}

static ssize_t pipe_write(struct file *file, struct io *io, int64_t *position)
{
	const bool whole = io->left <= PIPE_BUF; /* else it may be cut anywhere */
	struct pipe *pipe = pipe_of(file);
	size_t done = 0;
	int error = 0;

	while (io->left) {
		done += write_some(pipe, io, whole, &error);
		if (!io->left || error || io_failed(io))
			break;
		if (file_nonblocking(file))
			error = -EAGAIN;
		else
			error = wait_event(&pipe->writable,
				!has_readers(pipe) || has_room(pipe, whole ? io->left : 1));
		if (error)
			break;
	}
	if (done)
		inode_touch_modified(file->inode);
	return io_result(io, done, error);
}

/* ---- The ends ---- */

static void open_ends(struct pipe *pipe, const struct file *file)
{
	if (file_readable(file)) {
		__atomic_add_fetch(&pipe->readers, 1, __ATOMIC_RELEASE);
		__atomic_add_fetch(&pipe->readers_ever, 1, __ATOMIC_RELEASE);
	}
	if (file_writable(file)) {
		__atomic_add_fetch(&pipe->writers, 1, __ATOMIC_RELEASE);
		__atomic_add_fetch(&pipe->writers_ever, 1, __ATOMIC_RELEASE);
	}
	wake_all(&pipe->readable);
	wake_all(&pipe->writable);
}

static void close_ends(struct file *file)
{
	struct pipe *pipe = pipe_of(file);

	mutex_lock(&pipe->lock);
	if (file_readable(file))
		__atomic_sub_fetch(&pipe->readers, 1, __ATOMIC_RELEASE);
	if (file_writable(file))
		__atomic_sub_fetch(&pipe->writers, 1, __ATOMIC_RELEASE);
	if (!pipe->readers && !pipe->writers)
		__atomic_store_n(&pipe->tail, pipe->head, __ATOMIC_RELEASE);
	mutex_unlock(&pipe->lock);
	wake_all(&pipe->readable);
	wake_all(&pipe->writable);
}

/* man 7 fifo: an open for one side waits for the other, whichever comes and goes meanwhile. */
static int fifo_open(struct file *file)
{
	struct inode *inode = file->inode;
	const unsigned int access = file->flags & O_ACCMODE;
	struct pipe *pipe;
	uint32_t readers, writers;
	int error = 0;

	mutex_lock(&inode->lock);
	if (!inode->driver)
		inode->driver = make_pipe();
	mutex_unlock(&inode->lock);
	pipe = inode->driver;
	if (!pipe)
		return -ENOMEM;
	if (access == O_WRONLY && file_nonblocking(file) && !has_readers(pipe))
		return -ENXIO;
	readers = __atomic_load_n(&pipe->readers_ever, __ATOMIC_ACQUIRE);
	writers = __atomic_load_n(&pipe->writers_ever, __ATOMIC_ACQUIRE);
	open_ends(pipe, file);
	if (file_nonblocking(file) || access == O_RDWR)
		return 0;
	if (access == O_RDONLY)
		error = wait_event(&pipe->readable,
			has_writers(pipe) ||
				__atomic_load_n(&pipe->writers_ever, __ATOMIC_ACQUIRE) != writers);
	else
		error = wait_event(&pipe->writable,
			has_readers(pipe) ||
				__atomic_load_n(&pipe->readers_ever, __ATOMIC_ACQUIRE) != readers);
	if (error)
		close_ends(file);
	return error;
}

static unsigned int pipe_poll(struct file *file, struct wait_queue *queues[2])
{
	struct pipe *pipe = pipe_of(file);
	unsigned int mask = 0;

	queues[0] = &pipe->readable;
	queues[1] = &pipe->writable;
	if (file_readable(file)) {
		mask |= filled(pipe) ? POLLIN | POLLRDNORM : 0;
		/* A FIFO that nobody has ever written to has not been hung up. */
		mask |= !has_writers(pipe) && pipe->writers_ever ? POLLHUP : 0;
	}
	if (file_writable(file)) {
		mask |= has_room(pipe, PIPE_BUF) ? POLLOUT | POLLWRNORM : 0;
		mask |= has_readers(pipe) ? 0 : POLLERR;
	}
	return mask;
}

static long pipe_ioctl(struct file *file, unsigned int command, uintptr_t argument)
{
	int count = (int)filled(pipe_of(file));

	if (command != FIONREAD)
		return -ENOTTY;
	return copy_to_user(user_pointer(argument), &count, sizeof(count));
}

const struct file_operations fifo_file_operations = {
	.open = fifo_open,
	.release = close_ends,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.traits = FILE_STREAM,
};

static const struct file_operations pipe_file_operations = {
	.release = close_ends,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.traits = FILE_STREAM,
};

/* ---- pipe(2) ---- */

static struct superblock pipe_superblock = {.type = "pipefs", .device = 8, .magic = PIPEFS_MAGIC};

static void release_pipe_inode(struct inode *inode)
{
	free_pipe(inode->driver);
	kfree(inode);
}

static const struct inode_operations pipe_inode_operations = {.release = release_pipe_inode};

static struct inode *make_pipe_inode(void)
{
	const struct credentials *who = current_credentials();
	const struct new_inode what = {
		.mode = S_IFIFO | 0600, .uid = who->fsuid, .gid = who->fsgid};
	struct inode *inode = kzalloc(sizeof(*inode));

	if (!inode)
		return NULL;
	inode->driver = make_pipe();
	if (!inode->driver) {
		kfree(inode);
		return NULL;
	}
	inode_init(inode, &pipe_superblock, &what);
	inode->operations = &pipe_inode_operations;
	return inode;
}

int pipe_create(unsigned int flags, struct file **reader, struct file **writer)
{
	struct inode *inode = make_pipe_inode();
	int error;

	if (!inode)
		return -ENOMEM;
	error = file_make(inode, NULL, flags | O_RDONLY, &pipe_file_operations, reader);
	if (!error) {
		open_ends(inode->driver, *reader);
		error = file_make(inode, NULL, flags | O_WRONLY, &pipe_file_operations, writer);
		if (error)
			file_put(*reader);
		else
			open_ends(inode->driver, *writer);
	}
	inode_put(inode); /* the files hold it now */
	return error;
}

long pipe_size(struct file *file)
{
	bool pipe = file->operations == &pipe_file_operations ||
		    file->operations == &fifo_file_operations;

	return pipe ? (long)PIPE_BYTES : -EBADF;
}
