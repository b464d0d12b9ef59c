/* SPDX-License-Identifier: MIT */
/* The tracer of system calls; see trace.c. */
#ifndef SYSCALL_TRACE_H
#define SYSCALL_TRACE_H

#include "lib/types.h"

struct thread;

/* Makes /dev/channel/trace where there is a channel. 0 or a negative errno. */
int trace_init(void) MUST_CHECK;

/* The running thread is traced. */
bool trace_on(void);
/* The running thread ends, with this wait status (as its process's would be). Nothing if untraced. */
void trace_exit(int status);
/* A signal is about to be delivered to the running thread: its siginfo_t, 128 bytes. Nothing if
 * untraced. Both may sleep. */
void trace_signal(const void *info);

#endif
