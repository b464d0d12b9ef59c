/* SPDX-License-Identifier: MIT */
/*
 * UNIX sockets (man 7 unix): streams, datagrams, and sequences of packets, between processes.
 *
 * A socket is an object of its own, which its open file holds, its peer, and messages that it sent. Two
 * that are connected hold each other until each is closed; a connection that nobody has accepted yet is a
 * socket without a file in the listener's queue. Messages go right into the receiver's queue.
 *
 * What is where: here the life and connections; unix_file.c readiness; unix_message.c what is sent and
 * received; unix_name.c names; unix_rights.c descriptors under way;
 * unix_proc.c /proc/net/unix.
 *
 * Locks: socket->setup (mutex), then socket->reading (mutex), then rights_lock (mutex), then
 * socket->lock, of one socket at a time (of a listener, then of connections in its queue). names_lock,
 * blocked_lock and all_lock are leaves.
 */
#include "sockets/unix.h"

#include "arch/arch.h"
#include "files/file.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/clocks.h"
#include "process/credentials.h"
#include "process/current.h"

#define LIMIT_DEFAULT 212992u /* net.core.wmem_default */
#define BACKLOG_MAX   4096    /* net.core.somaxconn */
#define SOCKFS_MAGIC  0x534F434B

static struct cache sockets = CACHE_INIT("unix socket", sizeof(struct unix_socket), 0);
static struct superblock superblock = {.type = "sockfs", .device = 9, .magic = SOCKFS_MAGIC};

/* ---- Life ---- */

/* Takes over the reference. */
static void set_peer_who(
	struct unix_socket *socket, const struct ucred *numbers, const struct credentials *who)
{
	const struct credentials *old;

	spin_lock(&socket->lock);
	old = socket->peer_who;
	socket->peer_who = who;
	socket->peer_credentials = *numbers;
	spin_unlock(&socket->lock);
	if (old)
		credentials_put(old);
}

/* The caller is who is at the other end (of a listener: who will be told to those that connect). */
static void caller_is_peer(struct unix_socket *socket)
{
	const struct credentials *who = current_credentials();

	credentials_get(who);
	set_peer_who(socket, &(struct ucred){current_pid(), who->euid, who->egid}, who);
}

void unix_get_peer(struct unix_socket *socket, struct ucred *out, const struct credentials **who)
{
	spin_lock(&socket->lock);
	*out = socket->peer_credentials;
	*who = socket->peer_who;
	if (*who)
		credentials_get(*who);
	spin_unlock(&socket->lock);
}

static struct unix_socket *make_socket(int type)
{
	struct unix_socket *socket = cache_alloc(&sockets);

	if (!socket)
		return NULL;
	socket->references = 1;
	socket->type = type;
	mutex_init(&socket->setup, "unix_socket->setup");
	mutex_init(&socket->reading, "unix_socket->reading");
	spin_init(&socket->lock, "unix_socket->lock");
	wait_queue_init(&socket->changed);
	list_init(&socket->name_link);
	list_init(&socket->queue);
	list_init(&socket->queue_link);
	list_init(&socket->blocked);
	list_init(&socket->blocked_link);
	list_init(&socket->flying);
	socket->send_limit = socket->receive_limit = LIMIT_DEFAULT;
	socket->send_timeout = socket->receive_timeout = NS_NEVER;
	socket->receive_least = 1;
	socket->peek_offset = -1;
	socket->peer_credentials = (struct ucred){0, UINT32_MAX, UINT32_MAX};
	unix_options_init(&socket->options);
	unix_enlist(socket);
	return socket;
}

void unix_get(struct unix_socket *socket)
{
	__atomic_add_fetch(&socket->references, 1, __ATOMIC_RELAXED);
}

void unix_put(struct unix_socket *socket)
{
	if (!__atomic_sub_fetch(&socket->references, 1, __ATOMIC_ACQ_REL)) {
		unix_delist(socket);
		if (socket->peer_who)
			credentials_put(socket->peer_who);
		cache_free(&sockets, socket);
	}
}

struct unix_socket *unix_of(const struct file *file)
{
	return file->operations == &unix_file_operations ? file->private : NULL;
}

static void release_inode(struct inode *inode)
{
	kfree(inode);
}

static const struct inode_operations inode_operations = {.release = release_inode};

