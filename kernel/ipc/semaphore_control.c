/* SPDX-License-Identifier: MIT */
/* semctl: man 2 semctl. The sets: semaphore.c. */
#include <asm/sembuf.h>

#include "ipc/semaphore.h"
#include "lib/errno.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/current.h"
#include "syscall/table.h"

/* What <linux/sem.h> calls struct seminfo. */
struct sem_info {
	int map, sets, semaphores, undos, per_set, operations, undos_each, undo_size, value, adjust;
};

/* ---- All of them ---- */

static long tell_limits(int command, user_t out)
{
	struct sem_info limits = {.map = sem_limit(ALL_MOST),
		.sets = sem_limit(SETS_MOST),
		.semaphores = sem_limit(ALL_MOST),
		.undos = sem_limit(ALL_MOST),
		.per_set = sem_limit(PER_SET_MOST),
		.operations = sem_limit(OPERATIONS_MOST),
		.undos_each = sem_limit(OPERATIONS_MOST),
		.undo_size = 20,
		.value = VALUE_MAX,
		.adjust = VALUE_MAX};
	int highest;

	spin_lock(&ipc_lock);
	highest = ipc_highest(&sem_ids);
	if (command == SEM_INFO) {
		limits.undo_size = (int)sem_ids.listed;
		limits.adjust = (int)sem_all;
	}
	spin_unlock(&ipc_lock);
	return copy_to_user(out, &limits, sizeof(limits)) ? -EFAULT : highest;
}

/* By an id, or by an index, which gives the id. */
static long tell_status(int id, int command, user_t out)
{
	struct semid64_ds status = {.sem_nsems = 0};
	struct ipc_item *item;
	struct sem_set *set;
	long result = -EINVAL;

	spin_lock(&ipc_lock);
	item = command == IPC_STAT ? ipc_of_id(&sem_ids, id) : ipc_of_index(&sem_ids, id);
	if (item) {
		set = container_of(item, struct sem_set, item);
		status.sem_perm = item->perm;
		status.sem_otime = set->operated;
		status.sem_ctime = set->changed;
		status.sem_nsems = set->count;
		result = command == IPC_STAT ? 0 : item->id;
		if (command != SEM_STAT_ANY && ipc_check_access(&item->perm, IPC_READ))
			result = -EACCES;
	}
	spin_unlock(&ipc_lock);
	if (result >= 0 && copy_to_user(out, &status, sizeof(status)))
		result = -EFAULT;
	return result;
}

/* ---- One semaphore ---- */

/* How many calls wait for this one: to be zero, or to grow. */
static int count_waiting(const struct sem_set *set, unsigned index, bool zero) requires(ipc_lock)
{
	struct sem_call *call;
	int count = 0;

	list_for_each(call, &set->pending, link)
	{
		const struct sembuf *operation = &call->operations[call->blocking];

		if (operation->sem_num == index)
			count += zero ? operation->sem_op == 0 : operation->sem_op < 0;
	}
	return count;
}

static long get_one(int id, int index, int command)
{
	struct sem_set *set;
	long result = -EINVAL;

	spin_lock(&ipc_lock);
	set = sem_set_of_id(id);
	if (set)
		result = ipc_check_access(&set->item.perm, IPC_READ);
	if (!result && (index < 0 || (unsigned)index >= set->count))
		result = -EINVAL;
	if (!result && command == GETVAL)
		result = set->at[index].value;
	else if (!result && command == GETPID)
		result = set->at[index].pid;
	else if (!result)
		result = count_waiting(set, (unsigned)index, command == GETZCNT);
	spin_unlock(&ipc_lock);
	return result;
}

static long set_one(int id, int index, int value)
{
	struct sem_set *set;
	long result = -EINVAL;

	if (value < 0 || value > VALUE_MAX)
		return -ERANGE;
	spin_lock(&ipc_lock);
	set = sem_set_of_id(id);
	if (set && index >= 0 && (unsigned)index < set->count)
		result = ipc_check_access(&set->item.perm, IPC_WRITE);
	if (!result) {
		sem_undo_forget(set, (unsigned)index, 1);
		set->at[index] = (struct semaphore){value, current_pid()};
		set->changed = ipc_now();
		sem_update(set);
	}
	spin_unlock(&ipc_lock);
	return result;
}

