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
 * Before its slabs each cache has a front: up to FRONT_MOST objects that were freed, which are given
 * out first, without a look at their slabs, to which they count as used (the magazines of Bonwick and
 * Adams, USENIX 2001, though not one for each CPU). It is filled by frees alone; what finds no room
 * in it goes back to its slab.
 *
 * A free object says so: its second word holds its own address xor-ed with FREE_MARK. Freeing an
 * object that carries the mark is looked into, and a panic if it is in the front or on its slab's
 * list. So is freeing what is not an object of that cache, by address.
 *
 * The debug build (meson option debug_kernel) puts a red zone behind each object and fills free
 * ones with POISON; both are checked when an object is freed and given out.
 *
 * Invariants, which slab_audit checks: used + free + never given out = per_slab for each slab; a
 * slab on the list is neither full nor empty; the spare one is empty; what is in the front is marked.
 *
 * With -Dkasan=true (lib/kasan.c) the front is not given out but as what has been in it longest goes to its slab,
 * so that what was freed stays forbidden for some time.
 *
 * Locks. cache->lock guards the cache and its slabs' frames; the list of caches has its own. Inside
 * cache->lock nothing is taken: pages are allocated and freed without it.
 */
#include "memory/slab_internal.h"

#define KMALLOC_MAX  2048
#define SMALL_STRIDE 256 /* of larger objects the front keeps few */
#define LARGE_FRONT  4

struct spinlock caches_lock = SPINLOCK_INIT;
struct list caches guarded_by(caches_lock) = LIST_INIT(caches);

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

/* ---- The list of slabs ---- */

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
		cache->slab_mask = ~(phys_t)((PAGE_SIZE << order) - 1);
		cache->front_most = stride <= SMALL_STRIDE ? FRONT_MOST : LARGE_FRONT;
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

static COLD NORETURN void written(const struct cache *cache, const struct free_object *link)
{
	panic("slab %s: free object %p was written: link %#llx, mark %#llx", cache->name,
		(const void *)link, (unsigned long long)link->next, (unsigned long long)link->mark);
}

/* `size` bytes of it are the user's; what is behind them is nobody's. */
static inline void allow(const struct cache *cache, char *object, size_t size)
{
	if (!BATON_KASAN)
		return;
	kasan_forbid(object, cache->stride, KASAN_PAST_END);
	kasan_allow(object, size);
}

/* A free object is given out. */
static inline void unmark(const struct cache *cache, struct free_object *link)
{
	if (unlikely(!is_marked(link)))
		written(cache, link);
	check_filling(cache, (char *)link, sizeof(*link), cache->object_size, POISON);
	link->mark = 0;
}

/* The same for one of a slab's list; the next one's index + 1. */
static inline uint32_t take_link(const struct cache *cache, struct free_object *link)
{
	unmark(cache, link);
	if (unlikely(link->next > cache->per_slab))
		written(cache, link);
	return (uint32_t)link->next;
}

