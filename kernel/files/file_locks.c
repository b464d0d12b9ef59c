/* SPDX-License-Identifier: MIT */
/*
 * File locks: flock (man 2 flock), and record locks of processes and of open files (man 2 fcntl).
 *
 * The problem. Whoever asks for a lock gets it when nobody else has one that contradicts, or waits; a
 * lock goes when its owner lets go of the file, however that comes about; and processes that would wait
 * for each other for ever are told.
 *
 * The design. An inode on which anybody ever locked has two lists: flock's locks, and records. An owner
 * is an address: the open file of flock and of OFD locks, the descriptor table of a process's records
 * (so threads share them, and fork's child has none). The records of an owner stand together by rising
 * start, and neither overlap nor, if of one type, touch. Who must wait sleeps on the inode's queue until
 * any lock of it goes, and then looks again. Waiters for a process's records are on one list for all,
 * with whom they wait for: a chain that leads back to the caller is a deadlock. As on Linux it is
 * followed for ten steps.
 *
 * flock's conversion is no single step: the old lock goes first, and when the new one cannot be had at
 * once somebody else may come in between.
 *
 * Lock: file_locks_mutex guards all lists and waiters. What is needed is allocated before. Counts of
 * changes are read without it by the condition waited for, and then looked at again.
 */
#include "files/file_locks.h"

#include "lib/errno.h"
#include "memory/slab.h"
#include "process/current.h"
#include "process/wait.h"

#define CHAIN_MAX 10

struct file_lock {
	struct list link;
	struct lock_request is;
};

struct inode_locks {
	struct list flocks, records; /* struct file_lock */
	struct wait_queue queue;     /* who waits for a lock to go */
	uint64_t changes;            /* how often any went */
	struct list all;             /* of inodes that have such, by file_locks_mutex */
	const struct inode *inode;
};

struct lock_waiter {
	struct list link;
	const struct inode_locks *locks;
	const void *owner, *blocker; /* blocker: NULL: that one's lock has gone */
};

static struct mutex file_locks_mutex = MUTEX_INIT(file_locks_mutex);
static struct list waiters = LIST_INIT(waiters);     /* by file_locks_mutex */
static struct list all_locks = LIST_INIT(all_locks); /* the same */

/* ---- The lists ---- */

/* The inode's lists, made when first asked for. NULL: no memory. */
static struct inode_locks *locks_of(struct inode *inode)
{
	struct inode_locks *locks = __atomic_load_n(&inode->locks, __ATOMIC_ACQUIRE), *none = NULL;

	if (locks)
		return locks;
	locks = kzalloc(sizeof(*locks));
	if (!locks)
		return NULL;
	list_init(&locks->flocks);
	list_init(&locks->records);
	wait_queue_init(&locks->queue);
	locks->inode = inode;
	mutex_lock(&file_locks_mutex);
	if (__atomic_compare_exchange_n(
		    &inode->locks, &none, locks, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		list_push_back(&all_locks, &locks->all);
		none = locks;
	} else {
		kfree(locks);
	}
	mutex_unlock(&file_locks_mutex);
	return none;
}

static struct list *list_of(struct inode_locks *locks, const struct lock_request *request)
{
	return request->kind == LOCK_FLOCK ? &locks->flocks : &locks->records;
}

static bool overlap(const struct lock_request *a, const struct lock_request *b)
{
	return a->start <= b->end && b->start <= a->end;
}

/* The first lock of another owner that contradicts; NULL: none. */
static struct file_lock *find_conflict(
	struct inode_locks *locks, const struct lock_request *request) requires(file_locks_mutex)
{
	struct file_lock *lock;

