/* SPDX-License-Identifier: MIT */
/* Core files: see core.c. */
#ifndef PROCESS_CORE_H
#define PROCESS_CORE_H

#include "lib/types.h"

struct process;
struct signal_info;
struct thread;

/* fs.suid_dumpable, kernel.core_uses_pid; atomic. kernel.core_pattern is in procfs_sys.c. */
extern int core_of_set_ids, core_uses_pid;

/* process->dumpable of who runs with others' rights: 0: no core; 1: as any; 2: one that root alone may read, if
 * its name is absolute. */
static inline uint32_t suid_dumpable(void)
{
	return (uint32_t)__atomic_load_n(&core_of_set_ids, __ATOMIC_RELAXED);
}

/* The running thread dies by this signal: the other threads are made to stop where they end, and a
 * core is written, if limits and place allow. The process then has to end. */
void core_dump(const struct signal_info *info);
/* At the beginning of a thread's end: waits while another thread writes the process's core. */
void core_wait(struct thread *self);

/* ---- Inside the room: core_notes.c ---- */

struct core_notes {
	char *bytes;
	size_t size, capacity;
	bool failed; /* no memory */
};

/* A mapping as the core tells of it. */
struct core_mapping {
	uintptr_t start, end, dumped; /* dumped: bytes of it that are in the file */
	unsigned access;
	uint64_t offset; /* bytes into the program's file */
	bool anonymous;
	bool of_program; /* maps the program's own file */
};

/* All notes: those of the process and of each thread, the one that dies first. */
void core_notes_make(struct core_notes *notes, const struct signal_info *info,
	const struct core_mapping *mappings, size_t count);

#endif
