/* SPDX-License-Identifier: MIT */
/*
 * User address spaces on the host: a sorted array of pages instead of page tables.
 *
 * What the contract in arch.h leaves to callers is asserted: a table that arch_unmap may free, since
 * it lies wholly in [floor, ceiling), has no entry left; a space that is destroyed is empty.
 */
#include "fake.h"

#include "arch/arch.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "memory/pages.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_SPAN ((uintptr_t)1 << 21)

struct entry {
	uintptr_t address;
	phys_t phys;
	unsigned access; /* 0: present for nobody */
	bool dirty;
};

struct leaf {
	uintptr_t address;
	struct frame *frame;
};

struct tables {
	struct frame *top;
	struct entry *entries;
	size_t count, capacity;
	struct leaf *leaves;
	size_t leaf_count;
};

static struct tables *tables_of(struct arch_space *space)
{
	return (struct tables *)space->table;
}

int arch_space_init(struct arch_space *space)
{
	struct tables *tables = calloc(1, sizeof(*tables));

	if (!tables)
		exit(99);
	tables->top = pages_alloc(0, FRAME_TABLE, PAGES_NORMAL);
	if (!tables->top) {
		free(tables);
		return -ENOMEM;
	}
	space->table = (uint64_t *)tables;
	space->top = frame_phys(tables->top);
	space->tables = 1;
	return 0;
}

static void drop_leaf(struct arch_space *space, size_t index)
{
	struct tables *tables = tables_of(space);

	pages_free(tables->leaves[index].frame, 0);
	tables->leaves[index] = tables->leaves[--tables->leaf_count];
	space->tables--;
}

void arch_space_retire(struct arch_space *space)
{
	space->retired = true;
}

void arch_space_destroy(struct arch_space *space)
{
	struct tables *tables = tables_of(space);

	assert(!tables->count);
	while (tables->leaf_count)
		drop_leaf(space, 0);
	pages_free(tables->top, 0);
	free(tables->entries);
	free(tables->leaves);
	free(tables);
	space->table = NULL;
}

