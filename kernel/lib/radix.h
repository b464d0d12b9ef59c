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

#endif
