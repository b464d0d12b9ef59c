/* SPDX-License-Identifier: MIT */
/* Which CPU has which address space, and how its TLB learns of changes. See tlb.c. */
#ifndef X86_TLB_H
#define X86_TLB_H

#include "arch/arch.h"
#include "entry_area.h"
#include "registers.h"

#define FLUSH_BATCH 32u

/* What of a space is to be flushed together. */
struct flush {
	struct arch_space *space;
	unsigned count;
	bool all;                         /* more than the addresses: everything of the user half */
	bool tables;                      /* tables above the addresses go too */
	uintptr_t addresses[FLUSH_BATCH]; /* whose entries were present */
};

/* When these return, no CPU reaches anything by the entries that were there before: frames and
 * tables may be freed. In any context; other CPUs are waited for. */
void flush_page(struct arch_space *space, uintptr_t address);
void flush_batch(const struct flush *flush);
/* Everything of the user half. */
void flush_space(struct arch_space *space);
/* An entry allows more now, of the same frame. Other CPUs that still have the old one fault, find
 * that there is nothing to do, and try again. */
void flush_upgrade(struct arch_space *space, uintptr_t address);
/* The addresses are of kernel mappings that were taken away: on every CPU. */
void flush_kernel(const struct flush *flush);
/* No CPU has the space loaded afterwards. Of those that do now, none runs a thread of it. */
void tlb_space_leave(struct arch_space *space);

/* This CPU keeps entries over switches from now on (PCIDs); all do, or none. */
void tlb_use_pcid(void);
bool tlb_uses_pcid(void);
/* Gives this CPU the space (NULL: the kernel's own tables). Interrupts are off. */
void tlb_load(struct cpu_entry *entry, struct arch_space *space);

extern bool tlb_tagged; /* TLB entries have PCIDs: pcid.c */

/* For arch_switch: the next thread's space, or NULL, for which the last one stays. Interrupts off. */
static inline void tlb_switch(struct cpu_entry *entry, struct arch_space *space)
{
	struct arch_space *old = entry->space;

	entry->lazy = !space;
	if (!space || old == space)
		return;
	if (unlikely(tlb_tagged || entry->isolation)) {
		tlb_load(entry, space);
		return;
	}
	__atomic_fetch_or(&space->cpus, entry->bit, __ATOMIC_SEQ_CST);
	entry->space = space;
	entry->kernel_cr3 = entry->user_cr3 = space->top;
	cr3_write(space->top);
	if (old)
		__atomic_fetch_and(&old->cpus, ~entry->bit, __ATOMIC_RELEASE);
}

#endif
