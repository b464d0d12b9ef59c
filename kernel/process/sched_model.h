/* SPDX-License-Identifier: MIT */
/*
 * CPUs whose interrupts are the test's, for sched_balance_test.c: brought in with -include before
 * what is tested. Where the idle loop turns interrupts off, the model takes the CPU away from it, if
 * it runs another thread by then.
 */
#ifndef SCHED_MODEL_H
#define SCHED_MODEL_H

#include "arch/fake/arch_cpu.h"

#define sched_yield kernel_sched_yield /* the C library has one too */

void model_irq_off(void);

static inline void arch_irq_off(void)
{
	model_irq_off();
}

static inline void arch_irq_on(void)
{
}

static inline bool arch_irq_enabled(void)
{
	return true;
}

#endif
