/* SPDX-License-Identifier: MIT */
/* Signals as files: man 2 signalfd. See signalfd.c. */
#ifndef FILES_SIGNALFD_H
#define FILES_SIGNALFD_H

#include "files/vfs.h"

/* Takes the signals of `mask` (bit n - 1: n). flags: O_NONBLOCK. 0 or -ENOMEM. */
int signalfd_make(uint64_t mask, unsigned flags, struct file **out) MUST_CHECK;
/* Of an open one. -EINVAL: another kind of file. */
int signalfd_change(struct file *file, uint64_t mask) MUST_CHECK;

#endif
