/* SPDX-License-Identifier: MIT */
/*
 * What goes through UNIX sockets: messages, which are queued at the receiver, and charged to the sender
 * until they are read. A stream's sends are cut into pieces, and its reads take from several: they end after
 * one that carries descriptors, and before another sender's if ids are told.
 *
 * A reader holds socket->reading, so the first message stays the first while it is copied with no spin
 * lock held; it is given away while the reader sleeps.
 */
#include <asm/signal.h>

#include "arch/arch.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/current.h"
#include "process/process.h"
#include "sockets/unix.h"

/*
 * How Linux cuts and counts: a message's first bytes lie in one block beside 320 bytes of its own, a stream's beyond the
 * first page and a datagram's beyond the first four in up to 17 pages, and 256 bytes more stand for the whole.
 */
#define BLOCK_OWN     320u
#define HEAD_OWN      256u
#define STREAM_BLOCK  ((uint32_t)PAGE_SIZE - BLOCK_OWN)
#define MESSAGE_BLOCK (4 * (uint32_t)PAGE_SIZE - BLOCK_OWN)
#define PAGED_MOST    (17 * (uint32_t)PAGE_SIZE)
#define PIECE_MAX     (STREAM_BLOCK + 8 * (uint32_t)PAGE_SIZE)
#define QUEUE_MAX     10u /* messages, of sockets without connections: net.unix.max_dgram_qlen */
#define READABLE      (POLLIN | POLLRDNORM | POLLRDBAND)
#define WRITABLE      (POLLOUT | POLLWRNORM | POLLWRBAND)

/* ---- Messages ---- */

static void message_make_known(struct unix_message *message, struct unix_call *call)
{
	const struct credentials *who = current_credentials();

	message->credentials = call->has_credentials
				       ? call->credentials
				       : (struct ucred){current_pid(), who->uid, who->gid};
	message->rights = call->rights;
	call->rights = NULL;
}

/* What a message costs its sender. */
static uint32_t charge_of(int type, uint32_t size)
{
	const uint32_t most = type == SOCK_STREAM ? STREAM_BLOCK : MESSAGE_BLOCK;
	uint32_t paged = 0, block;

	if (size > most) {
		paged = size - most < PAGED_MOST ? size - most : PAGED_MOST;
		paged = ALIGN_UP(paged, (uint32_t)PAGE_SIZE);
	}
	block = BLOCK_OWN + (size > paged ? ALIGN_UP(size - paged, 64u) : 0);
	return (2u << (31 - __builtin_clz(block - 1))) + paged +
	       HEAD_OWN; /* blocks: powers of two */
}

/* With the next bytes of the caller's. NULL: *error. */
static struct unix_message *make_message(
	struct unix_socket *sender, struct io *io, uint32_t size, int *error)
{
	struct unix_message *message = kmalloc(sizeof(*message) + size);

	if (!message) {
		*error = size > PAGE_SIZE ? -ENOBUFS : -ENOMEM;
		return NULL;
	}
	list_init(&message->link);
	message->rights = NULL;
	message->size = size;
	message->start = 0;
	message->charge = charge_of(sender->type, size);
	if (io_get(io, message->data, size) != size) {
		kfree(message);
		*error = -EFAULT;
		return NULL;
	}
	message->sender = sender;
	unix_get(sender);
	__atomic_add_fetch(&sender->charged, message->charge, __ATOMIC_RELAXED);
	return message;
}

void unix_message_free(struct unix_message *message)
{
	struct unix_socket *sender = message->sender;

	if (message->rights) {
		rights_land(message->rights);
		rights_free(message->rights);
	}
	__atomic_sub_fetch(&sender->charged, message->charge, __ATOMIC_ACQ_REL);
	if (unix_writable(sender)) {
		wake_events(&sender->changed, WRITABLE);
		if (unlikely(__atomic_load_n(&sender->wants_room, __ATOMIC_RELAXED)) &&
			__atomic_exchange_n(&sender->wants_room, false, __ATOMIC_RELAXED))
			async_tell(&sender->async, ASYNC_OUT);
	}
	unix_put(sender);
	kfree(message);
}

