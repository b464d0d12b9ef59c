/* SPDX-License-Identifier: MIT */
/* Changing the tree of mounts, as the system calls and the start see it; see mount.c. vfs.h has what
 * path walking needs. */
#ifndef FILES_MOUNT_H
#define FILES_MOUNT_H

#include "files/vfs.h"

#include <linux/mount.h>

/* For umount2: Linux keeps these from its exported headers. */
#define MNT_FORCE       1u
#define MNT_DETACH      2u
#define MNT_EXPIRE      4u
#define UMOUNT_NOFOLLOW 8u

/* The flags of a mount, as mount(2) gives them. */
#define MOUNT_FLAGS                                                                              \
	((uint32_t)(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW | MS_NOATIME | \
		    MS_NODIRATIME | MS_RELATIME))
#define MOUNT_UNBINDABLE ((uint32_t)MS_UNBINDABLE) /* kept among them */

/* ---- superblock.c ---- */

/* A device number for st_dev that nothing else has. */
uint64_t superblock_device(void);
/* Of a file system of which there is one, for ever: made when it is first asked for, kept in *slot. NULL: no
 * memory. */
struct superblock *superblock_once(
	struct superblock **slot, struct superblock *(*create)(void)) MUST_CHECK;

/* ---- mount.c ---- */

/* Mounts a superblock over a place, or (over NULL) as the root of the tree. -EBUSY: it is mounted
 * there already; -ENOENT: the place has been removed; -ENOTDIR: a directory over a file. */
int mount_add(struct superblock *superblock, const struct path *over, const char *source,
	uint32_t flags) MUST_CHECK;
/* One that is in no tree and stays for ever. NULL: no memory. */
struct mount *mount_hidden(struct superblock *superblock) MUST_CHECK;
int mount_bind(const struct path *what, const struct path *over, bool recursive) MUST_CHECK;
int mount_move(const struct path *what, const struct path *over) MUST_CHECK;
/* Takes down the mount that path->mount is; the caller's is the one reference beside the tree's. */
int mount_remove(const struct path *path, unsigned int flags) MUST_CHECK;
/* `new` takes the place of `root`, which goes to `old`. */
int mount_pivot(const struct path *root, const struct path *new, const struct path *old) MUST_CHECK;
/* MOUNT_FLAGS; -EBUSY: a file is open for writing. */
int mount_set_flags(struct mount *mount, uint32_t flags) MUST_CHECK;
/* The tree, or what a mount allows, has changed: mounts_changes is one more, and who waits is woken. */
void mounts_tell(void);
extern uint32_t mounts_changes; /* atomic */
extern struct wait_queue mounts_watchers;
int mount_set_unbindable(struct mount *mount, bool unbindable) MUST_CHECK;
int superblock_set_read_only(struct superblock *superblock, bool read_only) MUST_CHECK;

/* Whether `path` is `root` or below it. */
bool mount_reaches(const struct path *root, const struct path *path) requires(
	mount_lock) MUST_CHECK;

/* superblock.c: st_blksize, and what FIGETBSZ tells. */
uint32_t superblock_block_size(const struct superblock *superblock);

/* What of mount(2)'s flags is the file system's, and what of that a remount changes (MS_RMT_MASK). Only MS_RDONLY has
 * a meaning here, the others are told. */
#define SUPERBLOCK_FLAGS \
	((uint32_t)(MS_RDONLY | MS_SYNCHRONOUS | MS_DIRSYNC | MS_MANDLOCK | MS_LAZYTIME))
#define SUPERBLOCK_CHANGES ((uint32_t)(MS_RDONLY | MS_SYNCHRONOUS | MS_MANDLOCK | MS_LAZYTIME))

/* -EBUSY: files are open for writing. */
int superblock_set_flags(struct superblock *superblock, uint32_t flags) MUST_CHECK;

#endif
