/* SPDX-License-Identifier: MIT */
/*
 * Timers as files (man 2 timerfd_create): a read gives how often the timer has come since the last
 * one, and waits for the first time.
 *
 * A timer that comes again is not armed anew when it fires, but when somebody reads or asks: until
 * then nothing can be seen of how often it came, and an interval of a nanosecond costs nothing.
 * `came` counts what has been seen; as long as `expired`, further times are still to be counted.
 *
 * CANCEL_ON_SET: setting CLOCK_REALTIME makes a read fail with ECANCELED, once. The timer then stays on
 * the clock's list while it is open, armed or not; clock_set only marks it and wakes the readers.
 *
 * Lock: timer->lock over the numbers. Before it nothing; inside it the clocks' lock and a CPU's timers.
 * `canceled` and `came` are read without it by who waits.
 */
#include "files/timerfd.h"

#include <linux/time.h>

#include "arch/arch.h"
#include "files/anonymous.h"
#include "lib/errno.h"
#include "memory/slab.h"
#include "process/interval.h"
#include "process/wait.h"

struct timerfd {
	struct spinlock lock;
	int clock;
	struct clock_timer alarm;
	struct wait_queue readable;
	/* by lock */
	enum clock_base base; /* of `when` */
	ns_t when, interval;
	bool armed;   /* the alarm will come at `when` */
	bool expired; /* it came, `when` lies behind, and it is not armed anew yet */
	bool watches; /* CANCEL_ON_SET */
	uint64_t came;
	bool canceled; /* atomic */
};

/* Arms the alarm, if there is anything to come. */
static void arm(struct timerfd *timer) requires(timer->lock)
{
	if (timer->armed)
		clock_timer_arm(&timer->alarm, timer->base, timer->when);
	else if (timer->watches)
		clock_timer_arm(&timer->alarm, BASE_REALTIME, NS_NEVER);
}

static void alarm_fired(struct clock_timer *alarm)
{
	struct timerfd *timer = container_of(alarm, struct timerfd, alarm);
	bool due;

	spin_lock(&timer->lock);
	due = timer->armed && clock_base_now(timer->base) >= timer->when;
	if (due) {
		timer->armed = false;
		timer->expired = true;
		__atomic_store_n(&timer->came, timer->came + 1, __ATOMIC_RELEASE);
		arm(timer);
	}
	spin_unlock(&timer->lock);
	if (due)
		wake_events(&timer->readable, POLLIN);
}

