/* SPDX-License-Identifier: MIT */
#include "memory/vma.h"

#include "lib/errno.h"
#include "lib/log.h"
#include "memory/object.h"
#include "memory/slab.h"
#include "process/current.h"

static struct cache vma_cache;

void vma_init(void)
{
	cache_init(&vma_cache, "vma", sizeof(struct vma), 0);
}

struct vma *vma_alloc(void)
{
	return cache_alloc(&vma_cache);
}

void vma_free(struct vma *vma)
{
	cache_free(&vma_cache, vma);
}

static bool by_start(const struct tree_node *a, const struct tree_node *b)
{
	return tree_entry(a, struct vma, node)->start < tree_entry(b, struct vma, node)->start;
}

static bool ends_before(const struct tree_node *node, uint64_t address)
{
	return tree_entry(node, struct vma, node)->end <= address;
}

static struct vma *vma_of(struct tree_node *node)
{
	return node ? tree_entry(node, struct vma, node) : NULL;
}

struct vma *vma_find(struct space *space, uintptr_t address)
{
	return vma_of(tree_lower_bound(&space->vmas, ends_before, address));
}

struct vma *vma_next(struct vma *vma)
{
	return vma_of(tree_next(&vma->node));
}

struct vma *vma_prev(struct vma *vma)
{
	return vma_of(tree_prev(&vma->node));
}

static void attach(struct space *space, struct vma *vma)
{
	tree_insert(&space->vmas, &vma->node, by_start);
	vma->space = space;
	vma->visited = 0;
	list_init(&vma->mapping);
	if (vma->object) {
		spin_lock(&vma->object->lock);
		list_push_back(&vma->object->mappings, &vma->mapping);
		spin_unlock(&vma->object->lock);
	}
	space->vma_count++;
	space->pages += (vma->end - vma->start) / PAGE_SIZE;
}

void vma_remove(struct space *space, struct vma *vma)
{
	tree_remove(&space->vmas, &vma->node);
	space->vma_count--;
	space->pages -= (vma->end - vma->start) / PAGE_SIZE;
	if (vma->object) {
		spin_lock(&vma->object->lock);
		list_remove(&vma->mapping);
		spin_unlock(&vma->object->lock);
		object_put(vma->object);
	}
	vma_free(vma);
}

/* ---- Copying for a fork ---- */

#define COPY_BATCH 32u

/* A batch of VMAs is made at a time, since a lock taken for each would cost more than they do. */
struct copies {
	struct space *space;
	struct vma *first, *last; /* chained by node.right */
	void *spare[COPY_BATCH];
	unsigned spare_count;
};

static struct vma *copy_one(struct copies *copies, const struct vma *from)
{
	struct vma *vma;

	if (!copies->spare_count)
		copies->spare_count = cache_alloc_many(&vma_cache, copies->spare, COPY_BATCH);
	if (!copies->spare_count)
		return NULL;
	vma = copies->spare[--copies->spare_count];
	vma->node = (struct tree_node){0};
	vma->start = from->start;
	vma->end = from->end;
	vma->access = from->access;
	vma->flags = from->flags & ~(unsigned)VMA_LOCKED;
	vma->object = from->object;
	vma->offset = from->offset;
	vma->space = copies->space;
	vma->visited = 0;
	list_init(&vma->mapping);
	if (copies->last)
		copies->last->node.right = &vma->node;
	else
		copies->first = vma;
	copies->last = vma;
	return vma;
}

static void undo_copies(struct vma *vma)
{
	struct vma *next;

	for (; vma; vma = next) {
		next = vma_of(vma->node.right);
		vma_free(vma);
	}
}

/* Both spaces' locks are held, so nobody asks for the new VMAs' spaces' pages yet. */
static void list_copies(struct vma *vma)
{
	for (; vma; vma = vma_of(vma->node.right)) {
		if (!vma->object)
			continue;
		object_get(vma->object);
		spin_lock(&vma->object->lock);
		list_push_back(&vma->object->mappings, &vma->mapping);
		spin_unlock(&vma->object->lock);
	}
}