/* ---- All of a set ---- */

/* The set, if its values may be had so: NULL with *error. */
static struct sem_set *find_for(int id, unsigned wanted, int *error) requires(ipc_lock)
{
	struct sem_set *set = sem_set_of_id(id);

	*error = set ? ipc_check_access(&set->item.perm, wanted) : -EINVAL;
	return *error ? NULL : set;
}

static void set_values(struct sem_set *set, const unsigned short *values) requires(ipc_lock)
{
	const int pid = current_pid();

	for (unsigned i = 0; i < set->count; i++)
		set->at[i] = (struct semaphore){values[i], pid};
	sem_undo_forget(set, 0, set->count);
	set->changed = ipc_now();
	sem_update(set);
}

/* GETALL, SETALL: with room for as many values as the set has. */
static int move_all(int id, int command, unsigned short *values, unsigned count, user_t user)
{
	struct sem_set *set;
	int error;

	if (command == SETALL) {
		if (copy_from_user(values, user, count * sizeof(*values)))
			return -EFAULT;
		for (unsigned i = 0; i < count; i++)
			if (values[i] > VALUE_MAX)
				return -ERANGE;
	}
	spin_lock(&ipc_lock);
	set = find_for(id, command == SETALL ? IPC_WRITE : IPC_READ, &error);
	if (!set || set->count != count) {
		error = -EIDRM; /* gone meanwhile */
	} else if (command == SETALL) {
		set_values(set, values);
	} else {
		for (unsigned i = 0; i < count; i++)
			values[i] = (unsigned short)set->at[i].value;
	}
	spin_unlock(&ipc_lock);
	if (!error && command == GETALL)
		error = copy_to_user(user, values, count * sizeof(*values));
	return error;
}

static long all_values(int id, int command, user_t user)
{
	unsigned short *values;
	struct sem_set *set;
	unsigned count = 0;
	int error;

	spin_lock(&ipc_lock);
	set = find_for(id, command == SETALL ? IPC_WRITE : IPC_READ, &error);
	if (set)
		count = set->count;
	spin_unlock(&ipc_lock);
	if (error)
		return error;
	values = kmalloc(count * sizeof(*values));
	if (!values)
		return -ENOMEM;
	error = move_all(id, command, values, count, user);
	kfree(values);
	return error;
}

/* ---- Its owner's ---- */

/* new: IPC_SET's; NULL: it is removed. */
static long change(int id, const struct semid64_ds *new)
{
	struct sem_set *set;
	long result = -EINVAL;

	spin_lock(&ipc_lock);
	set = sem_set_of_id(id);
	if (set)
		result = ipc_check_owner(&set->item.perm);
	if (!result && new)
		result = ipc_set_perm(&set->item.perm, &new->sem_perm);
	if (!result && new)
		set->changed = ipc_now();
	else if (!result)
		sem_set_remove(set);
	spin_unlock(&ipc_lock);
	if (!result && !new)
		kfree(set);
	return result;
}

long sys_semctl(int id, int index, int command, user_t user)
{
	struct semid64_ds new;

	if (id < 0)
		return -EINVAL;
	switch (command) {
	case IPC_INFO:
	case SEM_INFO:
		return tell_limits(command, user);
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return tell_status(id, command, user);
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
		return get_one(id, index, command);
	case SETVAL:
		return set_one(id, index, (int)user.address);
	case GETALL:
	case SETALL:
		return all_values(id, command, user);
	case IPC_SET:
		if (copy_from_user(&new, user, sizeof(new)))
			return -EFAULT;
		return change(id, &new);
	case IPC_RMID:
		return change(id, NULL);
	default:
		return -EINVAL;
	}
}