	list_for_each(lock, list_of(locks, request), link)
	{
		if (lock->is.owner != request->owner && overlap(&lock->is, request) &&
			(lock->is.type == F_WRLCK || request->type == F_WRLCK))
			return lock;
	}
	return NULL;
}

/* A lock has gone or become weaker: who waits looks again. */
static void tell_waiters(struct inode_locks *locks) requires(file_locks_mutex)
{
	struct lock_waiter *waiter;

	list_for_each(waiter, &waiters, link)
	{
		if (waiter->locks == locks)
			waiter->blocker = NULL;
	}
	__atomic_add_fetch(&locks->changes, 1, __ATOMIC_RELEASE);
	wake_all(&locks->queue);
}

static void drop(struct file_lock *lock)
{
	list_remove(&lock->link);
	kfree(lock);
}

/* ---- Records ---- */

/* Two of a type side by side are one. */
static bool touch(const struct lock_request *a, const struct lock_request *b)
{
	return overlap(a, b) || (a->end != LOCK_TO_THE_END && a->end + 1 == b->start) ||
	       (b->end != LOCK_TO_THE_END && b->end + 1 == a->start);
}

/* What is left of a lock when the range of a request is taken out of it; *second: memory for a part
 * behind, when there are two. */
static void cut(struct file_lock *lock, const struct lock_request *request,
	struct file_lock **second) requires(file_locks_mutex)
{
	bool before = lock->is.start<request->start, behind = lock->is.end> request->end;

	if (before && behind) {
		(*second)->is = lock->is;
		(*second)->is.start = request->end + 1;
		list_add_after(&(*second)->link, &lock->link);
		*second = NULL;
	}
	if (before)
		lock->is.end = request->start - 1;
	else if (behind)
		lock->is.start = request->end + 1;
	else
		drop(lock);
}

/* Puts a record in its place: by its start among its owner's, which stand together. */
static void insert(struct inode_locks *locks, struct file_lock *new) requires(file_locks_mutex)
{
	struct file_lock *lock;
	struct list *after = locks->records.prev;

	list_for_each(lock, &locks->records, link)
	{
		if (lock->is.owner != new->is.owner)
			continue;
		if (lock->is.start > new->is.start) {
			after = lock->link.prev;
			break;
		}
		after = &lock->link;
	}
	list_add_after(&new->link, after);
}

/* Gives the owner this range, or takes it away (F_UNLCK). `spare`: memory for two locks; what is used is
 * taken out of it. Nothing contradicts. */
static void set_record(struct inode_locks *locks, struct lock_request request,
	struct file_lock *spare[2]) requires(file_locks_mutex)
{
	struct file_lock *lock, *next;
	bool weaker = request.type != F_WRLCK;

	list_for_each_safe(lock, next, &locks->records, link)
	{
		if (lock->is.owner != request.owner)
			continue;
		if (lock->is.type == request.type) {
			if (!touch(&lock->is, &request))
				continue;
			if (lock->is.start < request.start)
				request.start = lock->is.start;
			if (lock->is.end > request.end)
				request.end = lock->is.end;
			drop(lock);
		} else if (overlap(&lock->is, &request)) {
			cut(lock, &request, &spare[1]);
		}
	}
	if (request.type != F_UNLCK) {
		spare[0]->is = request;
		insert(locks, spare[0]);
		spare[0] = NULL;
	}
	if (weaker)
		tell_waiters(locks);
}

/* ---- flock ---- */

/* Takes the owner's lock away, unless it is what is asked for: true. */
static bool give_up_flock(struct inode_locks *locks, const struct lock_request *request) requires(
	file_locks_mutex)
{
	struct file_lock *lock;

	list_for_each(lock, &locks->flocks, link)
	{
		if (lock->is.owner != request->owner)
			continue;
		if (lock->is.type == request->type)
			return true;
		drop(lock);
		tell_waiters(locks);
		break;
	}
	return false;
}

/* ---- Asking ---- */

/* Whom the owner waits for, or NULL. */
static const void *blocker_of(const void *owner) requires(file_locks_mutex)
{
	struct lock_waiter *waiter;

	list_for_each(waiter, &waiters, link)
	{
		if (waiter->owner == owner)
			return waiter->blocker;
	}
	return NULL;
}

/* Whether who has `lock` waits, by whatever way, for the caller. Open files wait for nobody. */
static bool is_deadlock(const struct lock_request *request, const struct file_lock *lock) requires(
	file_locks_mutex)
{
	const void *blocker = lock->is.owner;

	if (request->kind != LOCK_PROCESS)
		return false;
	for (int i = 0; blocker && i < CHAIN_MAX; i++) {
		if (blocker == request->owner)
			return true;
		blocker = blocker_of(blocker);
	}
	return false;
}

/* Sleeps until a lock of the inode goes; the mutex is given away meanwhile. */
static int wait_for(struct inode_locks *locks, const struct lock_request *request,
	const struct file_lock *conflict) requires(file_locks_mutex)
{
	struct lock_waiter waiter = {
		.locks = locks, .owner = request->owner, .blocker = conflict->is.owner};
	uint64_t seen = locks->changes;
	int error;

	list_push_back(&waiters, &waiter.link);
	mutex_unlock(&file_locks_mutex);
	error = wait_event(
		&locks->queue, __atomic_load_n(&locks->changes, __ATOMIC_ACQUIRE) != seen);
	mutex_lock(&file_locks_mutex);
	list_remove(&waiter.link);
	return error;
}

static int set_locked(struct inode_locks *locks, const struct lock_request *request, bool wait,
	struct file_lock *spare[2]) requires(file_locks_mutex)
{
	struct file_lock *conflict;
	int error;

