/* SPDX-License-Identifier: MIT */
/*
 * The one specification of the system calls. Dispatch (dispatch.c), the tracer (trace.c and
 * tools/command/strace.py), docs/syscalls.md and the fuzzer's grammar are made from it.
 *
 *	CALLn(number, name, KIND1, argument1, ...) RETURNS(WHAT) LACKS("...")
 *
 * Numbers and meanings are Linux's for x86-64. A kind (kinds.h) gives the argument's C type and what
 * it means. Handlers are `long sys_NAME(...)`: a result, or a negative errno. RETURNS is only there
 * where the result is no plain number: ADDRESS, OCTAL, NOTHING (the call does not return), READY
 * (descriptors that are), BY_COMMAND (as fcntl's). LACKS is there while the call is not all that Linux's
 * is, and says in words what is missing; the words go into docs/syscalls.md.
 *
 * Adding a call: one line in table_core.h, table_events.h or table_files.h, however long, in the order of the numbers,
 * and the function.
 */
#ifndef SYSCALL_TABLE_H
#define SYSCALL_TABLE_H

#include "lib/types.h"
#include "syscall/kinds.h"

#define SYSCALL_KIND_TYPE(name, type, how, size) typedef type syscall_##name##_t;
SYSCALL_KINDS(SYSCALL_KIND_TYPE)
#define SYSCALL_TYPE(kind) syscall_##kind##_t

/* An argument word as its kind's type: its lower half, where that is narrower. */
#define SYSCALL_ARGUMENT(kind, word)     \
	((union {                        \
		uint64_t whole;          \
		SYSCALL_TYPE(kind) part; \
	}){.whole = (uint64_t)(word)}    \
			.part)

/* For readers of the table that are no compilers. */
#define RETURNS(what)
#define LACKS(words)

#define SYSCALL_TABLE(CALL0, CALL1, CALL2, CALL3, CALL4, CALL5, CALL6)        \
	SYSCALL_TABLE_EVENTS(CALL0, CALL1, CALL2, CALL3, CALL4, CALL5, CALL6) \
	SYSCALL_TABLE_FILES(CALL0, CALL1, CALL2, CALL3, CALL4, CALL5, CALL6)  \
	SYSCALL_TABLE_CORE(CALL0, CALL1, CALL2, CALL3, CALL4, CALL5, CALL6)

#include "syscall/table_core.h"
#include "syscall/table_events.h"
#include "syscall/table_files.h"

/* The handlers' prototypes. */
#define SYSCALL_P0(nr, name)         long sys_##name(void);
#define SYSCALL_P1(nr, name, t1, a1) long sys_##name(SYSCALL_TYPE(t1) a1);
#define SYSCALL_P2(nr, name, t1, a1, t2, a2) \
	long sys_##name(SYSCALL_TYPE(t1) a1, SYSCALL_TYPE(t2) a2);
#define SYSCALL_P3(nr, name, t1, a1, t2, a2, t3, a3) \
	long sys_##name(SYSCALL_TYPE(t1) a1, SYSCALL_TYPE(t2) a2, SYSCALL_TYPE(t3) a3);
#define SYSCALL_P4(nr, name, t1, a1, t2, a2, t3, a3, t4, a4)                           \
	long sys_##name(SYSCALL_TYPE(t1) a1, SYSCALL_TYPE(t2) a2, SYSCALL_TYPE(t3) a3, \
		SYSCALL_TYPE(t4) a4);
#define SYSCALL_P5(nr, name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5)                   \
	long sys_##name(SYSCALL_TYPE(t1) a1, SYSCALL_TYPE(t2) a2, SYSCALL_TYPE(t3) a3, \
		SYSCALL_TYPE(t4) a4, SYSCALL_TYPE(t5) a5);
#define SYSCALL_P6(nr, name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6)           \
	long sys_##name(SYSCALL_TYPE(t1) a1, SYSCALL_TYPE(t2) a2, SYSCALL_TYPE(t3) a3, \
		SYSCALL_TYPE(t4) a4, SYSCALL_TYPE(t5) a5, SYSCALL_TYPE(t6) a6);
SYSCALL_TABLE(SYSCALL_P0, SYSCALL_P1, SYSCALL_P2, SYSCALL_P3, SYSCALL_P4, SYSCALL_P5, SYSCALL_P6)

#endif
