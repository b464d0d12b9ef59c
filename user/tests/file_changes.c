/* SPDX-License-Identifier: MIT */
/* What changes files: renameat2's exchange, fallocate and holes, copy_file_range, and what takes set-id bits away. */

#include <dirent.h>
#include <sys/resource.h>
#include <sys/statfs.h>

#include "file_cases.h"

#define KEEP  1
#define PUNCH 2

static int make(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_RDWR, 0644);

	WANT(fd >= 0);
	WANT_IS(write(fd, text, strlen(text)), (long)strlen(text));
	return fd;
}

static struct stat stat_of(const char *name)
{
	struct stat found;

	WANT_IS(lstat(name, &found), 0);
	return found;
}

static long exchange(const char *a, const char *b)
{
	return kernel_call(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2);
}

/* ---- renameat2 ---- */

static void exchanges(void)
{
	ino_t a, b;

	enter();
	close(make("a", "a"));
	close(make("b-with-a-name-that-is-longer-than-others", "bb"));
	a = stat_of("a").st_ino;
	b = stat_of("b-with-a-name-that-is-longer-than-others").st_ino;
	WANT_IS(exchange("a", "b-with-a-name-that-is-longer-than-others"), 0);
	WANT_IS(stat_of("a").st_ino, b);
	WANT_IS(stat_of("b-with-a-name-that-is-longer-than-others").st_ino, a);
	WANT_IS(unlink("b-with-a-name-that-is-longer-than-others"), 0);
	WANT_IS(stat_of("a").st_size, 2);
	WANT_IS(exchange("a", "a"), 0);
	WANT_IS(exchange("a", "none"), -ENOENT);
	WANT_IS(exchange("none", "a"), -ENOENT);
	WANT_IS(link("a", "c"), 0);
	WANT_IS(exchange("a", "c"), 0);
	WANT_IS(kernel_call(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "c", 3), -EINVAL);
	WANT_IS(kernel_call(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "c", 8), -EINVAL);
	WANT_IS(kernel_call(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "c", 1), -EEXIST);
}

static void exchanges_kinds(void)
{
	enter();
	WANT_IS(mkdir("dir", 0755), 0);
	WANT_IS(mkdir("dir/sub", 0755), 0);
	WANT_IS(mkdir("other", 0755), 0);
	close(make("other/file", "x"));
	WANT_IS(stat_of("dir").st_nlink, 3);
	WANT_IS(stat_of("other").st_nlink, 2);
	WANT_IS(exchange("dir/sub", "other/file"), 0);
	WANT_IS(stat_of("dir").st_nlink, 2);
	WANT_IS(stat_of("other").st_nlink, 3);
	WANT(S_ISREG(stat_of("dir/sub").st_mode) && S_ISDIR(stat_of("other/file").st_mode));
	WANT_IS(stat_of("other/file/..").st_ino, stat_of("other").st_ino);
	WANT_IS(exchange("dir", "dir/sub"), -EINVAL);
	WANT_IS(exchange("dir/sub", "dir"), -EINVAL);
	WANT_IS(exchange("dir", "other"), 0); /* neither is empty */
	WANT(S_ISDIR(stat_of("dir/file").st_mode));
	WANT_IS(exchange("dir/file/", "other/sub"), 0);
	WANT_IS(exchange("dir/file/", "other/sub"), -ENOTDIR);
	WANT_IS(rmdir("other/sub"), 0);
	WANT_IS(rmdir("other"), 0);
	WANT_IS(unlink("dir/file"), 0);
	WANT_IS(rmdir("dir"), 0);
}

static void exchange_allowed(void)
{
	enter();
	WANT_IS(chmod(".", 01777), 0);
	close(make("root", ""));
	if (!become_nobody())
		return;
	close(make("mine", ""));
	close(make("also", ""));
	WANT_IS(exchange("mine", "root"), -EPERM); /* sticky */
	WANT_IS(exchange("root", "mine"), -EPERM);
	WANT_IS(exchange("mine", "also"), 0);
}

static long whiteout(const char *from, const char *to, int more)
{
	return kernel_call(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 4 | more);
}

