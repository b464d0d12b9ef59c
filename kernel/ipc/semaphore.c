/* SPDX-License-Identifier: MIT */
/*
 * System V's semaphores: man 2 semget, semop; man 7 sysvipc.
 *
 * The problem. A call has up to 500 operations on the semaphores of a set, which happen all at once or not yet; who
 * waits must not miss a state that lasted for one moment.
 *
 * The design. A call is tried: operations are applied one after the other and taken back when one cannot be. A call
 * that has to wait stands on its set's list, on its own stack; whoever changes the set tries those that wait, the
 * oldest first, on their behalf (sem_update), and hands out results. So a wait for zero sees each zero. After a call
 * that raised a value or made one zero, older ones are tried anew.
 *
 * Invariants: values lie in 0..SEMVMX; a call on a list cannot go on; it leaves the list with `done`, set under the
 * lock, which its thread takes once more before its stack goes.
 *
 * Lock: ipc_lock.
 */
#include "ipc/semaphore.h"

#include <asm/sembuf.h>

#include "lib/errno.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/current.h"
#include "syscall/table.h"
#include "syscall/timespec.h"

#define BLOCKED 1

struct ipc_ids sem_ids = {.most = IPC_MOST};
int32_t sem_limits[SEM_LIMITS] = {32000, 1024000000, 500, 32000};
unsigned sem_all;

struct sem_set *sem_set_of_id(int id)
{
	struct ipc_item *item = ipc_of_id(&sem_ids, id);

	return item ? container_of(item, struct sem_set, item) : NULL;
}

/* ---- semget ---- */

static int make_set(size_t count, UNUSED unsigned flags, struct ipc_item **out)
{
	struct sem_set *set = kzalloc(sizeof(*set) + count * sizeof(set->at[0]));

	if (!set)
		return -ENOMEM;
	set->count = (unsigned)count;
	set->changed = ipc_now();
	list_init(&set->pending);
	list_init(&set->undos);
	*out = &set->item;
	return 0;
}

static int fits(const struct ipc_item *item, size_t count)
{
	return count > container_of(item, struct sem_set, item)->count ? -EINVAL : 0;
}

static int may_add(size_t count)
{
	if (!count)
		return -EINVAL;
	return (int)sem_ids.listed >= sem_limit(SETS_MOST) ||
			       (int64_t)(sem_all + count) > sem_limit(ALL_MOST)
		       ? -ENOSPC
		       : 0;
}

static void added(struct ipc_item *item)
{
	sem_all += container_of(item, struct sem_set, item)->count;
}

static void destroy(struct ipc_item *item)
{
	kfree(container_of(item, struct sem_set, item));
}

long sys_semget(int key, int count, unsigned flags)
{
	static const struct ipc_kind kind = {.ids = &sem_ids,
		.make = make_set,
		.fits = fits,
		.may_add = may_add,
		.added = added,
		.destroy = destroy};

	if (count < 0 || count > sem_limit(PER_SET_MOST))
		return -EINVAL;
	return ipc_get(&kind, key, (size_t)count, flags);
}

int sem_check_limits(void)
{
	int sets = sem_limit(SETS_MOST);

	return sets < 0 || (unsigned)sets > IPC_MOST ? -ERANGE : 0;
}

/* ---- Trying a call ---- */

/* 0; BLOCKED, -EAGAIN: not now; -ERANGE. */
static int apply(struct sem_set *set, struct sem_call *call,
	const struct sembuf *operation) requires(ipc_lock)
{
	struct semaphore *semaphore = &set->at[operation->sem_num];
	int value = semaphore->value + operation->sem_op, adjust;

	if (operation->sem_op ? value < 0 : semaphore->value)
		return operation->sem_flg & IPC_NOWAIT ? -EAGAIN : BLOCKED;
	if (value > VALUE_MAX)
		return -ERANGE;
	if (operation->sem_flg & SEM_UNDO) {
		adjust = call->undo->adjust[operation->sem_num] - operation->sem_op;
		if (adjust < -VALUE_MAX - 1 || adjust > VALUE_MAX)
			return -ERANGE;
		call->undo->adjust[operation->sem_num] = (short)adjust;
	}
	semaphore->value = value;
	return 0;
}

static void take_back(struct sem_set *set, struct sem_call *call,
	const struct sembuf *operation) requires(ipc_lock)
{
	set->at[operation->sem_num].value -= operation->sem_op;
	if (operation->sem_flg & SEM_UNDO)
		call->undo->adjust[operation->sem_num] += operation->sem_op;
}

/* All of it (0) or nothing: BLOCKED, -EAGAIN, -ERANGE. */
static int try_call(struct sem_set *set, struct sem_call *call) requires(ipc_lock)
{
	unsigned done;
	int result = 0;

	for (done = 0; done < call->count; done++) {
		result = apply(set, call, &call->operations[done]);
		if (result)
			break;
	}
	if (result) {
		call->blocking = done;
		while (done--)
			take_back(set, call, &call->operations[done]);
		return result;
	}
	for (done = 0; done < call->count; done++)
		set->at[call->operations[done].sem_num].pid = call->pid;
	set->operated = ipc_now();
	return 0;
}

