/* SPDX-License-Identifier: MIT */
/* The page allocator over the fake machine: behaviour, exhaustion, holes, sections, donations,
 * claims, failures, and a random model. pages_audit judges after each step. */
#include "memory/pages_internal.h"

#include "arch/arch.h"
#include "arch/fake/fake.h"
#include "arch/fake/test.h"
#include "lib/errno.h"

#define MIB          (UINT64_C(1) << 20)
#define GIB          (UINT64_C(1) << 30)
#define SECTION_SIZE (UINT64_C(1) << SECTION_SHIFT)
/* What backing the first section takes: the array and a table of each level. */
#define FIRST_COST (ARRAY_PAGES + 3)

static struct pages_stats stats(void)
{
	struct pages_stats s;
	uint64_t sum;

	pages_statistics(&s);
	sum = s.free + s.stranded;
	for (unsigned i = 0; i < ARRAY_SIZE(s.by_state); i++)
		sum += s.by_state[i];
	CHECK_EQUAL(sum, s.total);
	CHECK_EQUAL(s.array, s.by_state[FRAME_ARRAY]);
	return s;
}

static void audit(void)
{
	const char *broken = pages_audit();

	if (broken)
		fprintf(stderr, "audit: %s\n", broken);
	CHECK(!broken);
}

static void start(uint64_t ram, const struct pages_range *ranges, size_t count)
{
	fake_memory_init(ram, 0);
	pages_init(fake_frames_virt(), ranges, count);
	audit();
}

static void start_whole(uint64_t ram)
{
	start(ram, &(struct pages_range){0, ram}, 1);
}

/* A stack of pages that a test holds, and a set of frames that it has seen. */
static struct frame **held;
static size_t held_count, held_room;

static void hold(struct frame *frame)
{
	if (held_count == held_room) {
		held_room = held_room ? 2 * held_room : 1024;
		held = realloc(held, held_room * sizeof(*held));
		CHECK(held);
	}
	held[held_count++] = frame;
}

static size_t take_all(unsigned order)
{
	struct frame *frame;
	size_t count = 0;

	while ((frame = pages_alloc(order, FRAME_USED, PAGES_NORMAL))) {
		hold(frame);
		count++;
	}
	return count;
}

static void give_all(unsigned order)
{
	while (held_count)
		pages_free(held[--held_count], order);
}

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

/* Every page is given exactly once, lies in RAM that was handed over, and the second section
 * sleeps until the first has nothing left. */
