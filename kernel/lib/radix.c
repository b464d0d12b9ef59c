/* SPDX-License-Identifier: MIT */
/*
 * A radix tree: each node has 64 slots and serves six bits of the index.
 *
 * The tree is as high as its largest index needs: with height 0 the root is itself the value of
 * index 0; with height h the root is a node over indices below 64^h, and 11 levels reach all of
 * them. So a small file's tree is one node, and a lookup there is one step.
 *
 * Invariants: no node is empty; the root, where it is a node, has something beyond slot 0 (else
 * the tree would be lower). A put that finds no memory leaves the tree as it was.
 */
#include "lib/radix.h"

#include "lib/errno.h"
#include "lib/log.h"
#include "memory/slab.h"

#define BITS       6u
#define SLOTS      (1u << BITS)
#define HEIGHT_MAX 11u /* DIV_ROUND_UP(64, BITS) */

struct node {
	void *slots[SLOTS];
	uint32_t count; /* slots in use */
};

static struct cache node_cache = CACHE_INIT("radix node", sizeof(struct node), 0);

/* The bits of an index below a node of this level; level 1 holds values. */
static unsigned shift_of(unsigned level)
{
	return (level - 1) * BITS;
}

static unsigned slot_of(uint64_t index, unsigned level)
{
	return (unsigned)(index >> shift_of(level)) % SLOTS;
}

/* Whether a tree of this height has a place for the index. */
static bool reaches(unsigned height, uint64_t index)
{
	return height >= HEIGHT_MAX || !(index >> (height * BITS));
}

void radix_init(struct radix *tree)
{
	*tree = (struct radix){0};
}

void *radix_get(const struct radix *tree, uint64_t index)
{
	unsigned shift = tree->height * BITS;
	void *at = tree->root;

	if (!shift)
		return index ? NULL : at;
	shift -= BITS;
	if (!at || index >> shift >= SLOTS)
		return NULL;
	at = ((struct node *)at)->slots[index >> shift];
	while (shift && at) {
		shift -= BITS;
		at = ((struct node *)at)->slots[(index >> shift) % SLOTS];
	}
	return at;
}

void radix_replace(struct radix *tree, uint64_t index, void *value)
{
	void **place = &tree->root;

	assert(value && radix_get(tree, index));
	for (unsigned level = tree->height; level; level--)
		place = &((struct node *)*place)->slots[slot_of(index, level)];
	*place = value;
}

/* ---- Removal ---- */

/* Lowers a tree whose root has nothing but slot 0. */
static void lower(struct radix *tree)
{
	while (tree->height && tree->root) {
		struct node *root = tree->root;

		if (root->count > 1 || !root->slots[0])
			return;
		tree->root = root->slots[0];
		tree->height--;
		cache_free(&node_cache, root);
	}
	if (!tree->root)
		tree->height = 0;
}

/* Frees the nodes on the way to an index that are empty, from the lowest up. */
static void prune(struct radix *tree, uint64_t index)
{
	struct node *path[HEIGHT_MAX + 1]; /* by level */
	unsigned level = tree->height;
	void *at = tree->root;

	for (; level && at; level--) {
		path[level] = at;
		at = path[level]->slots[slot_of(index, level)];
	}
	while (++level <= tree->height && !path[level]->count) {
		cache_free(&node_cache, path[level]);
		if (level == tree->height) {
			tree->root = NULL;
			break;
		}
		path[level + 1]->slots[slot_of(index, level + 1)] = NULL;
		path[level + 1]->count--;
	}
	lower(tree);
}

void *radix_remove(struct radix *tree, uint64_t index)
{
	struct node *node = NULL;
	void *value = tree->root;

	if (!reaches(tree->height, index))
		return NULL;
	for (unsigned level = tree->height; level && value; level--) {
		node = value;
		value = node->slots[slot_of(index, level)];
	}
	if (!value)
		return NULL;
	if (!node) {
		tree->root = NULL;
		return value;
	}
	node->slots[slot_of(index, 1)] = NULL;
	node->count--;
	if (!node->count || tree->root == node)
		prune(tree, index);
	return value;
}

/* ---- Insertion ---- */

/* Makes the tree high enough, by nodes on top of the root. False: no memory; what was put on top
 * so far is lower()'s to take off. */
static bool raise(struct radix *tree, uint64_t index)
{
	while (!reaches(tree->height, index)) {
		if (tree->root) {
			struct node *node = cache_alloc(&node_cache);

			if (!node)
				return false;
			node->slots[0] = tree->root;
			node->count = 1;
			tree->root = node;
		}
		tree->height++;
	}
	return true;
}

/* The place of the index's value, with the nodes on the way made. NULL: no memory. `owner` is the
 * node that has the place, NULL for the root. */
static void **reach(struct radix *tree, uint64_t index, struct node **owner)
{
	void **place = &tree->root;

	*owner = NULL;
	for (unsigned level = tree->height; level; level--) {
		if (!*place) {
			*place = cache_alloc(&node_cache);
			if (!*place)
				return NULL;
			if (*owner)
				(*owner)->count++;
		}
		*owner = *place;
		place = &(*owner)->slots[slot_of(index, level)];
	}
	return place;
}

int radix_put(struct radix *tree, uint64_t index, void *value)
{
	void **place = NULL;
	struct node *owner;

	assert(value);
	if (raise(tree, index))
		place = reach(tree, index, &owner);
	if (!place) {
		prune(tree, index);
		return -ENOMEM;
	}
	if (*place)
		return -EEXIST;
	*place = value;
	if (owner)
		owner->count++;
	return 0;
}

/* ---- Walking ---- */

/* The first index after all that the slot of `index` at this level covers; 0: there is none. */
static uint64_t next_slot(uint64_t index, unsigned level)
{
	return ((index >> shift_of(level)) + 1) << shift_of(level);
}

/* Where the way down to an index ended: at a value, with level 0, or at an empty slot of `level`. */
static void *way_down(
	const struct radix *tree, uint64_t index, unsigned *level, struct radix_walk *walk)
{
	void *found = tree->root;

	for (*level = tree->height; *level; --*level) {
		struct node *node = found;

		if (*level == 1)
			walk->slots = node->slots;
		found = node->slots[slot_of(index, *level)];
		if (!found)
			break;
	}
	return found;
}

void *radix_walk_down(const struct radix *tree, struct radix_walk *walk)
{
	uint64_t at = walk->index;

	while (tree->root && reaches(tree->height, at)) {
		unsigned level;
		void *found = way_down(tree, at, &level, walk);

		if (found) {
			walk->index = at;
			return found;
		}
		at = next_slot(at, level);
		if (!at)
			break;
	}
	return NULL;
}

void *radix_walk_back(const struct radix *tree, struct radix_walk *walk)
{
	uint64_t at = walk->index;
	void *found = walk->slots && at % SLOTS != SLOTS - 1 ? walk->slots[at % SLOTS] : NULL;
	unsigned level;

	if (found || !tree->root)
		return found;
	if (!reaches(tree->height, at))
		at = ((uint64_t)1 << (tree->height * BITS)) - 1;
	while (!(found = way_down(tree, at, &level, walk))) {
		at = at >> shift_of(level) << shift_of(level);
		if (!at)
			return NULL;
		at--;
	}
	walk->index = at;
	return found;
}

void *radix_next(const struct radix *tree, uint64_t *index)
{
	struct radix_walk walk = {.index = *index};
	void *found = radix_walk_down(tree, &walk);

	if (found)
		*index = walk.index;
	return found;
}
