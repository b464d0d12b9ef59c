/* SPDX-License-Identifier: MIT */
/* Extended attributes (man 7 xattr) of a tmpfs: kept, replaced, listed, removed, who may; what is refused.
 * It runs in a tmpfs, as root. */
#include <sys/stat.h>

#include "cases.h"

static long set(const char *path, const char *name, const char *value, int flags)
{
	return kernel_call(SYS_setxattr, path, name, value, strlen(value), flags);
}

static long get(const char *path, const char *name, char *value, size_t size)
{
	return kernel_call(SYS_getxattr, path, name, value, size);
}

static void make(const char *path)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0644);

	WANT(fd >= 0);
	close(fd);
}

static void kept(void)
{
	char value[16] = "";

	make("f");
	WANT_IS(get("f", "trusted.a", value, 16), -ENODATA);
	WANT_IS(set("f", "trusted.a", "one", 0), 0);
	WANT_IS(get("f", "trusted.a", NULL, 0), 3);
	WANT_IS(get("f", "trusted.a", value, 2), -ERANGE);
	WANT_IS(get("f", "trusted.a", value, 3), 3);
	WANT(!memcmp(value, "one", 4));
	WANT_IS(set("f", "trusted.a", "longer", 1), -EEXIST);
	WANT_IS(set("f", "trusted.b", "longer", 2), -ENODATA);
	WANT_IS(set("f", "trusted.a", "longer", 2), 0);
	WANT_IS(get("f", "trusted.a", value, 16), 6);
	WANT_IS(set("f", "trusted.a", "", 0), 0);
	WANT_IS(get("f", "trusted.a", value, 16), 0);
	WANT_IS(kernel_call(SYS_removexattr, "f", "trusted.a"), 0);
	WANT_IS(kernel_call(SYS_removexattr, "f", "trusted.a"), -ENODATA);
	WANT_IS(set("f", "security.any", "x", 1), 0);
	WANT_IS(link("f", "g"), 0);
	WANT_IS(get("g", "security.any", value, 16), 1);
	WANT_IS(unlink("f"), 0);
	WANT_IS(unlink("g"), 0);
}

static void listed(void)
{
	static const char *const expected[] = {"security.d", "trusted.a", "trusted.b", "trusted.c"};
	const long size = 11 + 3 * 10;
	char names[64];

	make("f");
	WANT_IS(kernel_call(SYS_listxattr, "f", NULL, 0), 0);
	WANT_IS(set("f", "trusted.a", "1", 0), 0);
	WANT_IS(set("f", "trusted.b", "2", 0), 0);
	WANT_IS(set("f", "trusted.c", "3", 0), 0);
	WANT_IS(set("f", "security.d", "4", 0), 0);
	WANT_IS(set("f", "trusted.b", "anew", 0), 0);
	WANT_IS(kernel_call(SYS_listxattr, "f", NULL, 0), size);
	WANT_IS(kernel_call(SYS_listxattr, "f", names, 10), -ERANGE);
	WANT_IS(kernel_call(SYS_listxattr, "f", names, size - 1), -ERANGE);
	WANT_IS(kernel_call(SYS_listxattr, "f", names, size), size);
	for (size_t i = 0; i < COUNT(expected); i++)
		WANT(memmem(names, (size_t)size, expected[i], strlen(expected[i]) + 1));
	WANT_IS(kernel_call(SYS_listxattr, "f", BAD, 64), -EFAULT);
	WANT_IS(unlink("f"), 0);
}

static void links_and_descriptors(void)
{
	char value[16];
	int fd, path_fd;

	make("f");
	WANT_IS(symlink("f", "l"), 0);
	WANT_IS(kernel_call(SYS_lsetxattr, "l", "trusted.l", "link", 4, 0), 0);
	WANT_IS(get("l", "trusted.l", value, 16), -ENODATA);
	WANT_IS(kernel_call(SYS_lgetxattr, "l", "trusted.l", value, 16), 4);
	WANT_IS(kernel_call(SYS_llistxattr, "l", value, 16), 10);
	WANT_IS(kernel_call(SYS_lremovexattr, "l", "trusted.l"), 0);
	fd = open("f", O_RDONLY);
	path_fd = open("f", O_PATH);
	WANT_IS(kernel_call(SYS_fsetxattr, fd, "trusted.f", "12", 2, 0), 0);
	WANT_IS(kernel_call(SYS_fgetxattr, fd, "trusted.f", value, 16), 2);
	WANT_IS(kernel_call(SYS_flistxattr, fd, value, 16), 10);
	WANT_IS(kernel_call(SYS_fgetxattr, path_fd, "trusted.f", value, 16), -EBADF);
	WANT_IS(kernel_call(SYS_fremovexattr, fd, "trusted.f"), 0);
	WANT_IS(kernel_call(SYS_flistxattr, fd, value, 16), 0);
	WANT_IS(kernel_call(SYS_fsetxattr, 99, "trusted.f", "12", 2, 0), -EBADF);
	WANT_IS(kernel_call(SYS_flistxattr, path_fd, value, 16), -EBADF);
	close(fd);
	close(path_fd);
	WANT_IS(unlink("l"), 0);
	WANT_IS(unlink("f"), 0);
}

