/* SPDX-License-Identifier: MIT */
#include "fpu.h"

#include "arch_cpu.h"
#include "cpu.h"
#include "lib/log.h"
#include "lib/string.h"
#include "registers.h"

/* The legacy region's offsets, Intel SDM 1 table 10-2. */
#define FXSAVE_SIZE   512u
#define FXSAVE_FCW    0
#define FXSAVE_MXCSR  24
#define XSAVE_HEADER  64u

#define MXCSR_INITIAL 0x1f80u

/* What FXSAVE and XSAVE leave as it is: the end of the legacy region, and of the header all but
 * XSTATE_BV, which must be 0 (SDM 1, 13.4.2, 13.7). */
#define FXSAVE_UNUSED     416u
#define FXSAVE_UNUSED_END (FXSAVE_SIZE + XSAVE_HEADER)

#define XCR0_X87          1u
#define XCR0_SSE          2u
#define XCR0_AVX          4u

static uint32_t state_size = FXSAVE_SIZE;
uint32_t fpu_xcr0;

void fpu_cpu_init(void)
{
	if (!cpu_has[CPU_XSAVE])
		return;
	fpu_xcr0 = XCR0_X87 | XCR0_SSE | (cpu_has[CPU_AVX] ? XCR0_AVX : 0);
	__asm__ volatile("xsetbv" : : "c"(0), "a"(fpu_xcr0), "d"(0));
	state_size = cpuid(0xd, 0).ebx;
	assert(state_size >= FXSAVE_SIZE + XSAVE_HEADER && state_size <= PAGE_SIZE);
}

uint32_t fpu_state_size(void)
{
	return state_size;
}

uint64_t fpu_features(void)
{
	return fpu_xcr0;
}

void fpu_state_prepare(void *state)
{
	uint32_t end = state_size < FXSAVE_UNUSED_END ? state_size : FXSAVE_UNUSED_END;

	memset((uint8_t *)state + FXSAVE_UNUSED, 0, end - FXSAVE_UNUSED);
	*(uint32_t *)((uint8_t *)state + FXSAVE_MXCSR) = MXCSR_INITIAL;
}

void fpu_state_init(void *state)
{
	uint8_t *bytes = state;

	memset(state, 0, state_size);
	bytes[FXSAVE_FCW] = 0x7f;
	bytes[FXSAVE_FCW + 1] = 0x03;
	*(uint32_t *)(bytes + FXSAVE_MXCSR) = MXCSR_INITIAL;
	if (cpu_has[CPU_XSAVE])
		bytes[FXSAVE_SIZE] = XCR0_X87 | XCR0_SSE; /* XSTATE_BV: AVX in its initial state */
}
