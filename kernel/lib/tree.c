/* SPDX-License-Identifier: MIT */
/*
 * An AVL tree (Adelson-Velsky and Landis, 1962) with its links inside the elements.
 *
 * `balance` of a node is the height of its right side minus that of its left: -1, 0 or 1. An
 * insertion makes one side of its ancestors higher, a removal lower; the walk to the root that
 * mends this ends where a height did not change. Lookup, insertion and removal are O(log n), at
 * most 1.44 log2 n levels deep; an insertion rotates once at most.
 *
 * A tree may be augmented (Cormen et al., Introduction to Algorithms, 14.2): each node keeps
 * something of its subtree, which `update` makes from the node and its children. It is brought up to
 * date from the place of a change to the root, as far as it changes; a rotation does so for the
 * nodes whose children it changes, and leaves the subtree as a whole as it was.
 */
#include "lib/tree.h"

void tree_init(struct tree *tree)
{
	*tree = (struct tree){0};
}

void tree_init_augmented(struct tree *tree, bool (*update)(struct tree_node *node))
{
	*tree = (struct tree){.update = update};
}

/* The node's children or the node itself changed. */
void tree_changed(struct tree *tree, struct tree_node *node)
{
	if (!tree->update || !node)
		return;
	tree->update(node);
	do
		node = node->parent;
	while (node && tree->update(node));
}

/* ---- Walking ---- */

static struct tree_node *leftmost(struct tree_node *node)
{
	while (node && node->left)
		node = node->left;
	return node;
}

static struct tree_node *rightmost(struct tree_node *node)
{
	while (node && node->right)
		node = node->right;
	return node;
}

struct tree_node *tree_first(const struct tree *tree)
{
	return leftmost(tree->root);
}

struct tree_node *tree_last(const struct tree *tree)
{
	return rightmost(tree->root);
}

struct tree_node *tree_next(const struct tree_node *node)
{
	if (node->right)
		return leftmost(node->right);
	while (node->parent && node == node->parent->right)
		node = node->parent;
	return node->parent;
}

struct tree_node *tree_prev(const struct tree_node *node)
{
	if (node->left)
		return rightmost(node->left);
	while (node->parent && node == node->parent->left)
		node = node->parent;
	return node->parent;
}

struct tree_node *tree_lower_bound(const struct tree *tree,
	bool (*before)(const struct tree_node *node, uint64_t key), uint64_t key)
{
	struct tree_node *node = tree->root, *found = NULL;

	while (node) {
		if (before(node, key)) {
			node = node->right;
		} else {
			found = node;
			node = node->left;
		}
	}
	return found;
}

/* ---- Rotations ---- */

/* Puts `new` (or nothing) where `old` hangs. */
static void replace(struct tree *tree, struct tree_node *old, struct tree_node *new)
{
	struct tree_node *parent = old->parent;

	if (!parent)
		tree->root = new;
	else if (parent->left == old)
		parent->left = new;
	else
		parent->right = new;
	if (new)
		new->parent = parent;
}

/* `node` went below `up`. */
static void rotated(struct tree *tree, struct tree_node *node, struct tree_node *up)
{
	if (tree->update) {
		tree->update(node);
		tree->update(up);
	}
}

/* The right child comes up. */
static void rotate_left(struct tree *tree, struct tree_node *node)
{
	struct tree_node *up = node->right;

	replace(tree, node, up);
	node->right = up->left;
	if (node->right)
		node->right->parent = node;
	up->left = node;
	node->parent = up;
	rotated(tree, node, up);
}

static void rotate_right(struct tree *tree, struct tree_node *node)
{
	struct tree_node *up = node->left;

	replace(tree, node, up);
	node->left = up->right;
	if (node->left)
		node->left->parent = node;
	up->right = node;
	node->parent = up;
	rotated(tree, node, up);
}

/* Mends a node whose right side is two levels higher; returns the node now on top. */
static struct tree_node *mend_right(struct tree *tree, struct tree_node *node)
{
	struct tree_node *right = node->right, *middle;

	if (right->balance >= 0) {
		rotate_left(tree, node);
		/* Balance 0 occurs at removals only: the height stays as it was. */
		node->balance = 1 - right->balance;
		right->balance = right->balance - 1;
		return right;
	}
	middle = right->left;
	rotate_right(tree, right);
	rotate_left(tree, node);
	node->balance = middle->balance > 0 ? -1 : 0;
	right->balance = middle->balance < 0 ? 1 : 0;
	middle->balance = 0;
	return middle;
}

static struct tree_node *mend_left(struct tree *tree, struct tree_node *node)
{
	struct tree_node *left = node->left, *middle;

	if (left->balance <= 0) {
		rotate_right(tree, node);
		node->balance = -1 - left->balance;
		left->balance = left->balance + 1;
		return left;
	}
	middle = left->right;
	rotate_left(tree, left);
	rotate_right(tree, node);
	node->balance = middle->balance < 0 ? 1 : 0;
	left->balance = middle->balance > 0 ? -1 : 0;
	middle->balance = 0;
	return middle;
}

