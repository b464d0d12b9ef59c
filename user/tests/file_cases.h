/* SPDX-License-Identifier: MIT */
/*
 * Cases that work on files: each enters a directory of its own, in a tmpfs where there is one, and all goes
 * away at the end. `program WORD` runs the cases that have WORD in their names.
 */
#ifndef USER_TESTS_FILE_CASES_H
#define USER_TESTS_FILE_CASES_H

#include <ftw.h>
#include <sys/stat.h>

#include "cases.h"

static char base[100];

/* A directory of the case's own. */
static inline void enter(void)
{
	char path[200];

	snprintf(path, sizeof path, "%s/%d", base, (int)getpid());
	WANT_IS(mkdir(path, 0777), 0);
	WANT_IS(chdir(path), 0);
}

static inline int remove_one(const char *path, const struct stat *what, int flag, struct FTW *where)
{
	return remove(path);
}

/* The program's cases, in the order in which they stand. */
#define FILE_CASES(name)                                                                \
	static void all(int argc, char **argv)                                          \
	{                                                                               \
		snprintf(base, sizeof base, "%s/" name "-%d",                           \
			access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (int)getpid()); \
		mkdir(base, 0755);                                                      \
		run_cases(cases, COUNT(cases), argc, argv);                             \
		nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);                       \
	}                                                                               \
                                                                                        \
	int main(int argc, char **argv)                                                 \
	{                                                                               \
		return check_main(argc, argv, NULL, 0, all);                            \
	}

#endif
