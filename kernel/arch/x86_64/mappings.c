/* SPDX-License-Identifier: MIT */
/*
 * What the kernel itself has mapped, read back from its page tables.
 *
 * The problem. That no memory is writable and executable, and none of the kernel's is user mode's, follows from many
 * places that map something (the loader, kernel_map, the entry area, devices). One wrong flag in any of them
 * is seen by nothing that runs.
 *
 * The design. The tables are walked as the CPU does: a page may be written when all entries that lead to it say so, used
 * by user mode likewise, executed when none forbids it. Pages side by side with the same access make a range;
 * entries that are as the one before are passed over quickly, since all of this is done at each start.
 * mappings_broken wants of the upper half: no page both writable and executable; no page for user mode; a page that
 * may be executed not writable through the direct map either. And nothing in the lower half, which is the processes'.
 *
 * Locks: none. Tables of the kernel's half are never given back, and entries are read as the words they are; what is
 * mapped meanwhile is seen or not.
 */
#include "mappings.h"

#include "paging.h"

#define LOWER_END (1ul << 47)

#define LEAF_BITS (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_PWT | PTE_PCD | PTE_LARGE | PTE_NX)

struct leaf {
	const uint64_t *table; /* the entry's, and its level */
	unsigned level;
	uint64_t entry;
	uint64_t
		access; /* PTE_PRESENT, PTE_WRITE, PTE_USER, PTE_NX of the whole way, the leaf's cache bits; 0: absent */
};

static inline uint64_t load(const uint64_t *entry)
{
	return __atomic_load_n(entry, __ATOMIC_RELAXED);
}

static struct leaf descend(const uint64_t *top, virt_t at)
{
	struct leaf leaf = {.table = top, .level = 3, .entry = load(&top[index_at(at, 3)])};
	uint64_t way = PTE_WRITE | PTE_USER, nx = 0;

	while (leaf.entry & PTE_PRESENT && leaf.level &&
		(leaf.level == 3 || !(leaf.entry & PTE_LARGE))) {
		way &= leaf.entry;
		nx |= leaf.entry & PTE_NX;
		leaf.table = table_of(leaf.entry);
		leaf.level--;
		leaf.entry = load(&leaf.table[index_at(at, leaf.level)]);
	}
	if (leaf.entry & PTE_PRESENT)
		leaf.access = (leaf.entry & way) | nx |
			      (leaf.entry & (PTE_PRESENT | PTE_PWT | PTE_PCD | PTE_NX));
	return leaf;
}

/* How many entries from that of `at` on are as it is, in its table and its half. */
static uint64_t alike(const struct leaf *leaf, virt_t at)
{
	unsigned first = index_at(at, leaf->level), i = first + 1;
	unsigned end = leaf->level == 3 && first < UPPER_HALF ? UPPER_HALF : ENTRIES;

	while (i < end && !((load(&leaf->table[i]) ^ leaf->entry) & LEAF_BITS))
		i++;
	return i - first;
}

bool mappings_next(const uint64_t *top, virt_t at, struct arch_range *out)
{
	uint64_t access = 0;

	out->size = 0;
	do {
		struct leaf leaf = descend(top, at);
		uint64_t span = 1ul << (PAGE_SHIFT + 9 * leaf.level);

		if (out->size && leaf.access != access)
			return true;
		if (leaf.access && !out->size) {
			access = leaf.access;
			*out = (struct arch_range){.start = at,
				.write = access & PTE_WRITE,
				.user = access & PTE_USER,
				.execute = !(access & PTE_NX),
				.uncached = access & (PTE_PWT | PTE_PCD)};
		}
		at = (at & ~(span - 1)) + span * alike(&leaf, at);
		if (leaf.access)
			out->size = at - out->start;
	} while (at && at != LOWER_END);
	return out->size > 0;
}

/* The first page of an executable range that may be written in the direct map; 0: none. */
static virt_t writable_alias(const uint64_t *top, virt_t direct_map, const struct arch_range *range)
{
	for (virt_t at = range->start; at - range->start < range->size; at += PAGE_SIZE) {
		struct leaf leaf = descend(top, at);
		uint64_t below = (1ul << (PAGE_SHIFT + 9 * leaf.level)) - 1;
		phys_t phys = (leaf.entry & PTE_ADDRESS & ~below) | (at & below);

		if (descend(top, direct_map + phys).access & PTE_WRITE)
			return at;
	}
	return 0;
}

static const char *broken_rule(
	const uint64_t *top, virt_t direct_map, const struct arch_range *range, virt_t *where)
{
	*where = range->start;
	if (range->user)
		return "memory of the kernel's is mapped for user mode";
	if (range->write && range->execute)
		return "memory of the kernel's may be written and executed";
	if (range->execute && (*where = writable_alias(top, direct_map, range)))
		return "code of the kernel's may be written through the direct map";
	return NULL;
}

const char *mappings_broken(const uint64_t *top, virt_t direct_map, struct arch_mappings *out)
{
	struct arch_range range;
	const char *broken = NULL;

	*out = (struct arch_mappings){.ranges = 0};
	if (mappings_next(top, 0, &range)) {
		out->broken_at = range.start;
		return "the kernel's own tables map something in the lower half";
	}
	for (virt_t at = KERNEL_HALF; at && !broken && mappings_next(top, at, &range);
		at = range.start + range.size) {
		broken = broken_rule(top, direct_map, &range, &out->broken_at);
		out->ranges++;
		out->executable += range.execute ? range.size : 0;
	}
	return broken;
}
