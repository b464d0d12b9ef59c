/* SPDX-License-Identifier: MIT */
/* Copies inside the kernel: sendfile, copy_file_range, splice, tee, vmsplice. */
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "file_cases.h"

static char pattern(size_t at)
{
	return (char)(at * 7 + at / 4096);
}

/* A file of `size` bytes of the pattern, at position 0. */
static int make(const char *name, size_t size)
{
	int fd = open(name, O_CREAT | O_RDWR | O_TRUNC, 0644);
	char *text = malloc(size + 1);

	WANT(fd >= 0 && text);
	for (size_t i = 0; i < size; i++)
		text[i] = pattern(i);
	WANT_IS(write(fd, text, size), (long)size);
	WANT_IS(lseek(fd, 0, SEEK_SET), 0);
	free(text);
	return fd;
}

/* `size` bytes of the file at `at` are the pattern from `from` on. */
static bool has(int fd, off_t at, size_t from, size_t size)
{
	char *text = malloc(size);
	bool good = pread(fd, text, size, at) == (ssize_t)size;

	for (size_t i = 0; good && i < size; i++)
		good = text[i] == pattern(from + i);
	free(text);
	return good;
}

static off_t size_of(int fd)
{
	struct stat found;

	WANT_IS(fstat(fd, &found), 0);
	return found.st_size;
}

static off_t position(int fd)
{
	return lseek(fd, 0, SEEK_CUR);
}

static long copy(int in, off_t *in_at, int out, off_t *out_at, size_t count, unsigned flags)
{
	return kernel_call(SYS_copy_file_range, in, in_at, out, out_at, count, flags);
}

static long send(int out, int in, off_t *at, size_t count)
{
	return kernel_call(SYS_sendfile, out, in, at, count);
}

static long glue(int in, off_t *in_at, int out, off_t *out_at, size_t count, unsigned flags)
{
	return kernel_call(SYS_splice, in, in_at, out, out_at, count, flags);
}

static void make_pipe(int fds[2], int flags)
{
	WANT_IS(pipe2(fds, flags), 0);
}

/* ---- copy_file_range ---- */

static void copies(void)
{
	off_t in_at = 5000, out_at = 100;
	int in, out;

	enter();
	in = make("in", 20000);
	out = make("out", 0);
	WANT_IS(copy(in, NULL, out, NULL, 8000, 0), 8000);
	WANT_IS(position(in), 8000);
	WANT_IS(position(out), 8000);
	WANT(has(out, 0, 0, 8000));
	WANT_IS(copy(in, NULL, out, NULL, 1 << 20, 0), 12000);
	WANT(has(out, 0, 0, 20000));
	WANT_IS(copy(in, NULL, out, NULL, 100, 0), 0);
	WANT_IS(copy(in, &in_at, out, &out_at, 9000, 0), 9000);
	WANT_IS(in_at, 14000);
	WANT_IS(out_at, 9100);
	WANT_IS(position(in), 20000);
	WANT(has(out, 100, 5000, 9000) && has(out, 0, 0, 100) && has(out, 9100, 9100, 10000));
	in_at = 0;
	out_at = 30000;
	WANT_IS(copy(in, &in_at, out, &out_at, 10, 0), 10);
	WANT_IS(size_of(out), 30010);
	in_at = 50000;
	WANT_IS(copy(in, &in_at, out, NULL, 10, 0), 0);
	WANT_IS(copy(in, NULL, out, NULL, 0, 0), 0);
}

static void copies_within(void)
{
	off_t from = 0, to = 10000;
	int fd;

	enter();
	fd = make("file", 12000);
	WANT_IS(copy(fd, &from, fd, &to, 10000, 0), 10000);
	WANT(has(fd, 0, 0, 10000) && has(fd, 10000, 0, 10000));
	from = 0;
	to = 9999;
	WANT_IS(copy(fd, &from, fd, &to, 10000, 0), -EINVAL);
	from = 9999;
	to = 0;
	WANT_IS(copy(fd, &from, fd, &to, 10000, 0), -EINVAL);
	from = 19000;
	to = 0;
	WANT_IS(copy(fd, &from, fd, &to, 19000, 0), 1000); /* cut first, then compared */
}

