/* SPDX-License-Identifier: MIT */
/*
 * Making, linking, removing and moving names: the checks that are the same for every file system, in
 * Linux's order, and the locks. The file system's function comes last and either does it all or
 * fails with nothing changed.
 *
 * Each call gets a walk that stands at the directory of the last component (walk_parent).
 *
 * Locks: the directory's, then the file's that loses or gains a name. A move between two directories
 * holds rename_mutex, so that which is above which cannot change meanwhile, and locks the upper
 * directory first; then what is replaced. See vfs.h.
 */
#include "files/vfs.h"

#include <linux/capability.h>

#include "files/attributes.h"
#include "files/inotify.h"
#include "files/protected.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

static struct mutex rename_mutex = MUTEX_INIT(rename_mutex);

static int may_create(const struct inode *directory)
{
	if (!directory->links)
		return -ENOENT; /* it has been removed */
	return inode_permission(directory, MAY_WRITE | MAY_EXECUTE);
}

/* May this entry go? As a directory, or as anything else? */
static int may_remove(const struct inode *directory, const struct dentry *victim, bool as_directory)
{
	const struct credentials *who = current_credentials();
	int error = inode_permission(directory, MAY_WRITE | MAY_EXECUTE);

	if (error)
		return error;
	if (directory->mode & S_ISVTX && who->fsuid != directory->uid &&
		!inode_owned(victim->inode))
		return -EPERM;
	if (inode_has(directory, FS_APPEND_FL) || inode_is_fixed(victim->inode))
		return -EPERM;
	if (as_directory && !is_directory(victim->inode))
		return -ENOTDIR;
	if (!as_directory && is_directory(victim->inode))
		return -EISDIR;
	return directory->links ? 0 : -ENOENT;
}

static bool is_mountpoint(const struct dentry *dentry)
{
	return __atomic_load_n(&dentry->flags, __ATOMIC_RELAXED) & DENTRY_MOUNTED;
}

/* What a file is like in a directory with the set-gid bit: its group, and for directories the bit.
 * Others get no set-gid bit for a group that the caller is not in, as from Linux 6.0 on. */
