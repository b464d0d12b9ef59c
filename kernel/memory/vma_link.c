/* SPDX-License-Identifier: MIT */
/*
 * The tree of VMAs: links, gaps, sums, and where there is room.
 *
 * Each VMA knows how many free bytes lie below it (gap), and the most below any VMA of its subtree
 * (most_gap), so the highest hole that is large enough is found by one walk down and up, as in
 * Linux before its maple tree. What a stack keeps free below itself is no part of its gap. Above
 * the last VMA lies a hole that no VMA has; it is looked at first.
 *
 * Beyond GAP_MOST most_gap says no more than that: so the one large hole from which most mappings
 * are taken does not change it, up to the root, each time. Of such holes there are 128 at most.
 *
 * Invariants: gap = max(0, vma_lowest(vma) - the end of the one before); kind_pages and committed are
 * sums over the VMAs; recent and above are NULL or in the tree, full is while full_start is set.
 */
#include "lib/log.h"
#include "memory/object.h"
#include "memory/vma.h"

/* ---- Finding ---- */

struct vma *vma_find(struct space *space, uintptr_t address)
{
	struct tree_node *node = space->vmas.root;
	struct vma *found = space->recent;

	if (found && address >= found->start && address < found->end)
		return found;
	found = NULL;
	while (node) {
		struct vma *vma = tree_entry(node, struct vma, node);

		if (vma->end <= address) {
			node = node->right;
			continue;
		}
		found = vma;
		if (vma->start <= address) {
			space->recent = vma;
			break;
		}
		node = node->left;
	}
	return found;
}

/* ---- Gaps ---- */

#define GAP_MOST (UINT64_C(1) << 40)

static uintptr_t at_most(uintptr_t gap)
{
	return gap < GAP_MOST ? gap : GAP_MOST;
}

static bool update_gap(struct tree_node *node)
{
	struct vma *vma = tree_entry(node, struct vma, node);
	uintptr_t most = at_most(vma->gap), other;

	if (node->left && (other = vma_of(node->left)->most_gap) > most)
		most = other;
	if (node->right && (other = vma_of(node->right)->most_gap) > most)
		most = other;
	if (most == vma->most_gap)
		return false;
	vma->most_gap = most;
	return true;
}

void vma_tree_init(struct space *space)
{
	tree_init_augmented(&space->vmas, update_gap);
}

/* Brings a node's most_gap up to date, and those above it as far as that changes them. */
static void propagate(struct tree_node *node)
{
	while (node && update_gap(node))
		node = node->parent;
}

/* A hole below `vma` is there that was not: what is known of the highest ones may be wrong. Each time that
 * space->full goes or comes to lie below full_start, a hole below the VMA after it grows. */
static inline void hole_grown(struct space *space, const struct vma *vma)
{
	if (vma->start > space->full_start)
		space->full_start = UINTPTR_MAX;
}

static void set_gap(struct vma *vma, uintptr_t gap)
{
	struct space *space = vma->space;

	if (gap >= vma->gap) /* the same where the hole grew within a stack's guard */
		hole_grown(space, vma);
	if (space->full == vma && vma->start < space->full_start &&
		space->full_start != UINTPTR_MAX)
		space->full_start = vma->start; /* it has grown downwards */
	if (vma->gap == gap)
		return;
	vma->gap = gap;
	propagate(&vma->node);
}

void vma_gap_changed(struct vma *vma)
{
	struct vma *next = vma_next(vma);

	set_gap(vma, vma_gap_above(vma_prev(vma), vma));
	if (next)
		set_gap(next, vma_gap_above(vma, next));
}

/* ---- Links and sums ---- */

void vma_link(struct space *space, struct vma *vma, struct vma *prev, struct vma *next)
{
	vma->space = space;
	vma->prev = prev;
	vma->next = next;
	if (prev)
		prev->next = vma;
	else
		space->first = vma;
	vma->gap = vma_gap_above(prev, vma);
	vma->most_gap = at_most(vma->gap);
	if (vma->gap)
		hole_grown(space, vma);
	tree_link_between(
		&space->vmas, &vma->node, prev ? &prev->node : NULL, next ? &next->node : NULL);
	if (next) {
		next->prev = vma;
		next->gap = vma_gap_above(vma, next);
		if (vma->node.parent != &next->node)
			propagate(&next->node);
	} else {
		space->last = vma;
	}
	propagate(vma->node.parent);
	tree_grown(&space->vmas, &vma->node); /* when all is up to date: rotations rely on it */
	if (vma->object) {
		vma->visited = 0;
		spin_lock(&vma->object->lock);
		list_push_back(&vma->object->mappings, &vma->mapping);
		spin_unlock(&vma->object->lock);
	}
	space->recent = vma;
	space->vma_count++;
}