static void copy_errors(void)
{
	off_t at = 0, minus = -1, high = INT64_MAX - 5;
	int in, out, fds[2], directory, append, path;

	enter();
	in = make("in", 100);
	out = make("out", 0);
	make_pipe(fds, 0);
	directory = open(".", O_RDONLY | O_DIRECTORY);
	append = open("out", O_WRONLY | O_APPEND);
	path = open("in", O_PATH);
	WANT_IS(copy(in, NULL, out, NULL, 10, 1), -EINVAL);
	WANT_IS(copy(-1, NULL, out, NULL, 10, 1), -EBADF);
	WANT_IS(copy(in, NULL, 1000, NULL, 10, 0), -EBADF);
	WANT_IS(copy(path, NULL, out, NULL, 10, 0), -EBADF);
	WANT_IS(copy(in, NULL, open("in", O_RDONLY), NULL, 10, 0), -EBADF);
	WANT_IS(copy(open("out", O_WRONLY), NULL, in, NULL, 10, 0), -EBADF);
	WANT_IS(copy(in, NULL, append, NULL, 10, 0), -EBADF);
	WANT_IS(copy(directory, NULL, out, NULL, 10, 0), -EISDIR);
	WANT_IS(copy(in, NULL, directory, NULL, 10, 0), -EISDIR);
	WANT_IS(copy(fds[0], NULL, out, NULL, 10, 0), -EINVAL);
	WANT_IS(copy(in, NULL, fds[1], NULL, 10, 0), -EINVAL);
	WANT_IS(copy(in, BAD, out, NULL, 10, 0), -EFAULT);
	WANT_IS(copy(in, &at, out, BAD, 10, 0), -EFAULT);
	WANT_IS(copy(in, &minus, out, NULL, 10, 0), -EOVERFLOW);
	WANT_IS(copy(in, &at, out, &minus, 10, 0), -EOVERFLOW);
	WANT_IS(at, 0);
	WANT_IS(copy(in, &at, out, &high, 10, 0), 5);
	WANT_IS(at, 5);
	WANT_IS(copy(in, &at, out, &high, 10, 0), -EFBIG);
}

static void copy_limit(void)
{
	const struct rlimit limit = {50, 50};
	int in, out;

	enter();
	in = make("in", 100);
	out = make("out", 0);
	signal(SIGXFSZ, SIG_IGN);
	WANT_IS(setrlimit(RLIMIT_FSIZE, &limit), 0);
	WANT_IS(copy(in, NULL, out, NULL, 100, 0), 50);
	WANT_IS(copy(in, NULL, out, NULL, 100, 0), -EFBIG);
}

/* ---- sendfile ---- */

static void sends(void)
{
	int in, out, fds[2], append;
	off_t at = 100, minus = -1;
	char text[200];

	enter();
	in = make("in", 20000);
	out = make("out", 0);
	append = open("out", O_WRONLY | O_APPEND);
	make_pipe(fds, 0);
	WANT_IS(send(out, in, &at, 15000), 15000);
	WANT_IS(at, 15100);
	WANT_IS(position(in), 0);
	WANT_IS(position(out), 15000);
	WANT(has(out, 0, 100, 15000));
	WANT_IS(send(fds[1], in, NULL, 5), 5);
	WANT_IS(position(in), 5);
	WANT_IS(read(fds[0], text, sizeof text), 5);
	WANT_IS(text[4], pattern(4));
	WANT_IS(send(append, in, NULL, 10), -EINVAL);
	WANT_IS(send(out, in, &minus, 10), -EINVAL);
	WANT_IS(send(out, in, BAD, 10), -EFAULT);
	WANT_IS(send(out, fds[0], NULL, 10), -EINVAL);
	WANT_IS(send(out, fds[0], &at, 10), -ESPIPE);
	WANT_IS(send(in, open("out", O_WRONLY), NULL, 10), -EBADF);
	WANT_IS(send(open("in", O_RDONLY), in, NULL, 10), -EBADF);
	WANT_IS(send(out, open(".", O_RDONLY), NULL, 10), -EINVAL);
	WANT_IS(send(out, in, NULL, 0), 0);
	WANT(send(out, open("/proc/meminfo", O_RDONLY), NULL, 1000) > 100);
}

