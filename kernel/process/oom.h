/* SPDX-License-Identifier: MIT */
#ifndef PROCESS_OOM_H
#define PROCESS_OOM_H

#include "lib/lock.h"
#include "lib/types.h"

struct process;

extern struct spinlock process_lock;

#define OOM_ADJUST_MOST 1000 /* process->oom_adjust, up and down */

/* vm.panic_on_oom, vm.oom_kill_allocating_task: not 0: so it is. Atomic. */
extern int oom_panics, oom_kills_asker;

/* What the choice goes by, in pages: the process has an address space. */
int64_t oom_badness(const struct process *process) requires(process_lock);

/* Starts the reaper. -ENOMEM. */
int oom_init(void) MUST_CHECK;

/* A page fault of the running process found no memory: kills the largest process, or waits for one
 * that was killed before. True: try again; false: the running process is the one to go. Sleeps. */
bool oom_relieve(void);

#endif
