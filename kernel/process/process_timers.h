/* SPDX-License-Identifier: MIT */
/*
 * The timers of processes, which end in a signal: POSIX timers (man 2 timer_create), interval timers
 * (man 2 setitimer), and sleeping by a CPU clock. See posix_timer.c, interval_timer.c, cpu_timer.c.
 */
#ifndef PROCESS_PROCESS_TIMERS_H
#define PROCESS_PROCESS_TIMERS_H

#include "lib/list.h"
#include "lib/lock.h"
#include "lib/radix.h"
#include "lib/types.h"
#include "process/clocks.h"

struct pid;
struct process;
struct signal_entry;
struct thread;

extern struct spinlock process_lock;

/* A time that comes once, or every `interval`. */
struct process_alarm {
	ns_t when; /* 0: off */
	ns_t interval;
};

/* A timer by a CPU clock. Not running: its link is empty. */
struct cpu_timer {
	struct list link;   /* process_timers.cpu */
	int clock;          /* as cpu_clock.h has it, with the thread left out */
	struct pid *thread; /* NULL: the process's clock; a reference of the owner's */
	ns_t when;
	void (*expired)(struct cpu_timer *timer, ns_t now); /* under process_lock */
};

/* Member `timers` of struct process; by process_lock. */
struct process_timers {
	struct radix by_id; /* POSIX timers */
	unsigned next_id;
	struct process_alarm real, virtual, profile; /* of setitimer */
	ns_t limit;      /* CPU time at which RLIMIT_CPU is told next; 0: never */
	bool rt_limited; /* RLIMIT_RTTIME says something */
	struct clock_timer real_timer;
	struct list cpu;         /* struct cpu_timer.link: those that run */
	struct clock_timer look; /* at the CPU clocks, when one may be due */
	ns_t seen;               /* the process's CPU time at the last look */
	ns_t looked;             /* when that was, by the monotonic clock; 0: never */
	bool idle;               /* it had not run: the next look waits until it does */
	bool over;               /* the process ends: nothing is armed any more */
	bool looking;            /* a look is under way: what starts meanwhile is seen by it */
};

void process_timers_init(struct process *process);
void cpu_timers_init(struct process_timers *timers);
void interval_timers_init(struct process_timers *timers);
/* The last thread of a process ends: all of its timers go. No locks held. */
void process_timers_exit(struct process *process);
/* exec: POSIX timers go, interval timers stay. No locks held; the running process. */
void process_timers_exec(void);

/* ---- posix_timer.c: of the running process ---- */

enum timer_notify { NOTIFY_NOTHING, NOTIFY_SIGNAL };

struct timer_request {
	int clock;
	enum timer_notify notify;
	int signal;
	bool has_value;
	uint64_t value; /* has_value: the signal's; else it is the timer's id */
	int thread;     /* tid; 0: the process gets the signal */
};

struct timer_setting {
	ns_t value, interval; /* value 0: off */
};

/* Whether there are timers by the clock: -EINVAL: no such clock; -EOPNOTSUPP: by none of these. */
int posix_timer_clock(int clock) MUST_CHECK;
/* The id, by a clock that has timers; -EINVAL, -EPERM, -EAGAIN, -ENOMEM. */
int posix_timer_create(const struct timer_request *request) MUST_CHECK;
/* -EINVAL: no such timer. */
int posix_timer_delete(int id) MUST_CHECK;
int posix_timer_set(int id, bool absolute, const struct timer_setting *setting,
	struct timer_setting *old) MUST_CHECK;
int posix_timer_get(int id, struct timer_setting *out) MUST_CHECK;
int posix_timer_overrun(int id) MUST_CHECK; /* or the count */

/* What /proc tells of one, of any process. */
struct timer_told {
	int id, clock, signal;
	uint64_t value; /* the signal's */
	enum timer_notify notify;
	int target; /* a tid; 0: the process */
};

/* The first whose id is *from or more; *from moves behind it. False: there is none. */
bool posix_timer_next(struct process *process, uint64_t *from, struct timer_told *out) requires(
	process_lock);

/* ---- interval_timer.c: of the running process ---- */

/* which: ITIMER_*. */
void interval_timer_get(int which, struct timer_setting *out);
void interval_timer_set(int which, const struct timer_setting *setting, struct timer_setting *old);

/* ---- cpu_timer.c ---- */

/* What a CPU timer's clock says now; false: its thread is gone. */
bool cpu_timer_now(struct process *process, const struct cpu_timer *timer, ns_t *now) requires(
	process_lock);
/* Starts (or moves) and stops a timer. */
void cpu_timer_start(struct process *process, struct cpu_timer *timer, ns_t when) requires(
	process_lock);
void cpu_timer_stop(struct cpu_timer *timer) requires(process_lock);
/* Something about the process's CPU timers changed: looks when the first may be due. */
void cpu_timers_changed(struct process *process) requires(process_lock);
/* RLIMIT_CPU, or RLIMIT_RTTIME, was set or inherited. */
void cpu_limit_changed(struct process *process) requires(process_lock);
void rt_limit_changed(struct process *process) requires(process_lock);
/* The running thread, on its way to user mode, has WORK_TIMERS: its process runs again. */
void cpu_timers_resume(void);
/* Sleeps until the clock reaches `when`: 0, or what wait_sleep says. */
int cpu_clock_sleep(int clock, ns_t when) MUST_CHECK;

#endif
