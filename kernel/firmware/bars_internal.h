/* SPDX-License-Identifier: MIT */
/* What bars.c and bars_trap.c share. */
#ifndef FIRMWARE_BARS_INTERNAL_H
#define FIRMWARE_BARS_INTERNAL_H

#include "arch/arch.h"
#include "firmware/bars.h"
#include "firmware/bars_regions.h"
#include "lib/lock.h"
#include "process/timer.h"
#include "process/wait.h"

/* The block of pages that a service is lent: one that is not there, its stack, one that is not there, its arguments. */
#define BLOCK_ORDER    4u
#define BLOCK_SIZE     (PAGE_SIZE << BLOCK_ORDER)
#define STACK_AT       PAGE_SIZE
#define STACK_END      (STACK_AT + FIRMWARE_STACK * PAGE_SIZE)
#define ARGUMENTS_AT   (STACK_END + PAGE_SIZE)
#define ARGUMENTS_SIZE (BLOCK_SIZE - ARGUMENTS_AT)

/* Where a service returns to: nothing is ever mapped there. */
#define RETURN_ADDRESS (USER_END - 2 * PAGE_SIZE)
/* After SetVirtualAddressMap physical address 0 is here; above 4 GiB, since a 32-bit part of a firmware that cuts an address
 * off must not find anything. */
#define VIRTUAL_BASE 0x200000000000ul

#define SHADOWS_MAX  16u

struct bars {
	struct thread *thread;
	struct space *space;
	phys_t block;
	uint8_t *memory; /* the block, in the kernel's half */
	struct bars_regions regions;
	bool is_virtual, moving; /* moving: in SetVirtualAddressMap */
	bool trusted;            /* the call under way is made in ring 0 */
	/* The call under way; NULL: none. The firmware's thread ends it. */
	struct firmware_call *call;
	struct firmware_record *record;
	struct arch_firmware_entry entry;
	unsigned stack_pages;
	bool interrupts; /* the call's own flag */
	uint64_t started;
	ns_t cpu_started;
	phys_t shadows[SHADOWS_MAX]; /* pages of zeros lent in the place of others */
	unsigned shadow_count;
	struct wait_queue wanted, ended;
	struct timer limit;
};

extern struct bars bars;

static inline uintptr_t bars_virt(phys_t phys)
{
	return bars.is_virtual ? phys + VIRTUAL_BASE : phys;
}

/* Where nothing says which pages of a code region are data, and while the firmware moves its own pointers, writing there
 * is no offence. */
bool bars_may_write_code(const struct bars_region *region);

/* bars_plain.c: the policy that the command line wants; calls in ring 0. Whether this one is; -ENOMEM; the call under way. */
void bars_read_policy(void);
bool bars_is_trusted(const struct firmware_call *call);
int bars_map_plainly(void) MUST_CHECK;
void bars_call_plainly(void);

/* Ends the call under way, and gives the thread the next one, for which it may sleep. */
void bars_finish(enum evidence_outcome outcome);

#endif