static void test_one_section_until_exhausted(void)
{
	struct pages_range ranges[] = {{0x3000, 0x90000}, {MIB, 100 * MIB}, {140 * MIB, 60 * MIB}};
	static uint8_t seen[256 * MIB / PAGE_SIZE];
	struct pages_stats before, s;
	struct frame *frame;
	uint64_t in_first;

	start(256 * MIB, ranges, ARRAY_SIZE(ranges));
	before = stats();
	in_first = (0x90000 + 100 * MIB) / PAGE_SIZE - FIRST_COST;
	for (uint64_t i = 0; i < in_first; i++) {
		frame = pages_alloc(0, FRAME_USED, PAGES_NORMAL);
		CHECK(frame && frame_phys(frame) < SECTION_SIZE);
		hold(frame);
	}
	CHECK_EQUAL(stats().sections, 1);
	take_all(0);
	s = stats();
	CHECK_EQUAL(s.sections, 2);
	CHECK_EQUAL(s.free, 0);
	/* The two sections share one page table. */
	CHECK_EQUAL(held_count, before.free - ARRAY_PAGES);
	for (size_t i = 0; i < held_count; i++) {
		phys_t phys = frame_phys(held[i]);
		bool inside = false;

		for (size_t r = 0; r < ARRAY_SIZE(ranges); r++)
			inside |= phys >= ranges[r].base && phys - ranges[r].base < ranges[r].size;
		CHECK(inside && !seen[phys >> PAGE_SHIFT]);
		seen[phys >> PAGE_SHIFT] = 1;
		memset(frame_ptr(held[i]), 0x5a, PAGE_SIZE); /* none of them is the array */
	}
	audit();
	give_all(0);
	audit();
	CHECK_EQUAL(stats().free, before.free - ARRAY_PAGES);
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

/* ---- Handing over ---- */

static void test_donate(void)
{
	struct pages_range first = {MIB, 64 * MIB};
	struct pages_stats s;
	uint64_t total;
	size_t large;

	start(512 * MIB, &first, 1);
	total = stats().total;
	large = take_all(PAGES_MAX_ORDER);
	/* Half a block, then the other half: one large block more. */
	pages_donate(68 * MIB, 2 * MIB);
	CHECK(!pages_alloc(PAGES_MAX_ORDER, FRAME_USED, PAGES_NORMAL));
	pages_donate(70 * MIB, 2 * MIB);
	CHECK_EQUAL(take_all(PAGES_MAX_ORDER), 1);
	CHECK_EQUAL(stats().total, total + 1024);
	/* Ends inside pages; nothing; page 0. */
	pages_donate(80 * MIB + 1, PAGE_SIZE * 2);
	pages_donate(90 * MIB, PAGE_SIZE - 1);
	pages_donate(91 * MIB, 0);
	pages_donate(0, PAGE_SIZE);
	CHECK_EQUAL(stats().total, total + 1024 + 1);
	/* Over an active and two inactive sections. */
	pages_donate(127 * MIB, 130 * MIB);
	s = stats();
	CHECK_EQUAL(s.total, total + 1025 + 130 * 256);
	CHECK_EQUAL(s.sections, 1);
	CHECK_EQUAL(s.stranded, 256); /* the last MiB, alone in its section */
	audit();
	while (take_all(PAGES_MAX_ORDER))
		;
	CHECK_EQUAL(stats().sections, 2);
	CHECK(held_count > large + 20);
	give_all(PAGES_MAX_ORDER);
	audit();
}

/* In every order of arrival, touching waiting ranges become one. */
static void test_waiting_order(void)
{
	start(GIB, &(struct pages_range){MIB, 16 * MIB}, 1);
	pages_donate(512 * MIB, 4 * MIB);
	pages_donate(300 * MIB, 4 * MIB);
	pages_donate(600 * MIB, 4 * MIB);
	pages_donate(516 * MIB, 84 * MIB); /* fills the gap */
	pages_donate(304 * MIB, 4 * MIB);
	pages_donate(296 * MIB, 4 * MIB);
	pages_donate(700 * MIB, 4 * MIB);
	audit();
	CHECK_EQUAL(pages.waiting->first, 296 * 256);
	CHECK_EQUAL(pages.waiting->pages, 12 * 256);
	CHECK_EQUAL(pages.waiting->next->first, 512 * 256);
	CHECK_EQUAL(pages.waiting->next->pages, 92 * 256);
	CHECK_EQUAL(pages.waiting->next->next->first, 700 * 256);
	CHECK(!pages.waiting->next->next->next);
	take_all(2);
	CHECK_EQUAL(stats().sections, 4);
	CHECK_EQUAL(stats().by_state[FRAME_USED], held_count * 4);
	audit();
}

static void test_stranded(void)
{
	struct pages_range ranges[] = {{MIB, 32 * MIB}, {SECTION_SIZE, 200 * PAGE_SIZE}};
	struct pages_stats s;

	start(512 * MIB, ranges, 2);
	CHECK_EQUAL(stats().stranded, 200);
	take_all(0);
	s = stats();
	CHECK_EQUAL(s.free, 0);
	CHECK_EQUAL(s.stranded, 200);
	CHECK_EQUAL(s.sections, 1);
	pages_donate(SECTION_SIZE + 4 * MIB, 100 * PAGE_SIZE);
	CHECK_EQUAL(stats().stranded, 0);
	CHECK_EQUAL(take_all(0), 300 - ARRAY_PAGES);
	CHECK_EQUAL(stats().free, 0);
	audit();
}

static void check_claimed(phys_t base, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		struct frame *frame = phys_frame(base + i * PAGE_SIZE);

		CHECK(frame && frame->state == FRAME_INITRD && frame->references == 1);
	}
}

