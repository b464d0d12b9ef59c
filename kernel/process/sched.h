/* SPDX-License-Identifier: MIT */
/* Who runs. See sched.c. */
#ifndef PROCESS_SCHED_H
#define PROCESS_SCHED_H

#include "process/cpu.h"
#include "process/process.h"

/* The context that the loader jumped into: it becomes the first CPU's idle thread. Callable before
 * anything else. */
struct thread *sched_boot_thread(void);
/* lock_limit: lock_limit_us=, of a debug build; 0: none. */
void sched_init(unsigned hz, ns_t lock_limit);
/* A CPU's idle thread, not running yet. */
void sched_idle_init(struct cpu *cpu, struct thread *idle);
/* A new thread: asleep until its first thread_wake. It inherits from `parent` as clone(2) says, if
 * that belongs to a process; NULL: nothing. */
void sched_thread_init(struct thread *thread, const struct thread *parent);
/* The end of the running thread: the next one on this CPU calls thread_free for it. */
void sched_die(void) NORETURN;
void sched_idle(void) NORETURN;
/* Gives the CPU to the next one; the caller stays runnable unless its state says otherwise. */
void schedule(void) SCHED_TEXT;
void sched_yield(void) SCHED_TEXT; /* interrupts are on */
uint32_t sched_slice(void);        /* ns of CPU time for which fair threads ask at a time */
/* Makes a sleeping thread runnable; false: it was not asleep. From any context. */
bool thread_wake(struct thread *thread);
bool thread_wake_off(struct thread *thread); /* the same where interrupts are off */
/* The first wake-up of a thread that a process made (clone): any other before it does nothing. */
void thread_begin(struct thread *thread);
void thread_set_work(struct thread *thread, uint32_t flag);
/* If it runs in user mode on another CPU, it comes to look at its work flags now. */
void thread_kick(struct thread *thread);
/* Waits until a thread that is about to sleep has given its CPU away: its state is then whole. */
void thread_wait_switched(struct thread *thread);
void sched_rearm(void); /* the next timer of this CPU may have changed */
/* Sleeps until `deadline`; 0 when it came, -ERESTARTSYS by a signal. */
int sched_sleep(ns_t deadline) SCHED_TEXT MUST_CHECK;
void thread_sleep_init(struct thread *thread);
/* CPU time used until now, and as user and system time, which add up to it (sched_time.c). They take
 * the lock of the thread's run queue, which may be done under process_lock. */
ns_t thread_cpu_time(struct thread *thread);
/* kernel.sched_rt_period_us and _runtime_us: of each period real-time threads of a CPU get that much at most, while fair
 * ones wait; -1: all. Atomic. */
extern int sched_rt_period_us, sched_rt_runtime_us;
extern int sched_rr_ms; /* kernel.sched_rr_timeslice_ms: above 0; atomic */
/* How long a SCHED_FIFO or SCHED_RR thread has run since it last slept (ns); 0: it is neither. */
ns_t thread_rt_time(struct thread *thread);
void sched_usage(struct thread *thread, struct usage *out); /* context switches too; no more */
unsigned sched_hz(void);
/* What a CPU's time went to until now; the load averages in units of 1 << SCHED_LOAD_BITS, as sysinfo has
 * them; threads that run or wait for a CPU (sched_load.c). */
void sched_cpu_times(struct cpu *cpu, struct cpu_times *out);
#define SCHED_LOAD_BITS 16
void sched_load(uint64_t load[3]);
unsigned sched_runnable(void);
/* A log line: timer interrupts and context switches of all CPUs. */
void sched_report(void);

/* ---- Policy (sched_policy.c) ---- */

struct sched_parameters {
	uint8_t policy;      /* SCHED_NORMAL, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE */
	uint8_t rt_priority; /* 1..99 for SCHED_FIFO and SCHED_RR, RT_KERNEL; else 0 */
	int8_t nice;         /* -20..19 */
	bool reset_on_fork;
};

/* As programs are told. */
static inline unsigned sched_shown_priority(const struct sched_parameters *parameters)
{
	return parameters->rt_priority < RT_MOST ? parameters->rt_priority : RT_MOST;
}

/* The parameters are right and allowed. Takes effect at once. */
void sched_set_parameters(struct thread *thread, const struct sched_parameters *parameters);
void sched_get_parameters(struct thread *thread, struct sched_parameters *out);
void sched_set_nice(struct thread *thread, int nice);
ns_t sched_slice_of(struct thread *thread); /* as sched_rr_get_interval tells */
/* A running thread moves before it is in user mode again. -EINVAL: no CPU of the mask is there. */
int sched_set_affinity(struct thread *thread, uint64_t mask) MUST_CHECK;
uint64_t sched_affinity(const struct thread *thread); /* of the CPUs that are there */

#endif
