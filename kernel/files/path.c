/* SPDX-License-Identifier: MIT */
/*
 * Walking a path (man 7 path_resolution).
 *
 * A walk keeps the directory reached (`at`) and the text still to be walked (`rest`). A symbolic link
 * in the middle puts what follows it on a stack and goes on with the link's text; the link's inode is
 * held as long as its text is walked. Nothing recurses, and after 40 links in one walk it is -ELOOP.
 *
 * The walk stops before the last component, because what becomes of that one is the caller's affair:
 * stat and open find it (walk_last), mkdir and rename make or move it. "Last" looks through the stack:
 * the last component of a link's text is the last of all only when nothing follows the link.
 *
 * A magic link (inode_operations.jump) has no text that is walked: `at` becomes what it leads to, which may
 * be no directory at all, or in no tree (a pipe): then nothing may follow.
 *
 * openat2 narrows a walk by RESOLVE_*: no links, no magic ones, no other mount, nothing that is not in the cache, not out
 * of the directory where it starts (an error, or that is its root). `..` alone could lead out of there, also when the
 * directory was moved meanwhile: so where it has led is checked each time.
 *
 * Errors come in Linux's order: search permission of the directory, the length of the name, whether
 * it exists, and only then whether it is a directory.
 */
#include "files/attributes.h"
#include "files/resolve.h"

#include "files/protected.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Leaves the innermost link: `rest` is what followed it. */
static void pop(struct walk *walk)
{
	walk->depth--;
	walk->rest = walk->stack[walk->depth].rest;
	if (*walk->rest)
		walk->pending--;
	inode_put(walk->stack[walk->depth].link);
}

#define RESOLVE_SCOPED (RESOLVE_BENEATH | RESOLVE_IN_ROOT)

int walk_check_mount(const struct walk *walk, const struct mount *before, const struct mount *now)
{
	return unlikely(walk->resolve & RESOLVE_NO_XDEV) && before != now ? -EXDEV : 0;
}

/* Goes where a magic link leads. */
static int jump(struct walk *walk, struct inode *link)
{
	struct path to;
	int error =
		walk->resolve & RESOLVE_NO_MAGICLINKS ? -ELOOP : link->operations->jump(link, &to);

	if (error)
		return error;
	error = walk->resolve & RESOLVE_SCOPED ? -EXDEV
					       : walk_check_mount(walk, walk->at.mount, to.mount);
	if (error) {
		path_put(&to);
		return error;
	}
	path_put(&walk->at);
	walk->at = to;
	walk->jumped = true;
	if ((*walk->rest || walk->pending || walk->directory) && !is_directory(to.dentry->inode))
		return -ENOTDIR;
	return 0;
}

/* To where absolute paths begin. */
static int go_to_root(struct walk *walk)
{
	int error = walk->resolve & RESOLVE_BENEATH
			    ? -EXDEV
			    : walk_check_mount(walk, walk->at.mount, walk->root.mount);

	if (error)
		return error;
	path_put(&walk->at);
	walk->at = walk->root;
	path_get(&walk->at);
	return 0;
}

/* Goes on with a link's text; `link` is consumed. */
static int push(struct walk *walk, struct dentry *link)
{
	struct inode *inode = link->inode;
	int error;

	if (walk->links++ >= LINKS_MAX || mount_has(walk->at.mount, MS_NOSYMFOLLOW) ||
		walk->resolve & RESOLVE_NO_SYMLINKS) {
		dentry_put(link);
		return -ELOOP;
	}
	if (inode->operations->jump) {
		error = jump(walk, inode);
		dentry_put(link);
		return error;
	}
	inode_get(inode);
	dentry_put(link);
	walk->stack[walk->depth].link = inode;
	walk->stack[walk->depth].rest = walk->rest;
	walk->depth++;
	if (*walk->rest)
		walk->pending++;
	walk->rest = inode->operations->link_text(inode);
	path_touch_accessed(inode, walk->at.mount);
	return *walk->rest == '/' ? go_to_root(walk) : 0;
}

