/* SPDX-License-Identifier: MIT */
/*
 * VMAs: making, joining, splitting, copying. The tree they are in is vma_link.c's.
 *
 * Neighbours that go on in each other in every respect are one VMA, where a change of the ranges
 * comes near them; so a heap that grows page by page is one, and most calls need no memory: the
 * border to a neighbour moves. What moves a border changes no order, hence not the tree's shape.
 *
 * Failure: what needs memory takes it first.
 */
#include "memory/vma.h"

#include "lib/errno.h"
#include "lib/log.h"
#include "memory/object.h"
#include "memory/slab.h"
#include "process/current.h"

static struct cache vma_cache;

uint64_t committed_pages;
int vmas_max = SPACE_VMAS_MAX;

void vma_init(void)
{
	cache_init(&vma_cache, "vma", sizeof(struct vma), 0);
}

struct vma *vma_alloc(struct space *space)
{
	struct vma *vma = space->spare;

	space->spare = NULL;
	return likely(vma) ? vma : cache_alloc_raw(&vma_cache);
}

void vma_free(struct space *space, struct vma *vma)
{
	if (likely(!space->spare))
		space->spare = vma;
	else
		cache_free(&vma_cache, vma);
}

void vma_free_spare(struct space *space)
{
	if (space->spare)
		cache_free(&vma_cache, space->spare);
	space->spare = NULL;
}

/* A VMA's reference to its object. */
static void get_object(struct object *object)
{
	object_get(object);
	if (unlikely(object->operations && object->operations->mapped))
		object->operations->mapped(object);
}

static void put_object(struct object *object)
{
	if (unlikely(object->operations && object->operations->unmapped))
		object->operations->unmapped(object);
	object_put(object);
}

/* Its pages are counted elsewhere already, or no more. */
static void drop(struct space *space, struct vma *vma)
{
	vma_unlink(space, vma);
	if (vma->object)
		put_object(vma->object);
	vma_free(space, vma);
}

void vma_remove(struct space *space, struct vma *vma)
{
	vma_account(space, vma, -(int64_t)vma_pages(vma));
	drop(space, vma);
}

/* What a batch has taken away is freed, and counted where others count too. */
static void finish_batch(struct vma_batch *batch)
{
	if (batch->committed)
		__atomic_fetch_sub(&committed_pages, batch->committed, __ATOMIC_RELAXED);
	cache_free_many(&vma_cache, batch->vmas, batch->count);
	batch->count = 0;
	batch->committed = 0;
}

struct vma *vma_remove_up_to(struct space *space, struct vma *last, struct vma_batch *batch)
{
	struct vma *vma = space->first, *next = last->next, *after;
	unsigned count = 0;

	for (; vma != next; vma = after) {
		uint64_t pages = vma_pages(vma);

		after = vma->next;
		vma_count_own(space, vma, -(int64_t)pages);
		if (vma->flags & VMA_ACCOUNTED)
			batch->committed += pages;
		if (vma->object) {
			spin_lock(&vma->object->lock);
			list_remove(&vma->mapping);
			spin_unlock(&vma->object->lock);
			put_object(vma->object);
		}
		batch->vmas[batch->count++] = vma;
		if (batch->count == ARRAY_SIZE(batch->vmas))
			finish_batch(batch);
		count++;
	}
	space->vma_count -= count;
	space->first = next;
	if (next) {
		next->prev = NULL;
		return next;
	}
	if (batch->count)
		finish_batch(batch);
	space->last = space->recent = space->above = NULL;
	space->full_start = UINTPTR_MAX;
	vma_tree_init(space);
	return NULL;
}

/* ---- Borders ---- */

/* The end of a VMA, or its start, comes to lie elsewhere; nothing else is there. */
static void move_end(struct space *space, struct vma *vma, uintptr_t end)
{
	vma_account(space, vma, ((int64_t)end - (int64_t)vma->end) / (int64_t)PAGE_SIZE);
	vma->end = end;
}

