/* SPDX-License-Identifier: MIT */
/*
 * Telling who watches files and directories what happens to them (man 7 inotify); see inotify.c. Who does
 * something calls one of these after it; while nobody in the machine waits for such an event, that is one
 * test of a word.
 */
#ifndef FILES_INOTIFY_H
#define FILES_INOTIFY_H

#include "files/vfs.h"

#include <linux/inotify.h>

/* IN_* that some watch asks for; atomic, changed under inotify_lock. */
extern uint32_t inotify_asked;

/* The slow paths of what follows. */
void inotify_tell_file(const struct file *file, uint32_t events);
void inotify_tell_dentry(struct dentry *dentry, uint32_t events);
void inotify_tell_self(struct inode *inode, uint32_t events);
void inotify_tell_name(
	struct inode *directory, const struct dentry *name, uint32_t events, uint32_t cookie);
void inotify_tell_gone(struct inode *inode);

static inline bool inotify_is_asked(uint32_t events)
{
	return unlikely(__atomic_load_n(&inotify_asked, __ATOMIC_RELAXED) & events);
}

/* By an open file: for who watches it, and who watches the directory that it was opened in. */
static inline void inotify_file(const struct file *file, uint32_t events)
{
	if (inotify_is_asked(events))
		inotify_tell_file(file, events);
}

/* By a name: the same. */
static inline void inotify_dentry(struct dentry *dentry, uint32_t events)
{
	if (inotify_is_asked(events))
		inotify_tell_dentry(dentry, events);
}

/* For who watches the file itself alone. */
static inline void inotify_self(struct inode *inode, uint32_t events)
{
	if (inotify_is_asked(events))
		inotify_tell_self(inode, events);
}

/* A name was made in the directory or removed from it, whose lock keeps its text: `name` has an inode. */
static inline void inotify_name(struct inode *directory, const struct dentry *name, uint32_t events)
{
	if (inotify_is_asked(events))
		inotify_tell_name(directory, name, events, 0);
}

/* The last name and the last use of a file are gone. */
static inline void inotify_gone(struct inode *inode)
{
	if (unlikely(__atomic_load_n(&inode->watches, __ATOMIC_ACQUIRE)) && !inode->links)
		inotify_tell_gone(inode);
}

/* `moved` had the name of `was` in the one directory, and has its own in the other; `replaced`: the file
 * that had that before, or NULL. With both directories' locks. */
void inotify_moved(struct inode *from, struct inode *to, const struct dentry *was,
	const struct dentry *moved, struct inode *replaced);
/* The file system is not mounted any more. */
void inotify_unmounted(struct superblock *superblock);

/* ---- The calls ---- */

struct inotify_limits {
	uint32_t events, instances, watches; /* of a queue; of a user; atomic */
};
extern struct inotify_limits inotify_limits; /* /proc/sys/fs/inotify */

void inotify_init(void); /* by how much memory there is */
bool file_is_inotify(const struct file *file);
/* flags: O_NONBLOCK. 0, -EMFILE, -ENOMEM. */
int inotify_make(unsigned int flags, struct file **out) MUST_CHECK;
/* mask: what inotify_add_watch gets. The watch's number, -EEXIST, -ENOSPC, -ENOMEM. */
int inotify_watch(struct file *file, struct inode *inode, uint32_t mask) MUST_CHECK;
/* 0 or -EINVAL. */
int inotify_unwatch(struct file *file, int number) MUST_CHECK;

#endif
