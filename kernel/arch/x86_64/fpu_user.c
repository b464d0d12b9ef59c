/* SPDX-License-Identifier: MIT */
/*
 * XSAVE and XRSTOR work on the user's memory directly: the registers never pass through a buffer of
 * the kernel. A page fault is resolved and the instruction repeated; one that cannot be, and the #GP
 * by which XRSTOR refuses a header or MXCSR, go to the exception table. Reserved bits of MXCSR are
 * looked for here too, since not every CPU does (QEMU's does not).
 */
#include "fpu_user.h"

#include <asm/sigcontext.h>
#include <asm/signal.h>
#include <asm/ucontext.h>

#include "arch_cpu.h"
#include "cpu.h"
#include "fpu.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/user.h"
#include "registers.h"

#define MXCSR_OFFSET   offsetof(struct _fpstate_64, mxcsr)
#define SW_OFFSET      offsetof(struct _fpstate_64, sw_reserved)
#define LEGACY_SIZE    sizeof(struct _fpstate_64)
#define HEADER_SIZE    sizeof(struct _header)
#define FEATURES_FPSSE UINT64_C(3)

extern uint8_t user_window; /* memory.S: SMAP is on */

static uint8_t initial[PAGE_SIZE] __attribute__((aligned(FPU_ALIGN)));
static uint32_t mxcsr_mask;

/* One instruction on a user's area: 0, or -EFAULT by the exception table. */
#define FPU_INSTRUCTION(instruction, area, features)                                              \
	({                                                                                        \
		long error_ = -EFAULT;                                                            \
		if (user_window)                                                                  \
			__asm__ volatile("stac" : : : "memory");                                  \
		__asm__ volatile(                                                                 \
			"1: " instruction " (%1)\n\t"                                             \
			"xorl %k0, %k0\n"                                                         \
			"2:\n\t"                                                                  \
			".pushsection __ex_table, \"a\", @progbits\n\t"                           \
			".balign 4\n\t"                                                           \
			".long 1b - .\n\t"                                                        \
			".long 2b - .\n\t"                                                        \
			".popsection"                                                             \
			: "+r"(error_)                                                            \
			: "r"(area), "a"((uint32_t)(features)), "d"((uint32_t)((features) >> 32)) \
			: "memory");                                                              \
		if (user_window)                                                                  \
			__asm__ volatile("clac" : : : "memory");                                  \
		(int)error_;                                                                      \
	})

unsigned fpu_user_flags(void)
{
	return cpu_has[CPU_XSAVE] ? UC_FP_XSTATE : 0;
}

void fpu_user_init(void)
{
	struct _fpstate_64 *state = (struct _fpstate_64 *)initial;

	assert(fpu_state_size() <= sizeof(initial));
	__asm__ volatile("fxsave64 (%0)" : : "r"(initial) : "memory");
	mxcsr_mask = state->mxcsr_mask ? state->mxcsr_mask : 0xffbf; /* SDM 1, 11.6.6 */
	fpu_state_init(initial);
}

size_t fpu_user_size(void)
{
	return fpu_state_size() + (cpu_has[CPU_XSAVE] ? FP_XSTATE_MAGIC2_SIZE : 0);
}

void fpu_load_initial(void)
{
	fpu_load(initial);
}

static int save_legacy(uintptr_t area)
{
	if (!user_range_ok(user_pointer(area), LEGACY_SIZE))
		return -EFAULT;
	if (FPU_INSTRUCTION("fxsave64", area, 0ul))
		return -EFAULT;
	return clear_user(user_pointer(area + SW_OFFSET), sizeof(struct _fpx_sw_bytes));
}

int fpu_save_user(uintptr_t area)
{
	uint32_t size = fpu_state_size(), magic2 = FP_XSTATE_MAGIC2;
	struct _fpx_sw_bytes words = {.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = size + FP_XSTATE_MAGIC2_SIZE,
		.xfeatures = fpu_features(),
		.xstate_size = size};
	uint64_t saved;

	if (!cpu_has[CPU_XSAVE])
		return save_legacy(area);
	if (!user_range_ok(user_pointer(area), size + FP_XSTATE_MAGIC2_SIZE))
		return -EFAULT;
	/* XSAVE writes XSTATE_BV only; the rest of its header must be 0 for XRSTOR. */
	if (clear_user(user_pointer(area + LEGACY_SIZE), HEADER_SIZE) ||
		FPU_INSTRUCTION("xsave64", area, fpu_features()) ||
		copy_to_user(user_pointer(area + SW_OFFSET), &words, sizeof(words)) ||
		copy_to_user(user_pointer(area + size), &magic2, sizeof(magic2)) ||
		copy_from_user(&saved, user_pointer(area + LEGACY_SIZE), sizeof(saved)))
		return -EFAULT;
	/* Programs that know nothing of XSAVE change the legacy part and expect it to count. */
	if ((saved & FEATURES_FPSSE) == FEATURES_FPSSE)
		return 0;
	saved |= FEATURES_FPSSE;
	return copy_to_user(user_pointer(area + LEGACY_SIZE), &saved, sizeof(saved));
}

/* Which components stand in the area; 0: it has the legacy part alone. */
static int features_in(uintptr_t area, uint64_t *out)
{
	struct _fpx_sw_bytes words;
	uint32_t magic2, mxcsr;

	*out = 0;
	if (copy_from_user(&mxcsr, user_pointer(area + MXCSR_OFFSET), sizeof(mxcsr)) ||
		copy_from_user(&words, user_pointer(area + SW_OFFSET), sizeof(words)))
		return -EFAULT;
	if (mxcsr & ~mxcsr_mask)
		return -EINVAL;
	if (!cpu_has[CPU_XSAVE] || words.magic1 != FP_XSTATE_MAGIC1 ||
		words.xstate_size < LEGACY_SIZE + HEADER_SIZE ||
		words.xstate_size > fpu_state_size() || words.xstate_size > words.extended_size)
		return 0;
	if (copy_from_user(&magic2, user_pointer(area + words.xstate_size), sizeof(magic2)))
		return -EFAULT;
	if (magic2 == FP_XSTATE_MAGIC2)
		*out = words.xfeatures & fpu_features();
	return 0;
}

/* The components `from_area` by the area, the others as after exec. */
static int load_parts(uintptr_t area, uint64_t from_area)
{
	uint64_t others = fpu_features() & ~from_area;

	if (from_area && FPU_INSTRUCTION("xrstor64", area, from_area))
		return -EFAULT;
	if (!from_area) {
		if (FPU_INSTRUCTION("fxrstor64", area, 0ul))
			return -EFAULT;
		others = fpu_features() & ~FEATURES_FPSSE;
	}
	if (others)
		__asm__ volatile(
			"xrstor64 (%0)"
			:
			: "r"(initial), "a"((uint32_t)others), "d"((uint32_t)(others >> 32))
			: "memory");
	return 0;
}

int fpu_load_user(uintptr_t area)
{
	uint64_t from_area;
	int error = 0;

	if (!area) {
		fpu_load_initial();
		return 0;
	}
	if (area % (cpu_has[CPU_XSAVE] ? FPU_ALIGN : 16) ||
		!user_range_ok(user_pointer(area), fpu_user_size()))
		error = -EFAULT;
	if (!error)
		error = features_in(area, &from_area);
	if (!error)
		error = load_parts(area, from_area);
	if (error)
		fpu_load_initial();
	return error ? -EFAULT : 0;
}
