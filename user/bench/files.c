/* SPDX-License-Identifier: MIT */
/*
 * The cost table's operations on files, pipes and what waits for them. What they need lies in a directory of
 * its own on a tmpfs: in /tmp where that is one, otherwise in /dev/shm, or one mounted there.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/spawn.h"
#include "operation.h"

#define TMPFS_MAGIC 0x01021994
#define READS       100 /* pages of the file that is read */
#define IDLE        1000
#define ENTRIES     10000
#define ENTRIES_DIR "entries"

static char folder[64];
static bool mounted;
static int folder_fd = -1;
static char file_path[80], deep_path[128];
static int null_fd = -1, file_fd = -1, entries_fd = -1, epoll_fd = -1;
static int to_fd = -1, from_fd = -1; /* of a pipe, or of the way to the partner and back */
static pid_t partner;
/* Not in .bss: that would be one more mapping in every program that the exec operations start. */
static char *block;
#define BLOCK 4096
#define ROOM  32768 /* what `block` has */

/* ---- The folder ---- */

static int make_folder(void)
{
	struct statfs found;

	if (folder_fd >= 0)
		return 0;
	block = malloc(ROOM);
	if (!block)
		return ENOMEM;
	mkdir("/tmp", 01777);
	if (statfs("/tmp", &found) == 0 && found.f_type == TMPFS_MAGIC)
		snprintf(folder, sizeof folder, "/tmp/bench-%d", getpid());
	else
		snprintf(folder, sizeof folder, "/dev/shm/bench-%d", getpid());
	if (mkdir(folder, 0755))
		return errno;
	if (statfs(folder, &found) || found.f_type != TMPFS_MAGIC) {
		if (mount("bench", folder, "tmpfs", 0, NULL))
			return errno;
		mounted = true;
	}
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY);
	return folder_fd < 0 ? errno : 0;
}

static const char *entry_name(int i)
{
	static char name[32];

	snprintf(name, sizeof name, "entry-%05d", i);
	return name;
}

void bench_files_end(void)
{
	if (folder_fd < 0)
		return;
	if (entries_fd >= 0) {
		for (int i = 0; i < ENTRIES; i++)
			unlinkat(entries_fd, entry_name(i), 0);
		unlinkat(folder_fd, ENTRIES_DIR, AT_REMOVEDIR);
	}
	unlinkat(folder_fd, "file", 0);
	while (strlen(deep_path) > strlen(folder) + 1) {
		rmdir(deep_path);
		*strrchr(deep_path, '/') = '\0';
	}
	close(folder_fd);
	close(file_fd);
	close(entries_fd);
	if (mounted)
		umount(folder);
	rmdir(folder);
}

/* ---- Files ---- */

static int open_null(void)
{
	if (null_fd < 0)
		null_fd = open("/dev/null", O_WRONLY);
	return null_fd < 0 ? errno : 0;
}

static int op_write_null(void)
{
	return call(SYS_write, null_fd, (long)"b", 1, 0, 0, 0) == 1 ? 0 : EIO;
}

/* A file with bytes in all its pages, open at its start. */
static int open_file(void)
{
	int error = make_folder();

	if (error)
		return error;
	if (file_fd < 0) {
		snprintf(file_path, sizeof file_path, "%s/file", folder);
		file_fd = open(file_path, O_RDWR | O_CREAT | O_TRUNC, 0644);
		memset(block, 'b', BLOCK);
		for (int i = 0; i < READS && file_fd >= 0; i++) {
			if (write(file_fd, block, BLOCK) != BLOCK)
				return errno;
		}
	}
	return lseek(file_fd, 0, SEEK_SET) < 0 ? errno : 0;
}

static int op_read(void)
{
	return call(SYS_read, file_fd, (long)block, BLOCK, 0, 0, 0) == BLOCK ? 0 : EIO;
}

static int op_fstat(void)
{
	struct stat found;

	return (int)-call(SYS_fstat, file_fd, (long)&found, 0, 0, 0, 0);
}

static int op_open_close(void)
{
	long fd = call(SYS_open, (long)file_path, O_RDONLY, 0, 0, 0, 0);

	return (int)-(fd < 0 ? fd : call(SYS_close, fd, 0, 0, 0, 0, 0));
}

/* Eight components below the root. */
static int make_deep(void)
{
	int error = make_folder();

	if (error || *deep_path)
		return error;
	strcpy(deep_path, folder);
	for (int i = strncmp(folder, "/tmp/", 5) == 0 ? 2 : 3; i < 8; i++) {
		snprintf(deep_path + strlen(deep_path), sizeof deep_path - strlen(deep_path),
			"/component-%d", i);
		if (mkdir(deep_path, 0755))
			return errno;
	}
	return 0;
}

static int op_walk(void)
{
	struct stat found;

	return (int)-call(SYS_stat, (long)deep_path, (long)&found, 0, 0, 0, 0);
}

