/* SPDX-License-Identifier: MIT */
/* Walks within what openat2's RESOLVE_* allow (man 2 openat2): see path.c. */
#ifndef FILES_RESOLVE_H
#define FILES_RESOLVE_H

#include <linux/openat2.h>

#include "files/vfs.h"

/* As walk_start and path_walk. */
int walk_start_resolved(struct walk *walk, struct fs_context *fs, struct path start,
	const char *path, unsigned int resolve) MUST_CHECK;
int path_walk_resolved(struct fs_context *fs, struct path start, const char *path,
	enum walk_flags flags, unsigned int resolve, struct path *out) MUST_CHECK;
/* The walk came from one mount to another: -EXDEV where that is another one and must not be. */
int walk_check_mount(
	const struct walk *walk, const struct mount *before, const struct mount *now) MUST_CHECK;
/* Whether `path` is `root` or below it. */
bool path_is_below(const struct path *path, const struct path *root) MUST_CHECK;

#endif
