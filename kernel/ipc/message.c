/* SPDX-License-Identifier: MIT */
/*
 * System V's message queues: man 2 msgget, msgsnd, msgrcv; man 7 sysvipc.
 *
 * The design. A call that has to wait stands on its queue's list of senders or receivers, on its own stack, a sender with
 * its message. Whoever changes the queue does their part for them, the oldest first: a new message goes to the first
 * receiver who asked for such a one and never onto the queue; where a message was taken, waiting ones that fit now come
 * in. Who waits looks anew, with its own rights, after those of the queue have changed (RETRY).
 *
 * Invariants: no waiting receiver asks for a message that is on the queue, but one that is too long for it; `bytes` and
 * `count` are of the messages there; a call leaves its list with `done`, set under the lock, which its thread takes once
 * more before its stack goes. A message belongs to a queue, or to the one call that has it.
 *
 * Lock: ipc_lock. Texts are copied from and to programs without it, and freed without it.
 */
#include "ipc/message.h"

#include "lib/errno.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/current.h"
#include "syscall/table.h"

#define BLOCKED      1
#define RETRY        2

#define FREE_AT_ONCE 64u

struct ipc_ids msg_ids = {.most = IPC_MOST};
size_t msg_all_bytes, msg_all_count;
int32_t msg_size_most = 8192, msg_queue_most = 16384, msg_queues_most = 32000;

/* Which messages a receiver asks for. */
enum search { ANY, EQUAL, NOT_EQUAL, AT_MOST, NUMBER };

/* A msgsnd or msgrcv under way. By ipc_lock, but `done`. */
struct msg_call {
	struct list link;        /* on its queue's, while it waits */
	struct message *message; /* to be sent, or what was received */
	struct message *copy;    /* MSG_COPY's room, or NULL */
	enum search search;
	bool cut; /* MSG_NOERROR */
	bool sends;
	long type;   /* for `search` */
	size_t room; /* bytes of text that the receiver has room for */
	int pid, result;
	bool done; /* atomic */
	struct wait_queue queue;
};

struct msg_queue *msg_queue_of_id(int id)
{
	struct ipc_item *item = ipc_of_id(&msg_ids, id);

	return item ? container_of(item, struct msg_queue, item) : NULL;
}

static size_t limit(const int32_t *of)
{
	return (size_t)__atomic_load_n(of, __ATOMIC_RELAXED);
}

/* ---- msgget ---- */

static int make_queue(UNUSED size_t size, UNUSED unsigned flags, struct ipc_item **out)
{
	struct msg_queue *queue = kzalloc(sizeof(*queue));

	if (!queue)
		return -ENOMEM;
	queue->most = limit(&msg_queue_most);
	queue->changed = ipc_now();
	list_init(&queue->messages);
	list_init(&queue->senders);
	list_init(&queue->receivers);
	*out = &queue->item;
	return 0;
}

static int fits(UNUSED const struct ipc_item *item, UNUSED size_t size)
{
	return 0;
}

static int may_add(UNUSED size_t size)
{
	return msg_ids.listed >= limit(&msg_queues_most) ? -ENOSPC : 0;
}

static void added(UNUSED struct ipc_item *item)
{
}

static void destroy(struct ipc_item *item)
{
	kfree(container_of(item, struct msg_queue, item));
}

long sys_msgget(int key, unsigned flags)
{
	static const struct ipc_kind kind = {.ids = &msg_ids,
		.make = make_queue,
		.fits = fits,
		.may_add = may_add,
		.added = added,
		.destroy = destroy};

	return ipc_get(&kind, key, 0, flags);
}

/* ---- A queue's messages ---- */

static bool has_room(const struct msg_queue *queue, size_t size) requires(ipc_lock)
{
	return queue->bytes + size <= queue->most && queue->count < queue->most;
}

static bool asks_for(const struct msg_call *call, const struct message *message)
{
	switch (call->search) {
	case EQUAL:
		return message->type == call->type;
	case NOT_EQUAL:
		return message->type != call->type;
	case AT_MOST:
		return message->type <= call->type;
	default:
		return true;
	}
}

/* The first message that a receiver asks for, of those of the lowest type where it asks for types up to one. NULL: none. */
static struct message *find(const struct msg_queue *queue, const struct msg_call *call) requires(
	ipc_lock)
{
	struct message *message, *found = NULL;
	long number = 0;

	list_for_each(message, &queue->messages, link)
	{
		if (call->search == NUMBER && number++ != call->type)
			continue;
		if (!asks_for(call, message) ||
			(call->search == AT_MOST && found && message->type >= found->type))
			continue;
		found = message;
		if (call->search != AT_MOST || found->type == 1)
			break;
	}
	return found;
}

