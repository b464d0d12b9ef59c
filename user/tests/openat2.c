/* SPDX-License-Identifier: MIT */
/* openat2: what it checks, and walks narrowed by RESOLVE_*. The tree of each case is its own. */
#include <sys/stat.h>

#include "cases.h"

/* <linux/openat2.h> */
struct open_how {
	uint64_t flags, mode, resolve;
};
#define RESOLVE_NO_XDEV       0x01u
#define RESOLVE_NO_MAGICLINKS 0x02u
#define RESOLVE_NO_SYMLINKS   0x04u
#define RESOLVE_BENEATH       0x08u
#define RESOLVE_IN_ROOT       0x10u
#define RESOLVE_CACHED        0x20u
#ifndef SYS_openat2
#define SYS_openat2 437
#endif

static long open2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = {flags, mode, resolve};

	return kernel_call(SYS_openat2, directory, path, &how, sizeof how);
}

static long resolved(int directory, const char *path, uint64_t resolve)
{
	return open2(directory, path, O_RDONLY, 0, resolve);
}

/* Which file a descriptor is of: its inode's number, or the errno. */
static long number_of(long fd)
{
	struct stat status;

	if (fd < 0)
		return fd;
	WANT_IS(fstat((int)fd, &status), 0);
	return (long)status.st_ino;
}

static long number_at(const char *path)
{
	return number_of(open(path, O_RDONLY));
}

/*
 *	tree/		the working directory is above
 *	  file
 *	  dir/inner
 *	  up -> ../outside	out -> /	self -> file	down -> dir	magic -> /proc/self/fd/0...
 *	outside
 */
static int tree;

static void put_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0644);

	WANT(fd >= 0);
	close(fd);
}

static char place[] = "/tmp/openat2-XXXXXX";

static void make_tree(void)
{
	WANT(mkdtemp(place));
	WANT_IS(chdir(place), 0);
	WANT_IS(mkdir("tree", 0755), 0);
	WANT_IS(mkdir("tree/dir", 0755), 0);
	put_file("outside");
	put_file("tree/file");
	put_file("tree/dir/inner");
	WANT_IS(symlink("../outside", "tree/up"), 0);
	WANT_IS(symlink("/", "tree/out"), 0);
	WANT_IS(symlink("/file", "tree/absolute"), 0);
	WANT_IS(symlink("file", "tree/self"), 0);
	WANT_IS(symlink("dir", "tree/down"), 0);
	WANT_IS(symlink("../file", "tree/dir/back"), 0);
	tree = open("tree", O_RDONLY | O_DIRECTORY);
	WANT(tree >= 0);
}

static void drop_tree(void)
{
	static const char *const names[] = {"tree/dir/back", "tree/dir/inner", "tree/dir/new",
		"tree/new", "tree/up", "tree/out", "tree/absolute", "tree/self", "tree/down",
		"tree/file", "outside"};

	WANT_IS(chdir(place), 0);
	for (size_t i = 0; i < COUNT(names); i++)
		unlink(names[i]);
	rmdir("tree/dir");
	rmdir("tree");
	rmdir(place);
}

static void checks(void)
{
	struct {
		struct open_how how;
		uint64_t more;
	} big = {{O_RDONLY, 0, 0}, 0};
	struct open_how how = {O_RDONLY, 0, 0};
	long fd;

	WANT_IS(kernel_call(SYS_openat2, AT_FDCWD, "/", &how, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_openat2, AT_FDCWD, "/", &how, sizeof how - 1), -EINVAL);
	WANT_IS(kernel_call(SYS_openat2, AT_FDCWD, "/", BAD, sizeof how), -EFAULT);
	WANT_IS(kernel_call(SYS_openat2, AT_FDCWD, BAD, &how, sizeof how), -EFAULT);
	WANT(kernel_call(SYS_openat2, AT_FDCWD, "/", &big, sizeof big) >= 0);
	big.more = 1;
	WANT_IS(kernel_call(SYS_openat2, AT_FDCWD, "/", &big, sizeof big), -E2BIG);
	WANT_IS(open2(AT_FDCWD, "/", UINT64_C(1) << 32, 0, 0), -EINVAL);
	WANT_IS(open2(AT_FDCWD, "/", 1u << 31, 0, 0), -EINVAL);
	WANT_IS(open2(AT_FDCWD, "/", O_RDONLY, 0, 0x40), -EINVAL);
	WANT_IS(open2(AT_FDCWD, "/", O_RDONLY, 0, UINT64_C(1) << 40), -EINVAL);
	WANT_IS(open2(AT_FDCWD, "/", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT), -EINVAL);
	WANT_IS(open2(AT_FDCWD, "/", O_RDONLY, 0600, 0), -EINVAL);
	WANT_IS(open2(AT_FDCWD, "/none", O_CREAT | O_WRONLY, 010000, 0), -EINVAL);
	WANT_IS(open2(AT_FDCWD, "/none", O_CREAT | O_WRONLY, UINT64_C(1) << 40, 0), -EINVAL);
	WANT_IS(open2(AT_FDCWD, "/", O_PATH | O_RDWR, 0, 0), -EINVAL);
	WANT_IS(open2(AT_FDCWD, "/", O_TMPFILE | O_RDONLY, 0, 0), -EINVAL);
	WANT_IS(open2(AT_FDCWD, "", O_RDONLY, 0, 0), -ENOENT);
	WANT_IS(open2(99, "x", O_RDONLY, 0, 0), -EBADF);
	WANT_IS(open2(AT_FDCWD, "/", O_RDWR, 0, RESOLVE_CACHED), -EISDIR);
	fd = open2(AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0, 0);
	WANT_IS(fcntl((int)fd, F_GETFD), FD_CLOEXEC);
	WANT_IS(fcntl((int)fd, F_GETFL), O_PATH);
	fd = open2(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0, 0);
	WANT_IS(fcntl((int)fd, F_GETFL), O_DIRECTORY | 0100000 /* O_LARGEFILE */);
}

