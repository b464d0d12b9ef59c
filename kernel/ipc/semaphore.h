/* SPDX-License-Identifier: MIT */
/* System V's semaphores: what the calls, the undoing and the end of threads share. See semaphore.c. */
#ifndef IPC_SEMAPHORE_H
#define IPC_SEMAPHORE_H

#include "ipc/ipc.h"
#include "lib/list.h"
#include "process/wait.h"

struct thread;

/* Linux's limits, and words of <linux/sem.h>, which cannot be had without a C library. */
#define VALUE_MAX    32767 /* SEMVMX, SEMAEM */
#define SEM_UNDO     0x1000
#define GETPID       11
#define GETVAL       12
#define GETALL       13
#define GETNCNT      14
#define GETZCNT      15
#define SETVAL       16
#define SETALL       17
#define SEM_STAT     18
#define SEM_INFO     19
#define SEM_STAT_ANY 20

struct sembuf {
	unsigned short sem_num;
	short sem_op, sem_flg;
};

struct semaphore {
	int value, pid; /* pid: of who changed it last */
};

/* All by ipc_lock. */
struct sem_set {
	struct ipc_item item;
	unsigned count;
	long operated, changed; /* seconds since 1970 */
	struct list pending;    /* struct sem_call.link, the oldest first */
	struct list undos;      /* struct sem_undo.in_set */
	struct semaphore at[];
};

/* What is to be added to a set's semaphores when who holds it ends. By ipc_lock. */
struct sem_undo {
	struct list in_set, held; /* of its set, which is there; of its holders */
	struct sem_set *set;
	short adjust[];
};

/* Of a thread and those that share it by CLONE_SYSVSEM. */
struct sem_undos {
	uint32_t references; /* atomic */
	struct list undos;   /* struct sem_undo.held; ipc_lock */
};

/* A semop under way. By ipc_lock, but `done`. */
struct sem_call {
	struct list link; /* on its set's, while it waits */
	const struct sembuf *operations;
	unsigned count, blocking; /* blocking: the operation that makes it wait */
	struct sem_undo *undo;    /* NULL: it asks for none */
	int pid, result;
	bool done; /* atomic */
	struct wait_queue queue;
};

/* kernel.sem: SEMMSL, SEMMNS, SEMOPM, SEMMNI: semaphores of a set, of all; operations of a call; sets. Atomic. */
enum sem_limit { PER_SET_MOST, ALL_MOST, OPERATIONS_MOST, SETS_MOST, SEM_LIMITS };
extern int32_t sem_limits[SEM_LIMITS];
int sem_check_limits(void) MUST_CHECK; /* after a change: 0 or -ERANGE */
static inline int sem_limit(enum sem_limit which)
{
	return __atomic_load_n(&sem_limits[which], __ATOMIC_RELAXED);
}

extern struct ipc_ids sem_ids;
extern unsigned sem_all; /* semaphores of all sets; ipc_lock */

struct sem_set *sem_set_of_id(int id) requires(ipc_lock) MUST_CHECK; /* NULL: none */
/* After values changed: waiting calls that can go on do. */
void sem_update(struct sem_set *set) requires(ipc_lock);
/* Takes a set out; all who wait get EIDRM. The caller frees it after the lock. */
void sem_set_remove(struct sem_set *set) requires(ipc_lock);

/* ---- semaphore_undo.c ---- */

/* The running thread's for this set, with the lock, which is given away to make it: NULL with *error. The set may be gone
 * then (-EIDRM). */
struct sem_undo *sem_undo_of(int id, int *error) requires(ipc_lock) MUST_CHECK;
/* Nothing is to be undone of so many of its semaphores, from `first` on. */
void sem_undo_forget(struct sem_set *set, unsigned first, unsigned count) requires(ipc_lock);
void sem_undo_drop_all(struct sem_set *set) requires(ipc_lock);
/* clone: shares the caller's, or none. -ENOMEM. */
int sem_undos_clone(struct thread *child, bool share) MUST_CHECK;
/* The thread's end, or unshare: what nobody else shares is undone. */
void sem_undos_leave(struct thread *thread);

#endif
