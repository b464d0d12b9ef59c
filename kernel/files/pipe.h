/* SPDX-License-Identifier: MIT */
#ifndef FILES_PIPE_H
#define FILES_PIPE_H

#include "files/vfs.h"

/* The two ends of a new pipe; flags: O_NONBLOCK. 0, -ENOMEM. */
int pipe_create(unsigned int flags, struct file **reader, struct file **writer) MUST_CHECK;
/* F_GETPIPE_SZ: bytes, or -EBADF when the file is no pipe. */
long pipe_size(struct file *file);

#endif
