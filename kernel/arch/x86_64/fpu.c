/* SPDX-License-Identifier: MIT */
#include "fpu.h"

#include "arch_cpu.h"
#include "cpu.h"
#include "lib/log.h"
#include "lib/string.h"
#include "registers.h"

/* The legacy region's offsets, Intel SDM 1 table 10-2. */
#define FXSAVE_SIZE  512u
#define FXSAVE_FCW   0
#define FXSAVE_MXCSR 24
#define XSAVE_HEADER 64u

#define XCR0_X87     1u
#define XCR0_SSE     2u
#define XCR0_AVX     4u

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

void fpu_state_init(void *state)
{
	uint8_t *bytes = state;

	memset(state, 0, state_size);
	bytes[FXSAVE_FCW] = 0x7f;
	bytes[FXSAVE_FCW + 1] = 0x03;
	bytes[FXSAVE_MXCSR] = 0x80;
	bytes[FXSAVE_MXCSR + 1] = 0x1f;
	if (cpu_has[CPU_XSAVE])
		bytes[FXSAVE_SIZE] = XCR0_X87 | XCR0_SSE; /* XSTATE_BV: AVX in its initial state */
}
