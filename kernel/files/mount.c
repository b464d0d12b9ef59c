/* SPDX-License-Identifier: MIT */
/*
 * Mounts, paths and what a process knows of them: root, working directory, umask.
 *
 * A mount is found by (mount, dentry) of what it covers. There are few, so they stand in a list; a
 * dentry that is covered carries DENTRY_MOUNTED, so that walks look only where there is something.
 * The newest mount over a place is the one seen. Mounts stay for ever until umount comes.
 *
 * Locks: mount_lock, a leaf; a context's lock is a leaf too.
 */
#include "files/vfs.h"

#include "files/file.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"

static struct spinlock mount_lock = SPINLOCK_INIT;
static struct list mounts guarded_by(mount_lock) = LIST_INIT(mounts);
static struct mount *root_mount guarded_by(mount_lock);
static int last_id guarded_by(mount_lock);

void mount_get(struct mount *mount)
{
	__atomic_add_fetch(&mount->references, 1, __ATOMIC_RELAXED);
}

static void mount_put(struct mount *mount)
{
	uint32_t left = __atomic_sub_fetch(&mount->references, 1, __ATOMIC_RELEASE);

	assert(left); /* the list of mounts holds one */
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

int mount_add(struct superblock *superblock, const struct path *over)
{
	struct mount *mount = kzalloc(sizeof(*mount));

	if (!mount)
		return -ENOMEM;
	mount->references = 1;
	mount->superblock = superblock;
	mount->source = superblock->type;
	mount->root = superblock->root;
	dentry_get(mount->root);
	if (over) {
		path_get(over);
		mount->parent = over->mount;
		mount->mountpoint = over->dentry;
	}
	spin_lock(&mount_lock);
	if (over)
		__atomic_or_fetch(&over->dentry->flags, DENTRY_MOUNTED, __ATOMIC_RELAXED);
	else
		root_mount = mount;
	mount->id = ++last_id;
	list_push_front(&mounts, &mount->link);
	spin_unlock(&mount_lock);
	return 0;
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

/* The mount over a place, with a reference, or NULL. */
static struct mount *mount_over(const struct path *path)
{
	struct mount *mount, *found = NULL;

	spin_lock(&mount_lock);
	list_for_each(mount, &mounts, link)
	{
		if (mount->parent == path->mount && mount->mountpoint == path->dentry) {
			found = mount;
			mount_get(found);
			break;
		}
	}
	spin_unlock(&mount_lock);
	return found;
}

void mount_descend(struct path *path)
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
	struct path up = {path->mount->parent, path->mount->mountpoint};

	if (path->dentry != path->mount->root || !up.mount)
		return false;
	path_get(&up);
	path_put(path);
	*path = up;
	return true;
}

static struct path tree_root(void)
{
	struct path path;

	spin_lock(&mount_lock);
	path.mount = root_mount;
	spin_unlock(&mount_lock);
	path.dentry = path.mount->root;
	path_get(&path);
	return path;
}

struct superblock *superblock_root(void)
{
	struct path root = tree_root();
	struct superblock *superblock = root.mount->superblock;

	path_put(&root);
	return superblock;
}

/* ---- A process's view ---- */

struct fs_context *fs_context_create(void)
{
	struct fs_context *fs = kzalloc(sizeof(*fs));

	if (!fs)
		return NULL;
	fs->references = 1;
	spin_init(&fs->lock, "fs->lock");
	fs->umask = 022;
	fs->root = tree_root();
	fs->working = fs->root;
	path_get(&fs->working);
	return fs;
}

struct fs_context *fs_context_copy(struct fs_context *from)
{
	struct fs_context *fs = kzalloc(sizeof(*fs));

	if (!fs)
		return NULL;
	fs->references = 1;
	spin_init(&fs->lock, "fs->lock");
	fs->umask = __atomic_load_n(&from->umask, __ATOMIC_RELAXED);
	fs->root = fs_root(from);
	fs->working = fs_working(from);
	return fs;
}

bool fs_context_shared(const struct fs_context *fs)
{
	return __atomic_load_n(&fs->references, __ATOMIC_RELAXED) > 1;
}

void fs_context_get(struct fs_context *fs)
{
	__atomic_add_fetch(&fs->references, 1, __ATOMIC_RELAXED);
}

void fs_context_put(struct fs_context *fs)
{
	if (__atomic_sub_fetch(&fs->references, 1, __ATOMIC_ACQ_REL))
		return;
	path_put(&fs->root);
	path_put(&fs->working);
	kfree(fs);
}

struct path fs_working(struct fs_context *fs)
{
	struct path path;

	spin_lock(&fs->lock);
	path = fs->working;
	path_get(&path);
	spin_unlock(&fs->lock);
	return path;
}

struct path fs_root(struct fs_context *fs)
{
	struct path path;

	spin_lock(&fs->lock);
	path = fs->root;
	path_get(&path);
	spin_unlock(&fs->lock);
	return path;
}

/* Puts a path in the place of one of the context's. */
static void set_path(struct fs_context *fs, struct path *place, const struct path *path)
{
	struct path old;

	path_get(path);
	spin_lock(&fs->lock);
	old = *place;
	*place = *path;
	spin_unlock(&fs->lock);
	path_put(&old);
}

void fs_set_working(struct fs_context *fs, const struct path *path)
{
	set_path(fs, &fs->working, path);
}

void fs_set_root(struct fs_context *fs, const struct path *path)
{
	set_path(fs, &fs->root, path);
}

/* ---- Paths as text ---- */

/* Puts a piece before `at`; NULL: no room. */
static char *prepend(char *at, const char *start, const char *text, size_t size)
{
	if (!at || (size_t)(at - start) < size)
		return NULL;
	return memcpy(at - size, text, size);
}

#define UNREACHABLE "(unreachable)"

const char *path_text(const struct path *path, const struct path *root, char *buffer, size_t size)
{
	struct mount *mount = path->mount;
	struct dentry *dentry = path->dentry;
	char *end = buffer + size - 1, *at = end;
	bool unreachable;

	*end = '\0';
	spin_lock(&dentry_lock);
	while (at && (dentry != root->dentry || mount != root->mount)) {
		if (dentry == mount->root && mount->parent) {
			dentry = mount->mountpoint;
			mount = mount->parent;
			continue;
		}
		if (dentry->parent == dentry)
			break;
		at = prepend(at, buffer, dentry->name, dentry->length);
		at = prepend(at, buffer, "/", 1);
		dentry = dentry->parent;
	}
	unreachable = root->dentry && (dentry != root->dentry || mount != root->mount);
	spin_unlock(&dentry_lock);
	if (at == end)
		at = prepend(at, buffer, "/", 1);
	return unreachable ? prepend(at, buffer, UNREACHABLE, sizeof(UNREACHABLE) - 1) : at;
}
