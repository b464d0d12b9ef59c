/* SPDX-License-Identifier: MIT */
/*
 * System calls that move bytes: read, write and their kin, lseek, sendfile, copy_file_range.
 *
 * A call is cut to 0x7ffff000 bytes, as Linux's. Files with positions hold the position's lock across
 * the operation, so that two writers through one open file never overlap; streams have none, since
 * their operations may sleep for ever.
 */
#include "syscall/files.h"

#include "files/inotify.h"
#include "memory/slab.h"

#include <linux/fs.h>

static inline bool allows(const struct file *file, enum direction way)
{
	return way == MOVE_READ ? file_readable(file) : file_writable(file);
}

/* `file` allows it. */
static inline ssize_t move_at(
	struct file *file, struct io *io, int64_t *position, enum direction way)
{
	return way == MOVE_READ ? file_read_allowed(file, io, position)
				: file_write_allowed(file, io, position);
}

#define EVENT_OF(way) ((way) == MOVE_READ ? IN_ACCESS : IN_MODIFY)

/* For who watches the file: `least` bytes were moved, or more. */
static COLD void tell_moved(
	const struct file *file, enum direction way, ssize_t moved, ssize_t least)
{
	if (moved >= least)
		inotify_tell_file(file, EVENT_OF(way));
}

/* At the file's own position; `file` allows it. */
static ALWAYS_INLINE ssize_t move(struct file *file, struct io *io, enum direction way)
{
	int64_t none = 0;
	ssize_t result;

	if (file->operations->traits & (FILE_STREAM | FILE_NO_POSITION))
		return move_at(file, io, &none, way);
	mutex_lock(&file->position_lock);
	result = move_at(file, io, &file->position, way);
	mutex_unlock(&file->position_lock);
	return result;
}

/* Apart, so that calls with a range of their own need no struct io on the stack, nor its guard. */
static __attribute__((noinline)) ssize_t read_whole(struct file *file, user_t buffer, size_t size)
{
	struct io io = io_user(buffer, size);

	return move(file, &io, MOVE_READ);
}

static __attribute__((noinline)) ssize_t write_whole(struct file *file, user_t buffer, size_t size)
{
	struct io io = io_user(buffer, size);

	return move(file, &io, MOVE_WRITE);
}

static ALWAYS_INLINE long move_in(
	struct file *file, user_t buffer, size_t count, enum direction way)
{
	const struct file_operations *operations = file->operations;
	ssize_t (*move_range)(struct file * file, user_t buffer, size_t size) =
		way == MOVE_READ ? operations->read_range : operations->write_range;
	const size_t size = count < IO_MAX ? count : IO_MAX;
	long result;

	if (unlikely(!allows(file, way)))
		return -EBADF;
	if (unlikely(!user_range_ok(buffer, count)))
		return -EFAULT;
	if (!move_range)
		move_range = way == MOVE_READ ? read_whole : write_whole;
	result = move_range(file, buffer, size);
	count_move(way, result);
	if (inotify_is_asked(EVENT_OF(way)))
		tell_moved(file, way, result, 1);
	return result;
}

/* Of a table that others share. */
static COLD long move_shared(int fd, user_t buffer, size_t count, enum direction way)
{
	struct file *file = get_file(fd);
	long result;

	if (!file)
		return -EBADF;
	result = move_in(file, buffer, count, way);
	file_put(file);
	return result;
}

static ALWAYS_INLINE long move_buffer(int fd, user_t buffer, size_t count, enum direction way)
{
	struct files *files = current_files();
	struct file *file;

	if (unlikely(!files_own(files)))
		return move_shared(fd, buffer, count, way);
	file = files_slot(files, fd);
	return likely(file) ? move_in(file, buffer, count, way) : -EBADF;
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

static long move_counted(struct file *file, struct io *io, int64_t offset, enum direction way)
{
	long result = move_positioned(file, io, offset, way);

	count_move(way, result);
	return result;
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
		result = move_counted(file, &io, offset, way);
	if (inotify_is_asked(EVENT_OF(way)))
		tell_moved(file, way, result, 1);
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

/* flags: RWF_*. There is nothing to wait for in a write to memory, nor is anything polled for. */
static int check_rw_flags(const struct file *file, unsigned int flags)
{
	unsigned int known = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_APPEND;

	if (file->operations->traits & FILE_NEVER_WAITS)
		known |= RWF_NOWAIT;
	return flags & ~known ? -EOPNOTSUPP : 0;
}

/* Ranges without bytes: the file is not asked, but it must be of a kind that could be. */
static long move_nothing(const struct file *file, enum direction way)
{
	const struct file_operations *operations = file->operations;

	if (way == MOVE_WRITE)
		return operations->write ? 0 : -EINVAL;
	return operations->read || operations->iterate ? 0 : -EINVAL;
}

static long move_ranges_of(
	int fd, user_t vector, size_t count, int64_t offset, unsigned int flags, enum direction way)
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
	sum = io_get_ranges(vector, count, fast, &ranges);
	if (sum < 0) {
		file_return(borrowed);
		return sum;
	}
	io = io_vector(ranges, (unsigned int)count, (size_t)sum);
	io.append = flags & RWF_APPEND;
	result = allows(file, way) ? move_nothing(file, way) : -EBADF;
	if (!result && sum)
		result = check_rw_flags(file, flags);
	if (result || !sum)
		;
	else if (offset == AT_POSITION)
		result = move(file, &io, way);
	else
		result = move_positioned(file, &io, offset, way);
	if (inotify_is_asked(EVENT_OF(way))) /* Linux's readv tells of the end, too */
		tell_moved(file, way, result, way == MOVE_READ ? 0 : 1);
	if (ranges != fast)
		kfree(ranges);
	file_return(borrowed);
	return result;
}

/* Counted whatever comes of it, as on Linux. */
static long move_ranges(
	int fd, user_t vector, size_t count, int64_t offset, unsigned int flags, enum direction way)
{
	long result = move_ranges_of(fd, vector, count, offset, flags, way);

	count_move(way, result);
	return result;
}

long sys_readv(int fd, user_t vector, size_t count)
{
	return move_ranges(fd, vector, count, AT_POSITION, 0, MOVE_READ);
}

long sys_writev(int fd, user_t vector, size_t count)
{
	return move_ranges(fd, vector, count, AT_POSITION, 0, MOVE_WRITE);
}

long sys_preadv(int fd, user_t vector, size_t count, int64_t offset)
{
	return offset < 0 ? -EINVAL : move_ranges(fd, vector, count, offset, 0, MOVE_READ);
}

long sys_pwritev(int fd, user_t vector, size_t count, int64_t offset)
{
	return offset < 0 ? -EINVAL : move_ranges(fd, vector, count, offset, 0, MOVE_WRITE);
}

/* `high` is for machines of 32 bits. An offset of -1 is the file's position. */
long sys_preadv2(
	int fd, user_t vector, size_t count, int64_t offset, unsigned long high, unsigned int flags)
{
	(void)high;
	if (offset < AT_POSITION)
		return -EINVAL;
	return move_ranges(fd, vector, count, offset, flags, MOVE_READ);
}

long sys_pwritev2(
	int fd, user_t vector, size_t count, int64_t offset, unsigned long high, unsigned int flags)
{
	(void)high;
	if (offset < AT_POSITION)
		return -EINVAL;
	return move_ranges(fd, vector, count, offset, flags, MOVE_WRITE);
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
	} else if (file->operations->traits & FILE_SEEKS_NOWHERE) {
		result = 0;
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
