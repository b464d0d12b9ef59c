/* SPDX-License-Identifier: MIT */
/*
 * What a mount and its superblock allow, and who writes through them.
 *
 * A file that is opened for writing counts itself first and looks at MS_RDONLY then; who makes a mount
 * read-only sets the flag first and looks at the counts then. So one of both sees the other, and no
 * lock is needed.
 */
#include "files/mount.h"

#include "files/resolve.h"

#include "lib/errno.h"

uint32_t mounts_changes;
struct wait_queue mounts_watchers = WAIT_QUEUE_INIT(mounts_watchers);

void mounts_tell(void)
{
	__atomic_add_fetch(&mounts_changes, 1, __ATOMIC_SEQ_CST);
	wake_events(&mounts_watchers, POLLERR | POLLPRI);
}

static bool mount_attached(struct mount *mount)
{
	bool attached;

	spin_lock(&mount_lock);
	attached = mount->attached;
	spin_unlock(&mount_lock);
	return attached;
}

int mount_begin_write(struct mount *mount)
{
	if (!mount)
		return 0;
	__atomic_add_fetch(&mount->writers, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&mount->superblock->writers, 1, __ATOMIC_SEQ_CST);
	if (!mount_read_only(mount))
		return 0;
	mount_end_write(mount);
	return -EROFS;
}

void mount_end_write(struct mount *mount)
{
	if (!mount)
		return;
	__atomic_sub_fetch(&mount->superblock->writers, 1, __ATOMIC_RELEASE);
	__atomic_sub_fetch(&mount->writers, 1, __ATOMIC_RELEASE);
}

/* Sets MS_RDONLY where nobody has a file open for writing. */
static int make_read_only(uint32_t *flags, uint32_t *writers)
{
	uint32_t old = __atomic_fetch_or(flags, MS_RDONLY, __ATOMIC_SEQ_CST);

	if (old & MS_RDONLY || !__atomic_load_n(writers, __ATOMIC_SEQ_CST))
		return 0;
	__atomic_and_fetch(flags, ~(uint32_t)MS_RDONLY, __ATOMIC_RELAXED);
	return -EBUSY;
}

int mount_set_flags(struct mount *mount, uint32_t flags)
{
	uint32_t old;
	int error = mount_attached(mount) ? 0 : -EINVAL;

	if (!error && flags & MS_RDONLY)
		error = make_read_only(&mount->flags, &mount->writers);
	if (error)
		return error;
	old = __atomic_load_n(&mount->flags, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&mount->flags, &old,
		(old & ~MOUNT_FLAGS) | (flags & MOUNT_FLAGS), true, __ATOMIC_RELAXED,
		__ATOMIC_RELAXED))
		;
	mounts_tell();
	return 0;
}

int superblock_set_read_only(struct superblock *superblock, bool read_only)
{
	if (read_only)
		return make_read_only(&superblock->flags, &superblock->writers);
	__atomic_and_fetch(&superblock->flags, ~(uint32_t)MS_RDONLY, __ATOMIC_RELAXED);
	return 0;
}

int superblock_set_flags(struct superblock *superblock, uint32_t flags)
{
	int error = superblock_set_read_only(superblock, flags & MS_RDONLY);

	if (error)
		return error;
	__atomic_or_fetch(&superblock->flags, flags & SUPERBLOCK_CHANGES, __ATOMIC_RELAXED);
	__atomic_and_fetch(&superblock->flags, flags | ~SUPERBLOCK_CHANGES, __ATOMIC_RELAXED);
	return 0;
}

int mount_set_unbindable(struct mount *mount, bool unbindable)
{
	if (!mount_attached(mount))
		return -EINVAL;
	if (unbindable)
		__atomic_or_fetch(&mount->flags, MOUNT_UNBINDABLE, __ATOMIC_RELAXED);
	else
		__atomic_and_fetch(&mount->flags, ~MOUNT_UNBINDABLE, __ATOMIC_RELAXED);
	return 0;
}

bool mount_reaches(const struct path *root, const struct path *path)
{
	struct path at = *path;

	while (at.mount != root->mount && at.mount->parent)
		at = (struct path){at.mount->parent, at.mount->mountpoint};
	return at.mount == root->mount && dentry_is_below(at.dentry, root->dentry);
}

bool path_is_below(const struct path *path, const struct path *root)
{
	bool below;

	spin_lock(&mount_lock);
	below = mount_reaches(root, path);
	spin_unlock(&mount_lock);
	return below;
}