/* Takes `count` objects out of a slab that has as many: those freed before, then those never given out. */
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
		allow(cache, object, cache->object_size);
		*objects++ = object;
	}
	slab->slab.free = (uint16_t)next;
	slab->slab.fresh = (uint16_t)(fresh + count);
	for (object = base + fresh * stride; count; count--, object += stride) {
		fill(object, cache->object_size, stride, RED_ZONE);
		allow(cache, object, cache->object_size);
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

/* Up to `count` (at least one) from one slab: how many; 0: there are none. */
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
	kasan_forbid(frame_ptr(slab), PAGE_SIZE << cache->slab_order, KASAN_FRESH);
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

/* From the slabs. */
static COLD void *slab_alloc(struct cache *cache)
{
	void *object;
	unsigned got;

	do {
		spin_lock(&cache->lock);
		got = cache_take_many(cache, &object, 1);
		spin_unlock(&cache->lock);
	} while (!got && cache_grow(cache));
	return got ? object : NULL;
}

static inline void *take_object(struct cache *cache)
{
	void *object;

	spin_lock(&cache->lock);
	if (unlikely(!cache->front_count || BATON_KASAN)) {
		spin_unlock(&cache->lock);
		return slab_alloc(cache);
	}
	object = cache->front[--cache->front_count];
	spin_unlock(&cache->lock);
	unmark(cache, object);
	return object;
}

void *cache_alloc_raw(struct cache *cache)
{
	return ALLOC_FAILS() ? NULL : take_object(cache);
}

void *cache_alloc(struct cache *cache)
{
	void *object = ALLOC_FAILS() ? NULL : take_object(cache);

	return likely(object) ? memset(object, 0, cache->object_size) : NULL;
}

unsigned cache_alloc_many(struct cache *cache, void **objects, unsigned count)
{
	unsigned done = 0, more;

	if (ALLOC_FAILS())
		return 0;

	do {
		spin_lock(&cache->lock);
		for (; done < count && cache->front_count && !BATON_KASAN; done++) {
			objects[done] = cache->front[--cache->front_count];
			unmark(cache, objects[done]);
		}
		while (done < count &&
			(more = cache_take_many(cache, objects + done, count - done)) > 0)
			done += more;
		spin_unlock(&cache->lock);
	} while (done < count && cache_grow(cache));
	return done;
}

/* The mark is there: chance, or freed before? */
static COLD void check_not_free(const struct cache *cache, const struct frame *slab,
	const char *object) requires(cache->lock)
{
	bool found = false;

	for (uint32_t i = 0; i < cache->front_count; i++)
		found |= cache->front[i] == object;
	for (uint32_t at = slab->slab.free; at && !found;) {
		const char *other = object_at(cache, slab, at - 1);

		found = other == object;
		at = (uint32_t)((const struct free_object *)other)->next;
	}
	if (found)
		panic("slab %s: object %p freed twice", cache->name, (const void *)object);
}

static COLD NORETURN void not_an_object(const struct cache *cache, const void *object)
{
	panic("slab %s: %p is not an object of it", cache->name, object);
}

/* Whether such an object lies in the slab. */
static inline bool is_slab_of(const struct cache *cache, const struct frame *slab)
{
	return likely(slab && slab->state == FRAME_SLAB && slab->slab.cache == cache);
}

/* Whether there was given out an object that far into a slab: its index. */
static inline bool is_object(
	const struct cache *cache, const struct frame *slab, uint32_t offset, uint32_t *index)
{
	*index = offset / cache->stride;
	return likely(!(offset % cache->stride) && *index < slab->slab.fresh && slab->slab.used);
}

static inline void mark(const struct cache *cache, char *object)
{
	struct free_object *link = (struct free_object *)(void *)object;

	check_filling(cache, object, cache->object_size, cache->stride, RED_ZONE);
	fill(object, sizeof(*link), cache->object_size, POISON);
	kasan_forbid(object, cache->stride, KASAN_FREED);
	link->mark = (uintptr_t)link ^ FREE_MARK;
}

/* Takes an empty slab off its list: becomes the spare one, or is put on the list `empty` of those to
 * be freed. */
static void slab_retire(struct cache *cache, struct frame *slab, struct frame **empty) requires(
	cache->lock)
{
	partial_remove(cache, slab);
	if (!cache->spare) {
		cache->spare = slab;
		return;
	}
	cache->slabs--;
	slab->slab.next = *empty ? slab_number(*empty) : 0;
	*empty = slab;
}

/* `count` objects came back to the list of their slab. */
static void slab_gets(struct cache *cache, struct frame *slab, uint32_t count,
	struct frame **empty) requires(cache->lock)
{
	bool was_full = slab->slab.used == cache->per_slab;

	slab->slab.used = (uint16_t)(slab->slab.used - count);
	cache->objects -= count;
	if (was_full)
		partial_push(cache, slab);
	if (!slab->slab.used)
		slab_retire(cache, slab, empty);
}

static inline void put_link(struct frame *slab, void *object, uint32_t index)
{
	((struct free_object *)object)->next = slab->slab.free;
	slab->slab.free = (uint16_t)(index + 1);
}

/* Puts objects back, as many as are of the first one's slab in a row: where the rest begins. */
static void *const *give_run(struct cache *cache, void *const *at, void *const *end,
	struct frame **empty) requires(cache->lock)
{
	phys_t phys = arch_ptr_to_phys(*at), base = phys & cache->slab_mask,
	       size = -cache->slab_mask;
	struct frame *slab = phys_frame(base);
	void *const *first = at;

	if (!is_slab_of(cache, slab))
		not_an_object(cache, *at);
	do {
		uint32_t index;

		if (!is_object(cache, slab, (uint32_t)(phys - base), &index))
			not_an_object(cache, *at);
		if (unlikely(is_marked(*at)))
			check_not_free(cache, slab, *at);
		mark(cache, *at);
		put_link(slab, *at, index);
		at++;
	} while (at < end && (phys = arch_ptr_to_phys(*at)) - base < size);
	slab_gets(cache, slab, (uint32_t)(at - first), empty);
	return at;
}

static void free_slabs(const struct cache *cache, struct frame *empty)
{
	struct frame *next;

	for (; empty; empty = next) {
		next = empty->slab.next ? slab_frame(empty->slab.next) : NULL;
		pages_free(empty, cache->slab_order);
	}
}

static COLD void free_to_slab(struct cache *cache, void *object)
{
	void *const *at = &object;
	struct frame *empty = NULL;

	spin_lock(&cache->lock);
	give_run(cache, at, at + 1, &empty);
	spin_unlock(&cache->lock);
	free_slabs(cache, empty);
}

/* The object goes into the full front, and what has been there longest comes out of it. */
static COLD void *front_exchange(struct cache *cache, void *object) requires(cache->lock)
{
	void *oldest = cache->front[0];

	memmove(cache->front, cache->front + 1, (cache->front_count - 1) * sizeof(cache->front[0]));
	mark(cache, object);
	cache->front[cache->front_count - 1] = object;
	return oldest;
}

/* `slab` is that of the object's address. It is looked at without the lock: who frees an object has
 * it, so that its slab stays one; and `fresh` does but grow. */
static inline void free_object(struct cache *cache, const struct frame *slab, void *object)
{
	uint32_t offset = (uint32_t)(arch_ptr_to_phys(object) & ~cache->slab_mask), index;

	if (!is_slab_of(cache, slab) || !is_object(cache, slab, offset, &index))
		not_an_object(cache, object);
	spin_lock(&cache->lock);
	if (unlikely(cache->front_count >= cache->front_most || is_marked(object))) {
		if (BATON_KASAN && !is_marked(object))
			object = front_exchange(cache, object);
		spin_unlock(&cache->lock);
		free_to_slab(cache, object);
		return;
	}
	mark(cache, object);
	cache->front[cache->front_count++] = object;
	spin_unlock(&cache->lock);
}

void cache_free(struct cache *cache, void *object)
{
	free_object(cache, slab_of(cache, object), object);
}

void cache_free_many(struct cache *cache, void *const *objects, unsigned count)
{
	void *const *end = objects + count;
	struct frame *empty = NULL;

	for (; objects < end && cache->front_count < cache->front_most; objects++)
		cache_free(cache, *objects);
	if (objects == end)
		return;
	spin_lock(&cache->lock);
	while (objects < end)
		objects = give_run(cache, objects, end, &empty);
	spin_unlock(&cache->lock);
	free_slabs(cache, empty);
}

void cache_shrink(struct cache *cache)
{
	struct frame *spare, *empty = NULL;

	spin_lock(&cache->lock);
	while (cache->front_count) {
		char *object = cache->front[--cache->front_count];
		struct frame *slab = slab_of(cache, object);

		put_link(
			slab, object, (uint32_t)(object - (char *)frame_ptr(slab)) / cache->stride);
		slab_gets(cache, slab, 1, &empty);
	}
	spare = cache->spare;
	cache->spare = NULL;
	cache->slabs -= spare != NULL;
	spin_unlock(&cache->lock);
	free_slabs(cache, empty);
	if (spare)
		pages_free(spare, cache->slab_order);
}

void slab_shrink(void)
{
	struct cache *cache;

	spin_lock(&caches_lock);
	list_for_each(cache, &caches, list) cache_shrink(cache);
	spin_unlock(&caches_lock);
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

static COLD void *alloc_pages(size_t size)
{
	struct frame *frame;
	unsigned order = 0;

	if (size > PAGE_SIZE << PAGES_MAX_ORDER)
		return NULL;
	while (PAGE_SIZE << order < size)
		order++;
	frame = pages_alloc(order, FRAME_HEAP, PAGES_NORMAL);
	return frame ? frame_ptr(frame) : NULL;
}

static inline void *alloc_size(size_t size)
{
	struct cache *cache;
	void *object;

	if (unlikely(size > KMALLOC_MAX))
		return alloc_pages(size);
	cache = kmalloc_cache(size);
	object = take_object(cache);
	if (BATON_KASAN && object)
		allow(cache, object, size);
	return object;
}

void *kmalloc(size_t size)
{
	return ALLOC_FAILS() ? NULL : alloc_size(size);
}

void *kzalloc(size_t size)
{
	void *p = ALLOC_FAILS() ? NULL : alloc_size(size);

	return likely(p) ? memset(p, 0, size) : NULL;
}

static COLD void free_pages(const struct frame *frame, void *p)
{
	if (!frame || frame->state != FRAME_HEAP || (uintptr_t)p % PAGE_SIZE)
		panic("kfree: %p did not come from kmalloc", p);
	pages_free((struct frame *)frame, frame->order);
}

void kfree(void *p)
{
	struct frame *frame;
	struct cache *cache;

	if (!p)
		return;
	frame = phys_frame(arch_ptr_to_phys(p));
	cache = likely(frame && frame->state == FRAME_SLAB) ? frame->slab.cache : NULL;
	if (likely(cache >= kmalloc_caches && cache < kmalloc_caches + ARRAY_SIZE(kmalloc_caches)))
		free_object(cache, frame, p);
	else
		free_pages(frame, p);
}
