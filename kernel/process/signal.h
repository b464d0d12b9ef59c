/* SPDX-License-Identifier: MIT */
/*
 * Signals: what the other rooms see of them, and the state that processes and threads have. How it
 * works and what holds always: signal.c; for users: docs/signals.md. All of the state is guarded by
 * process_lock, but for what the thread itself alone changes (marked "own").
 */
#ifndef PROCESS_SIGNAL_H
#define PROCESS_SIGNAL_H

#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"

struct pid;
struct process;
struct siginfo; /* <asm/siginfo.h> */
struct thread;

extern struct spinlock process_lock;

#define SIGNALS       64
#define SIGNAL_BIT(n) (UINT64_C(1) << ((n)-1))
#define CORE_DUMPED   0x80 /* in a wait status */

/* Of struct thread_signals.stack_flags: man 2 sigaltstack. */
#define SIGNAL_STACK_ON      1u         /* SS_ONSTACK */
#define SIGNAL_STACK_NONE    2u         /* SS_DISABLE */
#define SIGNAL_STACK_DISARMS (1u << 31) /* SS_AUTODISARM */

/* The part of siginfo_t that is ever used, its first 48 bytes, by names of our own: headers of other
 * rooms are built on the host too, whose C library has a siginfo_t already. */
struct signal_info {
	int number, error, code, padding;
	union {
		struct {
			int pid;
			uint32_t uid;
			uint64_t value;
		} sent; /* kill, sigqueue */
		struct {
			int id, overrun;
			uint64_t value;
		} timer;
		struct {
			int pid;
			uint32_t uid;
			int status;
			long user, system;
		} child;
		struct {
			uint64_t address, more[2];
		} fault;
		uint64_t words[4];
	};
};

/* As rt_sigaction has it. */
struct signal_action {
	uintptr_t handler; /* or SIG_DFL, SIG_IGN */
	uint64_t flags;    /* SA_* */
	uintptr_t restorer;
	uint64_t mask;
};

/* Only those whose bit is set say what they are; the others are SIG_DFL without flags, whatever stands
 * there. Guarded by process_lock. */
struct signal_actions {
	uint32_t references; /* processes, by CLONE_SIGHAND */
	uint64_t changed;    /* by number - 1 */
	struct signal_action of[SIGNALS];
};

static inline struct signal_action *signal_action_at(struct signal_actions *actions, int signal)
{
	struct signal_action *action = &actions->of[signal - 1];

	if (!(actions->changed >> (signal - 1) & 1))
		*action = (struct signal_action){0};
	return action;
}

static inline void signal_actions_copy(struct signal_actions *to, const struct signal_actions *from)
{
	to->changed = from->changed;
	for (uint64_t left = from->changed; left; left &= left - 1)
		to->of[__builtin_ctzll(left)] = from->of[__builtin_ctzll(left)];
}

struct signal_account;
struct signal_watch;

/* One signal that waits, with its siginfo. */
struct signal_entry {
	struct list link; /* on a queue, or empty */
	struct signal_info info;
	struct signal_account *account; /* whose RLIMIT_SIGPENDING it counts against */
	/* A POSIX timer's: the entry is the timer's, which hears here that the signal is taken now
	 * and may set si_overrun. Called under process_lock. NULL: freed when taken. */
	void (*taken)(struct signal_entry *entry);
};

/* Signals that wait, for one thread or for a process. A bit of `set` may have no entry: there was no
 * memory for one, or it needs none. */
struct signal_queue {
	uint64_t set; /* bit n - 1 is signal n */
	struct list entries;
};

/* What a process does about a signal, for who would send it. */
struct signal_policy {
	bool ignored;   /* by SIG_IGN */
	uint64_t flags; /* SA_* */
};

struct process_signals {
	struct signal_actions *actions;
	struct signal_queue queue;
	struct signal_entry slot;   /* for a standard signal: needs no memory, counts for nobody */
	bool protected;             /* process 1: nothing that it does not handle ends it */
	bool stopped;               /* by job control: all its threads are */
	unsigned stop_count;        /* threads that have yet to stop */
	int stop_signal;            /* which stops it, while it is stopping or stopped */
	struct signal_watch *watch; /* atomic: signal_watch.h; NULL: nobody ever waited so */
};

struct restart_block {
	/* What restart_syscall(2) calls; NULL: it gives EINTR. own */
	long (*restart)(struct restart_block *block);
	uint64_t words[6];
};

