/* SPDX-License-Identifier: MIT */
/*
 * System calls that move bytes: read, write and their kin, lseek, sendfile, copy_file_range.
 *
 * A call is cut to 0x7ffff000 bytes, as Linux's. Files with positions hold the position's lock across
 * the operation, so that two writers through one open file never overlap; streams have none, since
 * their operations may sleep for ever.
 */
#include "syscall/files.h"

#include "memory/slab.h"

enum direction { MOVE_READ, MOVE_WRITE };

static inline ssize_t move_at(
	struct file *file, struct io *io, int64_t *position, enum direction way)
{
	return way == MOVE_READ ? file_read(file, io, position) : file_write(file, io, position);
}

static inline bool allows(const struct file *file, enum direction way)
{
	return way == MOVE_READ ? file_readable(file) : file_writable(file);
}

/* At the file's own position. */
static inline ssize_t move(struct file *file, struct io *io, enum direction way)
{
	const struct file_operations *operations = file->operations;
	int64_t none = 0;
	ssize_t result;

	if (operations->traits & (FILE_STREAM | FILE_NO_POSITION)) {
		if (unlikely(!allows(file, way)))
			return -EBADF;
		if (way == MOVE_READ)
			return operations->read ? operations->read(file, io, &none) : -EINVAL;
		return operations->write ? operations->write(file, io, &none) : -EINVAL;
	}
	mutex_lock(&file->position_lock);
	result = move_at(file, io, &file->position, way);
	mutex_unlock(&file->position_lock);
	return result;
}

static inline long move_buffer(int fd, user_t buffer, size_t count, enum direction way)
{
	struct borrowed_file borrowed = borrow_file(fd);
	long result;

	if (!borrowed.file)
		return -EBADF;
	if (!allows(borrowed.file, way)) {
		result = -EBADF;
	} else if (!user_range_ok(buffer, count)) {
		result = -EFAULT;
	} else {
		struct io io = io_user(buffer, count < IO_MAX ? count : IO_MAX);

		result = move(borrowed.file, &io, way);
	}
	file_return(borrowed);
	return result;
}

long sys_read(int fd, user_t buffer, size_t count)
{
	return move_buffer(fd, buffer, count, MOVE_READ);
}

long sys_write(int fd, user_t buffer, size_t count)
{
	return move_buffer(fd, buffer, count, MOVE_WRITE);
}

/* ---- At a given position ---- */

static long move_positioned(struct file *file, struct io *io, int64_t offset, enum direction way)
{
	if (file->operations->traits & FILE_STREAM)
		return -ESPIPE;
	if (!allows(file, way))
		return -EBADF;
	return move_at(file, io, &offset, way);
}

static long move_buffer_at(int fd, user_t buffer, size_t count, int64_t offset, enum direction way)
{
	struct borrowed_file borrowed;
	struct file *file;
	struct io io;
	long result;

	if (offset < 0)
		return -EINVAL;
	borrowed = borrow_real_file(fd);
	file = borrowed.file;
	if (!file)
		return -EBADF;
	io = io_user(buffer, count < IO_MAX ? count : IO_MAX);
	if (file->operations->traits & FILE_STREAM)
		result = -ESPIPE;
	else if (!allows(file, way))
		result = -EBADF;
	else if (!user_range_ok(buffer, count))
		result = -EFAULT;
	else
		result = move_positioned(file, &io, offset, way);
	file_return(borrowed);
	return result;
}

long sys_pread64(int fd, user_t buffer, size_t count, int64_t offset)
{
	return move_buffer_at(fd, buffer, count, offset, MOVE_READ);
}

long sys_pwrite64(int fd, user_t buffer, size_t count, int64_t offset)
{
	return move_buffer_at(fd, buffer, count, offset, MOVE_WRITE);
}

/* ---- Vectors ---- */

/* Checks the ranges and cuts their sum to IO_MAX: the sum, or a negative errno. */
static ssize_t check_ranges(struct iovec *ranges, unsigned int count)
{
	size_t sum = 0;

	for (unsigned int i = 0; i < count; i++) {
		if ((ssize_t)ranges[i].iov_len < 0)
			return -EINVAL;
		if (!user_range_ok(user_pointer((uintptr_t)ranges[i].iov_base), ranges[i].iov_len))
			return -EFAULT;
		if (ranges[i].iov_len > IO_MAX - sum)
			ranges[i].iov_len = IO_MAX - sum;
		sum += ranges[i].iov_len;
	}
	return (ssize_t)sum;
}

