/* SPDX-License-Identifier: MIT */
/* FIFOs' opening and polling, and the ends of what names and directories may be: 40 links, paths of 4,096
 * bytes, any byte in a name, 100,000 entries that change while they are read. */
#include <dirent.h>
#include <sys/mount.h>

#include "file_cases.h"

#define ENTRIES 100000

static long open_at(const char *path, int flags)
{
	return kernel_call(SYS_openat, AT_FDCWD, path, flags, 0644);
}

/* ---- FIFOs ---- */

static int polled(int fd, short events)
{
	struct pollfd one = {.fd = fd, .events = events};

	WANT(poll(&one, 1, 0) >= 0);
	return one.revents;
}

static void fifo_nonblocking(void)
{
	int reader, writer, both;
	char text[10];

	enter();
	WANT_IS(mkfifo("fifo", 0600), 0);
	WANT_IS(open_at("fifo", O_WRONLY | O_NONBLOCK), -ENXIO);
	reader = open("fifo", O_RDONLY | O_NONBLOCK);
	WANT(reader >= 0);
	WANT_IS(polled(reader, POLLIN), 0); /* nobody has written yet: no hang-up */
	WANT_IS(read(reader, text, 10), 0);
	writer = open("fifo", O_WRONLY | O_NONBLOCK);
	WANT(writer >= 0);
	WANT_IS(polled(writer, POLLOUT), POLLOUT);
	WANT_IS(kernel_call(SYS_read, reader, text, 10), -EAGAIN);
	WANT_IS(write(writer, "abc", 3), 3);
	WANT_IS(polled(reader, POLLIN), POLLIN);
	close(writer);
	WANT_IS(polled(reader, POLLIN), POLLIN | POLLHUP);
	WANT_IS(read(reader, text, 10), 3);
	WANT_IS(polled(reader, POLLIN), POLLHUP);
	WANT_IS(read(reader, text, 10), 0);
	writer = open("fifo", O_WRONLY | O_NONBLOCK);
	WANT_IS(polled(reader, POLLIN), 0);
	close(reader);
	WANT_IS(polled(writer, POLLOUT), POLLOUT | POLLERR);
	signal(SIGPIPE, SIG_IGN);
	WANT_IS(kernel_call(SYS_write, writer, "x", 1), -EPIPE);
	close(writer);
	both = open("fifo", O_RDWR);
	WANT(both >= 0);
	WANT_IS(write(both, "kept", 4), 4);
	WANT_IS(read(both, text, 10), 4);
	WANT_IS(lseek(both, 0, SEEK_SET), -1);
	WANT_IS(errno, ESPIPE);
}

static void write_fifo(void)
{
	int fd;

	usleep(20000);
	fd = open("fifo", O_WRONLY); /* waits for the reader, or wakes it */
	WANT(fd >= 0);
	WANT_IS(write(fd, "hello", 5), 5);
}

static void fifo_waits(void)
{
	char text[10];
	pid_t pid;
	int fd;

	enter();
	WANT_IS(mkfifo("fifo", 0600), 0);
	pid = start(write_fifo);
	fd = open("fifo", O_RDONLY);
	WANT(fd >= 0);
	WANT_IS(read(fd, text, 10), 5);
	WANT_IS(ended(pid), 0);
	WANT_IS(read(fd, text, 10), 0);
	close(fd);
	pid = start(write_fifo);
	usleep(60000);
	fd = open("fifo", O_RDONLY);
	WANT_IS(read(fd, text, 10), 5);
	WANT_IS(ended(pid), 0);
}

static int go[2];

static void come_and_go(void)
{
	char byte;

	close(go[1]);
	while (read(go[0], &byte, 1) == 1)
		close(open("fifo", O_WRONLY));
}

/* Who opened and is gone in the same moment was there. */
static void fifo_meets(void)
{
	pid_t pid;
	char byte;
	int fd;

	enter();
	WANT_IS(mkfifo("fifo", 0600), 0);
	WANT_IS(pipe(go), 0);
	pid = start(come_and_go);
	close(go[0]);
	for (int i = 0; i < 2000; i++) {
		WANT_IS(write(go[1], "x", 1), 1);
		fd = open("fifo", O_RDONLY);
		WANT(fd >= 0);
		WANT_IS(read(fd, &byte, 1), 0);
		close(fd);
	}
	close(go[1]);
	WANT_IS(ended(pid), 0);
}

