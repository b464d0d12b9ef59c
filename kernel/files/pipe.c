/* SPDX-License-Identifier: MIT */
/*
 * Pipes and FIFOs (man 7 pipe).
 *
 * A pipe is a ring of slots, a power of two; a slot has a page and which of its bytes are to be read.
 * `head` and `tail` count the slots ever filled and emptied. A write first puts what does not make
 * whole pages behind the bytes of the last slot, when it fits there, and then fills slots. A write of
 * up to PIPE_BUF bytes thus needs one slot or room in the last one: it is never mixed with another's.
 * With O_DIRECT each page's worth is a packet: nothing is put behind it, and a read takes one and
 * throws away what it has no room for. The number of slots is the pipe's size (F_SETPIPE_SZ).
 *
 * An end is open as long as files of that side exist. The pipe lives in the inode: of a FIFO it is
 * made at the first open and kept with the inode (the inode's lock guards the making).
 *
 * Invariants: tail <= head <= tail + slots; the slots between hold at least one byte and a page each,
 * the others none.
 *
 * splice writes the oldest bytes to a file without the lock, which comes after the file's (splicing): until
 * that is done nobody else reads.
 *
 * Lock: pipe->lock, a mutex, since user memory is touched under it. It is given away while a call
 * waits; head, tail, slots, readers and writers are read without it by the conditions waited for, and
 * then looked at again with it.
 */
#include "files/pipe.h"

#include "files/file.h"
#include "files/pipe_ring.h"
#include "files/tmpfs.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/current.h"

#include <asm/signal.h>
#include <linux/capability.h>
#include <linux/magic.h>

bool pipe_is_full(const struct pipe *pipe)
{
	return is_full(pipe);
}

static struct cache pipe_cache = CACHE_INIT("pipe", sizeof(struct pipe), 0);

static struct pipe *make_pipe(void)
{
	struct pipe *pipe = cache_alloc_raw(&pipe_cache);

	if (!pipe)
		return NULL;
	memset(pipe, 0,
		offsetof(struct pipe, first)); /* a slot is looked at when it has been filled */
	mutex_init(&pipe->lock, "pipe->lock");
	wait_queue_init(&pipe->readable);
	wait_queue_init(&pipe->writable);
	pipe->ring = pipe->first;
	pipe->slots = PIPE_SLOTS;
	return pipe;
}

static void drop_all(struct pipe *pipe)
{
	for (; pipe->tail != pipe->head; pipe->tail++)
		drop_page(pipe, pipe_slot(pipe, pipe->tail));
}

/* Nobody has it open: of a FIFO, the next one finds it empty and of the usual size. */
static void become_new(struct pipe *pipe)
{
	drop_all(pipe);
	if (likely(pipe->ring == pipe->first))
		return;
	kfree(pipe->ring);
	pipe->ring = pipe->first;
	pipe->slots = PIPE_SLOTS;
}

static void free_pipe(struct pipe *pipe)
{
	become_new(pipe);
	if (pipe->spare)
		frame_put(pipe->spare);
	cache_free(&pipe_cache, pipe);
}

void fifo_release(struct inode *inode)
{
	free_pipe(inode->driver);
}

struct pipe *pipe_of_file(struct file *file)
{
	bool pipe = file->operations == &pipe_file_operations ||
		    file->operations == &fifo_file_operations;

	return pipe ? pipe_of(file) : NULL;
}

/* ---- Reading ---- */

void pipe_consume(struct pipe *pipe, struct pipe_slot *slot, uint32_t size)
{
	consume(pipe, slot, size);
}

/* What is there, up to what is asked; up to the end of a packet. What a slot has stays when the
 * caller's memory does not take all of it. */
static ALWAYS_INLINE size_t take(struct pipe *pipe, struct io *io)
{
	struct pipe_slot *slot;
	size_t done = 0, part;
	bool packet;

	if (pipe->splicing)
		return 0;
	while (io->left && pipe->tail != pipe->head) {
		slot = pipe_slot(pipe, pipe->tail);
		part = slot->length < io->left ? slot->length : io->left;
		packet = slot->packet;
		if (io_put(io, (char *)frame_ptr(slot->page) + slot->offset, part) < part)
			break;
		done += part;
		consume(pipe, slot, packet ? slot->length : (uint32_t)part);
		if (packet)
			break;
	}
	return done;
}

size_t pipe_take(struct pipe *pipe, struct io *io)
{
	return take(pipe, io);
}

/* What must_wait found, without the lock. */
int pipe_sleep_until_readable(struct pipe *pipe)
{
	return wait_once(&pipe->readable, !must_wait(pipe));
}