static void count(struct msg_queue *queue, const struct message *message, int by) requires(ipc_lock)
{
	size_t bytes = by < 0 ? -message->size : message->size;

	queue->bytes += bytes;
	queue->count += (size_t)by;
	msg_all_bytes += bytes;
	msg_all_count += (size_t)by;
}

static void finish(struct msg_call *call, int result) requires(ipc_lock)
{
	list_remove(&call->link);
	call->result = result;
	__atomic_store_n(&call->done, true, __ATOMIC_RELEASE);
	wake_all(&call->queue);
}

/* To the first who waits for such a one, or onto the queue. */
static void deliver(struct msg_queue *queue, struct message *message, int sender) requires(ipc_lock)
{
	struct msg_call *call, *next;

	queue->last_sender = sender;
	queue->sent = ipc_now();
	list_for_each_safe(call, next, &queue->receivers, link)
	{
		if (!asks_for(call, message))
			continue;
		if (message->size > call->room && !call->cut) {
			finish(call, -E2BIG);
			continue;
		}
		queue->last_receiver = call->pid;
		queue->received = queue->sent;
		call->message = message;
		finish(call, 0);
		return;
	}
	list_push_back(&queue->messages, &message->link);
	count(queue, message, 1);
}

/* Messages of waiting senders come in as long as they fit; one that is too long holds up nobody. */
static void admit(struct msg_queue *queue) requires(ipc_lock)
{
	struct msg_call *call, *next;

	list_for_each_safe(call, next, &queue->senders, link)
	{
		struct message *message = call->message;

		if (!has_room(queue, message->size))
			continue;
		call->message = NULL;
		deliver(queue, message, call->pid);
		finish(call, 0);
	}
}

static void finish_all(struct msg_queue *queue, int result) requires(ipc_lock)
{
	while (!list_empty(&queue->receivers))
		finish(list_first(&queue->receivers, struct msg_call, link), result);
	while (!list_empty(&queue->senders))
		finish(list_first(&queue->senders, struct msg_call, link), result);
}

void msg_queue_changed(struct msg_queue *queue)
{
	finish_all(queue, RETRY);
}

void msg_queue_remove(struct msg_queue *queue)
{
	ipc_remove(&msg_ids, &queue->item);
	finish_all(queue, -EIDRM);
	msg_all_bytes -= queue->bytes;
	msg_all_count -= queue->count;
}

void msg_queue_free(struct msg_queue *queue)
{
	struct message *message, *next;
	unsigned freed = 0;

	list_for_each_safe(message, next, &queue->messages, link)
	{
		message_free(message);
		if (++freed % FREE_AT_ONCE == 0)
			sched_point();
	}
	kfree(queue);
}

/* ---- Calls that may wait ---- */

static int try_send(struct msg_queue *queue, struct msg_call *call) requires(ipc_lock)
{
	struct message *message = call->message;

	if (!has_room(queue, message->size))
		return BLOCKED;
	call->message = NULL;
	deliver(queue, message, call->pid);
	return 0;
}

static int try_receive(struct msg_queue *queue, struct msg_call *call) requires(ipc_lock)
{
	struct message *message = find(queue, call);

	if (!message)
		return BLOCKED;
	if (message->size > call->room && !call->cut)
		return -E2BIG;
	if (call->copy)
		return message_copy(call->copy, message);
	list_remove(&message->link);
	count(queue, message, -1);
	queue->received = ipc_now();
	queue->last_receiver = call->pid;
	call->message = message;
	admit(queue);
	return 0;
}

/* A result, or BLOCKED: it waits on the queue's list. */
static int begin(int id, struct msg_call *call, bool may_wait) requires(ipc_lock)
{
	struct msg_queue *queue = msg_queue_of_id(id);
	int result;

	if (!queue)
		return -EINVAL;
	result = ipc_check_access(&queue->item.perm, call->sends ? IPC_WRITE : IPC_READ);
	if (result)
		return result;
	result = call->sends ? try_send(queue, call) : try_receive(queue, call);
	if (result != BLOCKED)
		return result;
	if (!may_wait)
		return call->sends ? -EAGAIN : -ENOMSG;
	call->done = false;
	list_push_back(call->sends ? &queue->senders : &queue->receivers, &call->link);
	return BLOCKED;
}

