/* SPDX-License-Identifier: MIT */
/*
 * POSIX timers (man 2 timer_create).
 *
 * A timer belongs to a process and is known there by its number. When it comes it sends its own
 * preallocated signal entry, so that nothing can fail then; as long as that waits to be taken, the timer
 * of an interval stands still. When it is taken, the times that came meanwhile are counted as overruns
 * and the timer is armed for the next: an interval of a nanosecond costs no more than the program takes
 * signals. A signal that is ignored is taken at once, in this sense, but at most every LEAST.
 *
 * Whether it counts by a clock that all share or by a CPU clock is one member (`by_cpu`); the rest is
 * the same. A relative time by CLOCK_REALTIME is not moved when the date is set: it counts by the
 * monotonic clock.
 *
 * Locks: process_lock guards all of it. A timer's functions take it, so it is cancelled and freed
 * without; it is off its process's table by then, and off (`running` is false), so a function that comes
 * late finds nothing to do.
 */
#include <asm/siginfo.h>
#include <linux/capability.h>
#include <linux/time.h>

#include "lib/errno.h"
#include "memory/slab.h"
#include "process/cpu_clock.h"
#include "process/credentials.h"
#include "process/interval.h"
#include "process/process.h"

#define LEAST        (UINT64_C(1000) * 1000) /* between two ignored signals */
#define OVERRUN_MOST INT32_MAX

struct posix_timer {
	int id;
	struct process *process;
	enum timer_notify notify;
	struct pid *target; /* the thread that gets the signal; NULL: the process. A reference */
	/* NOTIFY_NOTHING has one too: RLIMIT_SIGPENDING is what bounds the number of timers. */
	struct signal_entry *entry;
	int clock; /* of those that all share */
	bool by_cpu;
	struct clock_timer timer;
	struct cpu_timer cpu;
	/* by process_lock */
	bool running; /* will come at `when` */
	bool waits;   /* it came, its signal is not taken yet, and then it goes on */
	enum clock_base base;
	ns_t when, interval;
	uint64_t passed; /* times it came since the last signal was sent, that one included */
	uint64_t unsent; /* times its signal was still waiting when it came */
	int overrun;     /* of the last signal taken */
};

static struct cache timer_cache = CACHE_INIT("POSIX timer", sizeof(struct posix_timer), 0);

/* ---- Going ---- */

/* False: its clock is gone. */
static bool now_by(const struct posix_timer *timer, ns_t *now) requires(process_lock)
{
	if (timer->by_cpu)
		return cpu_timer_now(timer->process, &timer->cpu, now);
	*now = clock_base_now(timer->base);
	return true;
}

static void start(struct posix_timer *timer) requires(process_lock)
{
	timer->running = true;
	if (timer->notify == NOTIFY_NOTHING)
		return; /* it is looked at when somebody asks */
	if (timer->by_cpu)
		cpu_timer_start(timer->process, &timer->cpu, timer->when);
	else
		clock_timer_arm(&timer->timer, timer->base, timer->when);
}

static void stop(struct posix_timer *timer) requires(process_lock)
{
	timer->running = timer->waits = false;
	timer->passed = timer->unsent = 0;
	if (timer->by_cpu)
		cpu_timer_stop(&timer->cpu);
}

static bool send(struct posix_timer *timer) requires(process_lock)
{
	struct thread *thread = timer->target ? timer->target->thread : NULL;

	if (timer->target && !thread)
		return false; /* whom it was for is gone */
	if (!list_empty(&timer->entry->link)) {
		timer->unsent++;
		return true;
	}
	return signal_send_entry(timer->process, thread, timer->entry);
}

/* It came: the signal goes, and an interval waits for it to be taken, or goes on. */
static void expire(struct posix_timer *timer, ns_t now) requires(process_lock)
{
	bool sent = send(timer);

	timer->running = false;
	if (!timer->interval)
		return;
	if (sent) {
		timer->waits = true;
		return;
	}
	interval_forward(
		&timer->when, timer->interval, timer->interval < LEAST ? now + LEAST : now);
	start(timer);
}

static void timer_fired(struct clock_timer *inner)
{
	struct posix_timer *timer = container_of(inner, struct posix_timer, timer);
	ns_t now;

	spin_lock(&process_lock);
	if (timer->running && now_by(timer, &now) && now >= timer->when)
		expire(timer, now);
	spin_unlock(&process_lock);
}

static void cpu_timer_expired(struct cpu_timer *inner, ns_t now) no_lock_checks
{
	struct posix_timer *timer = container_of(inner, struct posix_timer, cpu);

	if (timer->running)
		expire(timer, now);
}

