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
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "files.h"

#define CALL(name, ...)          raw(SYS_##name, (long[6]){__VA_ARGS__})
#define P(pointer)               ((long)(uintptr_t)(pointer))
#define BAD                      ((long)0xffff800000001000) /* no address of a process */

#define IS(expression, expected) is(__LINE__, #expression, (expression), (expected))
#define HOLDS(condition)         is(__LINE__, #condition, !!(condition), 1)

int sigpipe_kills;

static int failed, passed;

static void is(int line, const char *what, long found, long expected)
{
	if (found == expected) {
		passed++;
		return;
	}
	failed++;
	printf("# line %d %s: found %ld, expected %ld\n", line, what, found, expected);
}

static void group(const char *name)
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

static int make_file(const char *path, const char *text)
{
	int fd = (int)CALL(open, P(path), O_CREAT | O_TRUNC | O_RDWR, 0644);

	IS(CALL(write, fd, P(text), (long)strlen(text)), (long)strlen(text));
	IS(CALL(lseek, fd, 0, SEEK_SET), 0);
	return fd;
}

static struct stat stat_of(const char *path)
{
	struct stat st;

	memset(&st, 0, sizeof st);
	IS(CALL(lstat, P(path), P(&st)), 0);
	return st;
}

static void test_open(void)
{
	int fd;

	group("open");
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

	group("read and write");
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

	group("sparse files and sizes");
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

static void test_directories(void)
{
	int fd;

	group("directories");
	IS(CALL(mkdir, P("d"), 0755), 0);
	IS(CALL(mkdir, P("d"), 0755), -EEXIST);
	IS(CALL(mkdir, P("."), 0755), -EEXIST);
	IS(CALL(mkdir, P("/"), 0755), -EEXIST);
	IS(CALL(mkdir, P("d/e/"), 0755), 0);
	IS(CALL(mkdir, P("d/x/y"), 0755), -ENOENT);
	IS(stat_of("d").st_nlink, 3);
	IS(stat_of("d").st_mode, S_IFDIR | 0755);
	IS(CALL(rmdir, P("d")), -ENOTEMPTY);
	IS(CALL(rmdir, P("d/.")), -EINVAL);
	IS(CALL(rmdir, P("d/..")), -ENOTEMPTY);
	IS(CALL(rmdir, P("/")), -EBUSY);
	IS(CALL(rmdir, P("none")), -ENOENT);
	IS(CALL(unlink, P("d")), -EISDIR);
	IS(CALL(unlink, P("/")), -EISDIR);
	IS(CALL(unlink, P("d/.")), -EISDIR);
	IS(CALL(close, make_file("d/f", "")), 0);
	IS(CALL(rmdir, P("d/f")), -ENOTDIR);
	IS(CALL(unlink, P("d/f/")), -ENOTDIR);
	IS(CALL(unlink, P("d/e/")), -EISDIR);
	IS(CALL(unlinkat, AT_FDCWD, P("d/f"), 0), 0);
	IS(CALL(unlinkat, AT_FDCWD, P("d/e"), AT_REMOVEDIR), 0);
	IS(CALL(unlinkat, AT_FDCWD, P("d/e"), 1), -EINVAL);
	fd = (int)CALL(open, P("d"), O_RDONLY | O_DIRECTORY, 0);
	IS(CALL(read, fd, P(&fd), 1), -EISDIR);
	IS(CALL(mkdirat, fd, P("e"), 0700), 0);
	IS(stat_of("d/e").st_mode, S_IFDIR | 0700);
	IS(CALL(rmdir, P("d/e")), 0);
	IS(CALL(rmdir, P("d")), 0);
	IS(CALL(mkdirat, fd, P("e"), 0700), -ENOENT);
	IS(CALL(close, fd), 0);
}

static void test_links(void)
{
	char text[300];
	struct stat st;

	group("links");
	IS(CALL(close, make_file("l", "text")), 0);
	IS(CALL(link, P("l"), P("m")), 0);
	IS(stat_of("m").st_nlink, 2);
	HOLDS(stat_of("m").st_ino == stat_of("l").st_ino);
	IS(CALL(link, P("l"), P("m")), -EEXIST);
	IS(CALL(link, P("none"), P("n")), -ENOENT);
	IS(CALL(link, P("l"), P("n/")), -ENOENT);
	IS(CALL(mkdir, P("d"), 0755), 0);
	IS(CALL(link, P("d"), P("n")), -EPERM);
	IS(CALL(unlink, P("l")), 0);
	IS(stat_of("m").st_nlink, 1);
	IS(CALL(symlink, P("m"), P("s")), 0);
	IS(CALL(symlink, P("m"), P("s")), -EEXIST);
	IS(CALL(symlink, P(""), P("t")), -ENOENT);
	IS(CALL(readlink, P("s"), P(text), 300), 1);
	IS(CALL(readlink, P("m"), P(text), 300), -EINVAL);
	IS(CALL(readlink, P("s"), P(text), 0), -EINVAL);
	IS(CALL(readlink, P("none"), P(text), 10), -ENOENT);
	IS(CALL(stat, P("s"), P(&st)), 0);
	HOLDS(S_ISREG(st.st_mode));
	IS(stat_of("s").st_mode, S_IFLNK | 0777);
	IS(stat_of("s").st_size, 1);
	IS(CALL(open, P("s"), O_RDONLY | O_NOFOLLOW, 0), -ELOOP);
	IS(CALL(open, P("s/"), O_RDONLY, 0), -ENOTDIR);
	IS(CALL(symlink, P("loop"), P("loop")), 0);
	IS(CALL(open, P("loop"), O_RDONLY, 0), -ELOOP);
	IS(CALL(open, P("loop/x"), O_RDONLY, 0), -ELOOP);
	IS(CALL(symlink, P("made"), P("dangling")), 0);
	IS(CALL(open, P("dangling"), O_CREAT | O_EXCL | O_RDWR, 0600), -EEXIST);
	IS(CALL(open, P("dangling"), O_RDONLY, 0), -ENOENT);
	IS(CALL(mkdir, P("dangling"), 0700), -EEXIST);
	IS(CALL(close, (int)CALL(open, P("dangling"), O_CREAT | O_RDWR, 0600)), 0);
	HOLDS(S_ISREG(stat_of("made").st_mode));
	IS(CALL(symlink, P("d"), P("to-d")), 0);
	IS(CALL(close, make_file("to-d/in", "")), 0);
	HOLDS(S_ISREG(stat_of("d/in").st_mode));
	IS(CALL(rmdir, P("to-d")), -ENOTDIR);
	IS(CALL(linkat, AT_FDCWD, P("s"), AT_FDCWD, P("hard-s"), 0), 0);
	HOLDS(S_ISLNK(stat_of("hard-s").st_mode));
	IS(CALL(linkat, AT_FDCWD, P("s"), AT_FDCWD, P("hard-m"), AT_SYMLINK_FOLLOW), 0);
	HOLDS(S_ISREG(stat_of("hard-m").st_mode));
	IS(CALL(linkat, AT_FDCWD, P("s"), AT_FDCWD, P("x"), 1), -EINVAL);
	IS(CALL(unlink, P("d/in")), 0);
	IS(CALL(rmdir, P("d")), 0);
	for (int i = 0; i < 7; i++) {
		static const char *const names[] = {
			"m", "s", "loop", "dangling", "made", "to-d", "hard-s"};

		IS(CALL(unlink, P(names[i])), 0);
	}
	IS(CALL(unlink, P("hard-m")), 0);
}

/* 40 links are followed, 41 are not. */
static void test_link_chain(void)
{
	char name[16], target[16];

	group("40 nested links");
	IS(CALL(close, make_file("0", "x")), 0);
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof name, "%d", i);
		snprintf(target, sizeof target, "%d", i - 1);
		IS(CALL(symlink, P(target), P(name)), 0);
	}
	IS(CALL(access, P("40"), F_OK), 0);
	IS(CALL(access, P("41"), F_OK), -ELOOP);
	for (int i = 0; i <= 41; i++) {
		snprintf(name, sizeof name, "%d", i);
		IS(CALL(unlink, P(name)), 0);
	}
}