static void move_start(struct space *space, struct vma *vma, uintptr_t start)
{
	vma_account(space, vma, ((int64_t)vma->start - (int64_t)start) / (int64_t)PAGE_SIZE);
	if (vma->object)
		vma->offset += start - vma->start;
	vma->start = start;
}

void vma_trim(struct space *space, struct vma *vma, uintptr_t start, uintptr_t end)
{
	if (start != vma->start)
		move_start(space, vma, start);
	if (end != vma->end)
		move_end(space, vma, end);
	vma_gap_changed(vma);
}

/* ---- Joining ---- */

/* Would memory with these properties, at `offset` of the object, go on where `a` ends? */
static bool alike(const struct vma *a, unsigned access, unsigned flags, const struct object *object)
{
	return a->access == access && a->flags == flags && a->object == object;
}

/* Does b go on where a ends, in every respect? */
static bool continues(const struct vma *a, const struct vma *b)
{
	return a->end == b->start && alike(a, b->access, b->flags, b->object) &&
	       (!a->object || a->offset + (a->end - a->start) == b->offset);
}

/* Joins vma with the next one, which goes. */
static void join(struct space *space, struct vma *vma, struct vma *next)
{
	/* In this order the hole above stays as it is; so do the sums. */
	vma->end = next->end;
	drop(space, next);
}

void vma_merge_range(struct space *space, uintptr_t start, uintptr_t end)
{
	struct vma *vma = vma_find(space, start ? start - 1 : 0), *next;

	while (vma && vma->start <= end && (next = vma_next(vma))) {
		if (continues(vma, next))
			join(space, vma, next);
		else
			vma = next;
	}
}

/* Makes a neighbour longer, and joins both where that closes the hole. */
static bool extend(struct space *space, const struct vma *like, struct vma *prev, struct vma *next)
{
	bool after = prev && continues(prev, like), before = next && continues(like, next);

	if (after && before) {
		move_end(space, prev, like->end);
		join(space, prev, next);
	} else if (after) {
		move_end(space, prev, like->end);
		vma_gap_changed(prev);
	} else if (before) {
		move_start(space, next, like->start);
		vma_gap_changed(next);
	}
	return after || before;
}

/* Its pages are counted already. */
static void add_counted(struct space *space, const struct vma *like, struct vma *prev,
	struct vma *next, struct vma *vma)
{
	vma->start = like->start;
	vma->end = like->end;
	vma->access = like->access;
	vma->flags = like->flags;
	vma->object = like->object;
	vma->offset = like->offset;
	if (vma->object)
		get_object(vma->object);
	vma_link(space, vma, prev, next);
}

static void add_new(struct space *space, const struct vma *like, struct vma *prev, struct vma *next,
	struct vma *vma)
{
	add_counted(space, like, prev, next, vma);
	vma_account(space, vma, (int64_t)vma_pages(vma));
}

/* The neighbours of a range where nothing may be: the first VMA that ends above its start. */
struct vma *vma_neighbours(struct space *space, uintptr_t start, struct vma **prev)
{
	struct vma *next = space->above;

	if (!next || next->end <= start || (next->prev && next->prev->end > start))
		next = vma_find(space, start);
	*prev = next ? next->prev : space->last;
	return next;
}

int vma_add_between(struct space *space, const struct vma *like, struct vma *prev, struct vma *next)
{
	struct vma *vma;

	assert(!next || like->end <= next->start);
	if (extend(space, like, prev, next))
		return 0;
	vma = space->vma_count <= vma_most() ? vma_alloc(space) : NULL;
	if (!vma)
		return -ENOMEM;
	add_new(space, like, prev, next, vma);
	return 0;
}

int vma_add(struct space *space, const struct vma *like)
{
	struct vma *prev, *next = vma_neighbours(space, like->start, &prev);

	return vma_add_between(space, like, prev, next);
}

void vma_add_spare(struct space *space, const struct vma *like, struct vma *spare)
{
	struct vma *prev, *next = vma_neighbours(space, like->start, &prev);

	if (extend(space, like, prev, next))
		vma_free(space, spare);
	else
		add_new(space, like, prev, next, spare);
}

