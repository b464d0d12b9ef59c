/* SPDX-License-Identifier: MIT */
/*
 * Slabs: objects of one size, packed into pages (Bonwick, USENIX Summer 1994).
 *
 * The problem. The kernel makes and drops many small objects; a page each would waste most of RAM,
 * and a header each would spoil alignment and cache lines.
 *
 * The design. A cache carves slabs (blocks of pages) into objects. What is known of a slab stands
 * in the struct frame of its head, so that nothing but objects lies in its pages and the slab of an
 * object is found from its address: slabs are aligned to their size. Free objects are linked
 * through themselves, by index; those from `fresh` on were never given out, so that a new slab
 * costs nothing to prepare. Slabs with both kinds of objects are on the cache's list; full ones are
 * on none; of empty ones a cache keeps one. kmalloc picks one of ten caches, whose slabs are single
 * pages, and whole pages above 2048 bytes.
 *
 * A free object of 16 bytes or more says so: its second word holds its own address xor-ed with
 * FREE_MARK. Freeing an object that carries the mark is looked into, and a panic if it is on the
 * list. So is freeing what is not an object of that cache, by address.
 *
 * The debug build (meson option debug_kernel) puts a red zone behind each object and fills free
 * ones with POISON; both are checked when an object is freed and given out.
 *
 * Invariants, which slab_audit checks: used + free + never given out = per_slab for each slab; a
 * slab on the list is neither full nor empty; the spare one is empty.
 *
 * Locks. cache->lock guards the cache and its slabs' frames; the list of caches has its own. Inside
 * cache->lock nothing is taken: pages are allocated and freed without it.
 */
#include "memory/slab.h"

#include "arch/arch.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/pages.h"

#ifndef BATON_DEBUG
#define BATON_DEBUG 0
#endif

#define ORDER_MAX     3
#define FREE_MARK     UINT64_C(0x6272616e6420f1ee)
#define POISON        ((uint8_t)0x6b)
#define RED_ZONE      ((uint8_t)0xbb)
#define RED_ZONE_SIZE ((size_t)(BATON_DEBUG ? 16 : 0))
#define KMALLOC_MAX   2048

/* What a free object's first bytes are. */
struct free_object {
	uint64_t next; /* index + 1; 0: end */
	uint64_t mark; /* address ^ FREE_MARK */
};

static struct spinlock caches_lock = SPINLOCK_INIT;
static struct list caches guarded_by(caches_lock) = LIST_INIT(caches);

static struct cache kmalloc_caches[] = {
	CACHE_INIT("kmalloc-16", 16, 0),
	CACHE_INIT("kmalloc-32", 32, 0),
	CACHE_INIT("kmalloc-64", 64, 0),
	CACHE_INIT("kmalloc-96", 96, 0),
	CACHE_INIT("kmalloc-128", 128, 0),
	CACHE_INIT("kmalloc-192", 192, 0),
	CACHE_INIT("kmalloc-256", 256, 0),
	CACHE_INIT("kmalloc-512", 512, 0),
	CACHE_INIT("kmalloc-1024", 1024, 0),
	CACHE_INIT("kmalloc-2048", 2048, 0),
};

/* ---- Frames by number, and the list of slabs ---- */

static struct frame *slab_frame(uint32_t number)
{
	return phys_frame((phys_t)number << PAGE_SHIFT);
}

static uint32_t slab_number(const struct frame *slab)
{
	return (uint32_t)(frame_phys(slab) >> PAGE_SHIFT);
}

static void partial_push(struct cache *cache, struct frame *slab) requires(cache->lock)
{
	slab->slab.next = cache->partial ? slab_number(cache->partial) : 0;
	slab->slab.prev = 0;
	if (cache->partial)
		cache->partial->slab.prev = slab_number(slab);
	cache->partial = slab;
}

