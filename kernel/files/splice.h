/* SPDX-License-Identifier: MIT */
/* Bytes between pipes, files and users' memory; see splice.c. */
#ifndef FILES_SPLICE_H
#define FILES_SPLICE_H

#include "files/pipe.h"

enum splice_keep { SPLICE_MOVE, SPLICE_KEEP };

/* From a pipe to another one; SPLICE_KEEP: they stay in the first one too (tee). Bytes, or a negative
 * errno: -EAGAIN, -EPIPE with the signal sent, -ERESTARTSYS. The same for all below. */
ssize_t splice_pipes(struct pipe *in, struct pipe *out, size_t count, enum splice_keep keep,
	bool nonblocking) MUST_CHECK;
/* From a file at *position, which it moves on, as far as there is room. */
ssize_t splice_from_file(struct file *in, int64_t *position, struct pipe *out, size_t count,
	bool nonblocking) MUST_CHECK;
/* From a socket or a terminal, what it gives at once. in_now, out_now: nothing is waited for there. */
ssize_t splice_from_stream(
	struct file *in, struct pipe *out, size_t count, bool in_now, bool out_now) MUST_CHECK;
/* To a file, as far as there are bytes. */
ssize_t splice_to_file(struct pipe *in, struct file *out, int64_t *position, size_t count,
	bool nonblocking) MUST_CHECK;
ssize_t splice_from_user(struct io *io, struct pipe *out, bool nonblocking) MUST_CHECK;
ssize_t splice_to_user(struct pipe *in, struct io *io, bool nonblocking) MUST_CHECK;

#endif
