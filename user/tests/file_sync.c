/* SPDX-License-Identifier: MIT */
/* What programs say of how data will be used and where it is to be, and reads and writes with flags:
 * syncfs, sync_file_range, posix_fadvise, readahead, preadv2, pwritev2; the older calls that set times. */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <utime.h>

#include "file_cases.h"

#define DSYNC  2
#define SYNC   4
#define APPEND 0x10

static int make(const char *name)
{
	int fd = open(name, O_CREAT | O_RDWR, 0644);

	WANT(fd >= 0);
	WANT_IS(write(fd, "0123456789", 10), 10);
	return fd;
}

static void syncs(void)
{
	int fd, ends[2];

	enter();
	fd = make("f");
	WANT_IS(pipe(ends), 0);
	WANT_IS(kernel_call(SYS_syncfs, fd), 0);
	WANT_IS(kernel_call(SYS_syncfs, open(".", O_RDONLY)), 0);
	WANT_IS(kernel_call(SYS_syncfs, open("f", O_PATH)), -EBADF);
	WANT_IS(kernel_call(SYS_syncfs, -1), -EBADF);
	WANT_IS(kernel_call(SYS_sync_file_range, fd, 0L, 0L, 7), 0);
	WANT_IS(kernel_call(SYS_sync_file_range, fd, 5L, 100000L, 2), 0);
	WANT_IS(kernel_call(SYS_sync_file_range, fd, 0L, 0L, 8), -EINVAL);
	WANT_IS(kernel_call(SYS_sync_file_range, fd, -1L, 1L, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_sync_file_range, fd, 0L, -1L, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_sync_file_range, fd, INT64_MAX, 1L, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_sync_file_range, ends[0], 0L, 0L, 0), -ESPIPE);
	WANT_IS(kernel_call(SYS_sync_file_range, ends[0], -1L, 0L, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_sync_file_range, open("f", O_PATH), 0L, 0L, 0), -EBADF);
	WANT_IS(kernel_call(SYS_sync_file_range, open(".", O_RDONLY), 0L, 0L, 0), 0);
}

static void advice(void)
{
	int fd, ends[2];

	enter();
	fd = make("f");
	WANT_IS(pipe(ends), 0);
	for (int way = 0; way < 6; way++)
		WANT_IS(kernel_call(SYS_fadvise64, fd, 0L, 0L, way), 0);
	WANT_IS(kernel_call(SYS_fadvise64, fd, 0L, 0L, 6), -EINVAL);
	WANT_IS(kernel_call(SYS_fadvise64, fd, 0L, 0L, -1), -EINVAL);
	WANT_IS(kernel_call(SYS_fadvise64, fd, 0L, -1L, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_fadvise64, fd, -5L, 1L, 0), 0);
	WANT_IS(kernel_call(SYS_fadvise64, ends[0], 0L, 0L, 0), -ESPIPE);
	WANT_IS(kernel_call(SYS_fadvise64, 99, 0L, 0L, 0), -EBADF);
	WANT_IS(kernel_call(SYS_fadvise64, open(".", O_RDONLY), 0L, 0L, 0), 0);
	WANT_IS(kernel_call(SYS_readahead, fd, 0L, 100L), 0);
	WANT_IS(kernel_call(SYS_readahead, open("f", O_WRONLY), 0L, 100L), -EBADF);
	WANT_IS(kernel_call(SYS_readahead, ends[0], 0L, 100L), -EINVAL);
	WANT_IS(kernel_call(SYS_readahead, open(".", O_RDONLY), 0L, 100L), -EINVAL);
	WANT_IS(kernel_call(SYS_readahead, -1, 0L, 100L), -EBADF);
}

static long rw(long number, int fd, char *text, size_t size, long offset, int flags)
{
	struct iovec parts[2] = {{text, size / 2}, {text + size / 2, size - size / 2}};

	return kernel_call(number, fd, parts, 2, offset, 0, flags);
}

