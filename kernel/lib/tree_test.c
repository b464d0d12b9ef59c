/* SPDX-License-Identifier: MIT */
/* The tree beside a sorted array; links, balances and order are checked after every step. */
#include "lib/tree.h"

#include "lib/check.h"

#define ITEMS 400

struct item {
	uint64_t key;
	uint64_t stamp; /* order of insertion */
	uint64_t most;  /* the highest stamp in its subtree */
	struct tree_node node;
	bool in;
};

static struct item items[ITEMS];
static struct tree tree;
static struct item *model[ITEMS]; /* sorted by key, then stamp */
static unsigned count;
static uint64_t seed = 41, stamps;

static bool less(const struct tree_node *a, const struct tree_node *b)
{
	return tree_entry(a, struct item, node)->key < tree_entry(b, struct item, node)->key;
}

static bool before(const struct tree_node *node, uint64_t key)
{
	return tree_entry(node, struct item, node)->key < key;
}

static uint64_t most_of(const struct tree_node *node)
{
	return node ? tree_entry(node, struct item, node)->most : 0;
}

static uint64_t most_now(const struct tree_node *node)
{
	uint64_t most = tree_entry(node, struct item, node)->stamp;

	if (most_of(node->left) > most)
		most = most_of(node->left);
	return most_of(node->right) > most ? most_of(node->right) : most;
}

static bool update(struct tree_node *node)
{
	struct item *item = tree_entry(node, struct item, node);
	uint64_t before = item->most;

	item->most = most_now(node);
	return item->most != before;
}

/* The height of a subtree whose links and balances are right. */
static int check_subtree(const struct tree_node *node, const struct tree_node *parent)
{
	int left, right;

	if (!node)
		return 0;
	CHECK(node->parent == parent);
	left = check_subtree(node->left, node);
	right = check_subtree(node->right, node);
	CHECK_EQUAL(node->balance, right - left);
	CHECK(node->balance >= -1 && node->balance <= 1);
	if (tree.update)
		CHECK_EQUAL(most_of(node), most_now(node));
	return 1 + (left > right ? left : right);
}

static void check_order(void)
{
	struct tree_node *node = tree_first(&tree);

	for (unsigned i = 0; i < count; i++, node = tree_next(node))
		CHECK(node == &model[i]->node);
	CHECK(!node);
	node = tree_last(&tree);
	for (unsigned i = count; i-- > 0; node = tree_prev(node))
		CHECK(node == &model[i]->node);
	CHECK(!node);
}

static void check_bound(uint64_t key)
{
	unsigned at = 0;

	while (at < count && model[at]->key < key)
		at++;
	CHECK(tree_lower_bound(&tree, before, key) == (at < count ? &model[at]->node : NULL));
}

static void add(struct item *item, uint64_t key)
{
	unsigned at = count;

	item->key = key;
	item->stamp = ++stamps;
	item->in = true;
	item->most = 0;
	while (at && model[at - 1]->key > key) {
		model[at] = model[at - 1];
		at--;
	}
	if (stamps % 2)
		tree_insert(&tree, &item->node, less);
	else
		tree_insert_after(&tree, &item->node, at ? &model[at - 1]->node : NULL);
	model[at] = item;
	count++;
}

static void drop(struct item *item)
{
	unsigned at = 0;

	tree_remove(&tree, &item->node);
	CHECK(!item->node.parent && !item->node.left && !item->node.right);
	item->in = false;
	while (model[at] != item)
		at++;
	count--;
	for (; at < count; at++)
		model[at] = model[at + 1];
}

static void test_model(unsigned steps, uint64_t keys)
{
	for (unsigned step = 0; step < steps; step++) {
		struct item *item = &items[check_random(&seed) % ITEMS];

		if (item->in)
			drop(item);
		else
			add(item, check_random(&seed) % keys);
		check_subtree(tree.root, NULL);
		if (step % 16 == 0)
			check_order();
		check_bound(check_random(&seed) % (keys + 2));
	}
	check_order();
	while (count) {
		drop(model[check_random(&seed) % count]);
		check_subtree(tree.root, NULL);
	}
	CHECK(!tree.root && !tree_first(&tree) && !tree_last(&tree));
	CHECK(!tree_lower_bound(&tree, before, 0));
}

/* Ascending and descending keys, which make an unbalanced tree a list. */
static void test_sorted(bool ascending)
{
	for (unsigned i = 0; i < ITEMS; i++)
		add(&items[i], ascending ? i : ITEMS - i);
	CHECK(check_subtree(tree.root, NULL) <= 12); /* 1.44 log2(402) */
	check_order();
	while (count) {
		drop(model[ascending ? 0 : count - 1]);
		check_subtree(tree.root, NULL);
	}
}

/* What an element adds changes where it is. */
static void test_changed(void)
{
	for (unsigned i = 0; i < ITEMS; i++)
		add(&items[i], check_random(&seed));
	for (unsigned i = 0; i < 1000; i++) {
		struct item *item = &items[check_random(&seed) % ITEMS];

		item->stamp = check_random(&seed) % 1000;
		tree_changed(&tree, &item->node);
		check_subtree(tree.root, NULL);
	}
	while (count)
		drop(model[0]);
}

static void test_build(void)
{
	for (size_t size = 0; size <= ITEMS; size++) {
		unsigned high = 0;

		for (size_t i = 0; i < size; i++) {
			items[i] = (struct item){.key = i, .stamp = ++stamps};
			items[i].node.right = i + 1 < size ? &items[i + 1].node : NULL;
			model[i] = &items[i];
		}
		count = (unsigned)size;
		tree_build(&tree, size ? &items[0].node : NULL, size);
		while (size >> high)
			high++;
		CHECK_EQUAL(check_subtree(tree.root, NULL), high); /* no higher than it must be */
		check_order();
		while (count)
			drop(model[check_random(&seed) % count]);
	}
}

static void test_all(void)
{
	CHECK(!tree_first(&tree) && !tree_last(&tree));
	test_sorted(true);
	test_sorted(false);
	test_model(10000, 1000000);
	test_model(10000, 50); /* many equal keys: first in, first out */
	test_build();
}

int main(void)
{
	tree_init(&tree);
	test_all();
	tree_init_augmented(&tree, update);
	test_all();
	test_changed();
	return check_done();
}
