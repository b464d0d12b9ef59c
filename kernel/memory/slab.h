/* SPDX-License-Identifier: MIT */
/* Small objects: caches of one size, and kmalloc over caches of a few sizes. See slab.c. */
#ifndef MEMORY_SLAB_H
#define MEMORY_SLAB_H

#include "lib/kasan.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"

struct frame;

#define SLAB_DEFAULT_ALIGN 16
#define FRONT_MOST         (BATON_KASAN ? 64 : 16)

struct cache {
	const char *name;
	struct spinlock lock; /* guards what follows */
	uint32_t object_size, align;
	uint32_t stride; /* bytes from object to object; 0: not laid out yet */
	uint32_t per_slab, slab_order;
	phys_t slab_mask;     /* a physical address in a slab to the slab's own */
	uint32_t front_count; /* objects in front[], which were freed and are given out first */
	uint32_t front_most;
	struct list list;      /* of all caches that ever had a slab */
	struct frame *partial; /* slabs with objects given out and others left; NULL: none */
	struct frame *spare;   /* a slab with no object given out; NULL: none */
	uint64_t objects;      /* given out, or in the front */
	uint64_t slabs;        /* the spare one included */
	void *front[FRONT_MOST];
};

/* A cache made at compile time: static struct cache c = CACHE_INIT("name", size, 0); */
#define CACHE_INIT(n, s, a)                                         \
	{                                                           \
		.name = (n), .object_size = (uint32_t)(s),          \
		.align = (uint32_t)((a) ? (a) : SLAB_DEFAULT_ALIGN) \
	}

/* `cache` is the caller's memory (usually static), `name` stays the caller's. size: 1 byte to
 * 16 KiB. align: a power of two up to 4096; at least 16 is given. Once for each cache, which lives
 * for ever. */
void cache_init(struct cache *cache, const char *name, size_t size, size_t align);
void *cache_alloc(struct cache *cache) MUST_CHECK; /* zeroed; NULL: no memory */
void cache_free(struct cache *cache, void *object);
void *cache_alloc_raw(struct cache *cache) MUST_CHECK; /* the same, not zeroed */
/* Up to `count` objects at once, not zeroed: how many. */
unsigned cache_alloc_many(struct cache *cache, void **objects, unsigned count) MUST_CHECK;
void cache_free_many(struct cache *cache, void *const *objects, unsigned count);
/* Gives back the front and the spare slab. A cache without objects then holds no memory. */
void cache_shrink(struct cache *cache);
void slab_shrink(void); /* the same for all caches */

/* Any size up to 4 MiB; more than half a page comes in whole pages. 16-byte aligned. Not zeroed.
 * NULL: no memory, or too large. */
void *kmalloc(size_t size) MUST_CHECK;
void *kzalloc(size_t size) MUST_CHECK;
void kfree(void *p); /* NULL is fine */

/* Numbers of a cache: objects given out, objects there is room for. */
struct slab_numbers {
	const char *name;
	uint64_t active, objects, slabs;
	uint32_t object_size, per_slab, slab_order;
};
/* Of the nth cache that ever had a slab; false: there are fewer. */
bool slab_numbers(unsigned nth, struct slab_numbers *out) MUST_CHECK;

/* Where an address lies: byte `offset` of an object of that cache, or behind it. Takes no lock: for a panic.
 * False: in no slab. */
struct slab_place {
	const char *name;
	uint32_t offset, size;
};
bool slab_place(const void *at, struct slab_place *out) MUST_CHECK;

/* For tests: NULL or the first broken invariant in words. */
const char *slab_audit(void);

#endif
