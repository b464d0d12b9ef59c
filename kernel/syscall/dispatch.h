/* SPDX-License-Identifier: MIT */
#ifndef SYSCALL_DISPATCH_H
#define SYSCALL_DISPATCH_H

#include "lib/types.h"

#define SYSCALLS_MAX 512u

struct trap_frame;

/* From the registers to a handler. */
typedef long (*syscall_adapter)(const struct trap_frame *frame);

/* The calls that there are; NULL: nobody handles that number. A thread has such a table
 * (thread->calls): this one, or the tracer's. */
extern const syscall_adapter syscalls_plain[SYSCALLS_MAX];

/* The table while ptrace stops at calls, or steps: process/ptrace.c. */
extern const syscall_adapter ptrace_calls[SYSCALLS_MAX];

const char *syscall_name(long number); /* as Linux has it; NULL: there is none */

/* Counts it; -ENOSYS. */
long syscall_unhandled(uint64_t number);

/* Logs which calls were asked for that nobody handles. */
void syscall_report(void);

#endif
