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
 * User spaces' tables are in user_tables.c; here is what of them the CPU's registers and TLB know.
 *
 * Locks: kernel mappings are serialised by kernel_lock; a user space's by its owner.
 */
#include "paging.h"

#include "cpu.h"
#include "entry_area.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "pcid.h"
#include "process/cpu.h"
#include "process/current.h"
#include "registers.h"

#define TOP_SHIFT 39

virt_t arch_direct_map;

static uint64_t *kernel_top;
static phys_t kernel_top_phys;
static bool isolated;
static bool tagged;       /* TLB entries have PCIDs: pcid.c */
static bool plain = true; /* neither of these */
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

/* ---- Flushing with PCIDs ---- */

void paging_use_pcid(void)
{
	entry_use_pcid(this_cpu()->entry);
	cr4_write(cr4_read() | CR4_PCIDE);
	tagged = true;
	plain = false;
}

/* The user's view, when it is loaded next. */
static void flush_user_view(struct cpu_entry *entry)
{
	if (isolated)
		entry->user_cr3 &= ~CR3_NOFLUSH;
}

static void flush_tagged(struct arch_space *space, uintptr_t address)
{
	uint32_t interrupts = arch_irq_save();
	struct cpu_entry *entry = this_cpu()->entry;

	if (pcid_changed(&entry->pcid, &space->tag)) {
		invlpg(address);
		if (isolated && cpu_has[CPU_INVPCID])
			invpcid_address(entry->user_cr3 & PCID_MASK, address);
		else
			flush_user_view(entry);
	}
	arch_irq_restore(interrupts);
}

/* ---- Flushing user spaces ---- */

void flush_page(struct arch_space *space, uintptr_t address)
{
	if (likely(!tagged))
		invlpg(address);
	else
		flush_tagged(space, address);
}

/* All entries of the user half, and what the CPU remembers of the tables above them. */
void flush_space(struct arch_space *space)
{
	struct cpu_entry *entry;
	uint32_t interrupts;

	if (likely(!tagged)) {
		cr3_write(cr3_read());
		return;
	}
	interrupts = arch_irq_save();
	entry = this_cpu()->entry;
	if (pcid_changed(&entry->pcid, &space->tag)) {
		cr3_write(cr3_read()); /* without CR3_NOFLUSH, which reads as 0 */
		flush_user_view(entry);
	}
	arch_irq_restore(interrupts);
}

void flush_batch(const struct flush *flush)
{
	if (flush->all) {
		flush_space(flush->space);
		return;
	}
	for (unsigned i = 0; i < flush->count; i++)
		flush_page(flush->space, flush->addresses[i]);
	/* INVLPG of any address drops what the kernel's view has of the tables (SDM 3A 4.10.4.1). */
	if (flush->tables && unlikely(tagged)) {
		uint32_t interrupts = arch_irq_save();

		if (pcid_uses(&this_cpu()->entry->pcid, &flush->space->tag))
			flush_user_view(this_cpu()->entry);
		arch_irq_restore(interrupts);
	}
}

/* ---- The kernel's half ---- */

void paging_copy_kernel_half(uint64_t *table)
{
	memcpy(table + UPPER_HALF, kernel_top + UPPER_HALF, PAGE_SIZE / 2);
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
	plain = !isolation;
	reserve_top(ENTRY_AREA, 1);
	reserve_top(handoff->dynamic_virt, 1ul << TOP_SHIFT);
	reserve_top(
		handoff->frames_virt, handoff->direct_map_size / PAGE_SIZE * sizeof(struct frame));
}

bool paging_isolated(void)
{
	return isolated;
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

/* With kernel_lock, so interrupts are off. */
static void kernel_flush(virt_t virt)
{
	invlpg(virt);
	if (unlikely(tagged)) {
		pcid_kernel_changed(&this_cpu()->entry->pcid);
		flush_user_view(this_cpu()->entry);
	}
}

phys_t kernel_unmap(virt_t virt)
{
	uint64_t *entry;
	phys_t phys;

	spin_lock(&kernel_lock);
	entry = kernel_entry_of(virt);
	phys = *entry & PTE_ADDRESS;
	*entry = 0;
	kernel_flush(virt);
	spin_unlock(&kernel_lock);
	return phys;
}

void kernel_protect(virt_t virt, uint64_t flags)
{
	uint64_t *entry;

	spin_lock(&kernel_lock);
	entry = kernel_entry_of(virt);
	*entry = (*entry & PTE_ADDRESS) | flags | PTE_PRESENT;
	kernel_flush(virt);
	spin_unlock(&kernel_lock);
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

/* ---- The firmware's space ---- */

phys_t paging_firmware_top(void)
{
	phys_t top = table_alloc(NULL);

	if (top)
		paging_copy_kernel_half(arch_phys_to_ptr(top));
	return top;
}

int paging_firmware_map(phys_t top, phys_t page, uint64_t flags)
{
	uint64_t *entry = walk(arch_phys_to_ptr(top), 3, page, 0, table_alloc, NULL);

	assert((flags & PTE_NX) || !(flags & PTE_WRITE));
	if (!entry)
		return -ENOMEM;
	*entry = page | flags | PTE_PRESENT;
	return 0;
}

/* ---- Using a user space ---- */

/* With page-table isolation, PCIDs, or both. */
static COLD void use_special(struct cpu_entry *entry, struct arch_space *space, phys_t top)
{
	phys_t user_top = isolated && space ? top + PAGE_SIZE : 0;
	struct pcid_load load = {top, top, user_top ? user_top : top};
	uint32_t interrupts;

	if (tagged && space && pcid_uses(&entry->pcid, &space->tag))
		return;
	interrupts = arch_irq_save();
	if (tagged)
		load = pcid_switch(
			&entry->pcid, space ? &space->tag : NULL, top, user_top, entry->user_cr3);
	/* An NMI that comes before the load must not keep what the load flushes. */
	entry->kernel_cr3 = load.kernel & ~CR3_NOFLUSH;
	entry->user_cr3 = load.user;
	cr3_write(load.now);
	entry->kernel_cr3 = load.kernel;
	arch_irq_restore(interrupts);
}

void arch_space_use(struct arch_space *space)
{
	phys_t top = space ? space->top : kernel_top_phys;
	struct cpu_entry *entry;

	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(entry) : "i"(CPU_SELF));
	if (entry->kernel_cr3 == top)
		return;
	if (unlikely(!plain)) {
		use_special(entry, space, top);
		return;
	}
	entry->kernel_cr3 = entry->user_cr3 = top;
	cr3_write(top);
}