static void sends_to_full_pipe(void)
{
	int in, fds[2];

	enter();
	in = make("in", 100000);
	make_pipe(fds, O_NONBLOCK);
	WANT_IS(send(fds[1], in, NULL, 100000), 65536);
	WANT_IS(send(fds[1], in, NULL, 100000), -EAGAIN);
	WANT_IS(position(in), 65536);
	close(fds[0]);
	signal(SIGPIPE, SIG_IGN);
	WANT_IS(send(fds[1], in, NULL, 10), -EPIPE);
}

/* ---- splice ---- */

static void splices(void)
{
	off_t at = 4000;
	int in, out, fds[2];

	enter();
	in = make("in", 40000);
	out = make("out", 0);
	make_pipe(fds, 0);
	WANT_IS(glue(in, &at, fds[1], NULL, 30000, 0), 30000);
	WANT_IS(at, 34000);
	WANT_IS(position(in), 0);
	WANT_IS(glue(fds[0], NULL, out, NULL, 10000, 0), 10000);
	WANT_IS(position(out), 10000);
	at = 10000;
	WANT_IS(glue(fds[0], NULL, out, &at, 100000, 0), 20000);
	WANT_IS(at, 30000);
	WANT_IS(position(out), 10000);
	WANT(has(out, 0, 4000, 30000));
	WANT_IS(glue(in, NULL, fds[1], NULL, 10, 0), 10);
	WANT_IS(position(in), 10);
	close(fds[1]);
	WANT_IS(glue(fds[0], NULL, out, NULL, 100, 0), 10);
	WANT_IS(glue(fds[0], NULL, out, NULL, 100, 0), 0);
	WANT_IS(size_of(out), 30000);
}

/* Holes are zeroes; what the pipe has is not written behind. */
static void splices_holes(void)
{
	char text[9000];
	int in, fds[2];

	enter();
	in = make("in", 10);
	WANT_IS(ftruncate(in, 8192), 0);
	make_pipe(fds, 0);
	WANT_IS(glue(in, NULL, fds[1], NULL, 8192, 0), 8192);
	WANT_IS(write(fds[1], "xyz", 3), 3);
	WANT_IS(read(fds[0], text, sizeof text), 8195);
	for (int i = 0; i < 8192; i++)
		WANT_IS(text[i], i < 10 ? pattern((size_t)i) : 0);
	WANT_IS(memcmp(text + 8192, "xyz", 3), 0);
	WANT(has(in, 0, 0, 10));
	WANT_IS(pread(in, text, sizeof text, 0), 8192);
	WANT_IS(text[8191], 0);
}

static void splices_pipes(void)
{
	int from[2], to[2];
	char text[100];

	make_pipe(from, 0);
	make_pipe(to, 0);
	WANT_IS(write(from[1], "0123456789", 10), 10);
	WANT_IS(glue(from[0], NULL, to[1], NULL, 4, 0), 4);
	WANT_IS(write(from[1], "abc", 3), 3);
	WANT_IS(write(to[1], "XY", 2), 2);
	WANT_IS(read(to[0], text, sizeof text), 6);
	WANT_IS(memcmp(text, "0123XY", 6), 0);
	WANT_IS(glue(from[0], NULL, to[1], NULL, 100, 0), 9);
	WANT_IS(read(to[0], text, sizeof text), 9);
	WANT_IS(memcmp(text, "456789abc", 9), 0);
	WANT_IS(glue(from[0], NULL, to[1], NULL, 100, 2), -EAGAIN);
	WANT_IS(glue(from[0], NULL, from[1], NULL, 100, 0), -EINVAL);
	close(from[1]);
	WANT_IS(glue(from[0], NULL, to[1], NULL, 100, 0), 0);
}

