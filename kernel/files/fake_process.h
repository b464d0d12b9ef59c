/* SPDX-License-Identifier: MIT */
/*
 * The one process of the files' unit tests: what files ask of processes (process/current.h, wait.h)
 * and of user memory (memory/user.h), on the host, single-threaded.
 *
 * User addresses are the host's. Addresses of the upper half are refused as the kernel would, and
 * one range may be said to fault. Who waits gets nothing done by others: fake_on_sleep may make it
 * happen; without it, or when it says that it cannot, the wait ends with -ERESTARTSYS as by a signal.
 */
#ifndef FILES_FAKE_PROCESS_H
#define FILES_FAKE_PROCESS_H

#include "lib/types.h"

/* Memory afresh: 64 MiB of RAM, of which the last `kept` bytes are not the allocator's. */
void fake_process_init(uint64_t kept);
phys_t fake_kept(void);        /* where those are */
void fake_process_start(void); /* after files_init: a process with root and descriptors */
void fake_process_end(void);

extern bool (*fake_on_sleep)(void);                /* something happened meanwhile: look again */
extern uintptr_t fake_fault_start, fake_fault_end; /* user memory that cannot be touched */
extern int fake_session, fake_group;               /* of the process, whose pid is 10 */
extern uint64_t fake_signals;                      /* got so far, as bits */
extern unsigned int fake_sleeps;

#define FAKE_PID 10

#endif