/* Whether older calls may go on after this one. */
static bool frees_others(const struct sem_set *set, const struct sem_call *call) requires(ipc_lock)
{
	for (unsigned i = 0; i < call->count; i++) {
		const struct sembuf *operation = &call->operations[i];

		if (operation->sem_op > 0 ||
			(operation->sem_op && !set->at[operation->sem_num].value))
			return true;
	}
	return false;
}

static void finish(struct sem_call *call, int result) requires(ipc_lock)
{
	list_remove(&call->link);
	call->result = result;
	__atomic_store_n(&call->done, true, __ATOMIC_RELEASE);
	wake_all(&call->queue);
}

void sem_update(struct sem_set *set)
{
	struct sem_call *call, *next;
	bool again;
	int result;

	do {
		again = false;
		list_for_each_safe(call, next, &set->pending, link)
		{
			result = try_call(set, call);
			if (result == BLOCKED)
				continue;
			again = !result && frees_others(set, call);
			finish(call, result);
			if (again)
				break;
		}
	} while (again);
}

void sem_set_remove(struct sem_set *set)
{
	ipc_remove(&sem_ids, &set->item);
	sem_all -= set->count;
	while (!list_empty(&set->pending))
		finish(list_first(&set->pending, struct sem_call, link), -EIDRM);
	sem_undo_drop_all(set);
}

/* ---- semop ---- */

struct wishes {
	bool undo, alters;
	unsigned highest;
};

static struct wishes wishes_of(const struct sembuf *operations, unsigned count)
{
	struct wishes wishes = {false, false, 0};

	for (unsigned i = 0; i < count; i++) {
		wishes.undo |= operations[i].sem_flg & SEM_UNDO;
		wishes.alters |= operations[i].sem_op;
		if (operations[i].sem_num > wishes.highest)
			wishes.highest = operations[i].sem_num;
	}
	return wishes;
}

/* Tries it, or has it wait on the set's list: BLOCKED. */
static int begin(int id, struct sem_call *call, const struct wishes *wishes) requires(ipc_lock)
{
	struct sem_set *set;
	int error = -EINVAL;

	if (wishes->undo) {
		call->undo = sem_undo_of(id, &error);
		if (!call->undo)
			return error;
	}
	set = sem_set_of_id(id);
	if (!set)
		return error;
	if (wishes->highest >= set->count)
		return -EFBIG;
	error = ipc_check_access(&set->item.perm, wishes->alters ? IPC_WRITE : IPC_READ);
	if (error)
		return error;
	error = try_call(set, call);
	if (error == BLOCKED)
		list_push_back(&set->pending, &call->link);
	else if (!error && wishes->alters)
		sem_update(set);
	return error;
}

static long operate(int id, const struct sembuf *operations, unsigned count, ns_t deadline)
{
	const struct wishes wishes = wishes_of(operations, count);
	struct sem_call call = {
		.operations = operations, .count = count, .pid = current_pid(), .result = 0};
	int error;

	wait_queue_init(&call.queue);
	list_init(&call.link);
	spin_lock(&ipc_lock);
	error = begin(id, &call, &wishes);
	spin_unlock(&ipc_lock);
	if (error != BLOCKED)
		return error;
	error = wait_event_until(
		&call.queue, __atomic_load_n(&call.done, __ATOMIC_ACQUIRE), deadline);
	spin_lock(&ipc_lock); /* who finished it is done with it then */
	if (!call.done) {
		list_remove(&call.link);
		call.result = error == -ETIMEDOUT ? -EAGAIN : -EINTR;
	}
	spin_unlock(&ipc_lock);
	return call.result;
}

#define FEW 8u

/* timeout: NS_NEVER, or how long. */
static long operate_from(int id, user_t from, unsigned count, ns_t timeout)
{
	struct sembuf few[FEW], *operations = few;
	long result;

	if (count > (unsigned)sem_limit(OPERATIONS_MOST))
		return -E2BIG;
	if (!count)
		return -EINVAL;
	if (count > FEW)
		operations = kmalloc(count * sizeof(*operations));
	if (!operations)
		return -ENOMEM;
	if (copy_from_user(operations, from, count * sizeof(*operations)))
		result = -EFAULT;
	else if (id < 0)
		result = -EINVAL;
	else
		result = operate(id, operations, count,
			timeout == NS_NEVER ? NS_NEVER : clock_add(arch_clock(), timeout));
	if (operations != few)
		kfree(operations);
	return result;
}

long sys_semop(int id, user_t operations, unsigned count)
{
	return operate_from(id, operations, count, NS_NEVER);
}

long sys_semtimedop(int id, user_t operations, unsigned count, user_t timeout)
{
	struct __kernel_timespec spec;
	ns_t time = NS_NEVER;
	long error;

	if (!timeout.address)
		return operate_from(id, operations, count, NS_NEVER);
	if (copy_from_user(&spec, timeout, sizeof(spec)))
		return -EFAULT;
	error = timespec_to_ns(&spec, &time);
	if (!error)
		return operate_from(id, operations, count, time);
	/* What is wrong with the operations comes first. */
	if (count > (unsigned)sem_limit(OPERATIONS_MOST))
		return -E2BIG;
	return error;
}
