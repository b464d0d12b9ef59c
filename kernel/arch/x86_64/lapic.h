/* SPDX-License-Identifier: MIT */
/* The local APIC: end of interrupt, and this CPU's timer. */
#ifndef X86_LAPIC_H
#define X86_LAPIC_H

#include "lib/types.h"

enum lapic_mode {
	LAPIC_XAPIC,  /* registers in memory */
	LAPIC_X2APIC, /* registers are MSRs: only where the firmware left it so */
};

/* `registers`: the mapped page; ignored in x2APIC mode. */
void lapic_init(enum lapic_mode mode, volatile uint32_t *registers, bool tsc_deadline);
/* The same for another CPU, on itself. */
void lapic_cpu_init(void);

/* What lapic_send sends: a vector comes with the first. Intel SDM 3A 11.6.1. */
enum lapic_command {
	ICR_FIXED = 0,
	ICR_NMI = 4 << 8,
	ICR_INIT = 5 << 8,
	ICR_STARTUP = 6 << 8, /* with the page number where the CPU is to begin */
};

/* Sends an interrupt to the CPU with this APIC id. From any context. */
void lapic_send(uint32_t id, uint32_t command);
bool lapic_reaches(uint32_t id);          /* ids above 254 need x2APIC mode */
enum lapic_mode lapic_mode_found(void);   /* by IA32_APIC_BASE */
volatile uint32_t *lapic_registers(void); /* NULL: x2APIC mode */
phys_t lapic_base(void);                  /* by IA32_APIC_BASE */
uint32_t lapic_id(void);
void lapic_eoi(void);
bool lapic_in_service(unsigned vector); /* taken, and its end not yet told */
/* Counts down from the highest value, for calibration; lapic_timer_count reads it. */
void lapic_timer_free_run(void);
uint32_t lapic_timer_count(void);
/* After that, and at first: the timer's interrupt in the mode asked of lapic_init, not armed. */
void lapic_timer_ready(void);
/* The next interrupt in `ticks` of the timer's clock; 0: none. In TSC-deadline mode at TSC `ticks`. */
void lapic_timer_set(uint64_t ticks);
bool lapic_uses_deadline(void);

#endif
