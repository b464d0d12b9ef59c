/* SPDX-License-Identifier: MIT */
/*
 * The entry area: what a CPU needs to get into the kernel, at one address in every address space.
 *
 * At ENTRY_AREA: the IDT (one page, read-only), then, from ENTRY_TEXT on, a second mapping of the
 * .entry section (read-execute, used under page-table isolation). From ENTRY_CPUS on, one block of
 * 16 pages for each CPU, aligned to its size, so that a stack pointer into it finds its start:
 *
 *	page 0      struct cpu_entry with the TSS (RW)        8-9    double-fault stack
 *	page 1      GDT (read-only once loaded)               11-12  machine-check stack
 *	page 3      entry stack (isolation only)              14-15  debug-exception stack
 *	pages 5-6   NMI stack                                 2, 4, 7, 10, 13: guards, not mapped
 *
 * In kernel mode GS points to the CPU's struct cpu_entry; in user mode to what the process set.
 */
#ifndef X86_ENTRY_AREA_H
#define X86_ENTRY_AREA_H

#define ENTRY_AREA     0xfffffe0000000000
#define ENTRY_TEXT     (ENTRY_AREA + 0x1000)
#define ENTRY_CPUS     (ENTRY_AREA + 0x100000)
#define ENTRY_CPU_SIZE 0x10000

/* Offsets into struct cpu_entry. */
#define CPU_SELF         0x00
#define CPU_CURRENT      0x08
#define CPU_KERNEL_STACK 0x10
#define CPU_USER_RSP     0x18
#define CPU_SCRATCH      0x20
#define CPU_KERNEL_CR3   0x28
#define CPU_USER_CR3     0x30
#define CPU_IRQ_STACK    0x38
#define CPU_TRAP_USER    0x40
#define CPU_TRAP_KERNEL  0x48
#define CPU_SYSCALL      0x50
#define CPU_PARANOID     0x58
#define CPU_EXIT_SYSRET  0x60
#define CPU_EXIT_IRET    0x68
#define CPU_HAS_SMAP     0x70
#define CPU_ISOLATION    0x71
#define CPU_OWNER        0x74
#define CPU_CPU          0x78
#define CPU_CALLS        0x80

#ifndef __ASSEMBLER__

#include "lib/types.h"
#include "pcid.h"

struct arch_space;
struct cpu;
struct cpu_call;
struct thread;

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, io_map;
} __attribute__((packed));

struct cpu_entry {
	struct cpu_entry *self;
	struct thread *current;
	virt_t kernel_stack;                              /* top of the running thread's */
	uint64_t user_rsp;                                /* scratch of the SYSCALL path */
	uint64_t scratch;                                 /* scratch of the isolated paths */
	uint64_t kernel_cr3, user_cr3;                    /* of the address space in use */
	virt_t irq_stack;                                 /* top of this CPU's interrupt stack */
	virt_t trap_user, trap_kernel, syscall, paranoid; /* where the isolated stubs go on */
	virt_t exit_sysret, exit_iret;                    /* the last steps to user mode */
	uint8_t has_smap, isolation;
	bool lazy;      /* a kernel thread runs, with the last space still loaded */
	uint32_t owner; /* what this CPU writes into the locks that it takes */
	struct cpu *cpu;
	/* ipi.c: other CPUs write the first word */
	uint64_t calls
		__attribute__((aligned(64))); /* bit n: CPU n asks this one to run its call */
	struct cpu_call *call;                /* that this CPU asks others to run */
	const uint32_t *waits_for;            /* the word of a lock; NULL: it waits for none */
	virt_t stopped_at, stopped_frame; /* where a panic's NMI found it in the kernel, else 0 */
	/* tlb.c */
	struct arch_space *space __attribute__((aligned(64))); /* loaded; NULL: the kernel's own */
	uint64_t bit;                                          /* this CPU's in masks of CPUs */
	struct pcid_cpu pcid;
	/* debug_registers.c */
	uint64_t debug_loaded; /* whose debug registers it has; 0: none */
	virt_t debug_stub;     /* where its debug exceptions begin */
	struct tss tss;
};

_Static_assert(offsetof(struct cpu_entry, current) == CPU_CURRENT, "entry.S");
_Static_assert(offsetof(struct cpu_entry, exit_iret) == CPU_EXIT_IRET, "entry.S");
_Static_assert(offsetof(struct cpu_entry, has_smap) == CPU_HAS_SMAP, "entry.S");
_Static_assert(offsetof(struct cpu_entry, owner) == CPU_OWNER, "arch_cpu.h");
_Static_assert(offsetof(struct cpu_entry, cpu) == CPU_CPU, "arch_cpu.h");
_Static_assert(offsetof(struct cpu_entry, calls) == CPU_CALLS, "arch_cpu.h");

enum entry_ist { IST_NONE, IST_NMI, IST_DF, IST_MC, IST_DB };

/* Builds a CPU's block, and at first what all share. Needs pages. -ENOMEM. */
int entry_area_create(struct cpu *cpu, bool isolation) MUST_CHECK;
/* On the CPU itself: loads GDT, IDT, TSS, GS and the SYSCALL registers. */
void entry_area_load(struct cpu *cpu);
/* The same early on, with static tables and no stacks of its own: faults get reported. */
void entry_early_init(struct cpu *cpu);
/* From now on the isolated ways to user mode are those that know of PCIDs. */
void entry_use_pcid(struct cpu_entry *entry);

#endif
#endif
