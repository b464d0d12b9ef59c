/* SPDX-License-Identifier: MIT */
/* man 2 timerfd_create, timerfd_settime, timerfd_gettime. */
#include "files/timerfd.h"

#include <linux/capability.h>
#include <linux/timerfd.h>

#include "process/credentials.h"
#include "syscall/files.h"
#include "syscall/timespec.h"

_Static_assert(
	TFD_TIMER_ABSTIME == TIMERFD_ABSOLUTE && TFD_TIMER_CANCEL_ON_SET == TIMERFD_CANCEL_ON_SET,
	"the flags are passed on");

static bool is_alarm(int clock)
{
	return clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
}

long sys_timerfd_create(int clock, unsigned flags)
{
	struct file *file;
	int error;

	if ((flags & ~(unsigned)(TFD_CLOEXEC | TFD_NONBLOCK)) ||
		(clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME &&
			!is_alarm(clock)))
		return -EINVAL;
	if (is_alarm(clock) && !capable(CAP_WAKE_ALARM))
		return -EPERM;
	error = timerfd_make(clock, flags & TFD_NONBLOCK, &file);
	if (error)
		return error;
	error = files_install(current_files(), file, 0, flags & TFD_CLOEXEC);
	if (error < 0)
		file_put(file);
	return error;
}

/* With a reference. -EBADF, -EINVAL: another kind of file. */
static int get_timer(int fd, struct file **out)
{
	*out = get_real_file(fd);
	if (!*out)
		return -EBADF;
	if (file_is_timerfd(*out))
		return 0;
	file_put(*out);
	return -EINVAL;
}

static int put_setting(user_t out, const struct timerfd_setting *setting)
{
	struct __kernel_itimerspec spec = {
		ns_to_timespec(setting->interval), ns_to_timespec(setting->value)};

	return copy_to_user(out, &spec, sizeof(spec));
}

long sys_timerfd_settime(int fd, int flags, user_t in, user_t out)
{
	struct timerfd_setting setting, old;
	struct __kernel_itimerspec spec;
	struct file *file;
	int error;

	if (copy_from_user(&spec, in, sizeof(spec)))
		return -EFAULT;
	if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) ||
		timespec_to_ns(&spec.it_value, &setting.value) ||
		timespec_to_ns(&spec.it_interval, &setting.interval))
		return -EINVAL;
	error = get_timer(fd, &file);
	if (error)
		return error;
	error = timerfd_set(file, (unsigned)flags, &setting, &old);
	file_put(file);
	if (!error && out.address)
		error = put_setting(out, &old);
	return error;
}

long sys_timerfd_gettime(int fd, user_t out)
{
	struct timerfd_setting setting;
	struct file *file;
	int error = get_timer(fd, &file);

	if (error)
		return error;
	timerfd_get(file, &setting);
	file_put(file);
	return put_setting(out, &setting);
}
