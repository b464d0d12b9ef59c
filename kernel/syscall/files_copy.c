/* SPDX-License-Identifier: MIT */
/*
 * System calls that copy from file to file inside the kernel: sendfile, copy_file_range, splice, tee,
 * vmsplice. The checks, in Linux's order; pipes' side is in files/splice.c.
 *
 * A file's own position is read at the start and put back at the end, without its lock between: both
 * files may be the same, or another call may copy the other way. So does Linux.
 */
#include <asm/signal.h>
#include <linux/resource.h>

#include "syscall/files.h"

#include "files/attributes.h"
#include "files/inotify.h"
#include "files/splice.h"
#include "memory/slab.h"

/* Linux's; its header needs the C library's. */
enum splice_flags { SPLICE_NONBLOCK = 2, SPLICE_ALL = 15 };

static int64_t get_position(struct file *file)
{
	int64_t position;

	mutex_lock(&file->position_lock);
	position = file->position;
	mutex_unlock(&file->position_lock);
	return position;
}

static void set_position(struct file *file, int64_t position)
{
	mutex_lock(&file->position_lock);
	file->position = position;
	mutex_unlock(&file->position_lock);
}

static bool is_stream(const struct file *file)
{
	return file->operations->traits & FILE_STREAM;
}

/* Where a call works: at an offset that the user gave, or at the file's own position. */
static int take_offset(struct file *file, user_t offset, int64_t *position)
{
	if (offset.address)
		return copy_from_user(position, offset, sizeof(*position));
	*position = is_stream(file) ? 0 : get_position(file);
	return 0;
}

static int give_offset(struct file *file, user_t offset, int64_t position)
{
	if (offset.address)
		return copy_to_user(offset, &position, sizeof(position));
	if (!is_stream(file))
		set_position(file, position);
	return 0;
}

/* Linux's rw_verify_area. */
static bool is_somewhere(int64_t position, size_t count)
{
	return (ssize_t)count >= 0 && position >= 0 && count <= (uint64_t)(INT64_MAX - position);
}

/* Copies by way of one page, until the source ends or the target takes no more. */
static ssize_t copy_bytes(
	struct file *in, int64_t *in_at, struct file *out, int64_t *out_at, size_t count)
{
	char *page = kmalloc(PAGE_SIZE);
	ssize_t got, put;
	struct io io;
	size_t done = 0;

	if (!page)
		return -ENOMEM;
	do {
		int64_t at = *in_at;

		io = io_kernel(page, count - done < PAGE_SIZE ? count - done : PAGE_SIZE);
		got = file_read(in, &io, &at);
		if (got <= 0)
			break;
		io = io_kernel(page, (size_t)got);
		put = file_write(out, &io, out_at);
		if (put > 0) {
			inotify_file(
				out, IN_MODIFY); /* Linux 6.1 tells of the parts and the whole */
			done += (size_t)put;
			*in_at += put;
		}
		if (put < got) {
			got = put;
			break;
		}
		sched_point(); /* who reads or writes one page comes by none */
	} while (done < count && !current_signal_pending());
	kfree(page);
	if (done)
		return (ssize_t)done;
	return got > 0 ? -EINTR : got;
}

static void tell_copied(const struct file *in, const struct file *out)
{
	inotify_file(in, IN_ACCESS);
	inotify_file(out, IN_MODIFY);
}

/* ---- sendfile ---- */

/* Into a pipe, from what it may be spliced from. */
static ssize_t fill_pipe(struct file *in, int64_t *position, struct pipe *pipe, size_t count,
	bool in_now, bool out_now)
{
	if (in->operations->splice)
		return splice_from_stream(in, pipe, count, in_now, out_now);
	return splice_from_file(in, position, pipe, count, out_now);
}

/* To what is no pipe: files that can be read at a place, or where the place does not matter. */
static bool may_send(const struct file *in)
{
	const struct file_operations *operations = in->operations;

	return operations->read &&
	       (S_ISREG(in->inode->mode) || (operations->splice && operations->seek));
}

static ssize_t send(struct file *out, struct file *in, int64_t *position, size_t count)
{
	struct pipe *pipe = pipe_of_file(out);
	int64_t at = 0;
	ssize_t sent;

	if (pipe)
		return fill_pipe(in, position, pipe, count, file_nonblocking(in),
			file_nonblocking(in) || file_nonblocking(out));
	if (!may_send(in) || out->flags & O_APPEND ||
		(in->operations->traits | out->operations->traits) & FILE_NO_SPLICE)
		return -EINVAL;
	if (!is_stream(out))
		at = get_position(out);
	if (!is_somewhere(at, count))
		return -EINVAL;
	sent = copy_bytes(in, position, out, &at, count);
	if (sent > 0 && !is_stream(out))
		set_position(out, at);
	return sent;
}

