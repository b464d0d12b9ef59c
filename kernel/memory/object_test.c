/* SPDX-License-Identifier: MIT */
/* Memory objects over the real allocators: filling and its races, adoption, truncation, references,
 * memory that runs out, and a random model. No page may be lost. */
#include "memory/object.h"

#include "arch/arch.h"
#include "arch/fake/fake.h"
#include "arch/fake/test.h"
#include "lib/errno.h"
#include "memory/slab.h"

#define MIB (UINT64_C(1) << 20)

static struct object object;
static unsigned fills, releases;
static int fill_error;
static void (*during_fill)(uint64_t index); /* called once, then forgotten */

static int fill(struct object *o, uint64_t index, struct frame *frame)
{
	void (*action)(uint64_t) = during_fill;
	unsigned char *bytes = frame_ptr(frame);

	CHECK(o == &object);
	CHECK(!object.lock.held);
	CHECK_EQUAL(frame->references, 1);
	for (size_t i = 0; i < PAGE_SIZE; i++)
		CHECK(!bytes[i]);
	fills++;
	during_fill = NULL;
	if (action)
		action(index);
	if (fill_error)
		return fill_error;
	memset(bytes, (int)(index % 251) + 1, PAGE_SIZE);
	return 0;
}

static void release(struct object *o)
{
	CHECK(o == &object && !o->page_count && !o->references);
	releases++;
}

static const struct object_operations filled = {.fill = fill, .release = release};

static struct pages_stats stats(void)
{
	struct pages_stats s;

	pages_statistics(&s);
	return s;
}

static void start(const struct object_operations *operations, uint64_t size)
{
	fake_memory_init(64 * MIB, 0);
	pages_init(fake_frames_virt(), &(struct pages_range){0, 64 * MIB}, 1);
	object_init(&object, operations, size);
}

/* Every page in the object is whole, and no other page has the state. */
static void audit(void)
{
	uint64_t count = 0, index = 0;
	struct frame *frame;

	for (; (frame = radix_next(&object.pages, &index)); index++) {
		CHECK(frame->state == FRAME_OBJECT && frame->references >= 1);
		CHECK(frame->page.object == &object && frame->page.index == index);
		count++;
		if (index == UINT64_MAX)
			break;
	}
	CHECK_EQUAL(object.page_count, count);
	CHECK(!pages_audit() && !slab_audit());
}

static struct frame *get(uint64_t index)
{
	struct frame *frame;

	CHECK_EQUAL(object_page(&object, index, &frame), 0);
	CHECK(frame && frame->page.index == index);
	return frame;
}

static int byte(struct frame *frame, size_t at)
{
	return ((unsigned char *)frame_ptr(frame))[at];
}

static void test_zeroes(void)
{
	struct frame *a, *b;

	start(NULL, 10 * PAGE_SIZE);
	CHECK_EQUAL(object_peek(&object, 3, &a), 0);
	CHECK(!a && !object.page_count);
	a = get(3);
	for (size_t i = 0; i < PAGE_SIZE; i++)
		CHECK(!byte(a, i));
	b = get(3);
	CHECK(a == b);
	CHECK_EQUAL(a->references, 3);
	CHECK_EQUAL(object_peek(&object, 3, &b), 0);
	CHECK(a == b);
	get(UINT64_MAX); /* it does not look at size */
	CHECK_EQUAL(object.page_count, 2);
	CHECK_EQUAL(stats().by_state[FRAME_OBJECT], 2);
	audit();
	for (unsigned i = 0; i < 3; i++)
		frame_put(a);
	CHECK_EQUAL(a->references, 1);
	audit();
}

static void test_fill(void)
{
	struct frame *frame;

	start(&filled, 10 * PAGE_SIZE);
	frame = get(7);
	CHECK(fills == 1 && byte(frame, 0) == 8 && byte(frame, PAGE_SIZE - 1) == 8);
	frame_put(frame);
	frame = get(7);
	CHECK(fills == 1);
	frame_put(frame);
	CHECK_EQUAL(object_peek(&object, 2, &frame), 0);
	CHECK(frame && fills == 2 && byte(frame, 5) == 3); /* where there is a filler, no holes */
	frame_put(frame);
	fill_error = -EIO;
	CHECK_EQUAL(object_page(&object, 1, &frame), -EIO);
	fill_error = -EEXIST;
	CHECK_EQUAL(object_page(&object, 1, &frame), -EEXIST);
	fill_error = -EAGAIN;
	CHECK_EQUAL(object_peek(&object, 1, &frame), -EAGAIN);
	fill_error = 0;
	CHECK_EQUAL(object.page_count, 2);
	CHECK_EQUAL(stats().by_state[FRAME_OBJECT], 2);
	audit();
	object_put(&object);
	CHECK_EQUAL(releases, 1);
	CHECK_EQUAL(stats().by_state[FRAME_OBJECT], 0);
}

