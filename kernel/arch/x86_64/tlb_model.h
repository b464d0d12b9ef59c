/* SPDX-License-Identifier: MIT */
/*
 * CPUs that are threads of the host, for tlb_test.c: brought in with -include before what is tested.
 * It replaces the instructions, and makes this_cpu() and arch_pause() those of the calling thread.
 */
#ifndef X86_TLB_MODEL_H
#define X86_TLB_MODEL_H

#define __ASSEMBLER__
#include "registers.h"
#undef __ASSEMBLER__

#include "arch/fake/arch_cpu.h"
#include "lib/types.h"

/* Interrupts come only where the model takes them. */
static inline void arch_irq_off(void)
{
}

/* Serialises, whatever else it says. */
static inline void cpuid(uint32_t leaf, uint32_t subleaf)
{
	(void)leaf;
	(void)subleaf;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

struct cpu *model_this_cpu(void);
void model_pause(void);
void arch_serve_calls(void);

#define this_cpu   model_this_cpu
#define arch_pause model_pause

void cr3_write(uint64_t value);
uint64_t cr4_read(void);
void cr4_write(uint64_t value);
void invlpg(virt_t address);
void invpcid_address(uint64_t pcid, virt_t address);

#endif
