/* SPDX-License-Identifier: MIT */
/*
 * Who a thread is: user and group ids, supplementary groups, capabilities. man 7 credentials,
 * capabilities.
 *
 * A set is never changed once a thread has it: a call makes a copy, changes that, and puts it in the
 * old one's place (credentials_set). So the running thread reads its own without a lock, and one
 * set serves many threads. Of another thread it is read under process_lock.
 */
#ifndef PROCESS_CREDENTIALS_H
#define PROCESS_CREDENTIALS_H

#include "lib/types.h"

#define GROUPS_MAX 65536u /* NGROUPS_MAX */

struct thread;

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
};

/* Of the running thread; valid until it changes them itself. */
const struct credentials *current_credentials(void);
const struct credentials *credentials_of_root(void);
void credentials_get(const struct credentials *credentials);
void credentials_put(const struct credentials *credentials);
/* Whether the running thread may do what needs CAP_*. */
bool capable(unsigned capability);
/* Whether `group` is the file group or one of the others. */
bool credentials_in_group(const struct credentials *credentials, uint32_t group);

#endif
