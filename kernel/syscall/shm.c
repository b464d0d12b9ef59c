/* SPDX-License-Identifier: MIT */
/* System V shared memory: man 2 shmget, shmat, shmdt, shmctl. The segments: memory/segment.c. */
#include <linux/capability.h>
#include <linux/stat.h>
#include <asm/resource.h>

#include "ipc/ipc.h"
#include "lib/errno.h"
#include "memory/segment.h"
#include "memory/space.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/process.h"
#include "syscall/table.h"

/* What <linux/shm.h> calls struct shm_info. */
struct shared_usage {
	int used_ids, padding;
	uint64_t total, resident, swapped, swap_attempts, swap_successes;
};

/* ---- shmget ---- */

long sys_shmget(int key, size_t size, unsigned flags)
{
	return ipc_get(&segment_kind, key, size, flags);
}

/* ---- shmat, shmdt ---- */

static int place(uintptr_t *address, unsigned flags)
{
	if (!*address)
		return flags & SHM_REMAP ? -EINVAL : 0;
	if (*address & (PAGE_SIZE - 1)) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		*address &= ~(uintptr_t)(PAGE_SIZE - 1);
		if (!*address && flags & SHM_REMAP)
			return -EINVAL;
	}
	return 0;
}

long sys_shmat(int id, uintptr_t address, unsigned flags)
{
	unsigned access = MAP_READ, wanted = S_IRUSR | S_IRGRP | S_IROTH;
	struct segment *segment;
	long result = place(&address, flags);

	if (result)
		return result;
	if (!(flags & SHM_RDONLY)) {
		access |= MAP_WRITE;
		wanted |= S_IWUSR | S_IWGRP | S_IWOTH;
	}
	if (flags & SHM_EXEC) {
		access |= MAP_EXECUTE;
		wanted |= S_IXUSR | S_IXGRP | S_IXOTH;
	}
	spin_lock(&ipc_lock);
	segment = segment_of_id(id);
	result = segment ? ipc_check_access(&segment->item.perm, wanted) : -EINVAL;
	if (!result) {
		segment_hold(segment);
		object_get(&segment->object);
	}
	spin_unlock(&ipc_lock);
	if (result)
		return result;
	result = segment_attach(segment, address, access, flags);
	segment_release(segment);
	object_put(&segment->object);
	return result;
}

long sys_shmdt(uintptr_t address)
{
	return segment_detach(address);
}

/* ---- shmctl ---- */

static long tell_limits(user_t buffer, int last)
{
	const int32_t segments = __atomic_load_n(&segments_most, __ATOMIC_RELAXED);
	const struct shminfo64 limits = {
		.shmmax = __atomic_load_n(&segment_size_most, __ATOMIC_RELAXED),
		.shmmin = SHMMIN,
		.shmmni = (unsigned long)segments,
		.shmseg = (unsigned long)segments,
		.shmall = __atomic_load_n(&segment_pages_most, __ATOMIC_RELAXED)};

	return copy_to_user(buffer, &limits, sizeof(limits)) ? -EFAULT : last;
}

/* IPC_INFO, SHM_INFO: they give the highest index in use. */
static long tell_all(int command, user_t buffer)
{
	struct segment_totals totals;
	struct shared_usage usage;

	spin_lock(&ipc_lock);
	segment_totals(&totals);
	spin_unlock(&ipc_lock);
	if (command == IPC_INFO)
		return tell_limits(buffer, totals.last);
	usage = (struct shared_usage){
		.used_ids = (int)totals.count, .total = totals.pages, .resident = totals.resident};
	return copy_to_user(buffer, &usage, sizeof(usage)) ? -EFAULT : totals.last;
}

/* By an id, or by an index, which gives the id. */
static long tell_status(int id, int command, user_t buffer)
{
	struct shmid64_ds status;
	struct segment *segment;
	long result = -EINVAL;

	spin_lock(&ipc_lock);
	segment = command == IPC_STAT ? segment_of_id(id) : segment_of_index(id);
	if (segment) {
		status = segment->status;
		status.shm_perm = segment->item.perm;
		result = command == IPC_STAT ? 0 : segment->item.id;
		if (command != SHM_STAT_ANY &&
			ipc_check_access(&status.shm_perm, S_IRUSR | S_IRGRP | S_IROTH))
			result = -EACCES;
	}
	spin_unlock(&ipc_lock);
	if (result >= 0 && copy_to_user(buffer, &status, sizeof(status)))
		result = -EFAULT;
	return result;
}

static int set_status(struct segment *segment, const struct shmid64_ds *new) requires(ipc_lock)
{
	int error = ipc_set_perm(&segment->item.perm, &new->shm_perm);

	if (!error)
		segment->status.shm_ctime = ipc_now();
	return error;
}

/* Nothing is ever paged out: the mark is all there is to it. */
static int set_locked(struct segment *segment, bool lock) requires(ipc_lock)
{
	if (!capable(CAP_IPC_LOCK)) {
		if (!ipc_owns(&segment->item.perm) || (lock && !process_limit(RLIMIT_MEMLOCK)))
			return -EPERM;
		if (lock && segment->status.shm_segsz > process_limit(RLIMIT_MEMLOCK))
			return -ENOMEM;
	}
	if (lock)
		segment->item.perm.mode |= SHM_LOCKED;
	else
		segment->item.perm.mode &= ~SHM_LOCKED;
	return 0;
}

/* The commands that change it. new: IPC_SET's. */
static long change(int id, int command, const struct shmid64_ds *new)
{
	struct segment *segment;
	bool gone = false;
	long result = -EINVAL;

	spin_lock(&ipc_lock);
	segment = segment_of_id(id);
	if (segment && (command == SHM_LOCK || command == SHM_UNLOCK)) {
		result = set_locked(segment, command == SHM_LOCK);
	} else if (segment) {
		result = ipc_check_owner(&segment->item.perm);
		if (!result && command == IPC_SET)
			result = set_status(segment, new);
		else if (!result)
			gone = segment_remove(segment);
	}
	spin_unlock(&ipc_lock);
	if (gone)
		object_put(&segment->object);
	return result;
}

long sys_shmctl(int id, int command, user_t buffer)
{
	struct shmid64_ds new;

	if (command < 0 || id < 0)
		return -EINVAL;
	switch (command) {
	case IPC_INFO:
	case SHM_INFO:
		return tell_all(command, buffer);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return tell_status(id, command, buffer);
	case IPC_SET:
		if (copy_from_user(&new, buffer, sizeof(new)))
			return -EFAULT;
		return change(id, command, &new);
	case IPC_RMID:
	case SHM_LOCK:
	case SHM_UNLOCK:
		return change(id, command, NULL);
	default:
		return -EINVAL;
	}
}