static void beneath(void)
{
	make_tree();
	WANT_IS(number_of(resolved(tree, "file", RESOLVE_BENEATH)), number_at("tree/file"));
	WANT_IS(number_of(resolved(tree, "dir/../file", RESOLVE_BENEATH)), number_at("tree/file"));
	WANT_IS(number_of(resolved(tree, "dir/back", RESOLVE_BENEATH)), number_at("tree/file"));
	WANT_IS(number_of(resolved(tree, "down/inner", RESOLVE_BENEATH)),
		number_at("tree/dir/inner"));
	WANT_IS(number_of(resolved(tree, ".", RESOLVE_BENEATH)), number_at("tree"));
	WANT_IS(number_of(resolved(tree, "dir/..", RESOLVE_BENEATH)), number_at("tree"));
	WANT_IS(resolved(tree, "..", RESOLVE_BENEATH), -EXDEV);
	WANT_IS(resolved(tree, "../tree/file", RESOLVE_BENEATH), -EXDEV);
	WANT_IS(resolved(tree, "dir/../../outside", RESOLVE_BENEATH), -EXDEV);
	WANT_IS(resolved(tree, "up", RESOLVE_BENEATH), -EXDEV);
	WANT_IS(resolved(tree, "out", RESOLVE_BENEATH), -EXDEV);
	WANT_IS(resolved(tree, "absolute", RESOLVE_BENEATH), -EXDEV);
	WANT_IS(resolved(tree, "/", RESOLVE_BENEATH), -EXDEV);
	WANT_IS(resolved(99, "/", RESOLVE_BENEATH), -EXDEV);
	WANT_IS(resolved(tree, "nothing", RESOLVE_BENEATH), -ENOENT);
	WANT_IS(open2(tree, "../new", O_CREAT | O_WRONLY, 0644, RESOLVE_BENEATH), -EXDEV);
	WANT(open2(tree, "dir/../new", O_CREAT | O_WRONLY, 0644, RESOLVE_BENEATH) >= 0);
	drop_tree();
}

static void in_root(void)
{
	make_tree();
	WANT_IS(number_of(resolved(tree, "/file", RESOLVE_IN_ROOT)), number_at("tree/file"));
	WANT_IS(number_of(resolved(tree, "/", RESOLVE_IN_ROOT)), number_at("tree"));
	WANT_IS(number_of(resolved(tree, "../../file", RESOLVE_IN_ROOT)), number_at("tree/file"));
	WANT_IS(number_of(resolved(tree, "..", RESOLVE_IN_ROOT)), number_at("tree"));
	WANT_IS(number_of(resolved(tree, "out/file", RESOLVE_IN_ROOT)), number_at("tree/file"));
	WANT_IS(number_of(resolved(tree, "absolute", RESOLVE_IN_ROOT)), number_at("tree/file"));
	WANT_IS(number_of(resolved(tree, "dir/back", RESOLVE_IN_ROOT)), number_at("tree/file"));
	WANT_IS(resolved(tree, "up", RESOLVE_IN_ROOT), -ENOENT);
	WANT_IS(resolved(99, "/", RESOLVE_IN_ROOT), -EBADF);
	WANT(open2(tree, "/dir/new", O_CREAT | O_WRONLY, 0644, RESOLVE_IN_ROOT) >= 0);
	WANT_IS(access("tree/dir/new", F_OK), 0);
	drop_tree();
}

static void no_links(void)
{
	make_tree();
	WANT_IS(number_of(resolved(tree, "dir/inner", RESOLVE_NO_SYMLINKS)),
		number_at("tree/dir/inner"));
	WANT_IS(resolved(tree, "self", RESOLVE_NO_SYMLINKS), -ELOOP);
	WANT_IS(resolved(tree, "down/inner", RESOLVE_NO_SYMLINKS), -ELOOP);
	WANT(open2(tree, "self", O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS) >= 0);
	WANT(resolved(tree, "self", RESOLVE_NO_MAGICLINKS) >= 0);
	WANT_IS(open2(tree, "self", O_CREAT | O_WRONLY, 0600, RESOLVE_NO_SYMLINKS), -ELOOP);
	drop_tree();
}