/* ---- Splitting ---- */

/* Cuts a VMA in two; the upper part is given back. NULL: no memory. */
static struct vma *split(struct space *space, struct vma *vma, uintptr_t at)
{
	struct vma *upper = space->vma_count < vma_most() ? vma_alloc(space) : NULL;
	struct vma like;

	if (!upper)
		return NULL;
	like.start = at;
	like.end = vma->end;
	like.access = vma->access;
	like.flags = vma->flags;
	like.object = vma->object;
	like.offset = vma->object ? vma->offset + (at - vma->start) : 0;
	vma->end = at;
	add_counted(space, &like, vma, vma_next(vma), upper);
	return upper;
}

static int split_at(struct space *space, uintptr_t at)
{
	struct vma *vma = vma_find(space, at);

	return vma && vma->start < at && !split(space, vma, at) ? -ENOMEM : 0;
}

int vma_isolate(struct space *space, uintptr_t start, uintptr_t end)
{
	if (split_at(space, start))
		return -ENOMEM;
	return split_at(space, end);
}

static void set_properties(struct space *space, struct vma *vma, unsigned access, unsigned flags)
{
	enum vma_kind before = vma_kind(vma);
	uint64_t pages = vma_pages(vma);

	if (unlikely((vma->flags ^ flags) & (VMA_ACCOUNTED | VMA_LOCKED))) {
		vma_account(space, vma, -(int64_t)pages);
		vma->access = access;
		vma->flags = flags;
		vma_account(space, vma, (int64_t)pages);
		return;
	}
	vma->access = access;
	vma->flags = flags;
	space->kind_pages[before] -= pages;
	space->kind_pages[vma_kind(vma)] += pages;
}

/* The border to a neighbour that has the properties moves over the first or the last part. */
static bool shift_border(struct space *space, struct vma *vma, uintptr_t start, uintptr_t end,
	unsigned access, unsigned flags)
{
	struct vma *other = start == vma->start ? vma->prev : vma->next;
	struct vma like;

	if (!other || (start == vma->start ? other->end != start : other->start != end))
		return false;
	if (!alike(other, access, flags, vma->object))
		return false;
	like.start = start;
	like.end = end;
	like.access = access;
	like.flags = flags;
	like.object = vma->object;
	like.offset = vma->object ? vma->offset + (start - vma->start) : 0;
	if (start == vma->start && continues(other, &like)) {
		move_end(space, other, end);
		move_start(space, vma, end);
		return true;
	}
	if (end == vma->end && continues(&like, other)) {
		move_end(space, vma, start);
		move_start(space, other, start);
		return true;
	}
	return false;
}

struct vma *vma_change(struct space *space, struct vma *vma, uintptr_t start, uintptr_t end,
	unsigned access, unsigned flags)
{
	struct vma *prev, *next;

	if (start != vma->start || end != vma->end) {
		if (shift_border(space, vma, start, end, access, flags))
			return vma_find(space, start);
		if (end < vma->end && !split(space, vma, end))
			return NULL;
		if (start > vma->start) {
			struct vma *upper = split(space, vma, start);

			if (!upper) {
				vma_merge_range(space, end, end);
				return NULL;
			}
			vma = upper;
		}
	}
	set_properties(space, vma, access, flags);
	prev = vma_prev(vma);
	if (prev && continues(prev, vma)) {
		join(space, prev, vma);
		vma = prev;
	}
	next = vma_next(vma);
	if (next && continues(vma, next))
		join(space, vma, next);
	space->recent = vma;
	return vma;
}

/* ---- Copying for a fork ---- */

#define COPY_BATCH 32u

/* A batch of VMAs is made at a time, since a lock taken for each would cost more than they do. */
struct copies {
	struct space *space;
	struct vma *first, *last; /* chained by node.right */
	void *spare[COPY_BATCH];
	unsigned spare_count, left; /* to be made, at most */
	bool skipped;               /* the VMA before did not come along: the hole is larger */
	bool some_skipped;
};

