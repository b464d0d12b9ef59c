/* SPDX-License-Identifier: MIT */
/*
 * The tree of mounts (man 2 mount, umount2, pivot_root).
 *
 * The problem. File systems form one tree, which changes while everybody walks in it; what is in use
 * cannot go, and what is let go lazily lives as long as it is used.
 *
 * The design. A mount is a superblock's directory (its root, or what a bind mount names), put over a
 * directory (or, by a bind mount, a file) of another mount, its parent. It is found by (parent, dentry)
 * in a hash table; a dentry that is covered anywhere carries DENTRY_MOUNTED, so that walks look only
 * where there is something. The newest mount over a place is the one seen. The tree holds one reference
 * to each mount in it and a mount holds its parent and the dentry it covers, so that one with mounts
 * upon it, open files, working directories or mapped files has more references than the tree's: busy.
 *
 * There is one tree for all: no mount namespaces, and so no propagation between them or among bind
 * mounts (MS_SHARED and MS_SLAVE say nothing here).
 *
 * Invariants: an attached mount is on `mounts` and, unless it is the root of the tree, in the table;
 * a detached one is in neither and has no parent. Parents are attached before their children.
 *
 * Locks. mount_changes, a mutex, is held by who changes the tree, from the check to the change; inside
 * it the covered file's lock, so that it is not removed meanwhile. mount_lock, a spin lock, guards the
 * lists, parents and covered dentries; dentry_lock is taken inside it. References are put after both.
 */
#include "files/mount.h"

#include "files/file.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/current.h"

#define BUCKETS 128u

static struct mutex mount_changes = MUTEX_INIT(mount_changes);
struct spinlock mount_lock = SPINLOCK_INIT;
static struct list mounts guarded_by(mount_lock) = LIST_INIT(mounts);
static struct mount *table[BUCKETS] guarded_by(mount_lock);
static struct mount *root_mount guarded_by(mount_lock);
static int last_id guarded_by(mount_lock);

static struct mount **bucket_of(const struct mount *parent, const struct dentry *dentry) requires(
	mount_lock)
{
	uint64_t hash =
		((uintptr_t)parent >> 6) * UINT64_C(0x9e3779b97f4a7c15) + ((uintptr_t)dentry >> 6);

	return &table[(hash * UINT64_C(0x9e3779b97f4a7c15) >> 32) % BUCKETS];
}

/* The tree is whole again; who polls /proc/mounts hears of it. */
static void end_changes(int error) releases(mount_changes)
{
	mutex_unlock(&mount_changes);
	if (!error)
		mounts_tell();
}

/* ---- References ---- */

void mount_get(struct mount *mount)
{
	__atomic_add_fetch(&mount->references, 1, __ATOMIC_RELAXED);
}

static bool put_last(struct mount *mount)
{
	return __atomic_sub_fetch(&mount->references, 1, __ATOMIC_ACQ_REL) == 0;
}

static COLD void free_mount(struct mount *mount)
{
	struct mount *parent;
	struct dentry *covered;

	do {
		assert(!mount->attached);
		parent = mount->parent; /* of one that was never attached */
		covered = mount->mountpoint;
		dentry_put(mount->root);
		superblock_unmounted(mount->superblock);
		kfree(mount->source);
		kfree(mount);
		dentry_put(covered);
		mount = parent;
	} while (mount && put_last(mount));
}

void mount_put(struct mount *mount)
{
	if (mount && unlikely(put_last(mount)))
		free_mount(mount);
}

void path_get(const struct path *path)
{
	if (path->mount)
		mount_get(path->mount);
	if (path->dentry)
		dentry_get(path->dentry);
}

void path_put(const struct path *path)
{
	dentry_put(path->dentry);
	if (path->mount)
		mount_put(path->mount);
}

/* A mount that is not in the tree yet, with one reference, the tree's to be. */
static struct mount *make_mount(
	struct superblock *superblock, struct dentry *root, const char *source, uint32_t flags)
{
	struct mount *mount = kzalloc(sizeof(*mount));
	size_t size = strlen(source) + 1;

	if (!mount)
		return NULL;
	mount->source = kmalloc(size);
	if (!mount->source) {
		kfree(mount);
		return NULL;
	}
	memcpy(mount->source, source, size);
	mount->references = 1;
	mount->flags = flags;
	mount->superblock = superblock;
	superblock_mounted(superblock);
	mount->root = root;
	dentry_get(root);
	list_init(&mount->link);
	return mount;
}