static long send_checked(struct file *out, struct file *in, user_t offset, size_t count)
{
	int64_t position;
	long result;

	if (!in || !file_readable(in))
		return -EBADF;
	if (offset.address && is_stream(in))
		return -ESPIPE;
	if (take_offset(in, offset, &position))
		return -EFAULT;
	if (!is_somewhere(position, count))
		return -EINVAL;
	if (!out || !file_writable(out))
		return -EBADF;
	result = send(out, in, &position, count < IO_MAX ? count : IO_MAX);
	count_move(MOVE_READ, result);
	count_move(MOVE_WRITE, result);
	if (result > 0)
		tell_copied(in, out);
	if ((result > 0 || offset.address) && give_offset(in, offset, position))
		return -EFAULT;
	return result;
}

long sys_sendfile(int out_fd, int in_fd, user_t offset, size_t count)
{
	struct file *in = get_real_file(in_fd), *out = get_real_file(out_fd);
	long result = send_checked(out, in, offset, count);

	if (in)
		file_put(in);
	if (out)
		file_put(out);
	return result;
}

/* ---- copy_file_range ---- */

static int may_copy(const struct file *in, const struct file *out)
{
	if (is_directory(in->inode) || is_directory(out->inode))
		return -EISDIR;
	if (!S_ISREG(in->inode->mode) || !S_ISREG(out->inode->mode))
		return -EINVAL;
	if (!file_readable(in) || !file_writable(out) || out->flags & O_APPEND)
		return -EBADF;
	if (inode_has(out->inode, FS_IMMUTABLE_FL))
		return -EPERM;
	return in->inode->superblock == out->inode->superblock ? 0 : -EXDEV;
}

/* Cuts the count to what is in the one file and may be in the other: Linux's generic_copy_file_checks. */
static int cut_count(
	struct file *in, int64_t in_at, struct file *out, int64_t out_at, size_t *count)
{
	uint64_t limit = process_limit(RLIMIT_FSIZE), size = inode_size(in->inode);

	if ((uint64_t)in_at + *count < (uint64_t)in_at ||
		(uint64_t)out_at + *count < (uint64_t)out_at)
		return -EOVERFLOW;
	if (in_at >= (int64_t)size)
		*count = 0;
	else if (*count > size - (uint64_t)in_at)
		*count = size - (uint64_t)in_at;
	if (out_at >= 0 && (uint64_t)out_at >= limit) {
		signal_current(SIGXFSZ);
		return -EFBIG;
	}
	if (out_at == INT64_MAX)
		return -EFBIG;
	if (limit > INT64_MAX)
		limit = INT64_MAX;
	if (out_at >= 0 && *count > limit - (uint64_t)out_at)
		*count = limit - (uint64_t)out_at;
	if (in->inode == out->inode && out_at + (int64_t)*count > in_at &&
		out_at < in_at + (int64_t)*count)
		return -EINVAL;
	return is_somewhere(in_at, *count) && is_somewhere(out_at, *count) ? 0 : -EINVAL;
}

static long copy_range(
	struct file *in, user_t in_offset, struct file *out, user_t out_offset, size_t count)
{
	int64_t in_at, out_at;
	ssize_t copied;
	int error;

	if (take_offset(in, in_offset, &in_at) || take_offset(out, out_offset, &out_at))
		return -EFAULT;
	error = may_copy(in, out);
	if (!error)
		error = cut_count(in, in_at, out, out_at, &count);
	if (error || !count)
		return error;
	copied = copy_bytes(in, &in_at, out, &out_at, count < IO_MAX ? count : IO_MAX);
	count_move(MOVE_READ, copied);
	count_move(MOVE_WRITE, copied);
	if (copied > 0)
		tell_copied(in, out);
	if (copied > 0 &&
		(give_offset(in, in_offset, in_at) || give_offset(out, out_offset, out_at)))
		return -EFAULT;
	return copied;
}

long sys_copy_file_range(int in_fd, user_t in_offset, int out_fd, user_t out_offset, size_t count,
	unsigned int flags)
{
	struct file *in = get_real_file(in_fd), *out = get_real_file(out_fd);
	long result;

	if (!in || !out)
		result = -EBADF;
	else if (flags)
		result = -EINVAL;
	else
		result = copy_range(in, in_offset, out, out_offset, count);
	if (in)
		file_put(in);
	if (out)
		file_put(out);
	return result;
}

/* ---- splice, tee, vmsplice ---- */

static ssize_t splice_in(struct pipe *pipe, struct file *out, int64_t *at, bool given, size_t count,
	bool nonblocking)
{
	if ((given && is_stream(out)) || out->flags & O_APPEND || !is_somewhere(*at, count) ||
		out->operations->traits & FILE_NO_SPLICE)
		return -EINVAL;
	return splice_to_file(pipe, out, at, count < IO_MAX ? count : IO_MAX, nonblocking);
}