static void partial_remove(struct cache *cache, struct frame *slab) requires(cache->lock)
{
	uint32_t next = slab->slab.next, prev = slab->slab.prev;

	if (next)
		slab_frame(next)->slab.prev = prev;
	if (prev)
		slab_frame(prev)->slab.next = next;
	else
		cache->partial = next ? slab_frame(next) : NULL;
	slab->slab.next = slab->slab.prev = 0;
}

/* ---- Layout ---- */

static bool waste_is_small(size_t stride, unsigned order)
{
	size_t size = PAGE_SIZE << order;

	return size >= stride && size % stride <= size / 8;
}

/* Lays a cache out at its first slab, and puts it on the list of all. */
static void cache_lay_out(struct cache *cache)
{
	size_t align = cache->align < SLAB_DEFAULT_ALIGN ? SLAB_DEFAULT_ALIGN : cache->align;
	size_t stride = ALIGN_UP(cache->object_size + RED_ZONE_SIZE, align);
	unsigned order = 0;

	assert(stride <= PAGE_SIZE << ORDER_MAX);
	while (order < ORDER_MAX && !waste_is_small(stride, order))
		order++;
	if (cache >= kmalloc_caches && cache < kmalloc_caches + ARRAY_SIZE(kmalloc_caches))
		order = 0; /* kfree finds slabs of one page only */
	spin_lock(&caches_lock);
	spin_lock(&cache->lock);
	if (!cache->stride) {
		cache->per_slab = (uint32_t)((PAGE_SIZE << order) / stride);
		cache->slab_order = order;
		cache->stride = (uint32_t)stride;
		list_push_back(&caches, &cache->list);
	}
	spin_unlock(&cache->lock);
	spin_unlock(&caches_lock);
}

void cache_init(struct cache *cache, const char *name, size_t size, size_t align)
{
	assert(size > 0 && size <= 4 * PAGE_SIZE && align <= PAGE_SIZE && !(align & (align - 1)));
	*cache = (struct cache)CACHE_INIT(name, size, align);
}

/* ---- Objects ---- */

static char *object_at(const struct cache *cache, const struct frame *slab, uint32_t index)
{
	return (char *)frame_ptr(slab) + (size_t)index * cache->stride;
}

/* The debug build's fillings and checks. Behind its first bytes a free object is all POISON; from
 * the object's end to the next object lies the red zone. */
static void fill(char *object, size_t from, size_t to, uint8_t byte)
{
	if (BATON_DEBUG && from < to)
		memset(object + from, byte, to - from);
}

