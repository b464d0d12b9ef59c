/* SPDX-License-Identifier: MIT */
/*
 * Opening in ways that few use: files without names, past the page cache, packets in pipes, pipes of
 * other sizes; descriptors in odd ways. In a tmpfs of Linux 6.1: where a later one differs, the case says so.
 */
#include <sys/stat.h>

#include "cases.h"

#define DIRECTORY "/dev/shm"
#define UNSHARE   2
#define CLOEXEC   4
#define MAKE      ((long)(O_RDWR | O_CREAT))
#define NAMELESS  ((long)(O_TMPFILE))

static const char *directory(void)
{
	return access(DIRECTORY, W_OK) ? "/tmp" : DIRECTORY;
}

static const char *at(const char *name)
{
	static char paths[4][200];
	static int turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof paths[0], "%s/file-open-%d-%s", directory(), (int)getppid(), name);
	return path;
}

static int open_at(const char *path, long flags, int mode)
{
	return (int)kernel_call(SYS_open, path, flags, mode);
}

/* ---- close_range ---- */

static long is_open(int fd)
{
	return kernel_call(SYS_fcntl, fd, F_GETFD);
}

static int clone_files_child(void *unused)
{
	WANT_IS(kernel_call(SYS_close_range, 50, 60, UNSHARE), 0);
	WANT_IS(is_open(50), -EBADF);
	WANT_IS(is_open(49), 0);
	WANT_IS(close(49), 0);
	WANT_IS(is_open(49), -EBADF);
	_exit(0);
}

static char stack[65536] __attribute__((aligned(16)));

static void close_range_unshares(void)
{
	pid_t pid;

	WANT_IS(dup2(0, 49), 49);
	WANT_IS(dup2(0, 50), 50);
	pid = clone(clone_files_child, stack + sizeof stack, CLONE_FILES | SIGCHLD, NULL);
	WANT(pid > 0);
	WANT_ENDS(pid, 0);
	WANT_IS(is_open(50), 0); /* the child's table was its own */
	WANT_IS(is_open(49), 0);
}

static void close_range_alone(void)
{
	WANT_IS(dup2(0, 50), 50);
	WANT_IS(kernel_call(SYS_close_range, 50, 60, UNSHARE), 0);
	WANT_IS(is_open(50), -EBADF);
	WANT_IS(dup2(0, 50), 50);
	WANT_IS(kernel_call(SYS_close_range, 50, ~0u, UNSHARE | CLOEXEC), 0);
	WANT_IS(is_open(50), FD_CLOEXEC);
	WANT_IS(kernel_call(SYS_close_range, 50, 60, 1), -EINVAL);
	WANT_IS(kernel_call(SYS_close_range, 60, 50, UNSHARE), -EINVAL);
}

/* ---- dup and fcntl ---- */

static void odd_dups(void)
{
	WANT_IS(kernel_call(SYS_dup3, 0, 0, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_dup3, 77, 77, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_dup3, 0, 5, O_NONBLOCK), -EINVAL);
	WANT_IS(kernel_call(SYS_dup3, 77, 5, 0), -EBADF);
	WANT_IS(kernel_call(SYS_dup3, 0, -1, 0), -EBADF);
	WANT_IS(kernel_call(SYS_dup3, 77, 1 << 30, 0), -EBADF);
	WANT_IS(kernel_call(SYS_dup2, 77, 77), -EBADF);
	WANT_IS(kernel_call(SYS_fcntl, 0, F_DUPFD, 1 << 30), -EINVAL);
	WANT_IS(kernel_call(SYS_fcntl, 0, F_DUPFD, -1), -EINVAL);
	WANT_IS(kernel_call(SYS_fcntl, 0, F_DUPFD, 0x10000000aL) >= 10, 1); /* an int's worth */
	WANT_IS(kernel_call(SYS_fcntl, 77, F_DUPFD, -1), -EBADF);
	WANT_IS(kernel_call(SYS_fcntl, 0, 999), -EINVAL);
	WANT_IS(kernel_call(SYS_fcntl, 77, 999), -EBADF);
}

