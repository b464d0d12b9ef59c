/* SPDX-License-Identifier: MIT */
/* What the parts of the test of the calls on files share (files.c, files_names.c). */
#ifndef TESTS_FILES_CHECK_H
#define TESTS_FILES_CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "files.h"

#define CALL(name, ...)          raw(SYS_##name, (long[6]){__VA_ARGS__})
#define P(pointer)               ((long)(uintptr_t)(pointer))
#define BAD                      ((long)0xffff800000001000) /* no address of a process */

#define IS(expression, expected) files_is(__LINE__, #expression, (expression), (expected))
#define HOLDS(condition)         files_is(__LINE__, #condition, !!(condition), 1)

/* Counts a point, and says so when it does not hold. */
void files_is(int line, const char *what, long found, long expected);
/* The points from here on belong to this group; NULL: that was the last. */
void files_group(const char *name);
/* A new file with this text, open for both, at its start. */
int make_file(const char *path, const char *text);
struct stat stat_of(const char *path);

/* files_names.c: directories, links, names, renaming, listing, the working directory. */
void test_file_names(void);

#endif
