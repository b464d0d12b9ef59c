/* SPDX-License-Identifier: MIT */
/* What generators need of the worker they run in: code and memory that a call may be led to. */
#ifndef USER_FUZZ_WORKER_H
#define USER_FUZZ_WORKER_H

#include <stddef.h>
#include <stdint.h>

#define SA_RESTORER_FLAG 0x04000000u

/* The kernel's struct sigaction. */
struct kernel_action {
	uint64_t handler, flags, restorer, mask;
};

void worker_handler(int signal);
void invoke_restorer(void);

#endif
