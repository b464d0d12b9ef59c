/* SPDX-License-Identifier: MIT */
#include "paging.h"

#define ENTRIES      512u
#define TABLE_SIZE   UINT64_C(4096)
#define PRESENT      UINT64_C(1)
#define WRITABLE     UINT64_C(2)
#define ACCESSED     UINT64_C(0x20)
#define DIRTY        UINT64_C(0x40)
#define LARGE        UINT64_C(0x80)
#define NO_EXECUTE   (UINT64_C(1) << 63)
#define ADDRESS      UINT64_C(0x000ffffffffff000)
#define SLACK_TABLES 16u

/* Bytes that one entry covers; level 1 is the page table. */
static uint64_t span(unsigned int level)
{
	return UINT64_C(1) << (12 + 9 * (level - 1));
}

static unsigned int index_at(uint64_t virt, unsigned int level)
{
	return virt >> (12 + 9 * (level - 1)) & (ENTRIES - 1);
}

static enum verdict new_table(struct paging *p, uint64_t **table, struct complaint *why)
{
	if (p->used == p->capacity)
		return refuse(
			why, VERDICT_NO_ROOM, "page tables: more than %zu needed", p->capacity);
	*table = p->tables + p->used++ * ENTRIES;
	__builtin_memset(*table, 0, TABLE_SIZE);
	return VERDICT_OK;
}

enum verdict paging_begin(struct paging *p, struct complaint *why)
{
	uint64_t *top;

	p->used = 0;
	return new_table(p, &top, why);
}

/* The table below `entry`, made when there is none. Rights are decided by the last level alone. */
static enum verdict descend(
	struct paging *p, uint64_t *entry, uint64_t virt, uint64_t **table, struct complaint *why)
{
	enum verdict verdict;

	if (*entry & LARGE)
		return refuse(why, VERDICT_MALFORMED, "page tables: 0x%lx is mapped twice", virt);
	if (*entry & PRESENT) {
		*table = p->tables + ((*entry & ADDRESS) - p->phys) / sizeof(uint64_t);
		return VERDICT_OK;
	}
	verdict = new_table(p, table, why);
	if (!verdict)
		*entry = (p->phys + (uint64_t)((char *)*table - (char *)p->tables)) | PRESENT |
			 WRITABLE | ACCESSED;
	return verdict;
}

/* The level of the largest page that may begin at this place. */
static unsigned int page_level(const struct paging *p, const struct paging_run *r)
{
	uint64_t both = r->virt | r->phys;
	unsigned int most = p->features & PAGING_GIGABYTE_PAGES ? 3 : 2;

	for (unsigned int level = most; level > 1; level--)
		if (!(both & (span(level) - 1)) && r->size >= span(level))
			return level;
	return 1;
}

static uint64_t entry_bits(const struct paging *p, uint32_t access, unsigned int level)
{
	uint64_t bits = PRESENT | ACCESSED | (level > 1 ? LARGE : 0);

	if (access & HANDOFF_WRITE)
		bits |= WRITABLE | DIRTY;
	if (!(access & HANDOFF_EXECUTE) && (p->features & PAGING_NO_EXECUTE))
		bits |= NO_EXECUTE;
	return bits;
}

/* Fills the entries of one table from the run's start on, and takes them off the run. */
static enum verdict fill(struct paging *p, uint64_t *table, unsigned int level,
	struct paging_run *r, struct complaint *why)
{
	uint64_t bits = entry_bits(p, r->access, level), step = span(level);
	unsigned int i = index_at(r->virt, level);
	/* A page table may be filled up to where a larger page could begin: never wasteful, for
	 * the run would have been split there anyway. */
	do {
		if (table[i] & PRESENT)
			return refuse(why, VERDICT_MALFORMED, "page tables: 0x%lx is mapped twice",
				r->virt);
		table[i++] = r->phys | bits;
		r->virt += step;
		r->phys += step;
		r->size -= step;
	} while (i < ENTRIES && r->size >= step);
	return VERDICT_OK;
}

static enum verdict map_some(struct paging *p, struct paging_run *r, struct complaint *why)
{
	unsigned int to = page_level(p, r);
	uint64_t *table = p->tables;

	for (unsigned int level = p->levels; level > to; level--) {
		enum verdict verdict =
			descend(p, &table[index_at(r->virt, level)], r->virt, &table, why);

		if (verdict)
			return verdict;
	}
	return fill(p, table, to, r, why);
}

enum verdict paging_map(struct paging *p, const struct paging_run *run, struct complaint *why)
{
	struct paging_run r = *run;

