/* SPDX-License-Identifier: MIT */
/*
 * memfd_create: files in memory that no directory has, and seals (man 2 memfd_create, fcntl).
 *
 * Such a file is one of a tmpfs that is mounted nowhere, without limits. Its name, "memfd:" and what the
 * caller gave, is that of a dentry below the file system's root that is in no table: like the name of a
 * file that was removed, and so shown with "(deleted)". Everything else is tmpfs's.
 *
 * Seals are kept by the memory object of any file of a tmpfs: F_SEAL_SEAL, no more may be set, is what all
 * have but those that memfd_create was told to make sealable. They are never taken off again. They are added
 * under the file's lock, which writes and changes of size hold; F_SEAL_WRITE also under the object's, which
 * who maps the file takes.
 */
#include "files/memfd.h"

#include "files/inotify.h"
#include "files/mount.h"
#include "files/tmpfs.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "process/credentials.h"

#define ALL_SEALS \
	((uint32_t)(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
#define PREFIX "memfd:"

static struct mount *memfd_mount; /* set once, at start */

void memfd_init(void)
{
	struct superblock *superblock = tmpfs_create("tmpfs", superblock_device());

	if (superblock)
		memfd_mount = mount_hidden(superblock);
	if (!memfd_mount)
		panic("memfd: no memory for the file system");
}

/* A dentry of this name for the inode, whose reference it takes over. */
static struct dentry *name_file(const struct name *name, struct inode *inode)
{
	char text[sizeof(PREFIX) + MEMFD_NAME_MAX];
	const struct name whole = {text, (uint32_t)sizeof(PREFIX) - 1 + name->length};
	struct dentry *dentry;

	memcpy(text, PREFIX, sizeof(PREFIX) - 1);
	memcpy(text + sizeof(PREFIX) - 1, name->text, name->length);
	dentry = dentry_make(memfd_mount->root, &whole);
	if (dentry)
		dentry->inode = inode;
	return dentry;
}

int memfd_make(const struct name *name, enum memfd_kind kind, struct file **out)
{
	const struct credentials *who = current_credentials();
	const struct new_inode what = {
		.mode = S_IFREG | 0777, .uid = who->fsuid, .gid = who->fsgid};
	struct path path = {.mount = memfd_mount};
	struct inode *inode;
	int error = tmpfs_inode_create(memfd_mount->superblock, &what, &inode);

	if (error)
		return error;
	inode->links = 0;
	if (kind == MEMFD_SEALABLE)
		inode->object->seals = 0;
	path.dentry = name_file(name, inode);
	if (!path.dentry) {
		inode_put(inode);
		return -ENOMEM;
	}
	error = file_make(inode, &path, O_RDWR | O_LARGEFILE, inode->file_operations, out);
	dentry_put(path.dentry); /* the file holds it now */
	return error;
}

/* ---- Seals ---- */

static bool keeps_seals(const struct inode *inode)
{
	return inode->file_operations == &tmpfs_file_operations;
}

long file_seals(const struct file *file)
{
	if (!keeps_seals(file->inode))
		return -EINVAL;
	return (long)__atomic_load_n(&file->inode->object->seals, __ATOMIC_RELAXED);
}

long file_seal(struct file *file, uintptr_t seals)
{
	struct inode *inode = file->inode;
	long result;

	if (seals > UINT32_MAX)
		return -EINVAL;
	if (!file_writable(file))
		return -EPERM;
	if (seals & ~(uintptr_t)ALL_SEALS || !keeps_seals(inode))
		return -EINVAL;
	mutex_lock(&inode->lock);
	if (inode->object->seals & F_SEAL_SEAL)
		result = -EPERM;
	else
		result = object_seal(inode->object, (uint32_t)seals);
	mutex_unlock(&inode->lock);
	return result;
}
