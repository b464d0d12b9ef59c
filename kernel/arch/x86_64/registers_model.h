/* SPDX-License-Identifier: MIT */
/*
 * A model of the clocks and of the local APIC for unit tests on the host. It is brought in with
 * -include before registers.h, of which it keeps the names and replaces the instructions.
 *
 * Model time passes with each access. In xAPIC mode and for the HPET registers are memory, which the
 * model looks at (and brings up to date) when time passes. The APIC's timer behaves as Intel SDM 3A
 * 11.5.4 says: IA32_TSC_DEADLINE counts only in TSC-deadline mode, the initial count only out of it,
 * and a change of mode disarms.
 */
#ifndef X86_REGISTERS_MODEL_H
#define X86_REGISTERS_MODEL_H

#define __ASSEMBLER__
#include "registers.h"
#undef __ASSEMBLER__

#include "lib/types.h"

uint64_t msr_read(uint32_t msr);
void msr_write(uint32_t msr, uint64_t value);
uint64_t tsc_read(void);

#define MODEL_STEP_PS 20000 /* what an access takes */

struct model {
	unsigned __int128 now; /* picoseconds */
	uint64_t tsc_hz, tsc_offset, lapic_hz;
	uint64_t hpet_start;  /* the counter at time 0 */
	uint32_t hpet_period; /* femtoseconds; 0: no HPET, arch_map_device fails */
	bool hpet_wide;       /* counts 64 bits */
	bool hpet_stands;     /* whatever is written to it */
	uint64_t pm_start;    /* the counter at time 0 */
	unsigned pm_bits;     /* 24 or 32 */
	bool stopped;         /* no reference counts */
	unsigned pause_every; /* a hypervisor takes the CPU away at every nth access; 0: never */
	uint64_t pause_ps;
	unsigned accesses;
	bool x2apic, has_deadline;
	uint64_t apic_base;
	uint32_t apic_id;
	unsigned eois, fired; /* how often; fired: with the timer's vector, unmasked */
	uint64_t icr;         /* the last interrupt sent, in x2APIC mode */
	uint64_t deadline;    /* IA32_TSC_DEADLINE; 0: disarmed */
};

extern struct model model;
extern volatile uint32_t model_lapic[1024]; /* xAPIC registers */
extern volatile uint64_t model_hpet[128];

void model_start(void); /* as at power-on: 1 GHz of everything, all there */
void model_pass(unsigned __int128 picoseconds);
uint32_t model_lapic_register(unsigned reg); /* what the APIC has, in either mode */

#endif
