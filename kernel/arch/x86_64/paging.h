/* SPDX-License-Identifier: MIT */
#ifndef X86_PAGING_H
#define X86_PAGING_H

#include "arch/arch.h"
#include "baton/handoff.h"

#define PTE_PRESENT         (1ul << 0)
#define PTE_WRITE           (1ul << 1)
#define PTE_USER            (1ul << 2)
#define PTE_PWT             (1ul << 3) /* with our PAT: write-combining */
#define PTE_PCD             (1ul << 4) /* with our PAT: uncached */
#define PTE_ACCESSED        (1ul << 5)
#define PTE_DIRTY           (1ul << 6)
#define PTE_LARGE           (1ul << 7)
#define PTE_GLOBAL          (1ul << 8)
#define PTE_NX              (1ul << 63)
#define PTE_ADDRESS         0x000ffffffffff000ul

#define ENTRIES             512u
#define PAGING_DYNAMIC_SIZE (1ul << 39)

#define UPPER_HALF          256u /* the first top-level entry of the kernel's */

static inline unsigned index_at(virt_t address, unsigned level)
{
	return (unsigned)(address >> (PAGE_SHIFT + 9 * level)) & (ENTRIES - 1);
}

static inline uint64_t *table_of(uint64_t entry)
{
	return arch_phys_to_ptr(entry & PTE_ADDRESS);
}

/* Takes over the loader's tables: drops the lower half, makes all top-level entries that the
 * kernel's half will need. The direct map's base is known from here on. */
void paging_init(const struct handoff *handoff);
/* Before that, of the tables in use: see struct handoff_machine. */
bool paging_loader_maps(virt_t direct_map, virt_t virt, phys_t *phys);
extern bool paging_peeks; /* a kernel address that cannot be read is not the kernel's mistake */
void paging_late_init(const struct handoff *handoff, bool isolation); /* pages are there */

/* One kernel page; flags are PTE_* beside PRESENT. -ENOMEM. */
int kernel_map(virt_t virt, phys_t phys, uint64_t flags) MUST_CHECK;
phys_t kernel_unmap(virt_t virt);  /* the frame that was there; every CPU is flushed */
phys_t kernel_lookup(virt_t virt); /* any kernel address that is mapped; panics otherwise */
/* The same without that: flush_kernel comes before the frame is given back. */
phys_t kernel_clear(virt_t virt);
void kernel_protect(virt_t virt, uint64_t flags); /* other access; every CPU is flushed */
bool paging_isolated(void);
phys_t paging_kernel_top(void); /* the kernel's own: nothing in the lower half */
/* Into a top-level table whose upper half is clear; and out of it again. */
void paging_copy_kernel_half(uint64_t *table);
void paging_clear_kernel_half(uint64_t *table);

/* A top-level table with the kernel's half and nothing below; 0: no memory. */
phys_t paging_firmware_top(void);
/* Maps a page in its lower half for ring 0; a later call changes the flags. -ENOMEM. After a panic both take
 * memory without locks. */
int paging_firmware_map(phys_t top, virt_t at, phys_t page, uint64_t flags) MUST_CHECK;

#endif