/* Off the tree and its object's list; the object's reference and the memory stay. */
void vma_unlink(struct space *space, struct vma *vma)
{
	struct vma *prev = vma->prev, *next = vma->next;
	struct tree_lost lost = tree_unlink(&space->vmas, &vma->node);
	uintptr_t gap;

	if (prev)
		prev->next = next;
	else
		space->first = next;
	if (next) {
		next->prev = prev;
		hole_grown(space, next);
		gap = vma_gap_above(prev, next);
		if (gap != next->gap || lost.moved) { /* it is the one that has moved, if one has */
			next->gap = gap;
			if (lost.moved || lost.node != &next->node) {
				update_gap(&next->node);
				propagate(next->node.parent);
			}
		}
	} else {
		space->last = prev;
		space->full_start = UINTPTR_MAX;
	}
	propagate(lost.node);
	tree_shrunk(&space->vmas, lost);
	if (space->recent == vma)
		space->recent = NULL;
	space->above = next; /* what comes next may come here */
	space->vma_count--;
	if (vma->object) {
		spin_lock(&vma->object->lock);
		list_remove(&vma->mapping);
		spin_unlock(&vma->object->lock);
	}
}

/* ---- Placing ---- */

/* Whether [address, address + size) is free, guard gaps included. */
static bool is_free(struct space *space, uintptr_t address, size_t size)
{
	struct vma *vma = vma_find(space, address);

	return !vma || address + size <= vma_lowest(vma);
}

/* Whether some VMA of the subtree may have a gap as large: `most` is at_most of it. */
static inline bool may_hold(struct tree_node *node, uintptr_t most)
{
	return node && vma_of(node)->most_gap >= most;
}

/* The part of a VMA's gap that is within [low, high): where it ends, if it has `size` bytes; or 0. */
static uintptr_t gap_within(const struct vma *vma, size_t size, uintptr_t low, uintptr_t high)
{
	uintptr_t top = vma_lowest(vma), bottom = top - vma->gap;

	if (top > high)
		top = high;
	if (bottom < low)
		bottom = low;
	return top > bottom && top - bottom >= size ? top : 0;
}

/* To the right as far as a hole may be there: all gaps of a VMA's right side begin at its end or above. */
static inline struct tree_node *rightmost(struct tree_node *node, uintptr_t most, uintptr_t last)
{
	while (may_hold(node->right, most) && vma_of(node)->end <= last)
		node = node->right;
	return node;
}

/* From a VMA whose right side is done on, downwards: the highest hole that has `size` bytes from `low` on
 * and ends by `high`, as the VMA above it; or NULL. What may not hold it is left out. */
static struct vma *next_hole(
	struct tree_node *node, size_t size, uintptr_t low, uintptr_t high, uintptr_t *end)
{
	const uintptr_t most = at_most(size), last = high - size;
	struct tree_node *from;

	for (;;) {
		if (unlikely(vma_of(node)->gap >= size) &&
			(*end = gap_within(vma_of(node), size, low, high)))
			return vma_of(node);
		/* All gaps of the left side end at this VMA's gap's bottom or below. */
		if (may_hold(node->left, most) && vma_of(node)->start > low) {
			node = rightmost(node->left, most, last);
			continue;
		}
		/* Up, to the next VMA whose right side is done. */
		do {
			from = node;
			node = node->parent;
			if (!node)
				return NULL;
		} while (from == node->left);
	}
}

/* The highest hole below a VMA that has `size` bytes from `low` on and ends by `high`: its end, or 0. */
static uintptr_t highest_gap(struct space *space, size_t size, uintptr_t low, uintptr_t high)
{
	struct vma *last = space->last, *found;
	struct tree_node *node;
	uintptr_t end;

	if (space->full_start != UINTPTR_MAX && size >= space->full_size &&
		high == space->full_high && low == USER_MIN)
		node = &space->full->node;
	else if (!last->prev || last->prev->end <= high)
		node = &last->node; /* the stack, as a rule; its gap is large, but mostly above high */
	else
		node = rightmost(space->vmas.root, at_most(size), high - size);
	found = next_hole(node, size, low, high, &end);
	if (!found)
		return 0;
	space->above = found;
	if (low == USER_MIN) {
		space->full = found;
		space->full_start = found->start;
		space->full_size = size;
		space->full_high = high;
	}
	return end;
}

uintptr_t vma_place_in(struct space *space, size_t size, uintptr_t low, uintptr_t high)
{
	const struct vma *last = space->last;
	uintptr_t bottom = last && last->end > low ? last->end : low, end;

	if (high < low || size > high - low)
		return 0;
	if (bottom <= high - size)
		return high - size;
	end = highest_gap(space, size, low, high);
	return end ? end - size : 0;
}

uintptr_t vma_place_hint(struct space *space, uintptr_t hint, size_t size, uintptr_t end)
{
	return hint >= USER_MIN && size <= end && hint <= end - size && is_free(space, hint, size)
		       ? hint
		       : 0;
}

uintptr_t vma_place(struct space *space, uintptr_t hint, size_t size)
{
	uintptr_t found = vma_place_hint(space, hint, size, USER_END);

	if (found)
		return found;
	found = vma_place_in(space, size, USER_MIN, space->map_top);
	if (unlikely(!found))
		found = vma_place_in(space, size, USER_MIN, USER_END);
	return found;
}

bool vma_grow_down(struct space *space, struct vma *vma, uintptr_t page)
{
	struct vma *below = vma_prev(vma);
	uintptr_t old = vma->start;

	if (vma->object || page < USER_MIN || (below && page < below->end))
		return false;
	if (below && below->access && !(below->flags & VMA_GROWS_DOWN) &&
		page - below->end < STACK_GUARD_GAP)
		return false;
	vma->start = page;
	vma_account(space, vma, (int64_t)((old - page) / PAGE_SIZE));
	set_gap(vma, vma_gap_above(below, vma));
	return true;
}