static struct vma *copy_one(struct copies *copies, const struct vma *from)
{
	struct vma *vma;

	if (!copies->spare_count) {
		copies->spare_count = cache_alloc_many(&vma_cache, copies->spare,
			copies->left < COPY_BATCH ? copies->left : COPY_BATCH);
		copies->left -= copies->spare_count;
	}
	if (!copies->spare_count)
		return NULL;
	vma = copies->spare[--copies->spare_count];
	vma->start = from->start;
	vma->end = from->end;
	vma->gap = from->gap;
	vma->most_gap = 0; /* the tree's, when it is built; so are the node's links */
	vma->access = from->access;
	vma->flags = from->flags & ~(unsigned)VMA_LOCKED;
	vma->object = from->object;
	vma->offset = from->offset;
	vma->space = copies->space;
	vma->visited = 0;
	if (unlikely(copies->skipped)) {
		vma->gap = vma_gap_above(copies->last, vma);
		copies->skipped = false;
	}
	vma->prev = copies->last;
	if (copies->last) {
		copies->last->node.right = &vma->node;
		copies->last->next = vma;
	} else {
		copies->first = vma;
	}
	copies->last = vma;
	return vma;
}

static void undo_copies(struct vma *vma)
{
	struct vma *next;

	for (; vma; vma = next) {
		next = vma->next;
		cache_free(&vma_cache, vma);
	}
}

/* What the new VMAs are of, and what others count of them. Both spaces' locks are held, so that nobody looks at the pages of the
 * new one yet who finds it by its objects. */
static void adopt_copies(struct vma *vma)
{
	uint64_t committed = 0;

	for (; vma; vma = vma->next) {
		if (vma->flags & VMA_ACCOUNTED)
			committed += vma_pages(vma);
		if (!vma->object)
			continue;
		get_object(vma->object);
		spin_lock(&vma->object->lock);
		list_push_back(&vma->object->mappings, &vma->mapping);
		spin_unlock(&vma->object->lock);
	}
	if (committed)
		__atomic_fetch_add(&committed_pages, committed, __ATOMIC_RELAXED);
}

/* The sums: the other space's, but for what was skipped. */
static void copy_sums(struct space *to, const struct space *from, bool some_skipped)
{
	to->pages = from->pages;
	for (unsigned i = 0; i < VMA_KINDS; i++)
		to->kind_pages[i] = from->kind_pages[i];
	for (const struct vma *vma = some_skipped ? vma_first(from) : NULL; vma;
		vma = vma_next(vma)) {
		if (!(vma->flags & VMA_DONT_FORK))
			continue;
		to->pages -= vma_pages(vma);
		to->kind_pages[vma_kind(vma)] -= vma_pages(vma);
	}
}

int vma_copy_all(struct space *to, struct space *from)
{
	struct copies copies;
	struct vma *vma;
	unsigned count = 0;

	copies.space = to;
	copies.first = copies.last = NULL;
	copies.spare_count = 0;
	copies.left = from->vma_count;
	copies.skipped = copies.some_skipped = false;
	for (vma = vma_first(from); vma; vma = vma_next(vma)) {
		if (vma->flags & VMA_DONT_FORK) {
			copies.skipped = copies.some_skipped = true;
			continue;
		}
		if (!copy_one(&copies, vma))
			break;
		if (++count % COPY_BATCH == 0)
			sched_point();
	}
	if (copies.last) {
		copies.last->node.right = NULL;
		copies.last->next = NULL;
	}
	if (copies.spare_count)
		cache_free_many(&vma_cache, copies.spare, copies.spare_count);
	if (vma) {
		undo_copies(copies.first);
		return -ENOMEM;
	}
	adopt_copies(copies.first);
	copy_sums(to, from, copies.some_skipped);
	tree_build(&to->vmas, copies.first ? &copies.first->node : NULL, count);
	to->vma_count = count;
	to->first = copies.first;
	to->last = copies.last;
	return 0;
}
