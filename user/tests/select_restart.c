/* SPDX-License-Identifier: MIT */
/*
 * The same as signal_restart.c for the calls that wait for several files: EINTR after any handler,
 * whether it has SA_RESTART or not.
 */
#include <sys/epoll.h>
#include <sys/select.h>

#include "cases.h"

static volatile int count;
static struct gate gate;

static void on_tick(int number)
{
	count++;
}

static long call_ppoll(void)
{
	return kernel_call(SYS_ppoll, NULL, 0, NULL, NULL, 8);
}

static long call_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(gate.in, &set);
	return kernel_call(SYS_select, gate.in + 1, &set, NULL, NULL, NULL);
}

static long call_pselect(void)
{
	return kernel_call(SYS_pselect6, 0, NULL, NULL, NULL, NULL, NULL);
}

static long call_epoll(void)
{
	struct epoll_event event;
	int fd = epoll_create1(0);

	WANT(fd >= 0);
	return kernel_call(SYS_epoll_wait, fd, &event, 1, -1);
}

static void never(long (*call)(void))
{
	static const int flags[] = {SA_RESTART, 0};

	gate = make_gate();
	for (int i = 0; i < 2; i++) {
		count = 0;
		handle(SIGALRM, on_tick, flags[i]);
		tick(5000);
		WANT_IS(call(), -EINTR);
		tick(0);
		WANT(count > 0);
	}
}

#define NEVER(name)                    \
	static void never_##name(void) \
	{                              \
		never(call_##name);    \
	}
NEVER(ppoll)
NEVER(select)
NEVER(pselect)
NEVER(epoll)

static const struct test_case cases[] = {
	CASE(never_ppoll, "ppoll: EINTR in any case"),
	CASE(never_select, "select: EINTR in any case"),
	CASE(never_pselect, "pselect: EINTR in any case"),
	CASE(never_epoll, "epoll_wait: EINTR in any case"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
