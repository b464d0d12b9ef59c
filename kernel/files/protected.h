/* SPDX-License-Identifier: MIT */
/* What /proc/sys/fs/protected_* keep users from doing to each other in shared directories. See protected.c. */
#ifndef FILES_PROTECTED_H
#define FILES_PROTECTED_H

#include "lib/types.h"

struct inode;

/* 0 or 1; of FIFOs and regular files 0 to 2. Atomic. */
extern int protected_symlinks, protected_hardlinks, protected_fifos, protected_regular;

/* May the caller follow this symbolic link, the last component of a path, in this directory? -EACCES. */
int protected_may_follow(const struct inode *directory, const struct inode *link) MUST_CHECK;
/* May it give the file another name? -EPERM. */
int protected_may_link(const struct inode *inode) MUST_CHECK;
/* May open(O_CREAT) open this file, which was in the directory already? -EACCES. */
int protected_may_create(const struct inode *directory, const struct inode *inode) MUST_CHECK;

#endif