/* The clock was set, whose lock is held. */
static void alarm_clock_set(struct clock_timer *alarm)
{
	struct timerfd *timer = container_of(alarm, struct timerfd, alarm);

	if (!__atomic_load_n(&timer->watches, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&timer->canceled, true, __ATOMIC_RELEASE);
	wake_all(&timer->readable);
}

/* Counts the times that came since the alarm, and arms it for the next. */
static void catch_up(struct timerfd *timer) requires(timer->lock)
{
	uint64_t times;

	if (!timer->expired || !timer->interval)
		return;
	times = interval_forward(&timer->when, timer->interval, clock_base_now(timer->base));
	if (times) /* the first is counted */
		timer->came += times - 1;
	timer->expired = false;
	timer->armed = true;
	arm(timer);
}

/* ---- The file ---- */

static bool is_readable(struct timerfd *timer)
{
	return __atomic_load_n(&timer->came, __ATOMIC_ACQUIRE) ||
	       __atomic_load_n(&timer->canceled, __ATOMIC_ACQUIRE);
}

/* What a read gives now: a count, 0 (nothing yet), or -ECANCELED. */
static int64_t take(struct timerfd *timer)
{
	uint64_t came;

	spin_lock(&timer->lock);
	if (timer->watches && __atomic_exchange_n(&timer->canceled, false, __ATOMIC_ACQ_REL)) {
		timer->came = 0;
		timer->expired = false;
		spin_unlock(&timer->lock);
		return -ECANCELED;
	}
	catch_up(timer);
	came = timer->came;
	timer->came = 0;
	timer->expired = false;
	spin_unlock(&timer->lock);
	return (int64_t)came;
}

static ssize_t timerfd_read(struct file *file, struct io *io, int64_t *position)
{
	struct timerfd *timer = file->private;
	int64_t count;
	int error;

	(void)position;
	if (io->left < sizeof(count))
		return -EINVAL;
	while (!(count = take(timer))) {
		if (file_nonblocking(file))
			return -EAGAIN;
		error = wait_event(&timer->readable, is_readable(timer));
		if (error)
			return error;
	}
	if (count < 0)
		return (ssize_t)count;
	return io_put(io, &count, sizeof(count)) == sizeof(count) ? (ssize_t)sizeof(count)
								  : -EFAULT;
}

static unsigned int timerfd_poll(struct file *file, struct wait_queue *queues[2])
{
	struct timerfd *timer = file->private;

	queues[0] = &timer->readable;
	return is_readable(timer) ? POLLIN : 0;
}

static void timerfd_release(struct file *file)
{
	struct timerfd *timer = file->private;

	clock_timer_cancel(&timer->alarm);
	kfree(timer);
}

static const struct file_operations operations = {
	.release = timerfd_release,
	.read = timerfd_read,
	.poll = timerfd_poll,
	.name = "anon_inode:[timerfd]",
	.traits = FILE_STREAM | FILE_SEEKS_NOWHERE,
};

bool file_is_timerfd(const struct file *file)
{
	return file->operations == &operations;
}

int timerfd_make(int clock, unsigned flags, struct file **out)
{
	struct timerfd *timer = kzalloc(sizeof(*timer));
	int error;

	if (!timer)
		return -ENOMEM;
	timer->clock = clock;
	spin_init(&timer->lock, "timerfd->lock");
	wait_queue_init(&timer->readable);
	clock_timer_init(&timer->alarm, alarm_fired);
	timer->alarm.clock_set = alarm_clock_set;
	error = anonymous_file(&operations, timer, flags | O_RDWR, out);
	if (error)
		kfree(timer);
	return error;
}

/* ---- Setting ---- */

static void describe(struct timerfd *timer, struct timerfd_setting *out) requires(timer->lock)
{
	catch_up(timer);
	out->interval = timer->interval;
	out->value = timer->armed ? interval_left(timer->when, clock_base_now(timer->base)) : 0;
}

void timerfd_get(struct file *file, struct timerfd_setting *out)
{
	struct timerfd *timer = file->private;

	spin_lock(&timer->lock);
	describe(timer, out);
	spin_unlock(&timer->lock);
}

/* A span is a span by any clock: it does not move when the date is set. */
static enum clock_base base_of(const struct timerfd *timer, unsigned flags)
{
	bool realtime = timer->clock == CLOCK_REALTIME || timer->clock == CLOCK_REALTIME_ALARM;

	return realtime && (flags & TIMERFD_ABSOLUTE) ? BASE_REALTIME : BASE_MONOTONIC;
}

int timerfd_set(struct file *file, unsigned flags, const struct timerfd_setting *setting,
	struct timerfd_setting *old)
{
	struct timerfd *timer = file->private;
	int error = 0;

	spin_lock(&timer->lock);
	describe(timer, old);
	timer->base = base_of(timer, flags);
	timer->watches = timer->base == BASE_REALTIME && (flags & TIMERFD_CANCEL_ON_SET);
	timer->came = 0;
	timer->expired = false;
	timer->armed = setting->value != 0;
	timer->interval = setting->interval;
	timer->when = flags & TIMERFD_ABSOLUTE
			      ? setting->value
			      : clock_add(clock_base_now(timer->base), setting->value);
	arm(timer);
	/* It was set while this one watched, and nobody has been told. */
	if (__atomic_exchange_n(&timer->canceled, false, __ATOMIC_ACQ_REL) && timer->watches &&
		timer->armed)
		error = -ECANCELED;
	spin_unlock(&timer->lock);
	return error;
}
