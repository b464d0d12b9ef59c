/* SPDX-License-Identifier: MIT */
/*
 * The page tables of user spaces.
 *
 * With page-table isolation a space has two top pages, next to each other: the kernel's view, then
 * the user's, which has the same lower half and of the upper half the entry area alone.
 *
 * An entry that is not 0 has a page; it may be present for nobody (PROT_NONE). A table that has no
 * entry any more is freed when arch_unmap is told that nothing else lies in its range, so a table
 * may be empty, and all tables of a space without entries are empty.
 *
 * Locks: the space's owner serialises changes. A CPU may walk the tables and remember entries and
 * tables at any time: pages and tables are given back only after a flush (struct gather).
 */
#include "paging.h"

#include "entry_area.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "pcid.h"
#include "process/current.h"
#include "tlb.h"

#define TABLE_SPAN (1ul << (PAGE_SHIFT + 9)) /* what a level-0 table maps */

/* ---- Making and ending ---- */

int arch_space_init(struct arch_space *space)
{
	bool isolated = paging_isolated();
	struct frame *frame =
		isolated ? pages_alloc(1, FRAME_TABLE, PAGES_ZERO) : pages_alloc_table();

	if (!frame)
		return -ENOMEM;
	space->top = frame_phys(frame);
	space->table = frame_ptr(frame);
	space->tables = isolated ? 2 : 1;
	space->cpus = 0;
	space->retired = false;
	pcid_space_init(&space->tag);
	paging_copy_kernel_half(space->table);
	if (isolated) {
		uint64_t *user = space->table + ENTRIES;
		unsigned area = index_at(ENTRY_AREA, 3);

		user[area] = space->table[area];
	}
	return 0;
}

static void free_tables(struct arch_space *space, uint64_t *table, unsigned level)
{
	unsigned count = level == 3 ? UPPER_HALF : ENTRIES;

	for (unsigned i = 0; i < count; i++) {
		if (!(table[i] & PTE_PRESENT))
			continue;
		if (level > 1) {
			free_tables(space, table_of(table[i]), level - 1);
			sched_point();
		}
		pages_free(phys_frame(table[i] & PTE_ADDRESS), 0);
		table[i] = 0;
		space->tables--;
	}
}

void arch_space_retire(struct arch_space *space)
{
	tlb_space_leave(space);
	space->retired = true;
}

void arch_space_destroy(struct arch_space *space)
{
	struct frame *frame = phys_frame(space->top);
	unsigned tops = paging_isolated() ? 2 : 1;

	if (!space->retired)
		arch_space_retire(space);
	if (space->tables > tops)
		free_tables(space, space->table, 3);
	assert(space->tables == tops);
	if (tops == 1) {
		paging_clear_kernel_half(space->table); /* it is all clear now */
		pages_free_table(frame);
	} else {
		pages_free(frame, 1);
	}
	space->table = NULL;
}

/* ---- Finding entries ---- */

static uint64_t user_flags(unsigned access)
{
	uint64_t flags = PTE_USER;

	if (!(access & (MAP_READ | MAP_WRITE | MAP_EXECUTE)))
		return 0; /* PROT_NONE: present for nobody */
	if (access & MAP_WRITE)
		flags |= PTE_WRITE;
	if (!(access & MAP_EXECUTE))
		flags |= PTE_NX;
	return flags | PTE_PRESENT;
}

/* Hangs a new table in. False: no memory. */
static COLD bool table_make(struct arch_space *space, uint64_t *entry, unsigned level)
{
	struct frame *frame = pages_alloc_table();

	if (!frame)
		return false;
	space->tables++;
	/* Another CPU may walk here at once: the table is clear before it is seen. */
	__atomic_store_n(
		entry, frame_phys(frame) | PTE_PRESENT | PTE_WRITE | PTE_USER, __ATOMIC_RELEASE);
	if (level == 3 && paging_isolated())
		entry[ENTRIES] = *entry;
	return true;
}