	if (request->kind == LOCK_FLOCK && give_up_flock(locks, request))
		return 0;
	while (request->type != F_UNLCK && (conflict = find_conflict(locks, request))) {
		if (!wait)
			return -EAGAIN;
		if (is_deadlock(request, conflict))
			return -EDEADLK;
		error = wait_for(locks, request, conflict);
		if (error)
			return error;
	}
	if (request->kind != LOCK_FLOCK) {
		set_record(locks, *request, spare);
	} else if (request->type != F_UNLCK) {
		spare[0]->is = *request;
		list_push_back(&locks->flocks, &spare[0]->link);
		spare[0] = NULL;
	}
	return 0;
}

int file_lock_set(struct inode *inode, const struct lock_request *request, bool wait)
{
	struct file_lock *spare[2];
	struct inode_locks *locks;
	int error = -ENOMEM;

	if (request->type == F_UNLCK && !__atomic_load_n(&inode->locks, __ATOMIC_ACQUIRE))
		return 0;
	locks = locks_of(inode);
	if (!locks)
		return -ENOMEM;
	spare[0] = kmalloc(sizeof(*spare[0]));
	spare[1] = kmalloc(sizeof(*spare[1]));
	if (spare[0] && spare[1]) {
		mutex_lock(&file_locks_mutex);
		error = set_locked(locks, request, wait, spare);
		mutex_unlock(&file_locks_mutex);
	}
	kfree(spare[0]);
	kfree(spare[1]);
	return error;
}

bool file_lock_test(struct inode *inode, struct lock_request *request)
{
	struct inode_locks *locks = __atomic_load_n(&inode->locks, __ATOMIC_ACQUIRE);
	struct file_lock *conflict;

	if (!locks)
		return false;
	mutex_lock(&file_locks_mutex);
	conflict = find_conflict(locks, request);
	if (conflict)
		*request = conflict->is;
	mutex_unlock(&file_locks_mutex);
	return conflict;
}

/* ---- The end of an owner ---- */

static bool drop_owned(struct list *list, const void *owner) requires(file_locks_mutex)
{
	struct file_lock *lock, *next;
	bool any = false;

	list_for_each_safe(lock, next, list, link)
	{
		if (lock->is.owner != owner)
			continue;
		drop(lock);
		any = true;
	}
	return any;
}

void file_locks_drop(struct inode *inode, const void *owner)
{
	struct inode_locks *locks = __atomic_load_n(&inode->locks, __ATOMIC_ACQUIRE);
	bool any;

	if (!locks)
		return;
	mutex_lock(&file_locks_mutex);
	any = drop_owned(&locks->flocks, owner);
	any |= drop_owned(&locks->records, owner);
	if (any)
		tell_waiters(locks);
	mutex_unlock(&file_locks_mutex);
}

void inode_locks_free(struct inode *inode)
{
	struct inode_locks *locks = inode->locks;

	if (!locks)
		return;
	mutex_lock(&file_locks_mutex);
	list_remove(&locks->all);
	mutex_unlock(&file_locks_mutex);
	kfree(locks);
}

void file_locks_list(struct lock_sink *sink)
{
	const struct inode_locks *locks;
	const struct file_lock *lock;

	mutex_lock(&file_locks_mutex);
	list_for_each(locks, &all_locks, all)
	{
		list_for_each(lock, &locks->flocks, link) sink->add(sink, locks->inode, &lock->is);
		list_for_each(lock, &locks->records, link) sink->add(sink, locks->inode, &lock->is);
	}
	mutex_unlock(&file_locks_mutex);
}
