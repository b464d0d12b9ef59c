/* SPDX-License-Identifier: MIT */
/* The system calls on events and sockets; see table.h. Included by it alone. */
#ifndef SYSCALL_TABLE_EVENTS_H
#define SYSCALL_TABLE_EVENTS_H

/* clang-format off */
#define SYSCALL_TABLE_EVENTS(CALL0, CALL1, CALL2, CALL3, CALL4, CALL5, CALL6) \
	CALL3(41, socket, INT, family, INT, type, INT, protocol) LACKS("families but AF_UNIX") \
	CALL3(42, connect, FD, fd, IN, address, INT, length) \
	CALL3(43, accept, FD, fd, OUT, address, INOUT, length) \
	CALL6(44, sendto, FD, fd, DATA_IN, buffer, SIZE, count, UINT, flags, IN, address, INT, length) \
	CALL6(45, recvfrom, FD, fd, DATA_OUT, buffer, SIZE, count, UINT, flags, OUT, address, INOUT, length) \
	CALL3(46, sendmsg, FD, fd, IN, message, UINT, flags) \
	CALL3(47, recvmsg, FD, fd, INOUT, message, UINT, flags) \
	CALL2(48, shutdown, FD, fd, INT, how) \
	CALL3(49, bind, FD, fd, IN, address, INT, length) \
	CALL2(50, listen, FD, fd, INT, backlog) \
	CALL3(51, getsockname, FD, fd, OUT, address, INOUT, length) \
	CALL3(52, getpeername, FD, fd, OUT, address, INOUT, length) \
	CALL4(53, socketpair, INT, family, INT, type, INT, protocol, FD_PAIR_OUT, fds) \
	CALL5(54, setsockopt, FD, fd, INT, level, INT, option, IN, value, INT, length) LACKS("filters") \
	CALL5(55, getsockopt, FD, fd, INT, level, INT, option, OUT, value, INOUT, length) LACKS("SO_PEERPIDFD") \
	CALL1(213, epoll_create, INT, size) \
	CALL4(232, epoll_wait, FD, epoll, EPOLL_EVENTS_OUT, events, INT, most, INT, timeout) \
	CALL4(233, epoll_ctl, FD, epoll, EPOLL_OPERATION, operation, FD, fd, EPOLL_EVENT, event) \
	CALL0(253, inotify_init) \
	CALL3(254, inotify_add_watch, FD, fd, PATH, path, WATCH_MASK, mask) \
	CALL2(255, inotify_rm_watch, FD, fd, INT, watch) \
	CALL6(281, epoll_pwait, FD, epoll, EPOLL_EVENTS_OUT, events, INT, most, INT, timeout, SIGNAL_SET, mask, SIZE, size) \
	CALL3(282, signalfd, FD, fd, SIGNAL_SET, mask, SIZE, size) \
	CALL1(284, eventfd, UINT, count) \
	CALL4(288, accept4, FD, fd, OUT, address, INOUT, length, INT, flags) \
	CALL4(289, signalfd4, FD, fd, SIGNAL_SET, mask, SIZE, size, SIGNALFD_FLAGS, flags) \
	CALL2(290, eventfd2, UINT, count, EVENT_FLAGS, flags) \
	CALL1(291, epoll_create1, EPOLL_FLAGS, flags) \
	CALL1(294, inotify_init1, INOTIFY_FLAGS, flags) \
	CALL5(299, recvmmsg, FD, fd, INOUT, messages, UINT, count, UINT, flags, TIMESPEC_INOUT, timeout) \
	CALL4(307, sendmmsg, FD, fd, INOUT, messages, UINT, count, UINT, flags) \
	CALL6(441, epoll_pwait2, FD, epoll, EPOLL_EVENTS_OUT, events, INT, most, TIMESPEC, timeout, SIGNAL_SET, mask, SIZE, size)
/* clang-format on */

#endif
