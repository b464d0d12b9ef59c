/* SPDX-License-Identifier: MIT */
/*
 * mount, umount2, pivot_root: the tree of mounts. Each case has a tmpfs of its
 * own to work in and, where there are such, a mount namespace of its own.
 */
#include "mounts.h"

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

/* mountinfo's line of what is mounted at HERE/b has this field as its root. */
static bool has_root(const char *root)
{
	char line[1000], field[500], where[500];
	FILE *list = fopen("/proc/self/mountinfo", "r");
	bool found = false;

	WANT(list);
	while (!found && fgets(line, sizeof line, list))
		found = sscanf(line, "%*d %*d %*s %499s %499s", field, where) == 2 &&
			!strcmp(where, HERE "/b") && !strcmp(field, root);
	fclose(list);
	return found;
}

static void bind_roots(void)
{
	enter();
	make_directory("a/sub dir");
	WANT_IS(call_mount("a/sub dir", "b", NULL, MS_BIND, NULL), 0);
	WANT(has_root("/a/sub\\040dir"));
	WANT_IS(rename("a/sub dir", "a/other"), 0);
	WANT(has_root("/a/other"));
	WANT_IS(rmdir("a/other"), 0);
	WANT(has_root("/a/other//deleted"));
	WANT_IS(call_umount("b", 0), 0);
	WANT_IS(call_mount("fresh", "b", "tmpfs", 0, NULL), 0);
	WANT(has_root("/"));
	WANT_IS(call_umount("b", 0), 0);
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
	WANT_IS(kernel_call(SYS_pivot_root, "/", "/"), -EBUSY);
	WANT_IS(kernel_call(SYS_pivot_root, "a", "a/old"), 0);
	WANT(is_there("/new-root") && is_there("new-root"));
	WANT(is_there("/old/file") && is_there("/old/a"));
	WANT(!is_there("/old/a/new-root"));
	WANT_IS(call_umount("/old", MNT_DETACH), 0);
	WANT(!is_there("/old/file"));
	WANT(is_there("/new-root"));
}

/* The root is the kernel's first mount, which nothing moves. */
static bool first_of_all(void)
{
	char text[32] = "";
	int fd = open("/proc/self/mounts", O_RDONLY);

	WANT(read(fd, text, sizeof text - 1) > 0);
	close(fd);
	return strncmp(text, "rootfs / ", 9) == 0;
}

static void pivots_nothing(void)
{
	const bool first = first_of_all();

	enter();
	WANT_IS(kernel_call(SYS_pivot_root, "/", "/"), first ? -EINVAL : -EBUSY);
	WANT_IS(kernel_call(SYS_pivot_root, ".", "/"), -EBUSY);
	WANT_IS(kernel_call(SYS_pivot_root, "", ""), -ENOENT);
	WANT_IS(kernel_call(SYS_pivot_root, BAD, BAD), -EFAULT);
	leave();
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
	CASE(bind_roots, "bind: the root in mountinfo"),
	CASE(binds_files, "bind: a file"),
	CASE(binds_trees, "bind: with all that is mounted below"),
	CASE(unbindable, "bind: MS_UNBINDABLE"),
	CASE(moves, "mount: MS_MOVE"),
	CASE(read_only, "mount: MS_RDONLY, of a mount and of a file system"),
	CASE(no_programs_no_devices, "mount: MS_NOEXEC, MS_NODEV"),
	CASE(maps_no_programs, "mount: MS_NOEXEC, mmap"),
	CASE(no_links_followed, "mount: MS_NOSYMFOLLOW"),
	CASE(pivots, "pivot_root"),
	CASE(pivots_nothing, "pivot_root: the root to itself"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
