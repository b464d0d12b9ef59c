/* SPDX-License-Identifier: MIT */
/* What the tests of /proc share: reading files of it, field by field. */
#ifndef USER_TESTS_PROCFS_H
#define USER_TESTS_PROCFS_H

#include <dirent.h>
#include <sys/stat.h>

#include "cases.h"

/* All of an open file from its start, with a NUL behind it; the bytes, or a negative errno. */
static inline long read_all(int fd, char *text, size_t size)
{
	size_t used = 0;

	for (;;) {
		long got = kernel_call(SYS_pread64, fd, text + used, size - 1 - used, used);

		if (got < 0)
			return got;
		if (got == 0)
			break;
		used += (size_t)got;
		WANT(used < size - 1);
	}
	text[used] = 0;
	return (long)used;
}

static inline int proc_open(pid_t pid, const char *name, int flags)
{
	char path[128];

	if (pid)
		snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	else
		snprintf(path, sizeof path, "/proc/self/%s", name);
	return (int)kernel_call(SYS_open, path, flags);
}

/* A file of a process (0: this one); the bytes, or a negative errno. */
static inline long proc_read(pid_t pid, const char *name, char *text, size_t size)
{
	int fd = proc_open(pid, name, O_RDONLY);
	long got = fd < 0 ? fd : read_all(fd, text, size);

	if (fd >= 0)
		close(fd);
	return got;
}

static inline long proc_link(pid_t pid, const char *name, char *text, size_t size)
{
	char path[128];
	long got;

	if (pid)
		snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	else
		snprintf(path, sizeof path, "/proc/self/%s", name);
	got = kernel_call(SYS_readlink, path, text, size - 1);
	if (got >= 0)
		text[got] = 0;
	return got;
}

/* The fields of /proc/PID/stat by man 5 proc's numbers; the name is field 2 without its parentheses. */
struct stat_fields {
	char name[32], state;
	long long field[53]; /* from 4 on; [1] is the id */
};

static inline void parse_stat(const char *text, struct stat_fields *out)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')'), *at;
	char *end;
	int n;

	WANT(open && close && close > open);
	out->field[1] = strtoll(text, &end, 10);
	WANT(end[0] == ' ' && end + 1 == open);
	snprintf(out->name, sizeof out->name, "%.*s", (int)(close - open - 1), open + 1);
	WANT(close[1] == ' ' && close[3] == ' ');
	out->state = close[2];
	at = close + 3;
	for (n = 4; *at == ' '; n++) {
		WANT(n <= 52);
		out->field[n] = (long long)strtoull(at + 1, &end, 10);
		WANT(end > at + 1);
		at = end;
	}
	WANT_IS(n, 53);
	WANT(strcmp(at, "\n") == 0);
}

static inline void stat_of(pid_t pid, const char *name, struct stat_fields *out)
{
	char text[4096];

	WANT(proc_read(pid, name, text, sizeof text) > 0);
	parse_stat(text, out);
}

/* What stands behind "Name:\t" in a text of such lines, or NULL; good until the eighth call after it. */
static inline char *line_of(const char *text, const char *name)
{
	static char lines[8][512];
	static unsigned turn;
	size_t length = strlen(name);
	const char *line = text, *end;

	while (line && (strncmp(line, name, length) || line[length] != ':')) {
		line = strchr(line, '\n');
		line = line && line[1] ? line + 1 : NULL;
	}
	if (!line)
		return NULL;
	line += length + 1;
	line += strspn(line, "\t ");
	end = strchr(line, '\n');
	turn = (turn + 1) % 8;
	snprintf(lines[turn], sizeof lines[turn], "%.*s", end ? (int)(end - line) : 0, line);
	return lines[turn];
}

static inline long number_of(const char *text, const char *name)
{
	char *line = line_of(text, name);

	WANT(line);
	return strtol(line, NULL, 10);
}

/* One line of maps. */
struct mapping {
	unsigned long start, end, offset, inode;
	unsigned major, minor;
	char access[5], name[512];
};

/* The mapping that holds an address; false: none. Checks each line's form on the way. */
static inline bool find_mapping(pid_t pid, const void *address, struct mapping *out)
{
	static char text[1 << 20];
	unsigned long last = 0, wanted = (unsigned long)address;
	bool found = false;

	WANT(proc_read(pid, "maps", text, sizeof text) > 0);
	for (char *line = text, *next; *line; line = next) {
		struct mapping one = {0};
		int length = 0;

		next = strchr(line, '\n');
		WANT(next);
		*next++ = 0;
		WANT(sscanf(line, "%lx-%lx %4s %lx %x:%x %lu%n", &one.start, &one.end, one.access,
			     &one.offset, &one.major, &one.minor, &one.inode, &length) == 7);
		WANT(one.start < one.end && one.start >= last);
		last = one.end;
		WANT(line[length] == ' ');
		if (line[length + 1]) { /* a name, at column 73 */
			WANT(strlen(line) > 73 &&
				strspn(line + length, " ") == 73 - (size_t)length);
			snprintf(one.name, sizeof one.name, "%s", line + 73);
		}
		if (wanted >= one.start && wanted < one.end) {
			*out = one;
			found = true;
		}
	}
	return found;
}

/* Whether a directory has a name, and how many it has beside `.` and `..`. */
static inline bool has_entry(const char *path, const char *name, int *count)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	bool found = false;

	WANT(directory);
	*count = 0;
	while ((entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		++*count;
		found |= strcmp(entry->d_name, name) == 0;
	}
	closedir(directory);
	return found;
}

#endif
