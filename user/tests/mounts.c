/* SPDX-License-Identifier: MIT */
/*
 * mount, umount2, pivot_root: the tree of mounts, and a tmpfs with limits. Each case has a tmpfs of its
 * own to work in and, where there are such, a mount namespace of its own.
 */
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "cases.h"

#define HERE "/tmp/mounts-here"

static long call_mount(
	const char *source, const char *target, const char *type, long flags, const char *options)
{
	return kernel_call(SYS_mount, source, target, type, flags, options);
}

static long call_umount(const char *target, int flags)
{
	return kernel_call(SYS_umount2, target, flags);
}

static void make_directory(const char *path)
{
	WANT(mkdir(path, 0755) == 0 || errno == EEXIST);
}

/* An empty tmpfs to stand in, with the directories a and b. */
static void enter(void)
{
	if (unshare(CLONE_NEWNS) == 0)
		WANT_IS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	make_directory(HERE);
	while (umount2(HERE, MNT_DETACH) == 0)
		;
	WANT_IS(call_mount("source", HERE, "tmpfs", 0, NULL), 0);
	WANT_IS(chdir(HERE), 0);
	make_directory("a");
	make_directory("b");
}

/* It can go: nothing is in use. */
static void leave(void)
{
	WANT_IS(chdir("/"), 0);
	WANT_IS(call_umount(HERE, 0), 0);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);

	WANT(fd >= 0);
	WANT_IS(write(fd, text, strlen(text)), (long)strlen(text));
	close(fd);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static struct statfs statistics(const char *path)
{
	struct statfs found;

	WANT_IS(statfs(path, &found), 0);
	return found;
}

/* ---- Mounting ---- */

static void mounts_and_unmounts(void)
{
	struct stat before, inside, root;

	enter();
	write_file("a/under", "x");
	WANT_IS(stat("a", &before), 0);
	WANT_IS(call_mount("none", "a", "tmpfs", 0, NULL), 0);
	WANT(!is_there("a/under"));
	write_file("a/upon", "y");
	WANT_IS(stat("a", &inside), 0);
	WANT_IS(stat("a/..", &root), 0);
	WANT(before.st_dev != inside.st_dev);
	WANT_IS(root.st_dev, before.st_dev);
	WANT_IS(inside.st_mode, S_IFDIR | 01777);
	WANT_IS(kernel_call(SYS_rmdir, "a"), -EBUSY);
	WANT_IS(kernel_call(SYS_rename, "a", "c"), -EBUSY);
	WANT_IS(kernel_call(SYS_rename, "b", "a"), -EBUSY);
	WANT_IS(kernel_call(SYS_rename, "a/upon", "b/upon"), -EXDEV);
	WANT_IS(kernel_call(SYS_link, "a/upon", "b/upon"), -EXDEV);
	WANT_IS(call_umount("a", 0), 0);
	WANT(is_there("a/under") && !is_there("a/upon"));
	WANT_IS(call_umount("a", 0), -EINVAL);
	leave();
}

static void one_upon_the_other(void)
{
	enter();
	WANT_IS(call_mount("1", "a", "tmpfs", 0, NULL), 0);
	write_file("a/first", "");
	WANT_IS(call_mount("2", "a", "tmpfs", 0, NULL), 0);
	WANT(!is_there("a/first"));
	write_file("a/second", "");
	WANT_IS(call_umount("a", 0), 0);
	WANT(is_there("a/first") && !is_there("a/second"));
	WANT_IS(call_umount("a", 0), 0);
	WANT(!is_there("a/first"));
	leave();
}

