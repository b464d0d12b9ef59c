/* SPDX-License-Identifier: MIT */
/*
 * The firmware's clock (UEFI 2.10 8.3), each call of it behind bars (bars.c).
 *
 * /dev/rtc0 is that clock with Linux's ioctls (its drivers/rtc/dev.c, rtc-efi.c; man 4 rtc), for hwclock: the time is read and
 * set, and so is the moment at which the machine is to wake up. UEFI tells of no interrupts: there are none of updates, and
 * what is read from the file never comes. One opens it at a time. Setting the time is for CAP_SYS_TIME; it moves this clock,
 * not the system's.
 *
 * An EFI_TIME has a time zone, or none: then it is taken as UTC, as the CMOS clock is; as on Linux /dev/rtc0 leaves it alone.
 *
 * No lock of its own: `taken` is atomic, bars have theirs.
 */
#include "firmware/clock.h"

#include <efi.h>
#include <linux/capability.h>
#include <linux/rtc.h>

#include "devices/realtime.h"
#include "files/abi.h"
#include "files/devfs.h"
#include "files/io.h"
#include "firmware/bars.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/clocks.h"
#include "process/credentials.h"

#define RTC_MAJOR 251 /* any: Linux gives it what is free */

static bool taken; /* atomic: /dev/rtc0 is open */

/* ---- The services ---- */

static struct firmware_argument lent(enum firmware_argument_kind kind, void *buffer, size_t size)
{
	return (struct firmware_argument){.kind = kind, .buffer = buffer, .size = size};
}

static int call(struct firmware_call *call, enum evidence_service service)
{
	int error;

	call->service = service;
	call->record = kzalloc(sizeof(*call->record));
	if (!call->record)
		return -ENOMEM;
	error = firmware_call(call);
	kfree(call->record);
	if (error)
		return error == -EOPNOTSUPP ? -EINVAL : error;
	if (call->status == EFI_SUCCESS)
		return 0;
	return call->status == EFI_UNSUPPORTED || call->status == EFI_INVALID_PARAMETER ? -EINVAL
											: -EIO;
}

static int get_time(EFI_TIME *now)
{
	struct firmware_call get = {.arguments = {lent(FIRMWARE_OUT, now, sizeof(*now))}};

	return call(&get, EVIDENCE_GET_TIME);
}

static int set_time(EFI_TIME *now)
{
	struct firmware_call set = {.arguments = {lent(FIRMWARE_IN, now, sizeof(*now))}};

	return call(&set, EVIDENCE_SET_TIME);
}

static int get_wakeup(uint8_t *enabled, uint8_t *pending, EFI_TIME *when)
{
	struct firmware_call get = {
		.arguments = {lent(FIRMWARE_OUT, enabled, 1), lent(FIRMWARE_OUT, pending, 1),
			lent(FIRMWARE_OUT, when, sizeof(*when))}};

	return call(&get, EVIDENCE_GET_WAKEUP_TIME);
}

static int set_wakeup(bool enable, EFI_TIME *when)
{
	struct firmware_call set = {
		.arguments = {
			{.value = enable}, lent(FIRMWARE_IN, enable ? when : NULL, sizeof(*when))}};

	return call(&set, EVIDENCE_SET_WAKEUP_TIME);
}

/* ---- Moments ---- */

static bool to_seconds(const EFI_TIME *time, int64_t *seconds)
{
	struct calendar c = {
		time->Year, time->Month, time->Day, time->Hour, time->Minute, time->Second};

	return calendar_seconds(&c, seconds);
}

static EFI_TIME to_efi(int64_t seconds)
{
	struct calendar c = calendar_of(seconds);

	return (EFI_TIME){.Year = (uint16_t)c.year,
		.Month = (uint8_t)c.month,
		.Day = (uint8_t)c.day,
		.Hour = (uint8_t)c.hour,
		.Minute = (uint8_t)c.minute,
		.Second = (uint8_t)c.second,
		.TimeZone = EFI_UNSPECIFIED_TIMEZONE};
}

static int to_rtc(const EFI_TIME *time, struct rtc_time *out)
{
	int64_t seconds, days;

	if (!to_seconds(time, &seconds))
		return -EIO;
	days = seconds / 86400;
	*out = (struct rtc_time){
		.tm_sec = time->Second,
		.tm_min = time->Minute,
		.tm_hour = time->Hour,
		.tm_mday = time->Day,
		.tm_mon = time->Month - 1,
		.tm_year = time->Year - 1900,
		.tm_wday = (int)((days + 4) % 7), /* 1970 began on a Thursday */
		.tm_yday = (int)(days - realtime_days(time->Year, 1, 1)),
		.tm_isdst = !(time->Daylight & EFI_TIME_ADJUST_DAYLIGHT) ? -1
			    : time->Daylight & EFI_TIME_IN_DAYLIGHT      ? 1
									 : 0,
	};
	return 0;
}

