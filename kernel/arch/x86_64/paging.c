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
 * Locks: kernel mappings are serialised by kernel_lock; a user space's by its owner. Tables are
 * never freed while a CPU may walk them: arch_unmap flushes before it frees.
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

#define ENTRIES     512u
#define TOP_SHIFT   39
#define UPPER_HALF  256u
#define FLUSH_BATCH 32u

virt_t arch_direct_map;

static uint64_t *kernel_top;
static phys_t kernel_top_phys;
static bool isolated;
static bool tagged;       /* TLB entries have PCIDs: pcid.c */
static bool plain = true; /* neither of these */
static struct spinlock kernel_lock;

static unsigned index_at(virt_t address, unsigned level)
{
	return (unsigned)(address >> (PAGE_SHIFT + 9 * level)) & (ENTRIES - 1);
}

static uint64_t *table_of(uint64_t entry)
{
	return arch_phys_to_ptr(entry & PTE_ADDRESS);
}

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

/* An entry of the space that was present is another one now. */
static void flush_page(struct arch_space *space, uintptr_t address)
{
	if (likely(!tagged))
		invlpg(address);
	else
		flush_tagged(space, address);
}

/* Tables of the space are about to be freed: whatever a CPU remembers of them must go. INVLPG of any address does
 * that for the kernel's view. */
static void flush_tables(struct arch_space *space, uintptr_t address)
{
	uint32_t interrupts;

	if (likely(!tagged)) {
		invlpg(address);
		return;
	}
	interrupts = arch_irq_save();
	flush_tagged(space, address);
	if (pcid_uses(&this_cpu()->entry->pcid, &space->tag))
		flush_user_view(this_cpu()->entry);
	arch_irq_restore(interrupts);
}

/* ---- The kernel's half ---- */

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

	if (top) {
		uint64_t *table = arch_phys_to_ptr(top);

		memcpy(table + UPPER_HALF, kernel_top + UPPER_HALF, PAGE_SIZE / 2);
	}
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

/* ---- User spaces ---- */

int arch_space_init(struct arch_space *space)
{
	struct frame *frame = pages_alloc(isolated ? 1 : 0, FRAME_TABLE, PAGES_NORMAL);

	if (!frame)
		return -ENOMEM;
	space->top = frame_phys(frame);
	space->table = frame_ptr(frame);
	space->tables = isolated ? 2 : 1;
	pcid_space_init(&space->tag);
	memset(space->table, 0, PAGE_SIZE / 2);
	memcpy(space->table + UPPER_HALF, kernel_top + UPPER_HALF, PAGE_SIZE / 2);
	if (isolated) {
		uint64_t *user = space->table + ENTRIES;
		unsigned area = index_at(ENTRY_AREA, 3);

		memset(user, 0, PAGE_SIZE);
		user[area] = kernel_top[area];
	}
	return 0;
}

static void free_tables(struct arch_space *space, uint64_t *table, unsigned level)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		if (!(table[i] & PTE_PRESENT))
			continue;
		if (level > 1) {
			free_tables(space, table_of(table[i]), level - 1);
			sched_point();
		}
		pages_free(phys_frame(table[i] & PTE_ADDRESS), 0);
		space->tables--;
	}
}

void arch_space_destroy(struct arch_space *space)
{
	for (unsigned i = 0; i < UPPER_HALF; i++) {
		if (!(space->table[i] & PTE_PRESENT))
			continue;
		free_tables(space, table_of(space->table[i]), 2);
		pages_free(phys_frame(space->table[i] & PTE_ADDRESS), 0);
		space->tables--;
	}
	assert(space->tables == (isolated ? 2 : 1));
	pages_free(phys_frame(space->top), isolated ? 1 : 0);
	space->table = NULL;
}

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

struct table_source {
	struct arch_space *space;
};

static phys_t user_table_alloc(void *context)
{
	struct table_source *source = context;
	phys_t page = table_alloc(NULL);

	if (page)
		source->space->tables++;
	return page;
}

int arch_map(struct arch_space *space, uintptr_t address, phys_t phys, unsigned access)
{
	struct table_source source = {space};
	unsigned top = index_at(address, 3);
	uint64_t *entry, old;

	assert(address < USER_END);
	if (!(space->table[top] & PTE_PRESENT)) {
		phys_t page = user_table_alloc(&source);

		if (!page)
			return -ENOMEM;
		space->table[top] = page | PTE_PRESENT | PTE_WRITE | PTE_USER;
		if (isolated)
			space->table[ENTRIES + top] = space->table[top];
	}
	entry = walk(table_of(space->table[top]), 2, address, PTE_USER, user_table_alloc, &source);
	if (!entry)
		return -ENOMEM;
	old = *entry;
	*entry = phys | user_flags(access);
	if (old & PTE_PRESENT)
		flush_page(space, address);
	return 0;
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
	*next = ALIGN_DOWN(address, 1ul << 21) + (1ul << 21);
	return table;
}

