/* SPDX-License-Identifier: MIT */
/*
 * chroot: paths that stay below the root, a working directory outside it, who has which root, errors.
 * Whoever is not root may not change it: then the cases see that.
 */
#include <sys/stat.h>

#include "cases.h"

static char place[32];

static void make_place(void)
{
	char path[64];

	strcpy(place, "/tmp/poll-XXXXXX");
	WANT(mkdtemp(place) != NULL);
	WANT_IS(chmod(place, 0755), 0);
	snprintf(path, sizeof path, "%s/in", place);
	WANT_IS(mkdir(path, 0755), 0);
	snprintf(path, sizeof path, "%s/link", place);
	WANT_IS(symlink("/in", path), 0);
	snprintf(path, sizeof path, "%s/up", place);
	WANT_IS(symlink("../../../in", path), 0);
	snprintf(path, sizeof path, "%s/file", place);
	WANT_IS(close(open(path, O_CREAT | O_WRONLY, 0644)), 0);
}

static void remove_place(void)
{
	static const char *const names[] = {"in", "link", "up", "file"};
	int at = open(place, O_DIRECTORY);

	for (size_t i = 0; i < COUNT(names); i++)
		WANT_IS(unlinkat(at, names[i], i == 0 ? AT_REMOVEDIR : 0), 0);
	WANT_IS(rmdir(place), 0);
}

/* In a child, whose root it stays. Who is not root may not. */
static void in_place(void (*act)(void))
{
	make_place();
	if (geteuid() == 0)
		WANT_ENDS(start(act), 0);
	else
		WANT_IS(kernel_call(SYS_chroot, place), -EPERM);
	remove_place();
}

static ino_t inode_of(const char *path)
{
	struct stat stat_buffer;

	WANT_IS(stat(path, &stat_buffer), 0);
	return stat_buffer.st_ino;
}

static void stays_below(void)
{
	char in[64], cwd[64];
	ino_t inode, root = inode_of(place);

	snprintf(in, sizeof in, "%s/in", place);
	inode = inode_of(in);
	WANT_IS(kernel_call(SYS_chroot, place), 0);
	WANT_IS(chdir("/"), 0);
	WANT_IS(inode_of("/"), root);
	WANT_IS(inode_of(".."), root);
	WANT_IS(inode_of("../../in"), inode);
	WANT_IS(inode_of("/in/../../../in"), inode);
	WANT_IS(inode_of("/link"), inode);
	WANT_IS(inode_of("/up"), inode);
	WANT_IS(inode_of("/link/../.."), root);
	WANT_IS(chdir("in"), 0);
	WANT(strcmp(getcwd(cwd, sizeof cwd), "/in") == 0);
	WANT_IS(kernel_call(SYS_chroot, "."), 0);
	WANT_IS(inode_of("/"), inode);
	WANT_IS(inode_of(".."), inode);
	WANT(strcmp(getcwd(cwd, sizeof cwd), "/") == 0);
}

static void chroot_below(void)
{
	in_place(stays_below);
}

static void leaves(void)
{
	char text[64];
	ino_t root = inode_of("/");
	long length;

	WANT_IS(chdir("/tmp"), 0);
	WANT_IS(kernel_call(SYS_chroot, place), 0);
	length = kernel_call(SYS_getcwd, text, sizeof text);
	WANT_IS(length, sizeof "(unreachable)/tmp");
	WANT(strcmp(text, "(unreachable)/tmp") == 0);
	WANT_IS(inode_of(".."), root); /* the working directory is outside: it leads out */
	WANT_IS(chdir(".."), 0);
	length = kernel_call(SYS_getcwd, text, sizeof text);
	WANT_IS(length, sizeof "(unreachable)/");
	WANT_IS(kernel_call(SYS_chroot, "."), 0);
	WANT_IS(inode_of("/"), root);
}

static void chroot_outside(void)
{
	in_place(leaves);
}

static void tells_children(void)
{
	ino_t root = inode_of(place), other = inode_of("/");
	pid_t pid;

	pid = fork(); /* has a root of its own */
	if (pid == 0) {
		WANT_IS(kernel_call(SYS_chroot, place), 0);
		pid = fork();
		WANT(pid >= 0);
		WANT_IS(inode_of("/"), root);
		if (pid)
			WANT_ENDS(pid, 0);
		_exit(0);
	}
	WANT_ENDS(pid, 0);
	WANT_IS(inode_of("/"), other);
	pid = (pid_t)kernel_call(SYS_clone, CLONE_FS | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0) {
		WANT_IS(kernel_call(SYS_chroot, place), 0);
		kernel_call(SYS_exit_group, 0);
	}
	WANT_ENDS(pid, 0);
	WANT_IS(inode_of("/"), root);
}

static void chroot_children(void)
{
	in_place(tells_children);
}

static void refuses(void)
{
	char path[64];

	snprintf(path, sizeof path, "%s/file", place);
	WANT_IS(kernel_call(SYS_chroot, path), -ENOTDIR);
	snprintf(path, sizeof path, "%s/none", place);
	WANT_IS(kernel_call(SYS_chroot, path), -ENOENT);
	WANT_IS(kernel_call(SYS_chroot, ""), -ENOENT);
	WANT_IS(kernel_call(SYS_chroot, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_chroot, NULL), -EFAULT);
	snprintf(path, sizeof path, "%s/in", place);
	WANT_IS(chmod(path, 0700), 0);
	WANT(become_nobody());
	WANT_IS(kernel_call(SYS_chroot, path), -EACCES);
	WANT_IS(kernel_call(SYS_chroot, place), -EPERM);
	snprintf(path, sizeof path, "%s/file", place);
	WANT_IS(kernel_call(SYS_chroot, path), -ENOTDIR);
	snprintf(path, sizeof path, "%s/in/none", place);
	WANT_IS(kernel_call(SYS_chroot, path), -EACCES);
}

static void chroot_errors(void)
{
	in_place(refuses);
}

static const struct test_case cases[] = {
	CASE(chroot_below, "chroot: nothing leads out of it"),
	CASE(chroot_outside, "chroot: the working directory stays, unreachable"),
	CASE(chroot_children, "chroot: children inherit it, CLONE_FS shares it"),
	CASE(chroot_errors, "chroot: ENOTDIR, ENOENT, EFAULT, EACCES, EPERM"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
