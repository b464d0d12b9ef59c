/* SPDX-License-Identifier: MIT */
/* A thread's hardware breakpoints as its tracer sets them. Pure: see debug_state.c. */
#ifndef X86_DEBUG_STATE_H
#define X86_DEBUG_STATE_H

#include "lib/types.h"

#define DEBUG_SLOTS 4

/* R/W and LEN of DR7, as the CPU encodes them (Intel SDM 3B, 18.2.4). */
enum debug_type { DEBUG_EXECUTE, DEBUG_WRITE, DEBUG_IO, DEBUG_ACCESS };

struct debug_slot {
	bool used;    /* was ever set: what is asked of it must make sense even while it is off */
	bool enabled; /* only when used */
	uint8_t type; /* enum debug_type, but DEBUG_IO */
	uint8_t length_code;
	uintptr_t address;
};

struct debug_state {
	struct debug_slot slots[DEBUG_SLOTS];
	uint64_t control; /* DR7 as the tracer wrote it last */
	/* debug_registers.c */
	uint64_t generation; /* of what the CPU is to have; never used twice */
	bool apart;          /* for one step: breakpoints only, and the values below are compared */
	uint64_t values[DEBUG_SLOTS];
};

/* DR0 to DR3, DR7. -EINVAL, and nothing has changed but what Linux changes then too: a failed write of
 * DR7 leaves slots that are off as one-byte ones. */
int debug_set_address(struct debug_state *state, unsigned slot, uint64_t address) MUST_CHECK;
int debug_set_control(struct debug_state *state, uint64_t control) MUST_CHECK;
/* DR7 as the CPU is to have it; 0: none is on. */
uint64_t debug_hardware_control(const struct debug_state *state);
/* The same without what watches data. */
uint64_t debug_execute_control(const struct debug_state *state);
/* Bytes that a slot covers. */
unsigned debug_slot_length(const struct debug_slot *slot);

#endif
