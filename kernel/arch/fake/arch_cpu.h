/* SPDX-License-Identifier: MIT */
/* The CPU as the host's unit tests see it: one CPU, no interrupts. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "lib/types.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  ((size_t)1 << PAGE_SHIFT)

static inline uint32_t arch_irq_save(void)
{
	return 0;
}

static inline void arch_irq_restore(uint32_t state)
{
	(void)state;
}

static inline void arch_pause(void)
{
}

#endif
