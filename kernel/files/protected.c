/* SPDX-License-Identifier: MIT */
/*
 * Guards against traps that one user sets for another in directories where all may write (/tmp): a symbolic link
 * to the other's file, a hard link to a set-id program that is about to be mended, a FIFO or file where a program
 * thinks to make its own. Linux's rules: Documentation/admin-guide/sysctl/fs.rst, protected_*. Links are guarded
 * from the start, as by Debian's kernel; FIFOs and files are once somebody sets it.
 */
#include "files/protected.h"

#include "files/vfs.h"
#include "lib/errno.h"

int protected_symlinks = 1, protected_hardlinks = 1, protected_fifos, protected_regular;

static int level(const int *setting)
{
	return __atomic_load_n(setting, __ATOMIC_RELAXED);
}

int protected_may_follow(const struct inode *directory, const struct inode *link)
{
	const uint32_t shared = S_ISVTX | S_IWOTH;

	if (!level(&protected_symlinks) || current_credentials()->fsuid == link->uid ||
		(directory->mode & shared) != shared || directory->uid == link->uid)
		return 0;
	return -EACCES;
}

/* Who may read and write it anyway gains nothing by a name of his own, unless the file lends its rights. */
static bool is_safe_source(const struct inode *inode)
{
	return S_ISREG(inode->mode) && !(inode->mode & S_ISUID) &&
	       (inode->mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP) &&
	       !inode_permission(inode, MAY_READ | MAY_WRITE);
}

int protected_may_link(const struct inode *inode)
{
	if (!level(&protected_hardlinks) || is_safe_source(inode) || inode_owned(inode))
		return 0;
	return -EPERM;
}

int protected_may_create(const struct inode *directory, const struct inode *inode)
{
	bool fifo = S_ISFIFO(inode->mode), regular = S_ISREG(inode->mode);

	if ((fifo && !level(&protected_fifos)) || (regular && !level(&protected_regular)) ||
		!(directory->mode & S_ISVTX) || inode->uid == directory->uid ||
		current_credentials()->fsuid == inode->uid)
		return 0;
	if (directory->mode & S_IWOTH)
		return -EACCES;
	if (directory->mode & S_IWGRP && ((fifo && level(&protected_fifos) >= 2) ||
						 (regular && level(&protected_regular) >= 2)))
		return -EACCES;
	return 0;
}
