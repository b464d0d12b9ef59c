/* SPDX-License-Identifier: MIT */
/*
 * Signals as files (man 2 signalfd). The file has a mask and nothing else: a read takes those signals of
 * the thread that reads, or of its process; so does poll, and epoll_wait, look at the caller's.
 *
 * Who waits stands on the queue of a process's struct signal_watch, which is made when the first thread of
 * the process waits so; signals that are queued wake it (process/signal_watch.c). An epoll that a file was
 * added to stands there after the process has gone, if others have the epoll. So the file
 * holds each watch that it ever gave the queue of; those of processes that are gone, where nobody
 * stands any more, are let go when another is taken, and all with the file.
 *
 * Locks: signalfd->lock, a spin lock, over the list of watches and the mask.
 */
#include "files/signalfd.h"

#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/signalfd.h>

#include "files/anonymous.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/process.h"
#include "process/signal.h"
#include "process/signal_watch.h"

struct signalfd {
	struct spinlock lock;
	uint64_t mask; /* atomic */
	struct held_watch *watches;
};

struct held_watch {
	struct held_watch *next;
	struct signal_watch *watch;
};

static uint64_t mask_of(const struct signalfd *signals)
{
	return __atomic_load_n(&signals->mask, __ATOMIC_RELAXED);
}

/* ---- The watches that it holds ---- */

static bool holds(const struct signalfd *signals, const struct signal_watch *watch) requires(
	signals->lock)
{
	for (const struct held_watch *held = signals->watches; held; held = held->next)
		if (held->watch == watch)
			return true;
	return false;
}

/* Takes out those that nobody needs; they are to be put without the lock. */
static struct held_watch *take_idle(struct signalfd *signals) requires(signals->lock)
{
	struct held_watch **at = &signals->watches, *idle = NULL, *held;

	while ((held = *at)) {
		if (signal_watch_idle(held->watch)) {
			*at = held->next;
			held->next = idle;
			idle = held;
		} else {
			at = &held->next;
		}
	}
	return idle;
}

static void put_all(struct held_watch *held)
{
	while (held) {
		struct held_watch *next = held->next;

		signal_watch_put(held->watch);
		kfree(held);
		held = next;
	}
}

/* The queue of the running process's signals, there as long as the file; NULL: no memory. */
static struct wait_queue *queue_of_process(struct signalfd *signals)
{
	struct signal_watch *watch = signal_watch_current();
	struct held_watch *new, *idle = NULL;
	bool held;

	if (!watch)
		return NULL;
	spin_lock(&signals->lock);
	held = holds(signals, watch);
	spin_unlock(&signals->lock);
	if (held)
		return &watch->queue;
	new = kzalloc(sizeof(*new));
	if (!new)
		return NULL;
	spin_lock(&signals->lock);
	if (!holds(signals, watch)) {
		idle = take_idle(signals);
		signal_watch_get(watch);
		new->watch = watch;
		new->next = signals->watches;
		signals->watches = new;
		new = NULL;
	}
	spin_unlock(&signals->lock);
	kfree(new);
	put_all(idle);
	return &watch->queue;
}

/* ---- Reading ---- */

enum info_kind { INFO_SENT, INFO_TIMER, INFO_CHILD, INFO_FAULT, INFO_FILE };

/* Which part of a siginfo says what. */
static enum info_kind kind_of(const struct signal_info *info)
{
	if (info->code == SI_TIMER)
		return INFO_TIMER;
	if (info->code == SI_SIGIO)
		return INFO_FILE;
	if (info->code <= SI_USER || info->code >= SI_KERNEL)
		return INFO_SENT;
	switch (info->number) {
	case SIGCHLD:
		return INFO_CHILD;
	case SIGILL:
	case SIGFPE:
	case SIGSEGV:
	case SIGBUS:
	case SIGTRAP:
		return INFO_FAULT;
	default:
		return info->code <= NSIGPOLL ? INFO_FILE : INFO_SENT;
	}
}

