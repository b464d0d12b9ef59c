/* SPDX-License-Identifier: MIT */
/*
 * tmpfs: files in memory. The root, /tmp and, with other inodes in it, /dev.
 *
 * A regular file's data is a memory object, embedded in the inode's memory; read, write, mmap and
 * exec share its pages, holes are pages that are not there. The memory goes when both the last
 * reference to the inode and the last one to the object (mappings) are gone: the inode owns one
 * reference to the object, and the object's release frees all.
 *
 * A directory's entries are dentries that stay in the dentry cache, pinned by one reference each. A
 * radix tree from cookie to dentry gives readdir its order, the newest first as on Linux: cookies only
 * grow, so a position in the directory, which says from which cookie on down it is to be read, stays valid
 * whatever is made and removed meanwhile, and going on from it costs nothing.
 *
 * Locks: the directories' locks are held by the caller of every function that changes entries, and
 * by readdir. See vfs.h.
 */
#include "files/attributes.h"
#include "files/tmpfs.h"

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/radix.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/current.h"

#define FIRST_COOKIE  2u /* 0 and 1 are `.` and `..` in getdents' positions, 2 is the newest entry */
#define LAST_POSITION (1ll << 62) /* the cookie before which to go on is this less the position */
#define ENTRY_SIZE    20u         /* what Linux's tmpfs counts an entry as in a directory's size */

struct tmpfs_inode {
	struct inode inode;
	union {
		struct object object; /* regular files */
		struct {
			struct radix entries; /* cookie -> struct dentry */
			uint64_t count, next_cookie;
		} directory;
		char *link_text;
	};
};

static struct cache inodes = CACHE_INIT("tmpfs inode", sizeof(struct tmpfs_inode), 0);

static struct tmpfs_inode *tmpfs_of(struct inode *inode)
{
	return container_of(inode, struct tmpfs_inode, inode);
}

static void free_inode(struct tmpfs_inode *file)
{
	struct superblock *superblock = file->inode.superblock;

	cache_free(&inodes, file);
	tmpfs_uncharge_inode(superblock);
	superblock_put(superblock);
}

static void free_by_object(struct object *object)
{
	free_inode(container_of(object, struct tmpfs_inode, object));
}

static struct inode *inode_of(struct object *object)
{
	return &container_of(object, struct tmpfs_inode, object)->inode;
}

static void data_mapped(struct object *object)
{
	inode_mapped(inode_of(object));
}

static void data_unmapped(struct object *object)
{
	inode_unmapped(inode_of(object));
}

static void data_written(struct object *object)
{
	inode_touch_modified(inode_of(object));
}

static int charge_data(struct object *object)
{
	return tmpfs_charge_page(inode_of(object)->superblock);
}

static void uncharge_data(struct object *object, unsigned count)
{
	tmpfs_uncharge_pages(inode_of(object)->superblock, count);
}

static void describe_data(struct object *object, struct object_name *out)
{
	struct inode *inode = inode_of(object);

	out->device = inode->superblock->device;
	out->number = inode->number;
	out->inode = inode;
}

static const struct object_operations data_operations = {
	.release = free_by_object,
	.charge = charge_data,
	.uncharge = uncharge_data,
	.mapped = data_mapped,
	.unmapped = data_unmapped,
	.written = data_written,
	.describe = describe_data,
};

static void tmpfs_release(struct inode *inode)
{
	struct tmpfs_inode *file = tmpfs_of(inode);

	if (S_ISREG(inode->mode)) {
		object_put(&file->object);
		return;
	}
	if (S_ISLNK(inode->mode))
		kfree(file->link_text);
	if (S_ISFIFO(inode->mode) && inode->driver)
		fifo_release(inode);
	free_inode(file);
}

static const char *tmpfs_link_text(struct inode *inode)
{
	return tmpfs_of(inode)->link_text;
}

static int tmpfs_truncate(struct inode *inode, uint64_t size)
{
	struct tmpfs_inode *file = tmpfs_of(inode);

	if (!S_ISREG(inode->mode))
		return -EINVAL;
	if ((size < file->object.size && file->object.seals & F_SEAL_SHRINK) ||
		(size > file->object.size && file->object.seals & F_SEAL_GROW))
		return -EPERM;
	if (size >= file->object.size) {
		object_truncate(&file->object, size);
		return 0;
	}
	object_unmap(&file->object, DIV_ROUND_UP(size, PAGE_SIZE));
	object_truncate(&file->object, size);
	/* Once more, for what was touched before the size had changed. */
	object_unmap(&file->object, DIV_ROUND_UP(size, PAGE_SIZE));
	return 0;
}

static void tmpfs_measure(struct inode *inode, uint64_t *size, uint64_t *blocks)
{
	struct tmpfs_inode *file = tmpfs_of(inode);

	*size = 0;
	*blocks = 0;
	if (S_ISDIR(inode->mode))
		*size = (2 + file->directory.count) * ENTRY_SIZE;
	else if (S_ISLNK(inode->mode))
		*size = strlen(file->link_text);
}

