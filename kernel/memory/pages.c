/* SPDX-License-Identifier: MIT */
/*
 * Physical pages: a buddy allocator over an array with one struct frame a page.
 *
 * The problem. A page fault wants a page in some 60 instructions; a 1 TiB machine must start as
 * cheaply as one with 256 MiB; and the allocator's own memory must stay near 1 MiB where RAM is
 * 256 MiB. An array for all RAM, initialised at start, does none of that.
 *
 * The design. RAM is cut into sections of 128 MiB. A section is inactive, its free ranges merely
 * remembered, until the active ones are exhausted; then its 1 MiB of array is backed by its own
 * memory, cleared at one stroke and its ranges become free blocks (sections.c). Nothing walks the
 * frames: all-zero means "not the head of a block", and heads alone are written.
 *
 * Free blocks of 2^order pages, naturally aligned, hang on a list an order, linked by frame
 * numbers; a bit mask says which lists have blocks. Taking a block finds the smallest list that
 * serves and splits; giving one back merges it with its buddy (Knowlton, CACM 8(10), 1965) as long
 * as that one is free too. A block never leaves its section. Single pages go through a magazine,
 * which exchanges batches with the lists.
 *
 * Invariants, which pages_audit checks:
 *  - a frame is the head of exactly one block (free, allocated or in the magazine), or all-zero.
 *    Behind a head of order n lie 2^n - 1 all-zero frames; the head is aligned to 2^n.
 *  - two buddies of an order below the largest are never both free.
 *  - a block is on the list of its order if and only if its head says FRAME_FREE.
 *  - free pages (lists, magazine, waiting ranges) and pages by state add up to the total.
 *  - what waits lies in inactive sections only, sorted, and touching ranges are one.
 *
 * Locks. pages_lock guards all of it, for short: the longest hold is an activation, which clears
 * 1 MiB. It is taken inside any other lock, and inside it none but the log's. The reference count
 * of a frame is atomic; the union belongs to the block's owner, under the owner's locks.
 *
 * Failure. pages_alloc returns NULL when no block of that order is left. Freeing what is not
 * allocated, with another order, or with references left, is a panic. Sections too small to back
 * their own array are left alone ("stranded") until more of their RAM is donated or a claim needs
 * them; then other sections lend the pages.
 */
#include "memory/pages_internal.h"

#include "arch/arch.h"
#include "lib/log.h"
#include "lib/string.h"

#define SLOW_PATH __attribute__((noinline))

struct spinlock pages_lock = SPINLOCK_INIT;
struct pages_state pages;
struct frame *frame_array;
uint32_t alloc_fail_armed;
bool (*alloc_fail_hook)(const void *site);

static uint64_t frame_number(const struct frame *frame)
{
	return (uint64_t)(frame - frame_array);
}

/* ---- The lists ---- */

static void block_push(uint64_t first, unsigned order) requires(pages_lock)
{
	struct frame *frame = &frame_array[first];
	uint32_t next = pages.heads[order];

	frame->state = FRAME_FREE;
	frame->order = (uint8_t)order;
	frame->free.next = next;
	frame->free.prev = 0;
	if (next)
		frame_array[next].free.prev = (uint32_t)first;
	pages.heads[order] = (uint32_t)first;
	pages.orders |= 1u << order;
	pages.blocks[order]++;
	pages.free += UINT64_C(1) << order;
}

/* Takes a free block off its list; the frame is all-zero then. */
static void block_unlink(struct frame *frame) requires(pages_lock)
{
	unsigned order = frame->order;
	uint32_t next = frame->free.next, prev = frame->free.prev;

	if (next)
		frame_array[next].free.prev = prev;
	if (prev)
		frame_array[prev].free.next = next;
	else if (!(pages.heads[order] = next))
		pages.orders &= ~(1u << order);
	*frame = (struct frame){0};
	pages.blocks[order]--;
	pages.free -= UINT64_C(1) << order;
}