/* The first entry at or above an address. */
static size_t lower_bound(const struct tables *tables, uintptr_t address)
{
	size_t low = 0, high = tables->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (tables->entries[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct entry *find(struct arch_space *space, uintptr_t address)
{
	struct tables *tables = tables_of(space);
	size_t at = lower_bound(tables, ALIGN_DOWN(address, PAGE_SIZE));

	if (at == tables->count || tables->entries[at].address != ALIGN_DOWN(address, PAGE_SIZE))
		return NULL;
	return &tables->entries[at];
}

static int need_leaf(struct arch_space *space, uintptr_t address)
{
	struct tables *tables = tables_of(space);
	struct frame *frame;

	for (size_t i = 0; i < tables->leaf_count; i++) {
		if (tables->leaves[i].address == ALIGN_DOWN(address, TABLE_SPAN))
			return 0;
	}
	frame = pages_alloc(0, FRAME_TABLE, PAGES_ZERO);
	if (!frame)
		return -ENOMEM;
	tables->leaves = realloc(tables->leaves, (tables->leaf_count + 1) * sizeof(struct leaf));
	if (!tables->leaves)
		exit(99);
	tables->leaves[tables->leaf_count++] =
		(struct leaf){ALIGN_DOWN(address, TABLE_SPAN), frame};
	space->tables++;
	return 0;
}

/* Whatever x86 may access at all it may read. */
static unsigned present(unsigned access)
{
	return access & (MAP_READ | MAP_WRITE | MAP_EXECUTE) ? access | MAP_READ : 0;
}

int arch_map(struct arch_space *space, uintptr_t address, phys_t phys, unsigned access)
{
	struct tables *tables = tables_of(space);
	struct entry *entry = find(space, address);
	size_t at;

	assert(!(address % PAGE_SIZE) && !(phys % PAGE_SIZE) && address < USER_END);
	if (need_leaf(space, address))
		return -ENOMEM;
	if (entry) {
		*entry = (struct entry){address, phys, present(access), false};
		return 0;
	}
	if (tables->count == tables->capacity) {
		tables->capacity = tables->capacity ? tables->capacity * 2 : 64;
		tables->entries = realloc(tables->entries, tables->capacity * sizeof(struct entry));
		if (!tables->entries)
			exit(99);
	}
	at = lower_bound(tables, address);
	memmove(&tables->entries[at + 1], &tables->entries[at],
		(tables->count - at) * sizeof(struct entry));
	tables->entries[at] = (struct entry){address, phys, present(access), false};
	tables->count++;
	return 0;
}

bool arch_lookup(struct arch_space *space, uintptr_t address, struct arch_mapping *out)
{
	struct entry *entry = find(space, address);

	out->entry = NULL;
	if (entry)
		*out = (struct arch_mapping){.phys = entry->phys, .access = entry->access};
	return entry;
}

int arch_map_at(struct arch_space *space, const struct arch_mapping *found, uintptr_t address,
	phys_t phys, unsigned access)
{
	(void)found;
	return arch_map(space, address, phys, access);
}

int arch_move(struct arch_space *space, uintptr_t from, uintptr_t to, size_t size)
{
	struct tables *tables = tables_of(space);

	assert(from + size <= to || to + size <= from);
	assert(lower_bound(tables, to) == lower_bound(tables, to + size));
	for (size_t i = lower_bound(tables, from); i < lower_bound(tables, from + size); i++) {
		if (need_leaf(space, to + (tables->entries[i].address - from)))
			return -ENOMEM;
	}
	for (uintptr_t at = from; at < from + size; at += PAGE_SIZE) {
		struct entry *entry = find(space, at), old;

		if (!entry)
			continue;
		old = *entry;
		memmove(entry, entry + 1,
			(size_t)(&tables->entries[tables->count] - (entry + 1)) * sizeof(*entry));
		tables->count--;
		if (arch_map(space, to + (at - from), old.phys, old.access))
			exit(99); /* its table is there */
	}
	return 0;
}

static void prune(struct arch_space *space, uintptr_t start, uintptr_t end, uintptr_t floor,
	uintptr_t ceiling)
{
	struct tables *tables = tables_of(space);

	for (size_t i = tables->leaf_count; i-- > 0;) {
		uintptr_t low = tables->leaves[i].address, high = low + TABLE_SPAN;
		size_t at = lower_bound(tables, low);

		if (high <= start || low >= end || low < floor || high > ceiling)
			continue;
		assert(at == tables->count || tables->entries[at].address >= high);
		drop_leaf(space, i);
	}
}

void arch_unmap(struct arch_space *space, uintptr_t start, uintptr_t end, uintptr_t floor,
	uintptr_t ceiling,
	void (*gone)(void *context, const struct arch_gone *pages, unsigned count), void *context)
{
	struct tables *tables = tables_of(space);
	size_t first = lower_bound(tables, start), last = lower_bound(tables, end);

	assert(start < end && end <= USER_END && !((start | end) % PAGE_SIZE));
	for (size_t i = first; i < last; i++)
		gone(context,
			&(struct arch_gone){tables->entries[i].phys, tables->entries[i].dirty}, 1);
	if (tables->count)
		memmove(&tables->entries[first], &tables->entries[last],
			(tables->count - last) * sizeof(struct entry));
	tables->count -= last - first;
	prune(space, start, end, floor, ceiling);
}

void arch_protect(struct arch_space *space, uintptr_t start, uintptr_t end, unsigned access,
	bool (*may_write)(void *context, phys_t phys), void *context)
{
	struct tables *tables = tables_of(space);

	assert(start < end && end <= USER_END && !((start | end) % PAGE_SIZE));
	for (size_t i = lower_bound(tables, start); i < lower_bound(tables, end); i++) {
		struct entry *entry = &tables->entries[i];
		unsigned now = access;

		if ((access & MAP_WRITE) && !may_write(context, entry->phys))
			now &= ~(unsigned)MAP_WRITE;
		entry->access = present(now);
	}
}

void arch_share_begin(struct arch_share *share, struct arch_space *from, struct arch_space *to)
{
	*share = (struct arch_share){.from = from, .to = to};
}

int arch_share(struct arch_share *share, uintptr_t start, uintptr_t end,
	void (*shared)(void *context, phys_t phys), void *context)
{
	struct tables *from = tables_of(share->from);

	assert(start < end && end <= USER_END && !((start | end) % PAGE_SIZE));
	assert(lower_bound(tables_of(share->to), start) == lower_bound(tables_of(share->to), end));
	for (size_t i = lower_bound(from, start); i < lower_bound(from, end); i++) {
		struct entry *entry = &from->entries[i];
		unsigned access = entry->access;

		if (share->read_only)
			access &= ~(unsigned)MAP_WRITE;
		if (arch_map(share->to, entry->address, entry->phys, access))
			return -ENOMEM;
		share->changed |= access != entry->access;
		entry->access = access;
		shared(context, entry->phys);
	}
	return 0;
}

void arch_share_end(struct arch_share *share)
{
	share->changed = false;
}

bool fake_access(struct arch_space *space, uintptr_t address, unsigned access, phys_t *phys)
{
	struct entry *entry = find(space, address);

	if (!entry || (entry->access & access) != access)
		return false;
	if (access & MAP_WRITE)
		entry->dirty = true;
	*phys = entry->phys + address % PAGE_SIZE;
	return true;
}

void fake_each_page(struct arch_space *space,
	void (*visit)(void *context, uintptr_t address, phys_t phys, unsigned access),
	void *context)
{
	struct tables *tables = tables_of(space);

	for (size_t i = 0; i < tables->count; i++)
		visit(context, tables->entries[i].address, tables->entries[i].phys,
			tables->entries[i].access);
}