static void fill(struct signalfd_siginfo *out, const struct signal_info *info)
{
	*out = (struct signalfd_siginfo){
		.ssi_signo = (uint32_t)info->number,
		.ssi_errno = info->error,
		.ssi_code = info->code,
	};
	switch (kind_of(info)) {
	case INFO_TIMER:
		out->ssi_tid = (uint32_t)info->timer.id;
		out->ssi_overrun = (uint32_t)info->timer.overrun;
		out->ssi_ptr = info->timer.value;
		out->ssi_int = (int32_t)info->timer.value;
		break;
	case INFO_CHILD:
		out->ssi_pid = (uint32_t)info->child.pid;
		out->ssi_uid = info->child.uid;
		out->ssi_status = info->child.status;
		out->ssi_utime = (uint64_t)info->child.user;
		out->ssi_stime = (uint64_t)info->child.system;
		break;
	case INFO_FAULT:
		out->ssi_addr = info->fault.address;
		break;
	case INFO_FILE:
		out->ssi_band = (uint32_t)info->words[0];
		out->ssi_fd = (int32_t)info->words[1];
		break;
	case INFO_SENT:
		out->ssi_pid = (uint32_t)info->sent.pid;
		out->ssi_uid = info->sent.uid;
		if (info->code < 0) {
			out->ssi_ptr = info->sent.value;
			out->ssi_int = (int32_t)info->sent.value;
		}
		break;
	}
}

/* 0: none of them waits. */
static int take(const struct signalfd *signals, struct signal_info *info)
{
	struct thread *self = current_thread();
	int signal;

	spin_lock(&process_lock);
	signal = signal_take(self, ~mask_of(signals), info);
	if (signal)
		signal_recalculate(self);
	spin_unlock(&process_lock);
	return signal;
}

static bool any(const struct signalfd *signals)
{
	const struct thread *self = current_thread();

	return (__atomic_load_n(&self->signals.queue.set, __ATOMIC_SEQ_CST) |
		       __atomic_load_n(&self->process->signals.queue.set, __ATOMIC_SEQ_CST)) &
	       mask_of(signals);
}

/* The first one, waited for. 0 or a negative errno. */
static int take_first(struct file *file, struct signal_info *info)
{
	struct signalfd *signals = file->private;
	struct wait_queue *queue;
	int error;

	while (!take(signals, info)) {
		if (file_nonblocking(file))
			return -EAGAIN;
		queue = queue_of_process(signals);
		if (!queue)
			return -ENOMEM;
		error = wait_event(queue, any(signals));
		if (error)
			return error;
	}
	return 0;
}

static ssize_t signalfd_read(struct file *file, struct io *io, int64_t *position)
{
	struct signalfd *signals = file->private;
	struct signalfd_siginfo out;
	struct signal_info info;
	size_t done = 0;
	int error;

	(void)position;
	if (io->left < sizeof(out))
		return -EINVAL;
	error = take_first(file, &info);
	while (!error) {
		fill(&out, &info);
		if (io_put(io, &out, sizeof(out)) != sizeof(out))
			return done ? (ssize_t)done : -EFAULT;
		done += sizeof(out);
		if (io->left < sizeof(out) || !take(signals, &info))
			break;
	}
	return error ? error : (ssize_t)done;
}

static unsigned int signalfd_poll(struct file *file, struct wait_queue *queues[2])
{
	queues[0] = queue_of_process(file->private);
	return (any(file->private) ? POLLIN : 0) | (queues[0] ? 0 : POLL_NO_MEMORY);
}

static void signalfd_release(struct file *file)
{
	struct signalfd *signals = file->private;

	put_all(signals->watches);
	kfree(signals);
}

static const struct file_operations operations = {
	.name = "anon_inode:[signalfd]",
	.release = signalfd_release,
	.read = signalfd_read,
	.poll = signalfd_poll,
	.traits = FILE_STREAM | FILE_SEEKS_NOWHERE,
};

int signalfd_make(uint64_t mask, unsigned flags, struct file **out)
{
	struct signalfd *signals = kzalloc(sizeof(*signals));
	int error;

	if (!signals)
		return -ENOMEM;
	spin_init(&signals->lock, "signalfd->lock");
	signals->mask = mask & ~SIGNALS_UNBLOCKABLE;
	error = anonymous_file(&operations, signals, flags | O_RDWR, out);
	if (error)
		kfree(signals);
	return error;
}

int signalfd_change(struct file *file, uint64_t mask)
{
	struct signalfd *signals = file->private;

	if (file->operations != &operations)
		return -EINVAL;
	__atomic_store_n(&signals->mask, mask & ~SIGNALS_UNBLOCKABLE, __ATOMIC_SEQ_CST);
	signal_watch_wake(current_process());
	return 0;
}
