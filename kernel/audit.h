/* SPDX-License-Identifier: MIT */
/* The kernel's look at itself. See audit.c. */
#ifndef AUDIT_H
#define AUDIT_H

#include "lib/types.h"

struct audit_counts {
	uint64_t audits; /* since the start */
	/* of the last one */
	uint64_t processes, threads, open_files;
	uint64_t unexplained; /* references to pages that no page table or object accounts for */
};

/* Checks what must be so at all times; what is not is a panic. 0, or -ENOMEM. May sleep. */
int audit_all(void) MUST_CHECK;
/* What the last one counted. */
void audit_last(struct audit_counts *out);

/* audit_timer.c. start: kernel threads can be made; 0: none. report: into the log, at the end. */
#if defined(BATON_DEBUG) && BATON_DEBUG && !defined(BATON_HOST_TEST)
void audit_start(uint32_t n);
void audit_timer_interrupt(void);
void audit_report(void);
#else
static inline void audit_start(uint32_t n)
{
	(void)n;
}
static inline void audit_timer_interrupt(void)
{
}
static inline void audit_report(void)
{
}
#endif

#endif
