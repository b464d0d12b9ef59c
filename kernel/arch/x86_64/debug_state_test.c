/* SPDX-License-Identifier: MIT */
/* The rules for debug registers. The answers are Linux's: user/tests/ptrace_debug.c asks it. */
#include "arch/fake/test.h"
#include "arch_cpu.h"
#include "debug_state.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "registers.h"

enum length_code { ONE, TWO, EIGHT, FOUR };

static struct debug_state state;

static uint64_t fields(unsigned slot, uint64_t type, uint64_t code)
{
	return type << (16 + 4 * slot) | code << (18 + 4 * slot);
}

static uint64_t on(unsigned slot, uint64_t type, uint64_t code)
{
	return 1ul << 2 * slot | fields(slot, type, code);
}

static void start(void)
{
	state = (struct debug_state){0};
}

static void test_addresses(void)
{
	start();
	CHECK_EQUAL(debug_set_address(&state, 0, USER_END), -EINVAL);
	CHECK_EQUAL(debug_set_address(&state, 0, UINT64_MAX), -EINVAL);
	CHECK(!state.slots[0].used);
	CHECK_EQUAL(debug_set_address(&state, 0, USER_END - 1), 0);
	CHECK_EQUAL(debug_set_control(&state, on(0, DEBUG_WRITE, TWO)), -EINVAL);
	CHECK_EQUAL(debug_set_address(&state, 0, USER_END - 8), 0);
	CHECK_EQUAL(debug_set_control(&state, on(0, DEBUG_ACCESS, EIGHT)), 0);
	CHECK_EQUAL(debug_set_address(&state, 0, USER_END - 4), -EINVAL);
	CHECK_EQUAL(debug_set_address(&state, 0, USER_END), -EINVAL);
	CHECK_EQUAL(state.slots[0].address, USER_END - 8);
}

static void test_alignment(void)
{
	static const unsigned lengths[] = {1, 2, 8, 4};

	for (unsigned code = ONE; code <= FOUR; code++) {
		for (unsigned offset = 0; offset < 8; offset++) {
			int expected = offset % lengths[code] ? -EINVAL : 0;

			start();
			CHECK_EQUAL(debug_set_address(&state, 2, 0x20000 + offset), 0);
			CHECK_EQUAL(debug_set_control(&state, on(2, DEBUG_WRITE, code)), expected);
		}
	}
}

static void test_types(void)
{
	start();
	CHECK_EQUAL(debug_set_control(&state, fields(1, DEBUG_IO, ONE)), 0); /* nobody looks */
	CHECK_EQUAL(debug_set_control(&state, on(1, DEBUG_IO, ONE)), -EINVAL);
	CHECK_EQUAL(debug_set_control(&state, on(1, DEBUG_EXECUTE, TWO)), -EINVAL);
	CHECK_EQUAL(debug_set_control(&state, on(1, DEBUG_EXECUTE, ONE)), 0); /* at address 0 */
	CHECK_EQUAL(
		debug_set_control(&state, fields(1, DEBUG_IO, ONE)), -EINVAL); /* off, but used */
	CHECK_EQUAL(debug_hardware_control(&state), DR7_FIXED | 8);
	CHECK_EQUAL(debug_set_control(&state, 0), 0);
	CHECK_EQUAL(debug_hardware_control(&state), 0);
}

static void test_control(void)
{
	uint64_t all = 0x12345678000d2fff;

	start();
	CHECK_EQUAL(debug_set_address(&state, 0, 0x30004), 0);
	CHECK_EQUAL(debug_set_control(&state, all), 0);
	CHECK_EQUAL(state.control, all);
	/* No general detect, nothing above bit 31, each enabled in one way. */
	CHECK_EQUAL(debug_hardware_control(&state), 0xd04aa);
	/* The last slot is wrong: all is as it was. */
	CHECK_EQUAL(debug_set_control(&state, on(0, DEBUG_ACCESS, ONE) | on(3, DEBUG_IO, ONE)),
		-EINVAL);
	CHECK_EQUAL(state.control, all);
	CHECK_EQUAL(debug_hardware_control(&state), 0xd04aa);
}

/* Whatever is written, the CPU gets aligned user addresses and no I/O. */
static void test_anything(void)
{
	start();
	for (int i = 0; i < 200000; i++) {
		unsigned slot = (unsigned)test_random(DEBUG_SLOTS);
		uint64_t word = test_random(1ul << 32), before = debug_hardware_control(&state);
		uint64_t where = test_random(2) ? USER_END - 16 + test_random(32) : test_random(64);

		if (test_random(2) && debug_set_address(&state, slot, where) == 0)
			CHECK_EQUAL(state.slots[slot].address, where);
		if (debug_set_control(&state, word))
			CHECK_EQUAL(debug_hardware_control(&state), before);
		else
			CHECK_EQUAL(state.control, word);
		for (unsigned k = 0; k < DEBUG_SLOTS; k++) {
			const struct debug_slot *s = &state.slots[k];
			static const unsigned lengths[] = {1, 2, 8, 4};

			CHECK(s->address + lengths[s->length_code] <= USER_END);
			CHECK(s->address % lengths[s->length_code] == 0);
			CHECK(s->type != DEBUG_IO && (s->type || !s->length_code));
			CHECK(!s->enabled || s->used);
		}
	}
}

int main(void)
{
	RUN(test_addresses);
	RUN(test_alignment);
	RUN(test_types);
	RUN(test_control);
	RUN(test_anything);
	return test_result();
}
