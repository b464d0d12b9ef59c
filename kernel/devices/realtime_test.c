/* SPDX-License-Identifier: MIT */
/* The date: days of the calendar against a day-by-day count, and the CMOS clock in its four forms,
 * torn, broken and missing, against a model of the chip. */
#include "devices/realtime.h"

#include "arch/arch.h"
#include "arch/fake/fake.h"
#include "arch/fake/test.h"
#include "firmware/acpi.h"
#include "lib/log.h"

#define CENTURY 0x32

static struct {
	uint8_t registers[128];
	unsigned index;
	bool missing;      /* nothing answers */
	unsigned updating; /* that many readings of status A say so */
	unsigned reads;
	unsigned tick_at;      /* at this reading the second goes on; 0: never */
	unsigned always_ticks; /* at every such many readings */
} cmos;

static char said[256]; /* the last line of the log */

void log_line(enum log_level level, const char *text, ...)
{
	va_list arguments;

	(void)level;
	va_start(arguments, text);
	vsnprintf(said, sizeof(said), text, arguments);
	va_end(arguments);
}

/* What a chip does at midnight: all changes. */
static void tick(void)
{
	cmos.registers[0] = 0x00;
	cmos.registers[2] = 0x00;
	cmos.registers[4] = 0x00;
	cmos.registers[7] = 0x01;
	cmos.registers[8] = 0x01;
	cmos.registers[9] = 0x24;
}

void arch_out8(uint16_t port, uint8_t value)
{
	CHECK_EQUAL(port, 0x70);
	cmos.index = value & 0x7f;
}

uint8_t arch_in8(uint16_t port)
{
	CHECK_EQUAL(port, 0x71);
	cmos.reads++;
	if (cmos.missing)
		return 0xff;
	if (cmos.tick_at && cmos.reads == cmos.tick_at)
		tick();
	if (cmos.always_ticks && cmos.reads % cmos.always_ticks == 0)
		cmos.registers[0]++;
	if (cmos.index == 0x0a && cmos.updating) {
		cmos.updating--;
		return 0xa6;
	}
	return cmos.registers[cmos.index];
}

static struct acpi_info acpi;

/* 2023-12-31 23:59:58 in the form of the PC: BCD, 24 hours. */
static void start(void)
{
	memset(&cmos, 0, sizeof(cmos));
	cmos.registers[0] = 0x58;
	cmos.registers[2] = 0x59;
	cmos.registers[4] = 0x23;
	cmos.registers[7] = 0x31;
	cmos.registers[8] = 0x12;
	cmos.registers[9] = 0x23;
	cmos.registers[CENTURY] = 0x20;
	cmos.registers[0x0a] = 0x26;
	cmos.registers[0x0b] = 0x02;
	acpi.fadt.century = CENTURY;
	fake_clock_set(0);
}

#define BEFORE_MIDNIGHT INT64_C(1704067198)

static void check_date(int64_t seconds)
{
	realtime_init(&acpi);
	CHECK_EQUAL(realtime_offset(), seconds * (int64_t)NS_PER_SECOND);
}

/* Nothing is believed: the clock stays at 1970 and the log says why. */
static void check_none(const char *words)
{
	said[0] = '\0';
	realtime_init(&acpi);
	CHECK_EQUAL(realtime_offset(), 0);
	if (!strstr(said, words))
		fprintf(stderr, "said: %s\n", said);
	CHECK(strstr(said, words));
}

static bool leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static void test_days(void)
{
	static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t days = 0;

	for (unsigned year = 1970; year <= 2400; year++) {
		for (unsigned month = 1; month <= 12; month++) {
			unsigned length = lengths[month - 1] + (month == 2 && leap(year));

			for (unsigned day = 1; day <= length; day++)
				CHECK_EQUAL(realtime_days(year, month, day), days++);
		}
	}
	CHECK_EQUAL(realtime_days(1969, 12, 31), -1);
	CHECK_EQUAL(realtime_days(1600, 3, 1), -135080);
	CHECK_EQUAL(realtime_days(0, 3, 1), -719468);
	CHECK_EQUAL(realtime_days(-400, 3, 1), -719468 - 146097);
}

