/* SPDX-License-Identifier: MIT */
/*
 * Interval timers (man 2 setitimer, alarm): three a process, inherited by nobody, kept over exec.
 *
 * ITIMER_REAL is an ordinary timer; the other two are alarms by the process's CPU clocks
 * (cpu_timer.c). A signal that is pending already is not sent again, so a short interval is stretched:
 * the timer comes at most every REAL_LEAST.
 *
 * Locks: process_lock.
 */
#include <asm/signal.h>
#include <linux/time.h>

#include "arch/arch.h"
#include "process/cpu_clock.h"
#include "process/interval.h"
#include "process/process.h"

#define REAL_LEAST (50 * UINT64_C(1000))

static void real_fired(struct clock_timer *timer)
{
	struct process_timers *timers = container_of(timer, struct process_timers, real_timer);
	struct process *process = container_of(timers, struct process, timers);
	struct process_alarm *alarm = &timers->real;
	ns_t now;

	spin_lock(&process_lock);
	now = arch_clock();
	if (alarm->when && now >= alarm->when && !process->zombie) {
		signal_send_kernel(process, SIGALRM);
		if (alarm->interval) {
			interval_forward(&alarm->when, alarm->interval,
				alarm->interval < REAL_LEAST ? now + REAL_LEAST : now);
			clock_timer_arm(timer, BASE_MONOTONIC, alarm->when);
		} else {
			alarm->when = 0;
		}
	}
	spin_unlock(&process_lock);
}

void interval_timers_init(struct process_timers *timers)
{
	clock_timer_init(&timers->real_timer, real_fired);
}

static struct process_alarm *alarm_of(struct process_timers *timers, int which)
{
	return which == ITIMER_REAL      ? &timers->real
	       : which == ITIMER_VIRTUAL ? &timers->virtual
					 : &timers->profile;
}

static ns_t now_by(struct process *process, int which) requires(process_lock)
{
	if (which == ITIMER_REAL)
		return arch_clock();
	return cpu_clock_of_process(
		process, which == ITIMER_VIRTUAL ? CPU_CLOCK_VIRTUAL : CPU_CLOCK_PROFILE);
}

static void describe(const struct process_alarm *alarm, ns_t now, struct timer_setting *out)
{
	out->value = alarm->when ? interval_left(alarm->when, now) : 0;
	out->interval = alarm->interval;
}

void interval_timer_get(int which, struct timer_setting *out)
{
	struct process *process = current_process();

	spin_lock(&process_lock);
	describe(alarm_of(&process->timers, which), now_by(process, which), out);
	spin_unlock(&process_lock);
}

void interval_timer_set(int which, const struct timer_setting *setting, struct timer_setting *old)
{
	struct process *process = current_process();
	struct process_alarm *alarm = alarm_of(&process->timers, which);
	ns_t now;

	spin_lock(&process_lock);
	now = now_by(process, which);
	describe(alarm, now, old);
	alarm->when = setting->value ? clock_add(now, setting->value) : 0;
	alarm->interval = setting->value ? setting->interval : 0;
	if (which != ITIMER_REAL)
		cpu_timers_changed(process);
	else if (alarm->when)
		clock_timer_arm(&process->timers.real_timer, BASE_MONOTONIC, alarm->when);
	spin_unlock(&process_lock);
}