bool arch_lookup(struct arch_space *space, uintptr_t address, struct arch_mapping *out)
{
	uintptr_t next;
	uint64_t *table = leaf_table(space, address, &next), entry;

	if (!table)
		return false;
	entry = table[index_at(address, 0)];
	if (!(entry & PTE_ADDRESS))
		return false;
	out->phys = entry & PTE_ADDRESS;
	out->access = !(entry & PTE_PRESENT) ? 0
					     : MAP_READ | (entry & PTE_WRITE ? MAP_WRITE : 0) |
						       (entry & PTE_NX ? 0 : MAP_EXECUTE);
	return true;
}

/* Frames that are unmapped but may still be in a TLB. */
struct gather {
	struct arch_space *space;
	unsigned count;
	struct {
		uintptr_t address;
		uint64_t entry;
	} pages[FLUSH_BATCH];
	void (*gone)(void *context, phys_t phys, bool dirty);
	void *context;
};

static void gather_flush(struct gather *gather)
{
	for (unsigned i = 0; i < gather->count; i++) {
		if (gather->pages[i].entry & PTE_PRESENT)
			flush_page(gather->space, gather->pages[i].address);
	}
	for (unsigned i = 0; i < gather->count; i++) {
		uint64_t entry = gather->pages[i].entry;

		gather->gone(gather->context, entry & PTE_ADDRESS, entry & PTE_DIRTY);
	}
	gather->count = 0;
}

/* Frees the empty tables below `table` that lie wholly in [floor, ceiling) and touch [start, end). */
static void prune(struct arch_space *space, uint64_t *table, unsigned level, uintptr_t base,
	uintptr_t start, uintptr_t end, uintptr_t floor, uintptr_t ceiling)
{
	uint64_t span = 1ul << (PAGE_SHIFT + 9 * level);
	unsigned count = level == 3 ? UPPER_HALF : ENTRIES;
	uint64_t below;

	for (unsigned i = index_at(start < base ? base : start, level); i < count; i++) {
		uintptr_t low = base + i * span;

		if (low >= end)
			break;
		if (!(table[i] & PTE_PRESENT))
			continue;
		if (level > 1)
			prune(space, table_of(table[i]), level - 1, low, start, end, floor,
				ceiling);
		if (low < floor || low + span > ceiling)
			continue;
		below = table[i];
		table[i] = 0;
		if (level == 3 && isolated)
			table[ENTRIES + i] = 0;
		/* The paging-structure caches may hold it until then (SDM 3A 4.10.4.1). */
		flush_tables(space, low);
		pages_free(phys_frame(below & PTE_ADDRESS), 0);
		space->tables--;
	}
}

void arch_unmap(struct arch_space *space, uintptr_t start, uintptr_t end, uintptr_t floor,
	uintptr_t ceiling, void (*gone)(void *context, phys_t phys, bool dirty), void *context)
{
	struct gather gather = {.space = space, .gone = gone, .context = context};
	uintptr_t next;

	for (uintptr_t address = start; address < end; address = next) {
		uint64_t *table = leaf_table(space, address, &next);

		if (next > end)
			next = end;
		for (; table && address < next; address += PAGE_SIZE) {
			uint64_t *entry = &table[index_at(address, 0)];

			if (!*entry)
				continue;
			gather.pages[gather.count].address = address;
			gather.pages[gather.count++].entry = *entry;
			*entry = 0;
			if (gather.count == FLUSH_BATCH) {
				gather_flush(&gather);
				sched_point();
			}
		}
	}
	gather_flush(&gather);
	prune(space, space->table, 3, 0, start, end, floor, ceiling);
}

void arch_protect(struct arch_space *space, uintptr_t start, uintptr_t end, unsigned access,
	bool (*may_write)(void *context, phys_t phys), void *context)
{
	uintptr_t next;

	for (uintptr_t address = start; address < end; address = next) {
		uint64_t *table = leaf_table(space, address, &next);

		if (next > end)
			next = end;
		for (; table && address < next; address += PAGE_SIZE) {
			uint64_t *entry = &table[index_at(address, 0)], old = *entry;
			phys_t phys = old & PTE_ADDRESS;
			unsigned now = access;

			if (!old)
				continue;
			if ((access & MAP_WRITE) && !may_write(context, phys))
				now &= ~(unsigned)MAP_WRITE;
			*entry = phys | (old & (PTE_DIRTY | PTE_ACCESSED)) | user_flags(now);
			if (old & PTE_PRESENT)
				flush_page(space, address);
		}
		sched_point();
	}
}
