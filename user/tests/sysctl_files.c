/* SPDX-License-Identifier: MIT */
/* What /proc/sys/fs limits and guards: open files, pipes, epolls, links in directories where all may write. */
#include <sys/epoll.h>

#include "sysctl.h"

static void open_with_none_left(void)
{
	int fds[2];

	WANT(become_nobody());
	WANT_IS(kernel_call(SYS_open, "/", O_RDONLY), -ENFILE);
	WANT_IS(kernel_call(SYS_pipe, fds), -ENFILE);
	WANT_IS(kernel_call(SYS_epoll_create1, 0), -ENFILE);
}

static void file_max(void)
{
	char before[256];

	snprintf(before, sizeof before, "%s", get("fs/file-max"));
	set("fs/file-max", "0");
	WANT_ENDS(start(open_with_none_left), 0);
	WANT(open("/", O_RDONLY) >= 0); /* root's are not limited */
	set("fs/file-max", before);
	WANT(become_nobody());
	WANT(open("/", O_RDONLY) >= 0);
}

static void grow_pipe(void)
{
	int fds[2];

	WANT(become_nobody());
	WANT_IS(pipe(fds), 0);
	WANT_IS(kernel_call(SYS_fcntl, fds[0], F_SETPIPE_SZ, 131073), -EPERM);
	WANT_IS(kernel_call(SYS_fcntl, fds[0], F_SETPIPE_SZ, 131072), 131072);
}

static void pipe_max_size(void)
{
	set("fs/pipe-max-size", "100");
	want_value("fs/pipe-max-size", "4096");
	set("fs/pipe-max-size", "100000");
	want_value("fs/pipe-max-size", "131072");
	WANT_ENDS(start(grow_pipe), 0);
	set("fs/pipe-max-size", "1048576");
}

static void epoll_watches(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(0);
	struct gate gate = make_gate();
	char before[256];

	snprintf(before, sizeof before, "%s", get("fs/epoll/max_user_watches"));
	set("fs/epoll/max_user_watches", "0");
	WANT_IS(kernel_call(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, gate.in, &event), -ENOSPC);
	set("fs/epoll/max_user_watches", before);
	WANT_IS(kernel_call(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, gate.in, &event), 0);
}

static void make_traps(void)
{
	WANT(become_nobody());
	umask(0);
	WANT_IS(symlink("target", "link"), 0);
	WANT_IS(mkfifo("fifo", 0666), 0);
	WANT(open("file", O_CREAT | O_RDWR, 0666) >= 0);
}

/* Links of others' in a directory where all may write: followed as a path's last part by nobody. */
static void symlinks(void)
{
	struct stat stat;

	enter_directory("symlinks", 01777);
	WANT_IS(close(open("target", O_CREAT | O_RDWR, 0644)), 0);
	WANT_ENDS(start(make_traps), 0);
	set("fs/protected_symlinks", "1");
	WANT_IS(kernel_call(SYS_open, "link", O_RDONLY), -EACCES);
	WANT_IS(kernel_call(SYS_open, "link", O_RDWR | O_CREAT, 0600), -EACCES);
	WANT_IS(kernel_call(SYS_stat, "link", &stat), -EACCES);
	WANT_IS(kernel_call(SYS_lstat, "link", &stat), 0);
	WANT_IS(kernel_call(SYS_open, "link", O_RDONLY | O_NOFOLLOW), -ELOOP);
	WANT_IS(chmod(".", 0777), 0);
	WANT_IS(kernel_call(SYS_stat, "link", &stat), 0); /* not sticky */
	WANT_IS(chmod(".", 01777), 0);
	WANT_IS(chown(".", NOBODY, 0), 0);
	WANT_IS(kernel_call(SYS_stat, "link", &stat), 0); /* the directory's owner's */
	WANT_IS(chown(".", 0, 0), 0);
	set("fs/protected_symlinks", "0");
	WANT_IS(kernel_call(SYS_stat, "link", &stat), 0);
	set("fs/protected_symlinks", "1");
}

static void link_as_nobody(void)
{
	bool guarded = get("fs/protected_hardlinks")[0] == '1';

	WANT(become_nobody());
	WANT_IS(kernel_call(SYS_link, "readable", "a"), guarded ? -EPERM : 0);
	WANT_IS(kernel_call(SYS_link, "set-id", "b"), guarded ? -EPERM : 0);
	WANT_IS(kernel_call(SYS_link, "writable", "c"), 0);
	WANT_IS(unlink("c"), 0);
}

static void hardlinks(void)
{
	enter_directory("hardlinks", 0777);
	umask(0);
	WANT_IS(close(open("readable", O_CREAT | O_RDWR, 0644)), 0);
	WANT_IS(close(open("writable", O_CREAT | O_RDWR, 0666)), 0);
	WANT_IS(close(open("set-id", O_CREAT | O_RDWR, 0666)), 0);
	WANT_IS(chmod("set-id", 04777), 0);
	set("fs/protected_hardlinks", "1");
	WANT_ENDS(start(link_as_nobody), 0);
	set("fs/protected_hardlinks", "0");
	WANT_ENDS(start(link_as_nobody), 0);
	set("fs/protected_hardlinks", "1");
	WANT_IS(link("readable", "d"), 0); /* the owner may */
}

/* One of `fifo` and `file` opened as if it were to be made: by their level, in this directory. */
static void want_guarded(const char *file, const char *setting, const char *level, bool guarded)
{
	set(setting, level);
	WANT(kernel_call(SYS_open, file, O_RDWR, 0600) >= 0);
	if (guarded)
		WANT_IS(kernel_call(SYS_open, file, O_RDWR | O_CREAT, 0600), -EACCES);
	else
		WANT(kernel_call(SYS_open, file, O_RDWR | O_CREAT, 0600) >= 0);
	set(setting, "0");
}

static void fifos_and_files(void)
{
	static const char *const names[][2] = {
		{"fifo", "fs/protected_fifos"}, {"file", "fs/protected_regular"}};

	enter_directory("fifos", 01777);
	WANT_ENDS(start(make_traps), 0);
	for (size_t i = 0; i < COUNT(names); i++) {
		WANT_IS(chmod(".", 01777), 0);
		want_guarded(names[i][0], names[i][1], "0", false);
		want_guarded(names[i][0], names[i][1], "1", true);
		WANT_IS(chmod(".", 01775), 0); /* the group's: from level 2 on */
		want_guarded(names[i][0], names[i][1], "1", false);
		want_guarded(names[i][0], names[i][1], "2", true);
		WANT_IS(chmod(".", 0777), 0);
		want_guarded(names[i][0], names[i][1], "2", false);
	}
}

const struct test_case file_cases[FILE_CASES] = {
	CASE(file_max, "fs.file-max: ENFILE, but for root"),
	CASE(pipe_max_size, "fs.pipe-max-size"),
	CASE(epoll_watches, "fs.epoll.max_user_watches"),
	CASE(symlinks, "fs.protected_symlinks"),
	CASE(hardlinks, "fs.protected_hardlinks"),
	CASE(fifos_and_files, "fs.protected_fifos, protected_regular"),
};
