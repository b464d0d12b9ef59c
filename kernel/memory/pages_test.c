/* SPDX-License-Identifier: MIT */
/* The page allocator over the fake machine: blocks, merging, the magazine, references, crimes, and a
 * random model. pages_audit judges after each step. Sections have a test of their own. */
#include "memory/pages_test.h"

#include "arch/arch.h"

static void test_start(void)
{
	struct pages_range holes[] = {
		{0, 0x9f000}, {0x100000, 7 * MIB}, {0x1500000, 0xe000000 - 0x1500000}};
	struct pages_stats s;

	start(256 * MIB, holes, ARRAY_SIZE(holes));
	s = stats();
	CHECK_EQUAL(s.total, 0x9e + 7 * 256 + (0xe000 - 0x1500)); /* without page 0 */
	CHECK_EQUAL(s.sections, 1);
	CHECK_EQUAL(s.array, ARRAY_PAGES);
	CHECK_EQUAL(s.by_state[FRAME_TABLE], 3);
	CHECK_EQUAL(s.free, s.total - FIRST_COST);
	CHECK_EQUAL(fake_mapped_bytes(), ARRAY_BYTES);
	CHECK(!phys_frame(SECTION_SIZE));
	CHECK(!phys_frame(UINT64_MAX));
	/* The array is at the section's top: low memory is kept. */
	CHECK_EQUAL(phys_frame(SECTION_SIZE - ARRAY_BYTES)->state, FRAME_ARRAY);
	CHECK(phys_frame(0x1000)->state == FRAME_FREE);
	CHECK(phys_frame(0)->state == FRAME_NONE);
}

static void test_addresses(void)
{
	struct frame *frame;

	start_whole(64 * MIB);
	frame = pages_alloc(3, FRAME_STACK, PAGES_NORMAL);
	CHECK(frame && frame_phys(frame) % (8 * PAGE_SIZE) == 0);
	CHECK(phys_frame(frame_phys(frame) + 123) == frame);
	CHECK(arch_ptr_to_phys(frame_ptr(frame)) == frame_phys(frame));
	CHECK_EQUAL(frame->state, FRAME_STACK);
	CHECK_EQUAL(frame->references, 1);
	CHECK_EQUAL(stats().by_state[FRAME_STACK], 8);
	frame_set_state(frame, FRAME_HEAP);
	CHECK_EQUAL(stats().by_state[FRAME_STACK], 0);
	CHECK_EQUAL(stats().by_state[FRAME_HEAP], 8);
	audit();
	pages_free(frame, 3);
	CHECK_EQUAL(stats().by_state[FRAME_HEAP], 0);
	audit();
}

static void test_zero(void)
{
	struct frame *frame;

	start_whole(16 * MIB);
	for (unsigned round = 0; round < 4; round++) {
		unsigned order = round % 2 ? 3 : 0;
		size_t size = PAGE_SIZE << order;
		char *bytes;

		frame = pages_alloc(order, FRAME_ANON, PAGES_ZERO);
		CHECK(frame && !frame->page.object && !frame->page.index && !frame->page.link);
		bytes = frame_ptr(frame);
		for (size_t i = 0; i < size; i++)
			CHECK(!bytes[i]);
		memset(bytes, 0xaa, size);
		frame->page.object = (struct object *)bytes;
		frame->page.index = frame->page.link = 77;
		frame->flags = 3;
		pages_free(frame, order);
		frame = pages_alloc(order, FRAME_ANON, PAGES_NORMAL);
		CHECK(frame && !frame->page.object && !frame->page.link && !frame->flags);
		pages_free(frame, order);
	}
}

static void test_merging(void)
{
	size_t large;

	start_whole(128 * MIB);
	large = take_all(PAGES_MAX_ORDER);
	CHECK(large >= 30);
	give_all(PAGES_MAX_ORDER);
	take_all(0);
	CHECK_EQUAL(stats().free, 0);
	CHECK(!pages_alloc(0, FRAME_USED, PAGES_NORMAL));
	/* In an order of its own, so that buddies come back apart. */
	for (size_t i = held_count; i > 1; i--) {
		size_t j = test_random(i);
		struct frame *other = held[j];

		held[j] = held[i - 1];
		held[i - 1] = other;
	}
	give_all(0);
	audit();
	CHECK_EQUAL(take_all(PAGES_MAX_ORDER), large);
	audit();
}

