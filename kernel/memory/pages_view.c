/* SPDX-License-Identifier: MIT */
/*
 * What page frames are for: the numbers behind /proc/kpageflags, kpagecount and baton/frames.
 *
 * A frame's record is at the head of its block alone (pages.h), so a look at any other frame finds the head first:
 * the nearest aligned frame below that has a record. Heads change under the allocator's lock, which is
 * held for at most PAGES_VIEW_MAX frames at a time. References and what an object's page says of its object
 * change without it: as on Linux these are numbers of some moment.
 */
#include "memory/view.h"

#include "memory/pages_internal.h"

/* NULL: no block covers it. */
static const struct frame *block_of(uint64_t number)
{
	for (unsigned order = 0; order <= PAGES_MAX_ORDER; order++) {
		const struct frame *head = &frame_array[number >> order << order];

		if (head->state != FRAME_NONE)
			return head->order >= order ? head : NULL;
	}
	return NULL;
}

/* Sections that are not active have no records: what waits there is free. */
static struct page_view view_waiting(uint64_t number) requires(pages_lock)
{
	for (const struct extent *e = pages.waiting; e && e->first <= number; e = e->next) {
		if (number < e->first + e->pages)
			return (struct page_view){.state = FRAME_FREE, .first = true};
	}
	return (struct page_view){.state = FRAME_NONE};
}

static struct page_view view_one(uint64_t number) requires(pages_lock)
{
	const struct frame *frame;
	uint32_t references;

	if (!section_active(number / SECTION_FRAMES))
		return view_waiting(number);
	frame = block_of(number);
	if (!frame)
		return (struct page_view){.state = FRAME_NONE};
	references = __atomic_load_n(&frame->references, __ATOMIC_RELAXED);
	return (struct page_view){
		.state = frame->state,
		.order = frame->order,
		.first = frame == &frame_array[number],
		.shmem = frame->state == FRAME_OBJECT && frame->flags & FRAME_SHMEM,
		.references = references,
		.mappings = frame_mappings(frame, references),
	};
}

void pages_view(uint64_t first, unsigned count, struct page_view *out)
{
	assert(count <= PAGES_VIEW_MAX);
	spin_lock(&pages_lock);
	for (unsigned i = 0; i < count; i++)
		out[i] = view_one(first + i);
	spin_unlock(&pages_lock);
}
