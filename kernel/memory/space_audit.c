/* SPDX-License-Identifier: MIT */
/*
 * The invariants of space.c and object.c, checked while the machine stands still (process/stop.h), so without locks.
 *
 * Of each space: its list of VMAs, its tree and its sums say the same; each entry of the page tables lies in a
 * VMA, allows no more than that, and allows writing to a private page only where this is its only owner. Entries are
 * counted by frame. Then, of each frame that belongs to processes or objects: it has at least as many references
 * as entries lead to it, and one more if an object has it; the object has it where the frame says.
 *
 * A space whose mutex is held was left in the middle of a change: its entries are counted, no more.
 */
#include "memory/space_audit.h"

#include "memory/object.h"
#include "memory/slab.h"
#include "memory/space_internal.h"

/* The first section at or above that is active; SECTIONS_MAX: none. */
static uint64_t next_active(uint64_t section)
{
	while (section < SECTIONS_MAX && !section_active(section))
		section += section % 64 == 0 && !active_map[section / 64] ? 64 : 1;
	return section;
}

int space_audit_begin(struct space_audit *audit)
{
	*audit = (struct space_audit){0};
	for (uint64_t at = next_active(0); at < SECTIONS_MAX; at = next_active(at + 1))
		audit->count++;
	/* what is asked for here may begin another one */
	audit->count += 2;
	audit->sections = kzalloc(audit->count * sizeof(*audit->sections));
	if (!audit->sections)
		return -ENOMEM;
	for (size_t i = 0; i < audit->count; i++) {
		audit->sections[i].section = SECTIONS_MAX;
		audit->sections[i].entries = kzalloc(SECTION_FRAMES * sizeof(uint32_t));
		if (!audit->sections[i].entries) {
			space_audit_end(audit);
			return -ENOMEM;
		}
	}
	return 0;
}

void space_audit_end(struct space_audit *audit)
{
	for (size_t i = 0; audit->sections && i < audit->count; i++)
		kfree(audit->sections[i].entries);
	kfree(audit->sections);
}

/* NULL: more sections than there is memory for. */
static uint32_t *counter(struct space_audit *audit, const struct frame *frame)
{
	uint64_t number = frame_phys(frame) >> PAGE_SHIFT, section = number / SECTION_FRAMES;

	for (size_t i = 0; i < audit->count; i++) {
		if (audit->sections[i].section == SECTIONS_MAX)
			audit->sections[i].section = section;
		if (audit->sections[i].section == section)
			return &audit->sections[i].entries[number % SECTION_FRAMES];
	}
	return NULL;
}

/* ---- VMAs ---- */

static const char *audit_vma(
	const struct space *space, const struct vma *vma, const struct vma *prev)
{
	if (vma->space != space && vma->space)
		return "a VMA is of another space";
	if (vma->start >= vma->end || (vma->start | vma->end) % PAGE_SIZE || vma->end > USER_END)
		return "a VMA has no proper range";
	if (vma->prev != prev)
		return "the links of VMAs do not match";
	if (prev && prev->end > vma->start)
		return "VMAs overlap";
	if (vma->gap != vma_gap_above(prev, vma))
		return "the gap below a VMA is another one";
	return NULL;
}

static const char *audit_vmas(struct space *space)
{
	struct tree_node *node = tree_first(&space->vmas);
	uint64_t pages = 0, locked = 0, kinds[VMA_KINDS] = {0};
	const struct vma *prev = NULL;
	unsigned count = 0;
	const char *broken;

	for (struct vma *vma = space->first; vma; vma = vma->next) {
		if (node != &vma->node)
			return "the tree of VMAs is not their list";
		node = tree_next(node);
		broken = audit_vma(space, vma, prev);
		if (broken)
			return broken;
		if (space->vmas.update && space->vmas.update(&vma->node))
			return "a VMA does not know the most gap of its subtree";
		pages += vma_pages(vma);
		kinds[vma_kind(vma)] += vma_pages(vma);
		locked += vma->flags & VMA_LOCKED ? vma_pages(vma) : 0;
		count++;
		prev = vma;
	}
	if (node || space->last != prev || space->vma_count != count)
		return "the VMAs of a space are miscounted";
	for (unsigned i = 0; i < VMA_KINDS; i++) {
		if (kinds[i] != space->kind_pages[i])
			return "the pages of a kind of VMAs are miscounted";
	}
	return pages == space->pages && locked == space->locked_pages
		       ? NULL
		       : "the pages of a space are miscounted";
}

