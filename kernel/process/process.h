/* SPDX-License-Identifier: MIT */
/*
 * Processes and threads.
 *
 * A process (Linux: thread group) is what its threads share for good: address space, signal actions,
 * limits, its place in the tree. A thread is what runs, and what it may share with threads of other
 * processes too it holds by itself: descriptor table, fs context, credentials. Kernel threads belong
 * to no process.
 *
 * Life: clone.c makes a child that has not run. A thread ends in thread_exit, always by itself, on
 * the way to user mode or inside a call; the last one of a process makes it a zombie that its
 * parent's wait takes away (wait4.c), or that goes at once where the parent does not want it. The
 * thread's memory is freed by the next thread on that CPU (switch_finish). Children of a process
 * that ends go to its next ancestor that is a subreaper, or to process 1.
 *
 * Locks: process_lock guards the tree (parent, children, threads, pid objects, states of zombies),
 * and the signals; it is taken before a run queue's lock and after a mutex. What is marked "own" is
 * changed by the thread itself alone, under process_lock where others look at it.
 * References: the pid object of its id has one on the process until it is reaped; whoever keeps a
 * pointer past process_lock takes another. A thread is only reached under process_lock.
 */
#ifndef PROCESS_PROCESS_H
#define PROCESS_PROCESS_H

#include "arch/arch.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"
#include "process/pid.h"
#include "process/process_timers.h"
#include "process/rlimit.h"
#include "process/sched_entity.h"
#include "process/signal.h"
#include "process/timer.h"
#include "process/wait.h"
#include "syscall/dispatch.h"

struct credentials;
struct file;
struct files;
struct fs_context;
struct space;

#define NAME_SIZE 16

enum thread_work_flag {
	WORK_RESCHEDULE = 1,
	WORK_DEBUG = 4,   /* it has debug registers: stays set (arch_debug_load) */
	WORK_SIGNAL = 2,  /* a signal is pending that is not blocked, or the thread is to end */
	WORK_TIMERS = 64, /* CPU timers wait for its process to run (cpu_timer.c) */
	WORK_FAILED =
		128, /* an allocation failed because of fail_nth: what came of it is to be told */
	WORK_FIRMWARE =
		256, /* the firmware's thread: its call's time may be over (firmware/bars.c) */
};

/* What a thread, or those of a process that are gone, or children waited for have used. */
struct usage {
	ns_t user, system;
	uint64_t minor_faults, major_faults;
	uint64_t voluntary, involuntary; /* context switches */
	uint64_t blocks_in, blocks_out;
	uint64_t resident_peak; /* pages */
	/* of calls that read (0) and write (1), as /proc/PID/io tells: how many, and bytes */
	uint64_t calls[2], moved[2];
};

struct thread {
	struct arch_thread arch;
	struct process *process; /* NULL: an idle thread, or one that is gone from its process */
	union {
		struct {
			uint32_t work; /* enum thread_work_flag, or-ed; changed atomically */
			/* its user registers were: a system call leaves by the long way */
			uint32_t frame_changed;
		};
		uint64_t work_or_changed; /* both at one look */
	};
	/* what its system calls go through (syscall/dispatch.h) */
	const syscall_adapter *calls;
	struct sched_entity sched;
	/* by process_lock */
	int tid;              /* pid->number; only exec by another than the leader changes it */
	struct pid *pid;      /* NULL: an idle thread */
	struct list siblings; /* process->threads */
	struct thread_signals signals;
	/* own */
	char name[NAME_SIZE];
	struct files *files;
	struct fs_context *fs;
	const struct credentials *credentials; /* NULL: a kernel thread, which is root */
	struct usage usage;                    /* without CPU time */
	uint32_t fail_nth;  /* which allocation from now fails; 0: none; atomic: memory/fail.c */
	uint32_t fail_tree; /* inherited: the tree whose allocations fail; 0: none */
	uint64_t failed_at; /* where the last one failed, until that is told; 0: it is */
	struct timer sleep_timer;
	bool timed_out;
	bool no_new_privs;
	bool gaining; /* by process_lock: its exec may gain rights; who lacks them does not begin to trace it */
	bool user_exceeded;   /* at its last change of user that had more threads than it may */
	bool has_children;    /* it made some: its end matters to them */
	uint32_t personality; /* PER_*, ADDR_* */
	uint32_t io_priority; /* kept and told, no more: IOPRIO_* */
	ns_t timer_slack;     /* likewise: PR_SET_TIMERSLACK */
	ns_t started;
	int parent_death_signal; /* got when the thread that made it ends; 0: none */
	user_t clear_tid;        /* set to 0 and woken as a futex at the end; 0: none */
	user_t robust_list;      /* futexes it holds: man 2 set_robust_list */
	struct sem_undos
		*sem_undos;  /* own: what its end undoes of semaphores; NULL: nothing. ipc/ */
	struct vfork *vfork; /* by process_lock: who waits for its exec or end; NULL: nobody */
	struct list *rights_dropping; /* own: while it drops descriptors of messages: sockets/ */
	struct space *borrowed;       /* kernel threads: none */
#if LOCK_CHECKS
	struct mutexes_held mutexes_held;
#endif
};

