/* SPDX-License-Identifier: MIT */
#include "evidence_walk.h"

#define PRESENT    UINT64_C(1)
#define WRITABLE   UINT64_C(2)
#define LARGE      UINT64_C(0x80)
#define NO_EXECUTE (UINT64_C(1) << 63)
#define ADDRESS    UINT64_C(0x000ffffffffff000)
#define TABLES_MAX 65536u /* tables that lead to themselves have no end */

static void add_run(struct evidence_walk *w, const struct evidence_mapping *more)
{
	struct evidence_mapping *last = w->count ? &w->runs[w->count - 1] : NULL;

	if (last && last->virt + last->size == more->virt &&
		last->phys + last->size == more->phys && last->access == more->access)
		last->size += more->size;
	else if (w->count < w->capacity)
		w->runs[w->count++] = *more;
	else
		w->cut = true;
}

/* An address has the sign of its highest translated bit. */
static uint64_t canonical(uint64_t virt, unsigned int levels)
{
	unsigned int unused = 64 - (12 + 9 * levels);

	return (uint64_t)((int64_t)(virt << unused) >> unused);
}

static uint32_t access_of(const struct evidence_walk *w, uint64_t entry, uint32_t above)
{
	uint32_t access = EVIDENCE_READ;

	if (entry & WRITABLE)
		access |= EVIDENCE_WRITE;
	if (!w->no_execute || !(entry & NO_EXECUTE))
		access |= EVIDENCE_EXECUTE;
	return access & above;
}

static void walk_table(
	struct evidence_walk *w, uint64_t table, unsigned int level, uint64_t virt, uint32_t above)
{
	uint64_t size = UINT64_C(1) << (12 + 9 * (level - 1));
	const uint64_t *entries = w->view(table);

	if (++w->tables > TABLES_MAX) {
		w->cut = true;
		return;
	}
	for (unsigned int i = 0; i < 512 && !w->cut; i++) {
		struct evidence_mapping run = {.virt = canonical(virt + i * size, w->levels),
			.size = size,
			.access = access_of(w, entries[i], above)};

		if (!(entries[i] & PRESENT))
			continue;
		if (level > 1 && !(level <= 3 && entries[i] & LARGE)) {
			walk_table(w, entries[i] & ADDRESS, level - 1, virt + i * size, run.access);
			continue;
		}
		run.phys = entries[i] & ADDRESS & ~(size - 1);
		add_run(w, &run);
	}
}

void evidence_walk(struct evidence_walk *w)
{
	w->count = w->tables = 0;
	w->cut = false;
	walk_table(w, w->root & ADDRESS, w->levels, 0,
		EVIDENCE_READ | EVIDENCE_WRITE | EVIDENCE_EXECUTE);
}

bool evidence_is_mapped(const struct evidence_walk *w, uint64_t address, uint64_t size)
{
	if (!size || size > UINT64_MAX - address)
		return false;
	for (size_t i = 0; i < w->count && size; i++) {
		const struct evidence_mapping *run = &w->runs[i];
		uint64_t part;

		if (run->virt != run->phys || address < run->virt ||
			address - run->virt >= run->size)
			continue;
		part = run->size - (address - run->virt);
		part = part < size ? part : size;
		address += part;
		size -= part;
	}
	return !size;
}
