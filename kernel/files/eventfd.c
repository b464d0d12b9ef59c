/* SPDX-License-Identifier: MIT */
/*
 * Counters as files (man 2 eventfd): a write adds, a read takes all (or one, from a semaphore). A read of 0
 * and a write past the largest number wait.
 *
 * Lock: the wait queue's own lock guards nothing more than the queue; the count is changed by
 * compare-and-exchange, and looked at without a lock by who waits.
 */
#include "files/eventfd.h"

#include "files/anonymous.h"
#include "lib/errno.h"
#include "memory/slab.h"
#include "process/wait.h"

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
	uint64_t count; /* atomic; at most COUNT_MAX */
	enum eventfd_kind kind;
	struct wait_queue changed; /* readers, writers, who polls */
};

static uint64_t count_of(const struct eventfd *event)
{
	return __atomic_load_n(&event->count, __ATOMIC_ACQUIRE);
}

/* What a read gives now; 0: nothing yet. */
static uint64_t take(struct eventfd *event)
{
	uint64_t count = count_of(event), part;

	do {
		part = event->kind == EVENTFD_SEMAPHORE ? count != 0 : count;
	} while (part && !__atomic_compare_exchange_n(&event->count, &count, count - part, false,
				 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	return part;
}

/* False: it does not fit now. */
static bool add(struct eventfd *event, uint64_t part)
{
	uint64_t count = count_of(event);

	do {
		if (COUNT_MAX - count < part)
			return false;
	} while (!__atomic_compare_exchange_n(
		&event->count, &count, count + part, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	return true;
}

static ssize_t eventfd_read(struct file *file, struct io *io, int64_t *position)
{
	struct eventfd *event = file->private;
	uint64_t count;
	int error;

	(void)position;
	if (io->left < sizeof(count))
		return -EINVAL;
	while (!(count = take(event))) {
		if (file_nonblocking(file))
			return -EAGAIN;
		error = wait_event(&event->changed, count_of(event));
		if (error)
			return error;
	}
	wake_events(&event->changed, POLLOUT);
	return io_put(io, &count, sizeof(count)) == sizeof(count) ? (ssize_t)sizeof(count)
								  : -EFAULT;
}

static ssize_t eventfd_write(struct file *file, struct io *io, int64_t *position)
{
	struct eventfd *event = file->private;
	uint64_t part;
	int error;

	(void)position;
	if (io->left < sizeof(part))
		return -EINVAL;
	if (io_get(io, &part, sizeof(part)) != sizeof(part))
		return -EFAULT;
	if (part > COUNT_MAX)
		return -EINVAL;
	while (!add(event, part)) {
		if (file_nonblocking(file))
			return -EAGAIN;
		error = wait_event(&event->changed, COUNT_MAX - count_of(event) >= part);
		if (error)
			return error;
	}
	wake_events(&event->changed, POLLIN);
	return sizeof(part);
}

static unsigned int eventfd_poll(struct file *file, struct wait_queue *queues[2])
{
	struct eventfd *event = file->private;
	uint64_t count = count_of(event);

	queues[0] = &event->changed;
	return (count ? POLLIN : 0u) | (count < COUNT_MAX ? POLLOUT : 0u);
}

static void eventfd_release(struct file *file)
{
	kfree(file->private);
}

static const struct file_operations operations = {
	.name = "anon_inode:[eventfd]",
	.release = eventfd_release,
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.traits = FILE_STREAM | FILE_SEEKS_NOWHERE | FILE_NO_SPLICE,
};

int eventfd_make(uint64_t count, enum eventfd_kind kind, unsigned flags, struct file **out)
{
	struct eventfd *event = kzalloc(sizeof(*event));
	int error;

	if (!event)
		return -ENOMEM;
	event->count = count;
	event->kind = kind;
	wait_queue_init(&event->changed);
	error = anonymous_file(&operations, event, flags | O_RDWR, out);
	if (error)
		kfree(event);
	return error;
}
