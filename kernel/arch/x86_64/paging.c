/* SPDX-License-Identifier: MIT */
/*
 * Page tables.
 *
 * The loader's tables become the kernel's own (kernel_top); their lower half is dropped. All
 * top-level entries of the upper half are made once, at start, so a space that copies them sees
 * every later kernel mapping. With page-table isolation a space has two top pages, next to each
 * other: the kernel's view, then the user's, which has the same lower half and of the upper half
 * the entry area alone.
 *
 * User spaces' tables are in user_tables.c; what CPUs know of all these is in tlb.c.
 *
 * Locks: kernel mappings are serialised by kernel_lock; a user space's by its owner.
 */
#include "paging.h"

#include "devices/console.h"
#include "entry_area.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mappings.h"
#include "memory/pages.h"
#include "registers.h"
#include "tlb.h"
#include "user_access.h"

virt_t arch_direct_map;

static uint64_t *kernel_top;
static uint16_t kernel_entries[ENTRIES - UPPER_HALF]; /* which of its upper half are there */
static unsigned kernel_entry_count;                   /* 0: not known yet */
static phys_t kernel_top_phys;
static bool isolated;
static struct spinlock kernel_lock;

static phys_t table_alloc(void *unused)
{
	struct frame *frame = pages_alloc(0, FRAME_TABLE, PAGES_ZERO);

	(void)unused;
	return frame ? frame_phys(frame) : 0;
}

/* The level-0 entry for an address, making tables on the way: NULL, when `take` gives none. */
static uint64_t *walk(uint64_t *table, unsigned level, virt_t address, uint64_t flags,
	phys_t (*take)(void *), void *context)
{
	for (; level > 0; level--) {
		uint64_t *entry = &table[index_at(address, level)];

		if (!(*entry & PTE_PRESENT)) {
			phys_t page = take ? take(context) : 0;

			if (!page)
				return NULL;
			*entry = page | flags | PTE_PRESENT | PTE_WRITE;
		}
		assert(!(*entry & PTE_LARGE));
		table = table_of(*entry);
	}
	return &table[index_at(address, 0)];
}

/* ---- The kernel's half ---- */

void paging_copy_kernel_half(uint64_t *table)
{
	if (unlikely(!kernel_entry_count))
		memcpy(table + UPPER_HALF, kernel_top + UPPER_HALF, PAGE_SIZE / 2);
	for (unsigned i = 0; i < kernel_entry_count; i++)
		table[kernel_entries[i]] = kernel_top[kernel_entries[i]];
}

void paging_clear_kernel_half(uint64_t *table)
{
	for (unsigned i = 0; i < kernel_entry_count; i++)
		table[kernel_entries[i]] = 0;
}

void paging_init(const struct handoff *handoff)
{
	arch_direct_map = handoff->direct_map_virt;
	kernel_top_phys = handoff->tables.base;
	kernel_top = arch_phys_to_ptr(kernel_top_phys);
	for (unsigned i = 0; i < UPPER_HALF; i++)
		kernel_top[i] = 0;
	cr3_write(cr3_read());
}

/* ---- The loader's tables, before anything is known of them ---- */

bool paging_peeks;

static bool peek(virt_t at, uint64_t *out)
{
	uint64_t word;
	int error = 0;

	paging_peeks = true;
	user_get(word, at, error);
	paging_peeks = false;
	*out = word;
	return !error;
}

bool paging_loader_maps(virt_t direct_map, virt_t virt, phys_t *phys)
{
	uint64_t entry = cr3_read();

	for (unsigned level = 3;; level--) {
		uint64_t below = (1ul << (PAGE_SHIFT + 9 * level)) - 1;

		if (!peek(direct_map + (entry & PTE_ADDRESS) +
				    index_at(virt, level) * sizeof(entry),
			    &entry) ||
			!(entry & PTE_PRESENT))
			return false;
		if (level == 0 || (level < 3 && (entry & PTE_LARGE))) {
			*phys = (entry & PTE_ADDRESS & ~below) | (virt & below);
			return true;
		}
	}
}

/* Makes the top-level entries for [start, start + size). */
static void reserve_top(virt_t start, uint64_t size)
{
	for (unsigned i = index_at(start, 3); i <= index_at(start + size - 1, 3); i++) {
		if (kernel_top[i] & PTE_PRESENT)
			continue;
		phys_t page = table_alloc(NULL);

		if (!page)
			panic("no memory for the kernel's page tables");
		kernel_top[i] = page | PTE_PRESENT | PTE_WRITE;
	}
}

