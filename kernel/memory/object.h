/* SPDX-License-Identifier: MIT */
/*
 * Memory objects: what every mapping is of. An object has pages by index; its filler gives the
 * ones that are missing. A file's data is an object, and read, write, mmap and exec share its pages.
 */
#ifndef MEMORY_OBJECT_H
#define MEMORY_OBJECT_H

#include "lib/list.h"
#include "lib/lock.h"
#include "lib/radix.h"
#include "lib/types.h"
#include "memory/pages.h"

struct object;

struct object_operations {
	/* Gives page `index` its content. `frame` is zeroed and not in the object yet. Called without
	 * spin locks; may sleep. NULL as a whole: zeroes are the content (tmpfs, shared anonymous). */
	int (*fill)(struct object *object, uint64_t index, struct frame *frame);
	/* The last reference is gone and all pages are dropped: free what holds the object. */
	void (*release)(struct object *object);
};

struct object {
	const struct object_operations *operations;
	uint32_t references;
	struct spinlock lock; /* guards pages, size, mappings */
	struct radix pages;   /* index -> struct frame *, one reference each */
	uint64_t page_count;  /* pages present */
	uint64_t size;        /* bytes; a fault at or past the last page is SIGBUS */
	struct list mappings; /* VMAs of it */
};

void object_init(struct object *object, const struct object_operations *operations, uint64_t size);
void object_get(struct object *object);
void object_put(struct object *object);

/* The page at `index`, made by fill when missing, with a reference for the caller.
 * 0, -ENOMEM, or fill's errno. Does not look at size. */
int object_page(struct object *object, uint64_t index, struct frame **out) MUST_CHECK;
/* The same, but NULL in *out where there is none: a hole, which reads as zeroes. */
int object_peek(struct object *object, uint64_t index, struct frame **out) MUST_CHECK;
/* Gives the object a frame that already has its content; takes over the caller's reference.
 * -EEXIST: there is one; -ENOMEM. */
int object_adopt(struct object *object, uint64_t index, struct frame *frame) MUST_CHECK;
/* Changes size; drops pages past the end and clears the rest of the last one. The caller has
 * unmapped them from all VMAs before. */
void object_truncate(struct object *object, uint64_t size);

#endif