static void mount_errors(void)
{
	enter();
	write_file("file", "");
	WANT_IS(call_mount("x", "a", "nosuchtype", 0, NULL), -ENODEV);
	WANT_IS(call_mount("x", "a", NULL, 0, NULL), -EINVAL);
	WANT_IS(call_mount("x", "none", "tmpfs", 0, NULL), -ENOENT);
	WANT_IS(call_mount("x", "file", "tmpfs", 0, NULL), -ENOTDIR);
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "nonsense=1"), -EINVAL);
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "size=abc"), -EINVAL);
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "nr_inodes=10%"), -EINVAL);
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "mode=9"), -EINVAL);
	WANT_IS(call_mount(BAD, "a", "tmpfs", 0, NULL), -EFAULT);
	WANT_IS(call_mount("x", "a", BAD, 0, NULL), -EFAULT);
	WANT_IS(call_mount("x", BAD, "tmpfs", 0, NULL), -EFAULT);
	WANT_IS(call_mount("x", "a", "tmpfs", 0, BAD), -EFAULT);
	WANT_IS(call_mount(NULL, "a", NULL, MS_BIND, NULL), -EINVAL);
	WANT_IS(call_mount("", "a", NULL, MS_BIND, NULL), -EINVAL);
	WANT_IS(call_mount("none", "a", NULL, MS_BIND, NULL), -ENOENT);
	WANT_IS(call_mount("file", "a", NULL, MS_BIND, NULL), -ENOTDIR);
	WANT_IS(call_mount("a", "file", NULL, MS_BIND, NULL), -ENOTDIR);
	WANT_IS(call_mount("a", "b", NULL, MS_MOVE, NULL), -EINVAL); /* no mount */
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT, NULL), -EINVAL);
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND, NULL), -EINVAL);
	WANT_IS(call_mount(NULL, "a", NULL, MS_PRIVATE, NULL), -EINVAL);
	WANT_IS(call_mount(NULL, HERE, NULL, MS_PRIVATE | MS_SLAVE, NULL), -EINVAL);
	WANT_IS(call_mount(NULL, HERE, NULL, MS_PRIVATE | MS_REC, NULL), 0);
	WANT_IS(call_umount("a", 16), -EINVAL);
	WANT_IS(call_umount("none", 0), -ENOENT);
	WANT_IS(call_umount("a", 0), -EINVAL);
	WANT_IS(call_umount(BAD, 0), -EFAULT);
	leave();
}

static void nobody_may(void)
{
	enter();
	if (fork() == 0) {
		become_nobody();
		WANT_IS(call_mount("x", "a", "tmpfs", 0, NULL), -EPERM);
		WANT_IS(call_mount("x", "a", "nosuch", 0, NULL), -EPERM);
		WANT_IS(call_mount("x", "none", "nosuch", 0, NULL), -ENOENT);
		WANT_IS(call_umount("a", 0), -EPERM);
		WANT_IS(call_umount("a", 16), -EINVAL);
		WANT_IS(kernel_call(SYS_pivot_root, "none", "none"), -EPERM);
		_exit(0);
	}
	WANT_ENDS(-1, 0);
	leave();
}

static void root_options(void)
{
	struct stat stat_of;

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "mode=0750,uid=7,,gid=0x8"), 0);
	WANT_IS(stat("a", &stat_of), 0);
	WANT_IS(stat_of.st_mode, S_IFDIR | 0750);
	WANT_IS(stat_of.st_uid, 7);
	WANT_IS(stat_of.st_gid, 8);
	WANT_IS(call_umount("a", 0), 0);
	leave();
}

/* ---- In use ---- */

static void busy(void)
{
	int fd;
	char *page;

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, NULL), 0);
	fd = open("a/file", O_CREAT | O_RDWR, 0644);
	WANT(fd >= 0);
	WANT_IS(ftruncate(fd, 4096), 0);
	WANT_IS(call_umount("a", 0), -EBUSY);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	WANT(page != MAP_FAILED);
	close(fd);
	WANT_IS(call_umount("a", 0), -EBUSY);
	page[0] = 1;
	WANT_IS(munmap(page, 4096), 0);
	WANT_IS(chdir("a"), 0);
	WANT_IS(call_umount(HERE "/a", 0), -EBUSY);
	WANT_IS(chdir(".."), 0);
	make_directory("a/sub");
	WANT_IS(call_mount("x", "a/sub", "tmpfs", 0, NULL), 0);
	WANT_IS(call_umount("a", 0), -EBUSY);
	WANT_IS(call_umount("a/sub", 0), 0);
	WANT_IS(call_umount("a", 0), 0);
	leave();
}

