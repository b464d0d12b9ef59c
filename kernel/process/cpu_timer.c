/* SPDX-License-Identifier: MIT */
/*
 * Timers by CPU clocks, of a process or of one of its threads, RLIMIT_CPU and RLIMIT_RTTIME.
 *
 * Such a clock goes only as fast as the process runs, at most once for each CPU. So the earliest
 * moment at which a timer may be due is known, and one ordinary timer a process is set for the earliest
 * of all (process_timers.look). When it comes, the clocks are read: what is due expires, and for the
 * rest the next look is set. A process that runs alone on one CPU is looked at once, at the right
 * moment. One that has not run at all since the last look is not looked at any more: its threads get
 * WORK_TIMERS, and the first that comes to user mode sets the next look. So nobody pays for it at a
 * switch, and an idle CPU stays idle.
 *
 * Invariant: while a CPU timer or alarm of a process is on, either `look` is armed or `idle` is set and
 * every thread of the process has WORK_TIMERS, or a look is under way.
 *
 * Locks: process_lock, taken in the timer interrupt; inside it the run queues' and the timers'.
 */
#include <asm/signal.h>
#include <linux/resource.h>
#include <linux/time.h>

#include "arch/arch.h"
#include "lib/errno.h"
#include "process/cpu.h"
#include "process/cpu_clock.h"
#include "process/interval.h"
#include "process/process.h"
#include "process/sched.h"

/* Between two looks at the least: a bound on what they cost, so that timers of a nanosecond leave the process time to run
 * (Linux looks once a tick). */
#define LOOK_LEAST (1000 * UINT64_C(1000))
#define LOOK_MOST  (10 * NS_PER_SECOND)

bool cpu_timer_now(struct process *process, const struct cpu_timer *timer, ns_t *now)
{
	if (!timer->thread) {
		*now = cpu_clock_of_process(process, timer->clock);
		return true;
	}
	if (!timer->thread->thread)
		return false;
	*now = cpu_clock_of_thread(timer->thread->thread, timer->clock);
	return true;
}

/* ---- Looking ---- */

static bool has_any(const struct process_timers *timers)
{
	return !list_empty(&timers->cpu) || timers->virtual.when || timers->profile.when ||
	       timers->limit || timers->rt_limited;
}

/* An interval timer: sends its signal if it is due; what is left of it, as CPU time. */
static ns_t look_at_alarm(struct process *process, struct process_alarm *alarm, int clock,
	int signal) requires(process_lock)
{
	ns_t now;

	if (!alarm->when)
		return NS_NEVER;
	now = cpu_clock_of_process(process, clock);
	if (interval_forward(&alarm->when, alarm->interval, now)) {
		if (!alarm->interval)
			alarm->when = 0;
		signal_send_kernel(process, signal);
	}
	return alarm->when ? alarm->when - now : NS_NEVER;
}

/* Seconds of RLIMIT_CPU as CPU time; more than a clock can say is never. */
static ns_t limit_time(uint64_t seconds)
{
	return seconds < NS_NEVER / NS_PER_SECOND ? seconds * NS_PER_SECOND : NS_NEVER;
}

static ns_t microseconds(uint64_t count)
{
	return count < NS_NEVER / 1000 ? count * 1000 : NS_NEVER;
}

/* SIGXCPU at the soft limit and each second after it, SIGKILL at the hard one. */
static ns_t look_at_limit(struct process *process) requires(process_lock)
{
	struct process_timers *timers = &process->timers;
	ns_t hard = limit_time(process->limits[RLIMIT_CPU].hard), now;

	if (!timers->limit)
		return NS_NEVER;
	now = cpu_clock_of_process(process, CPU_CLOCK_PROFILE);
	if (now >= hard) {
		timers->limit = 0;
		signal_send_kernel(process, SIGKILL);
		return NS_NEVER;
	}
	if (now >= timers->limit) {
		signal_send_kernel(process, SIGXCPU);
		timers->limit += ((now - timers->limit) / NS_PER_SECOND + 1) * NS_PER_SECOND;
	}
	return (timers->limit < hard ? timers->limit : hard) - now;
}

