/* SPDX-License-Identifier: MIT */
/*
 * What System V's objects share (man 7 sysvipc): ids, keys, rights. See ipc.c.
 */
#ifndef IPC_IPC_H
#define IPC_IPC_H

#include <linux/ipc.h>

#include "lib/lock.h"
#include "lib/radix.h"
#include "lib/types.h"

#define IPC_MOST   32768u /* objects of one kind, whatever its limit: an id has so many indices */
#define IPC_RIGHTS 0777u
#define IPC_READ   0444u /* for whichever class the caller is of */
#define IPC_WRITE  0222u

extern struct spinlock ipc_lock;

/* The start of each object. By ipc_lock. */
struct ipc_item {
	struct ipc64_perm perm;
	int id;
};

/* All objects of a kind. By ipc_lock. */
struct ipc_ids {
	struct radix items; /* by index */
	struct radix keys;  /* by key, those that have one */
	unsigned most;      /* objects */
	unsigned listed;
	unsigned last; /* index that was given last */
	bool given;    /* ... if any was */
	int sequence;
};

/* How objects of a kind are made: for ipc_get. */
struct ipc_kind {
	struct ipc_ids *ids;
	/* A new one of this size, with nothing of its item: 0 or a negative errno. */
	int (*make)(size_t size, unsigned flags, struct ipc_item **out);
	/* With the lock: whether an old one is large enough, 0 or a negative errno; a new one may be added. */
	int (*fits)(const struct ipc_item *item, size_t size);
	int (*may_add)(size_t size);
	void (*added)(struct ipc_item *item);
	void (*destroy)(struct ipc_item *item); /* one that was not added */
};

/* semget, shmget: the id or a negative errno. */
long ipc_get(const struct ipc_kind *kind, int key, size_t size, unsigned flags) MUST_CHECK;
/* NULL: none. */
struct ipc_item *ipc_of_id(const struct ipc_ids *ids, int id) requires(ipc_lock) MUST_CHECK;
struct ipc_item *ipc_of_index(const struct ipc_ids *ids, int index) requires(ipc_lock) MUST_CHECK;
/* Its id and key are free; the object is the caller's. */
void ipc_remove(struct ipc_ids *ids, struct ipc_item *item) requires(ipc_lock);
/* Its key alone is: it has none any more. */
void ipc_drop_key(struct ipc_ids *ids, struct ipc_item *item) requires(ipc_lock);
/* The highest index in use, or 0. */
int ipc_highest(const struct ipc_ids *ids) requires(ipc_lock);

/* Seconds since 1970, as the times of objects are. */
long ipc_now(void);

/* ---- Rights ---- */

bool ipc_owns(const struct ipc64_perm *of);
/* `wanted`: the bits of a mode, for whichever class the caller is of. 0 or -EACCES. */
int ipc_check_access(const struct ipc64_perm *of, unsigned wanted) MUST_CHECK;
/* Who may change or remove it: 0 or -EPERM. */
int ipc_check_owner(const struct ipc64_perm *of) MUST_CHECK;
/* IPC_SET: -EINVAL. */
int ipc_set_perm(struct ipc64_perm *perm, const struct ipc64_perm *new) MUST_CHECK;
/* Owner and maker of a new one. */
void ipc_init_perm(struct ipc64_perm *perm, unsigned mode);

#endif
