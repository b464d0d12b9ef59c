/* SPDX-License-Identifier: MIT */
/* The tree of VMAs: finding, splitting, joining, placing, growing, and a random model. */
#include "memory/vma.h"

#include "arch/fake/fake.h"
#include "arch/fake/test.h"
#include "lib/errno.h"
#include "memory/object.h"
#include "memory/pages.h"
#include "memory/slab.h"

#define MIB  (UINT64_C(1) << 20)
#define BASE UINT64_C(0x100000)
#define P(n) (BASE + (uintptr_t)(n)*PAGE_SIZE)

static struct space space;
static struct object object;

static void start(void)
{
	fake_memory_init(64 * MIB, 0);
	pages_init(fake_frames_virt(), &(struct pages_range){0, 64 * MIB}, 1);
	vma_init();
	memset(&space, 0, sizeof(space));
	vma_tree_init(&space);
	space.map_top = USER_END;
	object_init(&object, NULL, 1000 * PAGE_SIZE);
}

static struct vma *add(
	uintptr_t from, uintptr_t to, unsigned access, struct object *of, uint64_t offset)
{
	CHECK(!vma_add(&space, &(struct vma){.start = from,
				       .end = to,
				       .access = access,
				       .object = of,
				       .offset = offset}));
	return vma_find(&space, from);
}

static uintptr_t gap_of(const struct vma *vma, uintptr_t below)
{
	uintptr_t low = vma->start;

	if (vma->flags & VMA_GROWS_DOWN)
		low = low > STACK_GUARD_GAP ? low - STACK_GUARD_GAP : 0;
	return low > below ? low - below : 0;
}

static uintptr_t most_gap_of(const struct vma *vma)
{
	uintptr_t most = vma->gap < UINT64_C(1) << 40 ? vma->gap : UINT64_C(1) << 40;

	if (vma->node.left && vma_of(vma->node.left)->most_gap > most)
		most = vma_of(vma->node.left)->most_gap;
	if (vma->node.right && vma_of(vma->node.right)->most_gap > most)
		most = vma_of(vma->node.right)->most_gap;
	return most;
}

/* The tree's order and the sums over it; how many VMAs are of the object. */
static void audit(void)
{
	uintptr_t end = 0;
	uint64_t pages = 0;
	unsigned count = 0, of_object = 0, listed = 0;
	struct vma *vma;

	for (vma = vma_find(&space, 0); vma; vma = vma_next(vma)) {
		CHECK(vma->start >= end && vma->end > vma->start && vma->end <= USER_END);
		CHECK(!((vma->start | vma->end | vma->offset) % PAGE_SIZE));
		CHECK(vma->space == &space);
		CHECK(vma->prev == vma_of(tree_prev(&vma->node)));
		CHECK(vma->next == vma_of(tree_next(&vma->node)));
		CHECK_EQUAL(vma->gap, gap_of(vma, end));
		CHECK_EQUAL(vma->most_gap, most_gap_of(vma));
		end = vma->end;
		pages += (vma->end - vma->start) / PAGE_SIZE;
		count++;
		of_object += vma->object == &object;
	}
	list_for_each(vma, &object.mappings, mapping) listed++;
	CHECK_EQUAL(space.vma_count, count);
	CHECK_EQUAL(space.pages, pages);
	CHECK_EQUAL(listed, of_object);
	CHECK_EQUAL(object.references, of_object + 1);
	CHECK(!slab_audit());
}

static void test_find(void)
{
	struct vma *a, *b;

	start();
	CHECK(!vma_find(&space, 0));
	b = add(P(10), P(12), MAP_READ, NULL, 0);
	a = add(P(2), P(4), MAP_READ, NULL, 0);
	CHECK(vma_find(&space, 0) == a);
	CHECK(vma_find(&space, P(4) - 1) == a);
	CHECK(vma_find(&space, P(4)) == b);
	CHECK(vma_find(&space, P(12) - 1) == b);
	CHECK(!vma_find(&space, P(12)));
	CHECK(vma_next(a) == b && vma_prev(b) == a && !vma_prev(a) && !vma_next(b));
	audit();
}

