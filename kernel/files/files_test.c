/* SPDX-License-Identifier: MIT */
/*
 * The files' calls on the host: user/tests/files.c, which passes on Linux, run on the kernel's own
 * code; the same with each memory allocation failing in turn; and what a program cannot see: that
 * every page comes back, faults in the middle of a call, very large directories.
 */
#include "files/fake_process.h"

#include "arch/fake/fake.h"
#include "arch/fake/test.h"
#include "files/file.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "process/current.h"
#include "syscall/table.h"
#include "../../user/tests/files.h"

#include <stdio.h>

static void start(void)
{
	fake_process_init(0);
	files_init(0, 0);
	fake_process_start();
	CHECK_EQUAL(sys_mkdir(user_pointer((uintptr_t) "/tmp"), 01777), 0);
	CHECK_EQUAL(sys_open(user_pointer((uintptr_t) "/dev/null"), O_RDWR, 0), 0);
	CHECK_EQUAL(sys_dup(0), 1);
	CHECK_EQUAL(sys_dup(0), 2);
}

static uint64_t pages_in_use(void)
{
	struct pages_stats stats;

	slab_shrink(); /* what is free in the caches is nobody's */
	pages_statistics(&stats);
	return stats.total - stats.free;
}

static user_t user(const void *p)
{
	return user_pointer((uintptr_t)p);
}

static void test_calls(void)
{
	start();
	CHECK(test_files("/tmp/test") == 0);
}

/* The same again and again: nothing may stay behind. */
static void test_no_leaks(void)
{
	uint64_t before;

	start();
	CHECK(test_files("/tmp/first") == 0);
	before = pages_in_use();
	for (int i = 0; i < 3; i++)
		CHECK(test_files("/tmp/again") == 0);
	CHECK_EQUAL(pages_in_use(), before);
	fake_process_end();
	CHECK(!pages_audit());
	CHECK(!slab_audit());
}

/* A piece of work in which any allocation may fail: it ends well, or with -ENOMEM and nothing left. */
static long make_and_remove(void)
{
	static char data[3 * 4096];
	long fd, error = sys_mkdir(user("/tmp/d"), 0755);

	if (error)
		return error;
	fd = sys_open(user("/tmp/d/file-with-a-name-longer-than-inline"), O_CREAT | O_RDWR, 0644);
	if (fd >= 0) {
		error = sys_write((int)fd, user(data), sizeof(data));
		CHECK_EQUAL(sys_close((int)fd), 0);
		if (error == sizeof(data))
			error = sys_rename(user("/tmp/d/file-with-a-name-longer-than-inline"),
				user("/tmp/d/another-name-that-is-longer-than-inline"));
		if (error)
			(void)sys_unlink(user("/tmp/d/file-with-a-name-longer-than-inline"));
		else
			error = sys_symlink(user("target"), user("/tmp/d/link"));
	} else {
		error = fd;
	}
	pages_fail_nth(0);
	(void)sys_unlink(user("/tmp/d/link"));
	(void)sys_unlink(user("/tmp/d/another-name-that-is-longer-than-inline"));
	CHECK_EQUAL(sys_rmdir(user("/tmp/d")), 0);
	return error > 0 ? -ENOMEM : error; /* a write cut short */
}

static void test_out_of_memory(void)
{
	unsigned int failures = 0;
	long result;

	start();
	for (uint64_t nth = 1; nth < 200; nth++) {
		pages_fail_nth(nth);
		result = make_and_remove();
		pages_fail_nth(0);
		if (result) {
			failures++;
			CHECK_EQUAL(result, -ENOMEM);
		}
	}
	CHECK(failures > 2);
	CHECK(!slab_audit());
}

