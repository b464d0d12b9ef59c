/* SPDX-License-Identifier: MIT */
/* The file systems that process 1 mounts, on either kernel. */
#ifndef USER_LIB_MOUNTS_H
#define USER_LIB_MOUNTS_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

struct mount_point {
	const char *where, *type, *options;
	unsigned long flags;
};

static inline void mount_one(const struct mount_point *point)
{
	if (mkdir(point->where, 0755) < 0 && errno != EEXIST && errno != EROFS)
		dprintf(2, "cannot make %s: %s\n", point->where, strerror(errno));
	else if (mount(point->type, point->where, point->type, point->flags, point->options) < 0 &&
		 errno != EBUSY && errno != ENODEV) /* there already; a kernel without that type */
		dprintf(2, "cannot mount %s: %s\n", point->where, strerror(errno));
}

/* Mounts what programs look for, and makes the names in /dev that lead into /proc. `root`: /tmp and
 * /run too, for a machine that people use. What fails is told on standard error. */
static inline void mount_all(bool root)
{
	static const struct mount_point points[] = {
		{"/proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
		{"/sys", "sysfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
		{"/dev/pts", "devpts", "mode=620,gid=5,ptmxmode=666", MS_NOSUID | MS_NOEXEC},
		{"/dev/shm", "tmpfs", "mode=1777", 0},
		{"/tmp", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV},
		{"/run", "tmpfs", "mode=755", MS_NOSUID | MS_NODEV},
	};
	static const char *const links[][2] = {
		{"/proc/self/fd", "/dev/fd"},
		{"/proc/self/fd/0", "/dev/stdin"},
		{"/proc/self/fd/1", "/dev/stdout"},
		{"/proc/self/fd/2", "/dev/stderr"},
	};
	struct stat null;

	if (stat("/dev/null", &null) < 0) /* Linux leaves that to process 1, too */
		mount_one(&(const struct mount_point){"/dev", "devtmpfs", NULL, MS_NOSUID});
	for (unsigned i = 0; i < sizeof links / sizeof *links; i++)
		if (symlink(links[i][0], links[i][1]) < 0 && errno != EEXIST)
			dprintf(2, "cannot make %s: %s\n", links[i][1], strerror(errno));
	for (unsigned i = 0; i < sizeof points / sizeof *points - (root ? 0 : 2); i++)
		mount_one(&points[i]);
}

#endif