static void on_alarm(int signal)
{
}

static void fifo_interrupted(void)
{
	const struct itimerval none = {.it_value.tv_usec = 0};
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct itimerval soon = {.it_value.tv_usec = 20000, .it_interval.tv_usec = 20000};

	enter();
	WANT_IS(mkfifo("fifo", 0600), 0);
	sigaction(SIGALRM, &action, NULL);
	WANT_IS(setitimer(ITIMER_REAL, &soon, NULL), 0);
	WANT_IS(open_at("fifo", O_RDONLY), -EINTR);
	WANT_IS(open_at("fifo", O_WRONLY), -EINTR);
	setitimer(ITIMER_REAL, &none, NULL);
	WANT_IS(open_at("fifo", O_WRONLY | O_NONBLOCK), -ENXIO);
}

/* ---- Names ---- */

static void links(void)
{
	char name[32], target[32];

	enter();
	close(open("link-0", O_CREAT | O_WRONLY, 0644));
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof name, "link-%d", i);
		snprintf(target, sizeof target, "link-%d", i - 1);
		WANT_IS(symlink(target, name), 0);
	}
	WANT(open_at("link-40", O_RDONLY) >= 0);
	WANT_IS(open_at("link-41", O_RDONLY), -ELOOP);
	WANT_IS(symlink("self", "self"), 0);
	WANT_IS(open_at("self", O_RDONLY), -ELOOP);
	WANT_IS(open_at("self/x", O_RDONLY), -ELOOP);
	WANT_IS(open_at("self", O_RDONLY | O_NOFOLLOW), -ELOOP);
}

static void long_paths(void)
{
	char path[4200];

	enter();
	memset(path, '/', sizeof path);
	path[0] = '.';
	path[4095] = 0;
	WANT(open_at(path, O_RDONLY) >= 0);
	path[4095] = '/';
	path[4096] = 0;
	WANT_IS(open_at(path, O_RDONLY), -ENAMETOOLONG);
	memset(path, 'n', sizeof path);
	path[255] = 0;
	WANT(open_at(path, O_CREAT | O_WRONLY) >= 0);
	path[255] = 'n';
	path[256] = 0;
	WANT_IS(open_at(path, O_CREAT | O_WRONLY), -ENAMETOOLONG);
	WANT_IS(open_at(path, O_RDONLY), -ENAMETOOLONG);
	WANT_IS(kernel_call(SYS_mkdir, path, 0755), -ENAMETOOLONG);
	path[4095] = 0;
	memset(path, '/', 4095);
	WANT_IS(kernel_call(SYS_symlink, path, "link"), 0);
	WANT_IS(readlink("link", path, sizeof path), 4095);
	WANT_IS(kernel_call(SYS_symlink, "", "empty"), -ENOENT);
}

/* Deeper than a path can say; seen from inside all is well, but getcwd's buffer is too small. */
static void deep(void)
{
	char name[201], path[8192];

	enter();
	memset(name, 'd', 200);
	name[200] = 0;
	for (int i = 0; i < 25; i++) {
		WANT_IS(mkdir(name, 0755), 0);
		WANT_IS(chdir(name), 0);
	}
	WANT(open_at("file", O_CREAT | O_WRONLY) >= 0);
	WANT_IS(kernel_call(SYS_getcwd, path, 4096), -ENAMETOOLONG);
	WANT_IS(unlink("file"), 0);
	for (int i = 0; i < 25; i++) {
		WANT_IS(chdir(".."), 0);
		WANT_IS(rmdir(name), 0);
	}
}

