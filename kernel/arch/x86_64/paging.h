/* SPDX-License-Identifier: MIT */
#ifndef X86_PAGING_H
#define X86_PAGING_H

#include "arch/arch.h"
#include "baton/handoff.h"

#define PTE_PRESENT  (1ul << 0)
#define PTE_WRITE    (1ul << 1)
#define PTE_USER     (1ul << 2)
#define PTE_PWT      (1ul << 3) /* with our PAT: write-combining */
#define PTE_PCD      (1ul << 4) /* with our PAT: uncached */
#define PTE_ACCESSED (1ul << 5)
#define PTE_DIRTY    (1ul << 6)
#define PTE_LARGE    (1ul << 7)
#define PTE_GLOBAL   (1ul << 8)
#define PTE_NX       (1ul << 63)
#define PTE_ADDRESS  0x000ffffffffff000ul

#define ENTRIES      512u
#define UPPER_HALF   256u /* the first top-level entry of the kernel's */

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
void paging_late_init(const struct handoff *handoff, bool isolation); /* pages are there */

/* One kernel page; flags are PTE_* beside PRESENT. -ENOMEM. */
int kernel_map(virt_t virt, phys_t phys, uint64_t flags) MUST_CHECK;
phys_t kernel_unmap(virt_t virt);  /* the frame that was there */
phys_t kernel_lookup(virt_t virt); /* any kernel address that is mapped; panics otherwise */
void kernel_protect(virt_t virt, uint64_t flags);
bool paging_isolated(void);
void paging_copy_kernel_half(uint64_t *table); /* into a top-level table */
void paging_use_pcid(void);                    /* from now on; CR3 has PCID 0 */

/* ---- Flushing user spaces: frames and tables are given back after it ---- */

#define FLUSH_BATCH 32u

struct flush {
	struct arch_space *space;
	unsigned count;
	bool all;                         /* more than the addresses: everything of the user half */
	bool tables;                      /* tables above the addresses go too */
	uintptr_t addresses[FLUSH_BATCH]; /* whose entries were present */
};

/* An entry that was present is another one now. */
void flush_page(struct arch_space *space, uintptr_t address);
void flush_batch(const struct flush *flush);
/* Everything of the user half. */
void flush_space(struct arch_space *space);

/* A top-level table with the kernel's half and nothing below; 0: no memory. */
phys_t paging_firmware_top(void);
/* Identity-maps a page in it for ring 0; a later call changes the flags. -ENOMEM. */
int paging_firmware_map(phys_t top, phys_t page, uint64_t flags) MUST_CHECK;

#endif
