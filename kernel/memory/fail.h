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

/* What came of failures at one place. */
struct fail_outcome {
	uint64_t address;
	uint64_t count;
	int32_t call; /* the system call, or FAIL_NO_CALL: a fault, or exec has begun its program */
	int32_t result; /* its result if that is an errno, or 0; FAIL_ENDED: the thread's end */
};

enum { FAIL_NO_CALL = -1, FAIL_ENDED = 1 };

/* The thread's nth allocation from now fails; 0: none does. -ENOMEM. */
int fail_set_nth(struct thread *thread, uint32_t n) MUST_CHECK;
/* What of that is left. */
uint32_t fail_nth(const struct thread *thread);
/* Process `id` and all that it makes from now on are the tree: the nth allocation of all of it fails (0: none does), or, in
 * a round that is not 0, each way to an allocation once. -ESRCH, -EINVAL, -ENOMEM. */
int fail_tree_start(int id, uint64_t nth, uint32_t round) MUST_CHECK;
/* There is none any more. */
void fail_tree_end(void);
/* How often the tree has allocated since it was started, and how often that failed. */
void fail_tree_counts(uint64_t *reached, uint64_t *failed);
/* The running thread, with WORK_FAILED, on its way to user mode. */
void fail_tell(void);
/* What has failed until now is no outcome of its call: in the delivery of a signal, or in a fault that found memory after all. */
void fail_tell_apart(void);
/* It has ended. */
void fail_forget(struct thread *thread);
/* The nth place that was reached; false: there are fewer. */
bool fail_site(unsigned nth, struct fail_site *out) MUST_CHECK;
/* The nth outcome of a place; false: there are fewer. */
bool fail_outcome(uint64_t address, unsigned nth, struct fail_outcome *out) MUST_CHECK;

#endif
