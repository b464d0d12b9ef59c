/* SPDX-License-Identifier: MIT */
/*
 * x87, SSE and AVX state. It is saved and loaded eagerly at each switch of threads that enter user
 * mode, whole, so no register of one process ever meets another; the kernel itself uses none of it.
 */
#ifndef X86_FPU_H
#define X86_FPU_H

#include "lib/types.h"

#define FPU_ALIGN 64

void fpu_cpu_init(void);       /* CR4 bits are set: XCR0, on this CPU */
uint32_t fpu_state_size(void); /* bytes of a state, XSAVE's standard form or FXSAVE's */
uint64_t fpu_features(void);   /* components of a state (XCR0); 0: no XSAVE */
/* A state that can be loaded, and that a save completes; the registers in it are anything. */
void fpu_state_prepare(void *state);
void fpu_state_init(void *state); /* as at exec: FCW 037f, MXCSR 1f80, the rest 0 */

extern uint32_t fpu_xcr0; /* components that XSAVE saves; 0: the CPU has FXSAVE alone */

static inline void fpu_save(void *state)
{
	if (likely(fpu_xcr0))
		__asm__ volatile("xsave64 (%0)" : : "r"(state), "a"(fpu_xcr0), "d"(0) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(state) : "memory");
}

static inline void fpu_load(const void *state)
{
	if (likely(fpu_xcr0))
		__asm__ volatile("xrstor64 (%0)" : : "r"(state), "a"(fpu_xcr0), "d"(0) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(state) : "memory");
}

#endif
