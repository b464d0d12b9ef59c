/* SPDX-License-Identifier: MIT */
/*
 * Sections of the page-frame array: which are active, what RAM waits in the others, and how one is
 * activated. See pages.c for the design and the locks.
 *
 * An activation takes 256 pages for the array and up to three for page tables, from the top of the
 * section's own free ranges (the low ones are the scarce ones), or, where a claim needs a section
 * that has too few, from active sections. Check first, then commit: it starts only when the pages
 * are there. If the mapping fails nevertheless, the section's RAM is written off, with an error in
 * the log: nothing else can be known of the page tables' state.
 */
#include "memory/pages_internal.h"

#include "arch/arch.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

/* Page tables for 1 MiB, aligned: one a level below the top. */
#define TABLES_MAX   3
#define SECTION_COST (ARRAY_PAGES + TABLES_MAX)

uint64_t active_map[SECTIONS_MAX / 64];

static void set_active(uint64_t section) requires(pages_lock)
{
	__atomic_fetch_or(
		&active_map[section / 64], UINT64_C(1) << (section % 64), __ATOMIC_RELEASE);
	pages.active_sections++;
}

void sections_reset(void)
{
	memset(active_map, 0, sizeof(active_map));
}

/* ---- What waits ---- */

static struct extent *extent_at(uint64_t first, uint64_t count, struct extent *next)
{
	struct extent *extent = arch_phys_to_ptr(first << PAGE_SHIFT);

	*extent = (struct extent){.next = next, .first = first, .pages = count};
	return extent;
}

static uint64_t extent_end(const struct extent *extent)
{
	return extent->first + extent->pages;
}

/* Cheap for ranges that come in ascending order. */
static void waiting_add(uint64_t first, uint64_t count) requires(pages_lock)
{
	struct extent *before = pages.cursor;
	struct extent *after, *extent;

	if (before && before->first >= first)
		before = NULL;
	after = before ? before->next : pages.waiting;
	while (after && after->first < first) {
		before = after;
		after = after->next;
	}
	assert(!before || extent_end(before) <= first); /* handed over twice? */
	assert(!after || first + count <= after->first);
	if (before && extent_end(before) == first) {
		extent = before;
		extent->pages += count;
	} else {
		extent = extent_at(first, count, after);
		*(before ? &before->next : &pages.waiting) = extent;
	}
	if (after && extent_end(extent) == after->first) {
		extent->next = after->next;
		extent->pages += after->pages;
	}
	pages.cursor = extent;
}

/* Cuts the range that lies across frame `at` in two. */
static void waiting_split(uint64_t at) requires(pages_lock)
{
	for (struct extent *e = pages.waiting; e && e->first < at; e = e->next) {
		if (extent_end(e) <= at)
			continue;
		e->next = extent_at(at, extent_end(e) - at, e->next);
		e->pages = at - e->first;
	}
}

/* Removes what waits in a section; the highest range comes first. */
static struct extent *waiting_take(uint64_t section) requires(pages_lock)
{
	uint64_t start = section * SECTION_FRAMES, end = start + SECTION_FRAMES;
	struct extent **link = &pages.waiting, *taken = NULL;

	waiting_split(start);
	waiting_split(end);
	pages.cursor = NULL;
	while (*link && (*link)->first < start)
		link = &(*link)->next;
	while (*link && (*link)->first < end) {
		struct extent *extent = *link;

		*link = extent->next;
		extent->next = taken;
		taken = extent;
	}
	return taken;
}

/* A walk over what waits, a section a step. */
struct walk {
	struct extent *extent;
	uint64_t at;
	uint64_t section, pages; /* what the step found */
};

static struct walk walk_start(void) requires(pages_lock)
{
	return (struct walk){
		.extent = pages.waiting, .at = pages.waiting ? pages.waiting->first : 0};
}

static bool walk_step(struct walk *walk)
{
	walk->pages = 0;
	while (walk->extent) {
		uint64_t section = walk->at / SECTION_FRAMES;
		uint64_t end = extent_end(walk->extent);
		uint64_t stop = (section + 1) * SECTION_FRAMES;

		if (walk->pages && section != walk->section)
			return true;
		if (stop > end)
			stop = end;
		walk->section = section;
		walk->pages += stop - walk->at;
		walk->at = stop;
		if (stop == end) {
			walk->extent = walk->extent->next;
			walk->at = walk->extent ? walk->extent->first : 0;
		}
	}
	return walk->pages != 0;
}

