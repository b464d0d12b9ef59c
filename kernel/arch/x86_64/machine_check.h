/* SPDX-License-Identifier: MIT */
/* Errors that the machine itself notes. See machine_check.c. */
#ifndef X86_MACHINE_CHECK_H
#define X86_MACHINE_CHECK_H

struct trap_frame;

/* This CPU's banks: tells and clears what they hold from before, turns them on, and looks at them from now on. Once
 * timers work; interrupts off or on. */
void machine_check_begin(void);
/* An exception's: one that was not corrected. */
void machine_check_panic(const struct trap_frame *frame) __attribute__((noreturn));

#endif
