/* SPDX-License-Identifier: MIT */
/* What the tests of UNIX sockets share. */
#ifndef USER_TESTS_UNIX_H
#define USER_TESTS_UNIX_H

#include <sys/socket.h>

#include "epoll.h"

static const int kinds[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};

static inline void pair(int type, int fds[2])
{
	WANT_IS(kernel_call(SYS_socketpair, AF_UNIX, type, 0, fds), 0);
}

static inline long send_text(int fd, const char *text, int flags)
{
	return kernel_call(SYS_sendto, fd, text, strlen(text), flags, NULL, 0);
}

static inline long receive(int fd, char *buffer, size_t size, int flags)
{
	memset(buffer, 0, size);
	return kernel_call(SYS_recvfrom, fd, buffer, size, flags, NULL, NULL);
}

static inline short polled(int fd)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	WANT(poll(&poller, 1, 0) >= 0);
	return poller.revents;
}

#endif
