/* SPDX-License-Identifier: MIT */
/* What the tests of epoll share. */
#ifndef USER_TESTS_EPOLL_H
#define USER_TESTS_EPOLL_H

#include <sys/epoll.h>

#include "cases.h"

#define FAR 100000 /* milliseconds: a time that does not come */

static inline int make_epoll(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	WANT(fd >= 0);
	return fd;
}

static inline long control(int epoll, int operation, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = {.events = events, .data.u64 = data};

	return kernel_call(SYS_epoll_ctl, epoll, operation, fd, &event);
}

static inline void add(int epoll, int fd, uint32_t events)
{
	WANT_IS(control(epoll, EPOLL_CTL_ADD, fd, events, (uint64_t)fd << 32 | 7), 0);
}

/* What is told now: the events' bits of `fd`, 0 for none; that there is no other is wanted. */
static inline uint32_t told(int epoll, int fd)
{
	struct epoll_event events[2];
	long n = kernel_call(SYS_epoll_wait, epoll, events, 2, 0);

	WANT(n == 0 || n == 1);
	if (n == 0)
		return 0;
	WANT_IS(events[0].data.u64, (uint64_t)fd << 32 | 7);
	return events[0].events;
}

static inline void put(int fd)
{
	WANT_IS(kernel_call(SYS_write, fd, "x", 1), 1);
}

static inline void take(int fd)
{
	char c;

	WANT_IS(kernel_call(SYS_read, fd, &c, 1), 1);
}

#endif
