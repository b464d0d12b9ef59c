/* SPDX-License-Identifier: MIT */
/*
 * What the kernel itself has mapped, read back from its page tables.
 *
 * The problem. That no memory is writable and executable, and none of the kernel's is user mode's, follows from many
 * places that map something (the loader, kernel_map, the entry area, devices). One wrong flag in any of them
 * is seen by nothing that runs.
 *
 * The design. The tables are walked as the CPU does: a page may be written when all entries that lead to it say so, used
 * by user mode likewise, executed when none forbids it. Pages side by side with the same access make a range.
 * mappings_broken wants of the upper half: no page both writable and executable; no page for user mode; a page that
 * may be executed not writable through the direct map either. And nothing in the lower half, which is the processes'.
 *
 * Locks: none. Tables of the kernel's half are never given back, and entries are read as the words they are; what is
 * mapped meanwhile is seen or not.
 */
#include "mappings.h"

#include "paging.h"

#define LOWER_END   (1ul << 47)
#define UPPER_START (~0ul << 47)

struct leaf {
	const uint64_t *table; /* the entry's, and its level */
	unsigned level;
	uint64_t
		access; /* PTE_PRESENT, PTE_WRITE, PTE_USER, PTE_NX of the whole way, the leaf's cache bits; 0: absent */
	phys_t phys;
};

static uint64_t load(const uint64_t *table, virt_t at, unsigned level)
{
	return __atomic_load_n(&table[index_at(at, level)], __ATOMIC_RELAXED);
}

static inline bool leads_on(uint64_t entry, unsigned level)
{
	return entry & PTE_PRESENT && level && (level == 3 || !(entry & PTE_LARGE));
}

static inline uint64_t access_of(uint64_t entry, uint64_t way)
{
	if (!(entry & PTE_PRESENT))
		return 0;
	return (entry & way & (PTE_WRITE | PTE_USER)) | ((entry | ~way) & PTE_NX) |
	       (entry & (PTE_PWT | PTE_PCD | PTE_PRESENT));
}

/* `way`: PTE_WRITE and PTE_USER as far as all entries above allow, PTE_NX as long as none forbids. */
static struct leaf descend(const uint64_t *top, virt_t at, uint64_t *way)
{
	struct leaf leaf = {.table = top, .level = 3};
	uint64_t entry = load(top, at, 3), below;

	*way = PTE_WRITE | PTE_USER | PTE_NX;
	while (leads_on(entry, leaf.level)) {
		*way &= (entry | PTE_NX) ^ (entry & PTE_NX);
		leaf.table = table_of(entry);
		entry = load(leaf.table, at, --leaf.level);
	}
	below = (1ul << (PAGE_SHIFT + 9 * leaf.level)) - 1;
	leaf.access = access_of(entry, *way);
	leaf.phys = (entry & PTE_ADDRESS & ~below) | (at & below);
	return leaf;
}

bool mappings_next(const uint64_t *top, virt_t at, struct arch_range *out)
{
	uint64_t way, access = 0;

	out->size = 0;
	do {
		struct leaf leaf = descend(top, at, &way);
		uint64_t span = 1ul << (PAGE_SHIFT + 9 * leaf.level), entry;

		/* The rest of that table, as far as nothing leads on from it. */
		do {
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
			at = (at & ~(span - 1)) + span;
			if (leaf.access)
				out->size = at - out->start;
			entry = load(leaf.table, at, leaf.level);
			leaf.access = access_of(entry, way);
		} while (at != LOWER_END && index_at(at, leaf.level) &&
			 !leads_on(entry, leaf.level));
	} while (at && at != LOWER_END);
	return out->size > 0;
}

/* The first page of what is wrong with an executable range; 0: nothing. */
static virt_t writable_alias(const uint64_t *top, virt_t direct_map, const struct arch_range *range)
{
	uint64_t way;

	for (virt_t at = range->start; at - range->start < range->size; at += PAGE_SIZE) {
		phys_t phys = descend(top, at, &way).phys;

		if (descend(top, direct_map + phys, &way).access & PTE_WRITE)
			return at;
	}
	return 0;
}

const char *mappings_broken(const uint64_t *top, virt_t direct_map, virt_t *where)
{
	struct arch_range range;

	if (mappings_next(top, 0, &range) && range.start < UPPER_START) {
		*where = range.start;
		return "the kernel's own tables map something in the lower half";
	}
	for (virt_t at = UPPER_START; at && mappings_next(top, at, &range);
		at = range.start + range.size) {
		*where = range.start;
		if (range.user)
			return "memory of the kernel's is mapped for user mode";
		if (range.write && range.execute)
			return "memory of the kernel's may be written and executed";
		if (range.execute && (*where = writable_alias(top, direct_map, &range)))
			return "code of the kernel's may be written through the direct map";
	}
	return NULL;
}