static void test_join(void)
{
	struct vma *vma;

	start();
	add(P(0), P(1), MAP_READ, NULL, 0);
	add(P(2), P(3), MAP_READ, NULL, 0);
	CHECK_EQUAL(space.vma_count, 2);
	vma = add(P(1), P(2), MAP_READ, NULL, 0); /* the gap closes */
	CHECK_EQUAL(space.vma_count, 1);
	CHECK(vma->start == P(0) && vma->end == P(3));
	add(P(3), P(4), MAP_READ | MAP_WRITE, NULL, 0);
	CHECK_EQUAL(space.vma_count, 2);
	/* Of an object: only where the offsets go on too. */
	add(P(10), P(12), MAP_READ, &object, 0);
	add(P(12), P(13), MAP_READ, &object, 2 * PAGE_SIZE);
	CHECK_EQUAL(space.vma_count, 3);
	add(P(13), P(14), MAP_READ, &object, 7 * PAGE_SIZE);
	CHECK_EQUAL(space.vma_count, 4);
	add(P(9), P(10), MAP_READ, NULL, 0);
	CHECK_EQUAL(space.vma_count, 5);
	/* Other flags. */
	CHECK(!vma_add(&space,
		&(struct vma){
			.start = P(14), .end = P(15), .access = MAP_READ, .flags = VMA_SHARED}));
	CHECK_EQUAL(space.vma_count, 6);
	add(P(15), P(16), MAP_READ, NULL, 0);
	CHECK_EQUAL(space.vma_count, 7);
	audit();
}

static void test_split(void)
{
	struct vma *vma;

	start();
	add(P(0), P(10), MAP_READ, &object, 5 * PAGE_SIZE);
	CHECK_EQUAL(vma_isolate(&space, P(3), P(6)), 0);
	CHECK_EQUAL(space.vma_count, 3);
	vma = vma_find(&space, P(3));
	CHECK(vma->start == P(3) && vma->end == P(6) && vma->offset == 8 * PAGE_SIZE);
	CHECK_EQUAL(vma_next(vma)->offset, 11 * PAGE_SIZE);
	audit();
	CHECK_EQUAL(vma_isolate(&space, P(3), P(6)), 0); /* nothing to do */
	CHECK_EQUAL(space.vma_count, 3);
	vma_merge_range(&space, P(3), P(6));
	CHECK_EQUAL(space.vma_count, 1);
	audit();
	CHECK_EQUAL(vma_isolate(&space, P(20), P(30)), 0); /* a hole */
	CHECK_EQUAL(space.vma_count, 1);
	/* In the middle, out it goes. */
	CHECK_EQUAL(vma_isolate(&space, P(4), P(5)), 0);
	vma_remove(&space, vma_find(&space, P(4)));
	CHECK_EQUAL(space.vma_count, 2);
	CHECK(vma_find(&space, P(4))->start == P(5));
	audit();
}

