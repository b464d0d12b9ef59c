/* SPDX-License-Identifier: MIT */
#ifndef FIRMWARE_HANDOFF_INTAKE_H
#define FIRMWARE_HANDOFF_INTAKE_H

#include "lib/types.h"

#include <baton/handoff.h>

#define HANDOFF_MESSAGE_MAX 200u

/* What the kernel knows without the hand-off, to compare it with: see arch_loaded_state. */
struct handoff_machine {
	const char *build_id;  /* the kernel's own */
	virt_t self;           /* where the hand-off is, by the register */
	virt_t image;          /* where the kernel runs */
	uint64_t slide;        /* how far that is from where it was linked */
	virt_t stack;          /* an address in the stack in use */
	phys_t tables;         /* the top-level page table in use */
	virt_t areas_end;      /* the three areas that the loader chooses end below */
	uint64_t dynamic_size; /* what the dynamic area needs */
	/* Where those tables map an address, if they themselves can be read at `direct_map` + their
	 * physical addresses; false: nowhere. Never faults. */
	bool (*maps)(virt_t direct_map, virt_t virt, phys_t *phys);
	/* Physical memory that `maps` has shown to be there. */
	const void *(*view)(virt_t direct_map, phys_t phys);
};

/* Checks all of the hand-off but the framebuffer (framebuffer_init does): NULL when it is good,
 * else `message`, which says what is wrong where, what was found and what expected. Looks at nothing
 * before it is known to be mapped. Pure. */
const char *handoff_check(const struct handoff *handoff, const struct handoff_machine *machine,
	char message[HANDOFF_MESSAGE_MAX]);

/* A memory type by name, for logs. */
const char *handoff_memory_name(uint32_t type);

/* Is memory of this type RAM, and in the direct map? */
bool handoff_is_ram(uint32_t type);

#endif