void paging_late_init(const struct handoff *handoff, bool isolation)
{
	isolated = isolation;
	reserve_top(ENTRY_AREA, 1);
	reserve_top(handoff->dynamic_virt, PAGING_DYNAMIC_SIZE);
	reserve_top(
		handoff->frames_virt, handoff->direct_map_size / PAGE_SIZE * sizeof(struct frame));
	/* From now on no entry is added: there are spaces that have but these. */
	for (unsigned i = UPPER_HALF; i < ENTRIES; i++) {
		if (kernel_top[i])
			kernel_entries[kernel_entry_count++] = (uint16_t)i;
	}
}

bool paging_isolated(void)
{
	return isolated;
}

phys_t paging_kernel_top(void)
{
	return kernel_top_phys;
}

int kernel_map(virt_t virt, phys_t phys, uint64_t flags)
{
	uint64_t *entry;

	assert(!(flags & PTE_USER) && virt >> 63 && ((flags & PTE_NX) || !(flags & PTE_WRITE)));
	spin_lock(&kernel_lock);
	entry = walk(kernel_top, 3, virt, 0, table_alloc, NULL);
	if (entry) {
		assert(!(*entry & PTE_PRESENT));
		*entry = phys | flags | PTE_PRESENT;
	}
	spin_unlock(&kernel_lock);
	return entry ? 0 : -ENOMEM;
}

static uint64_t *kernel_entry_of(virt_t virt)
{
	uint64_t *entry = walk(kernel_top, 3, virt, 0, NULL, NULL);

	if (!entry || !(*entry & PTE_PRESENT))
		panic("kernel address %#lx is not mapped", virt);
	return entry;
}

static void flush_one_kernel_page(virt_t virt)
{
	struct flush flush;

	flush.count = 1;
	flush.addresses[0] = virt;
	flush_kernel(&flush);
}

phys_t kernel_clear(virt_t virt)
{
	uint64_t *entry;
	phys_t phys;

	spin_lock(&kernel_lock);
	entry = kernel_entry_of(virt);
	phys = *entry & PTE_ADDRESS;
	*entry = 0;
	spin_unlock(&kernel_lock);
	return phys;
}

phys_t kernel_unmap(virt_t virt)
{
	phys_t phys = kernel_clear(virt);

	flush_one_kernel_page(virt);
	return phys;
}

void kernel_protect(virt_t virt, uint64_t flags)
{
	uint64_t *entry;

	spin_lock(&kernel_lock);
	entry = kernel_entry_of(virt);
	*entry = (*entry & PTE_ADDRESS) | flags | PTE_PRESENT;
	spin_unlock(&kernel_lock);
	flush_one_kernel_page(virt);
}

phys_t kernel_lookup(virt_t virt)
{
	uint64_t *table = kernel_top;

	for (unsigned level = 3;; level--) {
		uint64_t entry = table[index_at(virt, level)];
		uint64_t below = (1ul << (PAGE_SHIFT + 9 * level)) - 1;

		if (!(entry & PTE_PRESENT))
			panic("kernel address %#lx is not mapped", virt);
		if (level == 0 || (entry & PTE_LARGE))
			return (entry & PTE_ADDRESS & ~below) | (virt & below);
		table = table_of(entry);
	}
}

int arch_map_frames(
	virt_t virt, phys_t phys, size_t size, phys_t (*take_table)(void *), void *context)
{
	for (size_t offset = 0; offset < size; offset += PAGE_SIZE) {
		uint64_t *entry = walk(kernel_top, 3, virt + offset, 0, take_table, context);

		if (!entry)
			return -ENOMEM;
		*entry = (phys + offset) | PTE_PRESENT | PTE_WRITE | PTE_NX;
	}
	return 0;
}

bool arch_kernel_range(virt_t at, struct arch_range *out)
{
	return mappings_next(kernel_top, at, out);
}

const char *arch_mappings_audit(struct arch_mappings *out)
{
	return mappings_broken(kernel_top, arch_direct_map, out);
}

#if BATON_DEBUG
void arch_allow_all(const void *kernel_page)
{
	kernel_protect((virt_t)kernel_page, PTE_WRITE);
}
#endif

/* ---- The firmware's space ---- */

static phys_t firmware_table_alloc(void *unused)
{
	return log_panicking() ? pages_in_panic(1) : table_alloc(unused);
}

phys_t paging_firmware_top(void)
{
	phys_t top = firmware_table_alloc(NULL);

	if (top)
		paging_copy_kernel_half(arch_phys_to_ptr(top));
	return top;
}

int paging_firmware_map(phys_t top, virt_t at, phys_t page, uint64_t flags)
{
	uint64_t *entry = walk(arch_phys_to_ptr(top), 3, at, 0, firmware_table_alloc, NULL);

	assert((flags & PTE_NX) || !(flags & PTE_WRITE));
	if (!entry)
		return -ENOMEM;
	*entry = page | flags | PTE_PRESENT;
	return 0;
}

/* ---- Using a user space ---- */