static void test_place(void)
{
	struct vma *vma;

	start();
	space.map_top = P(100);
	CHECK_EQUAL(vma_place(&space, 0, PAGE_SIZE), P(99));
	CHECK_EQUAL(vma_place(&space, P(5), 3 * PAGE_SIZE), P(5));
	CHECK_EQUAL(vma_place(&space, P(200), PAGE_SIZE), P(200));    /* a hint above map_top */
	CHECK_EQUAL(vma_place(&space, 0, P(100)), USER_END - P(100)); /* above map_top, then */
	CHECK_EQUAL(vma_place(&space, 0, SIZE_MAX & ~(PAGE_SIZE - 1)), 0);
	CHECK_EQUAL(vma_place(&space, 0, P(100) - USER_MIN), USER_MIN);
	add(P(98), P(102), MAP_READ, NULL, 0); /* over map_top */
	CHECK_EQUAL(vma_place(&space, 0, PAGE_SIZE), P(97));
	add(P(90), P(97), MAP_READ, NULL, 0);
	CHECK_EQUAL(vma_place(&space, 0, PAGE_SIZE), P(97));
	CHECK_EQUAL(vma_place(&space, 0, 2 * PAGE_SIZE), P(88));
	CHECK_EQUAL(vma_place(&space, P(89), 2 * PAGE_SIZE), P(88)); /* the hint is taken */
	CHECK_EQUAL(vma_place(&space, 0x1000, PAGE_SIZE), P(97)); /* the hint is below USER_MIN */
	CHECK_EQUAL(vma_place(&space, USER_END, PAGE_SIZE), P(97));
	add(USER_MIN, P(88), MAP_READ, NULL, 0);
	CHECK_EQUAL(vma_place(&space, 0, 2 * PAGE_SIZE), P(88));
	CHECK_EQUAL(vma_place_in(&space, 3 * PAGE_SIZE, USER_MIN, P(100)), 0);
	/* Room below a stack that grows is kept. */
	vma = vma_find(&space, P(90));
	vma->flags = VMA_GROWS_DOWN;
	vma_gap_changed(vma);
	CHECK_EQUAL(vma_place_in(&space, 2 * PAGE_SIZE, USER_MIN, P(100)), 0);
	CHECK_EQUAL(vma_place(&space, 0, 2 * PAGE_SIZE), USER_END - 2 * PAGE_SIZE);
	CHECK_EQUAL(vma_place(&space, P(88), PAGE_SIZE), P(97));
	CHECK_EQUAL(vma_place(&space, 0, PAGE_SIZE), P(97));
}

static void test_grow(void)
{
	struct vma *stack, *below;

	start();
	stack = add(P(5000), P(5010), MAP_READ | MAP_WRITE, NULL, 0);
	stack->flags = VMA_GROWS_DOWN;
	vma_gap_changed(stack);
	CHECK(vma_grow_down(&space, stack, P(4999)));
	CHECK(stack->start == P(4999) && space.pages == 11);
	audit();
	below = add(P(2000), P(2001), MAP_READ, NULL, 0);
	CHECK(!vma_grow_down(&space, stack, P(2000)));
	CHECK(!vma_grow_down(&space, stack, P(2000 + 256)));
	CHECK(vma_grow_down(&space, stack, P(2001 + 256)));
	below->access = 0; /* PROT_NONE is a guard of its own */
	CHECK(vma_grow_down(&space, stack, P(2001)));
	CHECK(!vma_grow_down(&space, stack, P(2000)));
	audit();
	vma_remove(&space, below);
	/* Never to where nothing may be mapped. */
	vma_remove(&space, stack);
	stack = add(USER_MIN + PAGE_SIZE, P(0), MAP_READ | MAP_WRITE, NULL, 0);
	stack->flags = VMA_GROWS_DOWN;
	vma_gap_changed(stack);
	CHECK(!vma_grow_down(&space, stack, USER_MIN - PAGE_SIZE));
	CHECK(!vma_grow_down(&space, stack, 0));
	CHECK(vma_grow_down(&space, stack, USER_MIN));
	audit();
}

static void test_bounds(void)
{
	uintptr_t low, high;
	struct vma *b;

	start();
	b = add(P(10), P(12), MAP_READ, NULL, 0);
	vma_bounds(b, b->start, b->end, &low, &high);
	CHECK(low == 0 && high == USER_END);
	add(P(2), P(4), MAP_READ, NULL, 0);
	add(P(20), P(40), MAP_READ, NULL, 0);
	vma_bounds(b, b->start, b->end, &low, &high);
	CHECK(low == P(4) && high == P(20));
}