/* What is left in the old place is a device 0:0, which nobody can open. */
static void whiteouts(void)
{
	enter();
	close(make("file", "text"));
	close(make("other", "x"));
	WANT_IS(mkdir("dir", 0755), 0);
	WANT_IS(whiteout("file", "moved", 0), 0);
	WANT_IS(stat_of("moved").st_size, 4);
	WANT_IS(stat_of("file").st_mode, S_IFCHR);
	WANT_IS(stat_of("file").st_rdev, 0);
	WANT_IS(stat_of("file").st_nlink, 1);
	WANT_IS(kernel_call(SYS_open, "file", O_RDONLY), -ENXIO);
	WANT_IS(whiteout("moved", "other", 1), -EEXIST);
	WANT(!access("moved", F_OK) && stat_of("other").st_size == 1);
	WANT_IS(whiteout("moved", "other", 0), 0); /* replaced */
	WANT_IS(stat_of("other").st_size, 4);
	WANT_IS(whiteout("other", "file", 2), -EINVAL);
	WANT_IS(whiteout("none", "file", 0), -ENOENT);
	WANT_IS(whiteout("dir", "dir2", 0), 0);
	WANT(S_ISCHR(stat_of("dir").st_mode) && S_ISDIR(stat_of("dir2").st_mode));
	WANT_IS(stat_of(".").st_nlink, 3);
	WANT_IS(whiteout("file", "dir2/file", 0), 0); /* into another directory */
	WANT(S_ISCHR(stat_of("file").st_mode) && S_ISCHR(stat_of("dir2/file").st_mode));
	WANT_IS(unlink("file"), 0);
	WANT_IS(kernel_call(SYS_open, "file", O_RDONLY), -ENOENT);
	WANT_IS(mkdir("file", 0755), 0);
}

/* ---- The order of names ---- */

static void list(char *text)
{
	DIR *directory = opendir(".");
	struct dirent *entry;

	WANT(directory);
	*text = 0;
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			strcat(text, entry->d_name);
	closedir(directory);
}

/* Of a tmpfs, and until Linux 6.6: the newest first, and what is made while one reads is not seen. */
static void newest_first(void)
{
	struct statfs fs;
	char text[300];
	DIR *directory;
	long at;

	enter();
	WANT_IS(statfs(".", &fs), 0);
	if (!linux_before(6, 6) || fs.f_type != 0x01021994)
		return;
	for (char letter[2] = "a"; *letter <= 'f'; ++*letter)
		close(make(letter, ""));
	list(text);
	WANT(!strcmp(text, "fedcba"));
	WANT_IS(rename("b", "x"), 0);
	WANT_IS(unlink("d"), 0);
	WANT_IS(link("a", "y"), 0);
	list(text);
	WANT(!strcmp(text, "yxfeca"));
	directory = opendir(".");
	at = telldir(directory);
	for (int i = 0; i < 4; i++)
		WANT(readdir(directory));
	close(make("z", ""));
	seekdir(directory, at);
	WANT(readdir(directory) && readdir(directory));
	WANT(!strcmp(readdir(directory)->d_name, "z")); /* the place before all of them */
	closedir(directory);
}

/* What getdents and getdents64 say of the same directory; they differ in where name and kind stand. */
static void old_entries(void)
{
	char now[4096], before[4096];
	unsigned short size, old;
	long got, at = 0, was = 0, same;

	enter();
	WANT_IS(mkdir("dir", 0755), 0);
	WANT_IS(symlink("dir", "a-link-1"), 0); /* 18 + 8 + 2 bytes: 32 */
	close(make("a-file-of-13c", ""));       /* 18 + 13 + 2 = 33: 40 */
	memset(before, 'p', sizeof before);
	got = kernel_call(SYS_getdents64, open(".", O_RDONLY), now, sizeof now);
	same = kernel_call(SYS_getdents, open(".", O_RDONLY), before, sizeof before);
	WANT(got > 0 && same > 0);
	while (at < got) {
		memcpy(&size, now + at + 16, 2);
		memcpy(&old, before + was + 16, 2);
		WANT(!memcmp(now + at, before + was, 16));
		WANT(!strcmp(now + at + 19, before + was + 18));
		WANT_IS(before[was + old - 1], now[at + 18]);
		for (long i = 18 + (long)strlen(now + at + 19) + 1; i < old - 1; i++)
			WANT(!before[was + i] || before[was + i] == 'p');
		WANT_IS(old, (18 + strlen(now + at + 19) + 2 + 7) & ~7ul);
		at += size;
		was += old;
	}
	WANT_IS(was, same);
	WANT_IS(kernel_call(SYS_getdents, open(".", O_RDONLY), before, 23), -EINVAL);
	WANT_IS(kernel_call(SYS_getdents, open("a-file-of-13c", O_RDONLY), before, 99), -ENOTDIR);
	WANT_IS(kernel_call(SYS_getdents, 99, before, 99), -EBADF);
	WANT_IS(kernel_call(SYS_getdents, open(".", O_RDONLY), NULL, 99), -EFAULT);
}

/* ---- fallocate ---- */

static long allocate(int fd, int mode, long start, long length)
{
	return kernel_call(SYS_fallocate, fd, mode, start, length);
}

