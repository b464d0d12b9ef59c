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
#include "user_access.h"

#define LEGACY_SIZE    sizeof(struct _fpstate_64)
#define HEADER_SIZE    sizeof(struct _header)
#define FEATURES_FPSSE UINT64_C(3)

static uint32_t state_size; /* of fpu.c, at hand */
static uint64_t components;
static uint8_t initial[PAGE_SIZE] __attribute__((aligned(FPU_ALIGN)));
static uint32_t mxcsr_mask;
uint32_t fpu_frame_size, fpu_frame_flags;

void fpu_user_init(void)
{
	struct _fpstate_64 *state = (struct _fpstate_64 *)initial;

	assert(fpu_state_size() <= sizeof(initial));
	__asm__ volatile("fxsave64 (%0)" : : "r"(initial) : "memory");
	mxcsr_mask = state->mxcsr_mask ? state->mxcsr_mask : 0xffbf; /* SDM 1, 11.6.6 */
	fpu_state_init(initial);
	state_size = fpu_state_size();
	components = fpu_features();
	fpu_frame_size = state_size + (components ? (uint32_t)FP_XSTATE_MAGIC2_SIZE : 0);
	fpu_frame_flags = components ? UC_FP_XSTATE : 0;
}

uint32_t fpu_mxcsr_mask(void)
{
	return mxcsr_mask;
}

void fpu_load_initial(void)
{
	fpu_load(initial);
}

int fpu_save_user(uintptr_t area)
{
	struct _xstate *to = (struct _xstate *)area;
	uint64_t *words = (uint64_t *)&to->fpstate.sw_reserved,
		 *header = (uint64_t *)&to->xstate_hdr;
	uint64_t saved;
	int error = 0;

	if (!user_access_begin(area, fpu_user_size()))
		return -EFAULT;
	if (likely(components)) {
		/* XSAVE writes XSTATE_BV only; the rest of its header must be 0 for XRSTOR. */
#pragma GCC unroll 8
		for (unsigned i = 0; i < sizeof(struct _header) / sizeof(*header); i++)
			user_put(header + i, 0, fault);
		user_fpu("xsave64", area, components, fault);
		/* Programs that know nothing of XSAVE change the legacy part and expect it to count. */
		user_get(saved, header, error);
		user_put(header, saved | FEATURES_FPSSE, fault);
		user_put(words,
			(uint64_t)(state_size + FP_XSTATE_MAGIC2_SIZE) << 32 | FP_XSTATE_MAGIC1,
			fault);
		user_put(words + 1, components, fault);
		user_put(words + 2, state_size, fault);
		user_put32(area + state_size, FP_XSTATE_MAGIC2, fault);
	} else {
		user_fpu("fxsave64", area, 0ul, fault);
		for (unsigned i = 0; i < 3; i++)
			user_put(words + i, 0, fault);
	}
#pragma GCC unroll 8
	for (unsigned i = 3; i < sizeof(struct _fpx_sw_bytes) / sizeof(*words); i++)
		user_put(words + i, 0, fault);
	user_access_end();
	return error;
fault:
	user_access_end();
	return -EFAULT;
}

/* What struct _fpx_sw_bytes and the magic word at the end say, and MXCSR. */
struct marks {
	uint32_t magic1, extended_size, state_size, mxcsr, magic2;
	uint64_t features;
};

/* Which components stand in the area; 0: it has the legacy part alone. */
static uint64_t components_in(const struct marks *marks)
{
	if (!components || marks->magic1 != FP_XSTATE_MAGIC1 ||
		marks->state_size < LEGACY_SIZE + HEADER_SIZE || marks->state_size > state_size ||
		marks->state_size > marks->extended_size || marks->magic2 != FP_XSTATE_MAGIC2)
		return 0;
	return marks->features & components;
}

/* Components that the area does not have are as after exec. */
static void load_others(uint64_t loaded)
{
	uint64_t others = components & ~(loaded ? loaded : FEATURES_FPSSE);

	if (unlikely(others))
		__asm__ volatile(
			"xrstor64 (%0)"
			:
			: "r"(initial), "a"((uint32_t)others), "d"((uint32_t)(others >> 32))
			: "memory");
}

static int load_area(uintptr_t area)
{
	const struct _fpstate_64 *from = (const struct _fpstate_64 *)area;
	struct marks marks;
	uint64_t loaded;
	int error = 0;

	if (!user_access_begin(area, fpu_user_size()))
		return -EFAULT;
	user_get32(marks.mxcsr, &from->mxcsr, error);
	user_get32(marks.magic1, &from->sw_reserved.magic1, error);
	user_get32(marks.extended_size, &from->sw_reserved.extended_size, error);
	user_get(marks.features, &from->sw_reserved.xfeatures, error);
	user_get32(marks.state_size, &from->sw_reserved.xstate_size, error);
	marks.magic2 = 0;
	if (marks.state_size <= state_size)
		user_get32(marks.magic2, area + marks.state_size, error);
	if (error || (marks.mxcsr & ~mxcsr_mask))
		goto fault;
	loaded = components_in(&marks);
	if (likely(loaded))
		user_fpu("xrstor64", area, loaded, fault);
	else
		user_fpu("fxrstor64", area, 0ul, fault);
	user_access_end();
	load_others(loaded);
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

int fpu_load_user(uintptr_t area)
{
	if (!area) {
		fpu_load_initial();
		return 0;
	}
	if (likely(!(area % (components ? FPU_ALIGN : 16)) && !load_area(area)))
		return 0;
	fpu_load_initial();
	return -EFAULT;
}
