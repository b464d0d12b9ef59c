/* SPDX-License-Identifier: MIT */
/*
 * The one specification of the system calls. Dispatch (dispatch.c), the counters' names, later the
 * tracer, docs/syscalls.md and the fuzzer's grammar are made from it.
 *
 *	CALLn(number, name, KIND1, argument1, ...)
 *
 * Numbers and meanings are Linux's for x86-64. A kind gives the argument's C type (SYSCALL_TYPE_*)
 * and what it means. Handlers are `long sys_NAME(...)`: a result, or a negative errno.
 * Adding a call: one line here (in the order of the numbers) and the function.
 */
#ifndef SYSCALL_TABLE_H
#define SYSCALL_TABLE_H

#include "lib/types.h"

#define SYSCALL_TYPE_INT     int          /* a number */
#define SYSCALL_TYPE_UINT    unsigned int /* a number: an id, a count, a device */
#define SYSCALL_TYPE_FD      int          /* a file descriptor, or AT_FDCWD */
#define SYSCALL_TYPE_FLAGS   unsigned int /* an or of named bits */
#define SYSCALL_TYPE_LONG    long
#define SYSCALL_TYPE_SIZE    size_t    /* bytes */
#define SYSCALL_TYPE_OFFSET  int64_t   /* a file offset */
#define SYSCALL_TYPE_ADDRESS uintptr_t /* an address that is not looked through */
#define SYSCALL_TYPE_IN      user_t    /* read by the kernel */
#define SYSCALL_TYPE_OUT     user_t    /* written by the kernel */
#define SYSCALL_TYPE_INOUT   user_t
#define SYSCALL_TYPE_PATH    user_t /* a NUL-terminated path */
#define SYSCALL_TYPE_STRINGS user_t /* a NULL-terminated array of strings */
#define SYSCALL_TYPE_SIGNAL  int    /* a signal number */
#define SYSCALL_TYPE_PID     int
#define SYSCALL_TYPE_MODE    unsigned int /* file permissions */

#define SYSCALL_TABLE(CALL0, CALL1, CALL2, CALL3, CALL4, CALL5, CALL6)       \
	SYSCALL_TABLE_FILES(CALL0, CALL1, CALL2, CALL3, CALL4, CALL5, CALL6) \
	SYSCALL_TABLE_CORE(CALL0, CALL1, CALL2, CALL3, CALL4, CALL5, CALL6)

#include "syscall/table_core.h"
#include "syscall/table_files.h"

/* The handlers' prototypes. */
#define SYSCALL_P0(nr, name)         long sys_##name(void);
#define SYSCALL_P1(nr, name, t1, a1) long sys_##name(SYSCALL_TYPE_##t1 a1);
#define SYSCALL_P2(nr, name, t1, a1, t2, a2) \
	long sys_##name(SYSCALL_TYPE_##t1 a1, SYSCALL_TYPE_##t2 a2);
#define SYSCALL_P3(nr, name, t1, a1, t2, a2, t3, a3) \
	long sys_##name(SYSCALL_TYPE_##t1 a1, SYSCALL_TYPE_##t2 a2, SYSCALL_TYPE_##t3 a3);
#define SYSCALL_P4(nr, name, t1, a1, t2, a2, t3, a3, t4, a4)                              \
	long sys_##name(SYSCALL_TYPE_##t1 a1, SYSCALL_TYPE_##t2 a2, SYSCALL_TYPE_##t3 a3, \
		SYSCALL_TYPE_##t4 a4);
#define SYSCALL_P5(nr, name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5)                      \
	long sys_##name(SYSCALL_TYPE_##t1 a1, SYSCALL_TYPE_##t2 a2, SYSCALL_TYPE_##t3 a3, \
		SYSCALL_TYPE_##t4 a4, SYSCALL_TYPE_##t5 a5);
#define SYSCALL_P6(nr, name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6)              \
	long sys_##name(SYSCALL_TYPE_##t1 a1, SYSCALL_TYPE_##t2 a2, SYSCALL_TYPE_##t3 a3, \
		SYSCALL_TYPE_##t4 a4, SYSCALL_TYPE_##t5 a5, SYSCALL_TYPE_##t6 a6);
SYSCALL_TABLE(SYSCALL_P0, SYSCALL_P1, SYSCALL_P2, SYSCALL_P3, SYSCALL_P4, SYSCALL_P5, SYSCALL_P6)

#endif