enum child_event { CHILD_STOPPED = 1, CHILD_CONTINUED = 2 };

struct process {
	struct pid *pid;
	int id; /* pid->number */
	uint32_t references;
	char name[NAME_SIZE]; /* of its leader */
	struct file *program; /* its file; nobody may write it meanwhile; by process_lock */

	/* by process_lock */
	struct process *parent;
	struct list children, sibling; /* zombies too */
	struct list tracees;           /* threads that it traces: ptrace.h */
	struct list threads;           /* that have not ended */
	unsigned thread_count;
	unsigned ending;       /* of them: have begun to end */
	struct thread *maker;  /* the parent's thread whose child it is: only compared */
	struct thread *leader; /* whose tid is the process's id; NULL: it ended, others go on */
	struct pid *group, *session;
	int group_id, session_id; /* their numbers; read without the lock by the process itself */
	struct list group_link, session_link;
	struct list events;     /* children with something to tell: child->event_link */
	struct list event_link; /* on the parent's; empty: nothing */
	bool exiting;           /* all its threads are to end; exit_status is decided */
	bool zombie;            /* all have */
	bool kernel; /* a kernel thread's, which takes no signals; only the firmware's has a space */
	bool has_executed;     /* since its parent made it: setpgid is too late */
	bool subreaper;        /* orphans below come here */
	struct thread *core;   /* writes the core; NULL: nobody */
	unsigned core_waiting; /* threads that wait for that */
	bool core_ends;        /* SIGKILL came: it is to be cut short */
	struct thread *exec;   /* all others are to end, for this one's new program */
	unsigned child_events; /* enum child_event, or-ed: what the parent has not been told yet */
	int stop_signal;       /* by which it was stopped last */
	int exit_status;       /* as wait4 gives it */
	struct tracee *held; /* its ended leader's: the tracer hears of the end before the parent */
	const struct credentials *credentials; /* of its leader, once that ended */
	int exit_signal;       /* what the parent gets at the end: SIGCHLD, another, or 0 */
	uint32_t execs;        /* programs that it executed, counted round */
	uint32_t parent_execs; /* its parent's, when that made it: later ones get SIGCHLD only */
	struct process_signals signals;
	struct process_timers timers;
	struct usage usage;       /* of its threads that are gone */
	struct usage child_usage; /* of children waited for, and of theirs */
	/* RLIMIT_*: changed under the lock; single words are read without */
	struct limit limits[LIMITS];
	uint32_t dumpable;    /* PR_SET_DUMPABLE */
	int oom_adjust;       /* /proc/PID/oom_score_adj: thousandths of all RAM */
	int oom_adjust_least; /* below which it may not be set without CAP_SYS_RESOURCE */
	bool no_huge_pages;   /* kept and told: PR_SET_THP_DISABLE */

	struct space *space;          /* NULL once it is given up */
	struct wait_queue child_wait; /* wakes wait4 */
	ns_t started;
};

void process_init(void);

static inline struct process *current_process(void)
{
	return current_thread()->process;
}

/* The address space in use; NULL for a kernel thread. */
struct space *current_space(void);
struct space *thread_space(struct thread *thread);

/* ---- process.c ---- */

void process_get(struct process *process);
void process_put(struct process *process);
struct process *process_find(int id) requires(process_lock);
struct thread *thread_find(int tid) requires(process_lock);
/* Every process, zombies too. */
void process_for_each(void (*visit)(struct process *process, void *context),
	void *context) requires(process_lock);