/* Enters a dentry into a directory's order. */
static int enter(struct inode *directory, struct dentry *dentry)
{
	struct tmpfs_inode *where = tmpfs_of(directory);
	uint64_t cookie = where->directory.next_cookie;
	int error = radix_put(&where->directory.entries, cookie, dentry);

	if (error)
		return error;
	dentry->cookie = cookie;
	where->directory.next_cookie++;
	where->directory.count++;
	return 0;
}

static void leave(struct inode *directory, const struct dentry *dentry)
{
	struct tmpfs_inode *where = tmpfs_of(directory);
	void *was = radix_remove(&where->directory.entries, dentry->cookie);

	assert(was == dentry);
	where->directory.count--;
}

static uint8_t inherited(const struct inode *directory)
{
	return __atomic_load_n(&directory->attributes, __ATOMIC_RELAXED) & ATTRIBUTES_INHERITED;
}

static int tmpfs_make(struct inode *directory, struct dentry *dentry, const struct new_inode *what)
{
	struct inode *inode;
	int error = tmpfs_inode_create(directory->superblock, what, &inode);

	if (error)
		return error;
	inode->attributes = inherited(directory);
	error = enter(directory, dentry);
	if (error) {
		inode_put(inode);
		return error;
	}
	dentry->inode = inode;
	dentry_get(dentry); /* the tree's */
	if (S_ISDIR(what->mode))
		directory->links++;
	return 0;
}

static int tmpfs_make_nameless(
	struct inode *directory, const struct new_inode *what, struct inode **out)
{
	int error = tmpfs_inode_create(directory->superblock, what, out);

	if (error)
		return error;
	(*out)->links = 0;
	(*out)->attributes = inherited(directory);
	return 0;
}

static int tmpfs_link(struct inode *directory, struct dentry *dentry, struct inode *inode)
{
	/* Each name but the first counts as an inode, as on Linux. */
	int error = inode->links ? tmpfs_charge_inode(inode->superblock) : 0;

	if (error)
		return error;
	error = enter(directory, dentry);
	if (error) {
		if (inode->links)
			tmpfs_uncharge_inode(inode->superblock);
		return error;
	}
	inode_get(inode);
	dentry->inode = inode;
	dentry_get(dentry);
	inode->links++;
	return 0;
}

/* The name is gone from the tree: what it counted for goes too. */
static void drop_entry(struct inode *directory, struct dentry *dentry)
{
	struct inode *inode = dentry->inode;

	leave(directory, dentry);
	if (is_directory(inode)) {
		directory->links--;
		inode->links = 0;
	} else if (--inode->links) {
		tmpfs_uncharge_inode(inode->superblock);
	}
	inode->changed = vfs_now();
}

static int tmpfs_remove(struct inode *directory, struct dentry *dentry)
{
	drop_entry(directory, dentry);
	dentry_unhash(dentry);
	dentry_put(dentry); /* the tree's */
	return 0;
}

static int tmpfs_rename(struct inode *from_directory, struct dentry *from,
	struct inode *to_directory, struct dentry *to)
{
	uint64_t old = from->cookie;
	int error = enter(to_directory, from); /* all that can fail */
	void *was;

	if (error)
		return error;
	was = radix_remove(&tmpfs_of(from_directory)->directory.entries, old);
	assert(was == from);
	tmpfs_of(from_directory)->directory.count--;
	if (to->inode)
		drop_entry(to_directory, to);
	if (is_directory(from->inode) && from_directory != to_directory) {
		from_directory->links--;
		to_directory->links++;
	}
	dentry_move(from, to);
	if (to->inode)
		dentry_put(to); /* the tree's, of what was replaced */
	return 0;
}

/* The directories stay as large as they were; each entry takes the other's cookie, so nothing can fail. */
static int tmpfs_exchange(
	struct inode *a_directory, struct dentry *a, struct inode *b_directory, struct dentry *b)
{
	struct radix *a_entries = &tmpfs_of(a_directory)->directory.entries;
	struct radix *b_entries = &tmpfs_of(b_directory)->directory.entries;
	uint64_t cookie = a->cookie;

	radix_replace(a_entries, a->cookie, b);
	radix_replace(b_entries, b->cookie, a);
	a->cookie = b->cookie;
	b->cookie = cookie;
	if (is_directory(a->inode) && !is_directory(b->inode)) {
		a_directory->links--;
		b_directory->links++;
	} else if (!is_directory(a->inode) && is_directory(b->inode)) {
		a_directory->links++;
		b_directory->links--;
	}
	dentry_exchange(a, b);
	return 0;
}

static bool tmpfs_is_empty(struct inode *directory)
{
	return tmpfs_of(directory)->directory.count == 0;
}