static void test_names(void)
{
	static char path[5000];
	char name[260];

	group("names");
	memset(name, 'n', sizeof name);
	name[256] = 0;
	IS(CALL(mkdir, P(name), 0755), -ENAMETOOLONG);
	IS(CALL(access, P(name), F_OK), -ENAMETOOLONG);
	name[255] = 0;
	IS(CALL(mkdir, P(name), 0755), 0);
	IS(CALL(rmdir, P(name)), 0);
	memset(path, '/', sizeof path);
	path[4096] = 0;
	IS(CALL(access, P(path), F_OK), -ENAMETOOLONG);
	path[4095] = 0;
	IS(CALL(access, P(path), F_OK), 0);
	for (int i = 0; i < 4094; i += 2)
		memcpy(path + i, "./", 2);
	path[4094] = 0;
	IS(CALL(access, P(path), F_OK), 0);
	for (int c = 1; c < 256; c++) {
		char one[2] = {(char)c, 0};

		if (c == '/' || c == '.')
			continue;
		IS(CALL(mkdir, P(one), 0755), 0);
		IS(CALL(rmdir, P(one)), 0);
	}
	IS(CALL(access, P("//..//.././"), F_OK), 0);
}

static void test_rename(void)
{
	char text[8];
	int fd;

	group("rename");
	IS(CALL(close, make_file("a", "A")), 0);
	IS(CALL(close, make_file("b", "B")), 0);
	IS(CALL(mkdir, P("d"), 0755), 0);
	IS(CALL(mkdir, P("e"), 0755), 0);
	IS(CALL(mkdir, P("d/sub"), 0755), 0);
	IS(CALL(rename, P("none"), P("x")), -ENOENT);
	IS(CALL(rename, P("a"), P("none/x")), -ENOENT);
	IS(CALL(rename, P("a"), P("d")), -EISDIR);
	IS(CALL(rename, P("d"), P("a")), -ENOTDIR);
	IS(CALL(rename, P("a/"), P("x")), -ENOTDIR);
	IS(CALL(rename, P("a"), P("x/")), -ENOTDIR);
	IS(CALL(rename, P("d"), P("d/sub/x")), -EINVAL);
	IS(CALL(rename, P("d/sub"), P("d")), -ENOTEMPTY);
	IS(CALL(rename, P("e"), P("d")), -ENOTEMPTY);
	IS(CALL(rename, P("."), P("x")), -EBUSY);
	IS(CALL(rename, P("a"), P("..")), -EBUSY);
	IS(CALL(renameat2, AT_FDCWD, P("a"), AT_FDCWD, P("b"), 1), -EEXIST);
	IS(CALL(renameat2, AT_FDCWD, P("a"), AT_FDCWD, P("b"), 64), -EINVAL);
	IS(CALL(rename, P("a"), P("b")), 0);
	IS(CALL(access, P("a"), F_OK), -ENOENT);
	fd = (int)CALL(open, P("b"), O_RDONLY, 0);
	IS(CALL(read, fd, P(text), 8), 1);
	HOLDS(text[0] == 'A');
	IS(CALL(close, fd), 0);
	IS(CALL(link, P("b"), P("c")), 0);
	IS(CALL(rename, P("b"), P("c")), 0); /* the same file: nothing happens */
	IS(CALL(access, P("b"), F_OK), 0);
	IS(CALL(unlink, P("c")), 0);
	IS(stat_of("d").st_nlink, 3);
	IS(CALL(rename, P("d/sub"), P("e/moved")), 0);
	IS(stat_of("d").st_nlink, 2);
	IS(stat_of("e").st_nlink, 3);
	IS(CALL(rename, P("e"), P("d")), 0); /* over an empty directory */
	HOLDS(S_ISDIR(stat_of("d/moved").st_mode));
	IS(CALL(rename, P("d/"), P("a-long-name-that-does-not-stand-inside-the-entry/")), 0);
	IS(CALL(rename, P("a-long-name-that-does-not-stand-inside-the-entry"), P("d")), 0);
	IS(CALL(rmdir, P("d/moved/")), 0);
	IS(CALL(rmdir, P("d")), 0);
	IS(CALL(unlink, P("b")), 0);
}

