/* SPDX-License-Identifier: MIT */
/*
 * man 2 adjtimex, clock_adjtime: what a time daemon asks and says of CLOCK_REALTIME. It is stepped
 * (ADJ_SETOFFSET) and what is known about it is kept; it is not slewed, since its rate is the
 * monotonic clock's, so other rates than the nominal one are refused (-EOPNOTSUPP).
 *
 * Locks: adjust_lock over the words that are kept.
 */
#include <linux/capability.h>
#include <linux/timex.h>

#include "arch/arch.h"
#include "process/cpu_clock.h"
#include "process/credentials.h"
#include "syscall/table.h"
#include "syscall/timespec.h"

/* adjtime(3) as the kernel sees it: ADJ_OFFSET_SINGLESHOT is ADJ_OFFSET with the first of these,
 * ADJ_OFFSET_SS_READ with both. */
#define ADJ_ADJTIME         0x8000
#define ADJ_OFFSET_READONLY 0x2000

#define NOMINAL_TICK        10000    /* microseconds: a hundredth of a second, as USER_HZ has it */
#define TICK_RANGE          1000     /* Linux's, around it */
#define TOLERANCE           32768000 /* 500 ppm, as Linux tells it */
#define UNKNOWN             16000000 /* microseconds by which the clock may be wrong */
#define TAI_MOST            100000

static struct spinlock adjust_lock;
static struct {
	int status;
	long long maximum_error, estimated_error, constant;
} kept guarded_by(adjust_lock) = {STA_UNSYNC, UNKNOWN, UNKNOWN, 2};

static int check_offset(const struct __kernel_timex *in)
{
	long long most = in->modes & ADJ_NANO ? (long long)NS_PER_SECOND : 1000000;

	if (in->time.tv_usec < 0 || in->time.tv_usec >= most)
		return -EINVAL;
	/* What nanoseconds cannot count is no step that the clock could take. */
	return in->time.tv_sec > INT32_MAX * 4ll || in->time.tv_sec < -INT32_MAX * 4ll ? -EINVAL
										       : 0;
}

static int check(const struct __kernel_timex *in)
{
	bool single = in->modes & ADJ_ADJTIME;

	if (single && !(in->modes & ADJ_OFFSET))
		return -EINVAL;
	if (single && (in->modes & ADJ_OFFSET_READONLY))
		return 0;
	if (in->modes && !capable(CAP_SYS_TIME))
		return -EPERM;
	if (single)
		return in->offset ? -EOPNOTSUPP : 0;
	if ((in->modes & ADJ_TICK) &&
		(in->tick < NOMINAL_TICK - TICK_RANGE || in->tick > NOMINAL_TICK + TICK_RANGE))
		return -EINVAL;
	if (((in->modes & ADJ_TICK) && in->tick != NOMINAL_TICK) ||
		((in->modes & ADJ_FREQUENCY) && in->freq) ||
		((in->modes & ADJ_OFFSET) && in->offset))
		return -EOPNOTSUPP;
	return in->modes & ADJ_SETOFFSET ? check_offset(in) : 0;
}

static int step(const struct __kernel_timex *in)
{
	long long part = in->modes & ADJ_NANO ? in->time.tv_usec : in->time.tv_usec * 1000;

	return clocks_step_realtime(in->time.tv_sec * (int64_t)NS_PER_SECOND + part);
}

static void keep(const struct __kernel_timex *in)
{
	spin_lock(&adjust_lock);
	if (in->modes & ADJ_STATUS)
		kept.status = (kept.status & STA_RONLY) | (in->status & ~STA_RONLY);
	if (in->modes & ADJ_MAXERROR)
		kept.maximum_error = in->maxerror;
	if (in->modes & ADJ_ESTERROR)
		kept.estimated_error = in->esterror;
	if (in->modes & ADJ_NANO)
		kept.status |= STA_NANO;
	if (in->modes & ADJ_MICRO)
		kept.status &= ~STA_NANO;
	if (in->modes & ADJ_TIMECONST)
		kept.constant = in->constant;
	spin_unlock(&adjust_lock);
	if ((in->modes & ADJ_TAI) && in->constant >= 0 && in->constant <= TAI_MOST)
		clocks_set_tai_offset(in->constant);
}

/* What adjtimex returns: the clock's state. */
static int describe(struct __kernel_timex *out)
{
	ns_t now = clock_base_now(BASE_REALTIME);

	spin_lock(&adjust_lock);
	out->status = kept.status;
	out->maxerror = kept.maximum_error;
	out->esterror = kept.estimated_error;
	out->constant = kept.constant;
	spin_unlock(&adjust_lock);
	out->offset = out->freq = 0;
	out->precision = 1;
	out->tolerance = TOLERANCE;
	out->tick = NOMINAL_TICK;
	out->tai = (int)(clocks_tai_offset() / (int64_t)NS_PER_SECOND);
	out->ppsfreq = out->jitter = out->stabil = 0;
	out->shift = 0;
	out->jitcnt = out->calcnt = out->errcnt = out->stbcnt = 0;
	out->time.tv_sec = (long)(now / NS_PER_SECOND);
	out->time.tv_usec = (long)(now % NS_PER_SECOND / (out->status & STA_NANO ? 1 : 1000));
	return out->status & (STA_UNSYNC | STA_CLOCKERR) ? TIME_ERROR : TIME_OK;
}

static long adjust(user_t at)
{
	struct __kernel_timex words;
	int result;

	if (copy_from_user(&words, at, sizeof(words)))
		return -EFAULT;
	result = check(&words);
	if (!result && !(words.modes & ADJ_ADJTIME)) {
		if (words.modes & ADJ_SETOFFSET)
			result = step(&words);
		if (!result)
			keep(&words);
	}
	if (result)
		return result;
	result = describe(&words);
	return copy_to_user(at, &words, sizeof(words)) ? -EFAULT : result;
}

long sys_adjtimex(user_t at)
{
	return adjust(at);
}

long sys_clock_adjtime(int clock, user_t at)
{
	struct __kernel_timex words;
	ns_t now;

	if (copy_from_user(
		    &words, at, sizeof(words))) /* before the clock is looked at, as Linux does */
		return -EFAULT;
	if (clock == CLOCK_REALTIME)
		return adjust(at);
	if (clock_base_of(clock) < 0 && cpu_clock_read(clock, &now))
		return -EINVAL;
	return -EOPNOTSUPP;
}
