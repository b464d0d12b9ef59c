/* SPDX-License-Identifier: MIT */
/* Core files: see core.c. */
#ifndef PROCESS_CORE_H
#define PROCESS_CORE_H

#include "lib/types.h"

struct process;
struct signal_info;
struct thread;

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