static void test_faults(void)
{
	static char area[3 * 4096];
	char *bytes = area + 4096 - (uintptr_t)area % 4096;
	struct iovec vector[2] = {{bytes, 10}, {bytes + 4096 - 5, 20}};
	int fds[2];
	long fd;

	start();
	fake_fault_start = (uintptr_t)bytes + 4096;
	fake_fault_end = fake_fault_start + 4096;
	fd = sys_open(user("/tmp/f"), O_CREAT | O_RDWR, 0600);
	CHECK_EQUAL(sys_write((int)fd, user(bytes + 4090), 10), 6);
	CHECK_EQUAL(sys_write((int)fd, user(bytes + 4096), 10), -EFAULT);
	CHECK_EQUAL(sys_lseek((int)fd, 0, SEEK_CUR), 6);
	CHECK_EQUAL(sys_writev((int)fd, user(vector), 2), 15);
	CHECK_EQUAL(sys_lseek((int)fd, 0, SEEK_SET), 0);
	CHECK_EQUAL(sys_read((int)fd, user(bytes + 4090), 10), 6);
	CHECK_EQUAL(sys_read((int)fd, user(bytes + 4096), 10), -EFAULT);
	CHECK_EQUAL(sys_open(user(bytes + 4096), O_RDONLY, 0), -EFAULT);
	CHECK_EQUAL(sys_pipe(user(fds)), 0);
	CHECK_EQUAL(sys_write(fds[1], user(bytes + 4090), 10), -EFAULT);
	CHECK_EQUAL(sys_write(fds[1], user(bytes), 6), 6);
	CHECK_EQUAL(sys_read(fds[0], user(bytes + 4096), 3), -EFAULT);
	CHECK_EQUAL(sys_read(fds[0], user(bytes + 4094), 6), -EFAULT);
	CHECK_EQUAL(sys_read(fds[0], user(bytes), 10), 6);
}

/* FS_IOC_RESVSP's place may run over: it is refused. */
static void test_reserve_runs_over(void)
{
	struct {
		int16_t type, whence;
		int64_t start, length;
		int32_t system, process, padding[4];
	} space = {.whence = SEEK_CUR, .start = INT64_MAX, .length = 1};
	int fd;

	start();
	fd = (int)sys_open(user("/tmp/file"), O_CREAT | O_RDWR, 0644);
	CHECK_EQUAL(sys_write(fd, user("hello"), 5), 5);
	CHECK_EQUAL(sys_ioctl(fd, _IOW('X', 40, space), (uintptr_t)&space), -EINVAL);
	space.whence = SEEK_END;
	CHECK_EQUAL(sys_ioctl(fd, _IOW('X', 40, space), (uintptr_t)&space), -EINVAL);
	CHECK_EQUAL(sys_close(fd), 0);
}

static struct file *blocked_writer;

static bool drain_pipe(void)
{
	static char away[5000];
	struct io io = io_kernel(away, sizeof(away));
	int64_t position = 0;

	return file_read(blocked_writer, &io, &position) > 0;
}

/* A write larger than the pipe, with a reader that comes whenever the writer sleeps. */
static void test_blocking_pipe(void)
{
	static char data[200000];
	int fds[2];

	start();
	CHECK_EQUAL(sys_pipe(user(fds)), 0);
	blocked_writer = files_lookup(current_files(), fds[0]);
	fake_on_sleep = drain_pipe;
	CHECK_EQUAL(sys_write(fds[1], user(data), sizeof(data)), sizeof(data));
	CHECK(fake_sleeps > 10);
	fake_on_sleep = NULL;
	while (sys_write(fds[1], user(data), 4096) == 4096)
		;
	while (sys_write(fds[1], user(data), 1) == 1)
		;
	CHECK_EQUAL(sys_write(fds[1], user(data), 1), -ERESTARTSYS);
	file_put(blocked_writer);
	CHECK_EQUAL(sys_close(fds[0]), 0);
	CHECK_EQUAL(sys_write(fds[1], user(data), 1), -EPIPE);
	CHECK(fake_signals & 1u << 13);
}

#define MANY 100000

static void test_large_directory(void)
{
	char name[32];
	uint64_t before;

	start();
	before = dentry_count();
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "/tmp/entry-%d", i);
		CHECK_EQUAL(sys_symlink(user("x"), user(name)), 0);
	}
	CHECK_EQUAL(dentry_count(), before + MANY);
	for (int i = 0; i < MANY; i += 7) {
		snprintf(name, sizeof(name), "/tmp/entry-%d", i);
		CHECK_EQUAL(sys_readlink(user(name), user(name), 1), 1);
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "/tmp/entry-%d", MANY - 1 - i);
		CHECK_EQUAL(sys_unlink(user(name)), 0);
	}
	CHECK_EQUAL(dentry_count(), before);
}

