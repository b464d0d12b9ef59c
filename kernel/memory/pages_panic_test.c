/* SPDX-License-Identifier: MIT */
/* Pages for a panic: free ones only, none twice, clear, until there are no more; the allocator's lock stays free. */
#include "memory/pages_test.h"

#include "arch/arch.h"

#define RAM   (160 * MIB) /* two sections, of which one is active at first */
#define PAGES (RAM / PAGE_SIZE)

static bool taken[PAGES]; /* or not to be taken */

/* In portions of 1 to `most` pages; how many came. */
static unsigned drain(unsigned most)
{
	static const uint8_t zeros[PAGE_SIZE];
	unsigned count = 1, total = 0;
	phys_t at;

	while ((at = pages_in_panic(count))) {
		for (unsigned i = 0; i < count; i++, total++) {
			uint64_t number = at / PAGE_SIZE + i;

			CHECK(number < PAGES && !taken[number]);
			taken[number] = true;
			CHECK(!memcmp(arch_phys_to_ptr(at + i * PAGE_SIZE), zeros, PAGE_SIZE));
		}
		count = count % most + 1;
	}
	return total;
}

/* All pages are taken; then of each 64 the first 16 are given back, and one in the middle. */
static void test_blocks(void)
{
	struct frame *frame;
	unsigned free = 0, got;

	start_whole(RAM);
	memset(taken, true, sizeof(taken));
	while ((frame = pages_alloc(0, FRAME_USED, PAGES_NORMAL))) {
		memset(frame_ptr(frame), 0xaa, PAGE_SIZE);
		hold(frame);
	}
	for (size_t i = 0; i < held_count; i++) {
		uint64_t number = frame_phys(held[i]) / PAGE_SIZE;

		if (number % 64 >= 16 && number % 64 != 32)
			continue;
		taken[number] = number % 64 == 32; /* blocks of a single page are passed over */
		free += number % 64 < 16;
		pages_free(held[i], 0);
	}
	audit();
	spin_lock(&pages_lock); /* as a stopped CPU may hold it */
	got = drain(5);
	spin_unlock(&pages_lock);
	CHECK(free > 8000 && got > free / 2 && got <= free);
	while (pages_in_panic(1))
		got++;
	CHECK(got <= free);
}

int main(void)
{
	RUN(test_blocks);
	return test_result();
}
