/* SPDX-License-Identifier: MIT */
/* Interrupts from CPU to CPU: kicks, calls, the stop. See ipi.c. */
#ifndef X86_IPI_H
#define X86_IPI_H

#include "lib/types.h"

struct trap_frame;

/* Bit n: CPU n runs on the kernel's tables and answers calls. Set by itself, changed atomically. */
extern uint64_t cpus_up;

/* A function that other CPUs are to run. It must neither sleep nor take a lock: it runs in an interrupt,
 * or where the CPU spins, whatever it holds there. Interrupts are off. */
struct cpu_call {
	void (*function)(void *argument);
	void *argument;
	bool flush;       /* of a TLB: it is counted as such */
	uint64_t waiting; /* CPUs that have not run it yet */
};

/* Asks the CPUs of a mask, of which the caller is none. Interrupts stay off until ipi_wait has
 * returned; the call stands in the caller's memory until then. */
void ipi_post(struct cpu_call *call, uint64_t mask);
void ipi_wait(struct cpu_call *call);
/* Both: runs a function on every CPU of the mask but this one. Interrupts are off. */
void ipi_call(uint64_t mask, void (*function)(void *), void *argument);

/* VECTOR_KICK, VECTOR_CALL, VECTOR_STOP; interrupts are off. */
void ipi_dispatch(unsigned vector);
/* In an NMI: stops this CPU if another one asked for that; where it was is kept. */
void ipi_look_for_stop(const struct trap_frame *frame);
/* For a panic: the others stop wherever they are, locks held. One that panics second stops itself. */
void ipi_stop_now(void);

#endif