/* The same for a thread that has run so long under SCHED_FIFO or SCHED_RR without sleeping. As on Linux
 * the soft limit itself goes up by a second. */
static ns_t look_at_rt_limit(struct process *process) requires(process_lock)
{
	struct limit *limit = &process->limits[RLIMIT_RTTIME];
	struct thread *thread;
	ns_t longest = 0;

	if (!process->timers.rt_limited)
		return NS_NEVER;
	list_for_each(thread, &process->threads, siblings)
	{
		ns_t time = thread_rt_time(thread);

		longest = time > longest ? time : longest;
	}
	if (longest >= microseconds(limit->hard)) {
		process->timers.rt_limited = false;
		signal_send_kernel(process, SIGKILL);
		return NS_NEVER;
	}
	if (longest >= microseconds(limit->soft)) {
		signal_send_kernel(process, SIGXCPU);
		__atomic_store_n(&limit->soft, limit->soft + 1000000, __ATOMIC_RELAXED);
	}
	/* One that becomes such a thread now is due after the whole limit: not before this. */
	return (limit->soft < limit->hard ? microseconds(limit->soft) : microseconds(limit->hard)) -
	       longest;
}

void cpu_limit_changed(struct process *process)
{
	uint64_t seconds = process->limits[RLIMIT_CPU].soft;
	ns_t limit = limit_time(seconds ? seconds : 1); /* 0 is 1, as on Linux */

	process->timers.limit = limit == NS_NEVER ? 0 : limit;
	cpu_timers_changed(process);
}

void rt_limit_changed(struct process *process)
{
	process->timers.rt_limited = process->limits[RLIMIT_RTTIME].soft != LIMIT_UNLIMITED;
	cpu_timers_changed(process);
}

/* What is due is taken off the list first: what expires may start again, at once and due once more. */
static void expire_due(struct process *process) requires(process_lock)
{
	struct list due = LIST_INIT(due);
	struct cpu_timer *timer, *next;
	ns_t now;

	list_for_each_safe(timer, next, &process->timers.cpu, link)
	{
		bool goes = cpu_timer_now(process, timer, &now);

		if (goes && now < timer->when)
			continue;
		list_remove(&timer->link);
		if (goes) /* or its clock has stopped for ever */
			list_push_back(&due, &timer->link);
	}
	while (!list_empty(&due)) {
		timer = list_first(&due, struct cpu_timer, link);
		list_remove(&timer->link);
		if (cpu_timer_now(process, timer, &now))
			timer->expired(timer, now);
	}
}

