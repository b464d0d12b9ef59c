/* SPDX-License-Identifier: MIT */
/* File locks, as the system calls and closing see them; see file_locks.c. */
#ifndef FILES_FILE_LOCKS_H
#define FILES_FILE_LOCKS_H

#include "files/vfs.h"

#define LOCK_TO_THE_END INT64_MAX

enum lock_kind { LOCK_FLOCK, LOCK_PROCESS, LOCK_OPEN_FILE };

struct lock_request {
	enum lock_kind kind;
	short type;         /* F_RDLCK, F_WRLCK, F_UNLCK */
	int64_t start, end; /* both belong to it; LOCK_TO_THE_END: however long the file gets */
	const void *owner;  /* struct files of LOCK_PROCESS, else struct file */
	int pid;            /* who asked; -1 for LOCK_OPEN_FILE */
};

/* Sets or takes away a lock. -EAGAIN: somebody else's contradicts, and `wait` is false; -EDEADLK,
 * -ERESTARTSYS, -ENOMEM. */
int file_lock_set(struct inode *inode, const struct lock_request *request, bool wait) MUST_CHECK;
/* Whether somebody else's lock contradicts: the first one, in *request. */
bool file_lock_test(struct inode *inode, struct lock_request *request) MUST_CHECK;
/* All locks of an owner on the file go. */
void file_locks_drop(struct inode *inode, const void *owner);
/* Calls add for each lock that is held; no locks are set or dropped meanwhile. */
struct lock_sink {
	void (*add)(
		struct lock_sink *sink, const struct inode *inode, const struct lock_request *lock);
};
void file_locks_list(struct lock_sink *sink);
void inode_locks_free(struct inode *inode); /* of an inode that nobody has open */

#endif
