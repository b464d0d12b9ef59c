/* SPDX-License-Identifier: MIT */
/* The radix tree beside a sorted array, with allocations that fail, and no node left behind. */
#include "lib/radix.h"

#include "arch/fake/fake.h"
#include "arch/fake/test.h"
#include "lib/errno.h"
#include "memory/pages.h"
#include "memory/slab.h"

#define MIB (UINT64_C(1) << 20)

static struct radix tree;

static void start(void)
{
	fake_memory_init(64 * MIB, 0);
	pages_init(fake_frames_virt(), &(struct pages_range){0, 64 * MIB}, 1);
	radix_init(&tree);
}

static uint64_t slab_pages(void)
{
	struct pages_stats s;

	pages_statistics(&s);
	CHECK(!slab_audit());
	return s.by_state[FRAME_SLAB];
}

static void *value_of(uint64_t index)
{
	return (void *)(uintptr_t)(index * 8 + 1);
}

static void test_small(void)
{
	uint64_t at = 0;

	start();
	CHECK(!radix_get(&tree, 0) && !radix_get(&tree, UINT64_MAX));
	CHECK(!radix_remove(&tree, 0) && !radix_remove(&tree, 64));
	CHECK(!radix_next(&tree, &at));
	CHECK_EQUAL(radix_put(&tree, 0, value_of(0)), 0);
	CHECK_EQUAL(tree.height, 0);
	CHECK_EQUAL(slab_pages(), 0); /* index 0 alone takes no node */
	CHECK(radix_get(&tree, 0) == value_of(0) && !radix_get(&tree, 1));
	CHECK_EQUAL(radix_put(&tree, 0, value_of(1)), -EEXIST);
	CHECK_EQUAL(radix_put(&tree, 63, value_of(63)), 0);
	CHECK_EQUAL(tree.height, 1);
	CHECK_EQUAL(radix_put(&tree, 64, value_of(64)), 0);
	CHECK_EQUAL(tree.height, 2);
	CHECK_EQUAL(radix_put(&tree, 63, value_of(1)), -EEXIST);
	CHECK(radix_get(&tree, 0) == value_of(0) && radix_get(&tree, 63) == value_of(63) &&
		radix_get(&tree, 64) == value_of(64) && !radix_get(&tree, 65));
	CHECK(radix_remove(&tree, 64) == value_of(64));
	CHECK_EQUAL(tree.height, 1);
	CHECK(radix_remove(&tree, 63) == value_of(63));
	CHECK_EQUAL(tree.height, 0);
	CHECK(radix_remove(&tree, 0) == value_of(0) && !tree.root);
}

static void test_far(void)
{
	static const uint64_t indices[] = {UINT64_MAX, UINT64_C(1) << 63, UINT64_C(1) << 60,
		(UINT64_C(1) << 60) - 1, 1, UINT64_C(1) << 36, (UINT64_C(1) << 36) - 1, 4096};
	uint64_t at, count = 0, last = 0;

	start();
	for (unsigned i = 0; i < ARRAY_SIZE(indices); i++) {
		CHECK_EQUAL(radix_put(&tree, indices[i], value_of(i)), 0);
		for (unsigned k = 0; k < ARRAY_SIZE(indices); k++)
			CHECK(radix_get(&tree, indices[k]) == (k <= i ? value_of(k) : NULL));
	}
	CHECK_EQUAL(tree.height, 11);
	for (at = 0; radix_next(&tree, &at); at++) {
		CHECK(!count || at > last);
		last = at;
		if (++count == ARRAY_SIZE(indices))
			break;
	}
	CHECK_EQUAL(count, ARRAY_SIZE(indices));
	CHECK(last == UINT64_MAX);
	for (unsigned i = 0; i < ARRAY_SIZE(indices); i++)
		CHECK(radix_remove(&tree, indices[i]) == value_of(i));
	CHECK(!tree.root && !tree.height);
	slab_shrink();
	CHECK_EQUAL(slab_pages(), 0);
}

/* Memory for one slab of nodes after the other: -ENOMEM until there is enough, and nothing has
 * changed. A slab has seven nodes, the path to a far index eleven. */
static void no_memory(const uint64_t *there, unsigned there_count)
{
	struct frame *hog[4];
	unsigned failures = 0;
	int error;

	start();
	for (unsigned i = 0; i < there_count; i++)
		CHECK_EQUAL(radix_put(&tree, there[i], value_of(i)), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(hog); i++) {
		hog[i] = pages_alloc(0, FRAME_USED, PAGES_NORMAL);
		CHECK(hog[i]);
	}
	while (pages_alloc(0, FRAME_USED, PAGES_NORMAL))
		;
	while ((error = radix_put(&tree, UINT64_MAX - 1, value_of(9)))) {
		unsigned height = there_count ? 2 : 0;

		CHECK_EQUAL(error, -ENOMEM);
		CHECK_EQUAL(tree.height, height);
		CHECK(!radix_get(&tree, UINT64_MAX - 1));
		for (unsigned k = 0; k < there_count; k++)
			CHECK(radix_get(&tree, there[k]) == value_of(k));
		CHECK(!slab_audit());
		CHECK(failures < ARRAY_SIZE(hog));
		pages_free(hog[failures++], 0);
	}
	CHECK(radix_get(&tree, UINT64_MAX - 1) == value_of(9));
	CHECK(failures >= 1);
	for (unsigned k = 0; k < there_count; k++)
		CHECK(radix_remove(&tree, there[k]) == value_of(k));
	CHECK(radix_remove(&tree, UINT64_MAX - 1) == value_of(9));
	CHECK(!tree.root && !tree.height);
	slab_shrink();
	CHECK_EQUAL(slab_pages(), 0);
}