/* ---- Insertion ---- */

/* The subtree `node` has grown by a level. */
void tree_grown(struct tree *tree, struct tree_node *node)
{
	for (struct tree_node *parent = node->parent; parent; parent = node->parent) {
		parent->balance += node == parent->right ? 1 : -1;
		if (!parent->balance)
			return;
		if (parent->balance > 1) {
			mend_right(tree, parent);
			return;
		}
		if (parent->balance < -1) {
			mend_left(tree, parent);
			return;
		}
		node = parent;
	}
}

static void hang(struct tree *tree, struct tree_node *node, struct tree_node *parent,
	struct tree_node **place)
{
	*node = (struct tree_node){.parent = parent};
	*place = node;
	tree_changed(tree, node);
	tree_grown(tree, node);
}

void tree_insert(struct tree *tree, struct tree_node *node, tree_less less)
{
	struct tree_node **place = &tree->root, *parent = NULL;

	while (*place) {
		parent = *place;
		place = less(node, parent) ? &parent->left : &parent->right;
	}
	hang(tree, node, parent, place);
}

void tree_link_after(struct tree *tree, struct tree_node *node, struct tree_node *before)
{
	struct tree_node *parent = before;
	struct tree_node **place = before ? &before->right : &tree->root;

	while (*place) {
		parent = *place;
		place = &parent->left;
	}
	*node = (struct tree_node){.parent = parent};
	*place = node;
}

void tree_link_between(
	struct tree *tree, struct tree_node *node, struct tree_node *before, struct tree_node *next)
{
	struct tree_node *parent = before && !before->right ? before : next;

	*node = (struct tree_node){.parent = parent};
	if (!parent)
		tree->root = node;
	else if (parent == next)
		parent->left = node;
	else
		parent->right = node;
}

void tree_insert_after(struct tree *tree, struct tree_node *node, struct tree_node *before)
{
	tree_link_after(tree, node, before);
	tree_changed(tree, node);
	tree_grown(tree, node);
}

/* The next `count` (1 or more) of the chain as a subtree, as even as can be: so its height is the
 * number of bits of `count`, and the left side, which has at most one element more, is higher where it
 * has one more and that makes a bit more. */
static struct tree_node *build(
	bool (*update)(struct tree_node *node), struct tree_node **chain, size_t count)
{
	size_t lower = count / 2, upper = count - lower - 1;
	struct tree_node *left, *node;

	if (count == 1) {
		node = *chain;
		*chain = node->right;
		*node = (struct tree_node){0};
		if (update)
			update(node);
		return node;
	}
	left = build(update, chain, lower);
	node = *chain;
	*chain = node->right;
	node->parent = node->right = NULL;
	node->left = left;
	node->balance = lower > upper && !(lower & upper) ? -1 : 0;
	left->parent = node;
	if (upper) {
		node->right = build(update, chain, upper);
		node->right->parent = node;
	}
	if (update)
		update(node);
	return node;
}

void tree_build(struct tree *tree, struct tree_node *first, size_t count)
{
	tree->root = count ? build(tree->update, &first, count) : NULL;
}

/* ---- Removal ---- */

void tree_shrunk(struct tree *tree, struct tree_lost lost)
{
	struct tree_node *node = lost.node, *parent;
	bool right = lost.right;

	while (node) {
		node->balance += right ? -1 : 1;
		if (node->balance > 1)
			node = mend_right(tree, node);
		else if (node->balance < -1)
			node = mend_left(tree, node);
		if (node->balance)
			return; /* as high as before */
		parent = node->parent;
		right = parent && node == parent->right;
		node = parent;
	}
}

/* Takes out a node with both children: the next in order comes in its place. */
static struct tree_lost unlink_inner(struct tree *tree, struct tree_node *node)
{
	struct tree_node *next = leftmost(node->right), *from = next->parent;
	bool right = from == node; /* the side of `from` that becomes lower */

	if (right) {
		from = next;
	} else {
		from->left = next->right;
		if (next->right)
			next->right->parent = from;
		next->right = node->right;
		next->right->parent = next;
	}
	next->left = node->left;
	next->left->parent = next;
	next->balance = node->balance;
	replace(tree, node, next);
	return (struct tree_lost){.node = from, .moved = next, .right = right};
}

struct tree_lost tree_unlink(struct tree *tree, struct tree_node *node)
{
	struct tree_node *parent = node->parent;
	struct tree_lost lost = {.node = parent, .right = parent && node == parent->right};

	if (node->left && node->right)
		lost = unlink_inner(tree, node);
	else
		replace(tree, node, node->left ? node->left : node->right);
	*node = (struct tree_node){0};
	return lost;
}

void tree_remove(struct tree *tree, struct tree_node *node)
{
	struct tree_lost lost = tree_unlink(tree, node);

	if (lost.node != lost.moved)
		tree_changed(tree, lost.node);
	tree_changed(tree, lost.moved);
	tree_shrunk(tree, lost);
}