ssize_t io_get_ranges(user_t from, size_t count, struct iovec *fast, struct iovec **out)
{
	ssize_t sum;

	*out = fast;
	if (count > UIO_MAXIOV)
		return -EINVAL;
	if (count > IO_FAST_RANGES)
		*out = kmalloc(count * sizeof(struct iovec));
	if (!*out)
		return -ENOMEM;
	sum = copy_from_user(*out, from, count * sizeof(struct iovec));
	if (!sum)
		sum = check_ranges(*out, (unsigned int)count);
	if (sum < 0 && *out != fast)
		kfree(*out);
	return sum;
}

static const int64_t AT_POSITION = -1; /* of the file itself */

static long move_ranges(int fd, user_t vector, size_t count, int64_t offset, enum direction way)
{
	struct iovec fast[IO_FAST_RANGES], *ranges;
	struct borrowed_file borrowed = borrow_real_file(fd);
	struct file *file = borrowed.file;
	struct io io;
	ssize_t sum;
	long result;

	if (!file)
		return -EBADF;
	if (offset != AT_POSITION && file->operations->traits & FILE_STREAM) {
		file_return(borrowed);
		return -ESPIPE;
	}
	sum = allows(file, way) ? io_get_ranges(vector, count, fast, &ranges) : -EBADF;
	if (sum < 0) {
		file_return(borrowed);
		return sum;
	}
	io = io_vector(ranges, (unsigned int)count, (size_t)sum);
	if (offset == AT_POSITION)
		result = move(file, &io, way);
	else
		result = move_positioned(file, &io, offset, way);
	if (ranges != fast)
		kfree(ranges);
	file_return(borrowed);
	return result;
}

long sys_readv(int fd, user_t vector, size_t count)
{
	return move_ranges(fd, vector, count, AT_POSITION, MOVE_READ);
}

long sys_writev(int fd, user_t vector, size_t count)
{
	return move_ranges(fd, vector, count, AT_POSITION, MOVE_WRITE);
}

long sys_preadv(int fd, user_t vector, size_t count, int64_t offset)
{
	return offset < 0 ? -EINVAL : move_ranges(fd, vector, count, offset, MOVE_READ);
}

long sys_pwritev(int fd, user_t vector, size_t count, int64_t offset)
{
	return offset < 0 ? -EINVAL : move_ranges(fd, vector, count, offset, MOVE_WRITE);
}

/* ---- lseek ---- */

long sys_lseek(int fd, int64_t offset, int whence)
{
	struct file *file = get_real_file(fd);
	int64_t result;

	if (!file)
		return -EBADF;
	if (whence < SEEK_SET || whence > SEEK_HOLE) {
		result = -EINVAL;
	} else if (file->operations->traits & FILE_STREAM || !file->operations->seek) {
		result = -ESPIPE;
	} else {
		mutex_lock(&file->position_lock);
		result = file->operations->seek(file, offset, whence);
		if (result >= 0)
			file->position = result;
		mutex_unlock(&file->position_lock);
	}
	file_put(file);
	return (long)result;
}

/* ---- sendfile, copy_file_range ---- */

#define COPY_CHUNK PAGE_SIZE

/* Copies by way of one page, from *position of the source to *target of the target; NULL: to wherever the target is. */
static long copy_bytes(
	struct file *out, int64_t *target, struct file *in, int64_t *position, size_t count)
{
	char *page = kmalloc(COPY_CHUNK);
	ssize_t got, put;
	struct io io;
	size_t done = 0;

	if (!page)
		return -ENOMEM;
	do {
		int64_t at = *position;

		io = io_kernel(page, count - done < COPY_CHUNK ? count - done : COPY_CHUNK);
		got = move_at(in, &io, &at, MOVE_READ);
		if (got <= 0)
			break;
		io = io_kernel(page, (size_t)got);
		put = target ? move_at(out, &io, target, MOVE_WRITE) : move(out, &io, MOVE_WRITE);
		if (put > 0) {
			done += (size_t)put;
			*position += put;
		}
		if (put < got) {
			got = put;
			break;
		}
	} while (done < count && !current_signal_pending());
	kfree(page);
	return done ? (long)done : got;
}