int vma_copy_all(struct space *to, struct space *from)
{
	struct copies copies;
	struct vma *vma, *copy = NULL;

	copies.space = to;
	copies.first = copies.last = NULL;
	copies.spare_count = 0;
	for (vma = vma_of(tree_first(&from->vmas)); vma; vma = vma_next(vma)) {
		if (vma->flags & VMA_DONT_FORK)
			continue;
		copy = copy_one(&copies, vma);
		if (!copy)
			break;
		to->pages += (vma->end - vma->start) / PAGE_SIZE;
		if (++to->vma_count % COPY_BATCH == 0)
			sched_point();
	}
	cache_free_many(&vma_cache, copies.spare, copies.spare_count);
	if (vma) {
		undo_copies(copies.first);
		to->pages = to->vma_count = 0;
		return -ENOMEM;
	}
	list_copies(copies.first);
	tree_build(&to->vmas, copies.first ? &copies.first->node : NULL, to->vma_count);
	return 0;
}

/* ---- Joining and splitting ---- */

/* Does b go on where a ends, in every respect? */
static bool continues(const struct vma *a, const struct vma *b)
{
	return a->end == b->start && a->access == b->access && a->flags == b->flags &&
	       a->object == b->object &&
	       (!a->object || a->offset + (a->end - a->start) == b->offset);
}

/* Joins vma with the next one, which goes. */
static void join(struct space *space, struct vma *vma, struct vma *next)
{
	uintptr_t end = next->end;

	vma_remove(space, next);
	space->pages += (end - vma->end) / PAGE_SIZE;
	vma->end = end;
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

void vma_insert(struct space *space, struct vma *vma)
{
	struct vma *other;

	attach(space, vma);
	other = vma_next(vma);
	assert(!other || vma->end <= other->start);
	if (other && continues(vma, other))
		join(space, vma, other);
	other = vma_prev(vma);
	assert(!other || other->end <= vma->start);
	if (other && continues(other, vma))
		join(space, other, vma);
}

/* Splits the VMA that has `at` strictly inside. */
static int split(struct space *space, uintptr_t at)
{
	struct vma *vma = vma_find(space, at), *upper;

	if (!vma || vma->start >= at)
		return 0;
	upper = space->vma_count < SPACE_VMAS_MAX ? vma_alloc() : NULL;
	if (!upper)
		return -ENOMEM;
	*upper = *vma;
	upper->start = at;
	if (upper->object) {
		object_get(upper->object);
		upper->offset += at - vma->start;
	}
	space->pages -= (vma->end - at) / PAGE_SIZE;
	vma->end = at;
	attach(space, upper);
	return 0;
}

int vma_isolate(struct space *space, uintptr_t start, uintptr_t end)
{
	if (split(space, start))
		return -ENOMEM;
	return split(space, end);
}

/* Where what is placed below a VMA has to end: a stack keeps its guard gap. */
static uintptr_t lowest(const struct vma *vma)
{
	if (!(vma->flags & VMA_GROWS_DOWN))
		return vma->start;
	return vma->start > STACK_GUARD_GAP ? vma->start - STACK_GUARD_GAP : 0;
}

static bool is_free(struct space *space, uintptr_t address, size_t size)
{
	struct vma *vma = vma_find(space, address);

	return !vma || address + size <= lowest(vma);
}

uintptr_t vma_place(struct space *space, uintptr_t hint, size_t size)
{
	uintptr_t top = space->map_top;
	struct vma *vma;

	if (size > top - USER_MIN)
		return 0;
	if (hint >= USER_MIN && hint <= USER_END - size && is_free(space, hint, size))
		return hint;
	/* `top` is the end of the hole looked at. */
	for (vma = vma_of(tree_last(&space->vmas)); vma; vma = vma_prev(vma)) {
		if (vma->end < top && top - vma->end >= size)
			return top - size;
		if (lowest(vma) < top)
			top = lowest(vma);
	}
	return top >= USER_MIN && top - USER_MIN >= size ? top - size : 0;
}

bool vma_grow_down(struct space *space, struct vma *vma, uintptr_t page)
{
	struct vma *below = vma_prev(vma);

	if (vma->object || page < USER_MIN || vma->end - page > space->stack_limit)
		return false;
	if (below && below->access && page < below->end + STACK_GUARD_GAP)
		return false;
	if (below && page < below->end)
		return false;
	space->pages += (vma->start - page) / PAGE_SIZE;
	vma->start = page;
	return true;
}

void vma_bounds(struct vma *vma, uintptr_t *low, uintptr_t *high)
{
	struct vma *prev = vma_prev(vma), *next = vma_next(vma);

	*low = prev ? prev->end : 0;
	*high = next ? next->start : USER_END;
}