/* An open file for a socket, whose reference it takes over when this gives 0. */
static int make_file(struct unix_socket *socket, unsigned flags, struct file **out)
{
	const struct credentials *who = current_credentials();
	const struct new_inode what = {
		.mode = S_IFSOCK | 0777, .uid = who->fsuid, .gid = who->fsgid};
	struct inode *inode = kzalloc(sizeof(*inode));
	int error;

	if (!inode)
		return -ENOMEM;
	inode_init(inode, &superblock, &what);
	inode->operations = &inode_operations;
	error = file_make(inode, NULL, O_RDWR | (flags & O_NONBLOCK), &unix_file_operations, out);
	if (!error) {
		socket->inode = inode; /* which the file holds */
		__atomic_store_n(&socket->number, inode->number, __ATOMIC_RELAXED);
		socket->file = *out;
		(*out)->private = socket;
	}
	inode_put(inode);
	return error;
}

int unix_create(int type, unsigned flags, struct file **out)
{
	struct unix_socket *socket = make_socket(type);
	int error = socket ? make_file(socket, flags, out) : -ENOMEM;

	if (error && socket)
		unix_put(socket);
	return error;
}

static void set_state(struct unix_socket *socket, enum unix_state state)
{
	__atomic_store_n(&socket->state, state, __ATOMIC_RELEASE);
}

int unix_pair(int type, unsigned flags, struct file *out[2])
{
	struct unix_socket *ends[2];
	int error = unix_create(type, flags, &out[0]);

	if (error)
		return error;
	error = unix_create(type, flags, &out[1]);
	if (error) {
		file_put(out[0]);
		return error;
	}
	for (int i = 0; i < 2; i++)
		ends[i] = out[i]->private;
	for (int i = 0; i < 2; i++) {
		ends[i]->peer = ends[1 - i];
		unix_get(ends[1 - i]);
		caller_is_peer(ends[i]);
		set_state(ends[i], UNIX_CONNECTED);
	}
	return 0;
}

struct unix_socket *unix_peer(struct unix_socket *socket)
{
	struct unix_socket *peer;

	spin_lock(&socket->lock);
	peer = socket->peer;
	if (peer)
		unix_get(peer);
	spin_unlock(&socket->lock);
	return peer;
}

/* The other end goes: what it had not read is lost. */
static void hang_up(struct unix_socket *peer, bool lost)
{
	__atomic_or_fetch(&peer->shut, UNIX_SHUT_BOTH, __ATOMIC_RELEASE);
	if (lost)
		__atomic_store_n(&peer->error, ECONNRESET, __ATOMIC_RELEASE);
	wake_all(&peer->changed);
	unix_tell_reader(peer, ASYNC_HANG_UP);
}

static void close_socket(struct unix_socket *socket);

/* Connections that nobody accepted. */
static void drop_connections(struct list *connections)
{
	while (!list_empty(connections)) {
		struct unix_socket *socket =
			list_first(connections, struct unix_socket, queue_link);

		list_remove(&socket->queue_link);
		__atomic_store_n(&socket->error, 0, __ATOMIC_RELAXED);
		hang_up(socket->peer, true);
		close_socket(socket);
	}
}

static void close_socket(struct unix_socket *socket)
{
	struct list queue = LIST_INIT(queue);
	struct unix_socket *peer;
	bool lost;

	unix_forget_name(socket);
	spin_lock(&socket->lock);
	__atomic_store_n(&socket->closed, true, __ATOMIC_RELEASE);
	peer = socket->peer;
	socket->peer = NULL;
	lost = !list_empty(&socket->queue);
	while (!list_empty(&socket->queue)) {
		struct list *link = socket->queue.next;

		list_remove(link);
		list_push_back(&queue, link);
	}
	spin_unlock(&socket->lock);
	unix_unblock(socket);
	unix_room(socket);
	wake_all(&socket->changed);
	if (peer) {
		if (socket->type != SOCK_DGRAM)
			hang_up(peer, lost);
		unix_put(peer);
	}
	if (socket->state == UNIX_LISTENING)
		drop_connections(&queue);
	else
		unix_drop_messages(&queue);
	unix_put(socket);
}

void unix_release(struct file *file)
{
	struct unix_socket *socket = file->private;

	socket->file = NULL;
	socket->inode = NULL;
	__atomic_store_n(&socket->number, 0, __ATOMIC_RELAXED);
	close_socket(socket);
	rights_collect();
}

/* ---- Connections ---- */

int unix_take_error(struct unix_socket *socket)
{
	if (likely(!__atomic_load_n(&socket->error, __ATOMIC_RELAXED)))
		return 0;
	return -__atomic_exchange_n(&socket->error, 0, __ATOMIC_ACQ_REL);
}

ns_t unix_deadline(ns_t timeout)
{
	return timeout == NS_NEVER ? NS_NEVER : clock_add(arch_clock(), timeout);
}

int unix_wait_error(int error, ns_t timeout)
{
	if (error == -ETIMEDOUT)
		return -EAGAIN;
	return timeout == NS_NEVER ? error : -EINTR;
}

