/* SPDX-License-Identifier: MIT */
/* The exec channel: the kernel's end of include/baton/channel.h. See channel.c. */
#ifndef DEVICES_CHANNEL_H
#define DEVICES_CHANNEL_H

#include "lib/types.h"

#include <baton/channel.h>

/* Makes /dev/channel/{0,1,2,tty,control} when serial port 1 is there. After files_init and the
 * interrupt controllers. 0 (also without the port) or a negative errno. */
int channel_init(void) MUST_CHECK;

bool channel_exists(void);
/* From now on serial port 1 is the channel's; the host is told that it may speak. -EBUSY: /dev/ttyS1 is
 * open. From a thread. */
int channel_use(void) MUST_CHECK;
/* The same, and the host's window is also that of the terminal at serial port 0. -ENODEV. */
int channel_follow_window(void) MUST_CHECK;

/* Sends one frame whole, waiting whatever signals come; from a thread. count: up to
 * CHANNEL_SEND_MAX. */
#define CHANNEL_SEND_MAX 16000u
void channel_send(enum channel_stream stream, const void *bytes, size_t count);

/* When process 1 has ended: sends its wait status as an EXIT frame if the channel is in use and none
 * was sent, and waits, but not for ever, until all bytes have left the machine. From a thread. */
void channel_finish(int wait_status);

#endif
