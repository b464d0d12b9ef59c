/* SPDX-License-Identifier: MIT */
/*
 * poll (man 2 poll).
 *
 * A file says what holds now and which wait queues tell of a change (at most two). The caller stands
 * on all of them at once, looks again after each wake-up, and sleeps until something holds, the time
 * is over or a signal comes.
 */
#include "syscall/files.h"

#include "arch/arch.h"
#include "memory/slab.h"
#include "process/signal.h"
#include "process/wait.h"

#define QUEUES_EACH 2

struct polled {
	struct file *file; /* NULL: not looked at */
	struct wait_queue *queues[QUEUES_EACH];
	struct waiter waiters[QUEUES_EACH];
};

struct poll {
	unsigned int count;
	struct pollfd *fds;
	struct polled *files;
};

/* What holds now; how many descriptors have something to say. */
static int look(struct poll *poll)
{
	int found = 0;

	for (unsigned int i = 0; i < poll->count; i++) {
		struct pollfd *fd = &poll->fds[i];
		struct polled *polled = &poll->files[i];
		unsigned int mask;

		fd->revents = 0;
		if (fd->fd < 0)
			continue;
		if (!polled->file || polled->file->flags & O_PATH)
			mask = POLLNVAL;
		else if (polled->file->operations->poll)
			mask = polled->file->operations->poll(polled->file, polled->queues);
		else
			mask = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
		mask &= (unsigned int)(unsigned short)fd->events | POLLERR | POLLHUP | POLLNVAL;
		fd->revents = (short)mask;
		found += mask != 0;
	}
	return found;
}

static void stand_on_queues(struct poll *poll)
{
	for (unsigned int i = 0; i < poll->count; i++)
		for (int q = 0; q < QUEUES_EACH; q++)
			if (poll->files[i].queues[q])
				wait_prepare(poll->files[i].queues[q], &poll->files[i].waiters[q]);
}

static void leave_queues(struct poll *poll)
{
	for (unsigned int i = 0; i < poll->count; i++)
		for (int q = 0; q < QUEUES_EACH; q++)
			if (poll->files[i].queues[q])
				wait_finish(poll->files[i].queues[q], &poll->files[i].waiters[q]);
}

/* For a caller that polls nothing but the clock: a queue to stand on. */
static struct wait_queue nobody = WAIT_QUEUE_INIT(nobody);

static long wait_for(struct poll *poll, ns_t deadline)
{
	struct waiter self;
	int found = look(poll), error = 0;

	while (!found && !error) {
		wait_prepare(&nobody, &self);
		stand_on_queues(poll);
		found = look(poll);
		if (!found)
			error = wait_sleep(deadline);
		leave_queues(poll);
		wait_finish(&nobody, &self);
		if (!found)
			found = look(poll);
	}
	if (found || error == -ETIMEDOUT)
		return found;
	return error;
}

long poll_kernel(struct pollfd *fds, unsigned int count, ns_t deadline)
{
	struct poll poll = {.count = count, .fds = fds};
	long result;

	poll.files = kzalloc(count * sizeof(struct polled) + 1);
	if (!poll.files)
		return -ENOMEM;
	for (unsigned int i = 0; i < count; i++)
		if (fds[i].fd >= 0)
			poll.files[i].file = get_file(fds[i].fd);
	result = wait_for(&poll, deadline);
	for (unsigned int i = 0; i < count; i++)
		if (poll.files[i].file)
			file_put(poll.files[i].file);
	kfree(poll.files);
	return result;
}

long poll_until(user_t user, unsigned int count, ns_t deadline)
{
	size_t size = count * sizeof(struct pollfd);
	struct pollfd *fds;
	long result;

	if (count > files_limit())
		return -EINVAL;
	fds = kmalloc(size + 1);
	if (!fds)
		return -ENOMEM;
	result = copy_from_user(fds, user, size);
	if (!result)
		result = poll_kernel(fds, count, deadline);
	if (result >= 0 && copy_to_user(user, fds, size))
		result = -EFAULT;
	kfree(fds);
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
		deadline = arch_clock() + (ns_t)timeout * (NS_PER_SECOND / 1000);
	return poll_restartable(fds, count, deadline);
}
