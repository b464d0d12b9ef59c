/* SPDX-License-Identifier: MIT */
/* A balanced tree with its links inside the elements. No locks of its own. See tree.c. */
#ifndef LIB_TREE_H
#define LIB_TREE_H

#include "lib/types.h"

struct tree_node {
	struct tree_node *parent, *left, *right;
	int balance;
};

struct tree {
	struct tree_node *root;
	/* An augmented tree's (else NULL): recomputes what a node says of its subtree from itself and
	 * its children. True: that has changed. */
	bool (*update)(struct tree_node *node);
};

#define tree_entry(node, type, member) container_of(node, type, member)

/* Is a before b? A strict weak order. */
typedef bool (*tree_less)(const struct tree_node *a, const struct tree_node *b);

void tree_init(struct tree *tree);
void tree_init_augmented(struct tree *tree, bool (*update)(struct tree_node *node));
/* What the element itself adds to an augmented tree has changed: its ancestors are told. */
void tree_changed(struct tree *tree, struct tree_node *node);
/* Equal elements go after those that are there. */
void tree_insert(struct tree *tree, struct tree_node *node, tree_less less);
/* The same where the place is known: right after `before` (NULL: as the first). */
void tree_insert_after(struct tree *tree, struct tree_node *node, struct tree_node *before);
void tree_remove(struct tree *tree, struct tree_node *node);

/* In steps, for who brings an augmented tree up to date by himself between the two: */
void tree_link_after(struct tree *tree, struct tree_node *node, struct tree_node *before);
/* Between two neighbours (NULL: there is none), of whom one has no child on that side. */
void tree_link_between(struct tree *tree, struct tree_node *node, struct tree_node *before,
	struct tree_node *next);
void tree_grown(struct tree *tree, struct tree_node *node);

struct tree_lost {
	struct tree_node *node;  /* the lowest one whose subtree has changed; NULL: none */
	struct tree_node *moved; /* came in the place of the one that is gone; NULL: none did */
	bool right;              /* which side of `node` is lower now */
};
struct tree_lost tree_unlink(struct tree *tree, struct tree_node *node);
void tree_shrunk(struct tree *tree, struct tree_lost lost);

/* Makes an empty tree of `count` elements in order, chained by `right`. O(count). */
void tree_build(struct tree *tree, struct tree_node *first, size_t count);
struct tree_node *tree_first(const struct tree *tree); /* NULL: empty */
struct tree_node *tree_last(const struct tree *tree);
struct tree_node *tree_next(const struct tree_node *node); /* NULL: node was the last */
struct tree_node *tree_prev(const struct tree_node *node);
/* The first node for which `before` is not true, where `before` is true of a prefix of the order. */
struct tree_node *tree_lower_bound(const struct tree *tree,
	bool (*before)(const struct tree_node *node, uint64_t key), uint64_t key);

#endif