static void test_claim(void)
{
	struct pages_range ranges[] = {{MIB, 32 * MIB}, {300 * MIB, 20 * MIB}};
	uint64_t total, free;

	start(GIB, ranges, 2);
	total = stats().total;
	free = stats().free;
	/* In the active section, with ends inside pages. */
	CHECK(!pages_claim(50 * MIB + 5, 3 * PAGE_SIZE, FRAME_INITRD));
	check_claimed(50 * MIB, 4);
	CHECK_EQUAL(stats().by_state[FRAME_INITRD], 4);
	CHECK_EQUAL(stats().free, free);
	CHECK(!pages_claim(60 * MIB, 0, FRAME_INITRD));
	/* Section 1 has no RAM of its own to back it; section 2 has. */
	CHECK(!pages_claim(250 * MIB, 20 * MIB, FRAME_INITRD));
	check_claimed(250 * MIB, 20 * 256);
	CHECK_EQUAL(stats().sections, 3);
	CHECK_EQUAL(stats().array, 3 * ARRAY_PAGES);
	CHECK_EQUAL(stats().total, total + 4 + 20 * 256);
	/* Two pages of table: 2 MiB of array each. */
	CHECK_EQUAL(stats().free, free - 2 * ARRAY_PAGES - 1);
	audit();
	/* Given back page by page, they merge into large blocks. */
	free = stats().free;
	for (uint64_t i = 0; i < 20 * 256; i++)
		frame_put(phys_frame(250 * MIB + i * PAGE_SIZE));
	CHECK_EQUAL(stats().free, free + 20 * 256);
	CHECK_EQUAL(stats().by_state[FRAME_INITRD], 4);
	audit();
}

static void test_claim_without_memory(void)
{
	struct pages_range range = {MIB, 4 * MIB};
	struct pages_stats before, s;

	start(GIB, &range, 1);
	take_all(3);
	take_all(0);
	before = stats();
	CHECK_EQUAL(pages_claim(120 * MIB, 20 * MIB, FRAME_INITRD), -ENOMEM);
	s = stats();
	CHECK(!memcmp(&s, &before, sizeof(s)));
	CHECK(phys_frame(120 * MIB)->state == FRAME_NONE);
	audit();
	/* Another section's waiting RAM helps, though it must be activated first. */
	pages_donate(600 * MIB, 8 * MIB);
	CHECK(!pages_claim(120 * MIB, 20 * MIB, FRAME_INITRD));
	check_claimed(120 * MIB, 20 * 256);
	CHECK_EQUAL(stats().sections, 3);
	audit();
}

/* The array's pages come from thousands of crumbs. */
static void test_crumbs(void)
{
	static struct pages_range ranges[6000];
	uint64_t pages_there = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(ranges); i++) {
		ranges[i].base = MIB + i * 3 * PAGE_SIZE + (i % 5);
		ranges[i].size = 2 * PAGE_SIZE;
		pages_there += i % 5 ? 1 : 2;
	}
	start(256 * MIB, ranges, ARRAY_SIZE(ranges));
	CHECK_EQUAL(stats().total, pages_there);
	CHECK_EQUAL(stats().array, ARRAY_PAGES);
	CHECK_EQUAL(take_all(0), pages_there - FIRST_COST);
	audit();
	give_all(0);
	audit();
	CHECK(!pages_alloc(2, FRAME_USED, PAGES_NORMAL));
}

