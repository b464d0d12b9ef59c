/* SPDX-License-Identifier: MIT */
/* What the tests of /proc/sys share (sysctl.c): reading and writing settings. */
#ifndef USER_TESTS_SYSCTL_H
#define USER_TESTS_SYSCTL_H

#include <sys/stat.h>

#include "cases.h"

#define MIB          (UINT64_C(1) << 20)
#define PAGE         4096ul

#define FILE_CASES   6
#define IPC_CASES    3
#define MEMORY_CASES 4
extern const struct test_case file_cases[FILE_CASES];     /* sysctl_files.c */
extern const struct test_case ipc_cases[IPC_CASES];       /* sysctl_ipc.c */
extern const struct test_case memory_cases[MEMORY_CASES]; /* sysctl_memory.c */

/* ---- Reading and writing settings ---- */

static char path[300]; /* of the setting, or file, at hand */

static inline const char *file_of(const char *name)
{
	snprintf(path, sizeof path, "/proc/sys/%s", name);
	return path;
}

/* The number written, or the errno. */
static inline long write_to(const char *name, const char *text)
{
	int fd = open(file_of(name), O_WRONLY);
	long result;

	if (fd < 0)
		return -errno;
	result = kernel_call(SYS_write, fd, text, strlen(text));
	close(fd);
	return result;
}

static inline void set(const char *name, const char *value)
{
	WANT_IS(write_to(name, value), (long)strlen(value));
}

static inline const char *get(const char *name)
{
	static char texts[4][256];
	static int turn;
	char *text = texts[turn++ % 4];
	int fd = open(name[0] == '/' ? name : file_of(name), O_RDONLY);
	ssize_t got;

	WANT(fd >= 0);
	got = read(fd, text, 255);
	WANT(got > 0);
	text[got] = '\0';
	text[strcspn(text, "\n")] = '\0';
	close(fd);
	return text;
}

static inline void want_value(const char *name, const char *value)
{
	const char *found = get(name);

	if (strcmp(found, value))
		dprintf(1, "# %s: %s, expected %s\n", name, found, value);
	WANT(!strcmp(found, value));
}

/* ---- A process that waits ---- */

static inline void end(pid_t pid)
{
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_ENDS(pid, KILLED(SIGKILL));
}

/* ---- A directory of its own ---- */

static inline void enter_directory(const char *name, mode_t mode)
{
	char template[64];

	snprintf(template, sizeof template, "/tmp/sysctl-%s-XXXXXX", name);
	WANT(mkdtemp(template));
	WANT_IS(chmod(template, mode), 0);
	WANT_IS(chdir(template), 0);
}

#endif