	if (!r.size)
		return VERDICT_OK;
	if (((r.virt | r.phys | r.size) & (MEMORY_PAGE - 1)) || r.phys >= MEMORY_PHYS_END ||
		r.size > MEMORY_PHYS_END - r.phys || r.virt + r.size - 1 < r.virt)
		return refuse(why, VERDICT_MALFORMED,
			"page tables: 0x%lx bytes at 0x%lx from 0x%lx: not whole pages", r.size,
			r.virt, r.phys);
	if ((r.access & HANDOFF_WRITE) && (r.access & HANDOFF_EXECUTE))
		return refuse(why, VERDICT_MALFORMED,
			"page tables: 0x%lx would be writable and executable", r.virt);
	while (r.size) {
		enum verdict verdict = map_some(p, &r, why);

		if (verdict)
			return verdict;
	}
	return VERDICT_OK;
}

/* One stretch of RAM, without the read-only ranges and then those, in ascending order. */
static enum verdict map_stretch(struct paging *p, struct handoff_range ram, uint64_t virt,
	const struct handoff_range *read_only, size_t count, struct complaint *why)
{
	enum verdict verdict = VERDICT_OK;

	for (size_t i = 0; i < count && ram.size && !verdict; i++) {
		uint64_t end = ram.base + ram.size;
		uint64_t ro = read_only[i].base, ro_end = ro + read_only[i].size;

		if (ro_end <= ram.base || ro >= end)
			continue;
		ro = ro < ram.base ? ram.base : ro;
		ro_end = ro_end > end ? end : ro_end;
		verdict = paging_map(p,
			&(struct paging_run){virt + ram.base, ram.base, ro - ram.base,
				HANDOFF_READ | HANDOFF_WRITE},
			why);
		if (!verdict)
			verdict = paging_map(p,
				&(struct paging_run){virt + ro, ro, ro_end - ro, HANDOFF_READ},
				why);
		ram.base = ro_end;
		ram.size = end - ro_end;
	}
	if (verdict)
		return verdict;
	return paging_map(p,
		&(struct paging_run){
			virt + ram.base, ram.base, ram.size, HANDOFF_READ | HANDOFF_WRITE},
		why);
}

/* Gathers RAM from entry `*i` on while it goes on without a hole; size 0: no more. */
static struct handoff_range next_stretch(const struct memory_list *map, size_t *i)
{
	struct handoff_range ram = {0};

	for (; *i < map->count; ++*i) {
		const struct handoff_memory *m = &map->entries[*i];

		if (!memory_type_is_ram(m->type))
			continue;
		if (ram.size && ram.base + ram.size != m->base)
			break;
		if (!ram.size)
			ram.base = m->base;
		ram.size += m->size;
	}
	return ram;
}

enum verdict paging_map_ram(struct paging *p, const struct memory_list *map, uint64_t virt,
	const struct handoff_range *read_only, size_t read_only_count, uint64_t *size,
	struct complaint *why)
{
	struct handoff_range ram;
	size_t i = 0;

	*size = 0;
	while ((ram = next_stretch(map, &i)).size) {
		enum verdict verdict = map_stretch(p, ram, virt, read_only, read_only_count, why);

		if (verdict)
			return verdict;
		*size = ram.base + ram.size;
	}
	return VERDICT_OK;
}

/* Entries of `level` that `ram` touches, each of which may need a table of its own below it. */
static size_t touched(struct handoff_range ram, unsigned int level)
{
	return (size_t)((ram.base + ram.size - 1) / span(level) - ram.base / span(level) + 1);
}

/* As `touched`, but only entries that `ram` does not cover whole: at most its two ends. */
static size_t ragged(struct handoff_range ram, unsigned int level)
{
	bool head = ram.base & (span(level) - 1), tail = (ram.base + ram.size) & (span(level) - 1);

	if (touched(ram, level) == 1)
		return head || tail;
	return (size_t)head + tail;
}

size_t paging_bound(const struct memory_list *map, uint64_t image_size, unsigned int features)
{
	struct handoff_range ram, image = {MEMORY_PAGE, image_size};
	size_t i = 0, tables = 1, image_tables = touched(image, 2) + 1;

	while ((ram = next_stretch(map, &i)).size) {
		tables += touched(ram, 4);
		tables += features & PAGING_GIGABYTE_PAGES ? ragged(ram, 3) : touched(ram, 3);
		tables += ragged(ram, 2);
	}
	/* The image's own mapping, and what its read-only pages split in the direct map. */
	tables += 2 * (image_tables + touched(image, 3) + 1) + 1;
	/* The jump page in the direct map, the jump page by itself, the stack. */
	return tables + 2 + 3 + 3 + SLACK_TABLES;
}
