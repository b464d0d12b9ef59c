/* SPDX-License-Identifier: MIT */
/* How often each CPU was interrupted, and by what: /proc/interrupts. */
#ifndef X86_IRQ_COUNT_H
#define X86_IRQ_COUNT_H

#include "process/cpu.h"

/* What interrupts a CPU beside devices; in the order in which it is shown. */
enum irq_kind { IRQ_NMI, IRQ_TIMER, IRQ_SPURIOUS, IRQ_KICK, IRQ_CALL, IRQ_TLB, IRQ_KINDS };

_Static_assert(IRQ_KINDS <= CPU_INTERRUPTS, "struct cpu has too few counters");

/* By the CPU itself, which alone changes its counts; no two kinds share a word. */
static inline void irq_count(struct cpu *cpu, enum irq_kind kind)
{
	__atomic_store_n(&cpu->interrupts[kind], cpu->interrupts[kind] + 1, __ATOMIC_RELAXED);
}

#endif