static void allocates(void)
{
	char text[4] = "abcd";
	int fd, fds[2], reader;

	enter();
	fd = make("file", "0123");
	reader = open("file", O_RDONLY);
	WANT_IS(allocate(fd, 0, 0, 20000), 0);
	WANT_IS(stat_of("file").st_size, 20000);
	WANT_IS(stat_of("file").st_blocks, 40);
	WANT_IS(pread(fd, text, 4, 0), 4);
	WANT_IS(memcmp(text, "0123", 4), 0);
	WANT_IS(allocate(fd, KEEP, 40000, 1), 0);
	WANT_IS(stat_of("file").st_size, 20000);
	WANT_IS(allocate(fd, 0, -1, 10), -EINVAL);
	WANT_IS(allocate(fd, 0, 0, 0), -EINVAL);
	WANT_IS(allocate(fd, 0, 0, -1), -EINVAL);
	WANT_IS(allocate(fd, 0, LONG_MAX, 10), -EFBIG);
	WANT_IS(allocate(fd, PUNCH, 0, 10), -EOPNOTSUPP);
	WANT_IS(allocate(fd, 1 << 30, 0, 10), -EOPNOTSUPP);
	WANT_IS(allocate(reader, 0, 0, 10), -EBADF);
	WANT_IS(allocate(99, 0, 0, 10), -EBADF);
	WANT_IS(pipe(fds), 0);
	WANT_IS(allocate(fds[1], 0, 0, 10), -ESPIPE);
	WANT_IS(allocate(open("/dev/null", O_WRONLY), 0, 0, 10), -ENODEV);
}

/* RLIMIT_FSIZE counts even where the size stays. */
static void allocates_to_the_limit(void)
{
	int fd;

	enter();
	fd = make("file", "");
	signal(SIGXFSZ, SIG_IGN);
	WANT_IS(setrlimit(RLIMIT_FSIZE, &(struct rlimit){8192, 8192}), 0);
	WANT_IS(allocate(fd, 0, 0, 8192), 0);
	WANT_IS(allocate(fd, 0, 0, 8193), -EFBIG);
	WANT_IS(allocate(fd, KEEP, 4096, 8192), -EFBIG);
	WANT_IS(allocate(fd, PUNCH | KEEP, 4096, 8192), 0);
}

