/* SPDX-License-Identifier: MIT */
/* The kernel's log for programs: /dev/kmsg and syslog(2). See kmsg.c. */
#ifndef DEVICES_KMSG_H
#define DEVICES_KMSG_H

#include "lib/types.h"

/* Adds /dev/kmsg. After devfs_init. */
void kmsg_init(void);

/* kernel.dmesg_restrict: 0: anybody may read the log. Atomic. */
extern int kmsg_restricted;

/* man 2 syslog: the result, or a negative errno. May sleep. */
long kmsg_syslog(int action, user_t buffer, int size);

#endif