static void splice_errors(void)
{
	int in, out, fds[2], append;
	off_t at = 0, minus = -1;

	enter();
	in = make("in", 100);
	out = make("out", 0);
	append = open("out", O_WRONLY | O_APPEND);
	make_pipe(fds, O_NONBLOCK);
	WANT_IS(glue(-1, NULL, -1, NULL, 0, 0xff), 0);
	WANT_IS(glue(in, NULL, fds[1], NULL, 10, 16), -EINVAL);
	WANT_IS(glue(-1, NULL, fds[1], NULL, 10, 0), -EBADF);
	WANT_IS(glue(in, NULL, -1, NULL, 10, 0), -EBADF);
	WANT_IS(glue(in, NULL, out, NULL, 10, 0), -EINVAL);
	WANT_IS(glue(in, NULL, fds[0], NULL, 10, 0), -EBADF);
	WANT_IS(glue(fds[1], NULL, out, NULL, 10, 0), -EBADF);
	WANT_IS(glue(fds[0], &at, out, NULL, 10, 0), -ESPIPE);
	WANT_IS(glue(in, NULL, fds[1], &at, 10, 0), -ESPIPE);
	WANT_IS(glue(in, BAD, fds[1], NULL, 10, 0), -EFAULT);
	WANT_IS(glue(in, &minus, fds[1], NULL, 10, 0), -EINVAL);
	WANT_IS(glue(fds[0], NULL, append, NULL, 10, 0), -EINVAL);
	WANT_IS(glue(fds[0], NULL, out, NULL, 10, 0), -EAGAIN);
	WANT_IS(glue(open(".", O_RDONLY), NULL, fds[1], NULL, 10, 0), -EINVAL);
}

/* What the file does not take stays in the pipe. */
static void splice_limit(void)
{
	const struct rlimit limit = {6, 6};
	char text[100];
	int out, fds[2];

	enter();
	out = make("out", 0);
	make_pipe(fds, 0);
	signal(SIGXFSZ, SIG_IGN);
	WANT_IS(setrlimit(RLIMIT_FSIZE, &limit), 0);
	WANT_IS(write(fds[1], "0123456789", 10), 10);
	WANT_IS(glue(fds[0], NULL, out, NULL, 10, 0), 6);
	WANT_IS(glue(fds[0], NULL, out, NULL, 10, 0), -EFBIG);
	WANT_IS(read(fds[0], text, sizeof text), 4);
	WANT_IS(memcmp(text, "6789", 4), 0);
}

static int waiting[2];

static void write_later(void)
{
	usleep(20000);
	WANT_IS(write(waiting[1], "hello", 5), 5);
}

static void splice_waits(void)
{
	pid_t pid;
	int out;

	enter();
	out = make("out", 0);
	make_pipe(waiting, 0);
	pid = start(write_later);
	WANT_IS(glue(waiting[0], NULL, out, NULL, 100, 0), 5);
	WANT_IS(ended(pid), 0);
	WANT_IS(size_of(out), 5);
}

/* Two that move one pipe's bytes, and one that reads: each byte goes to one of them. */
static void *move_to_file(void *argument)
{
	int out = *(int *)argument;

	while (glue(waiting[0], NULL, out, NULL, 3000, 0) > 0)
		;
	return NULL;
}

static void splice_races(void)
{
	int outs[2];
	char text[1000];
	pthread_t threads[2];
	long sum = 0, got;

	enter();
	make_pipe(waiting, 0);
	for (int i = 0; i < 2; i++) {
		outs[i] = make(i ? "one" : "two", 0);
		threads[i] = begin_thread(move_to_file, &outs[i]);
	}
	if (fork() == 0) {
		close(waiting[0]);
		for (int i = 0; i < 500; i++)
			WANT_IS(write(waiting[1], text, sizeof text), sizeof text);
		_exit(0);
	}
	close(waiting[1]);
	while ((got = read(waiting[0], text, sizeof text)) > 0)
		sum += got;
	for (int i = 0; i < 2; i++) {
		join_thread(threads[i]);
		sum += size_of(outs[i]);
	}
	WANT_IS(sum, 500000);
}

/* ---- tee, vmsplice ---- */

static void tees(void)
{
	int from[2], to[2], other;
	char text[100];

	enter();
	other = make("other", 10);
	make_pipe(from, O_NONBLOCK);
	make_pipe(to, O_NONBLOCK);
	WANT_IS(kernel_call(SYS_tee, from[0], to[1], 10, 0), -EAGAIN);
	WANT_IS(write(from[1], "0123456789", 10), 10);
	WANT_IS(kernel_call(SYS_tee, from[0], to[1], 4, 0), 4);
	WANT_IS(kernel_call(SYS_tee, from[0], to[1], 100, 0), 10);
	WANT_IS(write(from[1], "ab", 2), 2);
	WANT_IS(read(to[0], text, sizeof text), 14);
	WANT_IS(memcmp(text, "01230123456789", 14), 0);
	WANT_IS(read(from[0], text, sizeof text), 12);
	WANT_IS(memcmp(text, "0123456789ab", 12), 0);
	WANT_IS(kernel_call(SYS_tee, from[0], from[1], 4, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_tee, other, to[1], 4, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_tee, from[1], to[1], 4, 0), -EBADF);
	WANT_IS(kernel_call(SYS_tee, -1, to[1], 4, 0), -EBADF);
	WANT_IS(kernel_call(SYS_tee, -1, -1, 0, 0), 0);
	WANT_IS(kernel_call(SYS_tee, -1, -1, 0, 16), -EINVAL);
}

