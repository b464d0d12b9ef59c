/* SPDX-License-Identifier: MIT */
/* Timers as files: man 2 timerfd_create. See timerfd.c. */
#ifndef FILES_TIMERFD_H
#define FILES_TIMERFD_H

#include "files/vfs.h"
#include "process/clocks.h"

/* flags: O_NONBLOCK. 0 or -ENOMEM. */
int timerfd_make(int clock, unsigned flags, struct file **out) MUST_CHECK;
bool file_is_timerfd(const struct file *file);

struct timerfd_setting {
	ns_t value, interval; /* value 0: off */
};

enum timerfd_set_flags { TIMERFD_ABSOLUTE = 1, TIMERFD_CANCEL_ON_SET = 2 };

/* `old` gets what was left. -ECANCELED: it is set, but the clock was before it was read. */
int timerfd_set(struct file *file, unsigned flags, const struct timerfd_setting *setting,
	struct timerfd_setting *old) MUST_CHECK;
void timerfd_get(struct file *file, struct timerfd_setting *out);

#endif
