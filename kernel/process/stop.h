/* SPDX-License-Identifier: MIT */
/* Everything stands still but one function. See stop.c. */
#ifndef PROCESS_STOP_H
#define PROCESS_STOP_H

#include "lib/types.h"

/* Calls the function while no other CPU does anything: no spin lock is held anywhere, and whoever was in the kernel
 * sleeps or has been preempted where that may be. Interrupts are off; it must neither sleep nor take long. May sleep before.
 * 0, or -ENOMEM: it was not called. */
int machine_pause(void (*function)(void *argument), void *argument) MUST_CHECK;

#endif