/* The signal is taken: what it says of overruns, and the next time. */
static void signal_taken(struct signal_entry *entry) no_lock_checks
{
	struct posix_timer *timer =
		radix_get(&current_process()->timers.by_id, (uint64_t)entry->info.timer.id);
	uint64_t overrun;
	ns_t now;

	if (!timer || timer->entry != entry)
		return;
	if (timer->waits && now_by(timer, &now)) {
		timer->waits = false;
		timer->passed += interval_forward(&timer->when, timer->interval, now);
		start(timer);
	}
	overrun = (timer->passed ? timer->passed - 1 : 0) + timer->unsent;
	timer->passed = timer->unsent = 0;
	timer->overrun = overrun < OVERRUN_MOST ? (int)overrun : OVERRUN_MOST;
	entry->info.timer.overrun = timer->overrun;
}

/* ---- Making and ending ---- */

static void destroy(struct posix_timer *timer)
{
	clock_timer_cancel(&timer->timer);
	if (timer->entry)
		signal_entry_destroy(timer->entry);
	if (timer->target)
		pid_put(timer->target);
	if (timer->cpu.thread)
		pid_put(timer->cpu.thread);
	cache_free(&timer_cache, timer);
}

int posix_timer_clock(int clock)
{
	switch (clock) {
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
		return -EOPNOTSUPP;
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		return 0;
	default:
		if (clock < 0)
			return clock_is_of_file(clock) ? -EOPNOTSUPP : 0;
		return clock_base_of(clock) < 0 ? -EINVAL : 0;
	}
}

/* -EINVAL: the process or thread is not there. */
static int choose_clock(struct posix_timer *timer, int clock)
{
	struct process *process;
	int error;

	timer->clock = clock;
	if (clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM)
		return capable(CAP_WAKE_ALARM) ? 0 : -EPERM;
	if (clock_base_of(clock) >= 0)
		return 0;
	timer->by_cpu = true;
	timer->cpu.expired = cpu_timer_expired;
	spin_lock(&process_lock);
	error = cpu_clock_target(clock, &process, &timer->cpu.thread, &timer->cpu.clock);
	if (!error && timer->cpu.thread)
		pid_get(timer->cpu.thread);
	/* Linux lets one count by another process's clock; who would send then is not to be had. */
	if (!error && process != timer->process)
		error = -EINVAL;
	spin_unlock(&process_lock);
	return error;
}

/* The thread that is to get the signal: one of this process. */
static int choose_target(struct posix_timer *timer, int tid)
{
	struct thread *thread;

	if (!tid)
		return 0;
	spin_lock(&process_lock);
	thread = thread_find(tid);
	if (thread && thread->process == timer->process) {
		timer->target = thread->pid;
		pid_get(timer->target);
	}
	spin_unlock(&process_lock);
	return timer->target ? 0 : -EINVAL;
}

static int prepare_signal(struct posix_timer *timer, const struct timer_request *request)
{
	int error = request->notify == NOTIFY_NOTHING ? 0 : choose_target(timer, request->thread);

	if (error)
		return error;
	timer->entry = signal_entry_create(signal_taken);
	if (!timer->entry)
		return -EAGAIN;
	timer->entry->info = (struct signal_info){.number = request->signal, .code = SI_TIMER};
	return 0;
}

/* Gives it a number: the next that is free. */
static int publish(struct posix_timer *timer, const struct timer_request *request) requires(
	process_lock)
{
	struct process_timers *timers = &timer->process->timers;
	int error;

	do {
		timer->id = (int)(timers->next_id++ & INT32_MAX);
		error = radix_put(&timers->by_id, (uint64_t)timer->id, timer);
	} while (error == -EEXIST);
	if (!error && timer->entry) {
		timer->entry->info.timer.id = timer->id;
		timer->entry->info.timer.value =
			request->has_value ? request->value : (uint64_t)timer->id;
	}
	return error ? -EAGAIN : 0;
}

int posix_timer_create(const struct timer_request *request)
{
	struct posix_timer *timer = cache_alloc(&timer_cache);
	int error, id;

	if (!timer)
		return -EAGAIN;
	timer->process = current_process();
	timer->notify = request->notify;
	clock_timer_init(&timer->timer, timer_fired);
	list_init(&timer->cpu.link);
	error = choose_clock(timer, request->clock);
	if (!error)
		error = prepare_signal(timer, request);
	if (!error) {
		spin_lock(&process_lock);
		error = publish(timer, request);
		id = timer->id;
		spin_unlock(&process_lock);
	}
	if (!error)
		return id;
	destroy(timer);
	return error;
}