static struct frame *other;

static void other_thread_fills(uint64_t index)
{
	other = get(index);
}

static void test_two_fill(void)
{
	struct frame *frame;

	start(&filled, 10 * PAGE_SIZE);
	during_fill = other_thread_fills;
	frame = get(4);
	CHECK(frame == other && fills == 2);
	CHECK_EQUAL(frame->references, 3);
	CHECK_EQUAL(stats().by_state[FRAME_OBJECT], 1); /* the loser's page is gone */
	audit();
}

static void other_thread_cuts(uint64_t index)
{
	(void)index;
	object_truncate(&object, PAGE_SIZE);
	object_truncate(&object, 10 * PAGE_SIZE);
}

/* A page read before the cut must not come back after it. */
static void test_cut_during_fill(void)
{
	struct frame *frame;

	start(&filled, 10 * PAGE_SIZE);
	during_fill = other_thread_cuts;
	frame = get(4);
	CHECK_EQUAL(fills, 2);
	CHECK_EQUAL(frame->references, 2);
	CHECK_EQUAL(stats().by_state[FRAME_OBJECT], 1);
	audit();
}

static void test_adopt(void)
{
	struct frame *frame, *again;

	start(NULL, 0);
	CHECK(!pages_claim(80 * MIB, 2 * PAGE_SIZE, FRAME_INITRD));
	frame = phys_frame(80 * MIB);
	again = phys_frame(80 * MIB + PAGE_SIZE);
	CHECK_EQUAL(object_adopt(&object, 5, frame), 0);
	CHECK_EQUAL(frame->state, FRAME_OBJECT);
	CHECK_EQUAL(frame->references, 1);
	CHECK_EQUAL(object_adopt(&object, 5, again), -EEXIST);
	CHECK_EQUAL(again->state, FRAME_INITRD); /* still the caller's */
	CHECK_EQUAL(again->references, 1);
	CHECK_EQUAL(stats().by_state[FRAME_INITRD], 1);
	CHECK_EQUAL(stats().by_state[FRAME_OBJECT], 1);
	CHECK(get(5) == frame);
	audit();
	frame_put(frame);
	frame_put(again);
	object_put(&object);
	CHECK_EQUAL(stats().by_state[FRAME_INITRD], 0);
	CHECK_EQUAL(stats().by_state[FRAME_OBJECT], 0);
	CHECK(!pages_audit());
}

static void test_truncate(void)
{
	struct frame *held, *last;

	start(NULL, 100 * PAGE_SIZE);
	for (unsigned i = 0; i < 100; i++) {
		held = get(i);
		memset(frame_ptr(held), 0x77, PAGE_SIZE);
		frame_put(held);
	}
	held = get(60);
	object_truncate(&object, 40 * PAGE_SIZE + 100);
	CHECK_EQUAL(object.size, 40 * PAGE_SIZE + 100);
	CHECK_EQUAL(object.page_count, 41);
	CHECK_EQUAL(stats().by_state[FRAME_OBJECT], 42);
	last = get(40);
	CHECK(byte(last, 99) == 0x77 && byte(last, 100) == 0 && byte(last, PAGE_SIZE - 1) == 0);
	/* The page that somebody still reads is whole, and nobody's. */
	CHECK(byte(held, 0) == 0x77 && !held->page.object);
	frame_put(held);
	CHECK_EQUAL(stats().by_state[FRAME_OBJECT], 41);
	object_truncate(&object, 50 * PAGE_SIZE); /* longer: nothing is touched */
	CHECK(byte(last, 99) == 0x77);
	CHECK_EQUAL(object.page_count, 41);
	frame_put(last);
	held = get(60);
	CHECK(byte(held, 0) == 0);
	frame_put(held);
	audit();
	object_truncate(&object, 0);
	CHECK_EQUAL(object.page_count, 0);
	CHECK(!object.pages.root);
	CHECK_EQUAL(stats().by_state[FRAME_OBJECT], 0);
	object_truncate(&object, UINT64_MAX);
	object_truncate(&object, UINT64_MAX - 1);
	audit();
}

static void test_references(void)
{
	start(&filled, PAGE_SIZE);
	frame_put(get(0));
	object_get(&object);
	object_put(&object);
	CHECK(!releases && object.page_count == 1);
	object_put(&object);
	CHECK(releases == 1);
}

