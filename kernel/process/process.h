/* SPDX-License-Identifier: MIT */
/*
 * Processes and threads.
 *
 * A process owns what its threads share: address space, descriptor table, fs context, signals, its
 * place in the tree. A thread is what runs. Kernel threads belong to no process.
 *
 * Life: process_create makes a child with one thread that has not run. A thread ends in thread_exit,
 * always by itself, on the way to user mode or inside a call; the last one of a process makes it a
 * zombie that its parent's wait4 takes away. The thread's stack is freed by the next thread on that
 * CPU (switch_finish). Children of a process that ends go to process 1.
 *
 * Locks: process_lock guards the tree (parent, children, pid table, states of zombies) and the
 * signal fields; it is taken before a run queue's lock and after a mutex. References: the pid table
 * has one on the process; whoever keeps a pointer past process_lock takes another.
 */
#ifndef PROCESS_PROCESS_H
#define PROCESS_PROCESS_H

#include "arch/arch.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"
#include "process/sched_entity.h"
#include "process/timer.h"
#include "process/wait.h"

struct files;
struct fs_context;
struct space;

#define PID_MAX   32768
#define NAME_SIZE 16

enum thread_work_flag {
	WORK_RESCHEDULE = 1,
	WORK_SIGNAL = 2, /* a signal is pending that is not blocked, or the process ends */
};

struct thread {
	struct arch_thread arch;
	struct process *process; /* NULL: a kernel thread */
	uint32_t work;           /* enum thread_work_flag, or-ed; changed atomically */
	bool frame_changed;      /* its user registers were: a system call leaves by the long way */
	struct sched_entity sched;
	/* the thread's own */
	int tid;
	char name[NAME_SIZE];
	struct list siblings; /* process->threads, by process_lock */
	struct timer sleep_timer;
	bool timed_out;
	user_t clear_tid;       /* set to 0 and woken as a futex at the end; 0: none */
	uint64_t blocked;       /* signal mask: bit n - 1 is signal n */
	struct space *borrowed; /* kernel threads: none */
};

struct process {
	int pid;
	uint32_t references;
	char name[NAME_SIZE];
	char *path; /* of the program, for logs and /proc */

	/* by process_lock */
	struct process *parent;
	struct list children, sibling; /* zombies too */
	struct list threads;
	unsigned thread_count;
	int group, session;
	bool zombie;
	bool exiting;
	int exit_status;  /* as wait4 gives it */
	int exit_signal;  /* what the parent gets at the end: SIGCHLD, or 0 */
	uint64_t pending; /* signals sent to the process */
	uint64_t ignored; /* SIG_IGN */
	ns_t cpu_time;    /* of threads that are gone */
	ns_t child_time;  /* of children waited for */

	struct space *space; /* NULL once it is given up */
	struct files *files;
	struct fs_context *fs;
	struct wait_queue child_wait; /* wakes wait4 */
	bool vfork;                   /* the parent sleeps until exec or exit */
	struct wait_queue vfork_wait; /* of the child: the parent is on it */
	ns_t started;
};

extern struct spinlock process_lock;

void process_init(void);
/* A child of `parent` (NULL: process 1) with no thread yet. -EAGAIN: no pid; NULL + errno form:
 * the result is a pointer or NULL with *error set. */
struct process *process_create(struct process *parent, int *error) MUST_CHECK;
void process_discard(struct process *process); /* one that never ran */
void process_give_up(struct process *process);
void process_vfork_done(struct process *process);
void process_get(struct process *process);
void process_put(struct process *process);
struct process *process_find(int pid) requires(process_lock);

static inline struct process *current_process(void)
{
	return current_thread()->process;
}

/* The address space in use; NULL for a kernel thread. */
struct space *current_space(void);
struct space *thread_space(struct thread *thread);

/* A thread that starts in function(argument) and, for a process, then goes to user mode. Not yet
 * runnable: thread_wake. NULL: no memory. */
struct thread *thread_create(struct process *process, const char *name, void (*function)(void *),
	void *argument) MUST_CHECK;
void thread_discard(struct thread *thread); /* one that never ran */
/* The scheduler has switched away from a thread for the last time. Interrupts off, no locks held. */
void thread_free(struct thread *thread);

/* Ends the running thread; the last one of its process ends that with `status`. */
void thread_exit(int status) NORETURN;
/* Ends all threads of the running process. status as wait4 gives it. */
void process_exit(int status) NORETURN;

/* wait4: the pid, 0 for WNOHANG with nothing to tell, or a negative errno. */
long process_wait(int which, unsigned options, int *status, ns_t *cpu_time) MUST_CHECK;
/* Every process, zombies too. */
void process_for_each(void (*visit)(struct process *process, void *context),
	void *context) requires(process_lock);

/* Process 1 is gone: what it left as status. Set once. */
void process_one_ended(int status);

/* exec.c: replaces the running process's program. `strings` are kernel copies. On success the
 * thread's user registers are those of the new program. Once the old space is given up failure ends
 * the process. */
struct exec_strings {
	char *bytes; /* argv then envp, NUL-terminated one after the other */
	size_t size; /* bytes used */
	size_t capacity;
	unsigned argc, envc;
};
int exec_strings_init(struct exec_strings *strings) MUST_CHECK;
int exec_strings_add(
	struct exec_strings *strings, const char *text) MUST_CHECK; /* -E2BIG, -ENOMEM */
int exec_strings_room(struct exec_strings *strings, size_t more) MUST_CHECK;
void exec_strings_free(struct exec_strings *strings);
int process_exec(const char *path, struct exec_strings *strings) MUST_CHECK;

/* signal.c */
void signal_send(struct process *process, int signal) requires(process_lock);
int signal_kill(int pid, int signal) MUST_CHECK; /* kill(2) */
void signal_deliver(void);                       /* on the way to user mode; interrupts on */
bool signal_kill_pending(void);                  /* the running process is to end */
void signal_mask_changed(void);                  /* the running thread's */
const char *signal_name(int signal);
bool signal_dumps_core(int signal);

bool stack_guard_hit(virt_t address); /* arch */

#endif
