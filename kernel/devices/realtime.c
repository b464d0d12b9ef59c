/* SPDX-License-Identifier: MIT */
/* The date, from the CMOS clock (MC146818) once at start; it is taken as UTC. Two readings must agree
 * and no update be under way, else a value torn in the middle could be believed. Where there is none, or what it says cannot be,
 * the firmware is asked before process 1 starts (firmware/clock.c). */
#include "devices/realtime.h"

#include "arch/arch.h"
#include "firmware/acpi.h"
#include "lib/log.h"
#include "lib/string.h"

#define CMOS_INDEX     0x70
#define CMOS_DATA      0x71
#define CMOS_NMI_OFF   0x80
#define STATUS_A       0x0a
#define STATUS_B       0x0b
#define UPDATING       0x80
#define STATUS_24_HOUR 0x02
#define STATUS_BINARY  0x04
#define TRIES          20000 /* an update takes 2 ms, and a look at it may take a tenth of a microsecond */
#define INVALID        0xff /* above what any field may be */
#define LAST_YEAR      2500 /* 64 bits of nanoseconds reach to 2554 */

struct cmos_time {
	uint8_t second, minute, hour, day, month, year, century;
};

ns_t realtime_offset_word;

int64_t realtime_days(int64_t year, unsigned month, unsigned day)
{
	/* Years begin in March, so that the leap day comes last. */
	int64_t y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year =
		(153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (int64_t)day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static uint8_t cmos_read(uint8_t index)
{
	arch_out8(CMOS_INDEX, index);
	return arch_in8(CMOS_DATA);
}

static struct cmos_time read_once(uint8_t century_index)
{
	return (struct cmos_time){cmos_read(0), cmos_read(2), cmos_read(4), cmos_read(7),
		cmos_read(8), cmos_read(9), century_index ? cmos_read(century_index) : 0};
}

static uint8_t from_bcd(uint8_t v)
{
	return v >> 4 > 9 || (v & 15) > 9 ? INVALID : (uint8_t)((v >> 4) * 10 + (v & 15));
}

static void decode(struct cmos_time *t, uint8_t status)
{
	bool afternoon = t->hour & 0x80;

	t->hour &= 0x7f;
	if (!(status & STATUS_BINARY)) {
		t->second = from_bcd(t->second);
		t->minute = from_bcd(t->minute);
		t->hour = from_bcd(t->hour);
		t->day = from_bcd(t->day);
		t->month = from_bcd(t->month);
		t->year = from_bcd(t->year);
		t->century = from_bcd(t->century);
	}
	if (!(status & STATUS_24_HOUR))
		t->hour = t->hour < 1 || t->hour > 12
				  ? INVALID
				  : (uint8_t)(t->hour % 12 + (afternoon ? 12 : 0));
}

bool calendar_seconds(const struct calendar *c, int64_t *seconds)
{
	if (c->year < 1970 || c->year > LAST_YEAR || c->month < 1 || c->month > 12)
		return false;
	if (c->day < 1 || c->day > realtime_days(c->month == 12 ? c->year + 1 : c->year,
					   c->month % 12 + 1, 1) -
					   realtime_days(c->year, c->month, 1))
		return false;
	if (c->hour > 23 || c->minute > 59 || c->second > 60)
		return false;
	*seconds =
		((realtime_days(c->year, c->month, c->day) * 24 + c->hour) * 60 + c->minute) * 60 +
		c->second;
	return true;
}

struct calendar calendar_of(int64_t seconds)
{
	int64_t days = seconds / 86400, rest = seconds % 86400;
	struct calendar c = {.year = 1970 + days / 366, .month = 1};

	while (realtime_days(c.year + 1, 1, 1) <= days)
		c.year++;
	while (c.month < 12 && realtime_days(c.year, c.month + 1, 1) <= days)
		c.month++;
	c.day = (unsigned)(days - realtime_days(c.year, c.month, 1)) + 1;
	c.hour = (unsigned)(rest / 3600);
	c.minute = (unsigned)(rest / 60 % 60);
	c.second = (unsigned)(rest % 60);
	return c;
}

bool realtime_is_known(void)
{
	return realtime_offset_word;
}

static bool read_stable(struct cmos_time *out, uint8_t century_index)
{
	for (int i = 0; i < TRIES; i++) {
		struct cmos_time first, second;

		if (cmos_read(STATUS_A) & UPDATING)
			continue;
		first = read_once(century_index);
		if (cmos_read(STATUS_A) & UPDATING)
			continue;
		second = read_once(century_index);
		if (!memcmp(&first, &second, sizeof(first))) {
			*out = second;
			return true;
		}
	}
	return false;
}

void realtime_init(const struct acpi_info *acpi)
{
	struct cmos_time t;
	struct calendar c;
	int64_t seconds;

	if (acpi->fadt.no_cmos_clock)
		return;
	if (!read_stable(&t, acpi->fadt.century)) {
		log_warn("the CMOS clock does not answer");
		return;
	}
	decode(&t, cmos_read(STATUS_B));
	c = (struct calendar){.month = t.month,
		.day = t.day,
		.hour = t.hour,
		.minute = t.minute,
		.second = t.second};
	c.year = t.century >= 19 && t.century <= 30 ? t.century * 100 + t.year
						    : (t.year < 70 ? 2000 : 1900) + t.year;
	if (t.year > 99 || !calendar_seconds(&c, &seconds)) {
		log_warn("the CMOS clock says %d-%02u-%02u %02u:%02u:%02u", (int)c.year, t.month,
			t.day, t.hour, t.minute, t.second);
		return;
	}
	realtime_offset_word = (ns_t)seconds * NS_PER_SECOND - arch_clock();
	log_info("date: %d-%02u-%02u %02u:%02u:%02u UTC", (int)c.year, c.month, c.day, c.hour,
		c.minute, c.second);
}