/* ---- Page tables ---- */

static const char *audit_entry(
	const struct vma *vma, uintptr_t at, const struct arch_mapping *found)
{
	struct frame *frame = phys_frame(found->phys);

	if (!vma || at < vma->start)
		return "a page is mapped outside all VMAs";
	if (found->access & ~table_access(vma))
		return "a page's entry allows more than its VMA";
	if (frame && (frame->state == FRAME_FREE || frame->state == FRAME_CACHED))
		return "a free page is mapped";
	if (frame && (frame->state == FRAME_TABLE || frame->state == FRAME_SLAB ||
			     frame->state == FRAME_STACK || frame->state == FRAME_HEAP ||
			     frame->state == FRAME_ARRAY))
		return "a page of the kernel's is mapped for user mode";
	if (frame && (found->access & MAP_WRITE) && !(vma->flags & VMA_SHARED) &&
		(frame->state != FRAME_ANON || frame->references != 1))
		return "a private page may be written that others have too";
	return NULL;
}

static const char *audit_tables(struct space_audit *audit, struct space *space, bool whole)
{
	uint64_t resident[RESIDENT_KINDS] = {0};
	struct vma *vma = space->first;
	struct arch_mapping found;
	const char *broken;
	uint32_t *entries;

	for (uintptr_t at = arch_next_page(&space->arch, 0, USER_END); at < USER_END;
		at = arch_next_page(&space->arch, at + PAGE_SIZE, USER_END)) {
		struct frame *frame;

		while (whole && vma && vma->end <= at)
			vma = vma->next;
		if (!arch_lookup(&space->arch, at, &found))
			return "a page is found and not found";
		broken = whole ? audit_entry(vma, at, &found) : NULL;
		if (broken)
			return broken;
		frame = phys_frame(found.phys);
		if (!frame || frame == zero_frame)
			continue;
		resident[frame_kind(frame)]++;
		entries = counter(audit, frame);
		if (entries)
			++*entries;
	}
	for (unsigned i = 0; whole && i < RESIDENT_KINDS; i++) {
		if (resident[i] != space->resident[i])
			return "the resident pages of a space are miscounted";
	}
	return NULL;
}

void space_audit_one(struct space_audit *audit, struct space *space)
{
	bool whole = !__atomic_load_n(&space->lock.state, __ATOMIC_ACQUIRE);

	if (!audit->broken && whole)
		audit->broken = audit_vmas(space);
	if (!audit->broken)
		audit->broken = audit_tables(audit, space, whole);
}

/* ---- Frames ---- */

static const char *audit_frame(struct space_audit *audit, const struct frame *frame)
{
	const uint32_t *entries = counter(audit, frame);
	uint32_t expected;

	if (!entries || (frame->state != FRAME_ANON && frame->state != FRAME_OBJECT))
		return NULL;
	expected = *entries;
	if (frame->state == FRAME_OBJECT && frame->page.object) {
		if (radix_get(&frame->page.object->pages, frame->page.index) != frame)
			return "an object does not have a page that says so";
		expected++;
	}
	if (frame->references < expected)
		return "a page has fewer references than entries and objects lead to it";
	audit->unexplained += frame->references - expected;
	return NULL;
}

void space_audit_frames(struct space_audit *audit)
{
	for (uint64_t at = next_active(0); at < SECTIONS_MAX; at = next_active(at + 1)) {
		uint64_t number = at * SECTION_FRAMES, end = number + SECTION_FRAMES;

		while (number < end && !audit->broken) {
			const struct frame *frame = &frame_array[number];

			audit->broken = audit_frame(audit, frame);
			number += frame->state == FRAME_NONE ? 1 : UINT64_C(1) << frame->order;
		}
	}
}
