/* SPDX-License-Identifier: MIT */
/* Allocations that fail because somebody asked for it. See fail.c. */
#ifndef MEMORY_FAIL_H
#define MEMORY_FAIL_H

#include "lib/types.h"

struct thread;

struct fail_site {
	uint64_t address; /* the return address of the call */
	uint64_t reached, failed;
};

/* The thread's nth allocation from now fails; 0: none does. -ENOMEM. */
int fail_set_nth(struct thread *thread, uint32_t n) MUST_CHECK;
/* What of that is left. */
uint32_t fail_nth(const struct thread *thread);
/* It ends. */
void fail_forget(struct thread *thread);
/* The nth place that was reached; false: there are fewer. */
bool fail_site(unsigned nth, struct fail_site *out) MUST_CHECK;

#endif