void waiting_count(uint64_t *free, uint64_t *stranded)
{
	struct walk walk = walk_start();

	*free = *stranded = 0;
	while (walk_step(&walk))
		*(walk.pages > SECTION_COST ? free : stranded) += walk.pages;
}

static uint64_t waiting_in(uint64_t section) requires(pages_lock)
{
	struct walk walk = walk_start();

	while (walk_step(&walk)) {
		if (walk.section == section)
			return walk.pages;
	}
	return 0;
}

/* ---- Activation ---- */

enum backing { BACKING_OWN, BACKING_BORROWED };

struct activation {
	uint64_t section;
	enum backing backing;
	struct extent *own; /* free ranges of the section, the highest first */
	unsigned tables;    /* taken */
	/* What was taken of `own`: it can be marked only when the array is there. */
	unsigned run_count;
	struct {
		uint16_t offset, pages; /* in the section */
		uint8_t state;
	} runs[SECTION_COST];
};

_Static_assert(SECTION_FRAMES <= UINT16_MAX, "an offset in a section must fit struct activation");

static uint64_t take_own(
	struct activation *a, uint64_t max, enum frame_state state, uint64_t *first)
{
	struct extent *extent = a->own;
	uint64_t count = extent->pages < max ? extent->pages : max;

	extent->pages -= count;
	*first = extent_end(extent);
	if (!extent->pages)
		a->own = extent->next;
	a->runs[a->run_count].offset = (uint16_t)(*first % SECTION_FRAMES);
	a->runs[a->run_count].pages = (uint16_t)count;
	a->runs[a->run_count].state = (uint8_t)state;
	a->run_count++;
	return count;
}

/* The largest block that there is of at most `max` pages; 0: not one page is free. */
static uint64_t take_borrowed(uint64_t max, enum frame_state state, uint64_t *first) requires(
	pages_lock)
{
	unsigned order = 63 - (unsigned)__builtin_clzll(max);

	if (order > PAGES_MAX_ORDER)
		order = PAGES_MAX_ORDER;
	for (;; order--) {
		*first = buddy_take(order);
		if (*first) {
			mark_block(*first, order, state);
			return UINT64_C(1) << order;
		}
		if (!order)
			return 0;
	}
}

/* Up to `max` pages in one run, for a purpose: how many, 0 for none. */
static uint64_t take_run(struct activation *a, uint64_t max, enum frame_state state,
	uint64_t *first) requires(pages_lock)
{
	if (a->own)
		return take_own(a, max, state, first);
	return a->backing == BACKING_BORROWED ? take_borrowed(max, state, first) : 0;
}

static phys_t take_table(void *context) requires(pages_lock)
{
	struct activation *a = context;
	uint64_t first;

	if (a->tables == TABLES_MAX || !take_run(a, 1, FRAME_TABLE, &first))
		return 0;
	a->tables++;
	memset(arch_phys_to_ptr(first << PAGE_SHIFT), 0, PAGE_SIZE);
	return first << PAGE_SHIFT;
}

static bool map_array(struct activation *a) requires(pages_lock)
{
	virt_t virt = (virt_t)&frame_array[a->section * SECTION_FRAMES];
	uint64_t count, first;

	for (uint64_t mapped = 0; mapped < ARRAY_PAGES; mapped += count) {
		count = take_run(a, ARRAY_PAGES - mapped, FRAME_ARRAY, &first);
		if (!count || arch_map_frames(virt + (mapped << PAGE_SHIFT), first << PAGE_SHIFT,
				      count << PAGE_SHIFT, take_table, a))
			return false;
	}
	memset((void *)virt, 0, ARRAY_BYTES);
	return true;
}

/* 0; -ENOMEM: there are not enough pages, nothing has changed; -EIO: the section is written off. */
static int section_activate(uint64_t section, enum backing backing) requires(pages_lock)
{
	uint64_t waiting = waiting_in(section), lent = 0;
	struct activation a = {.section = section, .backing = backing};
	struct extent *next;

	if (backing == BACKING_BORROWED) {
		magazine_flush_all();
		lent = pages.free;
	}
	if (waiting + lent < SECTION_COST)
		return -ENOMEM;
	a.own = waiting_take(section);
	if (!map_array(&a)) {
		pages.total -= waiting;
		log_error("pages: cannot map the page-frame array of %#llx-%#llx: its %llu KiB "
			  "of free RAM stay unused",
			(unsigned long long)section << SECTION_SHIFT,
			(unsigned long long)(section + 1) << SECTION_SHIFT,
			(unsigned long long)waiting << (PAGE_SHIFT - 10));
		return -EIO;
	}
	set_active(section);
	for (unsigned i = 0; i < a.run_count; i++)
		mark_range(section * SECTION_FRAMES + a.runs[i].offset, a.runs[i].pages,
			a.runs[i].state);
	for (struct extent *extent = a.own; extent; extent = next) {
		next = extent->next;
		buddy_give_range(extent->first, extent->pages);
	}
	return 0;
}

