/* SPDX-License-Identifier: MIT */
/* Where entry.S goes in C. */
#ifndef X86_TRAPS_H
#define X86_TRAPS_H

#include "trap_frame.h"

bool syscall_enter(struct trap_frame *frame); /* kernel/syscall/dispatch.c; true: leave by IRET */
void trap_from_user(struct trap_frame *frame);
void trap_from_kernel(struct trap_frame *frame);
void trap_paranoid(struct trap_frame *frame); /* NMI, #DB, #MC, #DF in kernel mode */
void return_from_start(struct trap_frame *frame);

/* A device interrupt or IPI; interrupts are off. */
void interrupt_dispatch(unsigned vector, bool user); /* user: it interrupted user mode */

/* From now on interrupts are acknowledged and lost, but for the timer's, which calls `tick`. NULL: as ever. In a
 * panic, by the one CPU that is left. */
void trap_divert(void (*tick)(void));

/* The kernel is broken: reason, registers, backtrace; no return. */
void panic_at(const struct trap_frame *frame, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

#endif