static const struct inode_operations tmpfs_operations = {
	.make = tmpfs_make,
	.make_nameless = tmpfs_make_nameless,
	.link = tmpfs_link,
	.remove = tmpfs_remove,
	.rename = tmpfs_rename,
	.exchange = tmpfs_exchange,
	.is_empty = tmpfs_is_empty,
	.link_text = tmpfs_link_text,
	.truncate = tmpfs_truncate,
	.allocate = tmpfs_allocate,
	.measure = tmpfs_measure,
	.release = tmpfs_release,
};

static const struct file_operations *operations_for(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return &tmpfs_file_operations;
	case S_IFDIR:
		return &tmpfs_directory_operations;
	case S_IFIFO:
		return &fifo_file_operations;
	case S_IFCHR:
		return &device_file_operations;
	default:
		return NULL;
	}
}

/* Memory for an inode and, of a symbolic link, its text. */
static struct tmpfs_inode *allocate(const struct new_inode *what)
{
	struct tmpfs_inode *file = cache_alloc(&inodes);
	size_t size;

	if (!file || !S_ISLNK(what->mode))
		return file;
	size = strlen(what->link_text) + 1;
	file->link_text = kmalloc(size);
	if (!file->link_text) {
		cache_free(&inodes, file);
		return NULL;
	}
	memcpy(file->link_text, what->link_text, size);
	return file;
}

int tmpfs_inode_create(
	struct superblock *superblock, const struct new_inode *what, struct inode **out)
{
	struct tmpfs_inode *file;
	int error = tmpfs_charge_inode(superblock);

	if (error)
		return error;
	file = allocate(what);
	if (!file) {
		tmpfs_uncharge_inode(superblock);
		return -ENOMEM;
	}
	superblock_get(superblock);
	inode_init(&file->inode, superblock, what);
	file->inode.operations = &tmpfs_operations;
	file->inode.file_operations = operations_for(what->mode);
	if (S_ISREG(what->mode)) {
		object_init(&file->object, &data_operations, 0);
		file->object.seals = F_SEAL_SEAL;
		file->inode.object = &file->object;
	} else if (S_ISDIR(what->mode)) {
		radix_init(&file->directory.entries);
		file->directory.next_cookie = FIRST_COOKIE;
	}
	*out = &file->inode;
	return 0;
}

/* ---- The end of a file system ---- */

static struct dentry *first_entry(struct dentry *directory)
{
	uint64_t cookie = 0;

	return radix_next(&tmpfs_of(directory->inode)->directory.entries, &cookie);
}

void tmpfs_clear(struct superblock *superblock)
{
	struct dentry *at = superblock->root, *entry, *parent;

	for (;;) {
		entry = first_entry(at);
		if (entry && is_directory(entry->inode)) {
			at = entry;
			continue;
		}
		if (!entry && at == superblock->root)
			return;
		parent = entry ? at : at->parent;
		tmpfs_remove(parent->inode, entry ? entry : at);
		at = parent;
		sched_point();
	}
}

/* ---- Reading a directory ---- */

static bool emit_dot(struct file *file, struct entry_sink *sink, int64_t position)
{
	struct inode *inode = file->inode;
	struct dentry *parent;
	uint64_t number;

	if (position == 0)
		return sink->emit(sink, ".", 1, inode->number, S_IFDIR, 1);
	parent = dentry_parent(file->path.dentry);
	number = parent->inode->number;
	dentry_put(parent);
	return sink->emit(sink, "..", 2, number, S_IFDIR, 2);
}

static int tmpfs_iterate(struct file *file, struct entry_sink *sink, int64_t *position)
{
	struct tmpfs_inode *directory = tmpfs_of(file->inode);
	struct radix_walk walk = {0};
	struct dentry *dentry;
	uint64_t left_out = 0;

	for (; *position < FIRST_COOKIE; ++*position)
		if (!emit_dot(file, sink, *position))
			return 0;
	walk.index = directory->directory.next_cookie;
	if (*position >= LAST_POSITION - (int64_t)walk.index)
		walk.index = *position < LAST_POSITION ? (uint64_t)(LAST_POSITION - *position) : 0;
	else /* of a caller's own making: a count, as on Linux */
		left_out = (uint64_t)*position - FIRST_COOKIE;
	while (walk.index > FIRST_COOKIE) {
		walk.index--;
		dentry = radix_walk_back(&directory->directory.entries, &walk);
		if (dentry && left_out) {
			left_out--;
			continue;
		}
		if (!dentry ||
			!sink->emit(sink, dentry->name, dentry->length, dentry->inode->number,
				dentry->inode->mode, LAST_POSITION - (int64_t)walk.index))
			return 0;
		*position = LAST_POSITION - (int64_t)walk.index;
	}
	return 0;
}

const struct file_operations tmpfs_directory_operations = {
	.iterate = tmpfs_iterate,
	.seek = file_seek,
};
