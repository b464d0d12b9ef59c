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
/* A signal is about to be handled by the running thread: the first `size` bytes of its siginfo_t, the rest
 * is 0. Nothing if untraced. Both may sleep. */
void trace_signal(const void *info, size_t size);

#endif