/* ---- In the tree ---- */

static void set_place(struct mount *mount, const struct path *over)
{
	path_get(over);
	mount->parent = over->mount;
	mount->mountpoint = over->dentry;
}

static void enter_table(struct mount *mount) requires(mount_lock)
{
	struct mount **bucket = bucket_of(mount->parent, mount->mountpoint);

	__atomic_or_fetch(&mount->mountpoint->flags, DENTRY_MOUNTED, __ATOMIC_RELAXED);
	mount->next = *bucket;
	*bucket = mount;
}

/* With its place set; without one it becomes the root of the tree. */
static void attach(struct mount *mount) requires(mount_lock)
{
	if (mount->parent) {
		mount->parent_id = mount->parent->id;
		enter_table(mount);
	} else {
		root_mount = mount;
	}
	mount->attached = true;
	mount->id = ++last_id;
	list_push_back(&mounts, &mount->link);
}

/* Out of the table; what it held of its parent is handed out, to be put without the lock. */
static struct path uncover(struct mount *mount) requires(mount_lock)
{
	struct path over = {mount->parent, mount->mountpoint};
	struct mount **link = bucket_of(over.mount, over.dentry), *other;
	bool covered = false;

	while (*link != mount)
		link = &(*link)->next;
	*link = mount->next;
	mount->next = NULL;
	mount->parent = NULL;
	mount->mountpoint = NULL;
	list_for_each(other, &mounts, link) covered |= other->mountpoint == over.dentry;
	if (!covered)
		__atomic_and_fetch(
			&over.dentry->flags, ~(uint32_t)DENTRY_MOUNTED, __ATOMIC_RELAXED);
	return over;
}

/* The mount over a place, with a reference, or NULL. */
static struct mount *mount_over(const struct path *path)
{
	struct mount *mount;

	spin_lock(&mount_lock);
	for (mount = *bucket_of(path->mount, path->dentry); mount; mount = mount->next)
		if (mount->parent == path->mount && mount->mountpoint == path->dentry)
			break;
	if (mount)
		mount_get(mount);
	spin_unlock(&mount_lock);
	return mount;
}

void mount_descend_mounted(struct path *path)
{
	struct mount *mount;

	while (__atomic_load_n(&path->dentry->flags, __ATOMIC_RELAXED) & DENTRY_MOUNTED) {
		mount = mount_over(path);
		if (!mount)
			return;
		dentry_get(mount->root);
		path_put(path);
		*path = (struct path){mount, mount->root};
	}
}

bool mount_ascend(struct path *path)
{
	struct path up;

	if (path->dentry != path->mount->root)
		return false;
	spin_lock(&mount_lock);
	up = (struct path){path->mount->parent, path->mount->mountpoint};
	if (up.mount)
		path_get(&up);
	spin_unlock(&mount_lock);
	if (!up.mount)
		return false;
	path_put(path);
	*path = up;
	return true;
}

struct path tree_root(void)
{
	struct path path;

	spin_lock(&mount_lock);
	path.mount = root_mount;
	path.dentry = path.mount->root;
	path_get(&path);
	spin_unlock(&mount_lock);
	return path;
}

struct superblock *superblock_root(void)
{
	struct path root = tree_root();
	struct superblock *superblock = root.mount->superblock;

	path_put(&root);
	return superblock;
}

bool mount_next(int id, struct path *root, struct path *over)
{
	struct mount *mount, *next = NULL;

	spin_lock(&mount_lock);
	list_for_each(mount, &mounts, link)
	{
		if (mount->id > id && (!next || mount->id < next->id))
			next = mount;
	}
	if (next) {
		*root = (struct path){next, next->root};
		*over = next->parent ? (struct path){next->parent, next->mountpoint} : *root;
		path_get(root);
		path_get(over);
	}
	spin_unlock(&mount_lock);
	return next;
}

/* ---- Mounting ---- */

/* Of a path that a mount is to cover, with mount_changes and the covered file's lock. */
static int may_cover(const struct path *over, const struct dentry *root)
{
	if (!over->dentry->inode->links)
		return -ENOENT; /* removed meanwhile */
	if (!over->mount->attached || dentry_is_fleeting(over->dentry))
		return -EINVAL;
	if (is_directory(over->dentry->inode) != is_directory(root->inode))
		return -ENOTDIR;
	return 0;
}

