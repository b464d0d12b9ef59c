/* SPDX-License-Identifier: MIT */
/* Sections of the page-frame array: when they become active, what waits in the others, donations,
 * claims, and mappings that fail. */
#include "memory/pages_test.h"

#include "lib/errno.h"

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

/* The machine starts where the initrd is, in one section, unless there is no room. */
static void test_start_near(void)
{
	struct pages_range ranges[] = {{MIB, 120 * MIB}, {130 * MIB, 90 * MIB}};

	fake_memory_init(256 * MIB, 0);
	pages_init_near(fake_frames_virt(), ranges, ARRAY_SIZE(ranges), 240 * MIB);
	CHECK(!pages_claim(240 * MIB, MIB, FRAME_INITRD));
	CHECK_EQUAL(stats().sections, 1);
	CHECK(phys_frame(240 * MIB) && !phys_frame(MIB));
	audit();
	take_all(0);
	CHECK_EQUAL(stats().sections, 2);
	audit();
	ranges[1].size = MIB;
	pages_init_near(fake_frames_virt(), ranges, ARRAY_SIZE(ranges), 240 * MIB);
	CHECK(!phys_frame(240 * MIB) && phys_frame(MIB));
	pages_init_near(fake_frames_virt(), ranges, ARRAY_SIZE(ranges), UINT64_MAX);
	CHECK(phys_frame(MIB));
}

/* A section that its array would eat up is not activated; one that keeps little comes last. */
static void test_order_of_sections(void)
{
	struct pages_range ranges[] = {{MIB, 16 * MIB}, {SECTION_SIZE, FIRST_COST * PAGE_SIZE},
		{2 * SECTION_SIZE, 3 * MIB}, {3 * SECTION_SIZE, 16 * MIB}};

	start(512 * MIB, ranges, ARRAY_SIZE(ranges));
	for (uint64_t i = 0; i < 4096 - FIRST_COST + 1; i++)
		hold(pages_alloc(0, FRAME_USED, PAGES_NORMAL));
	CHECK_EQUAL(stats().sections, 2);
	CHECK(phys_frame(3 * SECTION_SIZE) && !phys_frame(2 * SECTION_SIZE));
	take_all(0);
	CHECK_EQUAL(stats().sections, 3);
	CHECK(phys_frame(2 * SECTION_SIZE) && !phys_frame(SECTION_SIZE));
	CHECK_EQUAL(stats().stranded, FIRST_COST);
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

/* What waits below and above a section that is claimed goes on waiting. */
static void test_claim_splits(void)
{
	start(GIB, &(struct pages_range){MIB, 16 * MIB}, 1);
	pages_donate(200 * MIB, 100 * MIB);
	pages_donate(360 * MIB, 100 * MIB);
	CHECK(!pages_claim(350 * MIB, PAGE_SIZE, FRAME_INITRD));
	CHECK(phys_frame(299 * MIB) && !phys_frame(255 * MIB) && !phys_frame(384 * MIB));
	CHECK_EQUAL(pages.waiting->first, 200 * 256);
	CHECK_EQUAL(pages.waiting->pages, 56 * 256);
	CHECK_EQUAL(pages.waiting->next->first, 384 * 256);
	CHECK_EQUAL(pages.waiting->next->pages, 76 * 256);
	audit();
}

static void test_claim_without_memory(void)
{
	struct pages_range range = {MIB, 4 * MIB};
	struct pages_stats before, s;

	start(GIB, &range, 1);
	take_all(0);
	for (unsigned i = 0; i < 100; i++)
		pages_free(held[--held_count], 0); /* free, but too few */
	before = stats();
	CHECK_EQUAL(before.free, 100);
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

int main(void)
{
	RUN(test_one_section_until_exhausted);
	RUN(test_donate);
	RUN(test_waiting_order);
	RUN(test_stranded);
	RUN(test_start_near);
	RUN(test_order_of_sections);
	RUN(test_claim);
	RUN(test_claim_splits);
	RUN(test_claim_without_memory);
	RUN(test_crumbs);
	RUN(test_scattered_ranges);
	RUN(test_large_machines);
	RUN(test_beyond_reach);
	RUN(test_mapping_fails);
	return test_result();
}