uint64_t buddy_take(unsigned order)
{
	uint32_t candidates = pages.orders >> order;
	uint64_t first;
	unsigned found;

	if (!candidates)
		return 0;
	found = order + (unsigned)__builtin_ctz(candidates);
	first = pages.heads[found];
	block_unlink(&frame_array[first]);
	while (found > order) {
		found--;
		block_push(first + (UINT64_C(1) << found), found);
	}
	return first;
}

/* `first` is all-zero, on no list. */
void buddy_give(uint64_t first, unsigned order)
{
	while (order < PAGES_MAX_ORDER) {
		uint64_t size = UINT64_C(1) << order;
		struct frame *buddy = &frame_array[first ^ size];

		if (buddy->state != FRAME_FREE || buddy->order != order)
			break;
		block_unlink(buddy);
		first &= ~size;
		order++;
	}
	block_push(first, order);
}

/* The largest order of a block that ends where [first, end) ends and does not leave it. */
static unsigned last_block_order(uint64_t first, uint64_t end)
{
	unsigned aligned = (unsigned)__builtin_ctzll(end);
	unsigned fits = 63 - (unsigned)__builtin_clzll(end - first);
	unsigned order = aligned < fits ? aligned : fits;

	return order < PAGES_MAX_ORDER ? order : PAGES_MAX_ORDER;
}

/* From the end to the start, so that the lowest blocks come to the heads of the lists. */
void buddy_give_range(uint64_t first, uint64_t count)
{
	while (count) {
		unsigned order = last_block_order(first, first + count);

		count -= UINT64_C(1) << order;
		buddy_give(first + count, order);
	}
}

void mark_block(uint64_t first, unsigned order, enum frame_state state)
{
	struct frame *frame = &frame_array[first];

	frame->references = 1;
	frame->state = (uint8_t)state;
	frame->order = (uint8_t)order;
	pages.by_state[state] += UINT64_C(1) << order;
}

void mark_range(uint64_t first, uint64_t count, enum frame_state state)
{
	while (count) {
		unsigned order = last_block_order(first, first + count);

		count -= UINT64_C(1) << order;
		mark_block(first + count, order, state);
	}
}

/* ---- The magazine ---- */

/* Gives the pages that have been in it longest back to the lists. */
static SLOW_PATH void magazine_flush(struct magazine *magazine, unsigned count) requires(pages_lock)
{
	for (unsigned i = 0; i < count; i++) {
		*magazine->pages[i] = (struct frame){0};
		buddy_give(frame_number(magazine->pages[i]), 0);
	}
	magazine->count -= count;
	memmove(magazine->pages, magazine->pages + count,
		magazine->count * sizeof(magazine->pages[0]));
}

void magazine_flush_all(void)
{
	magazine_flush(&pages.magazine, pages.magazine.count);
	magazine_flush(&pages.zeroed, pages.zeroed.count);
}

static void magazine_push(struct magazine *magazine, struct frame *frame) requires(pages_lock)
{
	frame->state = FRAME_CACHED;
	magazine->pages[magazine->count++] = frame;
}

/* Takes a batch, from the smallest blocks that there are. False: no page is left anywhere. */
static bool magazine_refill(struct magazine *magazine) requires(pages_lock)
{
	while (magazine->count < MAGAZINE_BATCH) {
		unsigned order;
		uint64_t first;

		if (!pages.orders) {
			if (magazine->count)
				break;
			if (pages.zeroed.count)
				magazine_flush(&pages.zeroed, pages.zeroed.count);
			else if (!section_activate_next())
				return false;
			continue;
		}
		order = (unsigned)__builtin_ctz(pages.orders);
		if (order > MAGAZINE_BATCH_ORDER)
			order = MAGAZINE_BATCH_ORDER;
		first = buddy_take(order);
		for (unsigned i = 1u << order; i-- > 0;)
			magazine_push(magazine, &frame_array[first + i]);
	}
	return true;
}

/* ---- Allocation ---- */

static struct frame *take_block(unsigned order) requires(pages_lock)
{
	for (;;) {
		uint64_t first = buddy_take(order);

		if (first)
			return &frame_array[first];
		if (pages.magazine.count || pages.zeroed.count)
			magazine_flush_all();
		else if (!section_activate_next())
			return NULL;
	}
}