/* Expires what is due. The least CPU time until the next. */
static ns_t look_at_all(struct process *process) requires(process_lock)
{
	struct process_timers *timers = &process->timers;
	ns_t left[] = {look_at_alarm(process, &timers->virtual, CPU_CLOCK_VIRTUAL, SIGVTALRM),
		look_at_alarm(process, &timers->profile, CPU_CLOCK_PROFILE, SIGPROF),
		look_at_limit(process), look_at_rt_limit(process)};
	ns_t least = NS_NEVER, now;
	struct cpu_timer *timer;

	for (unsigned i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		least = left[i] < least ? left[i] : least;
	expire_due(process);
	list_for_each(timer, &timers->cpu, link)
	{
		if (!cpu_timer_now(process, timer, &now))
			continue;
		if (now >= timer->when)
			return 0;
		if (timer->when - now < least)
			least = timer->when - now;
	}
	return least;
}

static void let_threads_tell(struct process *process) requires(process_lock)
{
	struct thread *thread;

	process->timers.idle = true;
	list_for_each(thread, &process->threads, siblings) thread_set_work(thread, WORK_TIMERS);
}

/* How many CPUs may run threads of the process at once. */
static unsigned speed(const struct process *process)
{
	unsigned online = __atomic_load_n(&cpu_count, __ATOMIC_RELAXED);

	return process->thread_count < online ? process->thread_count : online;
}

static void look(struct process *process) requires(process_lock)
{
	struct process_timers *timers = &process->timers;
	ns_t total = cpu_clock_of_process(process, CPU_CLOCK_SCHEDULED), wait;
	unsigned most = speed(process);

	if (timers->over || timers->looking)
		return;
	timers->looking = true;
	timers->looked = arch_clock();
	wait = look_at_all(process);
	timers->looking = false;
	if (wait == NS_NEVER || !most)
		return;
	if (total == timers->seen && current_process() != process) {
		let_threads_tell(process);
		return;
	}
	timers->seen = total;
	timers->idle = false;
	wait /= most;
	if (wait < LOOK_LEAST)
		wait = LOOK_LEAST;
	if (wait > LOOK_MOST)
		wait = LOOK_MOST;
	clock_timer_arm(&timers->look, BASE_MONOTONIC, timers->looked + wait);
}

/* Something is to be seen: now, or as soon as looks may follow each other. A signal's delivery starts its timer again; if
 * that let others expire, which are due again by then, the process would come to nothing but its handlers. */
static void look_soon(struct process *process) requires(process_lock)
{
	struct process_timers *timers = &process->timers;
	ns_t next = timers->looked + LOOK_LEAST;

	if (timers->over || timers->looking)
		return;
	if (!timers->looked || arch_clock() >= next) {
		look(process);
		return;
	}
	timers->idle = false;
	clock_timer_arm(&timers->look, BASE_MONOTONIC, next);
}

static void look_fired(struct clock_timer *timer)
{
	struct process_timers *timers = container_of(timer, struct process_timers, look);
	struct process *process = container_of(timers, struct process, timers);

	spin_lock(&process_lock);
	if (!process->zombie && has_any(timers))
		look(process);
	spin_unlock(&process_lock);
}

void cpu_timers_init(struct process_timers *timers)
{
	list_init(&timers->cpu);
	clock_timer_init(&timers->look, look_fired);
}

void cpu_timers_changed(struct process *process)
{
	if (has_any(&process->timers))
		look_soon(process);
}

void cpu_timers_resume(void)
{
	struct thread *self = current_thread();
	struct process *process = self->process;

	__atomic_and_fetch(&self->work, ~(uint32_t)WORK_TIMERS, __ATOMIC_RELAXED);
	if (!process)
		return;
	spin_lock(&process_lock);
	if (process->timers.idle)
		cpu_timers_changed(process);
	spin_unlock(&process_lock);
}

void cpu_timer_start(struct process *process, struct cpu_timer *timer, ns_t when)
{
	list_remove(&timer->link);
	timer->when = when;
	list_push_back(&process->timers.cpu, &timer->link);
	look_soon(process);
}

void cpu_timer_stop(struct cpu_timer *timer)
{
	list_remove(&timer->link);
}

/* ---- Sleeping ---- */

struct cpu_sleeper {
	struct cpu_timer timer;
	struct wait_queue queue;
	bool over;
};

static void sleep_over(struct cpu_timer *timer, ns_t now)
{
	struct cpu_sleeper *sleeper = container_of(timer, struct cpu_sleeper, timer);

	(void)now;
	__atomic_store_n(&sleeper->over, true, __ATOMIC_RELEASE);
	wake_all(&sleeper->queue);
}

int cpu_clock_sleep(int clock, ns_t when)
{
	struct cpu_sleeper sleeper = {.timer = {.expired = sleep_over}};
	struct process *process;
	int error;

	wait_queue_init(&sleeper.queue);
	list_init(&sleeper.timer.link);
	spin_lock(&process_lock);
	error = cpu_clock_target(clock, &process, &sleeper.timer.thread, &sleeper.timer.clock);
	if (!error) {
		process_get(process);
		if (sleeper.timer.thread)
			pid_get(sleeper.timer.thread);
		cpu_timer_start(process, &sleeper.timer, when);
	}
	spin_unlock(&process_lock);
	if (error)
		return error;
	error = wait_event(&sleeper.queue, __atomic_load_n(&sleeper.over, __ATOMIC_ACQUIRE));
	spin_lock(&process_lock);
	cpu_timer_stop(&sleeper.timer);
	spin_unlock(&process_lock);
	if (sleeper.timer.thread)
		pid_put(sleeper.timer.thread);
	process_put(process);
	return error;
}