static void test_scattered_ranges(void)
{
	static struct pages_range ranges[4000];

	/* From the top to the bottom of 16 GiB: the worst order for the sorted list. */
	for (unsigned i = 0; i < ARRAY_SIZE(ranges); i++)
		ranges[i] = (struct pages_range){(4000 - i) * 4 * MIB, 2 * MIB};
	start(17 * GIB, ranges, ARRAY_SIZE(ranges));
	CHECK_EQUAL(stats().sections, 1);
	CHECK_EQUAL(stats().total, 4000 * 512);
	CHECK_EQUAL(stats().stranded, 0);
	for (unsigned i = 0; i < 1000; i++) {
		struct frame *frame = pages_alloc(9, FRAME_USED, PAGES_NORMAL);

		CHECK(frame && frame_phys(frame) % (4 * MIB) == 0);
	}
	audit();
}

static void test_large_machines(void)
{
	static const uint64_t sizes[] = {64 * MIB, 256 * MIB, 20 * GIB, 1024 * GIB, 16384 * GIB};

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		start_whole(sizes[i]);
		CHECK_EQUAL(stats().total, sizes[i] / PAGE_SIZE - 1);
		CHECK_EQUAL(stats().free, stats().total - FIRST_COST);
		CHECK_EQUAL(fake_mapped_bytes(), ARRAY_BYTES);
	}
}

static void test_beyond_reach(void)
{
	fake_memory_init(16385 * GIB, 0);
	pages_init(fake_frames_virt(), &(struct pages_range){16383 * GIB, 2 * GIB}, 1);
	CHECK_EQUAL(stats().total, GIB / PAGE_SIZE);
	while (pages_alloc(PAGES_MAX_ORDER, FRAME_USED, PAGES_NORMAL))
		;
	CHECK_EQUAL(stats().sections, 8);
	audit();
	pages_donate(UINT64_MAX - 5 * PAGE_SIZE, 5 * PAGE_SIZE);
	CHECK_EQUAL(stats().total, GIB / PAGE_SIZE);
}

/* ---- Failures ---- */

static void test_mapping_fails(void)
{
	struct pages_range ranges[] = {
		{MIB, 16 * MIB}, {130 * MIB, 16 * MIB}, {260 * MIB, 8 * MIB}};
	struct pages_stats before;

	start(512 * MIB, ranges, ARRAY_SIZE(ranges));
	before = stats();
	fake_map_fail_nth(1);
	take_all(0);
	CHECK_EQUAL(stats().sections, 2);
	CHECK_EQUAL(stats().total, before.total - 16 * 256); /* section 1 is written off */
	CHECK(phys_frame(130 * MIB) == NULL);
	CHECK(phys_frame(260 * MIB) != NULL);
	audit();
	/* What is donated there later has another try. */
	pages_donate(200 * MIB, 8 * MIB);
	CHECK(take_all(0) > 1700);
	audit();
	fake_map_fail_nth(1);
	before = stats();
	pages_donate(400 * MIB, 8 * MIB);
	CHECK_EQUAL(pages_claim(500 * MIB, PAGE_SIZE, FRAME_INITRD), -ENOMEM);
	CHECK_EQUAL(stats().total, before.total);
	CHECK(!phys_frame(500 * MIB));
	audit();
}

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
	RUN(test_one_section_until_exhausted);
	RUN(test_merging);
	RUN(test_magazine);
	RUN(test_fail_nth);
	RUN(test_references);
	RUN(test_donate);
	RUN(test_waiting_order);
	RUN(test_stranded);
	RUN(test_claim);
	RUN(test_claim_without_memory);
	RUN(test_crumbs);
	RUN(test_scattered_ranges);
	RUN(test_large_machines);
	RUN(test_beyond_reach);
	RUN(test_mapping_fails);
	RUN(test_crimes);
	RUN(test_audit_finds);
	RUN(test_model);
	return test_result();
}
