/* SPDX-License-Identifier: MIT */
/* /proc/locks, devices, consoles, slabinfo: what the kernel keeps, in Linux's words. As root. */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cases.h"

static char text[262144];

static const char *read_all(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t got, used = 0;

	WANT(fd >= 0);
	while ((got = read(fd, text + used, sizeof text - 1 - (size_t)used)) > 0)
		used += got;
	WANT_IS(got, 0);
	text[used] = '\0';
	close(fd);
	return text;
}

static int make(const char *name)
{
	char path[100];
	int fd;

	snprintf(path, sizeof path, "/tmp/procfs-kernel-%d-%s", (int)getpid(), name);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	WANT(fd >= 0);
	WANT_IS(unlink(path), 0);
	return fd;
}

static void lock(int fd, int command, short type, off_t start, off_t length)
{
	struct flock request = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};

	WANT_IS(fcntl(fd, command, &request), 0);
}

/* Whether there is a line of this lock, behind its number. */
static bool is_listed(int fd, const char *kind, long pid, const char *range)
{
	struct stat stat;
	char line[200];

	WANT_IS(fstat(fd, &stat), 0);
	snprintf(line, sizeof line, ": %s %ld %02x:%02x:%lu %s\n", kind, pid, major(stat.st_dev),
		minor(stat.st_dev), (unsigned long)stat.st_ino, range);
	return strstr(read_all("/proc/locks"), line);
}

/* On a host others' locks come and go while the list is read, and one may be missed then. */
static bool comes_up(int fd, const char *kind, long pid, const char *range)
{
	for (int i = 0; i < 200; i++) {
		if (is_listed(fd, kind, pid, range))
			return true;
	}
	return false;
}

static void locks(void)
{
	int whole = make("flock"), records = make("records"), open_file = make("ofd");

	WANT_IS(flock(whole, LOCK_EX), 0);
	lock(records, F_SETLK, F_WRLCK, 0, 0);
	lock(records, F_SETLK, F_RDLCK, 10, 5);
	lock(open_file, F_OFD_SETLK, F_RDLCK, 7, 0);
	WANT(comes_up(whole, "FLOCK  ADVISORY  WRITE", getpid(), "0 EOF"));
	WANT(comes_up(records, "POSIX  ADVISORY  WRITE", getpid(), "0 9"));
	WANT(comes_up(records, "POSIX  ADVISORY  READ", getpid(), "10 14"));
	WANT(comes_up(records, "POSIX  ADVISORY  WRITE", getpid(), "15 EOF"));
	WANT(comes_up(open_file, "OFDLCK ADVISORY  READ", -1, "7 EOF"));
	WANT_IS(flock(whole, LOCK_SH), 0);
	WANT(comes_up(whole, "FLOCK  ADVISORY  READ", getpid(), "0 EOF"));
	WANT_IS(flock(whole, LOCK_UN), 0);
	lock(records, F_SETLK, F_UNLCK, 0, 0);
	WANT(!is_listed(whole, "FLOCK  ADVISORY  READ", getpid(), "0 EOF"));
	WANT(!is_listed(records, "POSIX  ADVISORY  READ", getpid(), "10 14"));
	WANT(comes_up(open_file, "OFDLCK ADVISORY  READ", -1, "7 EOF"));
	close(open_file);
}

static void devices(void)
{
	read_all("/proc/devices");
	WANT(!strncmp(text, "Character devices:\n", 19));
	WANT(strstr(text, "\n  1 mem\n"));
	WANT(strstr(text, "\n  5 /dev/tty\n"));
	WANT(strstr(text, "\n  5 /dev/console\n"));
	WANT(strstr(text, "\n  5 /dev/ptmx\n"));
	WANT(strstr(text, "\n136 pts\n"));
	WANT(strstr(text, "\n\nBlock devices:\n"));
}

static void consoles(void)
{
	char name[32], flags[8], more[16];
	unsigned major_number, minor_number;
	char *line = (char *)read_all("/proc/consoles");

	for (line = strtok(line, "\n"); line; line = strtok(NULL, "\n")) {
		WANT_IS(sscanf(line, "%31s %7s (%15[^)]) %u:%u", name, flags, more, &major_number,
				&minor_number),
			5);
		WANT_IS(line[20], ' ');
		WANT_IS(strlen(flags), 3);
		WANT(strlen(more) == 6 || strlen(more) == 7); /* newer kernels have one flag more */
	}
}

static void slabs(void)
{
	unsigned long active, objects, size, in_slab, pages;
	char name[64];
	char *line;
	int count = 0;

	if (access("/proc/slabinfo", F_OK))
		return; /* a kernel without */
	line = strtok((char *)read_all("/proc/slabinfo"), "\n");
	WANT(!strcmp(line, "slabinfo - version: 2.1"));
	WANT(!strncmp(strtok(NULL, "\n"), "# name ", 7));
	while ((line = strtok(NULL, "\n"))) {
		WANT_IS(sscanf(line, "%63s %lu %lu %lu %lu %lu : tunables", name, &active, &objects,
				&size, &in_slab, &pages),
			6);
		WANT(active <= objects);
		WANT(size * in_slab <= pages * 4096);
		count++;
	}
	WANT(count > 5);
}

/* Baton's own: what the kernel has mapped, each page writable or executable or neither; no user's business. */
static void mappings(void)
{
	unsigned long start, end, before = 0;
	int code = 0, data = 0, devices = 0, lines = 0;
	char access[8], more[16];
	pid_t child;
	char *line;

	if (faccessat(AT_FDCWD, "/proc/baton/mappings", F_OK, 0))
		return;
	for (line = strtok((char *)read_all("/proc/baton/mappings"), "\n"); line && *line != 'o';
		line = strtok(NULL, "\n"), lines++) {
		more[0] = '\0';
		WANT(sscanf(line, "%lx-%lx %7s %15s", &start, &end, access, more) >= 3);
		WANT(start >= before && (end > start || !end) && !(start % 4096) && !(end % 4096));
		WANT(!strcmp(access, "r--k") || !strcmp(access, "rw-k") || !strcmp(access, "r-xk"));
		before = end;
		code += access[2] == 'x';
		data += access[1] == 'w';
		devices += !strcmp(more, "device");
	}
	WANT(line && !strcmp(line, "ok"));
	WANT(code && data && devices && lines > code + data);
	child = fork();
	if (child == 0) {
		WANT_IS(setresuid(1234, 1234, 1234), 0);
		WANT_IS(kernel_call(SYS_open, "/proc/baton/mappings", O_RDONLY), -EACCES);
		_exit(0);
	}
	WANT_ENDS(child, 0);
}

static const struct test_case cases[] = {
	CASE(locks, "procfs: locks"),
	CASE(devices, "procfs: devices"),
	CASE(consoles, "procfs: consoles"),
	CASE(slabs, "procfs: slabinfo"),
	CASE(mappings, "procfs: the kernel's own mappings"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