struct tracee; /* what ptrace has of a thread; see ptrace.h */

struct thread_signals {
	uint64_t blocked; /* the mask; changed by the thread itself */
	uint64_t waited;  /* in rt_sigtimedwait: the mask outside it; else 0 */
	uint64_t saved;   /* the mask to go back to, when restore */
	bool restore;     /* own: sigsuspend and its like replaced the mask */
	bool stop;        /* is to stop with its process, and counts in stop_count */
	bool stopped;     /* sleeps until SIGCONT or SIGKILL */
	bool core_waits;  /* in its end, until its process's core is written */
	bool leaving;     /* in its exit: takes no more signals */
	bool check_frame; /* own: sigreturn or a tracer set registers that the CPU may refuse */
	struct signal_queue queue;
	uintptr_t stack_base; /* own: the alternate stack */
	size_t stack_size;    /* 0: none */
	unsigned stack_flags; /* SS_* */
	struct restart_block restart;
	struct tracee *tracee; /* NULL: nobody traces it */
};

/* A handler that is to run. */
struct signal_delivery {
	struct signal_info info;
	struct signal_action action;
	uint64_t mask;        /* which its end gives back */
	uint64_t mask_before; /* for when it cannot run */
};

/* What rt_sigreturn gives back beside the registers. */
struct signal_return {
	uint64_t mask;
	uintptr_t stack_base;
	size_t stack_size;
	unsigned stack_flags;
	long result;  /* the register that a system call's result goes to */
	bool refused; /* the CPU would not go to user mode with these registers */
};

/* ---- Life ---- */

void signal_init(void);
/* Clone, for the child before it runs. 0 or -ENOMEM. */
int signal_thread_clone(
	struct thread *child, struct thread *parent, uint64_t clone_flags) MUST_CHECK;
/* parent NULL: process 1. */
int signal_process_clone(
	struct process *child, struct process *parent, uint64_t clone_flags) MUST_CHECK;
/* The running thread, alone in its process: handlers to default, no alternate stack, an actions
 * table of its own. -ENOMEM: nothing changed; before exec's commit. */
int signal_exec_prepare(void) MUST_CHECK;
void signal_exec(void);
/* The thread leaves its process (and is still on its list): its signals go, the process's go to the
 * others. */
void signal_thread_exit(struct thread *thread) requires(process_lock);
void signal_process_free(struct process *process);

/* ---- Sending ---- */

/* To a process: 0, or -EAGAIN (RLIMIT_SIGPENDING, memory) where the sender must know. Zombies take
 * everything. The sender's rights are checked before: may_signal. */
int signal_send(struct process *process, const struct siginfo *info) requires(process_lock);
int signal_send_thread(struct thread *thread, const struct siginfo *info) requires(process_lock);
/* The same as by the kernel itself (SI_KERNEL). */
void signal_send_kernel(struct process *process, int signal) requires(process_lock);
/* A preallocated entry, to `thread`, or (NULL) to the process; true: it waits now. False: it waits
 * already (si_overrun is the caller's to count), or is ignored. */
bool signal_send_entry(struct process *process, struct thread *thread,
	struct signal_entry *entry) requires(process_lock);
struct signal_entry *signal_entry_create(
	void (*taken)(struct signal_entry *)) MUST_CHECK; /* NULL: -EAGAIN */
void signal_entry_destroy(struct signal_entry *entry);    /* off its queue, if it is on one */

/* kill(2), tgkill(2) (pid 0: tkill) with the sender's rights: 0, -ESRCH, -EPERM, -EINVAL, -EAGAIN. */
int signal_kill(int pid, const struct signal_info *info) MUST_CHECK;
/* The same to the process whose id this is. */
int signal_kill_process(struct pid *pid, const struct signal_info *info) MUST_CHECK;
int signal_kill_thread(int pid, int tid, const struct signal_info *info) MUST_CHECK;
/* What the running process's kill says of itself. */
void signal_info_from_self(struct signal_info *info, int signal, int code);

/* A fault of the running thread: neither mask nor SIG_IGN keep it away. */
void signal_force(const struct siginfo *info);
/* kill(2) on a group as by the kernel; -ESRCH: nobody is in it. */
int signal_group(int group, int signal);
/* The group ends with this status, if it does not yet: all its threads but the caller are made to. */
void signal_end_group(struct process *process, int status) requires(process_lock);
/* The same with the caller, who ends on its way to user mode. */
void signal_end_all(struct process *process, int status);
/* Makes the other threads of the running process end, for exec. */
void signal_end_others(void) requires(process_lock);
/* `process` ended or changes its group: groups that have no parent in their session any more and a
 * stopped member get SIGHUP and SIGCONT. Called while it is still in its group. */
