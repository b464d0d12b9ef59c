/* SPDX-License-Identifier: MIT */
/*
 * poll and ppoll (man 2 poll), and the wait that select (files_select.c) shares with them.
 *
 * A file says what holds now and which wait queues tell of a change (at most two). The caller stands
 * on all of them at once, looks again after each wake-up, and sleeps until something holds, the time
 * is over or a signal comes. A file may tell of other queues from one look to the next (a terminal that was stopped):
 * then the caller goes over to them instead of sleeping.
 *
 * None of these calls is restarted after a handler. Where none runs (the process was stopped and
 * continued), poll goes on to its deadline by restart_syscall, and the others, which write back what
 * is left of their time, are made again with that.
 */
#include "syscall/files_poll.h"

#include "arch/arch.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/process.h"
#include "process/signal.h"
#include "syscall/timespec.h"

/* ---- The wait ---- */

/* What holds now of one; its queues into `queues`, where there are any. */
static unsigned int ask(struct poll_entry *entry, struct wait_queue *queues[POLL_QUEUES])
{
	struct file *file = entry->file;

	if (!file || file->flags & O_PATH)
		return POLLNVAL;
	if (!file->operations->poll)
		return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	return file->operations->poll(file, queues);
}

/* What holds now; how many entries have something to say; -ENOMEM: none, and one could not say who wakes. The queues become
 * the entries', but where the caller stands on those: then *moved tells that they are others. */
static int look(struct poll_entry *entries, unsigned int count, bool *moved)
{
	bool no_memory = false;
	int found = 0;

	for (struct poll_entry *entry = entries; entry < entries + count; entry++) {
		struct wait_queue *queues[POLL_QUEUES] = {NULL};
		unsigned int holds = ask(entry, queues);

		entry->found = holds & entry->wanted;
		found += entry->found != 0;
		no_memory |= holds & POLL_NO_MEMORY;
		if (moved)
			*moved |= queues[0] != entry->queues[0] || queues[1] != entry->queues[1];
		else
			memcpy(entry->queues, queues, sizeof(queues));
	}
	return found || !no_memory ? found : -ENOMEM;
}

static void stand_on_queues(struct poll_entry *entries, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		for (int q = 0; q < POLL_QUEUES; q++)
			if (entries[i].queues[q])
				wait_prepare(entries[i].queues[q], &entries[i].waiters[q]);
}

static void leave_queues(struct poll_entry *entries, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		for (int q = 0; q < POLL_QUEUES; q++)
			if (entries[i].queues[q])
				wait_finish(entries[i].queues[q], &entries[i].waiters[q]);
}

/* For a caller that polls nothing but the clock: a queue to stand on. */
static struct wait_queue nobody = WAIT_QUEUE_INIT(nobody);

long poll_wait_for(struct poll_entry *entries, unsigned int count, ns_t deadline)
{
	struct waiter self;
	int found, error = 0;

	while (!(found = look(entries, count, NULL)) && !error && deadline) {
		bool moved = false;

		wait_prepare(&nobody, &self);
		stand_on_queues(entries, count);
		found = look(entries, count, &moved);
		if (!found && !moved)
			error = wait_sleep(deadline);
		leave_queues(entries, count);
		wait_finish(&nobody, &self);
		if (found)
			break;
	}
	if (found)
		return found;
	/* A signal counts for more than the time being over. */
	return error == -ERESTARTSYS || current_signal_pending() ? -ERESTARTSYS : 0;
}

/* ---- The time ---- */

static int get_timeval(user_t user, ns_t *span)
{
	struct __kernel_old_timeval time;
	struct __kernel_timespec spec;

	if (copy_from_user(&time, user, sizeof(time)))
		return -EFAULT;
	/* More than a second of microseconds is allowed. */
	spec.tv_sec = (long)((unsigned long)time.tv_sec + (unsigned long)(time.tv_usec / 1000000));
	spec.tv_nsec = time.tv_usec % 1000000 * 1000;
	return timespec_to_ns(&spec, span);
}