ssize_t pipe_read(struct file *file, struct io *io, int64_t *position)
{
	struct pipe *pipe = pipe_of(file);
	size_t done = 0;
	bool writers;
	int error = 0;

	while (io->left) {
		if (must_wait(pipe)) {
			error = file_nonblocking(file) ? -EAGAIN : pipe_sleep_until_readable(pipe);
			if (error)
				break;
		}
		error = mutex_lock_interruptible(&pipe->lock);
		if (error)
			break;
		/* First: a writer may come with the last bytes and go while we look. */
		writers = has_writers(pipe);
		done = take(pipe, io);
		writers |= pipe->splicing;
		mutex_unlock(&pipe->lock);
		if (done || io_failed(io) || !writers)
			break;
	}
	if (done) {
		pipe_tell_writers(pipe);
		inode_touch_accessed(file->inode);
	}
	return io_result(io, done, error);
}

int pipe_wait_readable(struct pipe *pipe, bool nonblocking)
{
	if (nonblocking)
		return -EAGAIN;
	return wait_event(&pipe->readable, !must_wait(pipe));
}

int pipe_wait_writable(struct pipe *pipe, bool nonblocking)
{
	if (nonblocking)
		return -EAGAIN;
	return wait_event(&pipe->writable, !has_readers(pipe) || !pipe_is_full(pipe));
}

/* ---- Writing ---- */

/* Puts what does not make whole pages behind the last slot's bytes, if it goes there. */
static size_t append(struct pipe *pipe, struct io *io)
{
	struct pipe_slot *slot;
	uint32_t size, end;

	if (pipe->head == pipe->tail)
		return 0;
	size = (uint32_t)(io->left % PAGE_SIZE);
	if (!size)
		return 0;
	slot = pipe_slot(pipe, pipe->head - 1);
	end = slot->offset + slot->length;
	if (slot->packet || slot->foreign || end + size > PAGE_SIZE)
		return 0;
	if (io_get(io, (char *)frame_ptr(slot->page) + end, size) < size)
		return 0; /* the caller's memory failed: the slot is as it was */
	slot->length += size;
	return size;
}

void pipe_push(struct pipe *pipe, const struct pipe_slot *slot)
{
	*pipe_slot(pipe, pipe->head) = *slot;
	__atomic_store_n(&pipe->head, pipe->head + 1, __ATOMIC_RELEASE);
}

/* Fills slots as long as there are free ones and bytes. */
static ALWAYS_INLINE size_t fill(struct pipe *pipe, struct io *io, bool packet, int *error)
{
	struct pipe_slot *slot;
	size_t done = 0, part;

	while (io->left && !is_full(pipe)) {
		part = io->left < PAGE_SIZE ? io->left : PAGE_SIZE;
		if (!pipe->spare)
			pipe->spare = pages_alloc(0, FRAME_USED, PAGES_NORMAL);
		if (unlikely(!pipe->spare)) {
			*error = -ENOMEM;
			break;
		}
		if (io_get(io, frame_ptr(pipe->spare), part) < part)
			break;
		slot = pipe_slot(pipe, pipe->head);
		*slot = (struct pipe_slot){
			.page = pipe->spare, .length = (uint32_t)part, .packet = packet};
		pipe->spare = NULL;
		__atomic_store_n(&pipe->head, pipe->head + 1, __ATOMIC_RELEASE);
		done += part;
	}
	return done;
}

size_t pipe_fill(struct pipe *pipe, struct io *io, bool packet, int *error)
{
	return fill(pipe, io, packet, error);
}

/* One turn of a write: how many bytes it put in; *error when there is no more to be done. */
static ALWAYS_INLINE size_t write_some(
	struct pipe *pipe, const struct file *file, struct io *io, bool first, int *error)
{
	int interrupted = mutex_lock_interruptible(&pipe->lock);
	size_t done = 0;

	if (interrupted) {
		*error = interrupted;
		return 0;
	}
	if (has_readers(pipe)) {
		if (first)
			done = append(pipe, io);
		if (!io_failed(io))
			done += fill(pipe, io, file->flags & O_DIRECT, error);
	} else {
		*error = -EPIPE;
	}
	mutex_unlock(&pipe->lock);
	if (done)
		pipe_tell_readers(pipe);
	if (*error == -EPIPE)
		signal_current(SIGPIPE);
	return done;
}

