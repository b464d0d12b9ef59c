/* SPDX-License-Identifier: MIT */
/* man 2 timer_create, timer_settime, timer_getoverrun, timer_delete, getitimer, setitimer, alarm. */
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "process/process.h"
#include "syscall/table.h"
#include "syscall/timespec.h"

/* ---- POSIX timers ---- */

static int read_event(const struct sigevent *event, struct timer_request *out)
{
	*out = (struct timer_request){.notify = NOTIFY_SIGNAL, .signal = SIGALRM};
	if (!event)
		return 0;
	out->signal = event->sigev_signo;
	out->has_value = true;
	out->value = (uint64_t)event->sigev_value.sival_ptr;
	switch (event->sigev_notify) {
	case SIGEV_NONE:
		out->notify = NOTIFY_NOTHING;
		return 0;
	case SIGEV_SIGNAL | SIGEV_THREAD_ID:
		out->thread = event->_sigev_un._tid;
		if (out->thread <= 0)
			return -EINVAL;
		break;
	case SIGEV_SIGNAL:
	case SIGEV_THREAD: /* the C library starts the thread: for the kernel it is the signal */
		break;
	default:
		return -EINVAL;
	}
	return out->signal > 0 && out->signal <= SIGNALS ? 0 : -EINVAL;
}

long sys_timer_create(int clock, user_t event, user_t id_out)
{
	struct timer_request request;
	struct sigevent record;
	int error, id;

	if (event.address && copy_from_user(&record, event, sizeof(record)))
		return -EFAULT;
	error = posix_timer_clock(clock);
	if (!error)
		error = read_event(event.address ? &record : NULL, &request);
	if (error)
		return error;
	request.clock = clock;
	id = posix_timer_create(&request);
	if (id < 0)
		return id;
	if (!copy_to_user(id_out, &id, sizeof(id)))
		return 0;
	error = posix_timer_delete(id);
	return error ? error : -EFAULT;
}

static int put_setting(user_t out, const struct timer_setting *setting)
{
	struct __kernel_itimerspec spec = {
		ns_to_timespec(setting->interval), ns_to_timespec(setting->value)};

	return copy_to_user(out, &spec, sizeof(spec));
}

long sys_timer_settime(int id, unsigned flags, user_t in, user_t out)
{
	struct timer_setting setting, old;
	struct __kernel_itimerspec spec;
	int error;

	if (!in.address)
		return -EINVAL;
	if (copy_from_user(&spec, in, sizeof(spec)))
		return -EFAULT;
	if (timespec_to_ns(&spec.it_value, &setting.value) ||
		timespec_to_ns(&spec.it_interval, &setting.interval))
		return -EINVAL;
	error = posix_timer_set(id, flags & TIMER_ABSTIME, &setting, &old);
	return !error && out.address ? put_setting(out, &old) : error;
}

long sys_timer_gettime(int id, user_t out)
{
	struct timer_setting setting;
	int error = posix_timer_get(id, &setting);

	return error ? error : put_setting(out, &setting);
}

long sys_timer_getoverrun(int id)
{
	return posix_timer_overrun(id);
}

long sys_timer_delete(int id)
{
	return posix_timer_delete(id);
}

/* ---- Interval timers ---- */

static struct __kernel_old_timeval ns_to_timeval(ns_t time)
{
	/* Rounded up, so that an armed timer never says 0. */
	time = clock_add(time, 999);
	return (struct __kernel_old_timeval){
		(long)(time / NS_PER_SECOND), (long)(time % NS_PER_SECOND / 1000)};
}

static int timeval_to_ns(const struct __kernel_old_timeval *value, ns_t *out)
{
	struct __kernel_timespec spec = {value->tv_sec, value->tv_usec * 1000};

	if ((uint64_t)value->tv_usec >= 1000000)
		return -EINVAL;
	return timespec_to_ns(&spec, out);
}

static bool is_interval_timer(int which)
{
	return which == ITIMER_REAL || which == ITIMER_VIRTUAL || which == ITIMER_PROF;
}

static int put_values(user_t out, const struct timer_setting *setting)
{
	struct __kernel_old_timeval values[2] = {
		ns_to_timeval(setting->interval), ns_to_timeval(setting->value)};

	if (!setting->interval)
		values[0] = (struct __kernel_old_timeval){0, 0};
	if (!setting->value)
		values[1] = (struct __kernel_old_timeval){0, 0};
	return copy_to_user(out, values, sizeof(values));
}

long sys_getitimer(int which, user_t out)
{
	struct timer_setting setting;

	if (!is_interval_timer(which))
		return -EINVAL;
	interval_timer_get(which, &setting);
	return put_values(out, &setting);
}

long sys_setitimer(int which, user_t in, user_t out)
{
	struct __kernel_old_timeval values[2] = {{0, 0}, {0, 0}}; /* interval, value */
	struct timer_setting setting, old;

	if (in.address && copy_from_user(values, in, sizeof(values)))
		return -EFAULT;
	if (timeval_to_ns(&values[0], &setting.interval) ||
		timeval_to_ns(&values[1], &setting.value) || !is_interval_timer(which))
		return -EINVAL;
	interval_timer_set(which, &setting, &old);
	return out.address ? put_values(out, &old) : 0;
}

/* What was left, in seconds: half a second and more counts as one, and less than one as one. */
long sys_alarm(unsigned seconds)
{
	struct timer_setting setting = {seconds * NS_PER_SECOND, 0}, old;

	interval_timer_set(ITIMER_REAL, &setting, &old);
	if (old.value && old.value < NS_PER_SECOND)
		return 1;
	return (long)((old.value + NS_PER_SECOND / 2) / NS_PER_SECOND);
}
