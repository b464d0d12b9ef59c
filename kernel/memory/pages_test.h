/* SPDX-License-Identifier: MIT */
/* What the tests of the page allocator share. */
#ifndef MEMORY_PAGES_TEST_H
#define MEMORY_PAGES_TEST_H

#include "memory/pages_internal.h"

#include "arch/fake/fake.h"
#include "arch/fake/test.h"

#define MIB          (UINT64_C(1) << 20)
#define GIB          (UINT64_C(1) << 30)
#define SECTION_SIZE (UINT64_C(1) << SECTION_SHIFT)
/* What backing the first section takes: the array and a table of each level. */
#define FIRST_COST (ARRAY_PAGES + 3)

static inline struct pages_stats stats(void)
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

static inline void audit(void)
{
	const char *broken = pages_audit();

	if (broken)
		fprintf(stderr, "audit: %s\n", broken);
	CHECK(!broken);
}

static inline void start(uint64_t ram, const struct pages_range *ranges, size_t count)
{
	fake_memory_init(ram, 0);
	pages_init(fake_frames_virt(), ranges, count);
	audit();
}

static inline void start_whole(uint64_t ram)
{
	start(ram, &(struct pages_range){0, ram}, 1);
}

/* A stack of pages that a test holds, and a set of frames that it has seen. */
static struct frame **held;
static size_t held_count, held_room;

static inline void hold(struct frame *frame)
{
	if (held_count == held_room) {
		held_room = held_room ? 2 * held_room : 1024;
		held = realloc(held, held_room * sizeof(*held));
		CHECK(held);
	}
	held[held_count++] = frame;
}

static inline size_t take_all(unsigned order)
{
	struct frame *frame;
	size_t count = 0;

	while ((frame = pages_alloc(order, FRAME_USED, PAGES_NORMAL))) {
		hold(frame);
		count++;
	}
	return count;
}

static inline void give_all(unsigned order)
{
	while (held_count)
		pages_free(held[--held_count], order);
}

#endif
