/* SPDX-License-Identifier: MIT */
/* Where entry.S goes in C. */
#ifndef X86_TRAPS_H
#define X86_TRAPS_H

#include "registers.h"
#include "trap_frame.h"

/* How a system call's end may leave the kernel: by SYSRET, unless the frame's flags have one of these. SYSRET
 * that loads TF traps at once, one instruction too early; IF is always set. */
enum way_out { BY_SYSRET = RFLAGS_TF, BY_IRET = RFLAGS_IF };
enum way_out syscall_enter(struct trap_frame *frame); /* kernel/syscall/dispatch.c */
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