static struct frame *take_cached(void) requires(pages_lock)
{
	return pages.magazine.pages[--pages.magazine.count];
}

/* All but the common case: out of line, so that that one saves few registers. */
static SLOW_PATH struct frame *take_slowly(unsigned order) requires(pages_lock)
{
	if (pages.fail_nth && --pages.fail_nth == 0)
		return NULL;
	if (order)
		return take_block(order);
	if (!pages.magazine.count && !magazine_refill(&pages.magazine))
		return NULL;
	return take_cached();
}

static bool state_is_allocated(unsigned state)
{
	return state > FRAME_FREE && state < FRAME_CACHED;
}

static inline struct frame *alloc_block(
	unsigned order, enum frame_state state, enum pages_flags flags)
{
	struct frame *frame;

	assert(order <= PAGES_MAX_ORDER && state_is_allocated(state));
	spin_lock(&pages_lock);
	if (likely(!order && pages.magazine.count && !pages.fail_nth))
		frame = take_cached();
	else
		frame = take_slowly(order);
	if (likely(frame)) {
		*frame = (struct frame){
			.references = 1, .state = (uint8_t)state, .order = (uint8_t)order};
		pages.by_state[state] += UINT64_C(1) << order;
	}
	spin_unlock(&pages_lock);
	if (BATON_KASAN && frame)
		kasan_allow(frame_ptr(frame), PAGE_SIZE << order);
	if (frame && (flags & PAGES_ZERO))
		memset(frame_ptr(frame), 0, PAGE_SIZE << order);
	return frame;
}

struct frame *pages_alloc(unsigned order, enum frame_state state, enum pages_flags flags)
{
	return ALLOC_FAILS() ? NULL : alloc_block(order, state, flags);
}

static void release_page(struct frame *frame) requires(pages_lock)
{
	pages.by_state[frame->state]--;
	if (BATON_KASAN)
		kasan_forbid(frame_ptr(frame), PAGE_SIZE, KASAN_PAGE);
	if (unlikely(pages.magazine.count == MAGAZINE_SIZE))
		magazine_flush(&pages.magazine, MAGAZINE_BATCH);
	magazine_push(&pages.magazine, frame);
}

/* Frees a block that nobody has a reference to any more. */
static void release(struct frame *frame, unsigned order)
{
	spin_lock(&pages_lock);
	if (order) {
		if (BATON_KASAN)
			kasan_forbid(frame_ptr(frame), PAGE_SIZE << order, KASAN_PAGE);
		pages.by_state[frame->state] -= UINT64_C(1) << order;
		*frame = (struct frame){0};
		buddy_give(frame_number(frame), order);
	} else {
		release_page(frame);
	}
	spin_unlock(&pages_lock);
}

struct frame *pages_alloc_table(void)
{
	struct frame *frame = NULL;

	if (ALLOC_FAILS())
		return NULL;
	spin_lock(&pages_lock);
	if (likely(pages.zeroed.count && !pages.fail_nth)) {
		frame = pages.zeroed.pages[--pages.zeroed.count];
		*frame = (struct frame){.references = 1, .state = FRAME_TABLE};
		pages.by_state[FRAME_TABLE]++;
	}
	spin_unlock(&pages_lock);
	return likely(frame) ? frame : alloc_block(0, FRAME_TABLE, PAGES_ZERO);
}

void pages_free_table(struct frame *frame)
{
	bool kept;

	spin_lock(&pages_lock);
	assert(frame->references == 1 && frame->state == FRAME_TABLE && !frame->order);
	kept = pages.zeroed.count < MAGAZINE_SIZE;
	if (kept) {
		frame->references = 0;
		pages.by_state[FRAME_TABLE]--;
		magazine_push(&pages.zeroed, frame);
	}
	spin_unlock(&pages_lock);
	if (!kept)
		pages_free(frame, 0);
}

void pages_free(struct frame *frame, unsigned order)
{
	uint32_t references = __atomic_exchange_n(&frame->references, 0, __ATOMIC_ACQ_REL);

	assert(references == 1 && state_is_allocated(frame->state) && frame->order == order);
	release(frame, order);
}

