/* SPDX-License-Identifier: MIT */
/*
 * What the system calls on files do, to the errno. Runs as root, unchanged, on Linux (the reference)
 * and on Baton, in an empty directory of a tmpfs; and, linked with the kernel's own file code, as a
 * unit test on the host (kernel/files/files_test.c), where `raw` is that code's.
 *
 * Prints `ok N GROUP` or `not ok N GROUP`, with a line `# line L WHAT: found ..., expected ...` before
 * it for each point that does not hold, and exits with 1 when any did not. Every call goes in as it
 * is, past the C library, and comes back as a negative errno.
 */
#include "files_check.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

int sigpipe_kills;

static int failed, passed;

void files_is(int line, const char *what, long found, long expected)
{
	if (found == expected) {
		passed++;
		return;
	}
	failed++;
	printf("# line %d %s: found %ld, expected %ld\n", line, what, found, expected);
}

void files_group(const char *name)
{
	static const char *last;
	static int failed_before, groups;

	if (last)
		printf("%sok %d %s\n", failed == failed_before ? "" : "not ", ++groups, last);
	if (!name)
		printf("1..%d\n", groups);
	last = name;
	failed_before = failed;
}

int make_file(const char *path, const char *text)
{
	int fd = (int)CALL(open, P(path), O_CREAT | O_TRUNC | O_RDWR, 0644);

	IS(CALL(write, fd, P(text), (long)strlen(text)), (long)strlen(text));
	IS(CALL(lseek, fd, 0, SEEK_SET), 0);
	return fd;
}

struct stat stat_of(const char *path)
{
	struct stat st;

	memset(&st, 0, sizeof st);
	IS(CALL(lstat, P(path), P(&st)), 0);
	return st;
}

static void test_open(void)
{
	int fd;

	files_group("open");
	IS(CALL(open, P("none"), O_RDONLY, 0), -ENOENT);
	IS(CALL(open, P(""), O_RDONLY, 0), -ENOENT);
	IS(CALL(open, BAD, O_RDONLY, 0), -EFAULT);
	fd = make_file("a", "hello");
	IS(fd, CALL(dup, fd) - 1);
	IS(CALL(close, fd + 1), 0);
	IS(CALL(close, fd + 1), -EBADF);
	IS(CALL(close, fd), 0);
	IS(CALL(open, P("a"), O_CREAT | O_EXCL | O_RDWR, 0644), -EEXIST);
	IS(CALL(open, P("a/"), O_RDONLY, 0), -ENOTDIR);
	IS(CALL(open, P("a/b"), O_RDONLY, 0), -ENOTDIR);
	IS(CALL(open, P("a"), O_RDONLY | O_DIRECTORY, 0), -ENOTDIR);
	IS(CALL(open, P("new/"), O_CREAT | O_RDWR, 0644), -EISDIR);
	IS(CALL(open, P("none/new"), O_CREAT | O_RDWR, 0644), -ENOENT);
	IS(CALL(open, P("."), O_RDWR, 0), -EISDIR);
	IS(CALL(open, P("."), O_CREAT | O_RDONLY, 0), -EISDIR);
	IS(CALL(openat, 1000, P("a"), O_RDONLY, 0), -EBADF);
	fd = (int)CALL(open, P("a"), O_RDONLY, 0);
	IS(CALL(openat, fd, P("b"), O_RDONLY, 0), -ENOTDIR);
	IS(CALL(write, fd, P("x"), 1), -EBADF);
	IS(CALL(close, fd), 0);
	fd = (int)CALL(open, P("a"), O_WRONLY | O_TRUNC, 0);
	IS(CALL(read, fd, P(&fd), 1), -EBADF);
	IS(stat_of("a").st_size, 0);
	IS(CALL(fcntl, fd, F_GETFL, 0) & O_ACCMODE, O_WRONLY);
	IS(CALL(close, fd), 0);
	fd = (int)CALL(open, P("a"), O_PATH, 0);
	IS(CALL(read, fd, P(&fd), 1), -EBADF);
	IS(CALL(close, fd), 0);
	IS(CALL(unlink, P("a")), 0);
}