/* No memory for the second half: nothing is lost, and nothing is joined wrongly. */
static void test_no_memory(void)
{
	struct vma *all[512];
	size_t count = 0;

	start();
	add(P(0), P(10), MAP_READ, &object, 0);
	/* Use up the slab's free objects, so that the next one needs a page. */
	for (;;) {
		pages_fail_nth(1);
		all[count] = vma_alloc(&space);
		if (!all[count])
			break;
		count++;
		CHECK(count < ARRAY_SIZE(all));
	}
	pages_fail_nth(1);
	CHECK_EQUAL(vma_isolate(&space, P(3), P(6)), -ENOMEM);
	pages_fail_nth(0);
	CHECK_EQUAL(space.vma_count, 1);
	audit();
	vma_free(&space, all[--count]); /* enough for the first half */
	pages_fail_nth(1);
	CHECK_EQUAL(vma_isolate(&space, P(3), P(6)), -ENOMEM);
	pages_fail_nth(0);
	audit();
	vma_merge_range(&space, P(0), P(10));
	CHECK_EQUAL(space.vma_count, 1);
	audit();
	while (count)
		vma_free(&space, all[--count]);
}

#define MODEL_PAGES 64

/* The highest hole by the model; -1: none. */
static int model_place(const uint8_t *model, unsigned low, unsigned high, unsigned size)
{
	for (int at = (int)high - (int)size; at >= (int)low; at--) {
		unsigned used = 0;

		for (unsigned i = 0; i < size; i++)
			used += model[at + (int)i] != 0;
		if (!used)
			return at;
	}
	return -1;
}

static void check_place(const uint8_t *model)
{
	unsigned low = (unsigned)test_random(MODEL_PAGES);
	unsigned high = low + (unsigned)test_random(MODEL_PAGES + 1 - low);
	unsigned size = 1 + (unsigned)test_random(8);
	int expected = model_place(model, low, high, size);

	CHECK_EQUAL(vma_place_in(&space, size * PAGE_SIZE, P(low), P(high)),
		expected < 0 ? 0 : P(expected));
}

/* From the lowest address on, up to one of two: what the space remembers of earlier searches holds. */
static void check_place_again(const uint8_t *model)
{
	unsigned high = test_random(8) ? MODEL_PAGES : MODEL_PAGES / 2, first = 0;
	unsigned size = 1 + (unsigned)test_random(8);
	int expected = model_place(model, 0, high, size);

	while (first < high && !model[first])
		first++;
	/* The first hole goes on below the model. */
	CHECK_EQUAL(vma_place_in(&space, size * PAGE_SIZE, USER_MIN, P(high)),
		expected < 0 ? P(first) - size * PAGE_SIZE : P(expected));
}

/* Gives a part of one VMA other rights. */
static void change(uint8_t *model, unsigned from, unsigned to, unsigned access)
{
	struct vma *vma = vma_find(&space, P(from));

	if (!vma || vma->start > P(from))
		return;
	if (vma->end < P(to))
		to = (unsigned)((vma->end - BASE) / PAGE_SIZE);
	vma = vma_change(&space, vma, P(from), P(to), access, vma->flags);
	CHECK(vma && vma->start <= P(from) && vma->end >= P(to) && vma->access == access);
	memset(model + from, (int)access + 1, to - from);
}

static void check_model(const uint8_t *model)
{
	unsigned merged = 0, last = 0;

	for (unsigned i = 0; i < MODEL_PAGES; i++) {
		struct vma *vma = vma_find(&space, P(i));

		if (vma && vma->start > P(i))
			vma = NULL;
		CHECK_EQUAL(vma ? vma->access + 1 : 0, model[i]);
		merged += model[i] && model[i] != last;
		last = model[i];
	}
	CHECK_EQUAL(space.vma_count, merged); /* all that can be joined is */
}

