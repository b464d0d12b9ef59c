/* SPDX-License-Identifier: MIT */
/*
 * /sys: the CPUs and what belongs together, character devices and what leads to them, attributes as files,
 * directories as such. Says nothing of what one machine has and another has not.
 */
#include <dirent.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "cases.h"

#define CPUS  "/sys/devices/system/cpu/"
#define MAGIC 0x62656572

static const char *text_of(const char *format, int number)
{
	static char texts[4][4096];
	static int turn;
	char path[200], *text = texts[turn++ % 4];
	ssize_t got;
	int fd;

	snprintf(path, sizeof path, format, number);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		dprintf(1, "# %s: %s\n", path, strerror(errno));
	WANT(fd >= 0);
	got = read(fd, text, 4095);
	WANT(got > 0);
	text[got] = '\0';
	WANT_IS(text[got - 1], '\n');
	close(fd);
	return text;
}

/* "0-3,5\n" as bits. */
static uint64_t list_of(const char *text)
{
	uint64_t bits = 0;
	long first, last;
	char *end;

	while (*text != '\n') {
		first = last = strtol(text, &end, 10);
		WANT(end > text);
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		for (; first <= last; first++)
			bits |= UINT64_C(1) << (first & 63);
		text = *end == ',' ? end + 1 : end;
	}
	return bits;
}

/* "0000000f\n", a comma after each 32 bits. */
static uint64_t mask_of(const char *text)
{
	uint64_t bits = 0;

	for (; *text != '\n'; text++)
		if (*text != ',')
			bits = bits << 4 | strtoul((char[]){*text, '\0'}, NULL, 16);
	return bits;
}

static void cpu_lists(void)
{
	uint64_t online = list_of(text_of(CPUS "online", 0));
	uint64_t present = list_of(text_of(CPUS "present", 0));
	uint64_t possible = list_of(text_of(CPUS "possible", 0));
	cpu_set_t set;

	WANT(online & 1);
	WANT(!(online & ~present));
	WANT(!(present & ~possible));
	WANT(!(list_of(text_of(CPUS "offline", 0)) & online));
	WANT(atol(text_of(CPUS "kernel_max", 0)) >= 63 - __builtin_clzll(possible));
	WANT_IS(sched_getaffinity(0, sizeof set, &set), 0);
	for (int i = 0; i < 64; i++)
		WANT(!CPU_ISSET((size_t)i, &set) || online >> i & 1);
}

static void topology(void)
{
	uint64_t online = list_of(text_of(CPUS "online", 0)), threads, package;

	for (int i = 0; i < 64; i++) {
		if (!(online >> i & 1))
			continue;
		threads = list_of(text_of(CPUS "cpu%d/topology/thread_siblings_list", i));
		package = list_of(text_of(CPUS "cpu%d/topology/core_siblings_list", i));
		WANT(threads >> i & 1);
		WANT(!(threads & ~package));
		WANT(mask_of(text_of(CPUS "cpu%d/topology/thread_siblings", i)) == threads);
		WANT(mask_of(text_of(CPUS "cpu%d/topology/core_siblings", i)) == package);
		WANT(mask_of(text_of(CPUS "cpu%d/topology/core_cpus", i)) == threads);
		WANT(mask_of(text_of(CPUS "cpu%d/topology/package_cpus", i)) == package);
		WANT(strspn(text_of(CPUS "cpu%d/topology/core_id", i), "0123456789") > 0);
		WANT(strspn(text_of(CPUS "cpu%d/topology/physical_package_id", i), "0123456789") >
			0);
	}
	WANT(access(CPUS "cpu4095", F_OK) < 0 && errno == ENOENT);
}

