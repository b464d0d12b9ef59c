/* SPDX-License-Identifier: MIT */
/* Descriptors of processes: man 2 pidfd_open. See pidfd.c. */
#ifndef PROCESS_PIDFD_H
#define PROCESS_PIDFD_H

#include "lib/types.h"

struct file;
struct pid;

/* An open file for a process's id. flags: O_NONBLOCK. -ENOMEM. */
int pidfd_create(struct pid *pid, unsigned flags, struct file **out) MUST_CHECK;
/* The id behind a descriptor of the running thread, with a reference; *flags (may be NULL): O_*.
 * NULL: it is none. */
struct pid *pidfd_lookup(int fd, unsigned *flags) MUST_CHECK;
/* The same where an open directory /proc/PID does as well, which is for signals: man 2
 * pidfd_send_signal. */
struct pid *pidfd_lookup_or_proc(int fd) MUST_CHECK;

#endif
