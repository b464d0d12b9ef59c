/* SPDX-License-Identifier: MIT */
/* Who runs. See sched.c. */
#ifndef PROCESS_SCHED_H
#define PROCESS_SCHED_H

#include "process/cpu.h"
#include "process/process.h"

/* The context that the loader jumped into: it becomes the first CPU's idle thread. Callable before
 * anything else. */
struct thread *sched_boot_thread(void);
void sched_init(unsigned hz);
/* A CPU's idle thread, not running yet. */
void sched_idle_init(struct cpu *cpu, struct thread *idle);
/* A new thread: asleep until its first thread_wake. It inherits from `parent` as clone(2) says. */
void sched_thread_init(struct thread *thread, const struct thread *parent);
/* The end of the running thread: the next one on this CPU calls thread_free for it. */
void sched_die(void) NORETURN;
void sched_idle(void) NORETURN;
/* Gives the CPU to the next one; the caller stays runnable unless its state says otherwise. */
void schedule(void);
void sched_yield(void);
/* Makes a sleeping thread runnable; false: it was not asleep. From any context. */
bool thread_wake(struct thread *thread);
void thread_set_work(struct thread *thread, uint32_t flag);
void sched_rearm(void); /* the next timer of this CPU may have changed */
/* Sleeps until `deadline`; 0 when it came, -EINTR by a signal. */
int sched_sleep(ns_t deadline) MUST_CHECK;
void thread_sleep_init(struct thread *thread);
ns_t thread_cpu_time(struct thread *thread);
unsigned sched_hz(void);
/* A log line: timer interrupts and context switches of this CPU. */
void sched_report(void);

#endif
