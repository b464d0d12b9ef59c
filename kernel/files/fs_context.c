/* SPDX-License-Identifier: MIT */
/*
 * What a process knows of the tree of files: its root, its working directory, its umask; shared by
 * CLONE_FS. Lock: the context's, dentry_lock inside it; paths are put after it. And paths as text, from the root of one.
 */
#include "files/file.h"
#include "files/vfs.h"
#include "lib/string.h"
#include "memory/slab.h"

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
	spin_lock(&dentry_lock);
	old = *place;
	*place = *path;
	spin_unlock(&dentry_lock);
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

/* Puts `to` in the place of one of the context's paths, when that is `from`. */
static bool replace_path(struct path *place, const struct path *from, const struct path *to)
{
	if (place->mount != from->mount || place->dentry != from->dentry)
		return false;
	path_get(to);
	*place = *to;
	return true;
}

void fs_replace(struct fs_context *fs, const struct path *from, const struct path *to)
{
	int put = 0;

	spin_lock(&fs->lock);
	spin_lock(&dentry_lock);
	put += replace_path(&fs->root, from, to);
	put += replace_path(&fs->working, from, to);
	spin_unlock(&dentry_lock);
	spin_unlock(&fs->lock);
	while (put--)
		path_put(from); /* never the last one: the caller has it too */
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
	spin_lock(&mount_lock);
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
	unreachable = root->dentry && (dentry != root->dentry || mount != root->mount) &&
		      !(mount->flags & MS_KERNMOUNT);
	spin_unlock(&dentry_lock);
	spin_unlock(&mount_lock);
	if (at == end)
		at = prepend(at, buffer, "/", 1);
	return unreachable ? prepend(at, buffer, UNREACHABLE, sizeof(UNREACHABLE) - 1) : at;
}

const char *dentry_text(struct dentry *dentry, char *buffer, size_t size)
{
	char *end = buffer + size - 1, *at = end;

	*end = '\0';
	spin_lock(&dentry_lock);
	for (; at && dentry->parent != dentry; dentry = dentry->parent) {
		at = prepend(at, buffer, dentry->name, dentry->length);
		at = prepend(at, buffer, "/", 1);
	}
	spin_unlock(&dentry_lock);
	return at == end ? prepend(at, buffer, "/", 1) : at;
}
