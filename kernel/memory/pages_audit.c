/* SPDX-License-Identifier: MIT */
/* The invariants of pages.c, checked one by one over everything. For tests: it walks all frames of
 * the active sections with interrupts off. */
#include "memory/pages_internal.h"

#include "lib/string.h"

struct audit {
	uint64_t free_blocks[ORDERS];
	uint64_t cached;
	uint64_t by_state[FRAME_STATES]; /* pages */
	uint64_t sections;
};

static bool is_zero(const struct frame *frame)
{
	static const struct frame zero;

	return !memcmp(frame, &zero, sizeof(zero));
}

static const char *audit_free_block(const struct frame *frame, uint64_t number)
{
	const struct frame *buddy = &frame_array[number ^ (UINT64_C(1) << frame->order)];

	if (frame->references)
		return "a free block has references";
	if (frame->order < PAGES_MAX_ORDER && buddy->state == FRAME_FREE &&
		buddy->order == frame->order)
		return "two free buddies were not merged";
	return NULL;
}

static const char *audit_block(struct audit *audit, const struct frame *frame, uint64_t number)
{
	uint64_t size = UINT64_C(1) << frame->order;

	if (frame->state >= FRAME_STATES)
		return "a frame has an unknown state";
	if (frame->order > PAGES_MAX_ORDER)
		return "a block has an order above the largest";
	if (number % size)
		return "a block is not aligned to its size";
	for (uint64_t i = 1; i < size; i++) {
		if (!is_zero(frame + i))
			return "a frame inside a block is not all-zero";
	}
	audit->by_state[frame->state] += size;
	if (frame->state == FRAME_FREE) {
		audit->free_blocks[frame->order]++;
		return audit_free_block(frame, number);
	}
	if (frame->state == FRAME_CACHED) {
		audit->cached++;
		return frame->order || frame->references ? "a cached page is not a free single one"
							 : NULL;
	}
	return frame->references ? NULL : "an allocated block has no reference";
}

static const char *audit_section(struct audit *audit, uint64_t section)
{
	uint64_t number = section * SECTION_FRAMES, end = number + SECTION_FRAMES;

	audit->sections++;
	while (number < end) {
		const struct frame *frame = &frame_array[number];
		const char *broken;

		if (frame->state == FRAME_NONE) {
			if (!is_zero(frame))
				return "a frame of state none is not all-zero";
			number++;
			continue;
		}
		broken = audit_block(audit, frame, number);
		if (broken)
			return broken;
		number += UINT64_C(1) << frame->order;
	}
	return NULL;
}

static const char *audit_list(unsigned order, uint64_t expected) requires(pages_lock)
{
	uint64_t count = 0, previous = 0;

	if (!pages.heads[order] != !(pages.orders >> order & 1))
		return "the mask of orders does not say which lists have blocks";
	if (pages.blocks[order] != expected)
		return "the count of an order's free blocks is wrong";
	for (uint64_t n = pages.heads[order]; n; n = frame_array[n].free.next) {
		const struct frame *frame = &frame_array[n];

		if (!section_active(n / SECTION_FRAMES))
			return "a free list leads into a section that is not active";
		if (frame->state != FRAME_FREE || frame->order != order)
			return "a free list leads to what is not a free block of its order";
		if (frame->free.prev != previous)
			return "the links of a free list do not match";
		if (++count > expected)
			return "a free list has more blocks than there are";
		previous = n;
	}
	return count == expected ? NULL : "a free block is on no list";
}

static const char *audit_waiting(uint64_t *count) requires(pages_lock)
{
	uint64_t end = 0;

	for (const struct extent *e = pages.waiting; e; e = e->next) {
		if (!e->pages || !e->first || e->first + e->pages > FRAMES_MAX)
			return "a waiting range is empty or out of reach";
		if (end && e->first <= end)
			return "waiting ranges are not sorted, or touch";
		end = e->first + e->pages;
		for (uint64_t n = e->first; n < end; n += SECTION_FRAMES - n % SECTION_FRAMES) {
			if (section_active(n / SECTION_FRAMES))
				return "a range waits in an active section";
		}
		*count += e->pages;
	}
	return NULL;
}

static const char *audit_magazines(const struct audit *audit) requires(pages_lock)
{
	if (pages.magazine.count > MAGAZINE_SIZE || pages.zeroed.count > MAGAZINE_SIZE ||
		pages.magazine.count + pages.zeroed.count != audit->cached)
		return "the magazines do not hold the cached pages";
	for (unsigned i = 0; i < pages.magazine.count; i++) {
		if (pages.magazine.pages[i]->state != FRAME_CACHED)
			return "the magazine holds a page that is not cached";
	}
	for (unsigned i = 0; i < pages.zeroed.count; i++) {
		const uint64_t *words = frame_ptr(pages.zeroed.pages[i]);

		if (pages.zeroed.pages[i]->state != FRAME_CACHED)
			return "the magazine of zeroes holds a page that is not cached";
		for (size_t word = 0; word < PAGE_SIZE / sizeof(*words); word++) {
			if (words[word])
				return "a page that is said to be clear is not";
		}
	}
	return NULL;
}

static const char *audit_counts(const struct audit *audit, uint64_t waiting) requires(pages_lock)
{
	uint64_t sum = waiting;

	for (unsigned state = FRAME_FREE; state < FRAME_STATES; state++) {
		sum += audit->by_state[state];
		if (state != FRAME_FREE && state != FRAME_CACHED &&
			audit->by_state[state] != pages.by_state[state])
			return "the pages of a state are miscounted";
	}
	if (audit->by_state[FRAME_FREE] != pages.free)
		return "the free pages are miscounted";
	if (audit->sections != pages.active_sections)
		return "the active sections are miscounted";
	return sum == pages.total ? NULL : "the states do not add up to the total";
}

static const char *audit_all(void) requires(pages_lock)
{
	struct audit audit = {0};
	const char *broken = NULL;
	uint64_t waiting = 0;

	for (uint64_t section = 0; !broken && section < SECTIONS_MAX; section++) {
		if (section_active(section))
			broken = audit_section(&audit, section);
		else if (section % 64 == 0 && !active_map[section / 64])
			section += 63;
	}
	for (unsigned order = 0; !broken && order < ORDERS; order++)
		broken = audit_list(order, audit.free_blocks[order]);
	if (!broken)
		broken = audit_magazines(&audit);
	if (!broken)
		broken = audit_waiting(&waiting);
	return broken ? broken : audit_counts(&audit, waiting);
}

const char *pages_audit(void)
{
	const char *broken;

	spin_lock(&pages_lock);
	broken = audit_all();
	spin_unlock(&pages_lock);
	return broken;
}
