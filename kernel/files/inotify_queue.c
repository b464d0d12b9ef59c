/* SPDX-License-Identifier: MIT */
/*
 * An instance of inotify as a file: a queue of events, read as struct inotify_event.
 *
 * An event that is equal to the last one queued is not queued again. When the queue is full, or there is no
 * memory, one IN_Q_OVERFLOW is, which needs no memory of its own, and what follows is lost until it has been
 * read. An event leaves the queue before it is copied to the user, so one that cannot be is lost, as on Linux.
 *
 * Lock: inotify_lock; user memory is touched without it.
 */
#include "files/inotify_queue.h"

#include <asm/ioctls.h>

#include "files/anonymous.h"
#include "files/inotify.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/credentials.h"

#define HEADER sizeof(struct inotify_event)

/* ---- Queueing ---- */

static uint32_t padded(const char *name)
{
	return name ? (uint32_t)ALIGN_UP(strlen(name) + 1, HEADER) : 0;
}

static bool is_repeated(const struct inotify *instance, int number, uint32_t mask,
	const char *name) requires(inotify_lock)
{
	const struct inotify_event_item *last;

	if (list_empty(&instance->events))
		return false;
	last = list_entry(instance->events.prev, struct inotify_event_item, link);
	return last->mask == mask && last->number == number && last->length == padded(name) &&
	       !(mask & IN_IGNORED) && (!name || !strcmp(last->name, name));
}

static struct inotify_event_item *make_event(
	int number, uint32_t mask, uint32_t cookie, const char *name)
{
	uint32_t length = padded(name);
	struct inotify_event_item *event = kzalloc(sizeof(*event) + length);

	if (!event)
		return NULL;
	event->number = number;
	event->mask = mask;
	event->cookie = cookie;
	event->length = length;
	if (name)
		memcpy(event->name, name, strlen(name));
	return event;
}

void inotify_queue(
	struct inotify *instance, int number, uint32_t mask, uint32_t cookie, const char *name)
{
	struct inotify_event_item *event = NULL;

	if (instance->count < instance->most) {
		if (is_repeated(instance, number, mask, name))
			return;
		event = make_event(number, mask, cookie, name);
	}
	if (!event) {
		event = &instance->overflow;
		if (!list_empty(&event->link))
			return;
	}
	list_push_back(&instance->events, &event->link);
	instance->count++;
	instance->bytes += HEADER + event->length;
	wake_events(&instance->changed, POLLIN | POLLRDNORM);
	async_tell(&instance->async, ASYNC_IN);
}

/* ---- Reading ---- */

/* The first event, if it fits into `size` bytes, else *error is -EINVAL; NULL: none. */
static struct inotify_event_item *take(struct inotify *instance, size_t size, int *error)
{
	struct inotify_event_item *event = NULL;

	spin_lock(&inotify_lock);
	if (!list_empty(&instance->events)) {
		event = list_first(&instance->events, struct inotify_event_item, link);
		if (HEADER + event->length > size) {
			*error = -EINVAL;
			event = NULL;
		} else {
			list_remove(&event->link);
			instance->count--;
			instance->bytes -= HEADER + event->length;
		}
	}
	spin_unlock(&inotify_lock);
	return event;
}

static void free_event(struct inotify *instance, struct inotify_event_item *event)
{
	if (event != &instance->overflow)
		kfree(event);
}

static bool give(struct io *io, const struct inotify_event_item *event)
{
	const struct inotify_event header = {
		event->number, event->mask, event->cookie, event->length};

	return io_put(io, &header, HEADER) == HEADER &&
	       io_put(io, event->name, event->length) == event->length;
}

static bool has_events(const struct inotify *instance)
{
	return __atomic_load_n(&instance->events.next, __ATOMIC_ACQUIRE) != &instance->events;
}