static void devices(void)
{
	struct stat by_class, by_number, class, subsystem;
	char link[200] = "";

	WANT(!strcmp(text_of("/sys/class/mem/null/dev", 0), "1:3\n"));
	WANT(!strcmp(text_of("/sys/class/mem/zero/uevent", 0),
		"MAJOR=1\nMINOR=5\nDEVNAME=zero\nDEVMODE=0666\n"));
	WANT(readlink("/sys/class/mem/null", link, sizeof link - 1) > 0);
	WANT(!strcmp(link, "../../devices/virtual/mem/null"));
	WANT_IS(stat("/sys/class/mem/null/", &by_class), 0);
	WANT_IS(stat("/sys/dev/char/1:3/", &by_number), 0);
	WANT_IS(by_class.st_ino, by_number.st_ino);
	WANT_IS(lstat("/sys/class/mem", &class), 0);
	WANT_IS(stat("/sys/class/mem/null/subsystem", &subsystem), 0);
	WANT_IS(class.st_ino, subsystem.st_ino);
	WANT(S_ISDIR(class.st_mode));
	WANT(!strncmp(text_of("/sys/class/tty/console/dev", 0), "5:1\n", 4));
}

static void attributes(void)
{
	int fd = open("/sys/class/mem/null/dev", O_RDONLY);
	struct statfs system;
	struct stat stat;
	char text[8] = "";

	WANT(fd >= 0);
	WANT_IS(fstat(fd, &stat), 0);
	WANT_IS(stat.st_mode, S_IFREG | 0444);
	WANT_IS(stat.st_size, 4096);
	WANT_IS(fstatfs(fd, &system), 0);
	WANT_IS(system.f_type, MAGIC);
	WANT_IS(read(fd, text, 2), 2);
	WANT(!memcmp(text, "1:", 2));
	WANT_IS(read(fd, text, 8), 2);
	WANT(!memcmp(text, "3\n", 2));
	WANT_IS(read(fd, text, 8), 0);
	WANT_IS(pread(fd, text, 8, 2), 2);
	WANT_IS(lseek(fd, 0, SEEK_SET), 0);
	WANT_IS(read(fd, text, 8), 4);
	WANT_IS(kernel_call(SYS_read, fd, BAD, 8), -EFAULT);
	WANT_IS(kernel_call(SYS_write, fd, "x", 1), -EBADF);
	WANT_IS(kernel_call(SYS_mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0), -ENODEV);
}

/* A container may have it mounted read-only. */
static long unless_read_only(long result, long expected)
{
	return result == -EROFS ? expected : result;
}
#define REFUSED(call, error) WANT_IS(unless_read_only(call, error), error)

static void nothing_to_change(void)
{
	REFUSED(kernel_call(SYS_open, "/sys/class/mem/null/dev", O_RDWR), -EACCES);
	REFUSED(kernel_call(SYS_open, "/sys/class/mem/null/dev", O_WRONLY), -EACCES);
	REFUSED(kernel_call(SYS_open, "/sys/class/new", O_RDWR | O_CREAT, 0600), -EACCES);
	REFUSED(kernel_call(SYS_mkdir, "/sys/class/new", 0700), -EPERM);
	REFUSED(kernel_call(SYS_symlink, "target", "/sys/class/new"), -EPERM);
	REFUSED(kernel_call(SYS_unlink, "/sys/class/mem/null"), -EPERM);
	REFUSED(kernel_call(SYS_unlink, "/sys/class/mem/zero/dev"), -EPERM);
	REFUSED(kernel_call(SYS_rmdir, "/sys/class/mem"), -EPERM);
	WANT_IS(kernel_call(SYS_open, "/sys/class/new", O_RDONLY), -ENOENT);
	WANT_IS(kernel_call(SYS_open, "/sys/class/mem/null/dev/x", O_RDONLY), -ENOTDIR);
}

/* Whatever a directory lists is there, of the kind and with the number that it says. */
static void listed(const char *path, int depth)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	struct stat stat;
	char child[PATH_MAX];
	nlink_t links = 2;

	WANT(directory);
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
		WANT_IS(lstat(child, &stat), 0);
		WANT_IS(stat.st_ino, entry->d_ino);
		WANT_IS(stat.st_mode >> 12, entry->d_type);
		links += S_ISDIR(stat.st_mode);
		if (S_ISDIR(stat.st_mode) && depth)
			listed(child, depth - 1);
	}
	closedir(directory);
	WANT_IS(lstat(path, &stat), 0);
	WANT_IS(stat.st_nlink, links);
}

