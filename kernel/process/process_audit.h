/* SPDX-License-Identifier: MIT */
/* Whether processes, threads, descriptor tables and run queues agree, while the machine stands still. */
#ifndef PROCESS_PROCESS_AUDIT_H
#define PROCESS_PROCESS_AUDIT_H

#include "lib/types.h"

struct space;

#define PROCESS_AUDIT_TALLIES 16384u /* a power of two */

/* How often something was met. */
struct tally {
	const void *what;
	uint32_t count;
};

struct process_audit {
	struct tally *tallies; /* by address; for PROCESS_AUDIT_TALLIES */
	unsigned tallied;
	uint64_t processes, threads, children, has_parent, open_files;
	/* Each space once. */
	void (*space)(void *context, struct space *space);
	void *context;
	const char *broken; /* the first broken invariant */
};

int process_audit_begin(struct process_audit *audit) MUST_CHECK; /* -ENOMEM */
void process_audit_end(struct process_audit *audit);
/* Machine stopped: all of it. */
void process_audit_run(struct process_audit *audit);

#endif
