/* SPDX-License-Identifier: MIT */
/* Timers as files (man 2 timerfd_create): once and again, by each clock, polled and read, set and asked,
 * cancelled by setting the date; and what is refused. */
#include <poll.h>

#include "timers.h"

static long fd_set_timer(long fd, int flags, int64_t value, int64_t interval)
{
	struct setting s = setting(value, interval);

	return kernel_call(SYS_timerfd_settime, fd, flags, &s, 0);
}

static long fd_read(long fd)
{
	uint64_t count = 0;
	long result = kernel_call(SYS_read, fd, &count, sizeof(count));

	return result == sizeof(count) ? (long)count : result;
}

static bool is_ready(long fd, int timeout)
{
	struct pollfd p = {.fd = (int)fd, .events = POLLIN};

	return poll(&p, 1, timeout) == 1 && p.revents == POLLIN;
}

static void fd_refused(void)
{
	long fd = kernel_call(SYS_timerfd_create, CLOCK_MONOTONIC, NONBLOCK);
	struct setting bad = setting(0, 0), s;
	uint32_t small;

	claim(fd >= 0, "a timer as a file");
	claim_result(kernel_call(SYS_timerfd_create, 99, 0), -EINVAL, "by no clock: EINVAL");
	claim_result(kernel_call(SYS_timerfd_create, CLOCK_PROCESS_CPUTIME_ID, 0), -EINVAL,
		"by a CPU clock: EINVAL");
	claim_result(kernel_call(SYS_timerfd_create, CLOCK_MONOTONIC, 1), -EINVAL,
		"no such flag: EINVAL");
	claim_result(fd_read(fd), -EAGAIN, "off and not waited for: EAGAIN");
	claim_result(kernel_call(SYS_read, fd, &small, sizeof(small)), -EINVAL,
		"no room for the count: EINVAL");
	claim_result(kernel_call(SYS_write, fd, &bad, 8), -EINVAL, "it cannot be written: EINVAL");
	claim_result(
		kernel_call(SYS_pread64, fd, &bad, 8, 0), -ESPIPE, "nor read at a place: ESPIPE");
	claim_result(
		kernel_call(SYS_timerfd_settime, fd, 0, 8, 0), -EFAULT, "from nowhere: EFAULT");
	claim_result(kernel_call(SYS_timerfd_settime, fd, 4, &bad, 0), -EINVAL,
		"no such flag of settime: EINVAL");
	claim_result(kernel_call(SYS_timerfd_settime, -1, 0, &bad, 0), -EBADF, "no file: EBADF");
	claim_result(kernel_call(SYS_timerfd_settime, 0, 0, &bad, 0), -EINVAL,
		"another kind of file: EINVAL");
	claim_result(kernel_call(SYS_timerfd_gettime, 0, &s), -EINVAL, "gettime of it: EINVAL");
	claim_result(
		kernel_call(SYS_timerfd_gettime, fd, 8), -EFAULT, "gettime to nowhere: EFAULT");
	bad.value.tv_nsec = NS;
	claim_result(kernel_call(SYS_timerfd_settime, fd, 0, &bad, 0), -EINVAL,
		"too many nanoseconds: EINVAL");
	bad.value = (struct timespec){-1, 0};
	claim_result(kernel_call(SYS_timerfd_settime, fd, 0, &bad, 0), -EINVAL,
		"a negative time: EINVAL");
	close((int)fd);
}

static void fd_timers(void)
{
	long fd = kernel_call(SYS_timerfd_create, CLOCK_MONOTONIC, CLOEXEC);
	struct setting s, was;
	int64_t before;
	long count;

	claim(!is_ready(fd, 0), "off: not readable");
	fd_set_timer(fd, 0, 1000 * NS, 0);
	claim(!is_ready(fd, 0), "not readable yet");
	before = now_ns();
	claim_result(fd_set_timer(fd, 0, 20 * MS, 0), 0, "once, in 20 ms");
	claim_result(fd_read(fd), 1, "a read waits for it: 1");
	claim(now_ns() - before >= 20 * MS, "and it did not come early");
	claim(!kernel_call(SYS_timerfd_gettime, fd, &s) && ns(&s.value) == 0, "it is off again");
	before = now_ns();
	fd_set_timer(fd, 0, 10 * MS, 5 * MS);
	claim(is_ready(fd, -1), "poll waits for it");
	sleep_ms(30);
	count = fd_read(fd);
	claim(count >= 5 && count <= 1 + (now_ns() - before - 10 * MS) / (5 * MS),
		"an interval counts how often it came");
	claim(!kernel_call(SYS_timerfd_gettime, fd, &s) && ns(&s.interval) == 5 * MS &&
			ns(&s.value) >= 0 && ns(&s.value) <= 5 * MS,
		"and what is left of it");
	s = setting(100 * NS, 0);
	claim(!kernel_call(SYS_timerfd_settime, fd, 0, &s, &was) && ns(&was.interval) == 5 * MS &&
			ns(&was.value) >= 0 && ns(&was.value) <= 5 * MS,
		"settime tells what it was");
	fd_set_timer(fd, ABSTIME, now_ns() + 15 * MS, 0);
	before = now_ns();
	claim(fd_read(fd) == 1, "until a time");
	fd_set_timer(fd, ABSTIME, 1, 0);
	claim_result(fd_read(fd), 1, "a time that is past comes at once");
	fd_set_timer(fd, 0, 1, 1);
	sleep_ms(5);
	claim(fd_read(fd) > 1000, "an interval of a nanosecond");
	fd_set_timer(fd, 0, 0, 0);
	claim(!is_ready(fd, 20), "turned off it does not come");
	fd_set_timer(fd, 0, 1 * MS, 0);
	sleep_ms(5);
	fd_set_timer(fd, 0, 0, 0);
	claim(!is_ready(fd, 0), "what came before it was set anew is forgotten");
	close((int)fd);
	fd = kernel_call(SYS_timerfd_create, CLOCK_REALTIME, 0);
	fd_set_timer(fd, 0, 5 * MS, 0);
	claim_result(fd_read(fd), 1, "by REALTIME");
	fd_set_timer(fd, ABSTIME | CANCEL_ON_SET, 1, 0);
	claim_result(fd_read(fd), 1, "a day that is past, with CANCEL_ON_SET");
	close((int)fd);
}

static bool may_set_the_date(void)
{
	struct timespec now;

	if (!getenv("BATON_MAY_SET_THE_DATE"))
		return false;
	return !clock_gettime(CLOCK_REALTIME, &now);
}

static void fd_canceled(void)
{
	long fd = kernel_call(SYS_timerfd_create, CLOCK_REALTIME, 0);
	struct timespec now;

	if (!may_set_the_date()) {
		close((int)fd);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	fd_set_timer(fd, ABSTIME | CANCEL_ON_SET, ns(&now) + 1000 * NS, 0);
	claim(!is_ready(fd, 0), "far away: not readable");
	clock_gettime(CLOCK_REALTIME, &now);
	clock_settime(CLOCK_REALTIME, &now);
	claim(is_ready(fd, 0), "the clock is set: readable");
	claim_result(fd_read(fd), -ECANCELED, "a read says so: ECANCELED");
	claim(!is_ready(fd, 0), "once");
	close((int)fd);
}

static void all(int argc, char **argv)
{
	fd_refused();
	fd_timers();
	fd_canceled();
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
