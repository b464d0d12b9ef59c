/* SPDX-License-Identifier: MIT */
/* What process 1 does about /proc and /dev, on either kernel. */
#ifndef USER_LIB_PROC_H
#define USER_LIB_PROC_H

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Mounts it, makes the names in /dev that lead into it, and mounts /dev/pts. 0, or -1 with errno. */
static inline int mount_proc(const char *where)
{
	static const char *const links[][2] = {
		{"/proc/self/fd", "/dev/fd"},
		{"/proc/self/fd/0", "/dev/stdin"},
		{"/proc/self/fd/1", "/dev/stdout"},
		{"/proc/self/fd/2", "/dev/stderr"},
	};
	int failed = 0;

	for (unsigned i = 0; i < sizeof links / sizeof *links; i++)
		if (symlink(links[i][0], links[i][1]) < 0 && errno != EEXIST)
			failed = -1;
	if (mount("proc", where, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 &&
		errno != EBUSY)
		failed = -1;
	mkdir("/dev/pts", 0755);
	if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		    "gid=5,mode=620,ptmxmode=666") < 0 &&
		errno != EBUSY)
		failed = -1;
	return failed;
}

#endif