/* Where the array would take more than a quarter, a section is not worth it yet. */
#define WORTH_IT (4 * SECTION_COST)

void section_activate_preferred(uint64_t section)
{
	/* Whether it failed does not matter: another section serves too. */
	if (waiting_in(section) >= WORTH_IT)
		(void)section_activate(section, BACKING_OWN);
}

/* Tries the lowest section where `least` pages wait. False: there is none. */
static bool activate_lowest(uint64_t least) requires(pages_lock)
{
	struct walk walk = walk_start();

	while (walk_step(&walk)) {
		if (walk.pages < least)
			continue;
		if (section_activate(walk.section, BACKING_OWN) == -ENOMEM)
			panic("pages: section %llu has %llu free pages and cannot be backed",
				(unsigned long long)walk.section, (unsigned long long)walk.pages);
		return true;
	}
	return false;
}

bool section_activate_next(void)
{
	return activate_lowest(WORTH_IT) || activate_lowest(SECTION_COST + 1);
}

/* ---- Handing over ---- */

/* Whether no block, free or allocated, has a page among these; the section is active. */
static bool range_unknown(uint64_t first, uint64_t count) requires(pages_lock)
{
	for (unsigned order = 1; order < ORDERS; order++) {
		const struct frame *head = &frame_array[ALIGN_DOWN(first, UINT64_C(1) << order)];

		if (head->state != FRAME_NONE && head->order >= order)
			return false;
	}
	for (uint64_t i = 0; i < count; i++) {
		if (frame_array[first + i].state != FRAME_NONE)
			return false;
	}
	return true;
}

/* The part of [first, end) up to the next section's start. */
static uint64_t in_section(uint64_t first, uint64_t end)
{
	uint64_t stop = (first / SECTION_FRAMES + 1) * SECTION_FRAMES;

	return (stop < end ? stop : end) - first;
}

void pages_donate(phys_t base, uint64_t size)
{
	uint64_t first = (base >> PAGE_SHIFT) + (base % PAGE_SIZE != 0);
	uint64_t end = (size > UINT64_MAX - base ? UINT64_MAX : base + size) >> PAGE_SHIFT;
	uint64_t count;

	if (first == 0)
		first = 1;
	if (end > FRAMES_MAX) {
		log_warn("pages: RAM at %#llx, %llu KiB: only what is below 16 TiB is used",
			(unsigned long long)base, (unsigned long long)size / 1024);
		end = FRAMES_MAX;
	}
	spin_lock(&pages_lock);
	for (; first < end; first += count) {
		count = pages.active_sections ? in_section(first, end) : end - first;
		if (section_active(first / SECTION_FRAMES)) {
			assert(range_unknown(first, count));
			buddy_give_range(first, count);
		} else {
			waiting_add(first, count);
		}
		pages.total += count;
	}
	spin_unlock(&pages_lock);
}

/* Activates a section whatever RAM waits there. */
static int section_require(uint64_t section) requires(pages_lock)
{
	int error;

	while (!section_active(section)) {
		error = section_activate(section, BACKING_BORROWED);
		if (error == -EIO || (error && !section_activate_next()))
			return -ENOMEM;
	}
	return 0;
}

int pages_claim(phys_t base, uint64_t size, enum frame_state state)
{
	uint64_t first = base >> PAGE_SHIFT;
	uint64_t end = first + ((base % PAGE_SIZE + size + PAGE_SIZE - 1) >> PAGE_SHIFT);
	int error = 0;

	if (!size)
		return 0;
	assert(first > 0 && end <= FRAMES_MAX && size <= FRAMES_MAX << PAGE_SHIFT);
	spin_lock(&pages_lock);
	for (uint64_t s = first / SECTION_FRAMES; !error && s <= (end - 1) / SECTION_FRAMES; s++)
		error = section_require(s);
	if (!error) {
		for (uint64_t at = first; at < end; at += in_section(at, end))
			assert(range_unknown(at, in_section(at, end)));
		for (uint64_t at = first; at < end; at++)
			mark_block(at, 0, state);
		pages.total += end - first;
	}
	spin_unlock(&pages_lock);
	return error;
}
