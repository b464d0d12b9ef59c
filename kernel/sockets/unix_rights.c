/* SPDX-License-Identifier: MIT */
/*
 * Descriptors under way (man 7 unix, SCM_RIGHTS), and those that nobody can ever receive.
 *
 * A message holds references to the files that it carries. A UNIX socket that is under way, in a queue
 * of a socket that is under way itself, may be out of reach of all processes: two sockets, each in the
 * other's queue. Their references alone would keep them for ever, so whenever a socket is
 * closed while others are under way we look for such circles: mark and sweep over the sockets under way.
 *
 *  1. Candidates are those all of whose references come from messages.
 *  2. Each message in a candidate's queue explains one of the references of each candidate that it
 *     carries. A candidate with references that are not explained can be received from outside; and so can
 *     what is in its queue, and so on.
 *  3. The queues of the rest are emptied.
 *
 * The count of those under way is changed under rights_lock before a message is queued and after it was
 * taken, so what is between the two has an unexplained reference and is kept.
 *
 * To drop files may close sockets, whose queues hold files: a chain of any length. So who drops while
 * dropping only puts the rest on the thread's list.
 *
 * Locks: rights_lock (mutex), then sockets' locks.
 */
#include <linux/capability.h>
#include <linux/resource.h>

#include "files/file.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/current.h"
#include "process/process.h"
#include "sockets/unix.h"

static struct mutex rights_lock = MUTEX_INIT(rights_lock);
static struct list flying guarded_by(rights_lock) = LIST_INIT(flying);

/* ---- Under way ---- */

int rights_launch(struct rights *rights)
{
	uint32_t *count = &rights->user->in_flight;

	if (__atomic_load_n(count, __ATOMIC_RELAXED) + rights->count >
			process_limit(RLIMIT_NOFILE) &&
		!capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN))
		return -ETOOMANYREFS;
	mutex_lock(&rights_lock);
	for (unsigned i = 0; i < rights->count; i++) {
		struct unix_socket *socket = unix_of(rights->files[i]);

		if (socket && !socket->in_flight++)
			list_push_back(&flying, &socket->flying);
	}
	mutex_unlock(&rights_lock);
	__atomic_add_fetch(count, rights->count, __ATOMIC_RELAXED);
	return 0;
}

void rights_land(struct rights *rights)
{
	mutex_lock(&rights_lock);
	for (unsigned i = 0; i < rights->count; i++) {
		struct unix_socket *socket = unix_of(rights->files[i]);

		if (socket && !--socket->in_flight)
			list_remove(&socket->flying);
	}
	mutex_unlock(&rights_lock);
	__atomic_sub_fetch(&rights->user->in_flight, rights->count, __ATOMIC_RELAXED);
}

struct rights *rights_copy(const struct rights *rights)
{
	size_t size = sizeof(*rights) + rights->count * sizeof(rights->files[0]);
	struct rights *copy = kmalloc(size);

	if (!copy)
		return NULL;
	memcpy(copy, rights, size);
	list_init(&copy->link);
	credentials_get(copy->sender);
	for (unsigned i = 0; i < copy->count; i++)
		file_get(copy->files[i]);
	return copy;
}

static void free_one(struct rights *rights)
{
	for (unsigned i = 0; i < rights->count; i++)
		if (rights->files[i])
			file_put(rights->files[i]);
	credentials_put(rights->sender);
	kfree(rights);
}

void rights_free(struct rights *rights)
{
	struct list **dropping = &current_thread()->rights_dropping, mine;

	if (*dropping) {
		list_push_back(*dropping, &rights->link);
		return;
	}
	list_init(&mine);
	*dropping = &mine;
	list_push_back(&mine, &rights->link);
	while (!list_empty(&mine)) {
		rights = list_first(&mine, struct rights, link);
		list_remove(&rights->link);
		free_one(rights);
	}
	*dropping = NULL;
}

/* ---- Circles ---- */

/* For each candidate that is carried by the messages in a queue, or in those of connections in it. */
static void for_each_carried(struct unix_socket *socket, void (*visit)(struct unix_socket *))
{
	struct unix_message *message;
	struct unix_socket *embryo;

	spin_lock_nested(&socket->lock);
	if (socket->state == UNIX_LISTENING) {
		list_for_each(embryo, &socket->queue, queue_link) for_each_carried(embryo, visit);
	} else {
		list_for_each(message, &socket->queue, link)
		{
			for (unsigned i = 0; message->rights && i < message->rights->count; i++) {
				struct unix_socket *carried = unix_of(message->rights->files[i]);

				if (carried && carried->candidate)
					visit(carried);
			}
		}
	}
	spin_unlock(&socket->lock);
}

static void explain(struct unix_socket *socket)
{
	socket->unexplained--;
}

static struct list *reached; /* rights_lock */

/* Can be received: by whoever receives the one that carries it. */
static void reach(struct unix_socket *socket)
{
	socket->candidate = false;
	list_remove(&socket->flying);
	list_push_back(reached, &socket->flying);
}

/* Moves the candidates that cannot be received from the list to `garbage`. */
static void find_garbage(struct list *garbage) requires(rights_lock)
{
	struct unix_socket *socket, *next;
	struct list kept = LIST_INIT(kept);

	list_for_each(socket, &flying, flying)
	{
		uint32_t held = __atomic_load_n(&socket->file->references, __ATOMIC_ACQUIRE);

		socket->unexplained = socket->in_flight;
		socket->candidate = held == socket->in_flight;
	}
	list_for_each(socket, &flying, flying) if (socket->candidate)
		for_each_carried(socket, explain);
	reached = &kept;
	list_for_each_safe(socket, next, &flying, flying)
	{
		if (socket->candidate && socket->unexplained)
			reach(socket);
	}
	/* The list grows as it is walked. */
	list_for_each(socket, &kept, flying) for_each_carried(socket, reach);
	list_for_each_safe(socket, next, &flying, flying)
	{
		list_remove(&socket->flying);
		list_push_back(socket->candidate ? garbage : &kept, &socket->flying);
		socket->candidate = false;
	}
	while (!list_empty(&kept)) {
		struct list *link = kept.next;

		list_remove(link);
		list_push_back(&flying, link);
	}
}

/* Takes what carries files out of a queue. */
static void take_carriers(struct unix_socket *socket, struct list *out)
{
	struct unix_message *message, *next;
	struct unix_socket *embryo;

	spin_lock_nested(&socket->lock);
	if (socket->state == UNIX_LISTENING) {
		list_for_each(embryo, &socket->queue, queue_link) take_carriers(embryo, out);
	} else {
		list_for_each_safe(message, next, &socket->queue, link)
		{
			if (!message->rights)
				continue;
			list_remove(&message->link);
			list_push_back(out, &message->link);
			socket->queued--;
			socket->queued_bytes -= message->size - message->start;
		}
	}
	spin_unlock(&socket->lock);
}

void rights_collect(void)
{
	struct list garbage = LIST_INIT(garbage), messages = LIST_INIT(messages);
	struct unix_socket *socket;

	mutex_lock(&rights_lock);
	if (!list_empty(&flying))
		find_garbage(&garbage);
	list_for_each(socket, &garbage, flying) take_carriers(socket, &messages);
	while (!list_empty(&garbage)) {
		struct list *link = garbage.next;

		list_remove(link);
		list_push_back(&flying, link);
	}
	mutex_unlock(&rights_lock);
	unix_drop_messages(&messages);
}