static void lazily(void)
{
	char text[8];
	int fd;

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, NULL), 0);
	make_directory("a/sub");
	WANT_IS(call_mount("x", "a/sub", "tmpfs", 0, NULL), 0);
	write_file("a/file", "hello");
	fd = open("a/file", O_RDWR);
	WANT(fd >= 0);
	WANT_IS(call_umount("a", MNT_DETACH), 0);
	WANT(!is_there("a/file"));
	WANT_IS(read(fd, text, 8), 5);
	WANT_IS(write(fd, text, 5), 5);
	WANT_IS(call_umount("a", 0), -EINVAL);
	close(fd);
	leave();
}

static void from_inside(void)
{
	char text[100];

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, NULL), 0);
	WANT_IS(chdir("a"), 0);
	write_file("file", "");
	WANT_IS(call_umount(".", MNT_DETACH), 0);
	WANT(is_there("file"));
	WANT_IS(kernel_call(SYS_getcwd, text, 100) > 0, 1);
	WANT_IS(memcmp(text, "(unreachable)", 13), 0);
	WANT_IS(call_umount(".", 0), -EINVAL);
	WANT_IS(chdir(".."), 0); /* its own parent now */
	WANT(is_there("file"));
	leave();
}

static void expires(void)
{
	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, NULL), 0);
	WANT_IS(call_umount("a", MNT_EXPIRE | MNT_DETACH), -EINVAL);
	WANT_IS(call_umount("a", MNT_EXPIRE), -EAGAIN);
	WANT_IS(call_umount("a", MNT_EXPIRE), 0);
	leave();
}

static void link_to_a_mount(void)
{
	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, NULL), 0);
	WANT_IS(symlink("a", "link"), 0);
	WANT_IS(call_umount("link", UMOUNT_NOFOLLOW), -EINVAL);
	WANT_IS(call_umount("link", 0), 0);
	leave();
}

/* ---- Bind mounts ---- */

static void binds(void)
{
	struct stat one, other;

	enter();
	make_directory("a/sub");
	write_file("a/sub/file", "x");
	WANT_IS(call_mount("a/sub", "b", "ignored", MS_BIND, "ignored"), 0);
	WANT_IS(stat("a/sub/file", &one), 0);
	WANT_IS(stat("b/file", &other), 0);
	WANT(one.st_ino == other.st_ino && one.st_dev == other.st_dev);
	write_file("b/new", "");
	WANT(is_there("a/sub/new"));
	WANT_IS(kernel_call(SYS_rename, "b/new", "a/sub/newer"), -EXDEV);
	WANT_IS(kernel_call(SYS_link, "b/new", "a/sub/newer"), -EXDEV);
	WANT_IS(stat("b/..", &other), 0);
	WANT_IS(stat(".", &one), 0);
	WANT_IS(one.st_ino, other.st_ino);
	WANT_IS(call_umount("b", 0), 0);
	WANT(!is_there("b/new"));
	leave();
}

static void binds_files(void)
{
	enter();
	write_file("file", "one");
	write_file("other", "three");
	WANT_IS(call_mount("file", "other", NULL, MS_BIND, NULL), 0);
	write_file("other", "four!!");
	WANT_IS(kernel_call(SYS_unlink, "other"), -EBUSY);
	WANT_IS(call_umount("other", 0), 0);
	{
		struct stat stat_of;

		WANT_IS(stat("other", &stat_of), 0);
		WANT_IS(stat_of.st_size, 5);
		WANT_IS(stat("file", &stat_of), 0);
		WANT_IS(stat_of.st_size, 6);
	}
	leave();
}

