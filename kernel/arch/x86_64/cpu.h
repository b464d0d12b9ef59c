/* SPDX-License-Identifier: MIT */
/* The CPU's features, and what is done with them once per CPU. */
#ifndef X86_CPU_H
#define X86_CPU_H

#include "lib/types.h"

enum cpu_feature {
	CPU_NX,
	CPU_SMEP,
	CPU_SMAP,
	CPU_UMIP,
	CPU_FSGSBASE,
	CPU_XSAVE,
	CPU_AVX,
	CPU_ERMS,
	CPU_PCID,
	CPU_INVPCID,
	CPU_X2APIC,
	CPU_TSC_DEADLINE,
	CPU_RDRAND,
	CPU_RDTSCP,
	CPU_GIGABYTE_PAGES,
	CPU_INVARIANT_TSC,
	CPU_MCA,
	CPU_MCA_FIRST,     /* the control register of bank 0 is not the firmware's alone */
	CPU_MELTDOWN_SAFE, /* AMD, or RDCL_NO: needs no page-table isolation */
	CPU_FEATURES,
};

/* Known after cpu_detect, the same on every CPU. */
extern bool cpu_has[CPU_FEATURES];
extern uint64_t cpu_physical_mask; /* bits of a physical address, as in a page-table entry */

void cpu_detect(void);
/* On another CPU: what of the above it has otherwise than the boot CPU; NULL: all is the same. */
const char *cpu_differs(void) MUST_CHECK;
/* Sets CR0, CR4, EFER, PAT as the kernel wants them, on this CPU. Interrupts off. */
void cpu_control_init(void);
/* Logs what is on. */
void cpu_log_features(bool isolation);

#endif