static int make_entries(void)
{
	int error = make_folder(), fd;

	if (error || entries_fd >= 0)
		return error;
	if (mkdirat(folder_fd, ENTRIES_DIR, 0755))
		return errno;
	entries_fd = openat(folder_fd, ENTRIES_DIR, O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < ENTRIES && entries_fd >= 0; i++) {
		fd = openat(entries_fd, entry_name(i), O_WRONLY | O_CREAT, 0644);
		if (fd < 0)
			return errno;
		close(fd);
	}
	return entries_fd < 0 ? errno : 0;
}

static int op_getdents(void)
{
	long got, all = 0;

	if (call(SYS_lseek, entries_fd, 0, SEEK_SET, 0, 0, 0) != 0)
		return EIO;
	while ((got = call(SYS_getdents64, entries_fd, (long)block, ROOM, 0, 0, 0)) > 0)
		all += got;
	/* each has at least its number, place, length, kind and name */
	return got < 0 ? (int)-got : all >= ENTRIES * 32 ? 0 : EIO;
}

/* ---- Pipes and sockets ---- */

static int op_pipe_create(void)
{
	int fds[2];
	long error = call(SYS_pipe, (long)fds, 0, 0, 0, 0, 0);

	if (error)
		return (int)-error;
	return (int)-(
		call(SYS_close, fds[0], 0, 0, 0, 0, 0) + call(SYS_close, fds[1], 0, 0, 0, 0, 0));
}

static void close_ways(void)
{
	close(to_fd);
	if (from_fd != to_fd)
		close(from_fd);
	to_fd = from_fd = -1;
}

static int make_pipe(void)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return errno;
	from_fd = fds[0];
	to_fd = fds[1];
	return 0;
}

/* One byte there and back, or in and out. */
static int op_there_and_back(void)
{
	char byte = 0;

	if (call(SYS_write, to_fd, (long)&byte, 1, 0, 0, 0) != 1)
		return EIO;
	return call(SYS_read, from_fd, (long)&byte, 1, 0, 0, 0) == 1 ? 0 : EIO;
}

void bench_echo(int from, int to)
{
	char byte;

	while (call(SYS_read, from, (long)&byte, 1, 0, 0, 0) == 1 &&
		call(SYS_write, to, (long)&byte, 1, 0, 0, 0) == 1)
		;
}

/* Starts the partner with its two descriptors, which are closed here. */
static int start_partner(int from, int to)
{
	char from_text[16], to_text[16];
	char *argv[] = {"bench", "--echo", from_text, to_text, NULL};

	snprintf(from_text, sizeof from_text, "%d", from);
	snprintf(to_text, sizeof to_text, "%d", to);
	partner = spawn(bench_self, argv, environ);
	close(from);
	if (to != from)
		close(to);
	return partner < 0 ? -partner : op_there_and_back();
}

static void end_partner(void)
{
	close_ways();
	if (partner > 0) {
		kill(partner, SIGKILL);
		waitpid(partner, NULL, 0);
	}
	partner = 0;
}

static int start_pipe_partner(void)
{
	int there[2], back[2];

	if (pipe(there) || pipe(back))
		return errno;
	to_fd = there[1];
	from_fd = back[0];
	fcntl(to_fd, F_SETFD, FD_CLOEXEC);
	fcntl(from_fd, F_SETFD, FD_CLOEXEC);
	return start_partner(there[0], back[1]);
}

static int start_socket_partner(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return errno;
	to_fd = from_fd = ends[0];
	fcntl(to_fd, F_SETFD, FD_CLOEXEC);
	return start_partner(ends[1], ends[1]);
}

/* ---- epoll: many that have nothing, and one that always has ---- */

static int watch(unsigned int count)
{
	struct epoll_event event = {.events = EPOLLIN};
	int fd = eventfd(count, EFD_CLOEXEC);

	return fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) ? errno : 0;
}

static int make_epoll(void)
{
	int error = 0;

	if (epoll_fd >= 0)
		return 0;
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		return errno;
	for (int i = 0; i < IDLE && !error; i++)
		error = watch(0);
	return error ? error : watch(1);
}

static int op_epoll_wait(void)
{
	struct epoll_event events[64];

	return call(SYS_epoll_wait, epoll_fd, (long)events, 64, -1, 0, 0) == 1 ? 0 : EIO;
}

const struct operation bench_file_operations[] = {
	{"write_null", op_write_null, 1000, open_null, NULL},
	{"read_4k", op_read, READS, open_file, NULL},
	{"fstat", op_fstat, 1000, open_file, NULL},
	{"open_close", op_open_close, 200, open_file, NULL},
	{"walk_8", op_walk, 200, make_deep, NULL},
	{"getdents_10000", op_getdents, 1, make_entries, NULL},
	{"pipe_create_close", op_pipe_create, 100, NULL, NULL},
	{"pipe_self", op_there_and_back, 500, make_pipe, close_ways},
	{"pipe_round_trip", op_there_and_back, 200, start_pipe_partner, end_partner},
	{"unix_round_trip", op_there_and_back, 200, start_socket_partner, end_partner},
	{"epoll_wait_1000", op_epoll_wait, 500, make_epoll, NULL},
	{NULL, NULL, 0, NULL, NULL},
};
