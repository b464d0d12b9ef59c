/* SPDX-License-Identifier: MIT */
/*
 * Files that workers leave in the machine's own file systems.
 *
 * The workers' root is a tmpfs that ends with the epoch, and all that they leave in it. But who has CAP_SYS_ADMIN can
 * mount the machine's devtmpfs in it, of which there is one, and make files there; or take the epoch's tmpfs away
 * lazily, so that the next worker's root is the empty directory under it. That is as on Linux, so no leak;
 * it must go nevertheless, or the next epochs would begin otherwise, and the audit's figures rise.
 *
 * So the paths of all files are kept (as numbers) before the first epoch, and after each one what has another path
 * is removed. A file system of which there is one may have been remounted read-only, too: it is made writable again.
 */
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "fuzz.h"
#include "tests/check.h"

#define FILES_MOST 8192u
#define DEPTH_MOST 32u

enum visit { VISIT_REMEMBER, VISIT_LOOK, VISIT_REMOVE_NEW, VISIT_REMOVE };

static uint64_t known[FILES_MOST];
static unsigned known_count;

static uint64_t number_of(const char *path)
{
	uint64_t number = 0;

	for (; *path; path++)
		number = random_mix(number ^ (uint8_t)*path);
	return number;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool is_known(uint64_t number)
{
	return bsearch(&number, known, known_count, sizeof(number), by_size);
}

/* What the kernel makes up has its own life. */
static bool is_made_up(const char *path)
{
	return strcmp(path, "/proc") == 0 || strcmp(path, "/sys") == 0 ||
	       strcmp(path, "/dev/pts") == 0;
}

static void visit_below(const char *path, unsigned depth, enum visit how);

static void visit(const char *path, unsigned depth, enum visit how)
{
	uint64_t number = number_of(path);
	struct stat status;

	if (is_made_up(path) || lstat(path, &status) != 0)
		return;
	if (how == VISIT_REMEMBER) {
		if (known_count == FILES_MOST)
			world_fail("more files than strays.c can remember");
		known[known_count++] = number;
	}
	if (how == VISIT_REMOVE_NEW && !is_known(number))
		how = VISIT_REMOVE;
	if (S_ISDIR(status.st_mode))
		visit_below(path, depth + 1, how);
	if (how == VISIT_REMOVE && remove(path) != 0)
		world_fail(path);
}

/* The names are read before any is removed: positions in a directory are not kept over that by all file systems. */
static void visit_below(const char *path, unsigned depth, enum visit how)
{
	struct dirent **names;
	int count = depth > DEPTH_MOST ? -1 : scandir(path, &names, NULL, NULL);
	char below[PATH_MAX];

	if (count < 0)
		world_fail(path);
	for (int i = 0; i < count; i++) {
		const char *name = names[i]->d_name;
		bool in_proc = strncmp(path, "/proc", 5) == 0;

		snprintf(below, sizeof below, "%s/%s", depth ? path : "", name);
		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
			!(in_proc && name[0] >= '0' && name[0] <= '9'))
			visit(below, depth, how);
		free(names[i]);
	}
	free(names);
}

void strays_init(void)
{
	visit_below("/", 0, VISIT_REMEMBER);
	qsort(known, known_count, sizeof(*known), by_size);
	/* The fixed names of /proc stay in the kernel's table of names once they were looked up. */
	visit_below("/proc", 1, VISIT_LOOK);
}

/* ST_NOSUID, ST_NODEV and ST_NOEXEC have the numbers of MS_NOSUID and so on. */
static void make_writable(const char *path)
{
	struct statvfs status;

	if (statvfs(path, &status) != 0)
		world_fail(path);
	if (status.f_flag & ST_RDONLY &&
		mount(NULL, path, NULL,
			MS_REMOUNT | (status.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC)),
			NULL) != 0)
		world_fail(path);
}

void strays_remove(void)
{
	make_writable("/");
	make_writable("/dev");
	visit_below("/", 0, VISIT_REMOVE_NEW);
}
