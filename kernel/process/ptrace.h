/* SPDX-License-Identifier: MIT */
/* Tracing: what the rest of the kernel tells ptrace(2), and asks of it. See ptrace.c. */
#ifndef PROCESS_PTRACE_H
#define PROCESS_PTRACE_H

#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"
#include "process/process.h"
#include "process/signal.h"

struct process;
struct thread;
struct wait_request;
struct wait_result;

enum ptrace_resume { RESUME_RUN, RESUME_SYSCALL, RESUME_STEP, RESUME_EMULATE, RESUME_EMULATE_STEP };

/* A traced thread, as its tracer has it. All by process_lock; while `busy` the thread stays in its
 * stop, and the tracer alone looks at it. */
struct tracee {
	struct thread *thread; /* NULL: it has ended, and its tracer has yet to hear of it */
	struct process *holds; /* whose leader it was: its `held`; NULL: none */
	struct process *tracer;
	struct list link; /* tracer->tracees */
	int tid, group;   /* group: of its process, for wait4 */
	uint32_t uid;
	unsigned options; /* PTRACE_O_* */
	bool seized;
	bool capable;   /* who attached it had CAP_SYS_PTRACE then; PTRACE_TRACEME: it had itself */
	bool inside;    /* the thread is in ptrace_stop.c's stop() and will look here again */
	bool stopped;   /* in a stop */
	bool news;      /* the tracer has yet to hear of the stop, or of the end */
	bool busy;      /* the tracer looks at it */
	bool detached;  /* nobody's any more: frees itself when it wakes */
	bool interrupt; /* PTRACE_INTERRUPT: stop as soon as you can */
	bool listening; /* PTRACE_LISTEN: stopped, but not for the tracer to resume */
	bool entering;  /* in a stop: before a system call, not after it */
	bool in_call;   /* in a stop at a system call at all */
	int code;       /* of the stop: signal | event << 8; of the end: as wait4 gives it */
	bool has_info;
	struct signal_info info; /* of the stop */
	unsigned long message;   /* PTRACE_GETEVENTMSG */
	enum ptrace_resume resume;
	int inject; /* the signal with which it goes on; 0: none */
	bool stepping;
};

/* ---- What happens to a traced thread; each may stop it, so no locks are held ---- */

/* A signal is about to be delivered: which is, after the tracer looked at it; 0: none. */
int ptrace_signal(struct signal_info *info);
/* Its process stops by this signal. */
void ptrace_group_stop(int signal);
/* One of PTRACE_EVENT_*, if the tracer wants it. */
void ptrace_event(int event, unsigned long message);
void ptrace_exec(int old_tid);
/* The running thread must not gain rights by exec: its tracer, who would have them too, might not trace
 * just anybody when it attached. */
bool ptrace_limits_exec(void);
void ptrace_handler_entered(void); /* single-stepped into it */
void ptrace_interrupt_stop(void);  /* PTRACE_INTERRUPT was asked for */

static inline bool ptrace_on(const struct thread *thread)
{
	return __atomic_load_n(&thread->signals.tracee, __ATOMIC_RELAXED);
}

/* ---- Life ---- */

/* The running thread makes `child`, not running yet: whether it is traced too. flags: CLONE_*. The
 * event that the parent is to tell when the child is there; 0: none. */
int ptrace_clone(struct thread *child, uint64_t flags, int exit_signal,
	struct tracee **spare) requires(process_lock);
/* Room for a child's tracee, before; NULL: none needed, or no memory (*error). */
struct tracee *ptrace_clone_prepare(int *error);
void ptrace_clone_discard(struct tracee *spare);
/* The thread leaves its process. status: as wait4 would give it. */
void ptrace_thread_exit(struct thread *thread, int status) requires(process_lock);
/* The process has ended. True: its leader's tracer, not its parent, hears of it first; then, or when
 * that one ends, child_ended is called. */
bool ptrace_holds(struct process *zombie) requires(process_lock);
/* The process has another leader; nobody is told of the old one's end. */
void ptrace_leader_replaced(struct process *process) requires(process_lock);
/* The process ends: its tracees go free, or end. */
void ptrace_tracer_exit(struct process *process) requires(process_lock);

/* ---- wait4 ---- */

/* Fills in a tracee's news; false: none. */
bool ptrace_look(struct process *self, const struct wait_request *request,
	struct wait_result *result) requires(process_lock);
bool ptrace_any(struct process *self, const struct wait_request *request) requires(process_lock);
/* The parent hears of it as its tracer. */
bool ptrace_by_parent(const struct process *process) requires(process_lock);

/* ---- Inside the room ---- */

/* SIGCHLD to the tracer, and its wait4. */
void ptrace_tell(struct tracee *tracee, int code, int status) requires(process_lock);

static inline bool ptrace_killed(const struct thread *thread)
{
	return thread->signals.queue.set & 1u << 8; /* SIGKILL */
}

/* ---- Requests, for syscall/ptrace.c ---- */

int ptrace_trace_me(void) MUST_CHECK;
/* Whether the running process may look into that one; itself it may. */
bool ptrace_may_attach(const struct process *process) requires(process_lock);
int ptrace_attach(int tid, bool seize, unsigned options) MUST_CHECK;
/* A stopped tracee of the caller's, which stays so until ptrace_release; NULL with *error. */
struct tracee *ptrace_take(int tid, int *error) MUST_CHECK;
void ptrace_release(struct tracee *tracee);
/* Lets it go on; -EIO: no such signal. It is released. */
int ptrace_continue(struct tracee *tracee, enum ptrace_resume how, unsigned long signal) MUST_CHECK;
int ptrace_detach(struct tracee *tracee, unsigned long signal) MUST_CHECK;
int ptrace_interrupt(int tid) MUST_CHECK;
int ptrace_kill(int tid) MUST_CHECK;
int ptrace_listen(struct tracee *tracee) MUST_CHECK;

#endif
