/* SPDX-License-Identifier: MIT */
/*
 * splice, tee, vmsplice: bytes to and from pipes by their pages (man 2 splice).
 *
 * The design. Between pipes slots are moved, or shared (tee, or a part of a slot): a shared page is `foreign`
 * in both, so that nobody writes behind its bytes or takes it for another write. From a file whose data is
 * a memory object the pages themselves go into the pipe, as on Linux: what is written to the file later
 * may be seen. From other files, and from users' memory, bytes are copied. Each call waits for the first
 * bytes and the first room only, and then does what can be done at once.
 *
 * To a file the bytes are written from the pipe's pages. The lock of the file's inode comes before that of
 * the pipe, so the pipe is unlocked meanwhile and `splicing`, which keeps all other readers away; writers
 * may go on. What the file does not take stays in the pipe.
 *
 * Locks: two pipes by rising address.
 */
#include "files/attributes.h"
#include "files/splice.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/current.h"

#include <asm/signal.h>

static bool is_empty(const struct pipe *pipe)
{
	return pipe->head == pipe->tail;
}

static bool may_get_more(const struct pipe *pipe)
{
	return __atomic_load_n(&pipe->writers, __ATOMIC_ACQUIRE);
}

/* Locks a pipe that has bytes, or gets no more. */
static int lock_filled(struct pipe *pipe, bool nonblocking) no_lock_checks
{
	int error;

	for (;;) {
		error = mutex_lock_interruptible(&pipe->lock);
		if (error)
			return error;
		if (!pipe->splicing && (!may_get_more(pipe) || !is_empty(pipe)))
			return 0;
		mutex_unlock(&pipe->lock);
		error = pipe_wait_readable(pipe, nonblocking);
		if (error)
			return error;
	}
}

/* Locks a pipe that has room. */
static int lock_roomy(struct pipe *pipe, bool nonblocking) no_lock_checks
{
	int error;

	for (;;) {
		error = mutex_lock_interruptible(&pipe->lock);
		if (error)
			return error;
		if (!pipe->readers) {
			mutex_unlock(&pipe->lock);
			signal_current(SIGPIPE);
			return -EPIPE;
		}
		if (!pipe_is_full(pipe))
			return 0;
		mutex_unlock(&pipe->lock);
		error = pipe_wait_writable(pipe, nonblocking);
		if (error)
			return error;
	}
}

/* ---- Between pipes ---- */

/* The first `size` bytes of a slot for another pipe too, which has room. */
static void share(struct pipe_slot *slot, struct pipe *out, uint32_t size)
{
	struct pipe_slot copy;

	frame_get(slot->page);
	slot->foreign = true;
	copy = *slot;
	copy.length = size;
	pipe_push(out, &copy);
}

static size_t move_slots(struct pipe *in, struct pipe *out, size_t count)
{
	struct pipe_slot *slot;
	size_t done = 0, part;

	while (count > done && !is_empty(in) && !pipe_is_full(out)) {
		slot = pipe_slot(in, in->tail);
		part = slot->length;
		if (part <= count - done) {
			pipe_push(out, slot);
			slot->page = NULL;
			__atomic_store_n(&in->tail, in->tail + 1, __ATOMIC_RELEASE);
		} else {
			part = count - done;
			share(slot, out, (uint32_t)part);
			slot->offset += (uint32_t)part;
			slot->length -= (uint32_t)part;
		}
		done += part;
	}
	return done;
}

static size_t share_slots(struct pipe *in, struct pipe *out, size_t count)
{
	struct pipe_slot *slot;
	size_t done = 0, part;

	for (uint32_t at = in->tail; at != in->head && count > done && !pipe_is_full(out); at++) {
		slot = pipe_slot(in, at);
		part = slot->length < count - done ? slot->length : count - done;
		share(slot, out, (uint32_t)part);
		done += part;
	}
	return done;
}

/* One attempt with both locked: bytes, 0 at the end of the input, -EPIPE; -EAGAIN: *wait is the one to
 * wait for. */
static ssize_t try_pipes(
	struct pipe *in, struct pipe *out, size_t count, enum splice_keep keep, struct pipe **wait)
{
	if (!out->readers)
		return -EPIPE;
	*wait = in;
	if (in->splicing || (is_empty(in) && may_get_more(in)))
		return -EAGAIN;
	if (is_empty(in))
		return 0;
	*wait = out;
	if (pipe_is_full(out))
		return -EAGAIN;
	return (ssize_t)(keep == SPLICE_KEEP ? share_slots(in, out, count)
					     : move_slots(in, out, count));
}

