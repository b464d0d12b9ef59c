/* SPDX-License-Identifier: MIT */
/* What must be inline of the x86-64 machine: page size, interrupt state, the running CPU and thread. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "clock.h"
#include "lib/lock_checks.h"
#include "lib/types.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  ((size_t)1 << PAGE_SHIFT)

/* Offsets into struct cpu_entry (entry_area.h), which GS points to in kernel mode. */
#define CPU_ENTRY_CURRENT 0x08
#define CPU_ENTRY_OWNER   0x74
#define CPU_ENTRY_CPU     0x78
#define CPU_ENTRY_CALLS   0x80

/* What a process may have: page 0 and the first 64 KiB stay empty; the last page below the hole
 * too, so that no instruction ends at a non-canonical address. */
#define USER_MIN          UINT64_C(0x10000)
#define USER_END          UINT64_C(0x00007ffffffff000)

#define KERNEL_STACK_SIZE ((size_t)16384)

struct cpu;
struct thread;

extern virt_t arch_direct_map; /* of physical address 0 */

static inline void *arch_phys_to_ptr(phys_t phys)
{
	return (void *)(arch_direct_map + phys);
}

static inline phys_t arch_ptr_to_phys(const void *p)
{
	return (virt_t)p - arch_direct_map;
}

/* Turns interrupts off; nonzero: they were on. */
static inline uint32_t arch_irq_save(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	if (flags & 0x200)
		lock_check_irqs_off();
	return (uint32_t)flags & 0x200;
}

static inline void arch_irq_restore(uint32_t state)
{
	if (state) {
		lock_check_irqs_on();
		__asm__ volatile("sti" : : : "memory");
	}
}

static inline void arch_irq_on(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void arch_irq_off(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline bool arch_irq_enabled(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags));
	return flags & 0x200;
}

/* What other CPUs ask of this one (ipi.c). */
void arch_serve_calls(void);

/* In every loop that waits for another CPU: that one may be waiting for an answer of ours. */
static inline void arch_pause(void)
{
	uint64_t calls;

	__asm__ volatile("pause; movq %%gs:%c1, %0" : "=r"(calls) : "i"(CPU_ENTRY_CALLS));
	if (unlikely(calls))
		arch_serve_calls();
}

/*
 * Waits for a spin lock, and takes it. It changes no register but flags (memory.S), so that who takes
 * a lock need not keep its own in memory for the sake of a wait that hardly ever happens.
 */
static inline void arch_spin_take(uint32_t *held)
{
	__asm__ volatile("call spin_take_keeping" : : "D"(held) : "memory", "cc");
}

/* What stands in a lock that this CPU holds: not 0, and its own. */
static inline uint32_t arch_lock_owner(void)
{
	uint32_t owner;

	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(owner) : "i"(CPU_ENTRY_OWNER));
	return owner;
}

/* The running thread. */
static inline struct thread *current_thread(void)
{
	struct thread *thread;

	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(thread) : "i"(CPU_ENTRY_CURRENT));
	return thread;
}

/* The running CPU. */
static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(cpu) : "i"(CPU_ENTRY_CPU));
	return cpu;
}

ns_t arch_clock(void);

/* arch_clock() without a call, where every tick counts. */
static inline ns_t arch_clock_now(void)
{
	uint32_t low, high;
	uint64_t tsc;

	if (unlikely(__atomic_load_n(&clock_words.way, __ATOMIC_ACQUIRE)))
		return arch_clock();
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	tsc = ((uint64_t)high << 32 | low) - clock_words.start;
	return (ns_t)((unsigned __int128)tsc * clock_words.to_ns >> 32);
}

#endif
