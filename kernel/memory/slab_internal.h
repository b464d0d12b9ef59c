/* SPDX-License-Identifier: MIT */
/* What slab.c and its audit share: how a free object looks, and where objects lie. */
#ifndef MEMORY_SLAB_INTERNAL_H
#define MEMORY_SLAB_INTERNAL_H

#include "arch/arch.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"

#ifndef BATON_DEBUG
#define BATON_DEBUG 0
#endif

#define ORDER_MAX     3 /* of a slab */

#define FREE_MARK     UINT64_C(0x6272616e6420f1ee)
#define POISON        ((uint8_t)0x6b)
#define RED_ZONE      ((uint8_t)0xbb)
#define RED_ZONE_SIZE ((size_t)(BATON_DEBUG || BATON_KASAN ? 16 : 0))

/* What a free object's first bytes are. */
struct free_object {
	uint64_t next; /* index + 1; 0: end */
	uint64_t mark; /* address ^ FREE_MARK */
};

extern struct spinlock caches_lock;
extern struct list caches guarded_by(caches_lock);

static inline struct frame *slab_frame(uint32_t number)
{
	return phys_frame((phys_t)number << PAGE_SHIFT);
}

static inline uint32_t slab_number(const struct frame *slab)
{
	return (uint32_t)(frame_phys(slab) >> PAGE_SHIFT);
}

static inline char *object_at(const struct cache *cache, const struct frame *slab, uint32_t index)
{
	return (char *)frame_ptr(slab) + (size_t)index * cache->stride;
}

/* The slab that an object of the cache lies in; NULL: no such memory. */
static inline struct frame *slab_of(const struct cache *cache, const void *object)
{
	return phys_frame(arch_ptr_to_phys(object) & cache->slab_mask);
}

static inline bool is_marked(const struct free_object *link)
{
	return link->mark == ((uintptr_t)link ^ FREE_MARK);
}

/* The debug build's fillings and checks. Behind its first bytes a free object is all POISON; from
 * the object's end to the next object lies the red zone. */
static inline void fill(char *object, size_t from, size_t to, uint8_t byte)
{
	if (BATON_DEBUG && from < to)
		memset(object + from, byte, to - from);
}

static inline void check_filling(
	const struct cache *cache, const char *object, size_t from, size_t to, uint8_t byte)
{
	if (!BATON_DEBUG)
		return;
	for (size_t i = from; i < to; i++) {
		if ((uint8_t)object[i] != byte)
			panic("slab %s: object %p of %u bytes was written %s, at byte %zu: %#x, "
			      "expected %#x",
				cache->name, (const void *)object, cache->object_size,
				byte == POISON ? "after it was freed" : "past its end", i,
				(uint8_t)object[i], byte);
	}
}

#endif