/* Each day of 430 years there and back, and moments that there are not. */
static void test_calendar(void)
{
	static const struct calendar wrong[] = {{1969, 12, 31, 23, 59, 59}, {2501, 1, 1, 0, 0, 0},
		{2023, 0, 1, 0, 0, 0}, {2023, 13, 1, 0, 0, 0}, {2023, 1, 0, 0, 0, 0},
		{2023, 2, 29, 0, 0, 0}, {2024, 2, 30, 0, 0, 0}, {2023, 1, 1, 24, 0, 0},
		{2023, 1, 1, 0, 60, 0}, {2023, 1, 1, 0, 0, 61}, {2023, UINT32_MAX, 1, 0, 0, 0},
		{2023, 1, UINT32_MAX, 0, 0, 0}};
	int64_t seconds;

	for (int64_t day = 0; day < 430 * 365; day++) {
		int64_t at = day * 86400 + day * 7919 % 86400;
		struct calendar c = calendar_of(at);

		CHECK(calendar_seconds(&c, &seconds));
		CHECK_EQUAL(seconds, at);
		CHECK(c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= 31);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		CHECK(!calendar_seconds(&wrong[i], &seconds));
}

/* The firmware's tables say that there is no such clock: it is not touched. */
static void test_none(void)
{
	start();
	acpi.fadt.no_cmos_clock = true;
	realtime_init(&acpi);
	CHECK_EQUAL(realtime_offset(), 0);
	CHECK(!realtime_is_known());
	CHECK_EQUAL(cmos.reads, 0);
}

static void test_bcd(void)
{
	start();
	check_date(BEFORE_MIDNIGHT);
	CHECK_STRING(said, "date: 2023-12-31 23:59:58 UTC");
}

static void test_binary(void)
{
	start();
	cmos.registers[0x0b] = 0x06;
	cmos.registers[0] = 58;
	cmos.registers[2] = 59;
	cmos.registers[4] = 23;
	cmos.registers[7] = 31;
	cmos.registers[8] = 12;
	cmos.registers[9] = 23;
	cmos.registers[CENTURY] = 20;
	check_date(BEFORE_MIDNIGHT);
}

/* 12 hours: midnight is 12 AM, noon 12 PM. */
static void test_twelve_hours(void)
{
	static const uint8_t bcd[24] = {0x12, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09,
		0x10, 0x11, 0x92, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x90, 0x91};

	for (unsigned hour = 0; hour < 24; hour++) {
		start();
		cmos.registers[0x0b] = 0x00;
		cmos.registers[4] = bcd[hour];
		check_date(BEFORE_MIDNIGHT - (23 - hour) * 3600);
		start();
		for (unsigned i = 0; i < 10; i++) /* the same in binary */
			cmos.registers[i] =
				(uint8_t)(cmos.registers[i] / 16 * 10 + cmos.registers[i] % 16);
		cmos.registers[CENTURY] = 20;
		cmos.registers[0x0b] = 0x04;
		cmos.registers[4] =
			(uint8_t)((hour % 12 ? hour % 12 : 12) | (hour >= 12 ? 0x80 : 0));
		check_date(BEFORE_MIDNIGHT - (23 - hour) * 3600);
	}
}

static void test_century(void)
{
	start();
	acpi.fadt.century = 0; /* no such register */
	check_date(BEFORE_MIDNIGHT);
	cmos.registers[9] = 0x70;
	check_date((realtime_days(1970, 12, 31) + 1) * 86400 - 2);
	cmos.registers[9] = 0x69;
	check_date((realtime_days(2069, 12, 31) + 1) * 86400 - 2);
	start();
	cmos.registers[CENTURY] = 0xff; /* garbage there: as if there were none */
	check_date(BEFORE_MIDNIGHT);
	cmos.registers[CENTURY] = 0x21;
	check_date((realtime_days(2123, 12, 31) + 1) * 86400 - 2);
}

static void test_clock_runs(void)
{
	start();
	fake_clock_set(5 * NS_PER_SECOND / 2);
	realtime_init(&acpi);
	CHECK_EQUAL(realtime_offset(), BEFORE_MIDNIGHT * (int64_t)NS_PER_SECOND - 2500000000);
}

static void test_updating(void)
{
	start();
	cmos.updating = 15000; /* 2 ms of a quick look */
	check_date(BEFORE_MIDNIGHT);
}

static void test_updating_for_ever(void)
{
	start();
	cmos.updating = 1000000;
	check_none("the CMOS clock does not answer");
	CHECK(cmos.reads < 100000);
}

/* Whenever the second changes, the date is the one before or the one after: nothing in between. */
static void test_torn(void)
{
	unsigned after = 0;

	for (unsigned at = 1; at < 40; at++) {
		int64_t seconds;

		start();
		cmos.tick_at = at;
		realtime_init(&acpi);
		seconds = (int64_t)(realtime_offset() / NS_PER_SECOND);
		CHECK(seconds == BEFORE_MIDNIGHT || seconds == BEFORE_MIDNIGHT + 2);
		after += seconds > BEFORE_MIDNIGHT;
	}
	CHECK(after > 5 && after < 39);
}

static void test_never_twice_the_same(void)
{
	start();
	cmos.always_ticks = 3;
	check_none("the CMOS clock does not answer");
}

static void test_missing(void)
{
	start();
	cmos.missing = true;
	check_none("the CMOS clock does not answer");
}

static void test_broken(void)
{
	static const struct {
		uint8_t index, value;
	} broken[] = {{0, 0x61}, {0, 0x5a + 0x10}, {2, 0x60}, {4, 0x24}, {7, 0x00}, {7, 0x32},
		{8, 0x00}, {8, 0x13}, {8, 0x02} /* 31 February */, {8, 0x11} /* 31 November */,
		{0, 0x4a} /* no decimal digit */, {7, 0x1f}, {9, 0xf3}, {CENTURY, 0x19} /* 1923 */,
		{CENTURY, 0x30} /* 3023: more nanoseconds than 64 bits hold */};

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		start();
		cmos.registers[broken[i].index] = broken[i].value;
		said[0] = '\0';
		check_none("the CMOS clock says");
	}
	start();
	cmos.registers[0x0b] = 0; /* 12 hours, and an hour 0 */
	cmos.registers[4] = 0x00;
	check_none("the CMOS clock says");
	cmos.registers[4] = 0x13;
	check_none("the CMOS clock says");
	start();
	cmos.registers[0] = 0x60; /* a leap second */
	check_date(BEFORE_MIDNIGHT + 2);
	start();
	cmos.registers[8] = 0x02;
	cmos.registers[7] = 0x29;
	cmos.registers[9] = 0x24;
	check_date((realtime_days(2024, 2, 29) + 1) * 86400 - 2);
	start();
	cmos.registers[8] = 0x02;
	cmos.registers[7] = 0x29;
	realtime_init(&acpi);
	CHECK(strstr(said, "the CMOS clock says"));
}

int main(void)
{
	RUN(test_days);
	RUN(test_calendar);
	RUN(test_none);
	RUN(test_bcd);
	RUN(test_binary);
	RUN(test_twelve_hours);
	RUN(test_century);
	RUN(test_clock_runs);
	RUN(test_updating);
	RUN(test_updating_for_ever);
	RUN(test_torn);
	RUN(test_never_twice_the_same);
	RUN(test_missing);
	RUN(test_broken);
	return test_result();
}