static ssize_t try_locked(struct pipe *in, struct pipe *out, size_t count, enum splice_keep keep,
	struct pipe **wait) no_lock_checks
{
	struct pipe *first = in < out ? in : out, *second = in < out ? out : in;
	ssize_t result;

	mutex_lock(&first->lock);
	mutex_lock_nested(&second->lock);
	result = try_pipes(in, out, count, keep, wait);
	mutex_unlock(&second->lock);
	mutex_unlock(&first->lock);
	return result;
}

ssize_t splice_pipes(
	struct pipe *in, struct pipe *out, size_t count, enum splice_keep keep, bool nonblocking)
{
	struct pipe *wait = NULL;
	ssize_t result;
	int error = 0;

	while (!error) {
		result = try_locked(in, out, count, keep, &wait);
		if (result == -EPIPE)
			signal_current(SIGPIPE);
		if (result > 0)
			pipe_tell_readers(out);
		if (result > 0 && keep == SPLICE_MOVE)
			pipe_tell_writers(in);
		if (result != -EAGAIN)
			return result;
		error = wait == in ? pipe_wait_readable(in, nonblocking)
				   : pipe_wait_writable(out, nonblocking);
	}
	return error;
}

/* ---- From files and users ---- */

/* The file's pages; a hole is a page of zeroes. With the pipe's lock. */
static ssize_t push_pages(struct object *object, int64_t *position, struct pipe *out, size_t count)
{
	uint64_t at = (uint64_t)*position, size, part;
	struct pipe_slot slot;
	size_t done = 0;
	int error = 0;

	while (count > done && !pipe_is_full(out)) {
		size = __atomic_load_n(&object->size, __ATOMIC_ACQUIRE);
		if (at >= size)
			break;
		slot = (struct pipe_slot){.offset = (uint32_t)(at % PAGE_SIZE)};
		part = PAGE_SIZE - slot.offset;
		part = part < size - at ? part : size - at;
		slot.length = (uint32_t)(part < count - done ? part : count - done);
		error = object_peek(object, at / PAGE_SIZE, &slot.page);
		if (error)
			break;
		slot.foreign = slot.page;
		if (!slot.page)
			slot.page = pages_alloc(0, FRAME_USED, PAGES_ZERO);
		if (!slot.page) {
			error = -ENOMEM;
			break;
		}
		pipe_push(out, &slot);
		at += slot.length;
		done += slot.length;
	}
	*position = (int64_t)at;
	return done ? (ssize_t)done : error;
}

ssize_t splice_from_user(struct io *io, struct pipe *out, bool nonblocking) no_lock_checks
{
	int error = lock_roomy(out, nonblocking);
	size_t done;

	if (error)
		return error;
	done = pipe_fill(out, io, false, &error);
	mutex_unlock(&out->lock);
	if (done)
		pipe_tell_readers(out);
	return io_result(io, done, error);
}

/* A page of a file without pages of its own. */
static ssize_t copy_from_file(
	struct file *in, int64_t *position, struct pipe *out, size_t count, bool nonblocking)
{
	char *page = kmalloc(PAGE_SIZE);
	struct io io = io_kernel(page, count < PAGE_SIZE ? count : PAGE_SIZE);
	int64_t at = *position;
	ssize_t result;

	if (!page)
		return -ENOMEM;
	result = file_read(in, &io, &at);
	if (result > 0) {
		io = io_kernel(page, (size_t)result);
		result = splice_from_user(&io, out, nonblocking);
		if (result > 0)
			*position += result;
	}
	kfree(page);
	return result;
}

ssize_t splice_from_file(struct file *in, int64_t *position, struct pipe *out, size_t count,
	bool nonblocking) no_lock_checks
{
	ssize_t result;

	if (!S_ISREG(in->inode->mode) || !in->operations->read || *position < 0 ||
		in->operations->traits & FILE_NO_SPLICE)
		return -EINVAL;
	if (!in->inode->object)
		return copy_from_file(in, position, out, count, nonblocking);
	result = lock_roomy(out, nonblocking);
	if (result)
		return result;
	result = push_pages(in->inode->object, position, out, count);
	mutex_unlock(&out->lock);
	if (result > 0)
		pipe_tell_readers(out);
	file_touch_accessed(in);
	return result;
}

/* ---- From sockets and terminals ---- */

#define STREAM_PAGES 16u

/* The pages that bytes on their way have. */
struct parcel {
	struct frame *pages[STREAM_PAGES];
	unsigned count;
	char *bytes; /* as many in a row */
};