static void fcntl_of_paths(void)
{
	int fd = open("/", O_PATH | O_CLOEXEC);

	WANT(fd >= 0);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_GETFD), FD_CLOEXEC);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_GETFL), O_PATH);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_SETFL, 0), -EBADF);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_GETPIPE_SZ), -EBADF);
	WANT_IS(kernel_call(SYS_fcntl, fd, 999), -EBADF);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 20), 20);
	WANT_IS(kernel_call(SYS_fcntl, 20, F_GETFL), O_PATH);
}

#define GET_HINT (F_SETLEASE + 11)
#define SET_HINT (F_SETLEASE + 12)

static void hints(void)
{
	int fd = open_at(at("hints"), MAKE, 0666), other = open(at("hints"), O_RDONLY);
	uint64_t hint = 77;

	WANT(fd >= 0 && other >= 0);
	WANT_IS(kernel_call(SYS_fcntl, fd, GET_HINT, &hint), 0);
	WANT_IS(hint, 0);
	hint = 6;
	WANT_IS(kernel_call(SYS_fcntl, fd, SET_HINT, &hint), -EINVAL);
	WANT_IS(kernel_call(SYS_fcntl, fd, SET_HINT, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_fcntl, fd, GET_HINT, BAD), -EFAULT);
	hint = 5;
	WANT_IS(kernel_call(SYS_fcntl, fd, SET_HINT, &hint), 0);
	hint = 77;
	WANT_IS(kernel_call(SYS_fcntl, other, GET_HINT, &hint), 0); /* it is the file's */
	WANT_IS(hint, 5);
}

/* What holds where there are leases and where there are none. */
static void no_leases(void)
{
	int fd = open_at(at("lease"), MAKE, 0666), ends[2];

	WANT(fd >= 0);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_GETLEASE), F_UNLCK);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_SETLEASE, F_UNLCK), -EAGAIN);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_SETLEASE, 99), -EINVAL);
	WANT_IS(pipe(ends), 0);
	WANT_IS(kernel_call(SYS_fcntl, ends[0], F_GETLEASE), F_UNLCK);
	WANT_IS(kernel_call(SYS_fcntl, ends[0], F_SETLEASE, F_RDLCK), -EINVAL);
}

static void setfl_flags(void)
{
	const char *path = at("setfl");
	int fd = open_at(path, MAKE, 0666);

	WANT(fd >= 0);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_SETFL, O_APPEND | O_NOATIME | O_RDONLY | O_TRUNC), 0);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_GETFL), O_RDWR | O_APPEND | O_NOATIME | 0100000);
	if (linux_before(6, 6))
		WANT_IS(kernel_call(SYS_fcntl, fd, F_SETFL, O_DIRECT), -EINVAL);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_SETFL, 0), 0);
	if (become_nobody()) {
		WANT_IS(kernel_call(SYS_fcntl, fd, F_SETFL, O_NOATIME), -EPERM);
		WANT_IS(kernel_call(SYS_fcntl, fd, F_SETFL, O_APPEND), 0);
	}
	unlink(path);
}

/* ---- O_DIRECT ---- */

static void direct(void)
{
	const char *path = at("direct");
	struct stat stat;
	int fd = open_at(path, MAKE, 0666);

	WANT(fd >= 0);
	WANT_IS(write(fd, "text", 4), 4);
	WANT_IS(open_at("/dev/null", O_RDWR | O_DIRECT, 0), -EINVAL);
	WANT_IS(open_at(directory(), O_RDONLY | O_DIRECT, 0), -EINVAL);
	if (linux_before(6, 6)) {
		WANT_IS(open_at(path, O_RDWR | O_TRUNC | O_DIRECT, 0), -EINVAL);
		WANT_IS(fstat(fd, &stat), 0);
		WANT_IS(stat.st_size, 4); /* nothing was cut */
		WANT_IS(unlink(path), 0);
		WANT_IS(open_at(path, MAKE | O_DIRECT, 0666), -EINVAL);
		WANT_IS(access(path, F_OK), 0); /* but it was made */
	}
	WANT_IS(unlink(path), 0);
}

/* ---- O_TMPFILE ---- */

