/* SPDX-License-Identifier: MIT */
/*
 * What the end of a thread means to futexes: locks that it still holds are marked (man 2
 * set_robust_list), and who waits for its end is woken (man 2 set_tid_address).
 *
 * The list is the program's own memory and may be anything: it is followed for a bounded number of
 * steps, every read may fail, and what is changed is a word that has this thread's id in it, in this
 * thread's own address space.
 */
#include <linux/futex.h>

#include "arch/arch.h"
#include "lib/errno.h"
#include "memory/space.h"
#include "memory/user.h"
#include "process/current.h"
#include "process/futex.h"
#include "process/futex_key.h"
#include "process/process.h"

#define PRIORITY_BIT 1u /* of a link: a priority-inheritance futex */

/* A link of the list. False: it cannot be read. */
static bool read_link(uintptr_t at, uintptr_t *entry, bool *priority)
{
	uint64_t word;

	if (copy_from_user(&word, user_pointer(at), sizeof(word)))
		return false;
	*entry = word & ~(uintptr_t)PRIORITY_BIT;
	*priority = word & PRIORITY_BIT;
	return true;
}

/* One lock: if it is this thread's, it is marked as its dead owner's, and a waiter is woken. `pending`:
 * the thread was about to take or release it. False: the word cannot be reached. */
static bool owner_died(struct thread *self, uintptr_t at, bool priority, bool pending)
{
	user_t word = user_pointer(at);
	uint32_t now, next;
	long result;

	if (at % sizeof(uint32_t) || !user_range_ok(word, sizeof(now)) ||
		arch_user_load32(&now, (void *)at))
		return false;
	/* It released the lock, but may not have come to wake who waits. */
	if (pending && !priority && !now)
		return futex_wake(word, true, 1, FUTEX_BITSET_MATCH_ANY) >= 0;
	do {
		if ((now & FUTEX_TID_MASK) != (uint32_t)self->tid)
			return true;
		next = (now & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
		result = arch_user_exchange32((void *)at, &now, next);
		sched_point();
	} while (result > 0);
	if (result < 0)
		return false;
	if (!priority && (now & FUTEX_WAITERS))
		return futex_wake(word, true, 1, FUTEX_BITSET_MATCH_ANY) >= 0;
	return true;
}

static void walk_robust_list(struct thread *self)
{
	uintptr_t head = self->robust_list.address, entry, next, pending = 0;
	bool priority, next_priority, pending_priority = false;
	struct robust_list_head list;
	bool more = true;

	if (copy_from_user(&list, self->robust_list, sizeof(list)) ||
		!read_link(head, &entry, &priority) ||
		!read_link(head + offsetof(struct robust_list_head, list_op_pending), &pending,
			&pending_priority))
		return;
	for (unsigned i = 0; i < ROBUST_LIST_LIMIT && more && entry != head; i++) {
		/* The next one is read before: the lock may go away with its last waiter. */
		more = read_link(entry, &next, &next_priority);
		if (entry != pending &&
			!owner_died(self, entry + (uintptr_t)list.futex_offset, priority, false))
			return;
		entry = next;
		priority = next_priority;
		sched_point();
	}
	if (pending)
		owner_died(self, pending + (uintptr_t)list.futex_offset, pending_priority, true);
}

/* Whether somebody else uses the address space, who could wait. */
static bool is_shared(struct thread *self)
{
	return __atomic_load_n(&self->process->thread_count, __ATOMIC_RELAXED) > 1 ||
	       __atomic_load_n(&self->process->space->references, __ATOMIC_RELAXED) > 1;
}

static void clear_child_tid(struct thread *self)
{
	user_t at = self->clear_tid;
	uint32_t zero = 0;

	/* What cannot be written is nobody's loss, as on Linux. */
	if (!copy_to_user(at, &zero, sizeof(zero)) &&
		futex_wake(at, true, 1, FUTEX_BITSET_MATCH_ANY) < 0)
		return;
}

void futex_thread_exit(struct thread *thread)
{
	if (thread->process && thread->process->space) {
		if (unlikely(thread->robust_list.address))
			walk_robust_list(thread);
		if (thread->clear_tid.address && is_shared(thread))
			clear_child_tid(thread);
	}
	thread->robust_list = user_pointer(0);
	thread->clear_tid = user_pointer(0);
}