/* Of the leader, though it may have ended. */
const struct credentials *process_credentials(const struct process *process) requires(process_lock);
/* Whether the running thread may send `signal`: 0 or -EPERM. */
int may_signal(struct process *process, int signal) requires(process_lock) MUST_CHECK;
/* Moves a process to another group, or to another session and group. */
void process_set_group(struct process *process, struct pid *group) requires(process_lock);
void process_set_session(struct process *process, struct pid *session) requires(process_lock);
ns_t process_cpu_time(struct process *process) requires(process_lock);
/* Of one thread so far, CPU time included. */
void thread_usage(struct thread *thread, struct usage *out) requires(process_lock);
void usage_add(struct usage *sum, const struct usage *more);
/* A space that is the process's, or was until now: its peak counts. */
void usage_saw_space(struct usage *usage, const struct space *space);

/* ---- clone.c ---- */

/* clone(2), clone3(2). */
struct clone_request {
	uint64_t flags;  /* CLONE_*, without the exit signal */
	int exit_signal; /* 0: none */
	uintptr_t stack; /* where the child's begins (its top); 0: as the caller's */
	uintptr_t tls;
	user_t parent_tid, child_tid, pidfd;
	int wanted; /* tid; 0: any */
};

/* Makes a thread or a process and starts it. The tid, or a negative errno. */
long process_clone(const struct clone_request *request) MUST_CHECK;
void process_vfork_done(struct thread *thread);
uint64_t process_clone_count(void); /* threads and processes that were ever made */
/* Process 2, under which kernel threads are; after process 1. -ENOMEM. */
int kernel_threads_init(void) MUST_CHECK;
/* A kernel thread that starts in function(argument): a process of its own, below process 2. Not yet
 * runnable: thread_wake. NULL: no memory. */
struct thread *thread_create(const char *name, void (*function)(void *), void *argument) MUST_CHECK;
/* The same with user registers, in a space whose reference it takes: it goes to user mode when `function` returns.
 * What it raises there goes to bars_trap; it takes no signals. NULL: the space is still the caller's. */
struct thread *thread_create_in(
	struct space *space, const char *name, void (*function)(void *), void *argument) MUST_CHECK;
/* Process 1 with its thread, not yet runnable. NULL: no memory. */
struct thread *process_create_first(void (*function)(void *), void *argument) MUST_CHECK;
/* Of one that never ran; or the scheduler has switched away from it for the last time (interrupts
 * off, no locks held). */
void thread_free(struct thread *thread);

/* ---- exit.c ---- */

/* Ends the running thread; the last one of its process ends that, with `status` if nothing else was
 * decided before. */
void thread_exit(int status) NORETURN;
/* Ends all threads of the running process. status as wait4 gives it. */
void process_exit_group(int status) NORETURN;
/* Lets go of the address space; the caller is the last thread, or there is none. */
void process_give_up_space(struct process *process);
void process_reap(struct process *zombie) requires(process_lock);
/* Process 1 is gone: what it left as status. Set once. */
void process_one_ended(int status);

/* ---- wait4.c ---- */

enum wait_which { WAIT_ANY, WAIT_ONE, WAIT_GROUP };

struct wait_request {
	enum wait_which which;
	int id;                /* of the child or the group */
	unsigned options;      /* as waitid(2) has them */
	const struct pid *pid; /* WAIT_ONE by descriptor; NULL: by id */
};

struct wait_result {
	int id;
	uint32_t uid;
	int code;        /* CLD_* */
	int status;      /* exit code or signal, as siginfo has it */
	int wait_status; /* as wait4 gives it */
	struct usage usage;
};

/* The id of the child, 0 for WNOHANG with nothing to tell, or a negative errno. */
long process_wait(const struct wait_request *request, struct wait_result *result) MUST_CHECK;
/* Tells the parent that `process` has stopped or goes on (CLD_STOPPED, CLD_CONTINUED) or ended;
 * `status` is the signal, as siginfo has it. */
void child_status_changed(struct process *process, int code, int status) requires(process_lock);
/* A zombie tells its parent. If that does not want to know, it goes at once: the pointer may be dead
 * afterwards. */
void child_ended(struct process *zombie) requires(process_lock);

bool stack_guard_hit(virt_t address); /* arch */

#endif
