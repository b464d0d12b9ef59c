/* SPDX-License-Identifier: MIT */
/* What processes may have: limits of each (man 2 getrlimit) and of all. See rlimit.c. */
#ifndef PROCESS_RLIMIT_H
#define PROCESS_RLIMIT_H

#include "lib/lock.h"
#include "lib/types.h"

#define LIMITS          16 /* RLIM_NLIMITS */
#define LIMIT_UNLIMITED UINT64_MAX

struct process;
extern struct spinlock process_lock;

struct limit {
	uint64_t soft, hard;
};

/* The soft limit RLIMIT_* of the running process; LIMIT_UNLIMITED for a kernel thread. */
uint64_t process_limit(unsigned which);

/* How many threads there may be, in a machine with that much memory. */
void limits_init(uint64_t ram_bytes);
extern int limits_threads;    /* kernel.threads-max; atomic */
extern unsigned limits_files; /* fs.nr_open, which no RLIMIT_NOFILE is above; atomic */
unsigned limits_thread_count(void);
uint64_t limits_ram(void);                      /* bytes, as told to limits_init */
void limits_first(struct limit limits[LIMITS]); /* those of process 1 */
/* A thread more of the running user's, or -EAGAIN; and one less. */
struct user;
int limits_thread_begin(struct user *user) MUST_CHECK;
void limits_thread_end(struct user *user);
/* prlimit(2) without its permission to look: `new` and `old` may be NULL. -EINVAL, -EPERM. */
int limits_change(struct process *process, unsigned which, const struct limit *new,
	struct limit *old) requires(process_lock) MUST_CHECK;
/* The running user has more threads than it may (asked by exec after a change of user). */
bool limits_user_exceeded(void);

#endif
