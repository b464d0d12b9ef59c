/* SPDX-License-Identifier: MIT */
/* Small objects: caches of one size, and kmalloc over caches of a few sizes. See slab.c. */
#ifndef MEMORY_SLAB_H
#define MEMORY_SLAB_H

#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"

struct cache {
	const char *name;
	struct spinlock lock;
	uint32_t object_size, align;
	uint32_t per_slab, slab_order;
	struct list list;      /* of all caches */
	struct frame *partial; /* slabs with free objects */
	uint64_t objects, slabs;
};

/* `cache` is the caller's memory (usually static). align: a power of two, 0 for the default of 16. */
void cache_init(struct cache *cache, const char *name, size_t size, size_t align);
void *cache_alloc(struct cache *cache) MUST_CHECK; /* zeroed; NULL: no memory */
void cache_free(struct cache *cache, void *object);

/* Any size up to 4 MiB; more than half a page comes in whole pages. NULL: no memory. */
void *kmalloc(size_t size) MUST_CHECK;
void *kzalloc(size_t size) MUST_CHECK;
void kfree(void *p); /* NULL is fine */

/* For tests: NULL or the first broken invariant in words. */
const char *slab_audit(void);

#endif