static void binds_trees(void)
{
	enter();
	make_directory("a/1");
	WANT_IS(call_mount("x", "a/1", "tmpfs", 0, NULL), 0);
	make_directory("a/1/2");
	WANT_IS(call_mount("x", "a/1/2", "tmpfs", 0, NULL), 0);
	write_file("a/1/2/deep", "");
	WANT_IS(call_mount("a", "b", NULL, MS_BIND, NULL), 0);
	WANT(is_there("b/1") && !is_there("b/1/2"));
	WANT_IS(call_umount("b", 0), 0);
	WANT_IS(call_mount("a", "b", NULL, MS_BIND | MS_REC, NULL), 0);
	WANT(is_there("b/1/2/deep"));
	WANT_IS(call_umount("b", 0), -EBUSY);
	WANT_IS(call_umount("b", MNT_DETACH), 0);
	WANT(is_there("a/1/2/deep"));
	WANT_IS(call_mount(".", "b", NULL, MS_BIND | MS_REC, NULL), 0); /* not into itself */
	WANT(is_there("b/a/1/2/deep") && !is_there("b/b/a"));
	WANT_IS(call_umount("b", MNT_DETACH), 0);
	WANT_IS(call_umount("a/1/2", 0), 0);
	WANT_IS(call_umount("a/1", 0), 0);
	leave();
}

static void unbindable(void)
{
	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, NULL), 0);
	WANT_IS(call_mount(NULL, "a", NULL, MS_UNBINDABLE, NULL), 0);
	WANT_IS(call_mount("a", "b", NULL, MS_BIND, NULL), -EINVAL);
	WANT_IS(call_mount(NULL, "a", NULL, MS_PRIVATE, NULL), 0);
	WANT_IS(call_mount("a", "b", NULL, MS_BIND, NULL), 0);
	WANT_IS(call_umount("a", 0), 0);
	WANT_IS(call_umount("b", 0), 0);
	leave();
}

static void moves(void)
{
	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, NULL), 0);
	make_directory("a/sub");
	WANT_IS(call_mount("x", "a/sub", "tmpfs", 0, NULL), 0);
	write_file("a/sub/file", "");
	WANT_IS(call_mount("a", "a/sub", NULL, MS_MOVE, NULL), -ELOOP);
	WANT_IS(call_mount("a", "b", NULL, MS_MOVE, NULL), 0);
	WANT(!is_there("a/sub") && is_there("b/sub/file"));
	WANT_IS(call_umount("a", 0), -EINVAL);
	WANT_IS(call_mount("b", "a", NULL, MS_BIND | MS_REC, NULL), 0);
	WANT(is_there("a/sub/file"));
	WANT_IS(call_umount("a", MNT_DETACH), 0);
	WANT_IS(call_umount("b/sub", 0), 0);
	WANT_IS(call_umount("b", 0), 0);
	leave();
}

/* ---- Flags ---- */

static void want_read_only(const char *name)
{
	char path[100];
	struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};

	snprintf(path, sizeof path, "%s/new", name);
	WANT_IS(kernel_call(SYS_open, path, O_CREAT | O_RDWR, 0644), -EROFS);
	WANT_IS(kernel_call(SYS_open, path, O_RDWR, 0644), -ENOENT);
	WANT_IS(kernel_call(SYS_mkdir, path, 0755), -EROFS);
	WANT_IS(kernel_call(SYS_mknod, path, S_IFIFO | 0644, 0), -EROFS);
	WANT_IS(kernel_call(SYS_symlink, "x", path), -EROFS);
	WANT_IS(kernel_call(SYS_unlink, path), -EROFS);
	WANT_IS(kernel_call(SYS_rmdir, path), -EROFS);
	WANT_IS(kernel_call(SYS_open, name, O_TMPFILE | O_RDWR, 0644), -EROFS);
	snprintf(path, sizeof path, "%s/file", name);
	WANT_IS(kernel_call(SYS_open, path, O_RDWR, 0), -EROFS);
	WANT_IS(kernel_call(SYS_open, path, O_RDONLY | O_TRUNC, 0), -EROFS);
	WANT_IS(kernel_call(SYS_mkdir, path, 0755), -EEXIST);
	WANT_IS(kernel_call(SYS_unlink, path), -EROFS);
	WANT_IS(kernel_call(SYS_rename, path, path), -EROFS);
	WANT_IS(kernel_call(SYS_truncate, path, 0), -EROFS);
	WANT_IS(kernel_call(SYS_chmod, path, 0600), -EROFS);
	WANT_IS(kernel_call(SYS_chown, path, 1, 1), -EROFS);
	WANT_IS(kernel_call(SYS_utimensat, AT_FDCWD, path, now, 0), -EROFS);
	WANT_IS(kernel_call(SYS_access, path, W_OK), -EROFS);
	WANT_IS(kernel_call(SYS_access, path, R_OK), 0);
	WANT_IS(close(open(path, O_RDONLY)), 0);
	snprintf(path, sizeof path, "%s/null", name);
	WANT_IS(close(open(path, O_RDWR)), 0); /* a device is not the file system's */
	WANT_IS(statistics(name).f_flags & 1, 1);
}