/* Off the table; its functions find nothing to do from here on. */
static struct posix_timer *take_away(struct process *process, uint64_t id) requires(process_lock)
{
	struct posix_timer *timer = radix_remove(&process->timers.by_id, id);

	if (timer)
		stop(timer);
	return timer;
}

int posix_timer_delete(int id)
{
	struct posix_timer *timer = NULL;

	spin_lock(&process_lock);
	if (id >= 0)
		timer = take_away(current_process(), (uint64_t)id);
	spin_unlock(&process_lock);
	if (!timer)
		return -EINVAL;
	destroy(timer);
	return 0;
}

static void delete_all(struct process *process)
{
	struct posix_timer *timer;
	uint64_t id;

	for (;;) {
		id = 0;
		spin_lock(&process_lock);
		timer = radix_next(&process->timers.by_id, &id);
		if (timer)
			take_away(process, id);
		spin_unlock(&process_lock);
		if (!timer)
			break;
		destroy(timer);
	}
}

/* ---- Setting and asking ---- */

bool posix_timer_next(struct process *process, uint64_t *from, struct timer_told *out)
{
	const struct posix_timer *timer = radix_next(&process->timers.by_id, from);

	if (!timer)
		return false;
	++*from;
	*out = (struct timer_told){
		.id = timer->id,
		.clock = timer->clock,
		.signal = timer->entry->info.number,
		.value = timer->entry->info.timer.value,
		.notify = timer->notify,
		.target = timer->target ? timer->target->number : 0,
	};
	return true;
}

static struct posix_timer *find(int id) requires(process_lock)
{
	return id < 0 ? NULL : radix_get(&current_process()->timers.by_id, (uint64_t)id);
}

static void describe(struct posix_timer *timer, struct timer_setting *out) requires(process_lock)
{
	bool silent = timer->notify == NOTIFY_NOTHING;
	ns_t now;

	*out = (struct timer_setting){0, timer->interval};
	if (!timer->running && !timer->waits)
		return;
	if (!now_by(timer, &now))
		return;
	/* The time that its signal waits for to be told of, or that nobody hears of, is past. */
	if (timer->interval && (timer->waits || silent))
		timer->passed += interval_forward(&timer->when, timer->interval, now);
	if (now < timer->when)
		out->value = timer->when - now;
	else
		out->value = silent ? 0 : 1;
}

static enum clock_base base_of(const struct posix_timer *timer, bool absolute)
{
	int base = clock_base_of(timer->clock);

	return absolute && base >= 0 ? (enum clock_base)base : BASE_MONOTONIC;
}

int posix_timer_set(
	int id, bool absolute, const struct timer_setting *setting, struct timer_setting *old)
{
	struct posix_timer *timer;
	int error = -EINVAL;
	ns_t now = 0;

	spin_lock(&process_lock);
	timer = find(id);
	if (timer) {
		describe(timer, old);
		stop(timer);
		timer->overrun = 0;
		timer->interval = setting->interval;
		if (!timer->by_cpu)
			timer->base = base_of(timer, absolute);
		error = now_by(timer, &now) ? 0 : -ESRCH;
		timer->when = absolute ? setting->value : clock_add(now, setting->value);
		if (!error && setting->value)
			start(timer);
	}
	spin_unlock(&process_lock);
	return error;
}

int posix_timer_get(int id, struct timer_setting *out)
{
	struct posix_timer *timer;

	spin_lock(&process_lock);
	timer = find(id);
	if (timer)
		describe(timer, out);
	spin_unlock(&process_lock);
	return timer ? 0 : -EINVAL;
}

int posix_timer_overrun(int id)
{
	struct posix_timer *timer;
	int result = -EINVAL;

	spin_lock(&process_lock);
	timer = find(id);
	if (timer)
		result = timer->overrun;
	spin_unlock(&process_lock);
	return result;
}

/* ---- With the process ---- */

void process_timers_init(struct process *process)
{
	radix_init(&process->timers.by_id);
	cpu_timers_init(&process->timers);
	interval_timers_init(&process->timers);
}

void process_timers_exec(void)
{
	delete_all(current_process());
}

void process_timers_exit(struct process *process)
{
	struct process_timers *timers = &process->timers;

	delete_all(process);
	spin_lock(&process_lock);
	timers->over = true; /* another process may still set its limits */
	timers->real.when = timers->virtual.when = timers->profile.when = 0;
	spin_unlock(&process_lock);
	clock_timer_cancel(&timers->real_timer);
	clock_timer_cancel(&timers->look);
}
