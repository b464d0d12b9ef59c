/* SPDX-License-Identifier: MIT */
/* Who may look into a process: man 2 ptrace, "Ptrace access mode checking". */
#ifndef PROCESS_INSPECT_H
#define PROCESS_INSPECT_H

#include "lib/lock.h"
#include "lib/types.h"

struct process;
struct thread;

extern struct spinlock process_lock;

/* Whose ids count: those for files (open(2) of something in /proc), or the real ones (ptrace(2)). */
enum inspect_as { INSPECT_FILE_IDS, INSPECT_REAL_IDS };

/* Whether the running thread may look into the process, or into one of its threads (NULL: its leader). 0
 * or -EPERM. */
int process_may_inspect(const struct process *process, const struct thread *thread,
	enum inspect_as as) requires(process_lock) MUST_CHECK;

#endif