static void parcel_free(struct parcel *parcel)
{
	for (unsigned i = 0; i < parcel->count; i++)
		if (parcel->pages[i])
			frame_put(parcel->pages[i]);
	kfree(parcel->bytes);
}

static int parcel_make(struct parcel *parcel, size_t size)
{
	unsigned count = (unsigned)DIV_ROUND_UP(size, PAGE_SIZE);

	*parcel = (struct parcel){.bytes = kmalloc(size)};
	while (parcel->bytes && parcel->count < count) {
		parcel->pages[parcel->count] = pages_alloc(0, FRAME_USED, 0);
		if (!parcel->pages[parcel->count])
			break;
		parcel->count++;
	}
	if (parcel->count == count)
		return 0;
	parcel_free(parcel);
	return -ENOMEM;
}

/* Into the pipe, which has room for all. */
static void parcel_push(struct parcel *parcel, struct pipe *out, size_t size) requires(out->lock)
{
	for (size_t done = 0; done < size;) {
		struct frame **page = &parcel->pages[done / PAGE_SIZE];
		size_t part = size - done < PAGE_SIZE ? size - done : PAGE_SIZE;
		struct pipe_slot slot = {.page = *page, .length = (uint32_t)part};

		memcpy(frame_ptr(*page), parcel->bytes + done, part);
		pipe_push(out, &slot);
		*page = NULL;
		done += part;
	}
}

/* The pipe's free slots are kept free while the stream is waited for, without the pipe's lock, so that
 * nothing is taken from the stream that could not go into the pipe. */
ssize_t splice_from_stream(
	struct file *in, struct pipe *out, size_t count, bool in_now, bool out_now) no_lock_checks
{
	struct parcel parcel;
	ssize_t result = lock_roomy(out, out_now);
	struct io io;
	size_t room;

	if (result)
		return result;
	room = out->slots - (out->head - out->tail);
	room = (room < STREAM_PAGES ? room : STREAM_PAGES) * PAGE_SIZE;
	out->filling = true;
	mutex_unlock(&out->lock);
	count = count < room ? count : room;
	result = parcel_make(&parcel, count);
	if (!result) {
		io = io_kernel(parcel.bytes, count);
		result = in->operations->splice(in, &io, in_now);
	}
	mutex_lock(&out->lock);
	if (result > 0)
		parcel_push(&parcel, out, (size_t)result);
	__atomic_store_n(&out->filling, false, __ATOMIC_RELEASE);
	mutex_unlock(&out->lock);
	if (result != -ENOMEM)
		parcel_free(&parcel);
	if (result > 0)
		pipe_tell_readers(out);
	wake_all(&out->writable); /* who waits for `filling` alone */
	return result;
}

/* ---- To files and users ---- */

ssize_t splice_to_user(struct pipe *in, struct io *io, bool nonblocking) no_lock_checks
{
	int error = lock_filled(in, nonblocking);
	size_t done;

	if (error)
		return error;
	done = pipe_take(in, io);
	mutex_unlock(&in->lock);
	if (done)
		pipe_tell_writers(in);
	return io_result(io, done, 0);
}

/* Up to `count` bytes of the oldest slot, which only the caller reads. Called, and comes back, with the
 * lock. */
static ssize_t write_slot(struct pipe *in, struct file *out, int64_t *position, size_t count,
	bool *whole) no_lock_checks
{
	struct pipe_slot slot = *pipe_slot(in, in->tail);
	size_t part = slot.length < count ? slot.length : count;
	struct io io = io_kernel((char *)frame_ptr(slot.page) + slot.offset, part);
	ssize_t put;

	mutex_unlock(&in->lock);
	put = file_write(out, &io, position);
	sched_point();
	mutex_lock(&in->lock);
	if (put > 0) /* the ring may be another one by now */
		pipe_consume(in, pipe_slot(in, in->tail), (uint32_t)put);
	*whole = put == (ssize_t)part;
	return put;
}

ssize_t splice_to_file(struct pipe *in, struct file *out, int64_t *position, size_t count,
	bool nonblocking) no_lock_checks
{
	size_t done = 0;
	ssize_t put = 0;
	bool whole = true;
	int error = lock_filled(in, nonblocking);

	if (error)
		return error;
	in->splicing = true;
	while (whole && done < count && !is_empty(in)) {
		put = write_slot(in, out, position, count - done, &whole);
		if (put > 0)
			done += (size_t)put;
	}
	__atomic_store_n(&in->splicing, false, __ATOMIC_RELEASE);
	mutex_unlock(&in->lock);
	wake_all(&in->readable); /* who waits for `splicing` alone */
	if (done)
		pipe_tell_writers(in);
	return done ? (ssize_t)done : put;
}