/* Against an array: 0 is free, else access + 1 of the page. */
static void test_model(void)
{
	uint8_t model[MODEL_PAGES] = {0};

	start();
	for (int round = 0; round < 30000; round++) {
		unsigned from = (unsigned)test_random(MODEL_PAGES);
		unsigned to = from + 1 + (unsigned)test_random(MODEL_PAGES - from);
		unsigned access = (unsigned)test_random(3), kind = (unsigned)test_random(5);
		struct vma *vma, *next;

		if (kind > 2) {
			change(model, from, to, access);
		} else {
			CHECK_EQUAL(vma_isolate(&space, P(from), P(to)), 0);
			for (vma = vma_find(&space, P(from)); vma && vma->start < P(to);
				vma = next) {
				next = vma_next(vma);
				vma_remove(&space, vma);
			}
			memset(model + from, kind ? 0 : (int)access + 1, to - from);
			if (!kind)
				add(P(from), P(to), access, NULL, 0);
			vma_merge_range(&space, P(from), P(to));
		}
		check_model(model);
		check_place(model);
		check_place_again(model);
		if (round % 16 == 0)
			audit();
	}
	audit();
}

/* What a fork copies, with and without VMAs that stay behind. */
static void test_copy(void)
{
	struct space parent, child;
	struct vma *vma, *copy;

	start();
	for (unsigned round = 0; round < 50; round++) {
		space = (struct space){.map_top = USER_END};
		vma_tree_init(&space);
		for (unsigned i = 0; i < 40; i++) {
			vma = add(P(3 * i), P(3 * i + 1 + test_random(3)), (unsigned)test_random(8),
				i % 5 ? NULL : &object, i * PAGE_SIZE * 4);
			if (!test_random(4) && round % 2)
				vma->flags |= VMA_DONT_FORK;
		}
		audit();
		parent = space;
		child = (struct space){.vma_count = 0};
		vma_tree_init(&child);
		for (vma = vma_first(&parent); vma; vma = vma_next(vma))
			vma->space = &parent;
		CHECK_EQUAL(vma_copy_all(&child, &parent), 0);
		for (vma = vma_first(&parent), copy = vma_first(&child); vma; vma = vma_next(vma)) {
			if (vma->flags & VMA_DONT_FORK)
				continue;
			CHECK(copy && copy->start == vma->start && copy->end == vma->end);
			CHECK(copy->access == vma->access && copy->object == vma->object);
			CHECK(copy->offset == vma->offset && copy->space == &child);
			copy = vma_next(copy);
		}
		CHECK(!copy);
		while ((vma = vma_first(&parent)))
			vma_remove(&parent, vma);
		/* What is left is audited as any space. */
		space = child;
		for (vma = vma_first(&space); vma; vma = vma_next(vma))
			vma->space = &space;
		audit();
		while ((vma = vma_first(&space)))
			vma_remove(&space, vma);
	}
}

/* Ten thousand, so that depth and order count: holes are found, all goes again. */
static void test_many(void)
{
	start();
	for (unsigned i = 0; i < 10000; i++)
		add(P(i * 7 % 10000 * 2), P(i * 7 % 10000 * 2 + 1), MAP_READ, NULL, 0);
	CHECK_EQUAL(space.vma_count, 10000);
	audit();
	CHECK_EQUAL(vma_place_in(&space, PAGE_SIZE, P(0), P(19999)), P(19997));
	CHECK_EQUAL(vma_place_in(&space, 2 * PAGE_SIZE, P(0), P(19999)), 0);
	vma_remove(&space, vma_find(&space, P(5000)));
	CHECK_EQUAL(vma_place_in(&space, 3 * PAGE_SIZE, P(0), P(19999)), P(4999));
	CHECK_EQUAL(vma_place_in(&space, 4 * PAGE_SIZE, P(0), P(19999)), 0);
	audit();
	while (space.vma_count)
		vma_remove(&space, vma_find(&space, P(test_random(20000))) ?: vma_first(&space));
	CHECK_EQUAL(space.pages, 0);
}

int main(void)
{
	RUN(test_find);
	RUN(test_join);
	RUN(test_split);
	RUN(test_place);
	RUN(test_grow);
	RUN(test_bounds);
	RUN(test_no_memory);
	RUN(test_model);
	RUN(test_copy);
	RUN(test_many);
	return test_result();
}