struct entry {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

#define MANY 1000

/* Reads a directory to its end; each name NNNN is counted in `seen`; removes them when asked. */
static int list(int fd, unsigned char seen[MANY], int removes)
{
	static _Alignas(8) char buffer[1000];
	long got;
	int others = 0;

	while ((got = CALL(getdents64, fd, P(buffer), sizeof buffer)) > 0) {
		for (long at = 0; at < got;) {
			struct entry *entry = (struct entry *)(void *)(buffer + at);

			if (entry->name[0] == '.')
				others++;
			else
				seen[atoi(entry->name)]++;
			if (entry->name[0] != '.' && removes)
				IS(CALL(unlinkat, fd, P(entry->name), 0), 0);
			at += entry->reclen;
		}
	}
	IS(got, 0);
	return others;
}

static void test_getdents(void)
{
	unsigned char seen[MANY] = {0};
	char name[32], small[16];
	int fd, once = 0;

	group("getdents");
	IS(CALL(mkdir, P("many"), 0755), 0);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "many/%d", i);
		fd = (int)CALL(open, P(name), O_CREAT | O_WRONLY, 0644);
		IS(CALL(close, fd), 0);
	}
	fd = (int)CALL(open, P("many"), O_RDONLY | O_DIRECTORY, 0);
	IS(CALL(getdents64, fd, P(small), 10), -EINVAL);
	IS(CALL(getdents64, fd, BAD, 4096), -EFAULT);
	IS(list(fd, seen, 0), 2);
	for (int i = 0; i < MANY; i++)
		once += seen[i] == 1;
	IS(once, MANY);
	IS(CALL(lseek, fd, 0, SEEK_SET), 0);
	IS(list(fd, seen, 1), 2);
	once = 0;
	for (int i = 0; i < MANY; i++)
		once += seen[i] == 2;
	IS(once, MANY);
	IS(CALL(rmdir, P("many")), 0);
	IS(CALL(getdents64, fd, P(name), sizeof name), -ENOENT);
	IS(CALL(close, fd), 0);
	fd = make_file("f", "");
	IS(CALL(getdents64, fd, P(name), sizeof name), -ENOTDIR);
	IS(CALL(close, fd), 0);
	IS(CALL(unlink, P("f")), 0);
}

