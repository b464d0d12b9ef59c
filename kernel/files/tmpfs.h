/* SPDX-License-Identifier: MIT */
/* tmpfs's two files share this: inodes and directories in tmpfs.c, data in tmpfs_data.c. */
#ifndef FILES_TMPFS_H
#define FILES_TMPFS_H

#include "files/vfs.h"

extern const struct file_operations tmpfs_file_operations, tmpfs_directory_operations;

/* An inode with no name yet, one reference. NULL: no memory. */
struct inode *tmpfs_inode_create(
	struct superblock *superblock, const struct new_inode *what) MUST_CHECK;

/* Writes at an offset of a regular file, with the inode's lock. Bytes written or a negative errno. */
ssize_t tmpfs_write(struct inode *inode, struct io *io, uint64_t at) MUST_CHECK
	requires(inode->lock);
/* Makes the file at least this long without touching its pages. */
void tmpfs_grow(struct inode *inode, uint64_t size);

void fifo_release(struct inode *inode); /* pipe.c: frees a FIFO's pipe */

#endif