static int from_rtc(const struct rtc_time *time, EFI_TIME *out)
{
	struct calendar c = {(int64_t)time->tm_year + 1900, (unsigned)time->tm_mon + 1,
		(unsigned)time->tm_mday, (unsigned)time->tm_hour, (unsigned)time->tm_min,
		(unsigned)time->tm_sec};
	int64_t seconds;

	if (time->tm_sec > 59 || !calendar_seconds(&c, &seconds))
		return -EINVAL;
	*out = to_efi(seconds);
	return 0;
}

/* ---- /dev/rtc0 ---- */

static long read_time(user_t to)
{
	EFI_TIME now;
	struct rtc_time out;
	int error = get_time(&now);

	if (!error)
		error = to_rtc(&now, &out);
	return error ? error : copy_to_user(to, &out, sizeof(out));
}

static long write_time(user_t from)
{
	struct rtc_time in;
	EFI_TIME time;
	int error;

	if (!capable(CAP_SYS_TIME))
		return -EACCES;
	if (copy_from_user(&in, from, sizeof(in)))
		return -EFAULT;
	error = from_rtc(&in, &time);
	return error ? error : set_time(&time);
}

static long read_wakeup(user_t to)
{
	struct rtc_wkalrm out = {0};
	EFI_TIME when;
	int error = get_wakeup(&out.enabled, &out.pending, &when);

	if (!error && to_rtc(&when, &out.time)) /* no moment: none was ever set */
		out.enabled = 0;
	return error ? error : copy_to_user(to, &out, sizeof(out));
}

static long write_wakeup(user_t from)
{
	struct rtc_wkalrm in;
	EFI_TIME when = {0};
	int error = 0;

	if (!capable(CAP_SYS_TIME))
		return -EACCES;
	if (copy_from_user(&in, from, sizeof(in)))
		return -EFAULT;
	if (in.enabled)
		error = from_rtc(&in.time, &when);
	return error ? error : set_wakeup(in.enabled, &when);
}

static long rtc_ioctl(struct file *file, unsigned int command, uintptr_t argument)
{
	user_t user = user_pointer(argument);

	switch (command) {
	case RTC_RD_TIME:
		return read_time(user);
	case RTC_SET_TIME:
		return write_time(user);
	case RTC_WKALM_RD:
		return read_wakeup(user);
	case RTC_WKALM_SET:
		return write_wakeup(user);
	case RTC_UIE_ON:
		return -EINVAL;
	case RTC_UIE_OFF:
		return 0;
	default:
		return -ENOTTY;
	}
}

static int rtc_open(struct file *file)
{
	return __atomic_exchange_n(&taken, true, __ATOMIC_ACQUIRE) ? -EBUSY : 0;
}

static void rtc_release(struct file *file)
{
	__atomic_store_n(&taken, false, __ATOMIC_RELEASE);
}

static const struct file_operations operations = {
	.open = rtc_open,
	.release = rtc_release,
	.ioctl = rtc_ioctl,
};

/* ---- The date ---- */

static void take_date(void)
{
	struct calendar c;
	int64_t seconds;
	EFI_TIME now;
	int error = get_time(&now);

	if (error) {
		log_warn("no date: UEFI's GetTime fails with error %d", -error);
		return;
	}
	if (!to_seconds(&now, &seconds)) {
		log_warn("no date: UEFI's GetTime says %u-%02u-%02u %02u:%02u:%02u", now.Year,
			now.Month, now.Day, now.Hour, now.Minute, now.Second);
		return;
	}
	if (now.TimeZone >= -1440 && now.TimeZone <= 1440) /* local time is UTC less that */
		seconds += now.TimeZone * 60;
	if (clocks_set_realtime((ns_t)seconds * NS_PER_SECOND))
		return; /* before the machine was switched on, which is 1970 */
	c = calendar_of(seconds);
	log_info("date: %d-%02u-%02u %02u:%02u:%02u UTC, by UEFI's GetTime", (int)c.year, c.month,
		c.day, c.hour, c.minute, c.second);
}

void firmware_clock_init(void)
{
	static struct device device = {.operations = &operations};
	bool there = firmware_supported() & 1u << EVIDENCE_GET_TIME;

	device.number = device_number(RTC_MAJOR, 0);
	if (there && devfs_add("rtc0", S_IFCHR | 0600, &device))
		log_warn("no memory for /dev/rtc0");
	if (realtime_is_known())
		return;
	if (there)
		take_date();
	if (!realtime_is_known())
		log_warn("no date: no clock tells it; CLOCK_REALTIME started at 1970-01-01");
}