static void check_filling(
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

/* A free object is given out; the next one's index + 1. */
static inline uint32_t take_link(const struct cache *cache, struct free_object *link)
{
	if (unlikely(link->mark != ((uintptr_t)link ^ FREE_MARK) || link->next > cache->per_slab))
		panic("slab %s: free object %p was written: link %#llx, mark %#llx", cache->name,
			(void *)link, (unsigned long long)link->next,
			(unsigned long long)link->mark);
	check_filling(cache, (char *)link, sizeof(*link), cache->object_size, POISON);
	link->mark = 0;
	return (uint32_t)link->next;
}

/* Takes an object out of a slab that has one. */
static char *slab_take(struct cache *cache, struct frame *slab) requires(cache->lock)
{
	bool fresh = !slab->slab.free;
	uint32_t index = fresh ? slab->slab.fresh++ : slab->slab.free - 1u;
	char *object = object_at(cache, slab, index);

	if (!fresh)
		slab->slab.free = (uint16_t)take_link(cache, (struct free_object *)(void *)object);
	fill(object, cache->object_size, cache->stride, RED_ZONE);
	slab->slab.used++;
	cache->objects++;
	return object;
}

/* The same for `count` of them, which it has: those freed before, then those never given out. */
static void slab_take_many(struct cache *cache, struct frame *slab, void **objects,
	uint32_t count) requires(cache->lock)
{
	char *base = frame_ptr(slab), *object;
	uint32_t next = slab->slab.free, fresh = slab->slab.fresh;
	size_t stride = cache->stride;

	slab->slab.used = (uint16_t)(slab->slab.used + count);
	cache->objects += count;
	for (; count && next; count--) {
		object = base + (next - 1) * stride;
		next = take_link(cache, (struct free_object *)(void *)object);
		fill(object, cache->object_size, stride, RED_ZONE);
		*objects++ = object;
	}
	slab->slab.free = (uint16_t)next;
	slab->slab.fresh = (uint16_t)(fresh + count);
	for (object = base + fresh * stride; count; count--, object += stride) {
		fill(object, cache->object_size, stride, RED_ZONE);
		*objects++ = object;
	}
}

/* There is a slab with an object left on the list, unless false is returned. */
static inline bool cache_has(struct cache *cache) requires(cache->lock)
{
	if (unlikely(!cache->partial)) {
		if (!cache->spare)
			return false;
		partial_push(cache, cache->spare);
		cache->spare = NULL;
	}
	return true;
}

/* An object from the slabs that there are, or NULL. */
static char *cache_take(struct cache *cache) requires(cache->lock)
{
	struct frame *slab;
	char *object;

	if (!cache_has(cache))
		return NULL;
	slab = cache->partial;
	object = slab_take(cache, slab);
	if (slab->slab.used == cache->per_slab)
		partial_remove(cache, slab);
	return object;
}

/* Up to `count` from one slab: how many; 0: there are none. */
static unsigned cache_take_many(struct cache *cache, void **objects, unsigned count) requires(
	cache->lock)
{
	struct frame *slab;
	uint32_t left;

	if (!cache_has(cache))
		return 0;
	slab = cache->partial;
	left = cache->per_slab - slab->slab.used;
	if (left > count)
		left = count;
	slab_take_many(cache, slab, objects, left);
	if (slab->slab.used == cache->per_slab)
		partial_remove(cache, slab);
	return left;
}

/* One more slab, unless somebody was faster. */
static bool cache_grow(struct cache *cache)
{
	struct frame *slab;

	if (unlikely(!cache->stride))
		cache_lay_out(cache);
	slab = pages_alloc(cache->slab_order, FRAME_SLAB, PAGES_NORMAL);
	if (!slab)
		return false;
	slab->slab.cache = cache;
	spin_lock(&cache->lock);
	if (!cache->spare) {
		cache->spare = slab;
		cache->slabs++;
		slab = NULL;
	}
	spin_unlock(&cache->lock);
	if (slab)
		pages_free(slab, cache->slab_order);
	return true;
}

static char *object_alloc(struct cache *cache)
{
	char *object;

	do {
		spin_lock(&cache->lock);
		object = cache_take(cache);
		spin_unlock(&cache->lock);
	} while (unlikely(!object) && cache_grow(cache));
	return object;
}

void *cache_alloc_raw(struct cache *cache)
{
	return object_alloc(cache);
}

void *cache_alloc(struct cache *cache)
{
	char *object = object_alloc(cache);

	if (object)
		memset(object, 0, cache->object_size);
	return object;
}

unsigned cache_alloc_many(struct cache *cache, void **objects, unsigned count)
{
	unsigned done = 0, more;

	do {
		spin_lock(&cache->lock);
		do {
			more = cache_take_many(cache, objects + done, count - done);
			done += more;
		} while (more && done < count);
		spin_unlock(&cache->lock);
	} while (done < count && cache_grow(cache));
	return done;
}

/* The mark is there: chance, or freed before? */
static void check_not_free(
	const struct cache *cache, const struct frame *slab, uint32_t index) requires(cache->lock)
{
	for (uint32_t at = slab->slab.free; at;) {
		const char *object = object_at(cache, slab, at - 1);

		if (at - 1 == index)
			panic("slab %s: object %p freed twice", cache->name, (const void *)object);
		at = (uint32_t)((const struct free_object *)object)->next;
	}
}

/* Puts an object back, which lies `offset` bytes into the slab; the index of it is checked. */
static inline void slab_give(struct cache *cache, struct frame *slab, char *object,
	uint32_t offset) requires(cache->lock)
{
	uint32_t index = offset / cache->stride;
	struct free_object *link = (struct free_object *)(void *)object;

	if (unlikely((uint32_t)offset % cache->stride || index >= slab->slab.fresh ||
		     !slab->slab.used))
		panic("slab %s: %p is not an object of it", cache->name, (void *)object);
	if (unlikely(link->mark == ((uintptr_t)link ^ FREE_MARK)))
		check_not_free(cache, slab, index);
	check_filling(cache, object, cache->object_size, cache->stride, RED_ZONE);
	fill(object, sizeof(*link), cache->object_size, POISON);
	link->next = slab->slab.free;
	link->mark = (uintptr_t)link ^ FREE_MARK;
	slab->slab.free = (uint16_t)(index + 1);
	slab->slab.used--;
	cache->objects--;
}

/* Takes an empty slab off its list: becomes the spare one, or is returned to be freed. */
static struct frame *slab_retire(struct cache *cache, struct frame *slab) requires(cache->lock)
{
	partial_remove(cache, slab);
	if (!cache->spare) {
		cache->spare = slab;
		return NULL;
	}
	cache->slabs--;
	return slab;
}

/* Puts objects back, as many as are of the first one's slab in a row; a slab that is to be freed, or
 * NULL. */
static inline struct frame *give_back(
	struct cache *cache, void *const **objects, void *const *end) requires(cache->lock)
{
	const size_t size = PAGE_SIZE << cache->slab_order;
	void *const *at = *objects;
	phys_t phys = arch_ptr_to_phys(*at), base = phys & ~(phys_t)(size - 1);
	struct frame *slab = phys_frame(base);
	bool was_full;

	if (unlikely(!slab || slab->state != FRAME_SLAB || slab->slab.cache != cache))
		panic("slab %s: %p is not an object of it", cache->name, *at);
	was_full = slab->slab.used == cache->per_slab;
	do {
		slab_give(cache, slab, *at++, (uint32_t)(phys - base));
	} while (at < end && (phys = arch_ptr_to_phys(*at)) - base < size);
	*objects = at;
	if (was_full)
		partial_push(cache, slab);
	return slab->slab.used ? NULL : slab_retire(cache, slab);
}

void cache_free(struct cache *cache, void *object)
{
	void *const *at = &object;
	struct frame *empty;

	spin_lock(&cache->lock);
	empty = give_back(cache, &at, at + 1);
	spin_unlock(&cache->lock);
	if (empty)
		pages_free(empty, cache->slab_order);
}

void cache_free_many(struct cache *cache, void *const *objects, unsigned count)
{
	struct frame *empty = NULL, *next;
	void *const *end = objects + count;

	spin_lock(&cache->lock);
	while (objects < end) {
		struct frame *slab = give_back(cache, &objects, end);

		if (slab) {
			slab->slab.next = empty ? slab_number(empty) : 0;
			empty = slab;
		}
	}
	spin_unlock(&cache->lock);
	for (; empty; empty = next) {
		next = empty->slab.next ? slab_frame(empty->slab.next) : NULL;
		pages_free(empty, cache->slab_order);
	}
}

void cache_shrink(struct cache *cache)
{
	struct frame *spare;

	spin_lock(&cache->lock);
	spare = cache->spare;
	cache->spare = NULL;
	cache->slabs -= spare != NULL;
	spin_unlock(&cache->lock);
	if (spare)
		pages_free(spare, cache->slab_order);
}

/* ---- kmalloc ---- */

/* For sizes up to 192 in steps of 16, by (size - 1) / 16: index into kmalloc_caches. */
static const uint8_t small_sizes[] = {0, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 5};

static struct cache *kmalloc_cache(size_t size)
{
	size_t step = size ? (size - 1) / 16 : 0;
	unsigned index;

	if (step < ARRAY_SIZE(small_sizes))
		index = small_sizes[step];
	else /* 193-256: 6, 257-512: 7, ... */
		index = 5 + 64 - (unsigned)__builtin_clzl((size - 1) >> 7);
	return &kmalloc_caches[index];
}

void *kmalloc(size_t size)
{
	struct frame *frame;
	unsigned order = 0;

	if (size <= KMALLOC_MAX)
		return object_alloc(kmalloc_cache(size));
	if (size > PAGE_SIZE << PAGES_MAX_ORDER)
		return NULL;
	while (PAGE_SIZE << order < size)
		order++;
	frame = pages_alloc(order, FRAME_HEAP, PAGES_NORMAL);
	return frame ? frame_ptr(frame) : NULL;
}

void *kzalloc(size_t size)
{
	void *p = kmalloc(size);

	if (p)
		memset(p, 0, size);
	return p;
}

void kfree(void *p)
{
	struct frame *frame;
	struct cache *cache;

	if (!p)
		return;
	frame = phys_frame(arch_ptr_to_phys(p));
	if (frame && frame->state == FRAME_HEAP && (uintptr_t)p % PAGE_SIZE == 0) {
		pages_free(frame, frame->order);
		return;
	}
	cache = frame && frame->state == FRAME_SLAB ? frame->slab.cache : NULL;
	if (!cache || cache < kmalloc_caches ||
		cache >= kmalloc_caches + ARRAY_SIZE(kmalloc_caches))
		panic("kfree: %p did not come from kmalloc", p);
	cache_free(cache, p);
}

/* ---- Audit ---- */

static const char *audit_slab(const struct cache *cache, const struct frame *slab) requires(
	cache->lock)
{
	uint32_t free = 0;

	if (slab->state != FRAME_SLAB || slab->slab.cache != cache)
		return "a cache has a slab that is not its own";
	if (slab->order != cache->slab_order || slab->slab.fresh > cache->per_slab)
		return "a slab has a wrong size";
	for (uint32_t at = slab->slab.free; at;) {
		const struct free_object *link =
			(const struct free_object *)object_at(cache, slab, at - 1);

		if (at > slab->slab.fresh || link->mark != ((uintptr_t)link ^ FREE_MARK))
			return "a free object is not marked";
		if (++free > cache->per_slab)
			return "a free list runs in a circle";
		check_filling(cache, (const char *)link, sizeof(*link), cache->object_size, POISON);
		at = (uint32_t)link->next;
	}
	return slab->slab.used + free == slab->slab.fresh ? NULL : "objects of a slab are missing";
}

static const struct frame *slab_next(const struct frame *slab)
{
	return slab->slab.next ? slab_frame(slab->slab.next) : NULL;
}

static const char *audit_cache(const struct cache *cache) requires(cache->lock)
{
	uint64_t slabs = 0, objects = 0, full;
	uint32_t previous = 0;
	const struct frame *slab;
	const char *broken;

	for (slab = cache->partial; slab; slab = slab_next(slab)) {
		broken = audit_slab(cache, slab);
		if (broken)
			return broken;
		if (slab->slab.prev != previous)
			return "the links of a list of slabs do not match";
		if (!slab->slab.used || slab->slab.used == cache->per_slab)
			return "an empty or full slab is on the list";
		objects += slab->slab.used;
		slabs++;
		previous = slab_number(slab);
	}
	if (cache->spare) {
		broken = audit_slab(cache, cache->spare);
		if (broken)
			return broken;
		if (cache->spare->slab.used)
			return "the spare slab is not empty";
		slabs++;
	}
	/* The full slabs are on no list. */
	full = cache->slabs - slabs;
	if (cache->slabs < slabs || cache->objects != objects + full * cache->per_slab)
		return "the objects of a cache are miscounted";
	return NULL;
}

const char *slab_audit(void)
{
	const char *broken = NULL;
	struct cache *cache;

	spin_lock(&caches_lock);
	list_for_each(cache, &caches, list)
	{
		spin_lock(&cache->lock);
		broken = audit_cache(cache);
		spin_unlock(&cache->lock);
		if (broken)
			break;
	}
	spin_unlock(&caches_lock);
	return broken;
}
