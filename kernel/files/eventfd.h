/* SPDX-License-Identifier: MIT */
/* Counters as files: man 2 eventfd. See eventfd.c. */
#ifndef FILES_EVENTFD_H
#define FILES_EVENTFD_H

#include "files/vfs.h"

/* flags: O_NONBLOCK. `semaphore`: a read takes one, not all. 0 or -ENOMEM. */
enum eventfd_kind { EVENTFD_COUNTER, EVENTFD_SEMAPHORE };
int eventfd_make(
	uint64_t count, enum eventfd_kind kind, unsigned flags, struct file **out) MUST_CHECK;

#endif