void unix_drop_messages(struct list *messages)
{
	while (!list_empty(messages)) {
		struct unix_message *message = list_first(messages, struct unix_message, link);

		list_remove(&message->link);
		unix_message_free(message);
	}
}

/* ---- Sending ---- */

static bool has_charge_left(const struct unix_socket *socket)
{
	return __atomic_load_n(&socket->charged, __ATOMIC_ACQUIRE) < socket->send_limit;
}

static bool may_not_send(const struct unix_socket *socket)
{
	return __atomic_load_n(&socket->shut, __ATOMIC_ACQUIRE) & UNIX_SHUT_WRITE ||
	       __atomic_load_n(&socket->error, __ATOMIC_ACQUIRE);
}

static bool waits(const struct file *file, const struct unix_call *call)
{
	return !file_nonblocking(file) && !(call->flags & MSG_DONTWAIT);
}

/* Until the sender may send a message more. */
static int wait_for_charge(
	struct file *file, struct unix_socket *self, const struct unix_call *call)
{
	int error;

	for (;;) {
		error = unix_take_error(self);
		if (error)
			return error;
		if (may_not_send(self))
			return -EPIPE;
		if (has_charge_left(self))
			return 0;
		__atomic_store_n(&self->wants_room, true, __ATOMIC_RELAXED);
		if (!waits(file, call))
			return -EAGAIN;
		error = wait_event_until(&self->changed,
			has_charge_left(self) || may_not_send(self),
			unix_deadline(self->send_timeout));
		if (error)
			return unix_wait_error(error, self->send_timeout);
	}
}

/* Puts a message into the peer's queue; `most`: not where there are that many (-EAGAIN). */
static int queue_message(struct unix_socket *peer, struct unix_message *message, unsigned most)
{
	int error = 0;

	spin_lock(&peer->lock);
	if (peer->closed)
		error = -ECONNREFUSED;
	else if (peer->shut & UNIX_SHUT_READ)
		error = -EPIPE;
	else if (peer->queued > most)
		error = -EAGAIN;
	if (!error) {
		list_push_back(&peer->queue, &message->link);
		peer->queued++;
		peer->queued_bytes += message->size;
	}
	spin_unlock(&peer->lock);
	if (!error) {
		wake_events(&peer->changed, READABLE);
		unix_tell_reader(peer, ASYNC_IN);
	}
	return error;
}

static ssize_t send_stream(struct file *file, struct unix_socket *self, struct unix_call *call)
{
	struct unix_message *message;
	uint32_t most = self->send_limit / 2 - 64;
	size_t done = 0;
	int error = 0;

	if (self->state != UNIX_CONNECTED)
		return call->has_name ? -EOPNOTSUPP : -ENOTCONN;
	if (call->has_name)
		return -EISCONN;
	if (!call->io->left && self->shut & UNIX_SHUT_WRITE)
		error = -EPIPE;
	most = most < PIECE_MAX ? most : PIECE_MAX;
	while (call->io->left && !error) {
		uint32_t size = call->io->left < most ? (uint32_t)call->io->left : most;

		error = self->shut & UNIX_SHUT_WRITE ? -EPIPE : wait_for_charge(file, self, call);
		message = error ? NULL : make_message(self, call->io, size, &error);
		if (!message)
			break;
		message_make_known(message, call);
		error = queue_message(self->peer, message, UINT32_MAX - 1);
		if (error) {
			error = -EPIPE;
			unix_message_free(message);
		} else {
			done += size;
		}
	}
	if (error == -EPIPE && !done && !(call->flags & MSG_NOSIGNAL))
		signal_current(SIGPIPE);
	return done ? (ssize_t)done : error;
}

/* Where a message goes: with a reference. */
static int find_target(
	struct unix_socket *self, const struct unix_call *call, struct unix_socket **out)
{
	struct unix_socket *back;
	int error = 0;

