/* SPDX-License-Identifier: MIT */
/*
 * Signals as the rest of the kernel sees them; see signal.c. So far without handlers: default
 * actions and SIG_IGN. All of it is guarded by process_lock.
 */
#ifndef PROCESS_SIGNAL_H
#define PROCESS_SIGNAL_H

#include "lib/lock.h"
#include "lib/types.h"

struct process;
struct siginfo; /* <asm/siginfo.h> */
struct thread;

extern struct spinlock process_lock;

#define SIGNALS       64
#define SIGNAL_BIT(n) (UINT64_C(1) << ((n)-1))
#define CORE_DUMPED   0x80 /* in a wait status */

struct process_signals {
	uint64_t pending; /* sent to the process */
	uint64_t ignored; /* SIG_IGN */
};

struct thread_signals {
	uint64_t blocked; /* the mask: bit n - 1 is signal n */
};

/* What a process does with a signal. */
struct signal_policy {
	bool ignored;        /* SIG_IGN */
	unsigned long flags; /* SA_* */
};
struct signal_policy signal_policy(struct process *process, int signal) requires(process_lock);

/* Clone, for the child before it runs. 0 or -ENOMEM. */
int signal_thread_clone(
	struct thread *child, struct thread *parent, uint64_t clone_flags) MUST_CHECK;
int signal_process_clone(
	struct process *child, struct process *parent, uint64_t clone_flags) MUST_CHECK;
void signal_exec(void); /* the running thread, alone in its process */
void signal_thread_exit(struct thread *thread);
void signal_process_free(struct process *process);

/* To a process: 0, or -EAGAIN (no room for a queued one). To one that ends: nothing. */
int signal_send(struct process *process, const struct siginfo *info) requires(process_lock);
int signal_send_thread(struct thread *thread, const struct siginfo *info) requires(process_lock);
void signal_send_kernel(struct process *process, int signal) requires(process_lock);
/* The group ends with this status, if it does not yet: all its threads but the caller are made to. */
void signal_end_group(struct process *process, int status) requires(process_lock);

int signal_kill(int pid, int signal) MUST_CHECK; /* kill(2) */
void signal_deliver(void);                       /* on the way to user mode; interrupts on */
bool signal_kill_pending(void);                  /* the running thread is to end */
void signal_mask_changed(void);                  /* the running thread's */
const char *signal_name(int signal);
bool signal_dumps_core(int signal);

#endif