static void test_working_directory(void)
{
	static char before[4096], now[4096];
	int fd;
	long length = CALL(getcwd, P(before), sizeof before);

	group("working directory");
	HOLDS(length > 1 && before[0] == '/' && (long)strlen(before) + 1 == length);
	IS(CALL(mkdir, P("w"), 0755), 0);
	fd = (int)CALL(open, P("."), O_RDONLY, 0);
	IS(CALL(chdir, P("none")), -ENOENT);
	IS(CALL(chdir, P("w")), 0);
	HOLDS(CALL(getcwd, P(now), sizeof now) > 0 && !strncmp(now, before, strlen(before)) &&
		!strcmp(now + strlen(now) - 2, "/w"));
	IS(CALL(getcwd, P(now), 2), -ERANGE);
	IS(CALL(getcwd, BAD, 4096), -EFAULT);
	IS(CALL(rmdir, P("../w")), 0);
	IS(CALL(getcwd, P(now), sizeof now), -ENOENT);
	IS(CALL(open, P("x"), O_CREAT | O_RDWR, 0644), -ENOENT);
	IS(CALL(mkdir, P("x"), 0755), -ENOENT);
	IS(CALL(fchdir, fd), 0);
	IS(CALL(close, fd), 0);
	fd = make_file("f", "");
	IS(CALL(fchdir, fd), -ENOTDIR);
	IS(CALL(chdir, P("f")), -ENOTDIR);
	IS(CALL(fchdir, 1000), -EBADF);
	IS(CALL(close, fd), 0);
	IS(CALL(unlink, P("f")), 0);
}

static void test_descriptors(void)
{
	int fd = make_file("f", "abc"), low;

	group("descriptors");
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

static void test_pipe(void)
{
	static char bytes[70000];
	struct pollfd poll[2];
	struct stat st;
	int fds[2], count = 0;

	group("pipes");
	IS(CALL(pipe2, P(fds), 12345), -EINVAL);
	IS(CALL(pipe2, BAD, 0), -EFAULT);
	IS(CALL(pipe2, P(fds), O_NONBLOCK), 0);
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
	poll[0] = (struct pollfd){fds[0], POLLIN, 0};
	poll[1] = (struct pollfd){fds[1], POLLIN | POLLOUT, 0};
	IS(CALL(poll, P(poll), 2, 1000), 2);
	IS(poll[0].revents, POLLIN);
	IS(poll[1].revents, POLLOUT);
	IS(CALL(read, fds[0], P(bytes), 100), 5);
	HOLDS(!memcmp(bytes, "hello", 5));
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
	IS(CALL(close, fds[1]), 0);
	IS(CALL(read, fds[0], P(bytes), 1), 0);
	poll[0].events = POLLIN;
	IS(CALL(poll, P(poll), 1, 0), 1);
	IS(poll[0].revents, POLLHUP);
	IS(CALL(close, fds[0]), 0);
	IS(CALL(pipe, P(fds)), 0);
	IS(CALL(close, fds[0]), 0);
	if (!sigpipe_kills)
		IS(CALL(write, fds[1], P("x"), 1), -EPIPE);
	poll[1] = (struct pollfd){fds[1], POLLOUT, 0};
	IS(CALL(poll, P(&poll[1]), 1, 0), 1);
	IS(poll[1].revents, POLLOUT | POLLERR);
	IS(CALL(close, fds[1]), 0);
	poll[0] = (struct pollfd){1000, POLLIN, 0};
	IS(CALL(poll, P(poll), 1, 0), 1);
	IS(poll[0].revents, POLLNVAL);
	IS(CALL(poll, 0, 0, 1), 0);
}

static void test_fifo(void)
{
	char byte = 0;
	int reader, writer;

	group("FIFOs");
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

	group("attributes");
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

	group("files without a name");
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

	group("devices");
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

	group("sendfile");
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
	test_directories();
	test_links();
	test_link_chain();
	test_names();
	test_rename();
	test_getdents();
	test_working_directory();
	test_descriptors();
	test_pipe();
	test_fifo();
	test_attributes();
	test_unlinked();
	test_devices();
	test_sendfile();
	group("nothing left behind");
	IS(CALL(chdir, P("/")), 0);
	IS(CALL(rmdir, P(directory)), 0);
	group(NULL);
	printf("# %d held, %d did not\n", passed, failed);
	return failed != 0;
}
