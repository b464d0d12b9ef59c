/* SPDX-License-Identifier: MIT */
/* Open files without a name: epolls, eventfds, signalfds, timerfds. See anonymous.c. */
#ifndef FILES_ANONYMOUS_H
#define FILES_ANONYMOUS_H

#include "files/vfs.h"

/* flags: O_* of the open file. `private` is the file's once this gives 0; else -ENOMEM. */
int anonymous_file(const struct file_operations *operations, void *private, unsigned flags,
	struct file **out) MUST_CHECK;

#endif