/* Goes down into what is mounted here. */
static int descend_mounted(struct walk *walk)
{
	const struct mount *before = walk->at.mount;

	mount_descend(&walk->at);
	return walk_check_mount(walk, before, walk->at.mount);
}

/* One step up; the root of the process and the root of the tree are their own parents. */
static int step_up(struct walk *walk)
{
	const struct mount *before = walk->at.mount;
	struct dentry *parent;
	int error;

	for (;;) {
		if (walk->at.dentry == walk->root.dentry && walk->at.mount == walk->root.mount) {
			if (walk->resolve & RESOLVE_BENEATH)
				return -EXDEV;
			/* What is over the root is found by `/..` alone. */
			return descend_mounted(walk);
		}
		if (!mount_ascend(&walk->at))
			break;
	}
	error = walk_check_mount(walk, before, walk->at.mount);
	if (error)
		return error;
	parent = dentry_parent(walk->at.dentry);
	dentry_put(walk->at.dentry);
	walk->at.dentry = parent;
	error = descend_mounted(walk);
	if (!error && walk->resolve & RESOLVE_SCOPED && !path_is_below(&walk->at, &walk->root))
		error = -EXDEV;
	return error;
}

/* The entry of a directory, with a reference, or an error: -ENOENT for none. */
static int find_entry(struct walk *walk, const struct name *name, struct dentry **out)
{
	struct dentry *directory = walk->at.dentry, *dentry;
	struct inode *inode = directory->inode;
	int error;

	if (name->length > NAME_MAX)
		return -ENAMETOOLONG;
	dentry = dentry_find(directory, name);
	if (!dentry) {
		if (!inode->operations->lookup)
			return -ENOENT;
		if (walk->resolve & RESOLVE_CACHED)
			return -EAGAIN;
		mutex_lock(&inode->lock);
		error = dentry_lookup_locked(directory, name, &dentry);
		mutex_unlock(&inode->lock);
		if (error)
			return error;
	}
	*out = dentry;
	if (dentry->inode)
		return 0;
	dentry_put(dentry);
	return -ENOENT;
}

/* Into a component in the middle of the path. */
static int step_into(struct walk *walk, const struct name *name)
{
	struct path next = {walk->at.mount, NULL};
	int error = find_entry(walk, name, &next.dentry);

	if (error)
		return error;
	if (S_ISLNK(next.dentry->inode->mode))
		return push(walk, next.dentry);
	if (!is_directory(next.dentry->inode)) {
		dentry_put(next.dentry);
		return -ENOTDIR;
	}
	dentry_put(walk->at.dentry);
	walk->at = next;
	return descend_mounted(walk);
}

static enum last_kind kind_of(const struct name *name)
{
	if (name->text[0] != '.' || name->length > 2)
		return LAST_NORMAL;
	if (name->length == 1)
		return LAST_DOT;
	return name->text[1] == '.' ? LAST_DOTDOT : LAST_NORMAL;
}

/* The quick part of the way, without a look at each step. */
static void descend(struct walk *walk)
{
	struct dentry *from = walk->at.dentry;

	walk->at.dentry = dentry_descend(from, &walk->rest);
	if (walk->at.dentry != from)
		dentry_put(from);
}

static inline int may_search(const struct inode *directory)
{
	return inode_searched_by_all(directory) ? 0 : inode_permission(directory, MAY_EXECUTE);
}

int walk_parent(struct walk *walk)
{
	const char *end;
	int error = 0;

	for (;;) {
		walk->rest = skip_slashes(walk->rest);
		if (!*walk->rest) {
			if (!walk->depth) {
				walk->kind = walk->jumped ? LAST_JUMP : LAST_ROOT;
				return 0;
			}
			pop(walk);
			continue;
		}
		walk->jumped = false;
		descend(walk);
		error = may_search(walk->at.dentry->inode);
		if (error)
			return error;
		for (end = walk->rest; *end && *end != '/'; end++)
			;
		walk->last = (struct name){walk->rest, (uint32_t)(end - walk->rest)};
		walk->kind = kind_of(&walk->last);
		walk->rest = skip_slashes(end);
		if (!*walk->rest && !walk->pending) {
			walk->directory |= *end == '/';
			return 0;
		}
		if (walk->kind == LAST_DOTDOT)
			error = step_up(walk);
		else if (walk->kind == LAST_NORMAL)
			error = step_into(walk, &walk->last);
		if (error)
			return error;
	}
}