static void vmsplices(void)
{
	char a[5] = "hello", b[6] = " world", text[100];
	struct iovec ranges[2] = {{a, 5}, {b, 6}}, bad = {BAD, 10}, into = {text, sizeof text};
	int fds[2], file;

	enter();
	file = make("file", 0);
	make_pipe(fds, O_NONBLOCK);
	WANT_IS(kernel_call(SYS_vmsplice, fds[1], ranges, 2, 0), 11);
	WANT_IS(kernel_call(SYS_vmsplice, fds[0], &into, 1, 0), 11);
	WANT_IS(memcmp(text, "hello world", 11), 0);
	WANT_IS(kernel_call(SYS_vmsplice, fds[0], &into, 1, 2), -EAGAIN);
	WANT_IS(kernel_call(SYS_vmsplice, fds[1], &bad, 1, 0), -EFAULT);
	WANT_IS(kernel_call(SYS_vmsplice, file, ranges, 2, 0), -EBADF);
	WANT_IS(kernel_call(SYS_vmsplice, -1, ranges, 2, 0), -EBADF);
	WANT_IS(kernel_call(SYS_vmsplice, fds[1], ranges, 2, 16), -EINVAL);
	WANT_IS(kernel_call(SYS_vmsplice, fds[1], ranges, 0, 0), 0);
}

/* ---- Long calls ---- */

#define LONG (1ul << 30)

static long given_up(void)
{
	struct rusage usage;

	WANT_IS(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_nivcsw;
}

/* Another that computes on the same CPU gets it while a hole of a gigabyte is copied page by page: once may be
 * just before or just after the call. */
static void gives_cpu_away(void)
{
	const unsigned long one = 1;
	int hole = (int)kernel_call(SYS_memfd_create, "hole", 0),
	    null = open("/dev/null", O_WRONLY);
	long before;
	pid_t pid;

	WANT(hole >= 0 && null >= 0);
	WANT_IS(ftruncate(hole, LONG), 0);
	WANT_IS(kernel_call(SYS_sched_setaffinity, 0, sizeof one, &one), 0);
	pid = fork();
	WANT(pid >= 0);
	if (!pid)
		for (;;)
			__asm__ volatile("pause");
	before = given_up();
	WANT_IS(kernel_call(SYS_sendfile, null, hole, 0, LONG), (long)LONG);
	WANT(given_up() - before >= 3);
	kill(pid, SIGKILL);
	WANT_IS(waitpid(pid, NULL, 0), pid);
}

static const struct test_case cases[] = {
	CASE(copies, "copy_file_range: offsets and positions"),
	CASE(copies_within, "copy_file_range: within a file"),
	CASE(copy_errors, "copy_file_range: errors"),
	CASE(copy_limit, "copy_file_range: RLIMIT_FSIZE"),
	CASE(sends, "sendfile: files, pipes, errors"),
	CASE(sends_to_full_pipe, "sendfile: a full pipe, a closed one"),
	CASE(splices, "splice: file to pipe to file"),
	CASE(splices_holes, "splice: holes, and writes behind a file's pages"),
	CASE(splices_pipes, "splice: pipe to pipe"),
	CASE(splice_errors, "splice: errors"),
	CASE(splice_limit, "splice: what the file does not take"),
	CASE(splice_waits, "splice: waits for the first bytes"),
	CASE(splice_races, "splice: two and a reader on one pipe"),
	CASE(tees, "tee"),
	CASE(vmsplices, "vmsplice"),
	CASE(gives_cpu_away, "sendfile: a long one gives the CPU away"),
};

FILE_CASES("file-copy")