static void any_byte(void)
{
	bool seen[256] = {false};
	char name[3] = "x";
	struct dirent *entry;
	DIR *list;

	enter();
	for (int byte = 1; byte < 256; byte++) {
		name[1] = (char)byte;
		if (byte != '/')
			WANT_IS(close((int)open_at(name, O_CREAT | O_EXCL | O_WRONLY)), 0);
	}
	list = opendir(".");
	WANT(list);
	while ((entry = readdir(list)))
		if (entry->d_name[0] == 'x')
			seen[(unsigned char)entry->d_name[1]] = true;
	closedir(list);
	for (int byte = 1; byte < 256; byte++)
		WANT_IS(seen[byte], byte != '/');
	name[1] = '\xff';
	WANT_IS(unlink(name), 0);
	WANT_IS(open_at(name, O_RDONLY), -ENOENT);
}

static void absent(void)
{
	enter();
	for (int i = 0; i < 3; i++)
		WANT_IS(open_at("name", O_RDONLY), -ENOENT);
	close((int)open_at("name", O_CREAT | O_WRONLY));
	close((int)open_at("name", O_RDONLY));
	WANT_IS(rename("name", "other"), 0);
	WANT_IS(open_at("name", O_RDONLY), -ENOENT);
	WANT_IS(link("other", "name"), 0);
	WANT(open_at("name", O_RDONLY) >= 0);
	WANT_IS(unlink("name"), 0);
	WANT_IS(open_at("name/", O_RDONLY), -ENOENT);
	WANT_IS(mkdir("name", 0755), 0);
	WANT(open_at("name/", O_RDONLY) >= 0);
}

/* ---- 100,000 entries ---- */

static unsigned char seen[ENTRIES];

/* A tmpfs that may hold as many, in a mount namespace of one's own where there are such. */
static void enter_large(char *path)
{
	enter();
	WANT(getcwd(path, PATH_MAX));
	if (unshare(CLONE_NEWNS) == 0)
		WANT_IS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	WANT_IS(mount("none", path, "tmpfs", 0, "nr_inodes=0"), 0);
	WANT_IS(chdir(path), 0);
}

static void large_directory(void)
{
	char path[PATH_MAX];

	char name[32];
	struct dirent *entry;
	long count = 0, number;
	DIR *list;

	enter_large(path);
	for (int i = 0; i < ENTRIES; i++) {
		snprintf(name, sizeof name, "e%d", i);
		WANT_IS(mknod(name, S_IFREG | 0644, 0), 0);
	}
	list = opendir(".");
	WANT(list);
	/* While it is read the even ones go, and others come: each odd one is seen once. */
	while ((entry = readdir(list))) {
		if (entry->d_name[0] != 'e')
			continue;
		number = strtol(entry->d_name + 1, NULL, 10);
		WANT_IS(seen[number]++, 0);
		if (count++ % 100 == 0) {
			snprintf(name, sizeof name, "new%ld", count);
			WANT_IS(mknod(name, S_IFREG | 0644, 0), 0);
		}
		if (number % 2 == 0)
			WANT_IS(unlink(entry->d_name), 0);
	}
	for (int i = 1; i < ENTRIES; i += 2)
		WANT_IS(seen[i], 1);
	rewinddir(list);
	count = 0;
	while ((entry = readdir(list)))
		if (entry->d_name[0] == 'e') {
			WANT_IS(unlink(entry->d_name), 0);
			count++;
		}
	WANT_IS(count, ENTRIES / 2);
	closedir(list);
	WANT_IS(chdir("/"), 0);
	WANT_IS(umount2(path, 0), 0);
}

static const struct test_case cases[] = {
	CASE(fifo_nonblocking, "FIFO: O_NONBLOCK, poll, O_RDWR"),
	CASE(fifo_waits, "FIFO: an open waits for the other side"),
	CASE(fifo_meets, "FIFO: 2,000 opens met by who closes at once"),
	CASE(fifo_interrupted, "FIFO: a signal ends the waiting"),
	CASE(links, "40 links in a path, not 41"),
	CASE(long_paths, "paths of 4,095 bytes, names of 255"),
	CASE(deep, "directories deeper than a path can say"),
	CASE(any_byte, "names with any byte"),
	CASE(absent, "names that were not there"),
	CASE(large_directory, "100,000 entries that change while they are read"),
};

FILE_CASES("file-extremes")
