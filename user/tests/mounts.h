/* SPDX-License-Identifier: MIT */
/* What the tests of mounts share: a tmpfs to stand in, in a mount namespace of its own where there are such. */
#ifndef USER_TESTS_MOUNTS_H
#define USER_TESTS_MOUNTS_H

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "cases.h"

#define HERE "/tmp/mounts-here"

static inline long call_mount(
	const char *source, const char *target, const char *type, long flags, const char *options)
{
	return kernel_call(SYS_mount, source, target, type, flags, options);
}

static inline long call_umount(const char *target, int flags)
{
	return kernel_call(SYS_umount2, target, flags);
}

static inline void make_directory(const char *path)
{
	WANT(mkdir(path, 0755) == 0 || errno == EEXIST);
}

/* An empty tmpfs to stand in, with the directories a and b. */
static inline void enter(void)
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
static inline void leave(void)
{
	WANT_IS(chdir("/"), 0);
	WANT_IS(call_umount(HERE, 0), 0);
}

static inline void write_file(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);

	WANT(fd >= 0);
	WANT_IS(write(fd, text, strlen(text)), (long)strlen(text));
	close(fd);
}

static inline bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static inline struct statfs statistics(const char *path)
{
	struct statfs found;

	WANT_IS(statfs(path, &found), 0);
	return found;
}

#endif