static void nameless_errors(void)
{
	const char *path = at("plain");
	int fd = open_at(path, MAKE, 0666);

	WANT(fd >= 0);
	WANT_IS(open_at(directory(), NAMELESS | O_RDONLY, 0600), -EINVAL);
	WANT_IS(open_at(directory(), NAMELESS | O_RDONLY | O_TRUNC, 0600), -EINVAL);
	WANT_IS(open_at(directory(), (NAMELESS & ~(long)O_DIRECTORY) | O_RDWR, 0600), -EINVAL);
	WANT_IS(open_at(directory(), NAMELESS | O_CREAT | O_RDWR, 0600), -EINVAL);
	WANT_IS(open_at(path, NAMELESS | O_RDWR, 0600), -ENOTDIR);
	WANT_IS(open_at("/none/such", NAMELESS | O_RDWR, 0600), -ENOENT);
	WANT_IS(open_at(BAD, NAMELESS | O_RDONLY, 0600), -EINVAL);
	unlink(path);
	if (become_nobody())
		WANT_IS(open_at("/", NAMELESS | O_RDWR, 0600), -EACCES);
}

static void nameless(void)
{
	const char *path = at("named");
	struct stat stat;
	char text[8] = "";
	int fd = open_at(directory(), NAMELESS | O_RDWR, 0642), other;

	WANT(fd >= 0);
	umask(022);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_GETFL), NAMELESS | O_RDWR | 0100000);
	WANT_IS(fstat(fd, &stat), 0);
	WANT_IS(stat.st_nlink, 0);
	WANT_IS(stat.st_mode & ~022u, S_IFREG | 0640);
	WANT_IS(write(fd, "hello", 5), 5);
	WANT_IS(pread(fd, text, 8, 0), 5);
	WANT_IS(memcmp(text, "hello", 5), 0);
	WANT_IS(kernel_call(SYS_linkat, fd, "", AT_FDCWD, path, AT_EMPTY_PATH), 0);
	WANT_IS(fstat(fd, &stat), 0);
	WANT_IS(stat.st_nlink, 1);
	other = open_at(path, O_RDONLY, 0);
	WANT(other >= 0);
	WANT_IS(read(other, text, 8), 5);
	WANT_IS(unlink(path), 0);
	/* It has had a name: it gets none any more. */
	WANT_IS(kernel_call(SYS_linkat, fd, "", AT_FDCWD, path, AT_EMPTY_PATH), -ENOENT);
}

static void nameless_exclusive(void)
{
	const char *path = at("named");
	int fd = open_at(directory(), NAMELESS | O_WRONLY | O_EXCL, 0600);

	WANT(fd >= 0);
	WANT_IS(kernel_call(SYS_linkat, fd, "", AT_FDCWD, path, AT_EMPTY_PATH), -ENOENT);
	WANT_IS(kernel_call(SYS_read, fd, (char[1]){0}, 1), -EBADF);
}

static void link_needs_capability(void)
{
	const char *path = at("named");
	int fd;

	if (!become_nobody() || !linux_before(6, 10)) /* later: who opened it may, too */
		return;
	fd = open_at(directory(), NAMELESS | O_RDWR, 0600);
	WANT(fd >= 0);
	WANT_IS(kernel_call(SYS_linkat, fd, "", AT_FDCWD, path, AT_EMPTY_PATH), -ENOENT);
}

/* ---- Pipes ---- */