void frame_set_state(struct frame *frame, enum frame_state state)
{
	uint64_t count = UINT64_C(1) << frame->order;

	assert(state_is_allocated(frame->state) && state_is_allocated(state));
	spin_lock(&pages_lock);
	pages.by_state[frame->state] -= count;
	pages.by_state[state] += count;
	frame->state = (uint8_t)state;
	spin_unlock(&pages_lock);
}

void frame_put_last(struct frame *frame, uint32_t before)
{
	assert(before != 0);
	assert(state_is_allocated(frame->state) && frame->order == 0);
	release(frame, 0);
}

void frames_put(struct frame *const *frames, unsigned count)
{
	struct frame *last[FRAMES_AT_ONCE];
	unsigned gone = 0;

	assert(count <= FRAMES_AT_ONCE);
	for (unsigned i = 0; i < count; i++) {
		uint32_t before = __atomic_fetch_sub(&frames[i]->references, 1, __ATOMIC_ACQ_REL);

		assert(before != 0);
		if (before > 1)
			continue;
		assert(state_is_allocated(frames[i]->state) && frames[i]->order == 0);
		last[gone++] = frames[i];
	}
	if (!gone)
		return;
	spin_lock(&pages_lock);
	for (unsigned i = 0; i < gone; i++)
		release_page(last[i]);
	spin_unlock(&pages_lock);
}

/* ---- Start, statistics ---- */

void pages_init(virt_t frames_virt, const struct pages_range *ranges, size_t count)
{
	pages_init_near(frames_virt, ranges, count, 0);
}

void pages_init_near(
	virt_t frames_virt, const struct pages_range *ranges, size_t count, phys_t near)
{
	uint64_t active;

	spin_lock(&pages_lock);
	if (pages.active_sections)
		sections_reset(); /* a test starts afresh */
	memset(&pages, 0, sizeof(pages));
	frame_array = (struct frame *)frames_virt;
	spin_unlock(&pages_lock);
	for (size_t i = 0; i < count; i++)
		pages_donate(ranges[i].base, ranges[i].size);
	spin_lock(&pages_lock);
	section_activate_preferred(near >> SECTION_SHIFT);
	while (!pages.active_sections && section_activate_next())
		;
	active = pages.active_sections;
	spin_unlock(&pages_lock);
	if (!active)
		panic("pages: no 128 MiB section among %zu free ranges has the %zu KiB that its "
		      "page-frame array takes",
			count, (size_t)ARRAY_BYTES / 1024);
}

uint64_t pages_total(void) no_lock_checks
{
	return __atomic_load_n(&pages.total, __ATOMIC_RELAXED);
}

void pages_statistics(struct pages_stats *out)
{
	*out = (struct pages_stats){0};
	spin_lock(&pages_lock);
	out->total = pages.total;
	waiting_count(&out->free, &out->stranded);
	out->free += pages.free + pages.magazine.count + pages.zeroed.count;
	out->array = pages.by_state[FRAME_ARRAY];
	out->sections = pages.active_sections;
	memcpy(out->by_state, pages.by_state, sizeof(pages.by_state));
	spin_unlock(&pages_lock);
}

void pages_free_blocks(uint64_t blocks[PAGES_MAX_ORDER + 1])
{
	uint64_t waiting, stranded;

	spin_lock(&pages_lock);
	for (unsigned order = 0; order < ORDERS; order++)
		blocks[order] = pages.blocks[order];
	waiting_count(&waiting, &stranded);
	blocks[0] += pages.magazine.count + pages.zeroed.count;
	spin_unlock(&pages_lock);
	for (unsigned order = 0; order < PAGES_MAX_ORDER; order++)
		blocks[order] += waiting >> order & 1;
	blocks[PAGES_MAX_ORDER] += waiting >> PAGES_MAX_ORDER;
}

void pages_fail_nth(uint64_t n)
{
	spin_lock(&pages_lock);
	pages.fail_nth = n;
	spin_unlock(&pages_lock);
}
