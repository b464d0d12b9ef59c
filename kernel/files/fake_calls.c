/* SPDX-License-Identifier: MIT */
/* user/tests/files.h's `raw` for the unit tests: the handlers themselves, by the table. */
#include "syscall/table.h"

#include "files/filesystems.h"
#include "lib/errno.h"

const struct filesystem *filesystem_find(const char *name)
{
	(void)name;
	return NULL; /* /proc asks for much of the kernel */
}

/* Many are not part of this test, which calls none of them. */
#define WEAK(nr, name, ...) extern __typeof__(sys_##name) sys_##name __attribute__((weak));
SYSCALL_TABLE_FILES(WEAK, WEAK, WEAK, WEAK, WEAK, WEAK, WEAK)

long raw(long number, const long arguments[6]);

#define A(kind, n) SYSCALL_ARGUMENT(kind, arguments[n])

#define CASE0(nr, name) \
	case nr:        \
		return sys_##name();
#define CASE1(nr, name, t0, a0) \
	case nr:                \
		return sys_##name(A(t0, 0));
#define CASE2(nr, name, t0, a0, t1, a1) \
	case nr:                        \
		return sys_##name(A(t0, 0), A(t1, 1));
#define CASE3(nr, name, t0, a0, t1, a1, t2, a2) \
	case nr:                                \
		return sys_##name(A(t0, 0), A(t1, 1), A(t2, 2));
#define CASE4(nr, name, t0, a0, t1, a1, t2, a2, t3, a3) \
	case nr:                                        \
		return sys_##name(A(t0, 0), A(t1, 1), A(t2, 2), A(t3, 3));
#define CASE5(nr, name, t0, a0, t1, a1, t2, a2, t3, a3, t4, a4) \
	case nr:                                                \
		return sys_##name(A(t0, 0), A(t1, 1), A(t2, 2), A(t3, 3), A(t4, 4));
#define CASE6(nr, name, t0, a0, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5) \
	case nr:                                                        \
		return sys_##name(A(t0, 0), A(t1, 1), A(t2, 2), A(t3, 3), A(t4, 4), A(t5, 5));

long raw(long number, const long arguments[6])
{
	switch (number) {
		SYSCALL_TABLE_FILES(CASE0, CASE1, CASE2, CASE3, CASE4, CASE5, CASE6)
	default:
		return -ENOSYS;
	}
}
