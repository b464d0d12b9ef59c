/* SPDX-License-Identifier: MIT */
/* Whether slab.c's invariants hold: for tests and the debug build. */
#include "memory/slab_internal.h"

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

		if (at > slab->slab.fresh || !is_marked(link))
			return "a free object is not marked";
		if (++free > cache->per_slab)
			return "a free list runs in a circle";
		check_filling(cache, (const char *)link, sizeof(*link), cache->object_size, POISON);
		at = (uint32_t)link->next;
	}
	return slab->slab.used + free == slab->slab.fresh ? NULL : "objects of a slab are missing";
}

static bool front_is_whole(const struct cache *cache) requires(cache->lock)
{
	for (uint32_t i = 0; i < cache->front_count; i++) {
		const struct free_object *link = cache->front[i];
		const struct frame *slab = slab_of(cache, link);

		if (!slab || slab->state != FRAME_SLAB || slab->slab.cache != cache ||
			!is_marked(link))
			return false;
		check_filling(cache, (const char *)link, sizeof(*link), cache->object_size, POISON);
	}
	return true;
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

	if (!front_is_whole(cache))
		return "an object in the front is not marked";
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

bool slab_numbers(unsigned nth, struct slab_numbers *out)
{
	struct cache *cache;
	bool found = false;

	spin_lock(&caches_lock);
	list_for_each(cache, &caches, list)
	{
		if (nth-- > 0)
			continue;
		spin_lock(&cache->lock);
		*out = (struct slab_numbers){
			.name = cache->name,
			.active = cache->objects - cache->front_count,
			.objects = cache->slabs * cache->per_slab,
			.slabs = cache->slabs,
			.object_size = cache->object_size,
			.per_slab = cache->per_slab,
			.slab_order = cache->slab_order,
		};
		spin_unlock(&cache->lock);
		found = true;
		break;
	}
	spin_unlock(&caches_lock);
	return found;
}

bool slab_place(const void *at, struct slab_place *out)
{
	phys_t phys = arch_ptr_to_phys(at);

	for (unsigned order = 0; order <= ORDER_MAX; order++) {
		phys_t base = phys & ~(phys_t)((PAGE_SIZE << order) - 1);
		const struct frame *slab = phys_frame(base);
		const struct cache *cache;

		if (!slab || slab->state != FRAME_SLAB || slab->order != order)
			continue;
		cache = slab->slab.cache;
		*out = (struct slab_place){.name = cache->name,
			.offset = (uint32_t)(phys - base) % cache->stride,
			.size = cache->object_size};
		return true;
	}
	return false;
}