ssize_t pipe_write(struct file *file, struct io *io, int64_t *position)
{
	struct pipe *pipe = pipe_of(file);
	size_t done = 0;
	bool first = true;
	int error = 0;

	while (io->left) {
		done += write_some(pipe, file, io, first, &error);
		first = false;
		if (!io->left || error || io_failed(io))
			break;
		error = pipe_wait_writable(pipe, file_nonblocking(file));
		if (error)
			break;
	}
	if (done)
		inode_touch_modified(file->inode);
	return io_result(io, done, error);
}

/* ---- The ends ---- */

static void count_ends(struct pipe *pipe, const struct file *file)
{
	if (file_readable(file)) {
		__atomic_add_fetch(&pipe->readers, 1, __ATOMIC_RELEASE);
		__atomic_add_fetch(&pipe->readers_ever, 1, __ATOMIC_RELEASE);
	}
	if (file_writable(file)) {
		__atomic_add_fetch(&pipe->writers, 1, __ATOMIC_RELEASE);
		__atomic_add_fetch(&pipe->writers_ever, 1, __ATOMIC_RELEASE);
	}
}

static void open_ends(struct pipe *pipe, const struct file *file)
{
	count_ends(pipe, file);
	wake_all(&pipe->readable);
	wake_all(&pipe->writable);
}

static void close_ends(struct file *file)
{
	struct pipe *pipe = pipe_of(file);
	bool one_left;

	mutex_lock(&pipe->lock);
	if (file_readable(file))
		__atomic_sub_fetch(&pipe->readers, 1, __ATOMIC_RELEASE);
	if (file_writable(file))
		__atomic_sub_fetch(&pipe->writers, 1, __ATOMIC_RELEASE);
	if (!pipe->readers && !pipe->writers)
		become_new(pipe);
	one_left = !pipe->readers != !pipe->writers;
	mutex_unlock(&pipe->lock);
	wake_all(&pipe->readable);
	wake_all(&pipe->writable);
	if (one_left) {
		async_tell(&pipe->readers_async, ASYNC_IN);
		async_tell(&pipe->writers_async, ASYNC_OUT);
	}
}

static struct superblock pipe_superblock;

/*
 * Counts the ends of an open. 0: the other side is there; 1: wait until more than *others of it have
 * come; or an error. Nobody comes or goes meanwhile: who waited for us may be gone as soon as we count.
 */
static int meet(struct pipe *pipe, const struct file *file, uint32_t *others)
{
	const bool reads = file_readable(file), writes = file_writable(file);
	int result = 0;

	mutex_lock(&pipe->lock);
	if (!reads && file_nonblocking(file) && !has_readers(pipe)) {
		result = -ENXIO;
	} else {
		count_ends(pipe, file);
		*others = reads ? pipe->writers_ever : pipe->readers_ever;
		if (!(reads && writes))
			result = reads ? !has_writers(pipe) : !has_readers(pipe);
	}
	mutex_unlock(&pipe->lock);
	if (result >= 0) {
		wake_all(&pipe->readable);
		wake_all(&pipe->writable);
	}
	return result;
}

/* man 7 fifo: an open for one side waits for the other, whichever comes and goes meanwhile. */
static int fifo_open(struct file *file)
{
	struct inode *inode = file->inode;
	const unsigned int access = file->flags & O_ACCMODE;
	struct pipe *pipe;
	uint32_t others;
	int error;

	mutex_lock(&inode->lock);
	if (!inode->driver)
		inode->driver = make_pipe();
	mutex_unlock(&inode->lock);
	pipe = inode->driver;
	if (!pipe)
		return -ENOMEM;
	if (inode->superblock ==
		&pipe_superblock) { /* no name that others would open: nobody to wait for */
		open_ends(pipe, file);
		return 0;
	}
	error = meet(pipe, file, &others);
	if (error < 0)
		return error;
	if (!error || file_nonblocking(file))
		return 0;
	if (access == O_RDONLY)
		error = wait_event(&pipe->readable,
			__atomic_load_n(&pipe->writers_ever, __ATOMIC_ACQUIRE) != others);
	else
		error = wait_event(&pipe->writable,
			__atomic_load_n(&pipe->readers_ever, __ATOMIC_ACQUIRE) != others);
	if (error)
		close_ends(file);
	return error;
}

static unsigned int pipe_poll(struct file *file, struct wait_queue *queues[2])
{
	struct pipe *pipe = pipe_of(file);
	unsigned int mask = 0;

	if (file_readable(file)) {
		queues[0] = &pipe->readable;
		mask |= used_slots(pipe) ? POLLIN | POLLRDNORM : 0;
		/* A FIFO that nobody has ever written to has not been hung up. */
		mask |= !has_writers(pipe) && pipe->writers_ever ? POLLHUP : 0;
	}
	if (file_writable(file)) {
		queues[1] = &pipe->writable;
		mask |= pipe_is_full(pipe) ? 0 : POLLOUT | POLLWRNORM;
		mask |= has_readers(pipe) ? 0 : POLLERR;
	}
	return mask;
}