void signal_orphan_groups(struct process *process) requires(process_lock);

/* ---- The running thread ---- */

void signal_deliver(void);      /* on the way to user mode; interrupts on */
bool signal_kill_pending(void); /* it is to end */
/* Replaces the mask for the length of a call (ppoll, epoll_pwait, ...), where the pointer is not
 * NULL: 0, -EINVAL, -EFAULT. */
int signal_mask_borrow(user_t mask, size_t size) MUST_CHECK;
/* At that call's end: the mask is put back now, or, when it was interrupted, after the handler ran. */
void signal_mask_return(bool interrupted);
void signal_mask_set(uint64_t mask);
/* What a call gives that restart_syscall is to continue, with these words, where no handler runs. */
long signal_restart_by(
	long (*restart)(struct restart_block *block), uint64_t a, uint64_t b, uint64_t c);

/* ---- Questions ---- */

const char *signal_name(int signal);
bool signal_dumps_core(int signal);
struct signal_policy signal_policy(struct process *process, int signal) requires(process_lock);

/* Whether a stack pointer lies in the alternate stack. */
static inline bool signal_on_stack(const struct thread_signals *signals, uintptr_t sp)
{
	return !(signals->stack_flags & SIGNAL_STACK_DISARMS) && sp > signals->stack_base &&
	       sp - signals->stack_base <= signals->stack_size;
}

/* ---- Inside the room ---- */

void signal_queue_init(struct signal_queue *queue);
void signal_queue_add(struct signal_queue *queue, struct signal_entry *entry);
/* The next one that `blocked` lets through: faults first, then the lowest number; 0: none. */
int signal_queue_next(const struct signal_queue *queue, uint64_t blocked);
/* Takes the first of this number off, with what is known about it. */
void signal_queue_take(struct signal_queue *queue, int signal, struct signal_info *info) requires(
	process_lock);
void signal_queue_discard(struct signal_queue *queue, uint64_t set) requires(process_lock);
/* Counted against the user, who may have `limit` of them; NULL: too many, or no memory. */
struct signal_entry *signal_entry_alloc(uint32_t uid, uint64_t limit) requires(process_lock);
void signal_entry_free(struct signal_entry *entry) requires(process_lock);
uint64_t signal_entries_of(uint32_t uid) requires(process_lock); /* how many wait */

/* signal.c */
#define SIGNALS_STOP \
	(SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))
#define SIGNALS_UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))
#define SIGNALS_IGNORED \
	(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGCONT))

/* Makes a thread look at its signals before it goes on in user mode, wherever it is. */
void signal_wake(struct thread *thread) requires(process_lock);
/* Whether the running thread has anything to look at; clears or sets WORK_SIGNAL by that. */
void signal_recalculate(struct thread *self) requires(process_lock);
/* thread NULL: to the process. As signal_send. */
int signal_send_info(struct process *process, struct thread *thread,
	const struct signal_info *info) requires(process_lock);
/* signal_mask_set, with the lock. */
void signal_mask_set_locked(struct thread *self, uint64_t mask) requires(process_lock);
/* Takes the next signal that `blocked` lets through, off the thread's queue or the process's; 0:
 * none. */
int signal_take(struct thread *self, uint64_t blocked, struct signal_info *info) requires(
	process_lock);
/* rt_sigaction's second half: signals that are ignored now and wait are dropped. */
void signal_action_set(struct process *process, int signal,
	const struct signal_action *action) requires(process_lock);
/* From all queues of a process. */
void signal_discard(struct process *process, uint64_t set) requires(process_lock);

/* signal_stop.c */
/* The running thread took a signal whose default is to stop. */
void signal_stop_begin(struct process *process, int signal) requires(process_lock);
/* The running thread stops, until it may go on. */
void signal_stop_self(void);
/* SIGCONT was sent. */
void signal_continue(struct process *process) requires(process_lock);
/* A thread that was to stop will not. */
void signal_stop_leave(struct thread *thread) requires(process_lock);
bool signal_group_orphaned(struct pid *group, const struct process *without) requires(process_lock);

#endif
