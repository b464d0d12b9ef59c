/* SPDX-License-Identifier: MIT */
/* membarrier: its commands, and that it really is a barrier in other threads. */
#include "cases.h"

enum {
	QUERY = 0,
	GLOBAL = 1,
	GLOBAL_EXPEDITED = 2,
	REGISTER_GLOBAL = 4,
	PRIVATE = 8,
	REGISTER_PRIVATE = 16,
	SYNC = 32,
	REGISTER_SYNC = 64,
};

static long call(int command, int flags)
{
	return kernel_call(SYS_membarrier, command, flags, 0);
}

static void commands(void)
{
	long all = call(QUERY, 0);

	WANT_IS(all & 127, 127);
	WANT_IS(call(QUERY, 1), -EINVAL);
	WANT_IS(call(3, 0), -EINVAL);
	WANT_IS(call(-1, 0), -EINVAL);
	WANT_IS(call(GLOBAL, 0), 0);
	WANT_IS(call(GLOBAL_EXPEDITED, 0), 0);
	WANT_IS(call(REGISTER_GLOBAL, 0), 0);
	WANT_IS(call(GLOBAL, 1), -EINVAL);
}

static void registered(void)
{
	WANT_IS(call(PRIVATE, 0), -EPERM);
	WANT_IS(call(SYNC, 0), -EPERM);
	WANT_IS(call(REGISTER_PRIVATE, 0), 0);
	WANT_IS(call(PRIVATE, 0), 0);
	WANT_IS(call(PRIVATE, 1), -EINVAL);
	WANT_IS(call(SYNC, 0), -EPERM);
	WANT_IS(call(REGISTER_SYNC, 0), 0);
	WANT_IS(call(SYNC, 0), 0);
}

static void uses_it(void)
{
	WANT_IS(call(PRIVATE, 0), 0);
	WANT_IS(call(SYNC, 0), -EPERM);
}

static void inherited(void)
{
	WANT_IS(call(REGISTER_PRIVATE, 0), 0);
	WANT_ENDS(start(uses_it), 0);
}

static void executes(void)
{
	char path[200], *argv[] = {path, (char *)"--role", (char *)"fresh", NULL};

	WANT_IS(call(REGISTER_PRIVATE, 0), 0);
	snprintf(path, sizeof path, "%s", check.self);
	execv(path, argv);
}

static int fresh(int argc, char **argv)
{
	(void)argc, (void)argv;
	return call(PRIVATE, 0) == -EPERM ? 5 : 6;
}

/* Dekker's with a barrier on one side only: the other has none but the compiler's. Never do both find
 * the other's word 0. */
#define ROUNDS 3000
static struct words {
	_Alignas(64) volatile int x;
	_Alignas(64) volatile int y;
	_Alignas(64) volatile int round, quick_saw, quick_done;
} w;

static int quick(void *unused)
{
	(void)unused;
	for (int i = 1; i <= ROUNDS; i++) {
		while (w.round < i)
			kernel_call(SYS_sched_yield);
		w.x = i;
		__asm__ volatile("" : : : "memory");
		w.quick_saw = w.y;
		__atomic_store_n(&w.quick_done, i, __ATOMIC_RELEASE);
	}
	return 0;
}

static void barrier(void)
{
	static char stack[16384] __attribute__((aligned(16)));
	int command = call(REGISTER_PRIVATE, 0) ? GLOBAL : PRIVATE;

	WANT(clone(quick, stack + sizeof stack,
		     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			     CLONE_SYSVSEM,
		     NULL) > 0);
	for (int i = 1; i <= ROUNDS; i++) {
		int saw;

		__atomic_store_n(&w.round, i, __ATOMIC_RELEASE);
		w.y = i;
		WANT_IS(call(command, 0), 0);
		saw = w.x;
		while (__atomic_load_n(&w.quick_done, __ATOMIC_ACQUIRE) < i)
			kernel_call(SYS_sched_yield);
		WANT(saw == i || w.quick_saw == i);
	}
}

static void tracer(void)
{
	/* Where there is a Yama at all. */
	long any = kernel_call(SYS_prctl, PR_SET_PTRACER, -1, 0, 0, 0);

	WANT(any == 0 || any == -EINVAL);
	WANT_IS(kernel_call(SYS_prctl, PR_SET_PTRACER, 0, 0, 0, 0), any);
	WANT_IS(kernel_call(SYS_prctl, PR_SET_PTRACER, getpid(), 1, 1, 1), any);
	WANT_IS(kernel_call(SYS_prctl, PR_SET_PTRACER, 0x7ffffff0, 0, 0, 0), -EINVAL);
}

static const struct test_case cases[] = {
	CASE(commands, "membarrier: its commands; flags and others are EINVAL"),
	CASE(registered, "expedited commands want a registration: EPERM"),
	CASE(inherited, "a child is registered too"),
	CASE_ENDS(executes, EXITED(5), "a new program is not"),
	CASE(barrier, "it orders another thread's memory accesses"),
	CASE(tracer, "PR_SET_PTRACER takes 0, any, and a process that is there"),
};

static const struct role roles[] = {{"fresh", fresh}};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, roles, COUNT(roles), all);
}
