/* SPDX-License-Identifier: MIT */
/* tmpfs's two files share this: inodes and directories in tmpfs.c, data in tmpfs_data.c. */
#ifndef FILES_TMPFS_H
#define FILES_TMPFS_H

#include "files/vfs.h"

/* A tmpfs, and what it may hold and does: pages, and inodes with what Linux counts as such. 0: no
 * limit. All atomic. */
struct tmpfs {
	struct superblock superblock;
	uint64_t max_pages, pages;
	uint64_t max_inodes, inodes;
	uint32_t uid, gid, mode;   /* the root's, as given */
	bool short_numbers;        /* what was asked for, and is told: inode32, huge=, mpol= */
	const char *huge, *policy; /* NULL: as without */
};

static inline struct tmpfs *tmpfs_of_superblock(struct superblock *superblock)
{
	return container_of(superblock, struct tmpfs, superblock);
}

/* tmpfs_super.c */
int tmpfs_mount(char *options, struct superblock **out) MUST_CHECK; /* struct filesystem */
/* From now on its files have half of the machine's memory at most; there may be as many as that takes. */
void tmpfs_limit_by_memory(struct superblock *superblock);
/* 0 or -ENOSPC. */
int tmpfs_charge_page(struct superblock *superblock) MUST_CHECK;
/* Whether that many pages were within the limit if nothing else were there. */
bool tmpfs_may_hold(struct superblock *superblock, uint64_t pages);
void tmpfs_uncharge_pages(struct superblock *superblock, unsigned count);
int tmpfs_charge_inode(struct superblock *superblock) MUST_CHECK;
void tmpfs_uncharge_inode(struct superblock *superblock);
/* Removes every entry: nobody can find them any more. */
void tmpfs_clear(struct superblock *superblock);

extern const struct file_operations tmpfs_file_operations, tmpfs_directory_operations;

/* An inode with no name yet, one reference. -ENOMEM, -ENOSPC. */
int tmpfs_inode_create(
	struct superblock *superblock, const struct new_inode *what, struct inode **out) MUST_CHECK;

/* Writes at an offset of a regular file, with the inode's lock. Bytes written or a negative errno. */
ssize_t tmpfs_write(struct inode *inode, struct io *io, uint64_t at) MUST_CHECK
	requires(inode->lock);
int tmpfs_allocate(struct inode *inode, int mode, uint64_t start, uint64_t length) MUST_CHECK;
/* Makes the file at least this long without touching its pages. */
void tmpfs_grow(struct inode *inode, uint64_t size);

void fifo_release(struct inode *inode); /* pipe.c: frees a FIFO's pipe */

#endif