static void read_only(void)
{
	int fd;

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, NULL), 0);
	write_file("a/file", "x");
	WANT_IS(mknod("a/null", S_IFCHR | 0666, 0x103), 0);
	fd = open("a/file", O_RDWR);
	WANT(fd >= 0);
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT | MS_RDONLY, NULL), -EBUSY);
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), -EBUSY);
	close(fd);
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
	want_read_only("a");
	WANT_IS(call_mount("a", "b", NULL, MS_BIND, NULL), 0);
	want_read_only("b");
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND, NULL), 0);
	write_file("a/file", "y");
	want_read_only("b");
	WANT_IS(call_umount("b", 0), 0);
	WANT_IS(call_mount("a", "b", NULL, MS_BIND, NULL), 0);
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0); /* all of it */
	want_read_only("b");
	WANT_IS(call_mount(NULL, "b", NULL, MS_REMOUNT, NULL), 0);
	write_file("b/file", "z");
	want_read_only("a"); /* its own flag is still there */
	WANT_IS(call_umount("b", 0), 0);
	WANT_IS(call_umount("a", 0), 0);
	leave();
}

static void no_programs_no_devices(void)
{
	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", MS_NOEXEC | MS_NODEV | MS_NOSUID, NULL), 0);
	write_file("a/program", "#!/bin/true\n");
	WANT_IS(chmod("a/program", 04755), 0);
	WANT_IS(kernel_call(SYS_execve, "a/program", NULL, NULL), -EACCES);
	WANT_IS(kernel_call(SYS_access, "a/program", X_OK), -EACCES);
	WANT_IS(mknod("a/null", S_IFCHR | 0666, 0x103), 0);
	WANT_IS(kernel_call(SYS_open, "a/null", O_RDWR, 0), -EACCES);
	WANT_IS(kernel_call(SYS_access, "a/null", R_OK | W_OK), 0);
	WANT_IS(statistics("a").f_flags & 15, 14);
	WANT_IS(call_umount("a", 0), 0);
	leave();
}

static void maps_no_programs(void)
{
	int fd;

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", MS_NOEXEC, NULL), 0);
	write_file("a/file", "x");
	fd = open("a/file", O_RDONLY);
	WANT(fd >= 0);
	WANT_IS(kernel_call(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0), -EPERM);
	WANT(kernel_call(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, fd, 0) > 0);
	_exit(0);
}

static void no_links_followed(void)
{
	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 256, NULL), 0);
	write_file("a/file", "");
	WANT_IS(symlink("file", "a/link"), 0);
	WANT_IS(kernel_call(SYS_open, "a/link", O_RDONLY, 0), -ELOOP);
	WANT_IS(kernel_call(SYS_readlink, "a/link", (char[9]){0}, 9), 4);
	WANT_IS(call_umount("a", 0), 0);
	leave();
}

/* ---- Limits ---- */