/* The level-0 entry of an address, with the tables above it made. NULL: no memory. */
static uint64_t *entry_make(struct arch_space *space, uintptr_t address)
{
	uint64_t *table = space->table;

	for (unsigned level = 3; level > 0; level--) {
		uint64_t *entry = &table[index_at(address, level)];

		if (unlikely(!(*entry & PTE_PRESENT)) && !table_make(space, entry, level))
			return NULL;
		table = table_of(*entry);
	}
	return &table[index_at(address, 0)];
}

/* The level-0 table that covers an address, or NULL with *next past what is not there. */
static uint64_t *leaf_table(struct arch_space *space, uintptr_t address, uintptr_t *next)
{
	uint64_t *table = space->table;

	for (unsigned level = 3; level > 0; level--) {
		uint64_t entry = table[index_at(address, level)];

		if (!(entry & PTE_PRESENT)) {
			uint64_t span = 1ul << (PAGE_SHIFT + 9 * level);

			*next = ALIGN_DOWN(address, span) + span;
			return NULL;
		}
		table = table_of(entry);
	}
	*next = ALIGN_DOWN(address, TABLE_SPAN) + TABLE_SPAN;
	return table;
}

/* Whether a CPU that still has the old entry can do no harm: the same page, and no right less. */
static bool is_upgrade(uint64_t old, uint64_t new)
{
	const uint64_t rights = PTE_WRITE | PTE_PRESENT;

	return !((old ^ new) & PTE_ADDRESS) && !(old & ~new &rights) && !(~old & new &PTE_NX);
}

static void entry_set(struct arch_space *space, uint64_t *entry, uintptr_t address, uint64_t new)
{
	uint64_t old = __atomic_exchange_n(entry, new, __ATOMIC_RELEASE);

	if (likely(!(old & PTE_PRESENT)))
		return;
	if (is_upgrade(old, new))
		flush_upgrade(space, address);
	else
		flush_page(space, address);
}

int arch_map(struct arch_space *space, uintptr_t address, phys_t phys, unsigned access)
{
	uint64_t *entry;

	assert(address < USER_END);
	entry = entry_make(space, address);
	if (!entry)
		return -ENOMEM;
	entry_set(space, entry, address, phys | user_flags(access));
	return 0;
}

int arch_map_at(struct arch_space *space, const struct arch_mapping *found, uintptr_t address,
	phys_t phys, unsigned access)
{
	if (unlikely(!found->entry))
		return arch_map(space, address, phys, access);
	entry_set(space, found->entry, address, phys | user_flags(access));
	return 0;
}

bool arch_lookup(struct arch_space *space, uintptr_t address, struct arch_mapping *out)
{
	uintptr_t next;
	uint64_t *table = leaf_table(space, address, &next), entry;

	if (!table) {
		out->entry = NULL;
		return false;
	}
	out->entry = table += index_at(address, 0);
	entry = *table;
	if (!entry)
		return false;
	out->phys = entry & PTE_ADDRESS;
	out->access = !(entry & PTE_PRESENT) ? 0
					     : MAP_READ | (entry & PTE_WRITE ? MAP_WRITE : 0) |
						       (entry & PTE_NX ? 0 : MAP_EXECUTE);
	return true;
}

uintptr_t arch_next_page(struct arch_space *space, uintptr_t start, uintptr_t end)
{
	uintptr_t next;

	for (uintptr_t address = start; address < end; address = next) {
		uint64_t *table = leaf_table(space, address, &next);

		for (; table && address < next && address < end; address += PAGE_SIZE) {
			if (table[index_at(address, 0)])
				return address;
		}
	}
	return end;
}

/* ---- Unmapping ---- */

/* Pages and tables that are out of the tables but may still be in a TLB. */
struct gather {
	struct flush flush;
	unsigned page_count, table_count;
	struct arch_gone pages[FLUSH_BATCH];
	uint64_t tables[FLUSH_BATCH];
	void (*gone)(void *context, const struct arch_gone *pages, unsigned count);
	void *context;
	uintptr_t floor, ceiling;
};