static void directories(void)
{
	static const char *const names[] = {
		"block", "bus", "class", "dev", "devices", "firmware", "fs", "kernel", "module"};
	char path[100];
	struct stat stat;

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof path, "/sys/%s", names[i]);
		WANT_IS(lstat(path, &stat), 0);
		WANT_IS(stat.st_mode, S_IFDIR | 0755);
	}
	listed("/sys/class/mem", 0);
	listed("/sys/devices/virtual/mem", 1);
	listed("/sys/devices/system/cpu/cpu0/topology", 0);
}

static void read_in_steps(void)
{
	int fd = open("/sys/devices/system/cpu/cpu0/topology", O_RDONLY | O_DIRECTORY);
	char small[64];
	long got;
	int steps = 0;

	WANT(fd >= 0);
	WANT_IS(kernel_call(SYS_getdents64, fd, small, 8), -EINVAL);
	while ((got = kernel_call(SYS_getdents64, fd, small, sizeof small)) > 0)
		steps++;
	WANT_IS(got, 0);
	WANT(steps > 8);
	WANT_IS(lseek(fd, 0, SEEK_SET), 0);
	WANT(kernel_call(SYS_getdents64, fd, small, sizeof small) > 0);
}

struct seen {
	char name[64];
	int64_t next; /* d_off */
};

/* Up to `most` names from where the directory stands, read with a buffer of this size. */
static size_t names_from(int fd, size_t buffer, struct seen *out, size_t most)
{
	struct entry {
		uint64_t inode;
		int64_t next;
		uint16_t length;
		uint8_t type;
		char name[];
	} * entry;
	_Alignas(8) char bytes[4096];
	size_t count = 0;
	long got;

	while ((got = kernel_call(SYS_getdents64, fd, bytes, buffer)) > 0) {
		for (long at = 0; at < got && count < most; at += entry->length, count++) {
			entry = (void *)(bytes + at);
			snprintf(out[count].name, sizeof out[count].name, "%s", entry->name);
			out[count].next = entry->next;
		}
		if (count == most)
			return count;
	}
	WANT_IS(got, 0);
	return count;
}

/* From the offset of any name the next one follows, whatever was read before. */
static void resumed_anywhere(void)
{
	int fd = open("/sys/devices/system/cpu/cpu0/topology", O_RDONLY | O_DIRECTORY);
	struct seen all[64], some[64];
	size_t count, rest;

	WANT(fd >= 0);
	count = names_from(fd, 4096, all, COUNT(all));
	WANT(count > 8 && count < COUNT(all));
	WANT_IS(lseek(fd, 0, SEEK_SET), 0);
	WANT_IS(names_from(fd, 64, some, COUNT(some)), count); /* small steps: the same */
	for (size_t i = 0; i < count; i++)
		WANT(!strcmp(all[i].name, some[i].name));
	for (size_t i = 0; i < count; i++) {
		size_t at = (i * 7 + 3) % count; /* back and forth */

		WANT_IS(lseek(fd, all[at].next, SEEK_SET), all[at].next);
		rest = names_from(fd, 64, some, COUNT(some));
		WANT_IS(rest, count - at - 1);
		for (size_t k = 0; k < rest; k++)
			WANT(!strcmp(some[k].name, all[at + 1 + k].name));
	}
	close(fd);
}

static const struct test_case cases[] = {
	CASE(cpu_lists, "sysfs: which CPUs there are"),
	CASE(topology, "sysfs: which belong together"),
	CASE(devices, "sysfs: character devices"),
	CASE(attributes, "sysfs: attributes as files"),
	CASE(nothing_to_change, "sysfs: what is refused"),
	CASE(directories, "sysfs: directories list what is there"),
	CASE(read_in_steps, "sysfs: a directory read in small steps"),
	CASE(resumed_anywhere, "sysfs: a directory resumed at any offset"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