static ssize_t splice_out(struct file *in, int64_t *at, bool given, struct pipe *pipe, size_t count,
	bool in_now, bool out_now)
{
	if ((given && is_stream(in)) || !is_somewhere(*at, count))
		return -EINVAL;
	return fill_pipe(in, at, pipe, count < IO_MAX ? count : IO_MAX, in_now, out_now);
}

static long splice_files(struct file *in, user_t in_offset, struct file *out, user_t out_offset,
	size_t count, bool nonblocking)
{
	struct pipe *from = pipe_of_file(in), *to = pipe_of_file(out);
	bool in_waits = !nonblocking && !file_nonblocking(in);
	bool out_waits = !nonblocking && !file_nonblocking(out);
	int64_t in_at = 0, out_at = 0;
	ssize_t result;

	if ((from && in_offset.address) || (to && out_offset.address))
		return -ESPIPE;
	if ((!to && take_offset(out, out_offset, &out_at)) ||
		(!from && take_offset(in, in_offset, &in_at)))
		return -EFAULT;
	if (!file_readable(in) || !file_writable(out))
		return -EBADF;
	if (from && to)
		return from == to ? -EINVAL
				  : splice_pipes(
					    from, to, count, SPLICE_MOVE, !in_waits || !out_waits);
	if (from) {
		result = splice_in(from, out, &out_at, out_offset.address, count, !in_waits);
		if (result > 0 && give_offset(out, out_offset, out_at))
			return -EFAULT;
	} else if (to) {
		result =
			splice_out(in, &in_at, in_offset.address, to, count, !in_waits, !out_waits);
		if (result > 0 && give_offset(in, in_offset, in_at))
			return -EFAULT;
	} else {
		result = -EINVAL;
	}
	return result;
}

long sys_splice(int in_fd, user_t in_offset, int out_fd, user_t out_offset, size_t count,
	unsigned int flags)
{
	struct file *in, *out;
	long result = -EBADF;

	if (!count)
		return 0;
	if (flags & ~(unsigned int)SPLICE_ALL)
		return -EINVAL;
	in = get_real_file(in_fd);
	out = get_real_file(out_fd);
	if (in && out)
		result = splice_files(
			in, in_offset, out, out_offset, count, flags & SPLICE_NONBLOCK);
	if (in)
		file_put(in);
	if (out)
		file_put(out);
	return result;
}

static ssize_t tee_files(struct file *in, struct file *out, size_t count, bool nonblocking)
{
	struct pipe *from = pipe_of_file(in), *to = pipe_of_file(out);

	if (!file_readable(in) || !file_writable(out))
		return -EBADF;
	if (!from || !to || from == to)
		return -EINVAL;
	if (file_nonblocking(in) || file_nonblocking(out))
		nonblocking = true;
	return splice_pipes(from, to, count, SPLICE_KEEP, nonblocking);
}

long sys_tee(int in_fd, int out_fd, size_t count, unsigned int flags)
{
	struct file *in, *out;
	long result = -EBADF;

	if (flags & ~(unsigned int)SPLICE_ALL)
		return -EINVAL;
	if (!count)
		return 0;
	in = get_real_file(in_fd);
	out = get_real_file(out_fd);
	if (in && out)
		result = tee_files(in, out, count, flags & SPLICE_NONBLOCK);
	if (in)
		file_put(in);
	if (out)
		file_put(out);
	return result;
}

static long vmsplice(struct file *file, user_t vector, size_t count, bool nonblocking)
{
	struct iovec fast[IO_FAST_RANGES], *ranges;
	struct pipe *pipe = pipe_of_file(file);
	struct io io;
	ssize_t sum;
	long result;

	if (!file_writable(file) && !file_readable(file))
		return -EBADF;
	sum = io_get_ranges(vector, count, fast, &ranges);
	if (sum < 0)
		return sum;
	io = io_vector(ranges, (unsigned int)count, (size_t)sum);
	if (!sum)
		result = 0;
	else if (!pipe)
		result = -EBADF;
	else if (file_writable(file))
		result = splice_from_user(&io, pipe, nonblocking);
	else
		result = splice_to_user(pipe, &io, nonblocking);
	if (ranges != fast)
		kfree(ranges);
	return result;
}

long sys_vmsplice(int fd, user_t vector, size_t count, unsigned int flags)
{
	struct file *file;
	long result;

	if (flags & ~(unsigned int)SPLICE_ALL)
		return -EINVAL;
	file = get_real_file(fd);
	if (!file)
		return -EBADF;
	result = vmsplice(file, vector, count, flags & SPLICE_NONBLOCK || file_nonblocking(file));
	file_put(file);
	return result;
}