static void gather_flush(struct gather *gather)
{
	if (!gather->page_count && !gather->table_count)
		return;
	if (!gather->flush.space->retired)
		flush_batch(&gather->flush);
	if (gather->page_count)
		gather->gone(gather->context, gather->pages, gather->page_count);
	for (unsigned i = 0; i < gather->table_count; i++)
		pages_free_table(phys_frame(gather->tables[i] & PTE_ADDRESS));
	gather->flush.space->tables -= gather->table_count;
	gather->flush.count = gather->page_count = gather->table_count = 0;
	gather->flush.tables = false;
}

static void gather_page(struct gather *gather, uintptr_t address, uint64_t entry)
{
	gather->pages[gather->page_count++] =
		(struct arch_gone){entry & PTE_ADDRESS, (entry & PTE_DIRTY) != 0};
	if (entry & PTE_PRESENT)
		gather->flush.addresses[gather->flush.count++] = address;
	if (gather->page_count == FLUSH_BATCH || gather->flush.count == FLUSH_BATCH) {
		gather_flush(gather);
		sched_point();
	}
}

/* INVLPG of an address below a table also drops what the CPU remembers of the table itself. */
static void gather_table(struct gather *gather, uintptr_t address, uint64_t entry)
{
	gather->tables[gather->table_count++] = entry;
	gather->flush.tables = true;
	gather->flush.addresses[gather->flush.count++] = address;
	if (gather->table_count == FLUSH_BATCH || gather->flush.count == FLUSH_BATCH) {
		gather_flush(gather);
		sched_point();
	}
}

static void unmap_leaf(struct gather *gather, uint64_t *table, uintptr_t address, uintptr_t end)
{
	uint64_t *entry = &table[index_at(address, 0)];

	for (; address < end; address += PAGE_SIZE, entry++) {
		if (!*entry)
			continue;
		/* Other CPUs set ACCESSED and DIRTY meanwhile. */
		gather_page(gather, address, __atomic_exchange_n(entry, 0, __ATOMIC_RELAXED));
	}
}

/* [start, end) below a table of this level; what becomes of the tables below it. */
static void unmap_below(
	struct gather *gather, uint64_t *table, unsigned level, uintptr_t start, uintptr_t end)
{
	uintptr_t span = 1ul << (PAGE_SHIFT + 9 * level), low, next;
	uint64_t *entry = &table[index_at(start, level)];

	for (uintptr_t address = start; address < end; address = next, entry++) {
		uint64_t old = *entry;

		low = ALIGN_DOWN(address, span);
		next = low + span < end ? low + span : end;
		if (!(old & PTE_PRESENT))
			continue;
		if (level > 1)
			unmap_below(gather, table_of(old), level - 1, address, next);
		else
			unmap_leaf(gather, table_of(old), address, next);
		if (low < gather->floor || low + span > gather->ceiling)
			continue;
		*entry = 0;
		if (level == 3 && paging_isolated())
			entry[ENTRIES] = 0;
		gather_table(gather, low, old);
	}
}

void arch_unmap(struct arch_space *space, uintptr_t start, uintptr_t end, uintptr_t floor,
	uintptr_t ceiling,
	void (*gone)(void *context, const struct arch_gone *pages, unsigned count), void *context)
{
	struct gather gather;
	uintptr_t next, span = TABLE_SPAN;
	uint64_t *table = leaf_table(space, start, &next);
	bool simple; /* all of it is in one table, or in none, and no table goes */

	if (!table) {
		while (ALIGN_DOWN(start, span) + span < next)
			span <<= 9;
		span <<= 9; /* of the table that has no entry for it */
	}
	ceiling = ceiling < USER_END ? ceiling : UINTPTR_MAX; /* tables go on behind it */
	simple = next >= end &&
		 (ALIGN_DOWN(start, span) < floor || ALIGN_DOWN(start, span) + span > ceiling);
	if (simple && !table)
		return;
	/* Its arrays are not cleared. */
	gather.flush.space = space;
	gather.flush.count = gather.page_count = gather.table_count = 0;
	gather.flush.all = gather.flush.tables = false;
	gather.gone = gone;
	gather.context = context;
	gather.floor = floor;
	gather.ceiling = ceiling;
	if (simple)
		unmap_leaf(&gather, table, start, end);
	else
		unmap_below(&gather, space->table, 3, start, end);
	gather_flush(&gather);
}