static void with_flags(void)
{
	char text[32] = "abcd";
	int fd, ends[2];

	enter();
	fd = make("f");
	WANT_IS(pipe(ends), 0);
	WANT_IS(rw(SYS_pwritev2, fd, text, 4, 2, 0), 4);
	WANT_IS(rw(SYS_pwritev2, fd, text, 4, 0, APPEND), 4);
	WANT_IS(lseek(fd, 0, SEEK_CUR), 10);
	WANT_IS(rw(SYS_pwritev2, fd, text, 2, -1, APPEND | SYNC), 2);
	WANT_IS(lseek(fd, 0, SEEK_CUR), 16);
	WANT_IS(lseek(fd, 3, SEEK_SET), 3);
	WANT_IS(rw(SYS_pwritev2, fd, text, 1, -1, DSYNC), 1);
	WANT_IS(lseek(fd, 0, SEEK_CUR), 4);
	WANT_IS(rw(SYS_preadv2, fd, text, 32, 0, 0), 16);
	WANT(!memcmp(text, "01aacd6789abcdab", 16));
	WANT_IS(rw(SYS_preadv2, fd, text, 2, -1, 1), 2);
	WANT(!memcmp(text, "cd", 2));
	WANT_IS(lseek(fd, 0, SEEK_CUR), 6);
	WANT_IS(rw(SYS_preadv2, fd, text, 2, 0, 1 << 20), -EOPNOTSUPP);
	WANT_IS(rw(SYS_pwritev2, fd, text, 2, 0, 1 << 20), -EOPNOTSUPP);
	WANT_IS(rw(SYS_preadv2, fd, text, 2, -2, 0), -EINVAL);
	WANT_IS(rw(SYS_preadv2, ends[0], text, 2, 0, 0), -ESPIPE);
	WANT_IS(rw(SYS_pwritev2, ends[1], text, 2, -1, 0), 2);
	WANT_IS(rw(SYS_preadv2, ends[0], text, 2, -1, 0), 2);
	WANT_IS(rw(SYS_preadv2, open("f", O_WRONLY), text, 2, 0, 1 << 20), -EBADF);
	WANT_IS(rw(SYS_preadv2, -1, text, 2, 0, 0), -EBADF);
}

static void times_are(const char *path, long accessed, long nanoseconds, long modified)
{
	struct stat stat;

	WANT_IS(lstat(path, &stat), 0);
	WANT_IS(stat.st_atim.tv_sec, accessed);
	WANT_IS(stat.st_atim.tv_nsec, nanoseconds);
	WANT_IS(stat.st_mtim.tv_sec, modified);
}

static void old_times(void)
{
	struct utimbuf seconds = {1000, 2000};
	struct timeval both[2] = {{3000, 5}, {4000, 999999}};
	int fd, directory;
	struct stat link;
	long mtime;

	enter();
	fd = make("f");
	directory = open(".", O_RDONLY);
	WANT_IS(symlink("f", "l"), 0);
	WANT_IS(lstat("l", &link), 0);
	WANT_IS(kernel_call(SYS_utime, "l", &seconds), 0);
	times_are("f", 1000, 0, 2000);
	mtime = link.st_mtim.tv_sec;
	WANT_IS(lstat("l", &link), 0);
	WANT_IS(link.st_mtim.tv_sec, mtime);
	WANT_IS(kernel_call(SYS_utimes, "f", both), 0);
	times_are("f", 3000, 5000, 4000);
	both[0].tv_sec = 7000;
	WANT_IS(kernel_call(SYS_futimesat, directory, "f", both), 0);
	times_are("f", 7000, 5000, 4000);
	both[1].tv_sec = 8000;
	WANT_IS(kernel_call(SYS_futimesat, fd, NULL, both), 0);
	times_are("f", 7000, 5000, 8000);
	both[1].tv_usec = 1000000;
	WANT_IS(kernel_call(SYS_utimes, "f", both), -EINVAL);
	both[1].tv_usec = -1;
	WANT_IS(kernel_call(SYS_futimesat, -1, NULL, both), -EINVAL);
	both[1].tv_usec = 0;
	WANT_IS(kernel_call(SYS_futimesat, -1, NULL, both), -EBADF);
	WANT_IS(kernel_call(SYS_utime, "none", &seconds), -ENOENT);
	WANT_IS(kernel_call(SYS_utime, "f", BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_utimes, BAD, NULL), -EFAULT);
	WANT_IS(kernel_call(SYS_utime, "f", NULL), 0);
	WANT_IS(stat("f", &link), 0);
	WANT(link.st_mtim.tv_sec > 1000000000 && link.st_atim.tv_sec > 1000000000);
	WANT_IS(chmod("f", 0444), 0);
	WANT_IS(setuid(NOBODY), 0);
	WANT_IS(kernel_call(SYS_utime, "f", &seconds), -EPERM);
	WANT_IS(kernel_call(SYS_utime, "f", NULL), -EACCES);
}

static const struct test_case cases[] = {
	CASE(syncs, "syncfs, sync_file_range"),
	CASE(advice, "posix_fadvise, readahead"),
	CASE(with_flags, "preadv2, pwritev2: RWF_APPEND, positions, errors"),
	CASE(old_times, "utime, utimes, futimesat"),
};

FILE_CASES("file-sync")
