/* SPDX-License-Identifier: MIT */
#ifndef PROCESS_OOM_H
#define PROCESS_OOM_H

#include "lib/types.h"

/* Starts the reaper. -ENOMEM. */
int oom_init(void) MUST_CHECK;

/* A page fault of the running process found no memory: kills the largest process, or waits for one
 * that was killed before. True: try again; false: the running process is the one to go. Sleeps. */
bool oom_relieve(void);

#endif