static void packets(void)
{
	int fds[2], left;
	char text[5000];

	WANT_IS(pipe2(fds, O_DIRECT), 0);
	WANT_IS(kernel_call(SYS_fcntl, fds[0], F_GETFL), O_RDONLY);
	WANT_IS(kernel_call(SYS_fcntl, fds[1], F_GETFL), O_WRONLY | O_DIRECT);
	WANT_IS(write(fds[1], "one", 3), 3);
	WANT_IS(write(fds[1], "three", 5), 5);
	WANT_IS(write(fds[1], "", 0), 0);
	WANT_IS(write(fds[1], text, 5000), 5000); /* two packets */
	WANT_IS(kernel_call(SYS_ioctl, fds[0], 0x541b, &left), 0);
	WANT_IS(left, 5008);
	WANT_IS(read(fds[0], text, 100), 3);
	WANT_IS(read(fds[0], text, 2), 2); /* the rest is lost */
	WANT_IS(read(fds[0], text, 5000), 4096);
	WANT_IS(read(fds[0], text, 5000), 904);
	WANT_IS(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	WANT_IS(kernel_call(SYS_read, fds[0], text, 1), -EAGAIN);
}

static void packets_switched_on(void)
{
	int fds[2];
	char text[100];
	long got;

	WANT_IS(pipe2(fds, O_NONBLOCK), 0);
	WANT_IS(write(fds[1], "aa", 2), 2);
	WANT_IS(fcntl(fds[1], F_SETFL, O_DIRECT), 0);
	WANT_IS(write(fds[1], "bb", 2), 2); /* behind bytes that are no packet: none */
	WANT_IS(write(fds[1], "cc", 2), 2);
	WANT_IS(read(fds[0], text, 100), 6);
	WANT_IS(memcmp(text, "aabbcc", 6), 0);
	WANT_IS(write(fds[1], "dd", 2), 2);
	WANT_IS(fcntl(fds[1], F_SETFL, 0), 0);
	WANT_IS(write(fds[1], "eeee", 4), 4); /* a packet's end is its end */
	WANT_IS(read(fds[0], text, 100), 2);
	WANT_IS(read(fds[0], text, 100), 4);
	WANT_IS(kernel_call(SYS_pipe2, fds, O_APPEND), -EINVAL);
	got = kernel_call(SYS_pipe2, fds, O_EXCL); /* notifications, which a kernel may lack */
	WANT(got == 0 || got == -ENOPKG);
}

static long set_size(int fd, long size)
{
	return kernel_call(SYS_fcntl, fd, F_SETPIPE_SZ, size);
}

static void pipe_sizes(void)
{
	static char page[65536];
	int fds[2], null = open("/dev/null", O_RDWR);

	WANT_IS(pipe2(fds, O_NONBLOCK), 0);
	WANT_IS(set_size(null, 4096), -EBADF);
	WANT_IS(set_size(fds[0], 5000), 8192);
	WANT_IS(kernel_call(SYS_fcntl, fds[1], F_GETPIPE_SZ), 8192);
	WANT_IS(write(fds[1], page, 65536), 8192);
	WANT_IS(kernel_call(SYS_write, fds[1], page, 1), -EAGAIN);
	WANT_IS(set_size(fds[0], 4096), -EBUSY);
	WANT_IS(set_size(fds[1], 1 << 20), 1 << 20);
	for (int i = 0; i < 15; i++)
		WANT_IS(write(fds[1], page, 65536), 65536);
	WANT_IS(write(fds[1], page, 65536), 65536 - 8192);
	for (int i = 0; i < 16; i++)
		WANT_IS(read(fds[0], page, 65536), 65536);
	WANT_IS(set_size(fds[0], 0), 4096);
	WANT_IS(set_size(fds[0], 0x80000001), -EINVAL);
	WANT_IS(set_size(fds[0], 0x100000001), 4096); /* an int's worth */
	if (become_nobody()) {
		WANT_IS(set_size(fds[0], (1 << 20) + 1), -EPERM);
		WANT_IS(set_size(fds[0], 1 << 20), 1 << 20);
	}
}

static void slots_not_bytes(void)
{
	static char page[4096];
	struct pollfd polled;
	int fds[2], count = 0;

	WANT_IS(pipe2(fds, O_NONBLOCK | O_DIRECT), 0);
	while (kernel_call(SYS_write, fds[1], page, 1) == 1)
		count++;
	WANT_IS(count, 16); /* each byte has a page of its own */
	polled = (struct pollfd){fds[1], POLLOUT, 0};
	WANT_IS(poll(&polled, 1, 0), 0);
	WANT_IS(read(fds[0], page, 1), 1);
	WANT_IS(poll(&polled, 1, 0), 1);
	WANT_IS(set_size(fds[0], 65536 * 2), 65536 * 2);
	WANT_IS(write(fds[1], page, 4096), 4096);
}

static int one_slot[2];

static void fill_twice(void)
{
	static char page[4096];

	WANT_IS(close(one_slot[0]), 0);
	WANT_IS(write(one_slot[1], page, 4096), 4096);
	WANT_IS(write(one_slot[1], page, 4096), 4096); /* waits for the reader */
}

/* A pipe that has been used keeps what it needs for the next write: that must not hide its end. */
static void used_pipe(void)
{
	static char page[4096];
	struct pollfd polled;
	int fds[2];
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	WANT_IS(pipe(fds), 0);
	WANT_IS(write(fds[1], page, 10), 10);
	WANT_IS(read(fds[0], page, 4), 4);
	WANT_IS(read(fds[0], page, 100), 6);
	WANT_IS(close(fds[0]), 0);
	WANT_IS(kernel_call(SYS_write, fds[1], page, 10), -EPIPE);

	WANT_IS(pipe(one_slot), 0);
	WANT_IS(set_size(one_slot[0], 4096), 4096);
	pid = start(fill_twice);
	polled = (struct pollfd){one_slot[1], POLLOUT, 0};
	while (poll(&polled, 1, 0) == 1) /* until the first page is there */
		sched_yield();
	WANT_IS(read(one_slot[0], page, 4096), 4096);
	WANT_IS(read(one_slot[0], page, 4096), 4096);
	WANT_ENDS(pid, 0);
	WANT_IS(poll(&polled, 1, 0), 1);
}

static void unreadable_memory(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fds[2], left;

	WANT(page != MAP_FAILED);
	WANT_IS(munmap(page + 4096, 4096), 0);
	WANT_IS(pipe2(fds, O_NONBLOCK), 0);
	WANT_IS(kernel_call(SYS_write, fds[1], page + 4090, 10), -EFAULT);
	WANT_IS(kernel_call(SYS_read, fds[0], page, 10), -EAGAIN);
	WANT_IS(write(fds[1], "0123456789", 10), 10);
	WANT_IS(kernel_call(SYS_write, fds[1], page + 4090, 10), -EFAULT);
	WANT_IS(kernel_call(SYS_read, fds[0], page + 4090, 10), -EFAULT);
	WANT_IS(kernel_call(SYS_ioctl, fds[0], 0x541b, &left), 0);
	WANT_IS(left, 10); /* nothing was lost */
	WANT_IS(read(fds[0], page, 100), 10);
	WANT_IS(memcmp(page, "0123456789", 10), 0);
	WANT_IS(kernel_call(SYS_write, fds[1], page + 4090, 10), -EFAULT); /* with a page at hand */
	WANT_IS(kernel_call(SYS_read, fds[0], page, 10), -EAGAIN);
}

static const struct test_case cases[] = {
	CASE(close_range_unshares, "close_range: CLOSE_RANGE_UNSHARE leaves the others' table"),
	CASE(close_range_alone, "close_range: CLOSE_RANGE_UNSHARE of a table of one's own"),
	CASE(odd_dups, "dup3, F_DUPFD: EINVAL, EBADF in order"),
	CASE(fcntl_of_paths, "fcntl: what O_PATH allows"),
	CASE(setfl_flags, "F_SETFL: what it changes, O_DIRECT, O_NOATIME"),
	CASE(hints, "F_SET_RW_HINT, F_GET_RW_HINT"),
	CASE(no_leases, "F_GETLEASE, F_SETLEASE: where nobody has one"),
	CASE(direct, "O_DIRECT: EINVAL where there is no way around pages"),
	CASE(nameless_errors, "O_TMPFILE: EINVAL, ENOTDIR, EACCES"),
	CASE(nameless, "O_TMPFILE: a file without a name gets one"),
	CASE(nameless_exclusive, "O_TMPFILE: with O_EXCL it gets none"),
	CASE(link_needs_capability, "linkat: AT_EMPTY_PATH needs CAP_DAC_READ_SEARCH"),
	CASE(packets, "pipe2: O_DIRECT makes packets"),
	CASE(packets_switched_on, "F_SETFL: O_DIRECT switches packets on and off"),
	CASE(pipe_sizes, "F_SETPIPE_SZ"),
	CASE(slots_not_bytes, "pipe: full when its pages are used"),
	CASE(used_pipe, "pipe: EPIPE and a writer that waits, after use"),
	CASE(unreadable_memory, "pipe: EFAULT loses and keeps nothing"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