	if (call->has_name && self->type == SOCK_DGRAM) {
		error = unix_find(&call->name, self->type, out);
		if (error)
			return error;
		back = unix_peer(*out);
		/* It is connected to somebody else. */
		if (back && back != self)
			error = -EPERM;
		if (back)
			unix_put(back);
		if (error)
			unix_put(*out);
		return error;
	}
	*out = unix_peer(self);
	return *out ? 0 : -ENOTCONN;
}

/* With room in the target's queue; it is not asked when that is the sender's own or its peer's, or a connection's. */
static int send_to(struct file *file, struct unix_socket *self, struct unix_socket *target,
	struct unix_message *message, const struct unix_call *call)
{
	struct unix_socket *back = unix_peer(target);
	bool any = back == self || target == self || self->type == SOCK_SEQPACKET;
	unsigned most = any ? UINT32_MAX - 1 : QUEUE_MAX;
	int error;

	if (back)
		unix_put(back);
	while ((error = queue_message(target, message, most)) == -EAGAIN) {
		if (!waits(file, call))
			return -EAGAIN;
		error = wait_event_until(
			&target->changed, !unix_is_full(target), unix_deadline(self->send_timeout));
		if (error)
			return unix_wait_error(error, self->send_timeout);
	}
	if (error == -ECONNREFUSED && self->type == SOCK_SEQPACKET)
		error = -EPIPE;
	return error;
}

static ssize_t send_message(struct file *file, struct unix_socket *self, struct unix_call *call)
{
	struct unix_socket *target;
	struct unix_message *message;
	size_t size = call->io->left;
	int error;

	if (self->type == SOCK_SEQPACKET && self->state != UNIX_CONNECTED)
		return -ENOTCONN;
	if (size > self->send_limit - 32)
		return -EMSGSIZE;
	error = find_target(self, call, &target);
	if (error)
		return error;
	error = wait_for_charge(file, self, call);
	message = error ? NULL : make_message(self, call->io, (uint32_t)size, &error);
	if (message) {
		message_make_known(message, call);
		error = send_to(file, self, target, message, call);
		if (error)
			unix_message_free(message);
	}
	if (error == -ECONNREFUSED && !call->has_name)
		unix_set_peer(self, NULL);
	unix_put(target);
	return error ? error : (ssize_t)size;
}