/* Puts a mount over a place. */
static int cover(struct mount *mount, const struct path *over) requires(mount_changes)
{
	struct inode *inode = over->dentry->inode;
	int error;

	mutex_lock(&inode->lock);
	error = may_cover(over, mount->root);
	if (!error) {
		set_place(mount, over);
		spin_lock(&mount_lock);
		attach(mount);
		spin_unlock(&mount_lock);
	}
	mutex_unlock(&inode->lock);
	return error;
}

int mount_add(
	struct superblock *superblock, const struct path *over, const char *source, uint32_t flags)
{
	struct mount *mount = make_mount(superblock, superblock->root, source, flags);
	int error = 0;

	if (!mount)
		return -ENOMEM;
	mutex_lock(&mount_changes);
	if (!over) {
		spin_lock(&mount_lock);
		attach(mount);
		spin_unlock(&mount_lock);
	} else if (over->mount->superblock == superblock && over->dentry == over->mount->root) {
		error = -EBUSY; /* the same once more over itself */
	} else {
		error = cover(mount, over);
	}
	end_changes(error);
	if (error)
		mount_put(mount);
	return error;
}

struct mount *mount_hidden(struct superblock *superblock)
{
	return make_mount(superblock, superblock->root, superblock->type, MS_KERNMOUNT);
}

/* ---- Bind mounts ---- */

/* Copies those mounts upon `from` that lie below its copy's root, and what is upon them, each with its
 * place upon its parent's copy; not attached yet. Reads the list by mount_changes. */
static int copy_children(struct mount *from, struct mount *to, struct list *copies) requires(
	mount_changes) no_lock_checks
{
	struct mount *child;

	list_for_each(child, &mounts, link) child->copy = NULL;
	from->copy = to;
	list_for_each(child, &mounts, link)
	{
		if (!child->parent || !child->parent->copy || child->flags & MOUNT_UNBINDABLE ||
			(child->parent == from && !dentry_is_below(child->mountpoint, to->root)))
			continue;
		child->copy =
			make_mount(child->superblock, child->root, child->source, child->flags);
		if (!child->copy)
			return -ENOMEM;
		set_place(child->copy, &(struct path){child->parent->copy, child->mountpoint});
		list_push_back(copies, &child->copy->link);
	}
	return 0;
}

static void attach_all(struct list *copies)
{
	struct mount *copy;

	spin_lock(&mount_lock);
	while (!list_empty(copies)) {
		copy = list_first(copies, struct mount, link);
		list_remove(&copy->link);
		attach(copy);
	}
	spin_unlock(&mount_lock);
}

static void put_all(struct list *copies)
{
	struct mount *copy;

	while (!list_empty(copies)) {
		copy = list_first(copies, struct mount, link);
		list_remove(&copy->link);
		mount_put(copy);
	}
}

int mount_bind(const struct path *what, const struct path *over, bool recursive)
{
	struct list copies = LIST_INIT(copies);
	struct mount *mount;
	int error = 0;

	mount = make_mount(what->mount->superblock, what->dentry, what->mount->source,
		__atomic_load_n(&what->mount->flags, __ATOMIC_RELAXED));
	if (!mount)
		return -ENOMEM;
	mutex_lock(&mount_changes);
	if (!what->mount->attached || what->mount->flags & MOUNT_UNBINDABLE)
		error = -EINVAL;
	else if (recursive)
		error = copy_children(what->mount, mount, &copies);
	if (!error)
		error = cover(mount, over);
	if (!error)
		attach_all(&copies);
	end_changes(error);
	put_all(&copies);
	if (error)
		mount_put(mount);
	return error;
}

/* ---- Taking down ---- */

/* Takes a mount and all upon it out of the tree, onto `gone`. */
static void detach(struct mount *top, struct list *gone) requires(mount_lock)
{
	struct mount *mount, *next;

	list_for_each_safe(mount, next, &mounts, link)
	{
		if (mount != top && (!mount->parent || mount->parent->attached))
			continue;
		mount->attached = false; /* parents come first */
		list_remove(&mount->link);
		list_push_back(gone, &mount->link);
	}
	list_for_each(mount, gone, link) mount->was = uncover(mount);
}

static void put_gone(struct list *gone)
{
	struct mount *mount;

	while (!list_empty(gone)) {
		mount = list_first(gone, struct mount, link);
		list_remove(&mount->link);
		path_put(&mount->was);
		mount_put(mount);
	}
}

