/* SPDX-License-Identifier: MIT */
/* Names and where they stand: the second half of files.c. */
#include "files_check.h"

static void test_directories(void)
{
	int fd;

	files_group("directories");
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

	files_group("links");
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

	files_group("40 nested links");
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

	files_group("names");
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

	files_group("rename");
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
	IS(CALL(rename, P("a"), P("a/")), -ENOTDIR); /* the same file, but named as a directory */
	IS(CALL(rename, P("d"), P("d/")), 0);
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

	files_group("getdents");
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

	files_group("working directory");
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

void test_file_names(void)
{
	test_directories();
	test_links();
	test_link_chain();
	test_names();
	test_rename();
	test_getdents();
	test_working_directory();
}