static void test_no_memory(void)
{
	struct frame *frame, *mine;

	start(NULL, 0);
	mine = pages_alloc(0, FRAME_ANON, PAGES_NORMAL);
	CHECK(mine);
	for (unsigned n = 1;; n++) {
		pages_fail_nth(n);
		if (!object_page(&object, 1000, &frame))
			break;
		CHECK(n <= 2);
		CHECK_EQUAL(object.page_count, 0);
		CHECK(!object.pages.root);
		CHECK_EQUAL(stats().by_state[FRAME_OBJECT], 0);
	}
	frame_put(frame);
	pages_fail_nth(1);
	CHECK_EQUAL(object_page(&object, 2000, &frame), -ENOMEM);
	/* The tree's nodes cannot be had: the page stays the caller's. */
	for (uint64_t index = UINT64_C(1) << 40;; index += UINT64_C(1) << 40) {
		int error;

		pages_fail_nth(1);
		error = object_adopt(&object, index, mine);
		if (!error) {
			mine = pages_alloc(0, FRAME_ANON, PAGES_NORMAL); /* the failure was armed */
			CHECK(!mine);
			mine = pages_alloc(0, FRAME_ANON, PAGES_NORMAL);
			CHECK(mine);
			continue;
		}
		CHECK_EQUAL(error, -ENOMEM);
		break;
	}
	CHECK_EQUAL(mine->state, FRAME_ANON);
	CHECK_EQUAL(mine->references, 1);
	frame_put(mine);
	audit();
}

/* ---- The model: bytes of a file ---- */

#define MODEL_PAGES 700

static struct {
	bool there;
	unsigned char byte;
} model[MODEL_PAGES];

static void model_step(unsigned step)
{
	uint64_t index = test_random(MODEL_PAGES);
	struct frame *frame;

	switch (test_random(8)) {
	case 0: /* cut */
		if (test_random(50))
			break;
		object_truncate(&object, index * PAGE_SIZE);
		for (uint64_t i = index; i < MODEL_PAGES; i++)
			model[i].there = false;
		object_truncate(&object, MODEL_PAGES * PAGE_SIZE);
		break;
	case 1: /* adopt */
		frame = pages_alloc(0, FRAME_ANON, PAGES_NORMAL);
		CHECK(frame);
		memset(frame_ptr(frame), (int)(step % 256), PAGE_SIZE);
		if (model[index].there) {
			CHECK_EQUAL(object_adopt(&object, index, frame), -EEXIST);
			frame_put(frame);
			break;
		}
		CHECK_EQUAL(object_adopt(&object, index, frame), 0);
		model[index].there = true;
		model[index].byte = (unsigned char)step;
		break;
	case 2: /* look */
		CHECK_EQUAL(object_peek(&object, index, &frame), 0);
		CHECK_EQUAL(frame != NULL, model[index].there);
		if (frame)
			frame_put(frame);
		break;
	default: /* read and write */
		frame = get(index);
		CHECK_EQUAL(
			byte(frame, step % PAGE_SIZE), model[index].there ? model[index].byte : 0);
		memset(frame_ptr(frame), (int)(step % 256), PAGE_SIZE);
		frame_put(frame);
		model[index].there = true;
		model[index].byte = (unsigned char)step;
	}
}

static void test_model(void)
{
	start(NULL, MODEL_PAGES * PAGE_SIZE);
	test_seed(9);
	for (unsigned step = 0; step < 100000; step++) {
		model_step(step);
		if (step % 5000 == 0)
			audit();
	}
	object_put(&object);
	CHECK_EQUAL(stats().by_state[FRAME_OBJECT], 0);
	CHECK_EQUAL(stats().by_state[FRAME_ANON], 0);
	slab_shrink();
	CHECK_EQUAL(stats().by_state[FRAME_SLAB], 0);
	audit();
}

static void crime_put_twice(void)
{
	object_put(&object);
	object_put(&object);
}

static void crime_mapped(void)
{
	struct list vma;

	list_push_back(&object.mappings, &vma);
	object_put(&object);
}

static void test_crimes(void)
{
	start(NULL, 0);
	CHECK(test_panics(crime_put_twice, "before != 0"));
	CHECK(test_panics(crime_mapped, "list_empty(&object->mappings)"));
}

int main(void)
{
	RUN(test_zeroes);
	RUN(test_fill);
	RUN(test_two_fill);
	RUN(test_cut_during_fill);
	RUN(test_adopt);
	RUN(test_truncate);
	RUN(test_references);
	RUN(test_no_memory);
	RUN(test_model);
	RUN(test_crimes);
	return test_result();
}
