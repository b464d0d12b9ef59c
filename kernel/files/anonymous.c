/* SPDX-License-Identifier: MIT */
/* Files that exist by being open. All share one inode, as on Linux: it has no data, and what they are is
 * in the open file. */
#include "files/anonymous.h"

#define ANON_INODE_MAGIC 0x09041934 /* linux/magic.h: ANON_INODE_FS_MAGIC */

static struct inode *anonymous_inode(void)
{
	static struct superblock superblock = {
		.type = "anon_inodefs", .device = 13, .magic = ANON_INODE_MAGIC};
	static const struct inode_operations none;
	static const struct new_inode what = {.mode = 0600};
	static struct mutex once = MUTEX_INIT(once);
	static struct inode inode;

	mutex_lock(&once);
	if (!inode.references) {
		inode_init(&inode, &superblock, &what);
		inode.operations = &none;
	}
	mutex_unlock(&once);
	return &inode;
}

int anonymous_file(
	const struct file_operations *operations, void *private, unsigned flags, struct file **out)
{
	int error = file_make(anonymous_inode(), NULL, flags, operations, out);

	if (!error)
		(*out)->private = private;
	return error;
}