/* Pages in the magazine do not stand in the way of larger blocks, nor of the last single page. */
static void test_magazine(void)
{
	struct frame *a, *b;

	start(16 * MIB, &(struct pages_range){MIB, (FIRST_COST + 3) * PAGE_SIZE}, 1);
	CHECK_EQUAL(stats().free, 3);
	a = pages_alloc(0, FRAME_USED, PAGES_NORMAL);
	CHECK(a && pages.magazine.count == 2);
	pages_free(a, 0);
	audit();
	a = pages_alloc(1, FRAME_USED, PAGES_NORMAL);
	b = pages_alloc(0, FRAME_USED, PAGES_NORMAL);
	CHECK(a && b && !pages_alloc(0, FRAME_USED, PAGES_NORMAL));
	pages_free(b, 0);
	pages_free(a, 1);
	audit();
}

static void test_fail_nth(void)
{
	struct frame *frames[3];

	start_whole(64 * MIB);
	pages_fail_nth(3);
	frames[0] = pages_alloc(0, FRAME_USED, PAGES_NORMAL);
	frames[1] = pages_alloc(4, FRAME_USED, PAGES_ZERO);
	CHECK(frames[0] && frames[1]);
	CHECK(!pages_alloc(0, FRAME_USED, PAGES_ZERO));
	frames[2] = pages_alloc(0, FRAME_USED, PAGES_NORMAL);
	CHECK(frames[2]);
	pages_free(frames[1], 4);
	pages_free(frames[0], 0);
	pages_free(frames[2], 0);
	audit();
}

static void test_references(void)
{
	struct frame *frame;
	uint64_t free;

	start_whole(64 * MIB);
	free = stats().free;
	frame = pages_alloc(0, FRAME_ANON, PAGES_NORMAL);
	CHECK(frame);
	frame_get(frame);
	frame_get(frame);
	CHECK_EQUAL(frame->references, 3);
	frame_put(frame);
	frame_put(frame);
	CHECK_EQUAL(stats().free, free - 1);
	frame_put(frame);
	CHECK_EQUAL(stats().free, free);
	audit();
}

/* ---- Crimes ---- */

static struct frame *victim;

static void crime_free_twice(void)
{
	pages_free(victim, 0);
	pages_free(victim, 0);
}

static void crime_free_twice_block(void)
{
	struct frame *frame = pages_alloc(4, FRAME_USED, PAGES_NORMAL);

	pages_free(frame, 4);
	pages_free(frame, 4);
}

static void crime_wrong_order(void)
{
	pages_free(victim, 1);
}

static void crime_free_tail(void)
{
	struct frame *frame = pages_alloc(4, FRAME_USED, PAGES_NORMAL);

	pages_free(frame + 1, 0);
}

static void crime_free_shared(void)
{
	frame_get(victim);
	pages_free(victim, 0);
}

static void crime_put_twice(void)
{
	frame_put(victim);
	frame_put(victim);
}

static void crime_get_free(void)
{
	frame_put(victim);
	frame_get(victim);
}

static void crime_free_unowned(void)
{
	pages_free(phys_frame(100 * MIB), 0);
}

static void crime_order(void)
{
	CHECK(!pages_alloc(PAGES_MAX_ORDER + 1, FRAME_USED, PAGES_NORMAL));
}

static void crime_donate_free(void)
{
	pages_donate(8 * MIB, PAGE_SIZE);
}

static void crime_donate_used(void)
{
	pages_donate(frame_phys(victim), PAGE_SIZE);
}

static void crime_donate_waiting(void)
{
	pages_donate(200 * MIB, 2 * MIB);
	pages_donate(201 * MIB, 2 * MIB);
}

static void crime_claim_free(void)
{
	CHECK(pages_claim(8 * MIB, PAGE_SIZE, FRAME_INITRD));
}

static void crime_no_memory(void)
{
	pages_init(fake_frames_virt(), &(struct pages_range){MIB, MIB}, 1);
}

/* Each on a machine of its own: a crime leaves it broken. */
static void crime(void (*commit)(void), const char *words)
{
	start(256 * MIB, &(struct pages_range){MIB, 16 * MIB}, 1);
	victim = pages_alloc(0, FRAME_ANON, PAGES_NORMAL);
	CHECK(victim);
	CHECK(test_panics(commit, words));
}

static void test_crimes(void)
{
	crime(crime_free_twice, "references == 1");
	crime(crime_free_twice_block, "references == 1");
	crime(crime_wrong_order, "frame->order == order");
	crime(crime_free_tail, "references == 1");
	crime(crime_free_shared, "references == 1");
	crime(crime_put_twice, "before != 0");
	crime(crime_get_free, "before != 0");
	crime(crime_free_unowned, "references == 1");
	crime(crime_order, "order <= ");
	crime(crime_donate_free, "range_unknown");
	crime(crime_donate_used, "range_unknown");
	crime(crime_claim_free, "range_unknown");
	crime(crime_donate_waiting, "extent_end(before) <= first");
	crime(crime_no_memory, "no 128 MiB section");
}

