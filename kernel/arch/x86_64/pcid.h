/* SPDX-License-Identifier: MIT */
/* Which PCID an address space has on a CPU, and what has to be flushed when. Pure. See pcid.c. */
#ifndef X86_PCID_H
#define X86_PCID_H

#include "arch/arch.h"
#include "lib/types.h"

#define PCID_SLOTS 6u /* address spaces whose TLB entries a CPU keeps */
#define PCID_MASK  UINT64_C(0xfff)
#define PCID_USER  UINT64_C(0x800) /* the user's view of a space, under isolation */

/* What a CPU has of it; zeroed: PCID 0, with the kernel's own tables. */
struct pcid_cpu {
	struct pcid_slot {
		uint64_t context; /* whose entries have this PCID; 0: nobody's */
		uint64_t changes; /* as many as the TLB knows of */
		bool user_stale;  /* the user's view is to be flushed when it is loaded next */
	} slots[PCID_SLOTS];
	unsigned current; /* the PCID in CR3: slot + 1; 0: the kernel's own tables */
	unsigned victim;  /* the slot that goes next */
};

/* Values for CR3. `now` is to be loaded at once; after that `kernel` and `user` hold for every way
 * into the kernel and out of it. Loading a `user` without CR3_NOFLUSH flushes: whoever did that adds
 * the bit to it. */
struct pcid_load {
	uint64_t now, kernel, user;
};

void pcid_space_init(struct tlb_tag *space);

/* The CPU goes to a space with the top table `top` (and the user's, if `user_top` is not 0).
 * `user_before` is the `user` in use until now: whether it still waits for its flush. */
struct pcid_load pcid_switch(struct pcid_cpu *cpu, const struct tlb_tag *space, phys_t top,
	phys_t user_top, uint64_t user_before);
/* Does the CPU use this space? */
bool pcid_uses(const struct pcid_cpu *cpu, const struct tlb_tag *space);
/* Page-table entries that were present changed: the number of this change, by which every CPU that
 * uses the space catches up. */
uint64_t pcid_change(struct tlb_tag *space) MUST_CHECK;

enum pcid_missed {
	PCID_MISSED_NOTHING, /* flushed since, or it will be before it is used */
	PCID_MISSED_THIS,    /* the caller must flush the pages of this change now, in both views */
	PCID_MISSED_MORE,    /* everything of the space, in both views */
};

enum pcid_missed pcid_catch_up(
	struct pcid_cpu *cpu, const struct tlb_tag *space, uint64_t change) MUST_CHECK;
/* Kernel mappings changed: the caller flushes them in what the CPU uses, both views. */
void pcid_kernel_changed(struct pcid_cpu *cpu);

#endif
