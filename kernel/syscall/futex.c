/* SPDX-License-Identifier: MIT */
/* man 2 futex, set_robust_list, get_robust_list; futex_waitv. */
#include <linux/capability.h>
#include <linux/futex.h>

#include "arch/arch.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/futex.h"
#include "process/futex_queue.h"
#include "process/process.h"
#include "syscall/table.h"
#include "syscall/timespec.h"

/* As the calls pass it: an absolute time, or for FUTEX_WAIT a span. */
static int get_deadline(int command, int operation, user_t time, struct futex_deadline *out)
{
	int error;

	*out = (struct futex_deadline){BASE_MONOTONIC, NS_NEVER};
	if (operation & FUTEX_CLOCK_REALTIME)
		out->base = BASE_REALTIME;
	if (!time.address)
		return 0;
	error = get_timespec(time, &out->when);
	if (!error && command == FUTEX_WAIT)
		out->when = clock_add(arch_clock(), out->when);
	return error;
}

/* restart_syscall: the same wait goes on, until the same time. */
static long wait_on(struct restart_block *block);

/* A signal with a handler ends it; without a time, SA_RESTART makes the same call again. */
static long wait_until(
	const struct futex_word *word, uint32_t bitset, struct futex_deadline deadline)
{
	long result = futex_wait(word, bitset, deadline);

	if (result != -ERESTARTSYS || deadline.when == NS_NEVER)
		return result;
	result = signal_restart_by(wait_on, word->address.address,
		(uint64_t)word->value << 32 | bitset, deadline.when);
	current_thread()->signals.restart.words[3] = (uint64_t)deadline.base << 1 | word->shared;
	return result;
}

static long wait_on(struct restart_block *block)
{
	uint64_t kind = block->words[3];
	struct futex_word word = {
		user_pointer(block->words[0]), kind & 1, (uint32_t)(block->words[1] >> 32)};
	struct futex_deadline deadline = {(enum clock_base)(kind >> 1), block->words[2]};

	return wait_until(&word, (uint32_t)block->words[1], deadline);
}

static long wait(user_t address, int operation, uint32_t value, user_t time, uint32_t bitset)
{
	struct futex_word word = {address, !(operation & FUTEX_PRIVATE_FLAG), value};
	struct futex_deadline deadline;
	int error = get_deadline(operation & FUTEX_CMD_MASK, operation, time, &deadline);

	if (error)
		return error;
	return bitset ? wait_until(&word, bitset, deadline) : -EINVAL;
}

/* Linux takes the flag only where an absolute time may stand. */
static bool bad_clock(int command, int operation)
{
	return (operation & FUTEX_CLOCK_REALTIME) && command != FUTEX_WAIT_BITSET;
}

/* The most frequent call finds nobody: seen without a look at anything but the bucket. */
static inline bool nobody_waits(user_t address)
{
	struct futex_key key = {(uintptr_t)current_process()->space, address.address};

	return !(address.address % sizeof(uint32_t)) && address.address < USER_END &&
	       futex_bucket_is_empty(futex_bucket_of(&key));
}

long sys_futex(user_t address, int operation, unsigned value, uintptr_t timeout, user_t second,
	unsigned third)
{
	bool shared = !(operation & FUTEX_PRIVATE_FLAG);
	int command = operation & FUTEX_CMD_MASK;

	if (operation == (FUTEX_WAKE | FUTEX_PRIVATE_FLAG) && nobody_waits(address))
		return 0;
	if (unlikely(bad_clock(command, operation)))
		return -ENOSYS;
	switch (command) {
	case FUTEX_WAKE:
		return futex_wake(address, shared, (int)value, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAIT:
		return wait(
			address, operation, value, user_pointer(timeout), FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAIT_BITSET:
		return wait(address, operation, value, user_pointer(timeout), third);
	case FUTEX_WAKE_BITSET:
		return third ? futex_wake(address, shared, (int)value, third) : -EINVAL;
	case FUTEX_REQUEUE:
		return futex_requeue(address, second, shared, (int)value, (int)timeout, NULL);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(address, second, shared, (int)value, (int)timeout, &third);
	case FUTEX_WAKE_OP:
		return futex_wake_operation(
			address, second, shared, (int)value, (int)timeout, third);
	default: /* priority inheritance is not there */
		return -ENOSYS;
	}
}

/* ---- futex_waitv ---- */

static int get_words(user_t in, unsigned count, struct futex_word *out)
{
	for (unsigned i = 0; i < count; i++) {
		struct futex_waitv one;

		if (copy_from_user(&one, user_offset(in, i * sizeof(one)), sizeof(one)))
			return -EFAULT;
		if ((one.flags & ~(unsigned)(FUTEX_32 | FUTEX_PRIVATE_FLAG)) || one.__reserved ||
			!(one.flags & FUTEX_32))
			return -EINVAL;
		if (one.val > UINT32_MAX)
			return -EINVAL;
		out[i] = (struct futex_word){user_pointer(one.uaddr),
			!(one.flags & FUTEX_PRIVATE_FLAG), (uint32_t)one.val};
	}
	return 0;
}

long sys_futex_waitv(user_t in, unsigned count, unsigned flags, user_t time, int clock)
{
	struct futex_deadline deadline = {BASE_MONOTONIC, NS_NEVER};
	struct futex_word *words;
	long result;

	if (flags || !count || count > FUTEX_WAITERS_MAX || !in.address)
		return -EINVAL;
	if (time.address) {
		if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
			return -EINVAL;
		if (clock == CLOCK_REALTIME)
			deadline.base = BASE_REALTIME;
		result = get_timespec(time, &deadline.when);
		if (result)
			return result;
	}
	words = kmalloc(count * sizeof(*words));
	if (!words)
		return -ENOMEM;
	result = get_words(in, count, words);
	if (!result)
		result = futex_wait_many(words, count, deadline);
	kfree(words);
	return result;
}

/* ---- Robust lists ---- */

long sys_set_robust_list(user_t head, size_t size)
{
	if (size != sizeof(struct robust_list_head))
		return -EINVAL;
	current_thread()->robust_list = head;
	return 0;
}

/* Whose list it is one may ask of who one is, or as root (Linux: as a debugger may). */
static bool may_read(const struct thread *other) requires(process_lock)
{
	const struct credentials *self = current_credentials(), *theirs = other->credentials;

	if (other->process == current_process() || capable(CAP_SYS_PTRACE))
		return true;
	return theirs && self->fsuid == theirs->uid && self->fsuid == theirs->euid &&
	       self->fsuid == theirs->suid && self->fsgid == theirs->gid &&
	       self->fsgid == theirs->egid && self->fsgid == theirs->sgid;
}

long sys_get_robust_list(int tid, user_t head, user_t size)
{
	uint64_t address = 0, bytes = sizeof(struct robust_list_head);
	struct thread *thread;
	int error = 0;

	spin_lock(&process_lock);
	thread = tid ? thread_find(tid) : current_thread();
	if (!thread)
		error = -ESRCH;
	else if (!may_read(thread))
		error = -EPERM;
	else
		address = thread->robust_list.address;
	spin_unlock(&process_lock);
	if (error)
		return error;
	if (copy_to_user(size, &bytes, sizeof(bytes)) ||
		copy_to_user(head, &address, sizeof(address)))
		return -EFAULT;
	return 0;
}