int poll_time_get(struct poll_time *time, user_t user, enum poll_clock format)
{
	ns_t span;
	int error;

	*time = (struct poll_time){user, format, NS_NEVER};
	if (!user.address)
		return 0;
	error = format == POLL_TIMEVAL ? get_timeval(user, &span) : get_timespec(user, &span);
	if (!error)
		time->deadline = span ? clock_add(arch_clock(), span) : 0;
	return error;
}

long poll_time_put(const struct poll_time *time, long result)
{
	ns_t now, left;
	long error = 0;

	if (time->user.address && time->deadline) {
		now = arch_clock();
		left = time->deadline > now ? time->deadline - now : 0;
		error = time->format == POLL_TIMEVAL ? put_timeval(time->user, left)
						     : put_timespec(time->user, left);
	}
	if (result != -ERESTARTSYS)
		return result; /* memory that cannot be written is no error of the call */
	return error ? -EINTR : -ERESTARTNOHAND;
}

/* ---- poll ---- */

/* Each descriptor's file, and what is wanted of it. */
static void get_files(struct poll_entry *entries, const struct pollfd *fds, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (fds[i].fd < 0)
			continue; /* nothing is wanted */
		entries[i].file = get_file(fds[i].fd);
		entries[i].wanted = (unsigned short)fds[i].events;
		entries[i].wanted |= POLLERR | POLLHUP | POLLNVAL;
	}
}

/* Writes revents alone: the rest may be changed by other threads meanwhile. */
static int put_found(user_t fds, const struct poll_entry *entries, unsigned int count)
{
	/* Linux looks at where it is written to even where there is nothing to write. */
	if (!user_range_ok(fds, count * sizeof(struct pollfd)))
		return -EFAULT;
	for (unsigned int i = 0; i < count; i++) {
		short found = (short)entries[i].found;
		uintptr_t at = fds.address + i * sizeof(struct pollfd);

		at += offsetof(struct pollfd, revents);
		if (copy_to_user(user_pointer(at), &found, sizeof(found)))
			return -EFAULT;
	}
	return 0;
}

/* 0 or more: how many; -ERESTARTSYS, or an error. */
static long poll_until(user_t fds, unsigned int count, ns_t deadline)
{
	struct poll_entry *entries;
	struct pollfd *copy;
	long result = -ENOMEM;

	if (count > files_limit())
		return -EINVAL;
	copy = kmalloc(count * sizeof(*copy) + 1);
	entries = kzalloc(count * sizeof(*entries) + 1);
	if (copy && entries)
		result = copy_from_user(copy, fds, count * sizeof(*copy));
	if (!result) {
		get_files(entries, copy, count);
		result = poll_wait_for(entries, count, deadline);
		if (put_found(fds, entries, count))
			result = -EFAULT;
		for (unsigned int i = 0; i < count; i++)
			if (entries[i].file)
				file_put(entries[i].file);
	}
	kfree(copy);
	kfree(entries);
	return result;
}

static long poll_again(struct restart_block *block);

/* Interrupted, it goes on to the same deadline where no handler ran. */
static long poll_restartable(user_t fds, unsigned int count, ns_t deadline)
{
	long result = poll_until(fds, count, deadline);

	if (result != -ERESTARTSYS)
		return result;
	return signal_restart_by(poll_again, fds.address, count, deadline);
}

static long poll_again(struct restart_block *block)
{
	return poll_restartable(
		user_pointer(block->words[0]), (unsigned)block->words[1], block->words[2]);
}

long sys_poll(user_t fds, unsigned int count, int timeout)
{
	ns_t deadline = NS_NEVER;

	if (timeout >= 0)
		deadline = timeout ? arch_clock() + (ns_t)timeout * (NS_PER_SECOND / 1000) : 0;
	return poll_restartable(fds, count, deadline);
}

long sys_ppoll(user_t fds, unsigned int count, user_t timeout, user_t mask, size_t size)
{
	struct poll_time time;
	long result = poll_time_get(&time, timeout, POLL_TIMESPEC);

	if (!result)
		result = signal_mask_borrow(mask, size);
	if (result)
		return result;
	result = poll_until(fds, count, time.deadline);
	signal_mask_return(result == -ERESTARTSYS);
	return poll_time_put(&time, result);
}