/* Whether it may go now; the caller has one reference. */
static int may_detach(struct mount *mount, unsigned int flags) requires(mount_lock)
{
	bool busy = __atomic_load_n(&mount->references, __ATOMIC_ACQUIRE) != 2;

	if (!mount->attached || !mount->parent)
		return -EINVAL;
	if (flags & MNT_DETACH)
		return 0;
	if (busy)
		return -EBUSY;
	if (flags & MNT_EXPIRE && !mount->expiring) {
		mount->expiring = true;
		return -EAGAIN;
	}
	return 0;
}

int mount_remove(const struct path *path, unsigned int flags)
{
	struct list gone = LIST_INIT(gone);
	int error;

	mutex_lock(&mount_changes);
	spin_lock(&mount_lock);
	error = may_detach(path->mount, flags);
	if (!error)
		detach(path->mount, &gone);
	spin_unlock(&mount_lock);
	end_changes(error);
	put_gone(&gone);
	return error;
}

/* ---- Moving ---- */

static bool is_upon(const struct mount *mount, const struct mount *other) requires(mount_lock)
{
	while (mount && mount != other)
		mount = mount->parent;
	return mount;
}

/* Behind all others, with what is upon it, so that parents stay before their children. */
static void move_to_end(struct mount *top) requires(mount_lock)
{
	struct list moved = LIST_INIT(moved);
	struct mount *mount, *next;

	list_for_each_safe(mount, next, &mounts, link)
	{
		if (!is_upon(mount, top))
			continue;
		list_remove(&mount->link);
		list_push_back(&moved, &mount->link);
	}
	while (!list_empty(&moved)) {
		mount = list_first(&moved, struct mount, link);
		list_remove(&mount->link);
		list_push_back(&mounts, &mount->link);
	}
}

/* What it held of its parent until now. */
static struct path move_to(struct mount *mount, const struct path *over) requires(mount_lock)
{
	struct path was = uncover(mount);

	set_place(mount, over);
	mount->parent_id = over->mount->id;
	enter_table(mount);
	move_to_end(mount);
	return was;
}

/* With mount_changes and the covered file's lock. */
static int may_move_mount(struct mount *mount, const struct path *over) requires(mount_lock)
{
	int error = may_cover(over, mount->root);

	if (error || !mount->attached || !mount->parent)
		return error == -ENOENT ? error : -EINVAL;
	return is_upon(over->mount, mount) ? -ELOOP : 0;
}

int mount_move(const struct path *what, const struct path *over)
{
	struct inode *inode = over->dentry->inode;
	struct path was = {NULL, NULL};
	int error;

	if (what->dentry != what->mount->root)
		return -EINVAL;
	mutex_lock(&mount_changes);
	mutex_lock(&inode->lock);
	spin_lock(&mount_lock);
	error = may_move_mount(what->mount, over);
	if (!error)
		was = move_to(what->mount, over);
	spin_unlock(&mount_lock);
	mutex_unlock(&inode->lock);
	end_changes(error);
	path_put(&was);
	return error;
}

static int may_pivot(const struct path *root, const struct path *new,
	const struct path *old) requires(mount_lock)
{
	if (!new->mount->attached || !root->mount->attached || !old->mount->attached)
		return -EINVAL;
	if (!new->mount->parent) /* the first of all stays where it is */
		return -EINVAL;
	if (!new->dentry->inode->links || !old->dentry->inode->links)
		return -ENOENT;
	if (new->mount == root->mount || old->mount == root->mount)
		return -EBUSY;
	if (root->dentry != root->mount->root || new->dentry != new->mount->root ||
		!root->mount->parent)
		return -EINVAL;
	if (!mount_reaches(root, new) || !mount_reaches(new, old))
		return -EINVAL;
	return 0;
}

int mount_pivot(const struct path *root, const struct path *new, const struct path *old)
{
	struct path was_new = {NULL, NULL}, was_root = {NULL, NULL};
	int error;

	mutex_lock(&mount_changes);
	mutex_lock(&old->dentry->inode->lock);
	spin_lock(&mount_lock);
	error = may_pivot(root, new, old);
	if (!error) {
		/* The old root leaves its place to the new one. */
		was_root = uncover(root->mount);
		was_new = move_to(new->mount, &was_root);
		set_place(root->mount, old);
		enter_table(root->mount);
		move_to_end(root->mount);
	}
	spin_unlock(&mount_lock);
	mutex_unlock(&old->dentry->inode->lock);
	end_changes(error);
	path_put(&was_new);
	path_put(&was_root);
	return error;
}