static void test_file_path(void)
{
	struct file *file, *other;

	start();
	CHECK_EQUAL(sys_mkdir(user("/tmp/a"), 0755), 0);
	CHECK_EQUAL(sys_symlink(user("/tmp/a"), user("/l")), 0);
	CHECK_EQUAL(file_open(current_fs(), "l/../a/./b", O_CREAT | O_RDWR, 0700, &file), 0);
	CHECK(!strcmp(file_path(file), "/tmp/a/b"));
	CHECK_EQUAL(program_open("/tmp/a/b", &other), -ETXTBSY);
	file_put(file);
	CHECK_EQUAL(program_open("/tmp/a/b", &file), 0);
	CHECK_EQUAL(sys_open(user("/tmp/a/b"), O_WRONLY, 0), -ETXTBSY);
	CHECK_EQUAL(sys_truncate(user("/tmp/a/b"), 0), -ETXTBSY);
	file_put(file);
	CHECK_EQUAL(sys_truncate(user("/tmp/a/b"), 0), 0);
	CHECK_EQUAL(file_open(current_fs(), "/dev/null", O_RDONLY, 0, &file), 0);
	CHECK(!strcmp(file_path(file), "/dev/null"));
	file_put(file);
	CHECK_EQUAL(program_open("/dev/null", &file), -EACCES);
	CHECK_EQUAL(program_open("/nothing", &file), -ENOENT);
}

/* Names are read eight bytes at a time, but past a page's end nothing is: paths that end everywhere before one,
 * and names of every length whose neighbours in the directory differ in one byte. */
static void test_names_at_page_ends(void)
{
	static char pages[2 * PAGE_SIZE] __attribute__((aligned(4096)));
	char path[64];
	struct file *file;
	int length;

	start();
	CHECK_EQUAL(sys_mkdir(user("/tmp/directory"), 0755), 0);
	for (int size = 1; size <= 40; size++) {
		length = snprintf(path, sizeof(path), "/tmp/directory/%.*s", size,
			"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH");
		CHECK_EQUAL(file_open(current_fs(), path, O_CREAT | O_RDWR, 0600, &file), 0);
		file_put(file);
		for (int end = 1; end <= 24; end++) {
			char *at = pages + PAGE_SIZE - length - 1 + (end <= length ? end : 0) - 1;

			memset(pages, '/', sizeof(pages));
			memcpy(at, path, (size_t)length + 1);
			CHECK_EQUAL(file_open(current_fs(), at, O_RDONLY, 0, &file), 0);
			file_put(file);
			at[length - 1] ^= 0x20;
			CHECK_EQUAL(file_open(current_fs(), at, O_RDONLY, 0, &file), -ENOENT);
		}
	}
}

static void test_tables(void)
{
	struct files *copy;
	int fd, last = 0;

	start();
	while ((fd = (int)sys_dup(0)) >= 0)
		last = fd;
	CHECK_EQUAL(fd, -EMFILE);
	CHECK_EQUAL(last, 1023);
	CHECK_EQUAL(sys_open(user("/none"), O_RDONLY, 0), -EMFILE);
	CHECK_EQUAL(sys_close(500), 0);
	CHECK_EQUAL(sys_fcntl(501, F_SETFD, FD_CLOEXEC), 0);
	CHECK_EQUAL(sys_open(user("/none"), O_RDONLY, 0), -ENOENT);
	CHECK_EQUAL(sys_dup(0), 500);
	copy = files_copy(current_files());
	files_close_on_exec(copy);
	CHECK(!files_lookup(copy, 501));
	files_put(copy);
	CHECK_EQUAL(sys_close(501), 0);
}

int main(void)
{
	RUN(test_calls);
	RUN(test_no_leaks);
	RUN(test_out_of_memory);
	RUN(test_faults);
	RUN(test_reserve_runs_over);
	RUN(test_blocking_pipe);
	RUN(test_large_directory);
	RUN(test_file_path);
	RUN(test_names_at_page_ends);
	RUN(test_tables);
	return test_result();
}
