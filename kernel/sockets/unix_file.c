/* SPDX-License-Identifier: MIT */
/*
 * UNIX sockets as open files: readiness, read and write, ioctl.
 *
 * A socket tells of itself by its own queue. Only for room in the queue of the peer of a datagram's sender it is told
 * by the peer: who polled and found none stands on the peer's list until somebody takes a message.
 */
#include "sockets/unix.h"

#include "lib/errno.h"
#include "memory/user.h"

static struct spinlock blocked_lock = SPINLOCK_INIT;

/* ---- Senders of datagrams that poll for room ---- */

void unix_unblock(struct unix_socket *socket)
{
	struct unix_socket *on;

	spin_lock(&blocked_lock);
	list_remove(&socket->blocked_link);
	on = socket->blocked_on;
	socket->blocked_on = NULL;
	spin_unlock(&blocked_lock);
	if (on)
		unix_put(on);
}

/* Is told of room in the peer's queue from now on. */
static void block_on(struct unix_socket *socket, struct unix_socket *peer)
{
	unix_unblock(socket);
	spin_lock(&blocked_lock);
	if (!socket->blocked_on) {
		unix_get(peer);
		socket->blocked_on = peer;
		list_push_back(&peer->blocked, &socket->blocked_link);
	}
	spin_unlock(&blocked_lock);
}

void unix_room(struct unix_socket *socket)
{
	wake_events(&socket->changed, POLLOUT);
	while (unlikely(
		__atomic_load_n(&socket->blocked.next, __ATOMIC_ACQUIRE) != &socket->blocked)) {
		struct unix_socket *waiting = NULL;

		spin_lock(&blocked_lock);
		if (!list_empty(&socket->blocked)) {
			waiting = list_first(&socket->blocked, struct unix_socket, blocked_link);
			unix_get(waiting);
		}
		spin_unlock(&blocked_lock);
		if (!waiting)
			break;
		unix_unblock(waiting);
		wake_events(&waiting->changed, POLLOUT | POLLWRNORM | POLLWRBAND);
		unix_put(waiting);
	}
}

/* ---- The file ---- */

/* Whether a datagram would find room; asks to be told where not. */
static bool peer_has_room(struct unix_socket *self)
{
	struct unix_socket *peer = self->type == SOCK_DGRAM ? unix_peer(self) : NULL, *back;
	bool room = true;

	if (!peer)
		return true;
	back = unix_peer(peer);
	if (back != self && unix_is_full(peer)) {
		block_on(self, peer);
		room = !unix_is_full(peer);
	}
	if (back)
		unix_put(back);
	unix_put(peer);
	return room;
}

static unsigned int unix_poll(struct file *file, struct wait_queue *queues[2])
{
	struct unix_socket *self = file->private;
	unsigned shut = __atomic_load_n(&self->shut, __ATOMIC_ACQUIRE), mask = 0;

	queues[0] = &self->changed;
	if (__atomic_load_n(&self->error, __ATOMIC_ACQUIRE))
		mask |= POLLERR;
	if (shut == UNIX_SHUT_BOTH)
		mask |= POLLHUP;
	if (shut & UNIX_SHUT_READ)
		mask |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (__atomic_load_n(&self->queue.next, __ATOMIC_ACQUIRE) != &self->queue)
		mask |= POLLIN | POLLRDNORM;
	if (self->type != SOCK_DGRAM && self->state == UNIX_IDLE)
		mask |= POLLHUP;
	if (self->state != UNIX_LISTENING && unix_writable(self) && peer_has_room(self))
		mask |= POLLOUT | POLLWRNORM | POLLWRBAND;
	return mask;
}

static ssize_t receive_plain(struct file *file, struct io *io, unsigned flags)
{
	struct unix_call call = {.io = io, .flags = flags};
	ssize_t result = unix_receive(file, &call);

	if (call.rights)
		rights_free(call.rights);
	return result;
}

static ssize_t unix_read(struct file *file, struct io *io, int64_t *position)
{
	(void)position;
	return io->left ? receive_plain(file, io, 0) : 0;
}

static ssize_t unix_splice(struct file *file, struct io *io, bool nonblocking)
{
	return receive_plain(file, io, nonblocking ? MSG_DONTWAIT : 0);
}

static ssize_t unix_write(struct file *file, struct io *io, int64_t *position)
{
	struct unix_call call = {.io = io};

	(void)position;
	return unix_send(file, &call);
}

static int unix_async(struct file *file, int fd, bool on)
{
	struct unix_socket *self = file->private;

	return async_change(file, fd, on, &self->async);
}

static long set_owner(struct file *file, user_t from)
{
	int number;

	if (copy_from_user(&number, from, sizeof(number)))
		return -EFAULT;
	return async_set_owner_number(file, number);
}

static long unix_ioctl(struct file *file, unsigned int command, uintptr_t argument)
{
	struct unix_socket *self = file->private;
	int count;

	switch (command) {
	case FIOSETOWN:
	case SIOCSPGRP:
		return set_owner(file, user_pointer(argument));
	case FIOGETOWN:
	case SIOCGPGRP:
		count = async_owner_number(file);
		break;
	case TIOCINQ: /* FIONREAD: of messages the first one's */
		if (self->state == UNIX_LISTENING)
			return -EINVAL;
		spin_lock(&self->lock);
		count = (int)self->queued_bytes;
		if (self->type == SOCK_DGRAM && !list_empty(&self->queue))
			count = (int)list_first(&self->queue, struct unix_message, link)->size;
		spin_unlock(&self->lock);
		break;
	case SIOCATMARK: /* there are no urgent bytes */
		if (self->type != SOCK_STREAM)
			return -EOPNOTSUPP;
		count = 0;
		break;
	case TIOCOUTQ:
		count = (int)__atomic_load_n(&self->charged, __ATOMIC_RELAXED);
		break;
	default:
		return -ENOTTY;
	}
	return copy_to_user(user_pointer(argument), &count, sizeof(count));
}

const struct file_operations unix_file_operations = {
	.release = unix_release,
	.read = unix_read,
	.splice = unix_splice,
	.write = unix_write,
	.poll = unix_poll,
	.ioctl = unix_ioctl,
	.async = unix_async,
	.traits = FILE_STREAM,
};
