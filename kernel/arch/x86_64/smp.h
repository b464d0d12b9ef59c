/* SPDX-License-Identifier: MIT */
/* The start of the other CPUs; what trampoline.S, trampoline.c and smp.c share. See smp.c. */
#ifndef X86_SMP_H
#define X86_SMP_H

/* struct smp_start */
#define START_APIC_ID 0
#define START_STATE   4
#define START_STACK   8
#define START_SIZE    32

/* Its states. */
#define START_WAITED_FOR 1 /* by the boot CPU */
#define START_CLAIMED    2 /* the CPU is there, and on its way */
#define START_UP         3 /* it runs the kernel */
#define START_REFUSED    4 /* it is unlike the boot CPU, and halted */
#define START_GIVEN_UP   5 /* it came too late, or never */

#ifndef __ASSEMBLER__

#include "lib/types.h"
#include "process/cpu.h"

struct acpi_madt;
struct handoff;

struct smp_start {
	uint32_t apic_id;
	uint32_t state;
	virt_t stack; /* top */
	struct cpu *cpu;
	const char *differs; /* in what, when refused */
};

_Static_assert(offsetof(struct smp_start, stack) == START_STACK, "trampoline.S");
_Static_assert(sizeof(struct smp_start) == START_SIZE, "trampoline.S");

/* Pure: which CPUs of the MADT are to be started. */
struct smp_choice {
	uint32_t ids[CPUS_MAX - 1];
	unsigned count;
	unsigned unwanted;    /* beyond the number asked for */
	unsigned too_many;    /* beyond CPUS_MAX */
	unsigned disabled;    /* turned off by the firmware */
	unsigned unreachable; /* ids that this APIC mode cannot address */
	uint32_t first_unreachable;
};

/* most: CPUs in all, the boot CPU among them; 0: as many as there are. reaches: by APIC id. */
void smp_choose(const struct acpi_madt *madt, uint32_t boot_id, unsigned most,
	bool (*reaches)(uint32_t id), struct smp_choice *out);

/* trampoline.c. Takes two pages below 1 MiB that the firmware left free, if there are. */
void trampoline_reserve(const struct handoff *handoff);
/* Fills and maps them; the page number for the start-up interrupt. -ENODEV: no such pages were there;
 * -ENOMEM. */
int trampoline_prepare(uint64_t kernel_entry) MUST_CHECK;
void trampoline_remove(void);

/* tsc.c: are the time stamp counters of this CPU and another one the same? Says in the log if not. */
bool tsc_agrees(struct cpu *other);

#endif
#endif