static long pipe_ioctl(struct file *file, unsigned int command, uintptr_t argument)
{
	struct pipe *pipe = pipe_of(file);
	int count = 0;

	if (command != FIONREAD)
		return -ENOTTY;
	mutex_lock(&pipe->lock);
	for (uint32_t at = pipe->tail; at != pipe->head; at++)
		count += (int)pipe_slot(pipe, at)->length;
	mutex_unlock(&pipe->lock);
	return copy_to_user(user_pointer(argument), &count, sizeof(count));
}

static int pipe_async(struct file *file, int fd, bool on)
{
	struct pipe *pipe = pipe_of(file);
	int error = file_readable(file) ? async_change(file, fd, on, &pipe->readers_async) : 0;

	if (error >= 0 && file_writable(file))
		error = async_change(file, fd, on, &pipe->writers_async);
	if (error < 0)
		(void)!async_change(file, fd, false, &pipe->readers_async);
	return error;
}

const struct file_operations fifo_file_operations = {
	.open = fifo_open,
	.release = close_ends,
	.read = pipe_read,
	.read_range = pipe_read_range,
	.write = pipe_write,
	.write_range = pipe_write_range,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.async = pipe_async,
	.traits = FILE_STREAM,
};

const struct file_operations pipe_file_operations = {
	.release = close_ends,
	.read = pipe_read,
	.read_range = pipe_read_range,
	.write = pipe_write,
	.write_range = pipe_write_range,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.async = pipe_async,
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
	inode->file_operations = &fifo_file_operations; /* opened once more by /proc/PID/fd/N */
	return inode;
}

int pipe_create(unsigned int flags, struct file **reader, struct file **writer)
{
	struct inode *inode = make_pipe_inode();
	int error;

	if (!inode)
		return -ENOMEM;
	error = file_make(
		inode, NULL, (flags & O_NONBLOCK) | O_RDONLY, &pipe_file_operations, reader);
	if (!error) {
		count_ends(inode->driver, *reader); /* nobody waits at a pipe that is new */
		error = file_make(inode, NULL, flags | O_WRONLY, &pipe_file_operations, writer);
		if (error)
			file_put(*reader);
		else
			count_ends(inode->driver, *writer);
	}
	inode_put(inode); /* the files hold it now */
	return error;
}

/* ---- F_GETPIPE_SZ, F_SETPIPE_SZ ---- */

uint32_t pipe_size_most = 1u << 20;

long pipe_size(struct file *file)
{
	struct pipe *pipe = pipe_of_file(file);

	return pipe ? (long)(__atomic_load_n(&pipe->slots, __ATOMIC_RELAXED) * PAGE_SIZE) : -EBADF;
}

/* Moves what is in the pipe into a ring of another size; the old one, or NULL, is the caller's to free. */
static int set_slots(struct pipe *pipe, uint32_t slots, struct pipe_slot **ring)
{
	struct pipe_slot *old = pipe->ring;
	uint32_t used = used_slots(pipe);

	if (slots < used || pipe->filling)
		return -EBUSY;
	for (uint32_t i = 0; i < used; i++)
		(*ring)[(pipe->tail + i) & (slots - 1)] = *pipe_slot(pipe, pipe->tail + i);
	pipe->ring = *ring;
	*ring = old == pipe->first ? NULL : old;
	__atomic_store_n(&pipe->slots, slots, __ATOMIC_RELEASE);
	return 0;
}

long pipe_set_size(struct file *file, unsigned long bytes)
{
	struct pipe *pipe = pipe_of_file(file);
	struct pipe_slot *ring;
	uint64_t size = PAGE_SIZE;
	int error;

	if (!pipe)
		return -EBADF;
	if (bytes > UINT32_C(1) << 31)
		return -EINVAL;
	while (size < bytes)
		size *= 2;
	if (size > __atomic_load_n(&pipe_size_most, __ATOMIC_RELAXED) &&
		size / PAGE_SIZE > pipe->slots && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	ring = kzalloc(size / PAGE_SIZE * sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	mutex_lock(&pipe->lock);
	error = set_slots(pipe, (uint32_t)(size / PAGE_SIZE), &ring);
	mutex_unlock(&pipe->lock);
	kfree(ring);
	wake_all(&pipe->writable);
	return error ? error : (long)size;
}
