/* SPDX-License-Identifier: MIT */
/* Extended attributes of inodes: see xattr.c. Sizes are in bytes. */
#ifndef FILES_XATTR_H
#define FILES_XATTR_H

#include "files/vfs.h"

/* <linux/xattr.h>'s flags, man 2 setxattr. */
enum xattr_mode { XATTR_ANY = 0, XATTR_MUST_BE_NEW = 1, XATTR_MUST_BE_THERE = 2 };

/* Copies an attribute's value out, if `size` is not 0; its size, or -ENODATA, -ERANGE: larger than `size`, -EOPNOTSUPP: the
 * file has no such attributes, -EINVAL: a prefix without a name. */
ssize_t xattr_get(struct inode *inode, const char *name, void *value, size_t size) MUST_CHECK;
/* Sets one: -EEXIST, -ENODATA as the mode has it, -EPERM, -EACCES, -EOPNOTSUPP, -EINVAL, -ENOMEM. */
int xattr_set(struct inode *inode, const char *name, const void *value, size_t size,
	enum xattr_mode mode) MUST_CHECK;
/* -ENODATA: it is not there. */
int xattr_remove(struct inode *inode, const char *name) MUST_CHECK;
/* The names, each with its NUL, into `names` if `size` is not 0; their size, or -ERANGE. */
ssize_t xattr_list(struct inode *inode, char *names, size_t size) MUST_CHECK;
/* The inode goes. */
void xattr_free(struct inode *inode);

#endif