static void test_no_memory_empty(void)
{
	no_memory(NULL, 0);
}

static void test_no_memory(void)
{
	static const uint64_t there[] = {0, 5, 4095};

	no_memory(there, ARRAY_SIZE(there));
}

/* ---- The model ---- */

#define MODEL_SIZE 3000

static uint64_t model[MODEL_SIZE];
static unsigned model_count;

/* Where the index is or belongs. */
static unsigned model_find(uint64_t index)
{
	unsigned at = 0;

	while (at < model_count && model[at] < index)
		at++;
	return at;
}

static uint64_t model_index(void)
{
	static const uint64_t limits[] = {100, 5000, 300000, UINT64_C(1) << 40, UINT64_MAX};

	return test_random(limits[test_random(ARRAY_SIZE(limits))]);
}

/* Of four steps, `puts` put something in. */
static void model_step(unsigned puts)
{
	uint64_t index = model_index();
	unsigned at;
	bool there;

	if (model_count && test_random(2))
		index = model[test_random(model_count)];
	at = model_find(index);
	there = at < model_count && model[at] == index;
	CHECK(radix_get(&tree, index) == (there ? value_of(index) : NULL));
	if (test_random(4) < puts && model_count < MODEL_SIZE) {
		CHECK_EQUAL(radix_put(&tree, index, value_of(index)), there ? -EEXIST : 0);
		if (there)
			return;
		memmove(model + at + 1, model + at, (model_count++ - at) * sizeof(model[0]));
		model[at] = index;
		return;
	}
	CHECK(radix_remove(&tree, index) == (there ? value_of(index) : NULL));
	if (there)
		memmove(model + at, model + at + 1, (--model_count - at) * sizeof(model[0]));
}

static void model_compare(void)
{
	uint64_t at = 0;

	for (unsigned i = 0; i < model_count; i++, at++) {
		CHECK(radix_next(&tree, &at) == value_of(model[i]));
		CHECK(at == model[i]);
	}
	CHECK(!radix_next(&tree, &at));
}

/* Runs of neighbours over nodes' ends, with holes: a walk gives each once, in order, from anywhere, either way. */
static void test_walk(void)
{
	const uint64_t last = 3 * 4096 + 70;

	start();
	for (uint64_t i = 1; i <= last; i++)
		CHECK_EQUAL(i % 7 && i / 100 % 3 ? radix_put(&tree, i, value_of(i)) : 0, 0);
	for (uint64_t from = 0; from < last; from += 61) {
		struct radix_walk walk = {.index = from};

		for (uint64_t i = from; i <= last; i++) {
			if (!radix_get(&tree, i))
				continue;
			CHECK(radix_walk_next(&tree, &walk) == value_of(i));
			CHECK_EQUAL(walk.index++, i);
		}
		CHECK(!radix_walk_next(&tree, &walk));
		walk = (struct radix_walk){.index = from + last / 2};
		for (uint64_t i = from + last / 2; i > 0; i--) {
			if (!radix_get(&tree, i))
				continue;
			CHECK(radix_walk_back(&tree, &walk) == value_of(i));
			CHECK_EQUAL(walk.index--, i);
		}
		CHECK(!radix_walk_back(&tree, &walk));
	}
	for (uint64_t i = 1; i <= last; i++)
		(void)radix_remove(&tree, i);
	CHECK(!tree.root);
	slab_shrink();
}

static void test_model(void)
{
	unsigned most = 0;

	start();
	test_seed(5);
	for (unsigned step = 0; step < 200000; step++) {
		model_step(step / 20000 % 2 ? 1 : 3);
		if (step % 5000 == 0)
			model_compare();
		most = model_count > most ? model_count : most;
	}
	CHECK_EQUAL(most, MODEL_SIZE);
	while (model_count) {
		model_count--;
		CHECK(radix_remove(&tree, model[model_count]) == value_of(model[model_count]));
	}
	CHECK(!tree.root && !tree.height);
	slab_shrink();
	CHECK_EQUAL(slab_pages(), 0);
}

int main(void)
{
	RUN(test_small);
	RUN(test_far);
	RUN(test_no_memory_empty);
	RUN(test_no_memory);
	RUN(test_walk);
	RUN(test_model);
	return test_result();
}