static int operate(int id, struct msg_call *call, unsigned flags)
{
	bool waited = false;
	int result;

	call->pid = current_pid();
	wait_queue_init(&call->queue);
	do {
		spin_lock(&ipc_lock);
		result = begin(id, call, !(flags & IPC_NOWAIT));
		if (result == -EINVAL && waited && !msg_queue_of_id(id))
			result = -EIDRM;
		spin_unlock(&ipc_lock);
		if (result != BLOCKED)
			return result;
		waited = true;
		result = wait_event(&call->queue, __atomic_load_n(&call->done, __ATOMIC_ACQUIRE));
		spin_lock(&ipc_lock); /* who finished it is done with it then */
		if (!call->done) {
			list_remove(&call->link);
			call->result = -ERESTARTNOHAND;
		}
		result = call->result;
		spin_unlock(&ipc_lock);
	} while (result == RETRY);
	return result;
}

/* ---- msgsnd, msgrcv: struct msgbuf is a long and the text ---- */

long sys_msgsnd(int id, user_t buffer, size_t size, unsigned flags)
{
	struct msg_call call = {.sends = true};
	long type;
	int result;

	if (copy_from_user(&type, buffer, sizeof(type)))
		return -EFAULT;
	if (size > limit(&msg_size_most) || id < 0 || type < 1)
		return -EINVAL;
	call.message = message_get(user_offset(buffer, sizeof(type)), size, &result);
	if (!call.message)
		return result;
	call.message->type = type;
	result = operate(id, &call, flags);
	message_free(call.message);
	return result;
}

static void choose(struct msg_call *call, long type, unsigned flags)
{
	call->type = type;
	if (flags & MSG_COPY) {
		call->search = NUMBER;
	} else if (type < 0) {
		call->search = AT_MOST;
		call->type = type == INT64_MIN ? INT64_MAX : -type;
	} else if (type) {
		call->search = flags & MSG_EXCEPT ? NOT_EQUAL : EQUAL;
	}
}

static long give(const struct message *message, user_t buffer, size_t size)
{
	if (size > message->size)
		size = message->size;
	if (copy_to_user(buffer, &message->type, sizeof(message->type)) ||
		message_put(user_offset(buffer, sizeof(message->type)), message, size))
		return -EFAULT;
	return (long)size;
}

long sys_msgrcv(int id, user_t buffer, size_t size, long type, unsigned flags)
{
	struct msg_call call = {.cut = flags & MSG_NOERROR, .room = size};
	int error;
	long result;

	if (id < 0 || (ssize_t)size < 0)
		return -EINVAL;
	if (flags & MSG_COPY) {
		size_t most = limit(&msg_size_most);

		if (flags & MSG_EXCEPT || !(flags & IPC_NOWAIT))
			return -EINVAL;
		/* So Linux makes its room, and so a bad address shows before the rest. */
		call.copy = message_get(buffer, size < most ? size : most, &error);
		if (!call.copy)
			return error;
	}
	choose(&call, type, flags);
	result = operate(id, &call, flags);
	if (!result)
		result = give(call.copy ? call.copy : call.message, buffer, size);
	message_free(call.message);
	message_free(call.copy);
	return result;
}

/* ---- The kernel's look at itself ---- */

static const char *audit_queue(const struct msg_queue *queue) no_lock_checks
{
	size_t bytes = 0, count = 0;
	struct message *message;
	struct msg_call *call;

	list_for_each(message, &queue->messages, link)
	{
		bytes += message->size;
		count++;
		if (message->type < 1)
			return "a message of a type below 1";
	}
	if (bytes != queue->bytes || count != queue->count)
		return "a message queue that counts other messages than it has";
	list_for_each(call, &queue->receivers, link)
	{
		if (call->sends || call->done || call->message || find(queue, call))
			return "a receiver waits for a message that is there";
	}
	list_for_each(call, &queue->senders, link)
	{
		if (!call->sends || call->done || !call->message ||
			has_room(queue, call->message->size))
			return "a sender waits for room that is there";
	}
	return NULL;
}

const char *msg_audit(void) no_lock_checks
{
	size_t bytes = 0, count = 0, listed = 0;
	struct radix_walk walk = {0};
	const struct msg_queue *queue;
	struct ipc_item *item;
	const char *broken;

	for (; (item = radix_walk_next(&msg_ids.items, &walk)); walk.index++) {
		queue = container_of(item, struct msg_queue, item);
		broken = audit_queue(queue);
		if (broken)
			return broken;
		bytes += queue->bytes;
		count += queue->count;
		listed++;
	}
	if (bytes != msg_all_bytes || count != msg_all_count || listed != msg_ids.listed)
		return "the totals of the message queues are not those of the queues";
	return NULL;
}