static void test_read_write(void)
{
	char buffer[64] = "";
	struct iovec vector[3] = {{buffer, 2}, {NULL, 0}, {buffer + 2, 3}};
	int fd = make_file("f", "0123456789");

	files_group("read and write");
	IS(CALL(read, fd, P(buffer), 4), 4);
	HOLDS(!memcmp(buffer, "0123", 4));
	IS(CALL(lseek, fd, -2, SEEK_CUR), 2);
	IS(CALL(pread64, fd, P(buffer), 3, 5), 3);
	HOLDS(!memcmp(buffer, "567", 3));
	IS(CALL(readv, fd, P(vector), 3), 5);
	HOLDS(!memcmp(buffer, "23456", 5));
	IS(CALL(read, fd, P(buffer), 64), 3);
	IS(CALL(read, fd, P(buffer), 64), 0);
	IS(CALL(pwrite64, fd, P("ab"), 2, 1), 2);
	IS(CALL(lseek, fd, 0, SEEK_CUR), 10);
	IS(CALL(pread64, fd, P(buffer), 4, 0), 4);
	HOLDS(!memcmp(buffer, "0ab3", 4));
	vector[0].iov_base = (void *)"xy";
	vector[2].iov_base = (void *)"zzz";
	IS(CALL(writev, fd, P(vector), 3), 5);
	IS(stat_of("f").st_size, 15);
	IS(CALL(pread64, fd, P(buffer), 4, -1), -EINVAL);
	IS(CALL(read, fd, P(buffer), -1), -EFAULT);
	IS(CALL(lseek, fd, 0, SEEK_SET), 0);
	IS(CALL(read, fd, BAD, 4), -EFAULT);
	IS(CALL(write, fd, BAD, 4), -EFAULT);
	IS(CALL(writev, fd, P(vector), 2000), -EINVAL);
	IS(CALL(writev, fd, BAD, 2), -EFAULT);
	vector[0].iov_len = (size_t)-1;
	IS(CALL(writev, fd, P(vector), 1), -EINVAL);
	IS(CALL(writev, fd, P(vector), 0), 0);
	IS(CALL(read, 1000, P(buffer), 1), -EBADF);
	IS(CALL(lseek, fd, -1, SEEK_SET), -EINVAL);
	IS(CALL(lseek, fd, 0, 9), -EINVAL);
	IS(CALL(lseek, fd, INT64_MAX, SEEK_SET), INT64_MAX);
	IS(CALL(lseek, fd, 1, SEEK_CUR), -EINVAL);
	IS(CALL(lseek, fd, INT64_MAX, SEEK_END), -EINVAL);
	IS(CALL(lseek, fd, 5, SEEK_END), 20);
	IS(CALL(close, fd), 0);
	fd = (int)CALL(open, P("f"), O_WRONLY | O_APPEND, 0);
	IS(CALL(write, fd, P("!"), 1), 1);
	IS(CALL(lseek, fd, 0, SEEK_CUR), 16);
	IS(CALL(fcntl, fd, F_SETFL, 0), 0);
	IS(CALL(pwrite64, fd, P("?"), 1, 0), 1);
	IS(stat_of("f").st_size, 16);
	IS(CALL(close, fd), 0);
	IS(CALL(unlink, P("f")), 0);
}