static void no_magic(void)
{
	char path[64];
	int fd;

	make_tree();
	fd = open("tree/file", O_RDONLY);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	WANT_IS(number_of(resolved(AT_FDCWD, path, 0)), number_at("tree/file"));
	WANT_IS(resolved(AT_FDCWD, path, RESOLVE_NO_MAGICLINKS), -ELOOP);
	WANT_IS(resolved(AT_FDCWD, path, RESOLVE_NO_SYMLINKS), -ELOOP);
	WANT_IS(resolved(open("/", O_PATH), path + 1, RESOLVE_BENEATH), -EXDEV);
	WANT_IS(resolved(open("/", O_PATH), path, RESOLVE_IN_ROOT), -EXDEV);
	WANT_IS(resolved(AT_FDCWD, path, RESOLVE_NO_XDEV), -EXDEV);
	WANT_IS(resolved(AT_FDCWD, "/proc/self/root/proc", RESOLVE_NO_MAGICLINKS), -ELOOP);
	drop_tree();
}

static void no_other_mount(void)
{
	int root = open("/", O_PATH), proc = open("/proc", O_PATH);

	WANT_IS(resolved(root, "proc", RESOLVE_NO_XDEV), -EXDEV);
	WANT_IS(resolved(root, "proc/self/status", RESOLVE_NO_XDEV), -EXDEV);
	WANT(resolved(proc, "self/status", RESOLVE_NO_XDEV) >= 0);
	WANT_IS(resolved(proc, "..", RESOLVE_NO_XDEV), -EXDEV);
	WANT_IS(resolved(proc, "../proc/version", RESOLVE_NO_XDEV), -EXDEV);
	WANT_IS(resolved(AT_FDCWD, "/proc", RESOLVE_NO_XDEV), -EXDEV);
	WANT(resolved(proc, "/", RESOLVE_NO_XDEV) >= 0); /* where it begins is no matter */
	WANT(resolved(root, "..", RESOLVE_NO_XDEV) >= 0);
	WANT_IS(open2(root, "proc/version", O_CREAT | O_RDONLY, 0, RESOLVE_NO_XDEV), -EXDEV);
}

static void only_cached(void)
{
	make_tree();
	WANT_IS(number_of(open2(tree, "dir/inner", O_RDONLY, 0, 0)), number_at("tree/dir/inner"));
	WANT(resolved(tree, "dir/inner", RESOLVE_CACHED) >= 0);
	WANT_IS(open2(tree, "new", O_CREAT | O_WRONLY, 0600, RESOLVE_CACHED), -EAGAIN);
	WANT_IS(open2(tree, "file", O_TRUNC | O_WRONLY, 0, RESOLVE_CACHED), -EAGAIN);
	WANT_IS(open2(tree, ".", O_TMPFILE | O_WRONLY, 0600, RESOLVE_CACHED), -EAGAIN);
	drop_tree();
}

/* The directory under which a walk is to stay is moved about by another: what is outside is never seen. */
static volatile bool stop;

static void *moves(void *argument)
{
	while (!stop) {
		WANT_IS(rename("tree/dir/deep", "moved"), 0);
		WANT_IS(rename("moved", "tree/dir/deep"), 0);
	}
	return argument;
}

/* Into the directory that is moved, to and fro in it for a while, and two steps up: its new place is outside. */
static void make_way(char *way, size_t size)
{
	size_t used = (size_t)snprintf(way, size, "dir/deep/");

	while (used + 40 < size)
		used += (size_t)snprintf(way + used, size - used, "er/../");
	snprintf(way + used, size - used, "er/../../outside");
}

static void stays_beneath(void)
{
	const uint64_t resolves[] = {RESOLVE_BENEATH, RESOLVE_IN_ROOT};
	char way[2000];
	pthread_t thread;
	long result;

	make_tree();
	WANT_IS(mkdir("tree/dir/deep", 0755), 0);
	WANT_IS(mkdir("tree/dir/deep/er", 0755), 0);
	make_way(way, sizeof way);
	thread = begin_thread(moves, NULL);
	for (int i = 0; i < 2000; i++) {
		result = resolved(tree, way, resolves[i % 2]);
		WANT(result == -EXDEV || result == -ENOENT || result == -EAGAIN);
	}
	stop = true;
	join_thread(thread);
	rmdir("tree/dir/deep/er");
	rmdir("tree/dir/deep");
	drop_tree();
}

static const struct test_case cases[] = {
	CASE(checks, "openat2: sizes, flags, modes that are refused"),
	CASE(beneath, "RESOLVE_BENEATH"),
	CASE(in_root, "RESOLVE_IN_ROOT"),
	CASE(no_links, "RESOLVE_NO_SYMLINKS"),
	CASE(no_magic, "RESOLVE_NO_MAGICLINKS"),
	CASE(no_other_mount, "RESOLVE_NO_XDEV"),
	CASE(only_cached, "RESOLVE_CACHED"),
	CASE(stays_beneath, "a directory that is moved meanwhile lets nobody out"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
