/* SPDX-License-Identifier: MIT */
/*
 * Superblocks.
 *
 * A superblock lives as long as something refers to it: its inodes, and itself as long as it is
 * mounted. When the last mount of it goes, its operations' shutdown lets go of what the file system
 * holds of its own, and with that of the superblock. One without operations stays for ever.
 */
#include "files/mount.h"

#include <linux/magic.h>

#include "files/inotify.h"
#include "lib/log.h"

uint64_t superblock_device(void)
{
	static uint32_t last = 31; /* below: those of the start */

	return device_number(0, __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED));
}

/* Linux's of those that keep nothing are 1 KiB. */
uint32_t superblock_block_size(const struct superblock *superblock)
{
	bool small =
		superblock->magic == PROC_SUPER_MAGIC || superblock->magic == DEVPTS_SUPER_MAGIC;

	return small ? 1024 : PAGE_SIZE;
}

void superblock_get(struct superblock *superblock)
{
	__atomic_add_fetch(&superblock->references, 1, __ATOMIC_RELAXED);
}

void superblock_put(struct superblock *superblock)
{
	if (__atomic_sub_fetch(&superblock->references, 1, __ATOMIC_ACQ_REL))
		return;
	if (superblock->operations)
		superblock->operations->release(superblock);
}

void superblock_mounted(struct superblock *superblock)
{
	__atomic_add_fetch(&superblock->mounts, 1, __ATOMIC_RELAXED);
}

void superblock_unmounted(struct superblock *superblock)
{
	uint32_t before = __atomic_fetch_sub(&superblock->mounts, 1, __ATOMIC_ACQ_REL);

	assert(before);
	if (before != 1 || !superblock->operations)
		return;
	inotify_unmounted(superblock);
	superblock->operations->shutdown(superblock);
}

struct superblock *superblock_once(struct superblock **slot, struct superblock *(*create)(void))
{
	static struct mutex superblocks_once = MUTEX_INIT(superblocks_once);
	struct superblock *found;

	mutex_lock(&superblocks_once);
	if (!*slot)
		*slot = create();
	found = *slot;
	mutex_unlock(&superblocks_once);
	return found;
}
