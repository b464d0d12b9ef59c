/* SPDX-License-Identifier: MIT */
/* What the tests of files' signals share (sigio.c, sigio_files.c): all happens in one thread, with the signals blocked, so
 * what a call sent waits when it has returned. */
#ifndef USER_TESTS_SIGIO_H
#define USER_TESTS_SIGIO_H

#include "cases.h"

#ifndef F_SETSIG
#define F_SETSIG 10
#define F_GETSIG 11
#endif
#define SET_OWNER_EX   15
#define GET_OWNER_EX   16
#define GET_OWNER_UIDS 17
#ifndef FIOASYNC
#define FIOASYNC 0x5452
#endif
#ifndef O_ASYNC
#define O_ASYNC 020000
#endif
#define SIGNAL (SIGRTMIN + 1)

enum { OWNER_THREAD, OWNER_PROCESS, OWNER_GROUP };
struct owner {
	int type, pid;
};

static inline long control(int fd, long command, long argument)
{
	return kernel_call(SYS_fcntl, fd, command, argument);
}

static inline struct owner owner_of(int fd)
{
	struct owner owner = {-1, -1};

	WANT_IS(control(fd, GET_OWNER_EX, (long)&owner), 0);
	return owner;
}

static inline bool is_async(int fd)
{
	return control(fd, F_GETFL, 0) & O_ASYNC;
}

/* This signal, if it waits, with what it says. */
static inline bool got(int number, siginfo_t *info)
{
	sigset_t set = set_of(number);

	return sigtimedwait(&set, info, &(struct timespec){0, 0}) == number;
}

/* The one of SIGNAL that waits says this; and there is no other. */
#define WANT_TOLD(fd, code, band) want_told(__LINE__, fd, code, band)
static inline void want_told(int line, int fd, int code, long band)
{
	siginfo_t info = {.si_fd = -1};

	if (!got(SIGNAL, &info))
		want_failed(__FILE__, line, "no signal", 0, false);
	if (info.si_code != code)
		want_failed(__FILE__, line, "si_code", info.si_code, true);
	if (info.si_fd != fd)
		want_failed(__FILE__, line, "si_fd", info.si_fd, true);
	if (info.si_band != band)
		want_failed(__FILE__, line, "si_band", info.si_band, true);
	if (got(SIGNAL, &info))
		want_failed(__FILE__, line, "one signal too many", info.si_code, true);
}

#define IN_BAND        (POLLIN | POLLRDNORM)
#define OUT_BAND       (POLLOUT | POLLWRNORM | POLLWRBAND)
#define HUP_BAND       (POLLHUP | POLLERR)

#define WANT_SILENCE() WANT(!got(SIGNAL, &(siginfo_t){0}))

/* SIGNAL comes to this process when the file has news. */
static inline void ask(int fd)
{
	block(SIGNAL);
	block(SIGIO);
	WANT_IS(control(fd, F_SETOWN, getpid()), 0);
	WANT_IS(control(fd, F_SETSIG, SIGNAL), 0);
	WANT_IS(control(fd, F_SETFL, control(fd, F_GETFL, 0) | O_ASYNC), 0);
	WANT(is_async(fd));
}

#endif
