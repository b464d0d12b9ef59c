/* SPDX-License-Identifier: MIT */
/*
 * What a tracer may write to the debug registers, with Linux's rules, which come from its hardware
 * breakpoints: each of the four has an address, a type and a length that must fit together from the
 * moment it is first set, whether it is enabled or not.
 *
 *  - An address lies in user space with all its bytes, and is aligned to the length.
 *  - R/W of DR7 is execute (with LEN 0 only), write, or read and write; I/O there is none.
 *  - Bits of DR7 above 31 and the reserved ones are taken and shown again, but do nothing: no general
 *    detect, no way to the kernel's addresses.
 *  - DR7 is taken whole or not at all.
 */
#include "debug_state.h"

#include "arch_cpu.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "registers.h"

#define ENABLE_BITS(control, slot) ((control) >> 2 * (slot)&3)
#define TYPE_SHIFT(slot)           (16 + 4 * (slot))

static unsigned length_of(unsigned code)
{
	static const uint8_t lengths[] = {1, 2, 8, 4};

	return lengths[code];
}

static bool fits(uintptr_t address, unsigned length_code)
{
	unsigned length = length_of(length_code);

	return !(address & (length - 1)) && address < USER_END && length <= USER_END - address;
}

int debug_set_address(struct debug_state *state, unsigned slot, uint64_t address)
{
	struct debug_slot *s = &state->slots[slot];

	if (!fits(address, s->used ? s->length_code : 0))
		return -EINVAL;
	if (!s->used)
		*s = (struct debug_slot){.used = true, .type = DEBUG_WRITE};
	s->address = address;
	return 0;
}

static int set_slot(struct debug_slot *s, unsigned enable, unsigned type, unsigned length_code)
{
	if (!s->used && !enable)
		return 0;
	if (type == DEBUG_IO || (type == DEBUG_EXECUTE && length_code) ||
		!fits(s->address, length_code))
		return -EINVAL;
	s->used = true;
	s->enabled = enable;
	s->type = (uint8_t)type;
	s->length_code = (uint8_t)length_code;
	return 0;
}

static int set_slots(struct debug_state *state, uint64_t control)
{
	int error = 0;

	for (unsigned i = 0; i < DEBUG_SLOTS && !error; i++)
		error = set_slot(&state->slots[i], ENABLE_BITS(control, i),
			control >> TYPE_SHIFT(i) & 3, control >> (TYPE_SHIFT(i) + 2) & 3);
	return error;
}

int debug_set_control(struct debug_state *state, uint64_t control)
{
	uint64_t before = debug_hardware_control(state);
	int error = set_slots(state, control);

	if (error) {
		/* What was on fits its address still; what was off does as a byte. */
		int undone = set_slots(state, before);

		assert(!undone);
		return error;
	}
	state->control = control;
	return 0;
}

static uint64_t slot_control(const struct debug_state *state, unsigned i)
{
	const struct debug_slot *s = &state->slots[i];

	if (!s->enabled)
		return 0;
	return 2ul << 2 * i | (uint64_t)s->type << TYPE_SHIFT(i) |
	       (uint64_t)s->length_code << (TYPE_SHIFT(i) + 2);
}

uint64_t debug_hardware_control(const struct debug_state *state)
{
	uint64_t control = 0;

	for (unsigned i = 0; i < DEBUG_SLOTS; i++)
		control |= slot_control(state, i);
	return control ? control | DR7_FIXED : 0;
}

uint64_t debug_execute_control(const struct debug_state *state)
{
	uint64_t control = DR7_FIXED;

	for (unsigned i = 0; i < DEBUG_SLOTS; i++) {
		if (state->slots[i].type == DEBUG_EXECUTE)
			control |= slot_control(state, i);
	}
	return control;
}

unsigned debug_slot_length(const struct debug_slot *slot)
{
	return length_of(slot->length_code);
}