static void test_sparse(void)
{
	static char page[8192], zeros[8192];
	struct stat st;
	int fd = (int)CALL(open, P("s"), O_CREAT | O_RDWR, 0600);

	files_group("sparse files and sizes");
	IS(CALL(pwrite64, fd, P("end"), 3, 1000000), 3);
	IS(stat_of("s").st_size, 1000003);
	HOLDS(stat_of("s").st_blocks <= 16);
	memset(page, 1, sizeof page);
	IS(CALL(pread64, fd, P(page), sizeof page, 500000), sizeof page);
	HOLDS(!memcmp(page, zeros, sizeof page));
	IS(CALL(lseek, fd, 0, SEEK_DATA), 999424);
	IS(CALL(lseek, fd, 0, SEEK_HOLE), 0);
	IS(CALL(lseek, fd, 999500, SEEK_HOLE), 1000003);
	IS(CALL(lseek, fd, 2000000, SEEK_DATA), -ENXIO);
	IS(CALL(ftruncate, fd, 1000001), 0);
	IS(CALL(ftruncate, fd, 1000010), 0);
	IS(CALL(pread64, fd, P(page), 10, 1000000), 10);
	HOLDS(page[0] == 'e' && !memcmp(page + 1, zeros, 9));
	IS(CALL(ftruncate, fd, -1), -EINVAL);
	IS(CALL(truncate, P("s"), 5), 0);
	IS(CALL(truncate, P("."), 5), -EISDIR);
	IS(CALL(truncate, P("none"), 5), -ENOENT);
	IS(CALL(fstat, fd, P(&st)), 0);
	IS(st.st_size, 5);
	IS(st.st_blksize, 4096);
	IS(CALL(ftruncate, fd, 0x7fffffffffffffff), 0);
	IS(CALL(pwrite64, fd, P("x"), 1, 0x7fffffffffffffff), -EINVAL);
	IS(CALL(pread64, fd, P(page), 1, 0x7fffffffffffffff), -EINVAL);
	IS(CALL(pread64, fd, P(page), 1, 0x7ffffffffffffff0), 1);
	IS(CALL(ftruncate, fd, 0), 0);
	IS(CALL(close, fd), 0);
	fd = (int)CALL(open, P("s"), O_RDONLY, 0);
	IS(CALL(ftruncate, fd, 0), -EINVAL);
	IS(CALL(close, fd), 0);
	IS(CALL(unlink, P("s")), 0);
}

static void test_descriptors(void)
{
	int fd = make_file("f", "abc"), low;

	files_group("descriptors");
	low = (int)CALL(dup, fd);
	IS(CALL(lseek, low, 2, SEEK_SET), 2);
	IS(CALL(lseek, fd, 0, SEEK_CUR), 2);
	IS(CALL(dup2, fd, 700), 700);
	IS(CALL(dup2, 700, 700), 700);
	IS(CALL(dup3, fd, fd, 0), -EINVAL);
	IS(CALL(dup3, fd, 701, O_CLOEXEC), 701);
	IS(CALL(dup3, fd, 701, O_APPEND), -EINVAL);
	IS(CALL(fcntl, 701, F_GETFD, 0), FD_CLOEXEC);
	IS(CALL(fcntl, 700, F_GETFD, 0), 0);
	IS(CALL(fcntl, 700, F_SETFD, FD_CLOEXEC), 0);
	IS(CALL(fcntl, 700, F_GETFD, 0), FD_CLOEXEC);
	IS(CALL(fcntl, fd, F_DUPFD, 700), 702);
	IS(CALL(fcntl, fd, F_DUPFD_CLOEXEC, 700), 703);
	IS(CALL(fcntl, 703, F_GETFD, 0), FD_CLOEXEC);
	IS(CALL(fcntl, fd, F_DUPFD, -1), -EINVAL);
	IS(CALL(fcntl, fd, 9999, 0), -EINVAL);
	IS(CALL(fcntl, 1000, F_GETFD, 0), -EBADF);
	IS(CALL(fcntl, fd, F_SETFL, O_APPEND | O_NONBLOCK), 0);
	IS(CALL(fcntl, low, F_GETFL, 0) & (O_APPEND | O_NONBLOCK), O_APPEND | O_NONBLOCK);
	IS(CALL(dup2, 999, 5), -EBADF);
	IS(CALL(dup2, fd, -1), -EBADF);
	IS(CALL(dup, 999), -EBADF);
	IS(CALL(close_range, 5, 4, 0), -EINVAL);
	IS(CALL(close_range, 700, 703, 0), 0);
	IS(CALL(close, 702), -EBADF);
	IS(CALL(close, low), 0);
	IS(CALL(ioctl, fd, TIOCGWINSZ, 0), -ENOTTY);
	IS(CALL(ioctl, fd, TCGETS, 0), -ENOTTY);
	IS(CALL(ioctl, 1000, FIOCLEX, 0), -EBADF);
	IS(CALL(ioctl, fd, FIOCLEX, 0), 0);
	IS(CALL(fcntl, fd, F_GETFD, 0), FD_CLOEXEC);
	IS(CALL(close, fd), 0);
	IS(CALL(unlink, P("f")), 0);
}