int unix_listen(struct unix_socket *socket, int backlog)
{
	int error = 0;

	if (socket->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	mutex_lock(&socket->setup);
	if (!socket->named || socket->state == UNIX_CONNECTED) {
		error = -EINVAL;
	} else {
		spin_lock(&socket->lock);
		socket->backlog = (unsigned)backlog > BACKLOG_MAX ? BACKLOG_MAX : (unsigned)backlog;
		set_state(socket, UNIX_LISTENING);
		spin_unlock(&socket->lock);
		caller_is_peer(socket);
		wake_all(&socket->changed); /* there may be more room */
	}
	mutex_unlock(&socket->setup);
	return error;
}

static bool backlog_full(const struct unix_socket *listener)
{
	return __atomic_load_n(&listener->queued, __ATOMIC_ACQUIRE) > listener->backlog &&
	       !__atomic_load_n(&listener->closed, __ATOMIC_ACQUIRE) &&
	       !(__atomic_load_n(&listener->shut, __ATOMIC_ACQUIRE) & UNIX_SHUT_READ);
}

/* Takes a place in the backlog, waiting for one: -ECONNREFUSED, -EAGAIN, or what ended the wait. */
static int reserve(struct file *file, struct unix_socket *self, struct unix_socket *listener)
{
	int error;

	for (;;) {
		error = -EAGAIN;
		spin_lock(&listener->lock);
		if (listener->closed || listener->state != UNIX_LISTENING ||
			listener->shut & UNIX_SHUT_READ) {
			error = -ECONNREFUSED;
		} else if (listener->queued <= listener->backlog) {
			listener->queued++;
			error = 0;
		}
		spin_unlock(&listener->lock);
		if (error != -EAGAIN || file_nonblocking(file))
			return error;
		error = wait_event_until(&listener->changed, !backlog_full(listener),
			unix_deadline(self->send_timeout));
		if (error)
			return unix_wait_error(error, self->send_timeout);
	}
}

/* The two ends know each other, and the listener's queue has the other one. */
static void join(struct unix_socket *self, struct unix_socket *end, struct unix_socket *listener)
{
	const struct credentials *who;
	struct ucred numbers;
	bool gone;

	end->name = listener->name;
	end->named = true;
	end->peer = self;
	unix_get(self);
	caller_is_peer(end);
	unix_get_peer(listener, &numbers, &who);
	set_peer_who(self, &numbers, who);
	end->pass_credentials = listener->pass_credentials;
	end->state = UNIX_CONNECTED;
	unix_get(end);
	spin_lock(&self->lock);
	self->peer = end;
	set_state(self, UNIX_CONNECTED);
	spin_unlock(&self->lock);
	spin_lock(&listener->lock);
	gone = listener->closed;
	if (!gone)
		list_push_back(&listener->queue, &end->queue_link);
	spin_unlock(&listener->lock);
	if (gone) {
		struct list alone = LIST_INIT(alone);

		list_push_back(&alone, &end->queue_link);
		drop_connections(&alone);
		return;
	}
	wake_events(&listener->changed, POLLIN | POLLRDNORM);
	unix_tell_reader(listener, ASYNC_IN);
}

/* A place that is not used after all. */
static void unreserve(struct unix_socket *listener)
{
	spin_lock(&listener->lock);
	listener->queued--;
	spin_unlock(&listener->lock);
	wake_events(&listener->changed, POLLOUT);
}

/* What is asked of the caller's own socket comes after all that is asked of the other one (Linux's order). */
static int connect_stream(struct file *file, struct unix_socket *self, const struct unix_name *name)
{
	struct unix_socket *listener, *end;
	int error;

	error = unix_find(name, self->type, &listener);
	if (error)
		return error;
	end = make_socket(self->type);
	error = end ? reserve(file, self, listener) : -ENOMEM;
	if (!error && self->state != UNIX_IDLE) {
		unreserve(listener);
		error = self->state == UNIX_CONNECTED ? -EISCONN : -EINVAL;
	}
	if (!error)
		join(self, end, listener);
	else if (end)
		unix_put(end);
	unix_put(listener);
	return error;
}

/* Datagrams that wait from the one that `self` was connected to are lost with it, which is told so where it is connected
 * to `self` in turn. */
static void part(struct unix_socket *self, struct unix_socket *old)
{
	struct list lost = LIST_INIT(lost);
	bool told;

	mutex_lock(&self->reading);
	spin_lock(&self->lock);
	while (!list_empty(&self->queue)) {
		struct list *link = self->queue.next;

		list_remove(link);
		list_push_back(&lost, link);
	}
	self->queued = 0;
	self->queued_bytes = 0;
	spin_unlock(&self->lock);
	mutex_unlock(&self->reading);
	if (list_empty(&lost))
		return;
	unix_drop_messages(&lost);
	unix_room(self);
	spin_lock(&old->lock);
	told = old->peer == self && !old->closed;
	if (told)
		__atomic_store_n(&old->error, ECONNRESET, __ATOMIC_RELEASE);
	spin_unlock(&old->lock);
	if (told)
		wake_all(&old->changed);
}

void unix_set_peer(struct unix_socket *self, struct unix_socket *peer)
{
	struct unix_socket *old;

	spin_lock(&self->lock);
	old = self->peer;
	self->peer = peer;
	set_state(self, peer ? UNIX_CONNECTED : UNIX_IDLE);
	spin_unlock(&self->lock);
	unix_unblock(self);
	wake_all(&self->changed);
	if (!old)
		return;
	if (old != peer)
		part(self, old);
	unix_put(old);
}

static int connect_datagram(struct unix_socket *self, const struct unix_name *name)
{
	struct unix_socket *peer, *back;
	int error = unix_find(name, self->type, &peer);

	if (error)
		return error;
	back = unix_peer(peer);
	if (back && back != self)
		error = -EPERM;
	if (back)
		unix_put(back);
	if (error) {
		unix_put(peer);
		return error;
	}
	unix_set_peer(self, peer);
	return 0;
}

int unix_connect(struct file *file, const struct unix_name *name)
{
	struct unix_socket *self = file->private;
	int error;

	mutex_lock(&self->setup);
	error = self->type == SOCK_DGRAM ? connect_datagram(self, name)
					 : connect_stream(file, self, name);
	mutex_unlock(&self->setup);
	return error;
}

int unix_disconnect(struct unix_socket *self)
{
	if (self->type != SOCK_DGRAM)
		return -EINVAL;
	unix_set_peer(self, NULL);
	return 0;
}

static struct unix_socket *next_connection(struct unix_socket *listener)
{
	struct unix_socket *socket = NULL;

	spin_lock(&listener->lock);
	if (!list_empty(&listener->queue)) {
		socket = list_first(&listener->queue, struct unix_socket, queue_link);
		list_remove(&socket->queue_link);
		listener->queued--;
	}
	spin_unlock(&listener->lock);
	if (socket)
		wake_events(&listener->changed, POLLOUT);
	return socket;
}

static bool has_connection(const struct unix_socket *listener)
{
	return __atomic_load_n(&listener->queue.next, __ATOMIC_ACQUIRE) != &listener->queue ||
	       __atomic_load_n(&listener->shut, __ATOMIC_ACQUIRE) & UNIX_SHUT_READ;
}

int unix_accept(struct file *file, unsigned flags, struct file **out)
{
	struct unix_socket *listener = file->private, *socket;
	struct list alone = LIST_INIT(alone);
	int error;

	if (listener->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (listener->state != UNIX_LISTENING)
		return -EINVAL;
	while (!(socket = next_connection(listener))) {
		if (listener->shut & UNIX_SHUT_READ)
			return -EINVAL;
		if (file_nonblocking(file))
			return -EAGAIN;
		error = wait_event_until(&listener->changed, has_connection(listener),
			unix_deadline(listener->receive_timeout));
		if (error)
			return unix_wait_error(error, listener->receive_timeout);
	}
	error = make_file(socket, flags, out);
	if (error) {
		list_push_back(&alone, &socket->queue_link);
		drop_connections(&alone);
	}
	return error;
}

int unix_shutdown(struct unix_socket *self, int how)
{
	static const unsigned mirrored[] = {0, UNIX_SHUT_WRITE, UNIX_SHUT_READ, UNIX_SHUT_BOTH};
	struct unix_socket *peer;
	unsigned bits = (unsigned)how + 1;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	__atomic_or_fetch(&self->shut, bits, __ATOMIC_RELEASE);
	wake_all(&self->changed);
	peer = self->type == SOCK_DGRAM ? NULL : unix_peer(self);
	if (peer) {
		__atomic_or_fetch(&peer->shut, mirrored[bits], __ATOMIC_RELEASE);
		wake_all(&peer->changed);
		if (mirrored[bits] & UNIX_SHUT_READ)
			unix_tell_reader(
				peer, mirrored[bits] == UNIX_SHUT_BOTH ? ASYNC_HANG_UP : ASYNC_IN);
		unix_put(peer);
	}
	return 0;
}

void unix_get_name(struct unix_socket *socket, struct unix_name *out)
{
	if (__atomic_load_n(&socket->named, __ATOMIC_ACQUIRE))
		*out = socket->name;
	else
		out->length = 0;
}

int unix_get_peer_name(struct unix_socket *socket, struct unix_name *out)
{
	struct unix_socket *peer = unix_peer(socket);

	if (!peer)
		return -ENOTCONN;
	unix_get_name(peer, out);
	unix_put(peer);
	return 0;
}
