/* SPDX-License-Identifier: MIT */
/* What files, terminals and devices ask of the running process. */
#ifndef PROCESS_CURRENT_H
#define PROCESS_CURRENT_H

#include "lib/types.h"
#include "process/process.h"

struct files;
struct fs_context;

static inline struct files *current_files(void)
{
	return current_thread()->files;
}

/* Gives the calling thread a table of its own, if it shares one. -ENOMEM. */
int current_files_unshare(void) MUST_CHECK;
static inline struct fs_context *current_fs(void)
{
	return current_thread()->fs;
}

/* Of every process, where root or working directory are `from`, they become `to` (pivot_root). */
struct path;
void all_fs_replace(const struct path *from, const struct path *to);
int current_pid(void);     /* the process (thread group) */
int current_group(void);   /* its process group */
int current_session(void); /* its session */
bool current_signal_pending(void);
uint64_t process_limit(unsigned which); /* RLIMIT_*: the soft limit, or UINT64_MAX */
/* Stands in the loops of calls that may take long, where no spin lock is held: others run, when the
 * caller's slice is over. The kernel is not preempted otherwise. */
void sched_point(void);
/* Sends a signal to every process of a group (from a terminal: as the kernel). -ESRCH: none. */
int signal_group(int group, int signal);
/* Sends signals (bit n: signal n) to the leader of a session, if it lives. */
void signal_leader(int session, uint32_t signals);
/* 0; -ESRCH: nobody has this number; -EPERM: the group, or the process or thread where there is none, is in
 * another session. */
int check_group_session(int group, int session) MUST_CHECK;
/* A process that is not in a terminal's foreground group wants to use it: its group gets SIGTTIN or
 * SIGTTOU, and the call is made again when it goes on (-ERESTARTSYS). -EIO: the group is orphaned, or
 * it does not take SIGTTIN; 0: it does not take SIGTTOU, and may write. */
int signal_from_background(int signal);
/* Sends a signal to the calling thread (SIGPIPE, SIGXFSZ). */
void signal_current(int signal);

#endif
