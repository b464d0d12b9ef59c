/* SPDX-License-Identifier: MIT */
/* What the tests of timers share: times as numbers of nanoseconds. */
#ifndef USER_TESTS_TIMERS_H
#define USER_TESTS_TIMERS_H

#include "check.h"

#define MS                 INT64_C(1000000)
#define NS                 INT64_C(1000000000)
#define ABSTIME            1
#define CANCEL_ON_SET      2
#define NONBLOCK           04000
#define CLOEXEC            02000000
#define EVENT_SIGNAL       0
#define EVENT_NONE         1
#define EVENT_THREAD_ID    4
#define PROCESS_CLOCK(pid) ((int)(~(unsigned)(pid) << 3 | 2))

struct setting {
	struct timespec interval, value;
};

static inline struct timespec span(int64_t n)
{
	return (struct timespec){n / NS, n % NS};
}

static inline int64_t ns(const struct timespec *t)
{
	return t->tv_sec * NS + t->tv_nsec;
}

static inline struct setting setting(int64_t value, int64_t interval)
{
	return (struct setting){span(interval), span(value)};
}

#endif