static void full_of_pages(void)
{
	static char block[65536];
	struct statfs found;
	long got, sum = 0;
	int fd;

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "size=1m"), 0);
	found = statistics("a");
	WANT_IS(found.f_type, 0x01021994);
	WANT_IS(found.f_blocks, 256);
	WANT_IS(found.f_bfree, 256);
	fd = open("a/file", O_CREAT | O_RDWR, 0644);
	WANT(fd >= 0);
	while ((got = kernel_call(SYS_write, fd, block, 65535)) > 0)
		sum += got;
	WANT_IS(got, -ENOSPC);
	WANT_IS(sum, 1 << 20);
	WANT_IS(kernel_call(SYS_write, fd, block, 1), -ENOSPC);
	WANT_IS(pwrite(fd, block, 4096, 8192), 4096); /* what is there may be written */
	WANT_IS(statistics("a").f_bfree, 0);
	WANT_IS(ftruncate(fd, 4096 * 10), 0);
	WANT_IS(statistics("a").f_bfree, 246);
	WANT_IS(ftruncate(fd, 10 << 20), 0); /* holes cost nothing */
	WANT_IS(statistics("a").f_bfree, 246);
	WANT_IS(unlink("a/file"), 0);
	WANT_IS(statistics("a").f_bfree, 246);
	close(fd);
	WANT_IS(statistics("a").f_bfree, 256);
	WANT_IS(call_umount("a", 0), 0);
	leave();
}

static void full_when_touched(void)
{
	char *memory;
	int fd;

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "nr_blocks=2"), 0);
	fd = open("a/file", O_CREAT | O_RDWR, 0644);
	WANT(fd >= 0);
	WANT_IS(ftruncate(fd, 4 * 4096), 0);
	memory = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	WANT(memory != MAP_FAILED);
	memory[0] = 1;
	memory[4096] = 1;
	memory[2 * 4096] = 1; /* SIGBUS */
}

static void full_of_files(void)
{
	char name[20];
	int count = 0;
	long got;

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "nr_inodes=10"), 0);
	WANT_IS(statistics("a").f_files, 10);
	WANT_IS(statistics("a").f_ffree, 9);
	do {
		snprintf(name, sizeof name, "a/%d", count);
		got = kernel_call(SYS_open, name, O_CREAT | O_RDWR, 0644);
		if (got >= 0)
			close((int)got);
	} while (got >= 0 && count++ < 100);
	WANT_IS(got, -ENOSPC);
	WANT_IS(count, 9);
	WANT_IS(kernel_call(SYS_mkdir, "a/dir", 0755), -ENOSPC);
	WANT_IS(kernel_call(SYS_link, "a/0", "a/link"), -ENOSPC); /* a name counts too */
	WANT_IS(kernel_call(SYS_open, "a", O_TMPFILE | O_RDWR, 0600), -ENOSPC);
	WANT_IS(unlink("a/1"), 0);
	WANT_IS(statistics("a").f_ffree, 1);
	WANT_IS(link("a/0", "a/link"), 0);
	WANT_IS(statistics("a").f_ffree, 0);
	WANT_IS(unlink("a/0"), 0);
	WANT_IS(statistics("a").f_ffree, 1);
	WANT_IS(rename("a/link", "a/2"), 0);
	WANT_IS(statistics("a").f_ffree, 2);
	WANT_IS(call_umount("a", 0), 0);
	leave();
}

static void limits_change(void)
{
	static char block[65536];
	int fd;

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "size=64k"), 0);
	fd = open("a/file", O_CREAT | O_RDWR, 0644);
	WANT_IS(write(fd, block, 65536), 65536);
	WANT_IS(kernel_call(SYS_write, fd, block, 1), -ENOSPC);
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT, "size=32k"), -EINVAL);
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT, "nonsense"), -EINVAL);
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT, "size=128k"), 0);
	WANT_IS(write(fd, block, 65536), 65536);
	WANT_IS(kernel_call(SYS_write, fd, block, 1), -ENOSPC);
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT, "size=0"), 0);
	WANT_IS(write(fd, block, 65536), 65536);
	WANT_IS(statistics("a").f_blocks, 0);
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT, "size=1g"), -EINVAL); /* too late */
	close(fd);
	WANT_IS(call_umount("a", 0), 0);
	leave();
}

static void standard_limits(void)
{
	struct statfs found;

	enter();
	found = statistics(".");
	WANT(found.f_blocks > 1000 && found.f_files > 1000);
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "size=50%"), 0);
	WANT(statistics("a").f_blocks + 1 >= found.f_blocks);
	WANT(statistics("a").f_blocks <= found.f_blocks + 1);
	WANT_IS(call_umount("a", 0), 0);
	leave();
}