static void pipe_calls(const int fds[2])
{
	struct pollfd poll[2] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN | POLLOUT, 0}};
	struct stat st;
	char bytes[100];
	int count = 0;

	IS(CALL(fstat, fds[0], P(&st)), 0);
	IS(st.st_mode, S_IFIFO | 0600);
	IS(CALL(read, fds[0], P(bytes), 1), -EAGAIN);
	IS(CALL(read, fds[1], P(bytes), 1), -EBADF);
	IS(CALL(write, fds[0], P(bytes), 1), -EBADF);
	IS(CALL(lseek, fds[0], 0, SEEK_SET), -ESPIPE);
	IS(CALL(pread64, fds[0], P(bytes), 1, 0), -ESPIPE);
	IS(CALL(write, fds[1], P("hello"), 5), 5);
	IS(CALL(ioctl, fds[0], FIONREAD, P(&count)), 0);
	IS(count, 5);
	IS(CALL(poll, P(poll), 2, 1000), 2);
	IS(poll[0].revents, POLLIN);
	IS(poll[1].revents, POLLOUT);
	IS(CALL(read, fds[0], P(bytes), 100), 5);
	HOLDS(!memcmp(bytes, "hello", 5));
}

/* More than it holds, and writes that are done whole or not at all. */
static void pipe_full(const int fds[2])
{
	static char bytes[70000];

	for (int i = 0; i < 70000; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	IS(CALL(fcntl, fds[0], F_GETPIPE_SZ, 0), 65536);
	IS(CALL(write, fds[1], P(bytes), 70000), 65536);
	IS(CALL(write, fds[1], P(bytes), 1), -EAGAIN);
	IS(CALL(read, fds[0], P(bytes), 4095), 4095);
	IS(CALL(write, fds[1], P(bytes), 4096), -EAGAIN);
	IS(CALL(read, fds[0], P(bytes + 4095), 65000), 61441);
	for (int i = 0; i < 65536; i++) {
		if (bytes[i] != (char)(i * 7 + i / 251)) {
			IS(i, -1);
			break;
		}
	}
	IS(CALL(read, fds[0], P(bytes), 1), -EAGAIN);
}

/* One end, then the other, with nobody behind it. */
static void pipe_ends(int fds[2])
{
	struct pollfd poll = {fds[0], POLLIN, 0};
	char byte;

	IS(CALL(close, fds[1]), 0);
	IS(CALL(read, fds[0], P(&byte), 1), 0);
	IS(CALL(poll, P(&poll), 1, 0), 1);
	IS(poll.revents, POLLHUP);
	IS(CALL(close, fds[0]), 0);
	IS(CALL(pipe, P(fds)), 0);
	IS(CALL(close, fds[0]), 0);
	if (!sigpipe_kills)
		IS(CALL(write, fds[1], P("x"), 1), -EPIPE);
	poll = (struct pollfd){fds[1], POLLOUT, 0};
	IS(CALL(poll, P(&poll), 1, 0), 1);
	IS(poll.revents, POLLOUT | POLLERR);
	IS(CALL(close, fds[1]), 0);
	poll = (struct pollfd){1000, POLLIN, 0};
	IS(CALL(poll, P(&poll), 1, 0), 1);
	IS(poll.revents, POLLNVAL);
	IS(CALL(poll, 0, 0, 1), 0);
}

static void test_pipe(void)
{
	int fds[2];

	files_group("pipes");
	IS(CALL(pipe2, P(fds), 12345), -EINVAL);
	IS(CALL(pipe2, BAD, 0), -EFAULT);
	IS(CALL(pipe2, P(fds), O_NONBLOCK), 0);
	pipe_calls(fds);
	pipe_full(fds);
	pipe_ends(fds);
}

static void test_fifo(void)
{
	char byte = 0;
	int reader, writer;

	files_group("FIFOs");
	IS(CALL(mknod, P("fifo"), S_IFIFO | 0644, 0), 0);
	IS(CALL(mknod, P("fifo"), S_IFIFO | 0644, 0), -EEXIST);
	HOLDS(S_ISFIFO(stat_of("fifo").st_mode));
	IS(CALL(open, P("fifo"), O_WRONLY | O_NONBLOCK, 0), -ENXIO);
	reader = (int)CALL(open, P("fifo"), O_RDONLY | O_NONBLOCK, 0);
	HOLDS(reader >= 0);
	IS(CALL(read, reader, P(&byte), 1), 0);
	writer = (int)CALL(open, P("fifo"), O_WRONLY | O_NONBLOCK, 0);
	HOLDS(writer >= 0);
	IS(CALL(read, reader, P(&byte), 1), -EAGAIN);
	IS(CALL(write, writer, P("z"), 1), 1);
	IS(CALL(close, writer), 0);
	IS(CALL(read, reader, P(&byte), 1), 1);
	IS(byte, 'z');
	IS(CALL(read, reader, P(&byte), 1), 0);
	IS(CALL(close, reader), 0);
	IS(CALL(unlink, P("fifo")), 0);
}

static void test_attributes(void)
{
	struct timespec times[2] = {{1000000000, 5}, {1500000000, 999999999}};
	struct stat st;
	int fd;

	files_group("attributes");
	IS(CALL(umask, 027), 022);
	IS(CALL(close, (int)CALL(open, P("f"), O_CREAT | O_RDWR, 0666)), 0);
	IS(stat_of("f").st_mode, S_IFREG | 0640);
	IS(CALL(umask, 022), 027);
	IS(CALL(chmod, P("f"), 04751), 0);
	IS(stat_of("f").st_mode, S_IFREG | 04751);
	IS(CALL(chown, P("f"), 12, 34), 0);
	IS(stat_of("f").st_uid, 12);
	IS(stat_of("f").st_gid, 34);
	IS(stat_of("f").st_mode, S_IFREG | 0751);
	IS(CALL(chown, P("f"), -1, -1), 0);
	IS(stat_of("f").st_uid, 12);
	IS(CALL(chmod, P("f"), 0), 0);
	IS(CALL(access, P("f"), R_OK | W_OK), 0); /* root */
	IS(CALL(access, P("f"), X_OK), -EACCES);
	IS(CALL(access, P("f"), 8), -EINVAL);
	IS(CALL(faccessat, AT_FDCWD, P("f"), F_OK), 0);
	IS(CALL(access, P("none"), F_OK), -ENOENT);
	IS(CALL(utimensat, AT_FDCWD, P("f"), P(times), 0), 0);
	st = stat_of("f");
	IS(st.st_atim.tv_sec, 1000000000);
	IS(st.st_mtim.tv_nsec, 999999999);
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_nsec = 1000000000;
	IS(CALL(utimensat, AT_FDCWD, P("f"), P(times), 0), -EINVAL);
	fd = (int)CALL(open, P("f"), O_RDONLY, 0);
	IS(CALL(fchmod, fd, 0600), 0);
	IS(CALL(fchown, fd, 0, 0), 0);
	IS(CALL(newfstatat, fd, P(""), P(&st), AT_EMPTY_PATH), 0);
	IS(st.st_mode, S_IFREG | 0600);
	IS(CALL(newfstatat, fd, P(""), P(&st), 0), -ENOENT);
	IS(CALL(newfstatat, AT_FDCWD, P("f"), P(&st), 0x8000000), -EINVAL);
	IS(CALL(stat, P("f"), BAD), -EFAULT);
	IS(CALL(fstat, 1000, P(&st)), -EBADF);
	IS(CALL(fsync, fd), 0);
	IS(CALL(close, fd), 0);
	IS(CALL(unlink, P("f")), 0);
}

static void test_unlinked(void)
{
	struct stat st;
	char text[8];
	int fd = make_file("gone", "still");

	files_group("files without a name");
	IS(CALL(unlink, P("gone")), 0);
	IS(CALL(read, fd, P(text), 8), 5);
	IS(CALL(fstat, fd, P(&st)), 0);
	IS(st.st_nlink, 0);
	IS(CALL(write, fd, P("more"), 4), 4);
	IS(CALL(close, fd), 0);
}

static void test_devices(void)
{
	char bytes[16] = "xxxxxxxxxxxxxxx";
	struct stat st;
	int fd = (int)CALL(open, P("/dev/null"), O_RDWR, 0);

	files_group("devices");
	IS(CALL(write, fd, P("x"), 1), 1);
	IS(CALL(read, fd, P(bytes), 16), 0);
	IS(CALL(write, fd, BAD, 4), -EFAULT);
	IS(CALL(fstat, fd, P(&st)), 0);
	IS(st.st_mode, S_IFCHR | 0666);
	IS(st.st_rdev, 0x103);
	IS(CALL(close, fd), 0);
	fd = (int)CALL(open, P("/dev/zero"), O_RDONLY, 0);
	IS(CALL(read, fd, P(bytes), 16), 16);
	IS(bytes[0] | bytes[15], 0);
	IS(CALL(close, fd), 0);
	fd = (int)CALL(open, P("/dev/full"), O_RDWR, 0);
	IS(CALL(write, fd, P("x"), 1), -ENOSPC);
	IS(CALL(read, fd, P(bytes), 1), 1);
	IS(CALL(close, fd), 0);
	fd = (int)CALL(open, P("/dev/urandom"), O_RDONLY, 0);
	IS(CALL(read, fd, P(bytes), 16), 16);
	IS(CALL(close, fd), 0);
	IS(CALL(mknod, P("odd"), S_IFCHR | 0600, 0xefe), 0);
	IS(CALL(open, P("odd"), O_RDONLY, 0), -ENXIO);
	IS(CALL(unlink, P("odd")), 0);
}

static void test_sendfile(void)
{
	static char big[10000], back[10000];
	long offset = 3;
	int in, out;

	files_group("sendfile");
	for (int i = 0; i < 10000; i++)
		big[i] = (char)(i % 253);
	in = (int)CALL(open, P("in"), O_CREAT | O_RDWR, 0600);
	out = (int)CALL(open, P("out"), O_CREAT | O_RDWR, 0600);
	IS(CALL(write, in, P(big), 10000), 10000);
	IS(CALL(sendfile, out, in, P(&offset), 20000), 9997);
	IS(offset, 10000);
	IS(CALL(pread64, out, P(back), 10000, 0), 9997);
	HOLDS(!memcmp(back, big + 3, 9997));
	IS(CALL(sendfile, out, in, 0, 10), 0);
	IS(CALL(sendfile, out, 1000, 0, 10), -EBADF);
	/* From a file to itself, by its own position: each byte to where it was. */
	IS(CALL(lseek, in, 5, SEEK_SET), 5);
	IS(CALL(sendfile, in, in, 0, 6000), 6000);
	IS(CALL(lseek, in, 0, SEEK_CUR), 6005);
	IS(CALL(pread64, in, P(back), 10000, 0), 10000);
	HOLDS(!memcmp(back, big, 10000));
	IS(CALL(close, in), 0);
	IS(CALL(close, out), 0);
	IS(CALL(unlink, P("in")), 0);
	IS(CALL(unlink, P("out")), 0);
}

int test_files(const char *directory)
{
	if (CALL(mkdir, P(directory), 0700) || CALL(chdir, P(directory))) {
		printf("not ok 1 cannot make and enter %s\n", directory);
		return 1;
	}
	test_open();
	test_read_write();
	test_sparse();
	test_file_names();
	test_descriptors();
	test_pipe();
	test_fifo();
	test_attributes();
	test_unlinked();
	test_devices();
	test_sendfile();
	files_group("nothing left behind");
	IS(CALL(chdir, P("/")), 0);
	IS(CALL(rmdir, P(directory)), 0);
	files_group(NULL);
	printf("# %d held, %d did not\n", passed, failed);
	return failed != 0;
}
