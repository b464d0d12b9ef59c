/* SPDX-License-Identifier: MIT */
/*
 * SEM_UNDO: what a thread's semops are to be taken back by when it ends (man 2 semop).
 *
 * A thread that used SEM_UNDO has a list of undos, one a set; threads made with CLONE_SYSVSEM share it, and the last of
 * them to end undoes all. A set that is removed takes its undos along.
 *
 * Lock: ipc_lock.
 */
#include "ipc/semaphore.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/current.h"
#include "process/process.h"

static struct sem_undos *make_undos(void)
{
	struct sem_undos *undos = kzalloc(sizeof(*undos));

	if (!undos)
		return NULL;
	undos->references = 1;
	list_init(&undos->undos);
	return undos;
}

static struct sem_undo *find(const struct sem_undos *undos, const struct sem_set *set) requires(
	ipc_lock)
{
	struct sem_undo *undo;

	list_for_each(undo, &undos->undos, held)
	{
		if (undo->set == set)
			return undo;
	}
	return NULL;
}

static void enter(struct sem_undo *undo, struct sem_undos *undos, struct sem_set *set) requires(
	ipc_lock)
{
	undo->set = set;
	list_push_back(&undos->undos, &undo->held);
	list_push_back(&set->undos, &undo->in_set);
}

struct sem_undo *sem_undo_of(int id, int *error)
{
	struct thread *self = current_thread();
	struct sem_set *set = sem_set_of_id(id);
	struct sem_undo *undo, *made;
	unsigned count;

	*error = -EINVAL;
	if (!set)
		return NULL;
	undo = self->sem_undos ? find(self->sem_undos, set) : NULL;
	if (undo)
		return undo;
	count = set->count;
	spin_unlock(&ipc_lock);
	if (!self->sem_undos)
		self->sem_undos = make_undos();
	made = self->sem_undos ? kzalloc(sizeof(*made) + count * sizeof(made->adjust[0])) : NULL;
	spin_lock(&ipc_lock);
	*error = made ? -EIDRM : -ENOMEM;
	set = sem_set_of_id(id); /* the same one, or gone: an id comes again late */
	if (!made || !set || set->count != count) {
		kfree(made);
		return NULL;
	}
	undo = find(self->sem_undos, set); /* another thread's that shares them */
	if (!undo) {
		enter(made, self->sem_undos, set);
		return made;
	}
	kfree(made);
	return undo;
}

void sem_undo_forget(struct sem_set *set, unsigned first, unsigned count)
{
	struct sem_undo *undo;

	list_for_each(undo, &set->undos, in_set)
		memset(&undo->adjust[first], 0, count * sizeof(undo->adjust[0]));
}

static void drop(struct sem_undo *undo) requires(ipc_lock)
{
	list_remove(&undo->in_set);
	list_remove(&undo->held);
	kfree(undo);
}

void sem_undo_drop_all(struct sem_set *set)
{
	while (!list_empty(&set->undos))
		drop(list_first(&set->undos, struct sem_undo, in_set));
}

int sem_undos_clone(struct thread *child, bool share)
{
	struct thread *self = current_thread();

	child->sem_undos = NULL;
	if (!share)
		return 0;
	if (!self->sem_undos)
		self->sem_undos = make_undos();
	if (!self->sem_undos)
		return -ENOMEM;
	__atomic_add_fetch(&self->sem_undos->references, 1, __ATOMIC_RELAXED);
	child->sem_undos = self->sem_undos;
	return 0;
}

static void undo_one(const struct sem_undo *undo, int pid) requires(ipc_lock)
{
	struct sem_set *set = undo->set;

	for (unsigned i = 0; i < set->count; i++) {
		int value = set->at[i].value + undo->adjust[i];

		if (!undo->adjust[i])
			continue;
		set->at[i].value = value < 0 ? 0 : value > VALUE_MAX ? VALUE_MAX : value;
		set->at[i].pid = pid;
	}
	sem_update(set);
}

void sem_undos_leave(struct thread *thread)
{
	struct sem_undos *undos = thread->sem_undos;
	struct sem_undo *undo;
	bool more;

	thread->sem_undos = NULL;
	if (!undos || __atomic_sub_fetch(&undos->references, 1, __ATOMIC_ACQ_REL))
		return;
	do { /* one at a time: there may be thousands, and sets with as many semaphores */
		spin_lock(&ipc_lock);
		more = !list_empty(&undos->undos);
		if (more) {
			undo = list_first(&undos->undos, struct sem_undo, held);
			undo_one(undo, thread->process ? thread->process->id : 0);
			drop(undo);
		}
		spin_unlock(&ipc_lock);
		sched_point();
	} while (more);
	kfree(undos);
}
