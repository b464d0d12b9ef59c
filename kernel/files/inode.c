/* SPDX-License-Identifier: MIT */
/* Inodes: life, permissions, times, stat. See vfs.h. */
#include "files/vfs.h"

#include <asm/signal.h>
#include <linux/capability.h>
#include <linux/resource.h>

#include "arch/arch.h"
#include "devices/realtime.h"
#include "files/attributes.h"
#include "files/file.h"
#include "files/file_locks.h"
#include "files/inotify.h"
#include "files/mount.h"
#include "files/open.h"
#include "files/xattr.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "process/current.h"

static uint64_t inodes; /* atomic */

uint64_t inode_count(void)
{
	return __atomic_load_n(&inodes, __ATOMIC_RELAXED);
}

void inode_init(struct inode *inode, struct superblock *superblock, const struct new_inode *what)
{
	inode->superblock = superblock;
	inode->number = __atomic_add_fetch(&superblock->last_number, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&inodes, 1, __ATOMIC_RELAXED);
	inode->device = S_ISCHR(what->mode) || S_ISBLK(what->mode) ? what->device : 0;
	inode->references = 1;
	mutex_init(&inode->lock, "inode->lock");
	inode->mode = what->mode;
	inode->uid = what->uid;
	inode->gid = what->gid;
	inode->links = S_ISDIR(what->mode) ? 2 : 1;
	inode->accessed = inode->modified = inode->changed = inode->created = vfs_now();
}

void inode_put(struct inode *inode)
{
	if (__atomic_sub_fetch(&inode->references, 1, __ATOMIC_ACQ_REL) == 0) {
		inode_locks_free(inode);
		xattr_free(inode);
		inode->operations->release(inode);
		__atomic_sub_fetch(&inodes, 1, __ATOMIC_RELAXED);
	}
}

/* By owner, group and others; then by capabilities: who has them may read and write everything, search
 * every directory, and execute what anybody may. */
int inode_permission_of(const struct inode *inode, unsigned int may)
{
	const struct credentials *who = current_credentials();
	uint32_t mode = __atomic_load_n(&inode->mode, __ATOMIC_RELAXED);

	uint32_t own = mode;
	bool executable = S_ISDIR(mode) || mode & (S_IXUSR | S_IXGRP | S_IXOTH);

	if (may & MAY_WRITE && unlikely(inode_is_immutable(inode)))
		return -EPERM;
	if (who->fsuid == inode->uid)
		own >>= 6;
	else if (credentials_in_group(who, inode->gid))
		own >>= 3;
	if (!(may & ~own & 7))
		return 0;
	if (unlikely(inode->operations->is_own) && inode->operations->is_own(inode))
		return 0;
	if (unlikely(inode->operations->mode_binds))
		return -EACCES;
	if (has_capability(who, CAP_DAC_READ_SEARCH) &&
		(S_ISDIR(mode) ? !(may & MAY_WRITE) : may == MAY_READ))
		return 0;
	if (has_capability(who, CAP_DAC_OVERRIDE) && (!(may & MAY_EXECUTE) || executable))
		return 0;
	return -EACCES;
}

bool inode_owned(const struct inode *inode)
{
	const struct credentials *who = current_credentials();

	return who->fsuid == inode->uid || has_capability(who, CAP_FOWNER);
}

uint64_t inode_size(struct inode *inode)
{
	uint64_t size = 0, blocks;

	if (inode->object)
		return __atomic_load_n(&inode->object->size, __ATOMIC_RELAXED);
	if (inode->operations->measure)
		inode->operations->measure(inode, &size, &blocks);
	return size;
}

/* Bits and owners are of one moment, at which the caller may execute it: a chown takes the bits away, and who gives them
 * may have taken the permission before. */
void file_set_ids(struct file *file, uint32_t *uid, uint32_t *gid)
{
	struct inode *inode = file->inode;
	uint32_t mode = __atomic_load_n(&inode->mode, __ATOMIC_RELAXED);

	*uid = *gid = UINT32_MAX;
	if (!(mode & (S_ISUID | S_ISGID)) ||
		(file->path.mount && mount_has(file->path.mount, MS_NOSUID)))
		return;
	mutex_lock(&inode->lock);
	mode = inode_permission(inode, MAY_EXECUTE) ? 0 : inode->mode;
	if (mode & S_ISUID)
		*uid = inode->uid;
	if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		*gid = inode->gid;
	mutex_unlock(&inode->lock);
}

void path_touch_accessed(struct inode *inode, const struct mount *mount)
{
	const uint32_t no_times = S_ISDIR(inode->mode) ? MS_NOATIME | MS_NODIRATIME : MS_NOATIME;

	if (unlikely(inode_has(inode, FS_NOATIME_FL)) || mount_read_only(mount) ||
		mount_has(mount, no_times))
		return;
	if (likely(!mount || mount_has(mount, MS_RELATIME)))
		inode_touch_accessed(inode);
	else
		__atomic_store_n(&inode->accessed, vfs_now(), __ATOMIC_RELAXED);
}

bool inode_drop_set_ids(struct inode *inode)
{
	uint32_t drop = S_ISUID;

	if (inode->mode & S_IXGRP)
		drop |= S_ISGID;
	if (!S_ISREG(inode->mode) || !(inode->mode & drop) || capable(CAP_FSETID))
		return false;
	__atomic_and_fetch(&inode->mode, ~drop, __ATOMIC_RELAXED);
	return true;
}

int inode_truncate(struct inode *inode, uint64_t size)
{
	return file_truncate(inode, NULL, size);
}

int file_truncate(struct inode *inode, struct dentry *dentry, uint64_t size)
{
	uint32_t events = IN_MODIFY;
	int error;

	if (!inode->operations->truncate)
		return -EINVAL;
	if (size > INT64_MAX)
		return -EFBIG;
	if (size > inode_size(inode) && size > process_limit(RLIMIT_FSIZE)) {
		signal_current(SIGXFSZ);
		return -EFBIG;
	}
	error = inode_begin_write(inode);
	if (error)
		return error;
	mutex_lock(&inode->lock);
	error = inode->operations->truncate(inode, size);
	if (!error) {
		if (inode_drop_set_ids(inode))
			events |= IN_ATTRIB;
		inode_touch_modified(inode);
	}
	mutex_unlock(&inode->lock);
	inode_end_write(inode);
	if (!error && dentry)
		inotify_dentry(dentry, events);
	return error;
}

void inode_stat(struct inode *inode, struct stat *out)
{
	uint64_t size = 0, blocks = 0;

	if (inode->object) {
		size = __atomic_load_n(&inode->object->size, __ATOMIC_RELAXED);
		blocks = __atomic_load_n(&inode->object->page_count, __ATOMIC_RELAXED) *
			 (PAGE_SIZE / 512);
	} else if (inode->operations->measure) {
		inode->operations->measure(inode, &size, &blocks);
	}
	*out = (struct stat){
		.st_dev = inode->superblock->device,
		.st_ino = inode->number,
		.st_nlink = inode->links,
		.st_mode = inode->mode,
		.st_uid = inode->uid,
		.st_gid = inode->gid,
		.st_rdev = inode->device,
		.st_size = (long)size,
		.st_blksize = superblock_block_size(inode->superblock),
		.st_blocks = (long)blocks,
		.st_atime = times_seconds(inode->accessed),
		.st_atime_nsec = times_part(inode->accessed),
		.st_mtime = times_seconds(inode->modified),
		.st_mtime_nsec = times_part(inode->modified),
		.st_ctime = times_seconds(inode->changed),
		.st_ctime_nsec = times_part(inode->changed),
	};
}
