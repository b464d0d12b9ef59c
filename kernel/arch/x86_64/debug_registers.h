/* SPDX-License-Identifier: MIT */
/* The CPU's debug registers, which only tracers set: debug_registers.c. */
#ifndef X86_DEBUG_REGISTERS_H
#define X86_DEBUG_REGISTERS_H

#include "lib/types.h"

struct thread;
struct trap_frame;

void debug_cpu_init(void);
/* The thread has no breakpoints any more. */
void debug_clear(struct thread *thread);
/* A debug exception in user mode: si_code of its SIGTRAP; 0: it was not the running thread's. */
int debug_user_exception(struct trap_frame *frame);
/* One in kernel mode. Callable anywhere. */
void debug_kernel_exception(struct trap_frame *frame);

#endif
