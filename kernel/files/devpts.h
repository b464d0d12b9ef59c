/* SPDX-License-Identifier: MIT */
/* The file system of pseudo-terminals' slaves. See devpts.c. */
#ifndef FILES_DEVPTS_H
#define FILES_DEVPTS_H

#include "files/vfs.h"

/* A new node with the lowest free number, whose files have these operations; inode->driver is the
 * caller's. With a reference. -ENOSPC: as many as there may be; -ENOMEM. */
int devpts_add(
	const struct file_operations *operations, void *driver, struct inode **out) MUST_CHECK;
unsigned int devpts_number(const struct inode *inode);
/* Takes it out of the directory: nobody finds it any more, and the number is free. Consumes the
 * reference. */
void devpts_remove(struct inode *inode);

int devpts_mount(char *options, struct superblock **out) MUST_CHECK; /* struct filesystem */

#endif
