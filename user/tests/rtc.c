/* SPDX-License-Identifier: MIT */
/*
 * /dev/rtc0 (man 4 rtc): on Baton the clock of UEFI, on Debian's kernel that of the PC. For the scenario firmware-clock.
 */
#include "cases.h"

#include <linux/rtc.h>
#include <sys/ioctl.h>
#include <time.h>

#define SLACK 60 /* seconds between two looks at clocks, on a machine that may stand still */
#define YEAR  (366 * 86400)

static int fd = -1;

static void begin(void)
{
	fd = open("/dev/rtc0", O_RDWR | O_CLOEXEC);
	WANT(fd >= 0);
}

static time_t seconds_of(const struct rtc_time *t)
{
	struct tm tm = {.tm_sec = t->tm_sec,
		.tm_min = t->tm_min,
		.tm_hour = t->tm_hour,
		.tm_mday = t->tm_mday,
		.tm_mon = t->tm_mon,
		.tm_year = t->tm_year};

	return timegm(&tm);
}

static struct rtc_time rtc_of(time_t seconds)
{
	struct tm tm = *gmtime(&seconds);

	return (struct rtc_time){
		tm.tm_sec, tm.tm_min, tm.tm_hour, tm.tm_mday, tm.tm_mon, tm.tm_year, 0, 0, 0};
}

static time_t now(void)
{
	struct rtc_time t;

	WANT_IS(ioctl(fd, RTC_RD_TIME, &t), 0);
	return seconds_of(&t);
}

static void set(time_t seconds)
{
	struct rtc_time t = rtc_of(seconds);

	WANT_IS(ioctl(fd, RTC_SET_TIME, &t), 0);
}

static bool near(time_t found, time_t expected)
{
	return found >= expected - 1 && found <= expected + SLACK;
}

static void is_the_date(void)
{
	time_t before = time(NULL), t;
	struct timespec pause = {.tv_nsec = 10000000};

	begin();
	t = now();
	WANT(near(t, before));
	for (int i = 0; i < 3000 && now() == t; i++)
		nanosleep(&pause, NULL);
	WANT(now() > t); /* it runs */
}

/* A leap day, the end of a year; the system's clock stays where it is. */
static void is_set(void)
{
	static const struct rtc_time moments[] = {{59, 59, 23, 28, 1, 124, 0, 0, 0},
		{0, 0, 0, 29, 1, 124, 0, 0, 0}, {58, 59, 23, 31, 11, 129, 0, 0, 0}};
	time_t real = time(NULL), before;

	begin();
	before = now();
	for (size_t i = 0; i < COUNT(moments); i++) {
		struct rtc_time t = moments[i];

		WANT_IS(ioctl(fd, RTC_SET_TIME, &t), 0);
		WANT(near(now(), seconds_of(&moments[i])));
	}
	WANT(near(time(NULL), real));
	set(before + (time(NULL) - real));
}

static void is_refused(void)
{
	static const struct rtc_time wrong[] = {{60, 0, 0, 1, 0, 124, 0, 0, 0},
		{0, 60, 0, 1, 0, 124, 0, 0, 0}, {0, 0, 24, 1, 0, 124, 0, 0, 0},
		{0, 0, 0, 0, 0, 124, 0, 0, 0}, {0, 0, 0, 30, 1, 124, 0, 0, 0},
		{0, 0, 0, 29, 1, 123, 0, 0, 0}, {0, 0, 0, 1, 12, 124, 0, 0, 0},
		{0, 0, 0, 1, -1, 124, 0, 0, 0}, {-1, 0, 0, 1, 0, 124, 0, 0, 0},
		{0, 0, 0, 1, 0, 69, 0, 0, 0}};
	time_t before;

	begin();
	before = now();
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct rtc_time t = wrong[i];

		WANT_IS(ioctl(fd, RTC_SET_TIME, &t), -1);
		WANT_IS(errno, EINVAL);
	}
	WANT(near(now(), before));
	WANT(ioctl(fd, RTC_RD_TIME, BAD) && errno == EFAULT);
	WANT(ioctl(fd, RTC_SET_TIME, BAD) && errno == EFAULT);
	WANT(ioctl(fd, _IO('p', 0x7f)) && errno == ENOTTY);
}

static void one_opens_it(void)
{
	begin();
	WANT(open("/dev/rtc0", O_RDONLY) < 0 && errno == EBUSY);
	close(fd);
	begin();
}

/* Who may open it and lost the right. */
static void for_those_who_may(void)
{
	struct rtc_time t;

	begin();
	WANT_IS(ioctl(fd, RTC_RD_TIME, &t), 0);
	WANT_IS(setuid(NOBODY), 0);
	WANT_IS(ioctl(fd, RTC_RD_TIME, &t), 0);
	WANT(ioctl(fd, RTC_SET_TIME, &t) && errno == EACCES);
	WANT(open("/dev/rtc0", O_RDONLY) < 0 && errno == EACCES);
}

static void wakes(void)
{
	struct rtc_wkalrm set = {.enabled = 1}, found;

	begin();
	set.time = rtc_of(now() + 3600);
	WANT_IS(ioctl(fd, RTC_WKALM_SET, &set), 0);
	WANT_IS(ioctl(fd, RTC_WKALM_RD, &found), 0);
	WANT_IS(found.enabled, 1);
	WANT_IS(seconds_of(&found.time), seconds_of(&set.time));
	set.enabled = 0;
	WANT_IS(ioctl(fd, RTC_WKALM_SET, &set), 0);
	WANT_IS(ioctl(fd, RTC_WKALM_RD, &found), 0);
	WANT_IS(found.enabled, 0);
	WANT(ioctl(fd, RTC_WKALM_RD, BAD) && errno == EFAULT);
	WANT(ioctl(fd, RTC_WKALM_SET, BAD) && errno == EFAULT);
}

static const struct test_case cases[] = {
	CASE(is_the_date, "it is the date, and it runs"),
	CASE(is_set, "it is set, and the system's clock is not"),
	CASE(is_refused, "moments that there are not: EINVAL"),
	CASE(one_opens_it, "one opens it at a time"),
	CASE(for_those_who_may, "setting needs CAP_SYS_TIME"),
	CASE(wakes, "the moment to wake up"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
