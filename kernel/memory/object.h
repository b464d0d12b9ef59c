/* SPDX-License-Identifier: MIT */
/*
 * Memory objects: what every mapping is of. An object has pages by index; its filler gives the
 * ones that are missing. A file's data is an object, and read, write, mmap and exec share its pages.
 * See object.c.
 */
#ifndef MEMORY_OBJECT_H
#define MEMORY_OBJECT_H

#include "lib/list.h"
#include "lib/lock.h"
#include "lib/radix.h"
#include "lib/types.h"
#include "memory/pages.h"

struct object;

struct inode;

/* What an object is called in /proc/PID/maps. */
struct object_name {
	uint64_t device, number;
	struct inode *inode; /* a file's, there as long as the object is; NULL: `text` names it */
	char text[32];
};

struct object_operations {
	/* Gives page `index` its content. `frame` is zeroed and not in the object yet; it may be
	 * thrown away, when another thread filled the same page first or the object was cut shorter
	 * meanwhile. Called without spin locks; may sleep. NULL: zeroes are the content (tmpfs,
	 * shared anonymous). */
	int (*fill)(struct object *object, uint64_t index, struct frame *frame);
	/* The last reference is gone and all pages are dropped: free what holds the object. NULL:
	 * nothing to do. */
	void (*release)(struct object *object);
	/* There is one VMA more of it, or one less, which still has its reference: for who counts
	 * them. Called under the space's lock, without spin locks; must not sleep. NULL: nobody. */
	void (*mapped)(struct object *object);
	void (*unmapped)(struct object *object);
	/* A shared mapping's page is touched for the first time, by a write: files' times change. Called
	 * under the space's lock, without spin locks; must not sleep. NULL: it has none. */
	void (*written)(struct object *object);
	/* A shared mapping's page is put into the tables and may be written from now on. As `written`. */
	void (*touched)(struct object *object, uint64_t index);
	/* A page more is to be in it: 0, or the errno (ENOSPC). And `count` pages less are. Called without
	 * spin locks. NULL: nobody counts. */
	int (*charge)(struct object *object);
	void (*uncharge)(struct object *object, unsigned count);
	/* Says what it is. No locks are taken. NULL: memory without a name. */
	void (*describe)(struct object *object, struct object_name *out);
};

struct object {
	const struct object_operations *operations;
	uint32_t references;  /* atomic */
	struct spinlock lock; /* guards pages, page_count, size, cuts, mappings */
	struct radix pages;   /* index -> struct frame *, one reference each */
	uint64_t page_count;  /* pages present */
	uint64_t size;        /* bytes; a fault at or past the last page is SIGBUS */
	uint64_t cuts;        /* how often it was made shorter */
	struct list mappings; /* VMAs of it */
	/* Of a file: F_SEAL_*, changed with the file's lock too; and how many are about to map it so that it
	 * can be written (object_map.c). */
	uint32_t seals, sharing;
};

/* Pages of objects without a filler: what is in no file but in memory alone. Atomic. */
extern uint64_t object_shmem_pages;

/* With one reference, the caller's. `operations` NULL: a plain object of zeroes. */
void object_init(struct object *object, const struct object_operations *operations, uint64_t size);
void object_get(struct object *object);
void object_put(struct object *object);

/* The page at `index`, made by fill when missing, with a reference for the caller.
 * 0, -ENOMEM, or fill's errno. Does not look at size. */
int object_page(struct object *object, uint64_t index, struct frame **out) MUST_CHECK;
/* The same, but NULL in *out where there is none and zeroes would be its content: a hole. */
int object_peek(struct object *object, uint64_t index, struct frame **out) MUST_CHECK;
/* The same of an object without a filler; NULL: a hole. */
static inline struct frame *MUST_CHECK object_peek_memory(struct object *object, uint64_t index)
{
	struct frame *frame;

	spin_lock(&object->lock);
	frame = radix_get(&object->pages, index);
	if (likely(frame))
		frame_get(frame);
	spin_unlock(&object->lock);
	return frame;
}
/* Gives the object a single page that already has its content (and zeroes past the object's end);
 * takes over the caller's reference, if 0 is returned. -EEXIST: there is one; -ENOMEM. */
int object_adopt(struct object *object, uint64_t index, struct frame *frame) MUST_CHECK;
/* Changes size. When it becomes shorter, drops the pages past the end and clears the rest of the
 * last one; the caller has unmapped them from all VMAs before. */
void object_truncate(struct object *object, uint64_t size);
/* Drops pages, which their mappings keep: see object_punch. */
void object_drop(struct object *object, uint64_t first, uint64_t count);
/* Drops pages and their mappings (the VMAs stay), so that zeroes are there: -EOPNOTSUPP where a filler
 * would bring them back. Sleeps. */
int object_punch(struct object *object, uint64_t first, uint64_t count) MUST_CHECK;
bool object_has(struct object *object, uint64_t index); /* the page is in memory */
enum unmap_copies { KEEP_COPIES, UNMAP_COPIES }; /* what private mappings have of their own */
/* Takes `count` pages from `first` on out of every address space that maps them (the VMAs stay: later
 * touches fault again). Sleeps: called with the file's lock, without spin locks. Address spaces' own. */
void object_unmap_range(
	struct object *object, uint64_t first, uint64_t count, enum unmap_copies copies);
void object_unmap(struct object *object, uint64_t first); /* all from there on */
/* Around the making of a shared mapping that is, or may become, writable. False: that is sealed. */
bool object_begin_sharing(struct object *object) MUST_CHECK;
void object_end_sharing(struct object *object);
/* Adds seals. -EBUSY: F_SEAL_WRITE, and there is such a mapping. */
int object_seal(struct object *object, uint32_t seals) MUST_CHECK;

#endif