static void refused(void)
{
	static char huge[70000], name[300];
	char value[16];
	long stored;

	make("f");
	memset(name, 'x', sizeof(name) - 1);
	memcpy(name, "trusted.", 8);
	WANT_IS(set("f", name, "v", 0), -ERANGE);
	name[255] = 0;
	WANT_IS(set("f", name, "v", 0), 0);
	WANT_IS(set("f", "", "v", 0), -ERANGE);
	WANT_IS(set("f", "trusted.", "v", 0), -EINVAL);
	WANT_IS(set("f", "other", "v", 0), -EOPNOTSUPP);
	WANT_IS(get("f", "other", value, 16), -EOPNOTSUPP);
	WANT_IS(set("f", "trusted.x", "v", 4), -EINVAL);
	WANT_IS(set("none", "trusted.x", "v", 0), -ENOENT);
	WANT_IS(kernel_call(SYS_setxattr, "f", "trusted.x", huge, 65537, 0), -E2BIG);
	/* Newer kernels count a tmpfs's attributes against its inodes, of which it may have few. */
	stored = kernel_call(SYS_setxattr, "f", "trusted.x", huge, 65536, 0) == -ENOSPC ? 1024
											: 65536;
	WANT_IS(kernel_call(SYS_setxattr, "f", "trusted.x", huge, stored, 0), 0);
	WANT_IS(get("f", "trusted.x", huge, sizeof(huge)), stored);
	WANT_IS(kernel_call(SYS_setxattr, "f", "trusted.x", BAD, 4, 0), -EFAULT);
	WANT_IS(kernel_call(SYS_setxattr, "f", BAD, "v", 1, 0), -EFAULT);
	WANT_IS(kernel_call(SYS_getxattr, "f", "trusted.x", BAD, 65536), -EFAULT);
	WANT_IS(get("/proc/version", "security.x", value, 16), -EOPNOTSUPP);
	WANT_IS(set("/proc/version", "trusted.x", "v", 0), -EOPNOTSUPP);
	WANT_IS(kernel_call(SYS_listxattr, "/proc/version", value, 16), 0);
	WANT_IS(unlink("f"), 0);
}

/* On a file of root's with attributes, a link, and a sticky directory. */
static void without_rights(void)
{
	char value[16];

	make("f");
	WANT_IS(symlink("f", "l"), 0);
	WANT_IS(mkdir("sticky", 0777), 0);
	WANT_IS(chmod("sticky", 01777), 0);
	WANT_IS(set("f", "trusted.a", "v", 0), 0);
	WANT_IS(set("f", "security.a", "v", 0), 0);
	WANT_IS(setresuid(1000, 1000, 0), 0);
	WANT_IS(set("f", "trusted.a", "v", 0), -EPERM);
	WANT_IS(get("f", "trusted.a", value, 16), -ENODATA);
	WANT_IS(get("f", "security.a", value, 16), 1);
	WANT_IS(kernel_call(SYS_removexattr, "f", "trusted.a"), -EPERM);
	WANT_IS(kernel_call(SYS_listxattr, "f", value, 16), 11);
	WANT(!strcmp(value, "security.a"));
	WANT_IS(set("f", "user.a", "v", 0), -EACCES);
	WANT_IS(kernel_call(SYS_lsetxattr, "l", "user.a", "v", 1, 0), -EPERM);
	WANT_IS(kernel_call(SYS_lgetxattr, "l", "user.a", value, 16), -ENODATA);
	WANT_IS(set("sticky", "user.a", "v", 0), -EPERM);
	WANT_IS(setresuid(0, 0, 0), 0);
	WANT_IS(unlink("f"), 0);
	WANT_IS(unlink("l"), 0);
	WANT_IS(rmdir("sticky"), 0);
}

static const struct test_case cases[] = {
	CASE(kept, "xattr: set, got, replaced, removed"),
	CASE(listed, "xattr: listed"),
	CASE(links_and_descriptors, "xattr: of links and by descriptors"),
	CASE(refused, "xattr: what is refused"),
	CASE(without_rights, "xattr: without rights"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
