/* SPDX-License-Identifier: MIT */
/*
 * Who a thread is: user and group ids, supplementary groups, capabilities. man 7 credentials,
 * capabilities.
 *
 * A set is never changed once a thread has it: a call makes a copy, changes that, and puts it in the
 * old one's place (credentials_set). So the running thread reads its own without a lock, and one set
 * serves many threads. Of another thread it is read under process_lock.
 *
 * struct user counts what all of a real user's threads have together; it is there as long as a set
 * of credentials is of that user.
 */
#ifndef PROCESS_CREDENTIALS_H
#define PROCESS_CREDENTIALS_H

#include "lib/types.h"

#define GROUPS_MAX     65536u /* NGROUPS_MAX */
#define ID_NONE        UINT32_MAX
#define CAPABILITY_MAX 40u /* CAP_CHECKPOINT_RESTORE */
#define CAPABILITY_ALL ((UINT64_C(2) << CAPABILITY_MAX) - 1)

struct user {
	uint32_t uid;
	uint32_t references;     /* by users_lock */
	uint32_t threads;        /* atomic: threads of its processes, zombies as one each */
	uint32_t queued_signals; /* atomic */
	uint32_t in_flight;      /* atomic: descriptors in messages that nobody has received */
	uint32_t watches;        /* atomic: files in epolls that it made */
	uint32_t inotify_instances, inotify_watches; /* atomic */
};

struct groups {
	uint32_t references; /* atomic */
	uint32_t count;
	uint32_t ids[]; /* rising */
};

struct credentials {
	uint32_t references;   /* atomic */
	uint32_t uid, gid;     /* real */
	uint32_t euid, egid;   /* effective */
	uint32_t suid, sgid;   /* saved */
	uint32_t fsuid, fsgid; /* for files */
	uint32_t securebits;
	uint64_t permitted, effective, inheritable, bounding, ambient; /* capabilities, as bits */
	struct groups *groups;                                         /* NULL: none */
	struct user *user;                                             /* of uid */
};

/* Of the running thread; valid until it changes them itself. */
const struct credentials *current_credentials(void);
/* Whether the running thread may do what needs CAP_*. */
bool capable(unsigned capability);

static inline bool has_capability(const struct credentials *who, unsigned capability)
{
	return who->effective >> capability & 1;
}

/* What process 1 starts with, and kernel threads have. */
const struct credentials *credentials_of_root(void);
void credentials_get(const struct credentials *credentials);
void credentials_put(const struct credentials *credentials);
/* A copy to be changed, with one reference. NULL: no memory. */
struct credentials *credentials_copy(const struct credentials *from) MUST_CHECK;
/* After a change of uid: finds the user's counts. -ENOMEM. */
int credentials_find_user(struct credentials *credentials) MUST_CHECK;
/* Gives the running thread a changed copy, whose reference is taken over. (process.c) */
void credentials_set(struct credentials *credentials);
/* For a call that acts as somebody else for a moment: `other` need not be counted, and is there until
 * the ones before, which it gives, are put back. (process.c) */
const struct credentials *credentials_override(const struct credentials *other);
/* Whether `group` is the file group or one of the others. */
bool credentials_in_group(const struct credentials *credentials, uint32_t group);
/* As many groups, whose ids are then to be filled in and sorted. NULL: no memory. */
struct groups *groups_create(uint32_t count) MUST_CHECK;
void groups_sort(struct groups *groups);
void groups_put(struct groups *groups);

/* ---- The rules: from one set to the next, nothing else. 0 or -EPERM. ---- */

int credentials_setuid(struct credentials *new, uint32_t uid) MUST_CHECK;
int credentials_setreuid(struct credentials *new, uint32_t uid, uint32_t euid) MUST_CHECK;
int credentials_setresuid(
	struct credentials *new, uint32_t uid, uint32_t euid, uint32_t suid) MUST_CHECK;
int credentials_setfsuid(struct credentials *new, uint32_t fsuid) MUST_CHECK;
int credentials_setgid(struct credentials *new, uint32_t gid) MUST_CHECK;
int credentials_setregid(struct credentials *new, uint32_t gid, uint32_t egid) MUST_CHECK;
int credentials_setresgid(
	struct credentials *new, uint32_t gid, uint32_t egid, uint32_t sgid) MUST_CHECK;
int credentials_setfsgid(struct credentials *new, uint32_t fsgid) MUST_CHECK;
int credentials_setcaps(struct credentials *new, uint64_t effective, uint64_t permitted,
	uint64_t inheritable) MUST_CHECK;
/* Why a new program is not to gain rights. */
enum exec_unsafe {
	EXEC_WATCHED =
		1, /* others could steer it: a tracer, who shares root and working directory */
	EXEC_NO_NEW_PRIVS = 2, /* the caller gave that up */
};
/* A new program: `uid` and `gid` are its file's owner and group where it has set-id bits that count,
 * else ID_NONE; unsafe: EXEC_*, or-ed. True: the program is to be told that it cannot trust its caller
 * (AT_SECURE), though it may have gained nothing in the end. */
bool credentials_exec(struct credentials *new, uint32_t uid, uint32_t gid, unsigned unsafe);
/* Whether a process with these may send a signal to one with those. */
bool credentials_may_signal(const struct credentials *sender, const struct credentials *target);
/* Whether the change is one after which others of the user should not look inside the process. */
bool credentials_guarded(const struct credentials *old, const struct credentials *new);

#endif
