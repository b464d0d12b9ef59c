/* SPDX-License-Identifier: MIT */
/*
 * Under which name a file is mapped: what /proc/PID/maps shows.
 *
 * The problem. A mapping is of a memory object, which may outlive every open file and every name of the
 * file; yet the name by which it was mapped is to be told, changed when the file moves, and with
 * "(deleted)" behind it when it is gone. A reference of the object to the name for good would be a
 * circle: the name holds the inode, which holds the object.
 *
 * The design. The inode counts the mappings of its object, and keeps the dentry (with its mount) of the
 * first open file that was mapped, from that mapping to the end of the last one. So a fork or the split
 * of a mapping costs a count, and mappings hold nothing more. A file that is mapped by several names
 * at once shows the first of them in all its mappings; on Linux each has its own.
 *
 * Invariant: mapped.dentry is not NULL only while mapped.count > 0, or for the moment in which the one
 * who counted down to 0 waits for the lock.
 *
 * Lock: mapped_lock, a leaf, guards the names; the counts are atomic.
 */
#include "files/attributes.h"
#include "files/file.h"
#include "files/vfs.h"

static struct spinlock mapped_lock = SPINLOCK_INIT;

void inode_mapped(struct inode *inode)
{
	__atomic_add_fetch(&inode->mapped.count, 1, __ATOMIC_RELAXED);
}

void inode_unmapped(struct inode *inode)
{
	struct mapped_name *mapped = &inode->mapped;
	struct path name = {NULL, NULL};

	if (__atomic_sub_fetch(&mapped->count, 1, __ATOMIC_ACQ_REL))
		return;
	spin_lock(&mapped_lock);
	if (!__atomic_load_n(&mapped->count, __ATOMIC_RELAXED) && mapped->dentry) {
		name = (struct path){mapped->mount, mapped->dentry};
		mapped->mount = NULL;
		mapped->dentry = NULL;
	}
	spin_unlock(&mapped_lock);
	if (name.dentry)
		path_put(&name);
}

void file_mapped(struct file *file)
{
	struct mapped_name *mapped = &file->inode->mapped;

	file_touch_accessed(file);
	if (!file->path.mount || __atomic_load_n(&mapped->dentry, __ATOMIC_RELAXED))
		return;
	spin_lock(&mapped_lock);
	if (__atomic_load_n(&mapped->count, __ATOMIC_RELAXED) && !mapped->dentry) {
		path_get(&file->path);
		mapped->mount = file->path.mount;
		__atomic_store_n(&mapped->dentry, file->path.dentry, __ATOMIC_RELAXED);
	}
	spin_unlock(&mapped_lock);
}

bool inode_mapped_name(struct inode *inode, struct path *out)
{
	spin_lock(&mapped_lock);
	*out = (struct path){inode->mapped.mount, inode->mapped.dentry};
	if (out->dentry)
		path_get(out);
	spin_unlock(&mapped_lock);
	return out->dentry;
}
