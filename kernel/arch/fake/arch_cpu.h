/* SPDX-License-Identifier: MIT */
/* The CPU as the host's unit tests see it: one CPU, no interrupts. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "lib/types.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  ((size_t)1 << PAGE_SHIFT)

/* As on x86-64. */
#define USER_MIN          UINT64_C(0x10000)
#define USER_END          UINT64_C(0x00007ffffffff000)
#define KERNEL_STACK_SIZE ((size_t)16384)

struct cpu;
struct thread;

/* The test that links what asks for them defines them. */
extern struct thread *fake_thread;
extern struct cpu *fake_cpu;

static inline struct thread *current_thread(void)
{
	return fake_thread;
}

static inline struct cpu *this_cpu(void)
{
	return fake_cpu;
}

ns_t arch_clock(void);

static inline ns_t arch_clock_now(void)
{
	return arch_clock();
}

static inline uint32_t arch_irq_save(void)
{
	return 0;
}

static inline void arch_irq_restore(uint32_t state)
{
	(void)state;
}

static inline uint32_t arch_lock_owner(void)
{
	return 1;
}

static inline void arch_pause(void)
{
}

/* A macro, for tests that have an arch_pause of their own. */
#define arch_spin_take(held)                                      \
	do {                                                      \
		while (__atomic_load_n((held), __ATOMIC_RELAXED)) \
			arch_pause();                             \
	} while (!spin_try(held))

#endif