static long send(struct file *out, struct file *in, user_t offset, size_t count)
{
	int64_t position;
	long result;

	if (in->operations->traits & FILE_STREAM || !in->operations->read)
		return offset.address ? -ESPIPE : -EINVAL;
	if (count > IO_MAX)
		count = IO_MAX;
	if (!offset.address) {
		/* Not held over the copy, which takes that of `out`: they may be one file, or another
		 * call may copy the other way. As on Linux the position is put back at the end. */
		mutex_lock(&in->position_lock);
		position = in->position;
		mutex_unlock(&in->position_lock);
		result = copy_bytes(out, NULL, in, &position, count);
		if (result > 0) {
			mutex_lock(&in->position_lock);
			in->position = position;
			mutex_unlock(&in->position_lock);
		}
		return result;
	}
	if (copy_from_user(&position, offset, sizeof(position)))
		return -EFAULT;
	if (position < 0)
		return -EINVAL;
	result = copy_bytes(out, NULL, in, &position, count);
	if (copy_to_user(offset, &position, sizeof(position)))
		return -EFAULT;
	return result;
}

long sys_sendfile(int out_fd, int in_fd, user_t offset, size_t count)
{
	struct file *in = get_real_file(in_fd), *out = get_real_file(out_fd);
	long result;

	if (!in || !file_readable(in) || !out || !file_writable(out))
		result = -EBADF;
	else
		result = send(out, in, offset, count);
	if (in)
		file_put(in);
	if (out)
		file_put(out);
	return result;
}

/* The position of one side: from the caller's memory, or the file's. */
static long copy_position(struct file *file, user_t offset, int64_t *out)
{
	if (offset.address)
		return copy_from_user(out, offset, sizeof(*out)) ? -EFAULT : 0;
	mutex_lock(&file->position_lock);
	*out = file->position;
	mutex_unlock(&file->position_lock);
	return 0;
}

static long copy_put_position(struct file *file, user_t offset, int64_t position)
{
	if (offset.address)
		return copy_to_user(offset, &position, sizeof(position)) ? -EFAULT : 0;
	mutex_lock(&file->position_lock);
	file->position = position;
	mutex_unlock(&file->position_lock);
	return 0;
}

/* Linux's order of errors. */
static long check_copy(const struct file *in, const struct file *out, unsigned int flags)
{
	if (flags)
		return -EINVAL;
	if (!in->inode || !out->inode)
		return -EINVAL;
	if (S_ISDIR(in->inode->mode) || S_ISDIR(out->inode->mode))
		return -EISDIR;
	if (!S_ISREG(in->inode->mode) || !S_ISREG(out->inode->mode))
		return -EINVAL;
	if (!file_readable(in) || !file_writable(out) ||
		__atomic_load_n(&out->flags, __ATOMIC_RELAXED) & O_APPEND)
		return -EBADF;
	return in->inode->superblock == out->inode->superblock ? 0 : -EXDEV;
}

/* Bytes that there are to copy, or a negative errno. */
static long copy_length(
	const struct file *in, int64_t from, const struct file *out, int64_t to, size_t count)
{
	int64_t size = (int64_t)inode_size(in->inode);

	/* Linux compares without signs here, and refuses negative positions after this. */
	if ((uint64_t)from + count < (uint64_t)from || (uint64_t)to + count < (uint64_t)to)
		return -EOVERFLOW;
	if (from >= size)
		return 0;
	if (from < 0 || to < 0)
		return -EINVAL;
	if (count > (uint64_t)(size - from))
		count = (uint64_t)(size - from);
	if (count > (uint64_t)(INT64_MAX - to))
		count = (uint64_t)(INT64_MAX - to);
	if (!count && to == INT64_MAX)
		return -EFBIG;
	if (in->inode == out->inode && to + (int64_t)count > from && to < from + (int64_t)count)
		return -EINVAL;
	return (long)(count < IO_MAX ? count : IO_MAX);
}

static long copy_range(struct file *in, user_t in_offset, struct file *out, user_t out_offset,
	size_t count, unsigned int flags)
{
	int64_t from, to;
	long result;

	result = copy_position(in, in_offset, &from);
	if (!result)
		result = copy_position(out, out_offset, &to);
	if (!result)
		result = check_copy(in, out, flags);
	if (!result)
		result = copy_length(in, from, out, to, count);
	if (result > 0)
		result = copy_bytes(out, &to, in, &from, (size_t)result);
	if (result <= 0)
		return result;
	if (copy_put_position(in, in_offset, from) || copy_put_position(out, out_offset, to))
		return -EFAULT;
	return result;
}

long sys_copy_file_range(int in_fd, user_t in_offset, int out_fd, user_t out_offset, size_t count,
	unsigned int flags)
{
	struct file *in = get_real_file(in_fd), *out = get_real_file(out_fd);
	long result = -EBADF;

	if (in && out)
		result = copy_range(in, in_offset, out, out_offset, count, flags);
	if (in)
		file_put(in);
	if (out)
		file_put(out);
	return result;
}
