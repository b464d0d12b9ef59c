/* SPDX-License-Identifier: MIT */
/*
 * Ids, keys and rights of System V's objects: man 7 sysvipc, man 2 semget, shmget, semctl.
 *
 * An id is an index with a sequence number, which grows whenever the indices have been gone through, so that an id is
 * not soon somebody else's. Objects are found by index and by key in two radix trees.
 *
 * Invariant: an object that is listed is in `items`, and in `keys` if and only if its key is not IPC_PRIVATE.
 *
 * Lock: ipc_lock, a spin lock, over all objects of all kinds; taken under spaces' locks. The allocator's and wait queues'
 * locks come after it.
 */
#include "ipc/ipc.h"

#include <linux/capability.h>

#include "lib/errno.h"
#include "process/clocks.h"
#include "process/credentials.h"
#include "process/current.h"

#define SEQUENCE    (int)IPC_MOST /* an id is sequence number * this + index */
#define SEQUENCES   (INT32_MAX / SEQUENCE + 1)
#define CYCLE_LEAST 64u /* so many indices are used before one comes again */

struct spinlock ipc_lock = SPINLOCK_INIT;

/* ---- Ids ---- */

/* The next free index, round and round in somewhat more than are in use. There is one. */
static unsigned next_index(const struct ipc_ids *ids) requires(ipc_lock)
{
	unsigned cycle = ids->listed * 3 / 2, index = ids->last;

	cycle = cycle < CYCLE_LEAST ? CYCLE_LEAST : cycle > ids->most ? ids->most : cycle;
	if (!ids->given)
		return 0;
	do {
		index = index + 1 < cycle ? index + 1 : 0;
	} while (radix_get(&ids->items, index));
	return index;
}

/* Lists a new object: its id, -ENOSPC, -ENOMEM. */
static int add(struct ipc_ids *ids, struct ipc_item *item, int key) requires(ipc_lock)
{
	unsigned index;
	int error;

	if (ids->listed >= ids->most)
		return -ENOSPC;
	index = next_index(ids);
	error = radix_put(&ids->items, index, item);
	if (error)
		return error;
	error = key == IPC_PRIVATE ? 0 : radix_put(&ids->keys, (uint32_t)key, item);
	if (error) {
		(void)radix_remove(&ids->items, index);
		return error;
	}
	if (ids->given && index <= ids->last)
		ids->sequence = (ids->sequence + 1) % SEQUENCES;
	ids->given = true;
	ids->last = index;
	ids->listed++;
	item->id = ids->sequence * SEQUENCE + (int)index;
	item->perm.key = key;
	item->perm.seq = (unsigned short)ids->sequence;
	return item->id;
}

void ipc_remove(struct ipc_ids *ids, struct ipc_item *item)
{
	(void)radix_remove(&ids->items, (uint64_t)(item->id % SEQUENCE));
	ipc_drop_key(ids, item);
	ids->listed--;
}

void ipc_drop_key(struct ipc_ids *ids, struct ipc_item *item)
{
	if (item->perm.key != IPC_PRIVATE)
		(void)radix_remove(&ids->keys, (uint32_t)item->perm.key);
	item->perm.key = IPC_PRIVATE;
}

struct ipc_item *ipc_of_index(const struct ipc_ids *ids, int index)
{
	return index >= 0 && (unsigned)index < ids->most ? radix_get(&ids->items, (uint64_t)index)
							 : NULL;
}

struct ipc_item *ipc_of_id(const struct ipc_ids *ids, int id)
{
	struct ipc_item *item = id >= 0 ? ipc_of_index(ids, id % SEQUENCE) : NULL;

	return item && item->id == id ? item : NULL;
}

int ipc_highest(const struct ipc_ids *ids)
{
	struct radix_walk walk = {0};
	int highest = 0;

	for (; radix_walk_next(&ids->items, &walk); walk.index++)
		highest = (int)walk.index;
	return highest;
}

/* An existing one: its id, or why it is not for the caller. */
static int take_old(const struct ipc_kind *kind, const struct ipc_item *item, size_t size,
	unsigned flags) requires(ipc_lock)
{
	int error;

	if ((flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		return -EEXIST;
	error = kind->fits(item, size);
	if (!error)
		error = ipc_check_access(&item->perm, flags & IPC_RIGHTS);
	return error ? error : item->id;
}

static struct ipc_item *find_key(const struct ipc_kind *kind, int key) requires(ipc_lock)
{
	return key == IPC_PRIVATE ? NULL : radix_get(&kind->ids->keys, (uint32_t)key);
}

long ipc_get(const struct ipc_kind *kind, int key, size_t size, unsigned flags)
{
	struct ipc_item *old, *new = NULL;
	int result;

	spin_lock(&ipc_lock);
	old = find_key(kind, key);
	if (old)
		result = take_old(kind, old, size, flags);
	else if (key != IPC_PRIVATE && !(flags & IPC_CREAT))
		result = -ENOENT;
	else
		result = kind->may_add(size);
	spin_unlock(&ipc_lock);
	if (old || result)
		return result;
	result = kind->make(size, flags, &new);
	if (result)
		return result;
	ipc_init_perm(&new->perm, flags & IPC_RIGHTS);
	spin_lock(&ipc_lock);
	old = find_key(kind, key); /* made by another meanwhile */
	result = old ? take_old(kind, old, size, flags) : kind->may_add(size);
	if (!old && !result) {
		result = add(kind->ids, new, key);
		if (result >= 0) {
			kind->added(new);
			new = NULL;
		}
	}
	spin_unlock(&ipc_lock);
	if (new)
		kind->destroy(new);
	return result;
}

long ipc_now(void)
{
	return (long)((realtime_offset() + arch_clock()) / NS_PER_SECOND);
}

/* ---- Rights ---- */

bool ipc_owns(const struct ipc64_perm *of)
{
	uint32_t euid = current_credentials()->euid;

	return euid == of->uid || euid == of->cuid;
}

int ipc_check_access(const struct ipc64_perm *of, unsigned wanted)
{
	const struct credentials *self = current_credentials();
	unsigned granted = of->mode;

	wanted = wanted >> 6 | wanted >> 3 | wanted;
	if (ipc_owns(of))
		granted >>= 6;
	else if (self->egid == of->gid || self->egid == of->cgid ||
		 credentials_in_group(self, of->gid) || credentials_in_group(self, of->cgid))
		granted >>= 3;
	return wanted & ~granted & 07 && !capable(CAP_IPC_OWNER) ? -EACCES : 0;
}

int ipc_check_owner(const struct ipc64_perm *of)
{
	return ipc_owns(of) || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

int ipc_set_perm(struct ipc64_perm *perm, const struct ipc64_perm *new)
{
	if (new->uid == ID_NONE || new->gid == ID_NONE)
		return -EINVAL;
	perm->uid = new->uid;
	perm->gid = new->gid;
	perm->mode = (perm->mode & ~IPC_RIGHTS) | (new->mode &IPC_RIGHTS);
	return 0;
}

void ipc_init_perm(struct ipc64_perm *perm, unsigned mode)
{
	const struct credentials *self = current_credentials();

	perm->uid = perm->cuid = self->euid;
	perm->gid = perm->cgid = self->egid;
	perm->mode = mode;
}