static ssize_t read_events(struct file *file, struct io *io, int64_t *position)
{
	struct inotify *instance = file->private;
	struct inotify_event_item *event;
	size_t whole = io->left;
	bool given = true;
	int error = 0;

	(void)position;
	while (!error) {
		event = take(instance, io->left, &error);
		if (event) {
			given = give(io, event);
			free_event(instance, event);
			if (!given)
				return -EFAULT;
		} else if (!error && io->left < whole) {
			break;
		} else if (!error && file_nonblocking(file)) {
			error = -EAGAIN;
		} else if (!error) {
			error = wait_event(&instance->changed, has_events(instance));
		}
	}
	return io->left < whole ? (ssize_t)(whole - io->left) : error;
}

static unsigned int poll_events(struct file *file, struct wait_queue *queues[2])
{
	struct inotify *instance = file->private;

	queues[0] = &instance->changed;
	return has_events(instance) ? POLLIN | POLLRDNORM : 0;
}

static int ask(struct file *file, int fd, bool on)
{
	struct inotify *instance = file->private;

	return async_change(file, fd, on, &instance->async);
}

static long control(struct file *file, unsigned int command, uintptr_t argument)
{
	struct inotify *instance = file->private;
	int bytes;

	if (command != FIONREAD)
		return -ENOTTY;
	spin_lock(&inotify_lock);
	bytes = (int)instance->bytes;
	spin_unlock(&inotify_lock);
	return copy_to_user(user_pointer(argument), &bytes, sizeof(bytes));
}

/* As many watches as there is room for. */
static size_t describe(struct file *file, char *out, size_t size)
{
	struct inotify_state watch;
	char line[128];
	size_t used = 0;
	int number = 0;

	while (inotify_next_watch(file->private, &number, &watch)) {
		size_t length = (size_t)format(line, sizeof(line),
			"inotify wd:%x ino:%llx sdev:%llx mask:%x ignored_mask:0\n", number,
			(unsigned long long)watch.inode, (unsigned long long)watch.device,
			watch.mask);

		if (length > size - used)
			break;
		memcpy(out + used, line, length);
		used += length;
	}
	return used;
}

/* ---- Life ---- */

static void free_instance(struct inotify *instance)
{
	struct inotify_event_item *event, *next;

	list_for_each_safe(event, next, &instance->events, link)
	{
		list_remove(&event->link);
		free_event(instance, event);
	}
	__atomic_sub_fetch(&instance->owner->user->inotify_instances, 1, __ATOMIC_RELAXED);
	credentials_put(instance->owner);
	kfree(instance);
}

static void release(struct file *file)
{
	struct inotify *instance = file->private;

	inotify_unwatch_all(instance); /* from now on nobody knows it */
	free_instance(instance);
}

static const struct file_operations operations = {
	.name = "anon_inode:inotify",
	.release = release,
	.read = read_events,
	.poll = poll_events,
	.ioctl = control,
	.async = ask,
	.describe = describe,
	.traits = FILE_STREAM | FILE_SEEKS_NOWHERE,
};

bool file_is_inotify(const struct file *file)
{
	return file->operations == &operations;
}

/* Counted against the caller's user. */
static struct inotify *make_instance(int *error)
{
	const struct credentials *owner = current_credentials();
	uint32_t *count = &owner->user->inotify_instances;
	uint32_t most = __atomic_load_n(&inotify_limits.instances, __ATOMIC_RELAXED);
	struct inotify *instance = NULL;

	*error = -EMFILE;
	if (__atomic_add_fetch(count, 1, __ATOMIC_RELAXED) <= most) {
		*error = -ENOMEM;
		instance = kzalloc(sizeof(*instance));
	}
	if (!instance) {
		__atomic_sub_fetch(count, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	credentials_get(owner);
	instance->owner = owner;
	instance->most = __atomic_load_n(&inotify_limits.events, __ATOMIC_RELAXED);
	radix_init(&instance->watches);
	list_init(&instance->events);
	list_init(&instance->overflow.link);
	instance->overflow.number = -1;
	instance->overflow.mask = IN_Q_OVERFLOW;
	wait_queue_init(&instance->changed);
	return instance;
}

int inotify_make(unsigned int flags, struct file **out)
{
	int error;
	struct inotify *instance = make_instance(&error);

	if (!instance)
		return error;
	error = anonymous_file(&operations, instance, flags | O_RDONLY, out);
	if (error)
		free_instance(instance);
	return error;
}
