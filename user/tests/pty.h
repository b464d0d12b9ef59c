/* SPDX-License-Identifier: MIT */
/* What the tests about terminals share: pairs, and sessions on them. */
#ifndef USER_TESTS_PTY_H
#define USER_TESTS_PTY_H

#include <sys/ioctl.h>
#include <termios.h>

#include "cases.h"

struct pair {
	int master, slave;
	char name[32];
};

static inline struct pair open_master(void)
{
	struct pair pair = {.slave = -1};
	int number = -1, off = 0;

	pair.master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	WANT(pair.master >= 0);
	WANT_IS(ioctl(pair.master, TIOCGPTN, &number), 0);
	WANT_IS(ioctl(pair.master, TIOCSPTLCK, &off), 0);
	snprintf(pair.name, sizeof pair.name, "/dev/pts/%d", number);
	return pair;
}

static inline int open_slave(const struct pair *pair)
{
	int fd = open(pair->name, O_RDWR | O_NOCTTY | O_CLOEXEC);

	WANT(fd >= 0);
	return fd;
}

static inline struct pair open_pair(void)
{
	struct pair pair = open_master();

	pair.slave = open_slave(&pair);
	return pair;
}

static inline struct termios settings_of(int fd)
{
	struct termios termios;

	WANT_IS(tcgetattr(fd, &termios), 0);
	return termios;
}

static inline void set_flags(int fd, tcflag_t in, tcflag_t out, tcflag_t local)
{
	struct termios termios = settings_of(fd);

	termios.c_iflag = in;
	termios.c_oflag = out;
	termios.c_lflag = local;
	WANT_IS(tcsetattr(fd, TCSANOW, &termios), 0);
}

static inline void set_local(int fd, tcflag_t on, tcflag_t off)
{
	struct termios termios = settings_of(fd);

	termios.c_lflag = (termios.c_lflag | on) & ~off;
	WANT_IS(tcsetattr(fd, TCSANOW, &termios), 0);
}

static inline void set_raw(int fd, int least, int time)
{
	struct termios termios = settings_of(fd);

	cfmakeraw(&termios);
	termios.c_cc[VMIN] = (cc_t)least;
	termios.c_cc[VTIME] = (cc_t)time;
	WANT_IS(tcsetattr(fd, TCSANOW, &termios), 0);
}

static inline void put_text(int fd, const char *text)
{
	WANT_IS(write(fd, text, strlen(text)), (long)strlen(text));
}

/* Reads until so many bytes have come, and wants these. */
static inline void want_text(int fd, const char *text)
{
	size_t length = strlen(text), have = 0;
	char found[512];
	ssize_t got;

	while (have < length) {
		got = read(fd, found + have, length - have);
		WANT(got > 0);
		have += (size_t)got;
	}
	if (memcmp(found, text, length))
		dprintf(1, "# found \"%.*s\", expected \"%s\"\n", (int)length, found, text);
	WANT(!memcmp(found, text, length));
}

/* Nothing comes (what was on its way has had its time). */
static inline void want_nothing(int fd)
{
	struct pollfd polled = {fd, POLLIN, 0};

	WANT_IS(poll(&polled, 1, 60), 0);
}

static inline short polls(int fd, short wanted)
{
	struct pollfd polled = {fd, wanted, 0};

	WANT(poll(&polled, 1, 0) >= 0);
	return polled.revents;
}

/* Waits until none of these bits holds. */
static inline void wait_polls_none(int fd, short wanted)
{
	while (polls(fd, wanted))
		sleep_ms(5);
}

/* Waits until these bits hold. */
static inline void wait_polls(int fd, short wanted, short expected)
{
	while ((polls(fd, wanted) & expected) != expected)
		sleep_ms(5);
}

/* The caller leads a session of its own that this terminal controls. */
static inline void lead_session(int fd)
{
	signal(SIGHUP, SIG_DFL);
	WANT_IS(setsid(), getpid());
	WANT_IS(ioctl(fd, TIOCSCTTY, 0), 0);
}

#endif