ssize_t unix_send(struct file *file, struct unix_call *call)
{
	struct unix_socket *self = unix_of(file);
	ssize_t result;
	int error;

	if (call->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (call->rights) {
		error = rights_launch(call->rights);
		if (error)
			return error;
	}
	result = self->type == SOCK_STREAM ? send_stream(file, self, call)
					   : send_message(file, self, call);
	if (call->rights) /* in no message */
		rights_land(call->rights);
	return result;
}

/* ---- Receiving ---- */

/* The first one that is not all before *skip bytes, which become those of it. */
static struct unix_message *first_of(struct unix_socket *self, uint64_t *skip)
{
	struct unix_message *message = NULL, *each;

	spin_lock(&self->lock);
	list_for_each(each, &self->queue, link)
	{
		uint32_t size = each->size - each->start;

		if (likely(!*skip || *skip < size)) {
			message = each;
			break;
		}
		*skip -= size;
	}
	spin_unlock(&self->lock);
	return message;
}

static struct unix_message *after(struct unix_socket *self, struct unix_message *message)
{
	struct list *next;

	spin_lock(&self->lock);
	next = message->link.next;
	spin_unlock(&self->lock);
	return next == &self->queue ? NULL : list_entry(next, struct unix_message, link);
}

static bool has_news(const struct unix_socket *self, uint64_t skip)
{
	return (skip ? __atomic_load_n(&self->queued_bytes, __ATOMIC_ACQUIRE) > skip
		     : __atomic_load_n(&self->queue.next, __ATOMIC_ACQUIRE) != &self->queue) ||
	       __atomic_load_n(&self->shut, __ATOMIC_ACQUIRE) & UNIX_SHUT_READ ||
	       __atomic_load_n(&self->error, __ATOMIC_ACQUIRE);
}

/* ---- SO_PEEK_OFF: peeks go on where the last one ended ---- */

static uint64_t peek_offset(const struct unix_socket *self, const struct unix_call *call)
{
	int offset = __atomic_load_n(&self->peek_offset, __ATOMIC_RELAXED);

	return unlikely(offset > 0) && call->flags & MSG_PEEK ? (uint64_t)offset : 0;
}

/* Bytes have been peeked at, or (negative) are there no longer. */
static void move_peek_offset(struct unix_socket *self, int64_t by)
{
	int64_t offset = __atomic_load_n(&self->peek_offset, __ATOMIC_RELAXED);

	if (likely(offset < 0))
		return;
	offset = offset + by > 0 ? offset + by : 0;
	__atomic_store_n(&self->peek_offset, (int)(offset < INT32_MAX ? offset : INT32_MAX),
		__ATOMIC_RELAXED);
}

/* ---- */

/* The first message; NULL with *error 0: there will be none. self->reading is held before and after, or
 * not after if *error is what a wait ended with. */
static struct unix_message *wait_for_message(struct file *file, struct unix_socket *self,
	struct unix_call *call, int *error) no_lock_checks
{
	const uint64_t skip = peek_offset(self, call);
	struct unix_message *message;

	while (call->skip = skip, !(message = first_of(self, &call->skip))) {
		*error = unix_take_error(self);
		if (*error || __atomic_load_n(&self->shut, __ATOMIC_ACQUIRE) & UNIX_SHUT_READ) {
			call->skip = skip;
			message = first_of(self, &call->skip);
			break;
		}
		*error = -EAGAIN;
		if (!waits(file, call))
			break;
		mutex_unlock(&self->reading);
		if (self->type == SOCK_STREAM)
			__atomic_store_n(&self->awaited, true, __ATOMIC_RELAXED);
		*error = wait_event_until(
			&self->changed, has_news(self, skip), unix_deadline(self->receive_timeout));
		__atomic_store_n(&self->awaited, false, __ATOMIC_RELAXED);
		mutex_lock(&self->reading);
		if (*error) {
			*error = unix_wait_error(*error, self->receive_timeout);
			break;
		}
	}
	if (message)
		*error = 0;
	return message;
}

/* What a message tells beside its bytes. */
static int tell(struct unix_call *call, struct unix_message *message)
{
	call->credentials = message->credentials;
	call->has_credentials = true;
	if (!message->rights)
		return 0;
	if (call->flags & MSG_PEEK) {
		call->rights = rights_copy(message->rights);
		return call->rights ? 0 : -ENOMEM;
	}
	rights_land(message->rights);
	call->rights = message->rights;
	message->rights = NULL;
	return 0;
}

static void remove_message(struct unix_socket *self, struct unix_message *message)
{
	spin_lock(&self->lock);
	list_remove(&message->link);
	self->queued--;
	self->queued_bytes -= message->size - message->start;
	spin_unlock(&self->lock);
	unix_message_free(message);
	unix_room(self);
}

static void consume(struct unix_socket *self, struct unix_message *message, uint32_t bytes)
{
	if (message->start + bytes == message->size) {
		remove_message(self, message);
		return;
	}
	spin_lock(&self->lock);
	message->start += bytes;
	self->queued_bytes -= bytes;
	spin_unlock(&self->lock);
}

static bool same_sender(const struct unix_call *call, const struct unix_message *message)
{
	return memcmp(&call->credentials, &message->credentials, sizeof(call->credentials)) == 0;
}

/* Takes from the messages that are there. *done counts on; false: no more is to be read. */
static bool take_stream(struct unix_socket *self, struct unix_message *message,
	struct unix_call *call, size_t *done)
{
	const bool peek = call->flags & MSG_PEEK;
	struct unix_message *next;
	uint32_t part, moved;

	for (; message && call->io->left; message = next) {
		const uint32_t skip = (uint32_t)call->skip;

		if (*done && self->pass_credentials && !same_sender(call, message))
			return false;
		part = message->size - message->start - skip;
		part = part < call->io->left ? part : (uint32_t)call->io->left;
		moved = (uint32_t)io_put(call->io, message->data + message->start + skip, part);
		call->skip = 0;
		if (moved && (!*done || message->rights) && tell(call, message))
			return false;
		*done += moved;
		move_peek_offset(self, peek ? (int64_t)moved : -(int64_t)moved);
		next = peek ? after(self, message) : NULL;
		if (!peek && moved)
			consume(self, message, moved);
		if (io_failed(call->io) || call->rights)
			return false;
		if (!peek)
			next = first_of(self, &call->skip);
	}
	return call->io->left;
}

static ssize_t receive_stream(struct file *file, struct unix_socket *self, struct unix_call *call)
{
	struct unix_message *message;
	size_t done = 0, least = (size_t)__atomic_load_n(&self->receive_least, __ATOMIC_RELAXED);
	int error = 0;
	bool more;

	if (self->state != UNIX_CONNECTED)
		return -EINVAL;
	if (call->flags & MSG_PEEK)
		least = 1; /* a peek takes what is there */
	else if (call->flags & MSG_WAITALL)
		least = SIZE_MAX;
	error = mutex_lock_interruptible(&self->reading);
	if (error)
		return error;
	do {
		message = wait_for_message(file, self, call, &error);
		more = message && take_stream(self, message, call, &done);
	} while (more && done < least);
	mutex_unlock(&self->reading);
	return io_result(call->io, done, error);
}

static ssize_t receive_message(struct file *file, struct unix_socket *self, struct unix_call *call)
{
	struct unix_message *message;
	size_t size, part, moved;
	ssize_t result;
	int error;

	if (self->type == SOCK_SEQPACKET && self->state != UNIX_CONNECTED)
		return -ENOTCONN;
	error = mutex_lock_interruptible(&self->reading);
	if (error)
		return error;
	message = wait_for_message(file, self, call, &error);
	if (message) {
		size = message->size - (uint32_t)call->skip;
		part = size < call->io->left ? size : call->io->left;
		moved = io_put(call->io, message->data + call->skip, part);
		unix_get_name(message->sender, &call->name);
		call->has_name = call->name.length;
		call->told |= part < size ? MSG_TRUNC : 0;
		result = (ssize_t)(call->flags & MSG_TRUNC ? size : part);
		if (moved < part)
			result = -EFAULT;
		error = result < 0 ? 0 : tell(call, message);
		if (error)
			result = error;
		move_peek_offset(
			self, call->flags & MSG_PEEK ? (int64_t)part : -(int64_t)message->size);
		if (!(call->flags & MSG_PEEK))
			remove_message(self, message);
	} else {
		result = error;
		/* Nobody will send any more. */
		if (error == -EAGAIN && self->type == SOCK_SEQPACKET && self->shut & UNIX_SHUT_READ)
			result = 0;
	}
	mutex_unlock(&self->reading);
	return result;
}

ssize_t unix_receive(struct file *file, struct unix_call *call)
{
	struct unix_socket *self = unix_of(file);

	call->told = 0;
	if (call->flags & MSG_OOB)
		return self->type == SOCK_STREAM ? -EINVAL : -EOPNOTSUPP;
	return self->type == SOCK_STREAM ? receive_stream(file, self, call)
					 : receive_message(file, self, call);
}

/* ---- Room ---- */

bool unix_is_full(struct unix_socket *socket)
{
	return __atomic_load_n(&socket->queued, __ATOMIC_ACQUIRE) > QUEUE_MAX &&
	       !__atomic_load_n(&socket->closed, __ATOMIC_ACQUIRE) &&
	       !(__atomic_load_n(&socket->shut, __ATOMIC_ACQUIRE) & UNIX_SHUT_READ);
}

bool unix_writable(const struct unix_socket *socket)
{
	return (uint64_t)__atomic_load_n(&socket->charged, __ATOMIC_ACQUIRE) * 4 <=
	       socket->send_limit;
}