static void punches(void)
{
	static char block[5 * 4096], back[sizeof block];
	char *memory;
	int fd;

	enter();
	fd = make("file", "");
	memset(block, 'x', sizeof block);
	WANT_IS(write(fd, block, sizeof block), sizeof block);
	memory = mmap(NULL, sizeof block, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	WANT(memory != MAP_FAILED && memory[2 * 4096] == 'x');
	WANT_IS(allocate(fd, PUNCH | KEEP, 4000, 9000), 0); /* to 13000: pages 1 and 2 go */
	memset(block + 4000, 0, 9000);
	WANT_IS(pread(fd, back, sizeof back, 0), sizeof back);
	WANT_IS(memcmp(back, block, sizeof block), 0);
	WANT_IS(lseek(fd, 0, SEEK_HOLE), 4096);
	WANT_IS(lseek(fd, 5000, SEEK_DATA), 3 * 4096);
	WANT_IS(stat_of("file").st_blocks, 24);
	WANT_IS(memcmp(memory, block, sizeof block), 0); /* which fills the hole again */
	WANT_IS(stat_of("file").st_size, sizeof block);
	WANT_IS(allocate(fd, PUNCH | KEEP, 10, 20), 0); /* within a page */
	memset(block + 10, 0, 20);
	WANT_IS(memcmp(memory, block, sizeof block), 0);
	WANT_IS(allocate(fd, PUNCH | KEEP, 4 * 4096, 1 << 20), 0); /* beyond the end */
	WANT_IS(stat_of("file").st_size, sizeof block);
	WANT_IS(pread(fd, back, 4096, 4 * 4096), 4096);
	WANT_IS(back[0] | back[4095], 0);
}

/* ---- Set-id bits ---- */

static mode_t bits_of(const char *name)
{
	return stat_of(name).st_mode & 07777;
}

static void set_id_bits(void)
{
	int fd;

	enter();
	fd = make("file", "x");
	WANT_IS(fchown(fd, NOBODY, NOBODY), 0);
	WANT_IS(fchmod(fd, 06777), 0);
	WANT_IS(write(fd, "y", 1), 1); /* root keeps them */
	WANT_IS(bits_of("file"), 06777);
	WANT_IS(fchown(fd, (uid_t)-1, (gid_t)-1), 0);
	WANT_IS(bits_of("file"), 0777);
	WANT_IS(fchmod(fd, 06767), 0);
	WANT_IS(fchown(fd, NOBODY, NOBODY), 0);
	WANT_IS(bits_of("file"), 02767); /* a group that may not execute: no set-gid bit */
	WANT_IS(fchmod(fd, 06777), 0);
	close(make("of-root's-group", ""));
	WANT_IS(chown("of-root's-group", NOBODY, 0), 0);
	if (!become_nobody())
		return;
	WANT_IS(write(fd, "y", 1), 1);
	WANT_IS(bits_of("file"), 0777);
	WANT_IS(chmod("file", 06777), 0);
	WANT_IS(ftruncate(fd, 0), 0);
	WANT_IS(bits_of("file"), 0777);
	WANT_IS(chmod("of-root's-group", 06777), 0); /* not a group of one's own */
	WANT_IS(bits_of("of-root's-group"), 04777);
}

static void set_gid_directory(void)
{
	enter();
	WANT_IS(chown(".", 0, 1234), 0);
	WANT_IS(chmod(".", 02777), 0);
	umask(0);
	close(make("file", ""));
	WANT_IS(stat_of("file").st_gid, 1234);
	WANT_IS(mkdir("dir", 0755), 0);
	WANT_IS(stat_of("dir").st_gid, 1234);
	WANT_IS(bits_of("dir"), 02755);
	if (!become_nobody())
		return;
	WANT_IS(close(open("program", O_CREAT | O_WRONLY, 02755)), 0);
	WANT_IS(stat_of("program").st_gid, 1234);
	WANT_IS(bits_of("program"), 0755); /* one is not in that group */
}

/* ---- copy_file_range ---- */

static long copy(int in, int64_t *from, int out, int64_t *to, size_t count, unsigned int flags)
{
	return kernel_call(SYS_copy_file_range, in, from, out, to, count, flags);
}

static void copies(void)
{
	int64_t from = 2, to = 10, most = INT64_MAX, negative = -2;
	int in, out, readable;
	char found[32];

	enter();
	in = make("in", "0123456789");
	out = make("out", "");
	WANT_IS(copy(in, &from, out, &to, 100, 0), 8); /* what there is */
	WANT_IS(from, 10);
	WANT_IS(to, 18);
	WANT_IS(pread(out, found, sizeof found, 0), 18);
	WANT(memcmp(found, "\0\0\0\0\0\0\0\0\0\00023456789", 18) == 0);
	WANT_IS(copy(in, &from, out, &to, 100, 0), 0); /* at the end */
	WANT_IS(lseek(in, 4, SEEK_SET), 4);
	WANT_IS(copy(in, NULL, out, NULL, 3, 0), 3); /* by the positions */
	WANT_IS(lseek(in, 0, SEEK_CUR), 7);
	WANT_IS(lseek(out, 0, SEEK_CUR), 3);
	WANT_IS(pread(out, found, 3, 0), 3);
	WANT(memcmp(found, "456", 3) == 0);
	from = 0;
	to = 5;
	WANT_IS(copy(in, &from, in, &to, 6, 0), -EINVAL); /* they overlap */
	WANT_IS(copy(in, &from, in, &to, 5, 0), 5);
	WANT_IS(copy(in, &from, out, &to, 1, 1), -EINVAL);
	WANT_IS(copy(in, &negative, out, &to, 1, 0), -EINVAL);
	WANT_IS(copy(in, &negative, out, &to, 5, 0), -EOVERFLOW);
	WANT_IS(copy(in, &from, out, &most, 5, 0), -EFBIG);
	WANT_IS(copy(in, (int64_t *)1, out, &to, 1, 0), -EFAULT);
	readable = open("out", O_RDONLY);
	WANT_IS(copy(in, &from, readable, &to, 1, 0), -EBADF);
	WANT_IS(copy(in, &from, 99, &to, 1, 0), -EBADF);
	WANT_IS(copy(in, NULL, open("out", O_WRONLY | O_APPEND), NULL, 1, 0), -EBADF);
	WANT_IS(copy(open(".", O_RDONLY), NULL, out, NULL, 1, 0), -EISDIR);
	WANT_IS(copy(open("/dev/null", O_RDONLY), NULL, out, NULL, 1, 0), -EINVAL);
}

static const struct test_case cases[] = {
	CASE(exchanges, "RENAME_EXCHANGE: two files"),
	CASE(exchanges_kinds, "RENAME_EXCHANGE: directories and files"),
	CASE(exchange_allowed, "RENAME_EXCHANGE: sticky directories"),
	CASE(whiteouts, "RENAME_WHITEOUT"),
	CASE(newest_first, "readdir of a tmpfs: the order"),
	CASE(old_entries, "getdents"),
	CASE(allocates, "fallocate: room, size, errors"),
	CASE(allocates_to_the_limit, "fallocate: RLIMIT_FSIZE"),
	CASE(punches, "fallocate: FALLOC_FL_PUNCH_HOLE"),
	CASE(copies, "copy_file_range: lengths, positions, errors"),
	CASE(set_id_bits, "set-id bits: gone with chown, write, truncate"),
	CASE(set_gid_directory, "set-gid directories"),
};

FILE_CASES("file-changes")