int walk_start_resolved(struct walk *walk, struct fs_context *fs, struct path start,
	const char *path, unsigned int resolve)
{
	walk->root = fs_root(fs);
	walk->at = start;
	walk->rest = path;
	walk->resolve = resolve;
	walk->directory = walk->jumped = false;
	walk->kind = LAST_ROOT;
	walk->links = walk->depth = walk->pending = 0;
	if (!*path)
		return -ENOENT;
	if (*path == '/' && !(resolve & RESOLVE_IN_ROOT)) {
		path_put(&walk->at);
		walk->at = walk->root;
		path_get(&walk->at);
		return resolve & RESOLVE_BENEATH ? -EXDEV : 0;
	}
	if (!is_directory(walk->at.dentry->inode))
		return -ENOTDIR;
	if (resolve & RESOLVE_SCOPED) {
		path_put(&walk->root);
		walk->root = walk->at;
		path_get(&walk->root);
	}
	return 0;
}

int walk_start(struct walk *walk, struct fs_context *fs, struct path start, const char *path)
{
	return walk_start_resolved(walk, fs, start, path, 0);
}

void walk_end(struct walk *walk)
{
	while (walk->depth)
		pop(walk);
	path_put(&walk->root);
	path_put(&walk->at);
}

int walk_follow(struct walk *walk, struct dentry *link)
{
	int error = protected_may_follow(walk->at.dentry->inode, link->inode);

	if (unlikely(error) && walk->links < LINKS_MAX) {
		dentry_put(link);
		return error;
	}
	error = push(walk, link);

	return error ? error : walk_parent(walk);
}

int walk_last(struct walk *walk, enum walk_flags flags, struct path *out)
{
	struct dentry *dentry;
	int error;

	for (;;) {
		error = walk->kind == LAST_DOTDOT ? step_up(walk) : 0;
		if (error)
			return error;
		if (walk->kind != LAST_NORMAL) {
			*out = walk->at;
			path_get(out);
			return 0;
		}
		error = find_entry(walk, &walk->last, &dentry);
		if (error)
			return error;
		if (!S_ISLNK(dentry->inode->mode) || !(flags & WALK_FOLLOW || walk->directory))
			break;
		error = walk_follow(walk, dentry);
		if (error)
			return error;
	}
	if (walk->directory && !is_directory(dentry->inode)) {
		dentry_put(dentry);
		return -ENOTDIR;
	}
	mount_get(walk->at.mount);
	*out = (struct path){walk->at.mount, dentry};
	mount_descend(out);
	error = walk_check_mount(walk, walk->at.mount, out->mount);
	if (error)
		path_put(out);
	return error;
}

int path_walk_resolved(struct fs_context *fs, struct path start, const char *path,
	enum walk_flags flags, unsigned int resolve, struct path *out)
{
	struct walk walk;
	int error;

	if (!*path && flags & WALK_EMPTY) {
		*out = start;
		return 0;
	}
	error = walk_start_resolved(&walk, fs, start, path, resolve);
	if (!error)
		error = walk_parent(&walk);
	if (!error)
		error = walk_last(&walk, flags, out);
	walk_end(&walk);
	return error;
}

int path_walk(struct fs_context *fs, struct path start, const char *path, enum walk_flags flags,
	struct path *out)
{
	return path_walk_resolved(fs, start, path, flags, 0, out);
}

int path_find(struct fs_context *fs, struct path start, const char *path, enum walk_flags flags,
	struct path *out)
{
	if (!path_find_cached(fs, &start, path, out))
		return path_walk(fs, start, path, flags, out);
	path_put(&start);
	return 0;
}