/* The audit finds what is broken on purpose. */
static void test_audit_finds(void)
{
	struct frame *frame, saved;

	start_whole(64 * MIB);
	frame = pages_alloc(2, FRAME_USED, PAGES_NORMAL);
	CHECK(frame);
	saved = *frame;
	frame->order = 1;
	CHECK(pages_audit());
	*frame = saved;
	frame->state = FRAME_STACK;
	CHECK(pages_audit());
	*frame = saved;
	frame->references = 0;
	CHECK(pages_audit());
	*frame = saved;
	frame[1].flags = 1;
	CHECK(pages_audit());
	frame[1].flags = 0;
	audit();
	pages.total++;
	CHECK(pages_audit());
	pages.total--;
	pages.free++;
	CHECK(pages_audit());
	pages.free--;
	pages.orders ^= 1u << PAGES_MAX_ORDER;
	CHECK(pages_audit());
	pages.orders ^= 1u << PAGES_MAX_ORDER;
	frame = &frame_array[pages.heads[PAGES_MAX_ORDER]];
	frame->free.prev = 5;
	CHECK(pages_audit());
	frame->free.prev = 0;
	frame->references = 1;
	CHECK(pages_audit());
	frame->references = 0;
	audit();
}

/* ---- The model: 200,000 random steps beside a map of who has which page ---- */

#define MODEL_PAGES (600 * MIB / PAGE_SIZE)
#define MODEL_HELD  3000

static uint8_t model_owned[MODEL_PAGES]; /* 1: allocated to the test */
static struct {
	struct frame *frame;
	unsigned order;
	uint64_t stamp;
} model[MODEL_HELD];
static uint64_t model_stamp, model_pages;

static void model_take(unsigned slot)
{
	unsigned order = (unsigned)(test_random(4) ? 0 : test_random(ORDERS));
	struct frame *frame = pages_alloc(order, FRAME_USED, PAGES_NORMAL);
	uint64_t first;

	if (!frame)
		return;
	first = frame_phys(frame) >> PAGE_SHIFT;
	CHECK(first % (1u << order) == 0);
	for (uint64_t i = 0; i < 1u << order; i++) {
		CHECK(!model_owned[first + i]);
		model_owned[first + i] = 1;
	}
	model[slot].frame = frame;
	model[slot].order = order;
	model[slot].stamp = ++model_stamp;
	/* In the first and the last page of the block. */
	*(uint64_t *)frame_ptr(frame) = model_stamp;
	((uint64_t *)((char *)frame_ptr(frame) + (PAGE_SIZE << order)))[-1] = model_stamp;
	model_pages += 1u << order;
}

static void model_give(unsigned slot)
{
	struct frame *frame = model[slot].frame;
	unsigned order = model[slot].order;
	uint64_t first = frame_phys(frame) >> PAGE_SHIFT;

	CHECK_EQUAL(*(uint64_t *)frame_ptr(frame), model[slot].stamp);
	CHECK_EQUAL(((uint64_t *)((char *)frame_ptr(frame) + (PAGE_SIZE << order)))[-1],
		model[slot].stamp);
	for (uint64_t i = 0; i < 1u << order; i++)
		model_owned[first + i] = 0;
	pages_free(frame, order);
	model[slot].frame = NULL;
	model_pages -= 1u << order;
}

static void test_model(void)
{
	struct pages_range ranges[] = {{0x1000, 0x9e000}, {MIB, 60 * MIB}, {100 * MIB, 45 * MIB},
		{256 * MIB, MIB}, {390 * MIB, 20 * MIB}};
	phys_t donate_at = 420 * MIB;

	test_seed(2026);
	start(600 * MIB, ranges, ARRAY_SIZE(ranges));
	for (unsigned step = 0; step < 200000; step++) {
		unsigned slot = (unsigned)test_random(MODEL_HELD);

		if (model[slot].frame)
			model_give(slot);
		else
			model_take(slot);
		if (step % 2500 == 0 && donate_at < 590 * MIB) {
			uint64_t size = (1 + test_random(1000)) * PAGE_SIZE;

			pages_donate(donate_at, size);
			donate_at += size + test_random(3) * PAGE_SIZE;
		}
		if (step % 10000 == 0) {
			audit();
			CHECK_EQUAL(stats().by_state[FRAME_USED], model_pages);
		}
	}
	CHECK(stats().sections >= 4);
	for (unsigned slot = 0; slot < MODEL_HELD; slot++) {
		if (model[slot].frame)
			model_give(slot);
	}
	audit();
	CHECK_EQUAL(stats().by_state[FRAME_USED], 0);
}

int main(void)
{
	RUN(test_start);
	RUN(test_addresses);
	RUN(test_zero);
	RUN(test_merging);
	RUN(test_magazine);
	RUN(test_fail_nth);
	RUN(test_references);
	RUN(test_crimes);
	RUN(test_audit_finds);
	RUN(test_model);
	return test_result();
}