static void inherit(const struct inode *directory, struct new_inode *what)
{
	const struct credentials *who = current_credentials();

	if (!(directory->mode & S_ISGID))
		return;
	what->gid = directory->gid;
	if (S_ISDIR(what->mode))
		what->mode |= S_ISGID;
	else if ((what->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
		 !credentials_in_group(who, directory->gid) && !has_capability(who, CAP_FSETID))
		what->mode &= ~(uint32_t)S_ISGID;
}

/* A device's node is a way to the device for whom the node lets, so not everybody makes one. The number 0:0
 * is no device's. */
static bool may_make_node(const struct new_inode *what)
{
	return !(S_ISBLK(what->mode) || (S_ISCHR(what->mode) && what->device)) ||
	       capable(CAP_MKNOD);
}

int vfs_make_at(struct dentry *dentry, struct inode *directory, const struct new_inode *what)
{
	struct new_inode made = *what;
	int error = may_create(directory);

	if (error)
		return error;
	if (!directory->operations->make || !may_make_node(what))
		return -EPERM;
	inherit(directory, &made);
	error = directory->operations->make(directory, dentry, &made);
	if (error)
		return error;
	if (!(dentry->flags & (DENTRY_HASHED | DENTRY_UNCACHED)))
		dentry_hash(dentry);
	inode_touch_modified(directory);
	inotify_name(directory, dentry, IN_CREATE);
	return 0;
}

/* The name that Linux shows of such a file, too: a number sign and its inode's. */
static struct dentry *nameless_dentry(struct dentry *directory, struct inode *inode)
{
	char text[24];
	struct name name = {text, 0};
	struct dentry *dentry;

	name.length =
		(uint32_t)format(text, sizeof(text), "#%llu", (unsigned long long)inode->number);
	dentry = dentry_make(directory, &name);
	if (dentry)
		dentry->inode = inode;
	return dentry;
}

int vfs_make_nameless(const struct path *directory, const struct new_inode *what, struct path *out)
{
	struct inode *where = directory->dentry->inode, *inode;
	struct new_inode made = *what;
	int error = inode_permission(where, MAY_WRITE | MAY_EXECUTE);

	if (error)
		return error;
	if (!where->operations->make_nameless)
		return -EOPNOTSUPP;
	inherit(where, &made);
	error = where->operations->make_nameless(where, &made, &inode);
	if (error)
		return error;
	out->dentry = nameless_dentry(directory->dentry, inode);
	if (!out->dentry) {
		inode_put(inode);
		return -ENOMEM;
	}
	out->mount = directory->mount;
	mount_get(out->mount);
	return 0;
}

/* The new dentry of a name to be made, in a directory that the caller has locked. */
static int new_entry(struct walk *walk, bool as_directory, struct dentry **out)
{
	int error = dentry_lookup_locked(walk->at.dentry, &walk->last, out);

	if (error)
		return error;
	if ((*out)->inode)
		error = -EEXIST;
	else if (walk->directory && !as_directory)
		error = -ENOENT;
	else if (mount_read_only(walk->at.mount))
		error = -EROFS;
	if (error)
		dentry_put(*out);
	return error;
}

int vfs_make(struct walk *walk, const struct new_inode *what)
{
	struct inode *directory = walk->at.dentry->inode;
	struct dentry *dentry;
	int error;

	if (walk->kind != LAST_NORMAL)
		return -EEXIST;
	mutex_lock(&directory->lock);
	error = new_entry(walk, S_ISDIR(what->mode), &dentry);
	if (!error) {
		error = vfs_make_at(dentry, directory, what);
		dentry_put(dentry);
	}
	mutex_unlock(&directory->lock);
	return error;
}

static int link_at(struct inode *directory, struct dentry *dentry, const struct walk *walk,
	const struct path *old)
{
	struct inode *inode;
	int error;

	if (walk->at.mount != old->mount)
		return -EXDEV;
	inode = old->dentry->inode;
	error = protected_may_link(inode);
	if (!error)
		error = may_create(directory);
	if (error)
		return error;
	if (inode_is_fixed(inode) || !directory->operations->link || is_directory(inode))
		return -EPERM;
	mutex_lock_nested(&inode->lock);
	if (inode->links || inode->linkable)
		error = directory->operations->link(directory, dentry, inode);
	else
		error = -ENOENT;
	if (!error) {
		inode->linkable = false;
		inode->changed = vfs_now();
	}
	mutex_unlock(&inode->lock);
	if (error)
		return error;
	if (!(dentry->flags & DENTRY_HASHED))
		dentry_hash(dentry);
	inode_touch_modified(directory);
	inotify_self(inode, IN_ATTRIB);
	inotify_name(directory, dentry, IN_CREATE);
	return 0;
}

int vfs_link(struct walk *walk, const struct path *old)
{
	struct inode *directory = walk->at.dentry->inode;
	struct dentry *dentry;
	int error;

	if (walk->kind != LAST_NORMAL)
		return -EEXIST;
	mutex_lock(&directory->lock);
	error = new_entry(walk, false, &dentry);
	if (!error) {
		error = link_at(directory, dentry, walk, old);
		dentry_put(dentry);
	}
	mutex_unlock(&directory->lock);
	return error;
}

/* What a last component that is no name is for unlink and rmdir. */
static int odd_last(enum last_kind kind, enum vfs_remove what)
{
	if (what == VFS_UNLINK)
		return -EISDIR;
	switch (kind) {
	case LAST_DOT:
		return -EINVAL;
	case LAST_DOTDOT:
		return -ENOTEMPTY;
	default:
		return -EBUSY;
	}
}

/* After the file lost this name, which the caller alone has unless somebody uses the file. */
static void tell_removed(struct inode *directory, struct dentry *victim, enum vfs_remove what)
{
	if (what == VFS_UNLINK)
		inotify_self(victim->inode, IN_ATTRIB);
	if (__atomic_load_n(&victim->references, __ATOMIC_ACQUIRE) == 1)
		inotify_gone(victim->inode);
	inotify_name(directory, victim, IN_DELETE);
}

static int remove_at(struct inode *directory, struct dentry *victim, enum vfs_remove what)
{
	struct inode *inode = victim->inode;
	int error = may_remove(directory, victim, what == VFS_RMDIR);

	if (error)
		return error;
	if (!directory->operations->remove)
		return -EPERM;
	mutex_lock_nested(&inode->lock);
	if (is_mountpoint(victim)) /* which it becomes with this lock held */
		error = -EBUSY;
	else if (what == VFS_RMDIR && !inode->operations->is_empty(inode))
		error = -ENOTEMPTY;
	else
		error = directory->operations->remove(directory, victim);
	mutex_unlock(&inode->lock);
	if (!error) {
		inode_touch_modified(directory);
		tell_removed(directory, victim, what);
	}
	return error;
}

int vfs_remove(struct walk *walk, enum vfs_remove what)
{
	struct inode *directory = walk->at.dentry->inode;
	struct dentry *victim;
	int error;

	if (walk->kind != LAST_NORMAL)
		return odd_last(walk->kind, what);
	if (mount_read_only(walk->at.mount))
		return -EROFS;
	mutex_lock(&directory->lock);
	error = dentry_lookup_locked(walk->at.dentry, &walk->last, &victim);
	if (!error) {
		if (!victim->inode)
			error = -ENOENT;
		else if (walk->directory && what == VFS_UNLINK)
			error = is_directory(victim->inode) ? -EISDIR : -ENOTDIR;
		else
			error = remove_at(directory, victim, what);
		dentry_put(victim);
	}
	mutex_unlock(&directory->lock);
	return error;
}

/* ---- rename ---- */

/* Locks both directories of a move, the upper one first. */
static void lock_both(struct dentry *a, struct dentry *b) no_lock_checks
{
	bool b_first;

	if (a == b) {
		mutex_lock(&a->inode->lock);
		return;
	}
	mutex_lock(&rename_mutex);
	b_first = dentry_is_below(a, b) || (!dentry_is_below(b, a) && b < a);
	mutex_lock(b_first ? &b->inode->lock : &a->inode->lock);
	mutex_lock_nested(b_first ? &a->inode->lock : &b->inode->lock);
}

static void unlock_both(struct dentry *a, struct dentry *b) no_lock_checks
{
	mutex_unlock(&a->inode->lock);
	if (a == b)
		return;
	mutex_unlock(&b->inode->lock);
	mutex_unlock(&rename_mutex);
}

/* Everything that forbids the move, with both directories locked. */
static int may_move(struct walk *from, struct dentry *old, struct walk *to, struct dentry *new)
{
	struct inode *from_directory = from->at.dentry->inode;
	struct inode *to_directory = to->at.dentry->inode;
	bool directory = is_directory(old->inode);
	int error;

	if (dentry_is_below(to->at.dentry, old))
		return -EINVAL;
	if (new->inode && dentry_is_below(from->at.dentry, new))
		return -ENOTEMPTY;
	error = may_remove(from_directory, old, directory);
	if (!error)
		error = new->inode ? may_remove(to_directory, new, directory)
				   : may_create(to_directory);
	if (!error && directory && from_directory != to_directory)
		error = inode_permission(old->inode, MAY_WRITE);
	if (!error && (is_mountpoint(old) || is_mountpoint(new)))
		error = -EBUSY;
	if (!error && !from_directory->operations->rename)
		error = -EPERM;
	return error;
}

/* The same for two entries that change places. */
static int may_exchange(struct walk *from, struct dentry *a, struct walk *to, struct dentry *b)
{
	struct inode *a_directory = from->at.dentry->inode, *b_directory = to->at.dentry->inode;
	bool a_moves = is_directory(a->inode), b_moves = is_directory(b->inode);
	int error;

	if ((!a_moves && from->directory) || (!b_moves && to->directory))
		return -ENOTDIR;
	if (dentry_is_below(to->at.dentry, a) || dentry_is_below(from->at.dentry, b))
		return -EINVAL;
	error = may_remove(a_directory, a, a_moves);
	if (!error)
		error = may_remove(b_directory, b, b_moves);
	if (!error && a_moves && a_directory != b_directory)
		error = inode_permission(a->inode, MAY_WRITE);
	if (!error && b_moves && a_directory != b_directory)
		error = inode_permission(b->inode, MAY_WRITE);
	if (!error && (is_mountpoint(a) || is_mountpoint(b)))
		error = -EBUSY;
	if (!error && !a_directory->operations->exchange)
		error = -EINVAL;
	return error;
}

static int exchange(struct walk *from, struct dentry *a, struct walk *to, struct dentry *b)
{
	struct inode *a_directory = from->at.dentry->inode, *b_directory = to->at.dentry->inode;
	int error;

	if (!b->inode)
		return -ENOENT;
	if (a->inode == b->inode)
		return 0;
	error = may_exchange(from, a, to, b);
	if (!error)
		error = a_directory->operations->exchange(a_directory, a, b_directory, b);
	if (error)
		return error;
	inode_touch_modified(a_directory);
	inode_touch_modified(b_directory);
	a->inode->changed = b->inode->changed = vfs_now();
	inotify_moved(a_directory, b_directory, b, a, NULL);
	inotify_moved(b_directory, a_directory, a, b, NULL);
	return 0;
}

/* The move itself; what is replaced is locked too, for its count of names and its emptiness. */
static int move_locked(
	struct walk *from, struct dentry *old, struct walk *to, struct dentry *new) no_lock_checks
{
	struct inode *from_directory = from->at.dentry->inode;
	struct inode *to_directory = to->at.dentry->inode;
	struct inode *replaced = new->inode;
	int error = 0;

	if (replaced) {
		mutex_lock_nested(&replaced->lock);
		if (is_mountpoint(new))
			error = -EBUSY;
		else if (is_directory(replaced) && !replaced->operations->is_empty(replaced))
			error = -ENOTEMPTY;
	}
	if (!error)
		error = from_directory->operations->rename(from_directory, old, to_directory, new);
	if (replaced)
		mutex_unlock(&replaced->lock);
	if (error)
		return error;
	inode_touch_modified(from_directory);
	inode_touch_modified(to_directory);
	old->inode->changed = vfs_now();
	inotify_moved(from_directory, to_directory, new, old, replaced); /* they changed names */
	return 0;
}

/* Moves, and leaves in the old place what overlayfs calls a whiteout: a device 0:0. It is made first, since that
 * can fail. */
static int move_and_mark(struct walk *from, struct dentry *old, struct walk *to, struct dentry *new)
{
	const struct credentials *who = current_credentials();
	struct new_inode what = {.mode = S_IFCHR, .uid = who->fsuid, .gid = who->fsgid};
	struct inode *directory = from->at.dentry->inode;
	struct dentry *mark = dentry_make(from->at.dentry, &from->last);
	int error;

	if (!mark)
		return -ENOMEM;
	inherit(directory, &what);
	error = directory->operations->make(directory, mark, &what);
	if (!error) {
		error = move_locked(from, old, to, new);
		if (!error)
			dentry_hash(mark);
		else if (directory->operations->remove(directory, mark))
			error = -EIO;
	}
	dentry_put(mark);
	return error;
}

static int rename_locked(struct walk *from, struct walk *to, unsigned int flags)
{
	struct dentry *old, *new;
	int error = dentry_lookup_locked(from->at.dentry, &from->last, &old);

	if (error)
		return error;
	if (!old->inode) {
		dentry_put(old);
		return -ENOENT;
	}
	error = dentry_lookup_locked(to->at.dentry, &to->last, &new);
	if (!error) {
		if (flags & RENAME_EXCHANGE)
			error = exchange(from, old, to, new);
		else if (flags & RENAME_NOREPLACE && new->inode)
			error = -EEXIST;
		else if (!is_directory(old->inode) && (from->directory || to->directory))
			error = -ENOTDIR; /* a slash behind either name */
		else if (old->inode != new->inode)
			error = may_move(from, old, to, new);
		if (!error && !(flags & RENAME_EXCHANGE) && old->inode != new->inode)
			error = flags & RENAME_WHITEOUT ? move_and_mark(from, old, to, new)
							: move_locked(from, old, to, new);
		dentry_put(new);
	}
	dentry_put(old);
	return error;
}

int vfs_rename(struct walk *from, struct walk *to, unsigned int flags)
{
	int error;

	if (from->at.mount != to->at.mount)
		return -EXDEV;
	if (from->kind != LAST_NORMAL)
		return -EBUSY;
	if (to->kind != LAST_NORMAL)
		return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	if (mount_read_only(from->at.mount))
		return -EROFS;
	lock_both(from->at.dentry, to->at.dentry);
	error = rename_locked(from, to, flags);
	unlock_both(from->at.dentry, to->at.dentry);
	return error;
}
