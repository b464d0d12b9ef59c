/* SPDX-License-Identifier: MIT */
/*
 * Process-context identifiers (Intel SDM 3A 4.10.1): TLB entries that outlive a switch.
 *
 * The problem: a CPU has 4096 tags, spaces come and go, and INVLPG reaches only the current tag. The
 * design: each CPU keeps the entries of the last few spaces, in slots; slot n has the PCIDs n + 1
 * (the kernel's view) and, under page-table isolation, n + 1 with bit 11 (the user's). A slot knows
 * whose entries it holds by a number that no other space ever gets, and how many changes of that
 * space's tables they include. A space that changes while the CPU does not use it is only counted:
 * the next switch to it flushes its tag, as it does when a slot changes hands. The kernel's own
 * tables have PCID 0, which is flushed at each load.
 *
 * Invariant: entries under a slot's PCID translate as the tables of its space did when `changes` was
 * the slot's, the pages flushed since excepted; so when both numbers are equal none is stale. The
 * user's view is flushed when it is loaded next, if it was not in the meantime: `user` lacks
 * CR3_NOFLUSH until then, and user_stale remembers it over switches.
 *
 * A kernel mapping that changes is in the entries of every space: all slots but the current one are
 * emptied. No locks: a CPU's own data, interrupts off; a space's count changes atomically, and tlb.c has the
 * order between it and the mask of CPUs. It never ran on hardware here: pcid_test.c runs it against a
 * model of a tagged TLB.
 */
#include "pcid.h"

#include "lib/log.h"
#include "registers.h"

_Static_assert((PCID_SLOTS | PCID_USER) < PCID_MASK, "a PCID has 12 bits");

static struct pcid_slot *slot_of(struct pcid_cpu *cpu)
{
	return cpu->current ? &cpu->slots[cpu->current - 1] : NULL;
}

void pcid_space_init(struct tlb_tag *space)
{
	static uint64_t last;

	*space = (struct tlb_tag){.context = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED)};
}

/* The slot with the space's entries, or the oldest one. */
static struct pcid_slot *find_slot(struct pcid_cpu *cpu, const struct tlb_tag *space)
{
	struct pcid_slot *slot;

	for (unsigned i = 0; i < PCID_SLOTS; i++) {
		if (cpu->slots[i].context == space->context)
			return &cpu->slots[i];
	}
	slot = &cpu->slots[cpu->victim];
	cpu->victim = (cpu->victim + 1) % PCID_SLOTS;
	slot->context = 0;
	return slot;
}

struct pcid_load pcid_switch(struct pcid_cpu *cpu, const struct tlb_tag *space, phys_t top,
	phys_t user_top, uint64_t user_before)
{
	struct pcid_slot *slot = slot_of(cpu);
	uint64_t pcid, changes;
	bool kept;

	if (slot)
		slot->user_stale = !(user_before & CR3_NOFLUSH);
	if (!space) {
		cpu->current = 0;
		return (struct pcid_load){top, top, top};
	}
	assert(space->context && !((top | user_top) & PCID_MASK));
	changes = __atomic_load_n(&space->changes, __ATOMIC_SEQ_CST);
	slot = find_slot(cpu, space);
	kept = slot->context && slot->changes == changes;
	if (!kept)
		*slot = (struct pcid_slot){space->context, changes, true};
	cpu->current = (unsigned)(slot - cpu->slots) + 1;
	pcid = cpu->current;
	return (struct pcid_load){
		.now = top | pcid | (kept ? CR3_NOFLUSH : 0),
		.kernel = top | pcid | CR3_NOFLUSH,
		.user = user_top
				? user_top | pcid | PCID_USER | (slot->user_stale ? 0 : CR3_NOFLUSH)
				: top | pcid | CR3_NOFLUSH,
	};
}

bool pcid_uses(const struct pcid_cpu *cpu, const struct tlb_tag *space)
{
	return cpu->current && cpu->slots[cpu->current - 1].context == space->context;
}

uint64_t pcid_change(struct tlb_tag *space)
{
	return __atomic_add_fetch(&space->changes, 1, __ATOMIC_SEQ_CST);
}

enum pcid_missed pcid_catch_up(struct pcid_cpu *cpu, const struct tlb_tag *space, uint64_t change)
{
	struct pcid_slot *slot = slot_of(cpu);

	if (!pcid_uses(cpu, space) || slot->changes >= change)
		return PCID_MISSED_NOTHING;
	if (slot->changes == change - 1) {
		slot->changes = change;
		return PCID_MISSED_THIS;
	}
	/* Flushes of several CPUs at once came in another order: what is counted now is flushed now. */
	slot->changes = __atomic_load_n(&space->changes, __ATOMIC_SEQ_CST);
	return PCID_MISSED_MORE;
}

void pcid_kernel_changed(struct pcid_cpu *cpu)
{
	for (unsigned i = 0; i < PCID_SLOTS; i++) {
		if (i + 1 != cpu->current)
			cpu->slots[i].context = 0;
	}
}