/* All of a tree's memory comes back: more than there is goes through it. */
static void memory_comes_back(void)
{
	static char block[65536];
	char name[40];
	int fd;

	enter();
	for (int round = 0; round < 40; round++) {
		WANT_IS(call_mount("x", "a", "tmpfs", 0, "size=40m"), 0);
		make_directory("a/dir");
		make_directory("a/dir/dir");
		for (int i = 0; i < 30; i++) {
			snprintf(name, sizeof name, "a/dir/%s%d", i % 2 ? "dir/" : "", i);
			fd = open(name, O_CREAT | O_RDWR, 0644);
			WANT(fd >= 0);
			for (int j = 0; j < 16; j++)
				WANT_IS(write(fd, block, sizeof block), sizeof block);
			close(fd);
		}
		WANT_IS(symlink("dir", "a/link"), 0);
		WANT_IS(mkfifo("a/fifo", 0644), 0);
		WANT_IS(call_umount("a", 0), 0);
	}
	leave();
}

/* ---- pivot_root ---- */

static void pivots(void)
{
	enter();
	WANT_IS(kernel_call(SYS_pivot_root, "none", "a"), -ENOENT);
	write_file("file", "");
	WANT_IS(kernel_call(SYS_pivot_root, "file", "a"), -ENOTDIR);
	WANT_IS(chroot("."), 0);
	WANT_IS(chdir("/"), 0);
	WANT_IS(call_mount("x", "a", "tmpfs", 0, NULL), 0);
	make_directory("a/old");
	write_file("a/new-root", "");
	WANT_IS(kernel_call(SYS_pivot_root, "a", "b"), -EBUSY);          /* b is of the old root */
	WANT_IS(kernel_call(SYS_pivot_root, "a/old", "a/old"), -EINVAL); /* no mount */
	WANT_IS(kernel_call(SYS_pivot_root, "/", "a/old"), -EBUSY);
	WANT_IS(kernel_call(SYS_pivot_root, "a", "a/old"), 0);
	WANT(is_there("/new-root") && is_there("new-root"));
	WANT(is_there("/old/file") && is_there("/old/a"));
	WANT(!is_there("/old/a/new-root"));
	WANT_IS(call_umount("/old", MNT_DETACH), 0);
	WANT(!is_there("/old/file"));
	WANT(is_there("/new-root"));
}

static const struct test_case cases[] = {
	CASE(mounts_and_unmounts, "mount: a tmpfs over a directory, and away"),
	CASE(one_upon_the_other, "mount: one upon the other"),
	CASE(mount_errors, "mount: errors"),
	CASE(nobody_may, "mount: EPERM"),
	CASE(root_options, "tmpfs: mode, uid, gid"),
	CASE(busy, "umount: EBUSY"),
	CASE(lazily, "umount: MNT_DETACH"),
	CASE(from_inside, "umount: MNT_DETACH from inside"),
	CASE(expires, "umount: MNT_EXPIRE"),
	CASE(link_to_a_mount, "umount: UMOUNT_NOFOLLOW"),
	CASE(binds, "bind: a directory"),
	CASE(binds_files, "bind: a file"),
	CASE(binds_trees, "bind: with all that is mounted below"),
	CASE(unbindable, "bind: MS_UNBINDABLE"),
	CASE(moves, "mount: MS_MOVE"),
	CASE(read_only, "mount: MS_RDONLY, of a mount and of a file system"),
	CASE(no_programs_no_devices, "mount: MS_NOEXEC, MS_NODEV"),
	CASE(maps_no_programs, "mount: MS_NOEXEC, mmap"),
	CASE(no_links_followed, "mount: MS_NOSYMFOLLOW"),
	CASE(full_of_pages, "tmpfs: ENOSPC for pages"),
	CASE_ENDS(full_when_touched, KILLED(SIGBUS), "tmpfs: SIGBUS for pages"),
	CASE(full_of_files, "tmpfs: ENOSPC for inodes"),
	CASE(limits_change, "tmpfs: limits changed"),
	CASE(standard_limits, "tmpfs: limits by default"),
	CASE(memory_comes_back, "umount: memory comes back"),
	CASE(pivots, "pivot_root"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
