/* SPDX-License-Identifier: MIT */
/* What the tests of ptrace(2) have in common. Calls go to the kernel itself. */
#ifndef USER_TESTS_PTRACE_H
#define USER_TESTS_PTRACE_H

#include <sys/ptrace.h>
#include <sys/user.h>

#include "cases.h"

static inline long trace(int request, long pid, unsigned long address, unsigned long data)
{
	return kernel_call(SYS_ptrace, request, pid, address, data);
}

/* Waits for it; the whole status. */
static inline int next(pid_t pid)
{
	int status = 0;

	WANT_IS(waitpid(pid, &status, __WALL), pid);
	return status;
}

static inline void want_stop(pid_t pid, int number)
{
	int status = next(pid);

	WANT(WIFSTOPPED(status));
	WANT_IS(status >> 8, number);
}

static inline void go(pid_t pid, int request, int number)
{
	WANT_IS(trace(request, pid, 0, (unsigned long)number), 0);
}

static inline struct user_regs_struct registers(pid_t pid)
{
	struct user_regs_struct regs;

	WANT_IS(trace(PTRACE_GETREGS, pid, 0, (unsigned long)&regs), 0);
	return regs;
}

static inline void traced(void)
{
	WANT_IS(trace(PTRACE_TRACEME, 0, 0, 0), 0);
	raise(SIGSTOP);
}

#endif