/* ---- Protecting ---- */

static void flush_later(struct flush *flush, uintptr_t address)
{
	flush->addresses[flush->count++] = address;
	if (flush->count == FLUSH_BATCH) {
		flush_batch(flush);
		flush->count = 0;
	}
}

void arch_protect(struct arch_space *space, uintptr_t start, uintptr_t end, unsigned access,
	bool (*may_write)(void *context, phys_t phys), void *context)
{
	struct flush flush;
	uintptr_t next;

	flush.space = space;
	flush.count = 0;
	flush.all = flush.tables = false;
	for (uintptr_t address = start; address < end; address = next) {
		uint64_t *table = leaf_table(space, address, &next);

		if (next > end)
			next = end;
		for (; table && address < next; address += PAGE_SIZE) {
			uint64_t *entry = &table[index_at(address, 0)], old = *entry, new;
			unsigned now = access;

			if (!old)
				continue;
			if ((access & MAP_WRITE) && !may_write(context, old & PTE_ADDRESS))
				now &= ~(unsigned)MAP_WRITE;
			do
				new = (old & (PTE_ADDRESS | PTE_DIRTY | PTE_ACCESSED)) |
				      user_flags(now);
			while (!__atomic_compare_exchange_n(
				entry, &old, new, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
			if ((old & PTE_PRESENT) && !is_upgrade(old, new))
				flush_later(&flush, address);
			else if (old & PTE_PRESENT)
				flush_upgrade(space, address);
		}
		if (next < end)
			sched_point();
	}
	if (flush.count)
		flush_batch(&flush);
}

/* ---- Moving ---- */

int arch_move(struct arch_space *space, uintptr_t from, uintptr_t to, size_t size)
{
	struct flush flush = {.space = space};
	uintptr_t end = from + size, next;

	/* All that can fail first. */
	for (uintptr_t address = from; address < end; address = next) {
		uint64_t *table = leaf_table(space, address, &next);

		if (next > end)
			next = end;
		for (; table && address < next; address += PAGE_SIZE) {
			if (table[index_at(address, 0)] &&
				!entry_make(space, to + (address - from)))
				return -ENOMEM;
		}
	}
	for (uintptr_t address = from; address < end; address = next) {
		uint64_t *table = leaf_table(space, address, &next);

		if (next > end)
			next = end;
		for (; table && address < next; address += PAGE_SIZE) {
			uint64_t *entry = &table[index_at(address, 0)];

			if (!*entry)
				continue;
			flush.all = true;
			*entry_make(space, to + (address - from)) =
				__atomic_exchange_n(entry, 0, __ATOMIC_RELAXED);
		}
	}
	if (flush.all)
		flush_batch(&flush);
	return 0;
}

/* ---- Sharing with another space ---- */

void arch_share_begin(struct arch_share *share, struct arch_space *from, struct arch_space *to)
{
	*share = (struct arch_share){.from = from, .to = to};
}

int arch_share(struct arch_share *share, uintptr_t start, uintptr_t end,
	void (*shared)(void *context, phys_t phys), void *context)
{
	uintptr_t next;

	for (uintptr_t address = start; address < end; address = next) {
		uint64_t *table = leaf_table(share->from, address, &next), *target = NULL;

		if (next > end)
			next = end;
		for (; table && address < next; address += PAGE_SIZE) {
			unsigned index = index_at(address, 0);
			uint64_t entry = table[index];

			if (!entry)
				continue;
			if (!target) {
				target = entry_make(share->to, address);
				if (!target)
					return -ENOMEM;
				target -= index;
			}
			if (share->read_only && (entry & PTE_WRITE)) {
				__atomic_fetch_and(&table[index], ~PTE_WRITE, __ATOMIC_RELAXED);
				entry &= ~PTE_WRITE;
				share->changed = true;
			}
			target[index] = entry & ~(PTE_DIRTY | PTE_ACCESSED);
			shared(context, entry & PTE_ADDRESS);
		}
		if (next < end)
			sched_point();
	}
	return 0;
}

void arch_share_end(struct arch_share *share)
{
	if (share->changed)
		flush_space(share->from);
	share->changed = false;
}
