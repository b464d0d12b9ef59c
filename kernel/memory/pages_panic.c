/* SPDX-License-Identifier: MIT */
/*
 * Memory for a panic. The allocator's lock may be held by a CPU that was stopped, or its lists be half changed, so
 * neither is touched: the frames are walked for free blocks, from the first on, and what is in them is
 * taken, never to be given back. That is safe since nothing else runs any more, and since the head of a free block
 * says so by a single store: at worst a page is taken that was just being freed or allocated, in which
 * nobody had anything that is still wanted.
 */
#include "lib/string.h"
#include "memory/pages.h"

#define ORDER_LEAST 3u /* smaller blocks are passed over */

static uint64_t walked; /* frames before this one were looked at */
static phys_t block, block_end;

/* The next free block, as `block`. */
static bool next_block(void)
{
	while (walked < SECTIONS_MAX * SECTION_FRAMES) {
		const struct frame *frame = &frame_array[walked];

		if (!section_active(walked / SECTION_FRAMES)) {
			walked = ALIGN_DOWN(walked, SECTION_FRAMES) + SECTION_FRAMES;
			continue;
		}
		if (frame->state != FRAME_FREE || frame->order > PAGES_MAX_ORDER) {
			walked++;
			continue;
		}
		walked += UINT64_C(1) << frame->order;
		if (frame->order >= ORDER_LEAST) {
			block = frame_phys(frame);
			block_end = block + (PAGE_SIZE << frame->order);
			return true;
		}
	}
	return false;
}

phys_t pages_in_panic(unsigned count)
{
	phys_t taken;

	while (block_end - block < count * PAGE_SIZE) {
		if (!next_block())
			return 0;
	}
	taken = block;
	block += count * PAGE_SIZE;
	kasan_allow(arch_phys_to_ptr(taken), count * PAGE_SIZE);
	memset(arch_phys_to_ptr(taken), 0, count * PAGE_SIZE);
	return taken;
}
