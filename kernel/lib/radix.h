/* SPDX-License-Identifier: MIT */
/* A radix tree from uint64_t to pointers: six bits a level, as deep as the largest index needs.
 * No locks of its own. */
#ifndef LIB_RADIX_H
#define LIB_RADIX_H

#include "lib/types.h"

struct radix {
	void *root;      /* a node, or with height 0 the value of index 0 */
	unsigned height; /* levels of nodes */
};

void radix_init(struct radix *tree);
void *radix_get(const struct radix *tree, uint64_t index); /* NULL: none */
/* value is not NULL. 0, -ENOMEM (tree unchanged), -EEXIST. */
int radix_put(struct radix *tree, uint64_t index, void *value) MUST_CHECK;
/* Puts another value in the place of one that is there. */
void radix_replace(struct radix *tree, uint64_t index, void *value);
void *radix_remove(struct radix *tree, uint64_t index); /* the value, or NULL; frees empty nodes */
/* The first value at or after *index (set to where it is), or NULL. */
void *radix_next(const struct radix *tree, uint64_t *index);

/* A walk over all values from an index on, while the tree stays as it is: the neighbours of the last one are
 * found without a way down from the root. */
struct radix_walk {
	uint64_t index;     /* where to go on */
	void *const *slots; /* the values from index / 64 * 64 on; NULL: not known */
};
void *radix_walk_down(const struct radix *tree, struct radix_walk *walk);
/* The value at or after walk->index, which is set to where it is; NULL: no more. */
static inline void *radix_walk_next(const struct radix *tree, struct radix_walk *walk)
{
	void *value = walk->slots && walk->index % 64 ? walk->slots[walk->index % 64] : NULL;

	return likely(value) ? value : radix_walk_down(tree, walk);
}
/* The same backwards: the value at or before walk->index. */
void *radix_walk_back(const struct radix *tree, struct radix_walk *walk);

#endif
