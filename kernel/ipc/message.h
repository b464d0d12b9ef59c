/* SPDX-License-Identifier: MIT */
/* System V's message queues: what the calls, their texts and /proc share. See message.c. */
#ifndef IPC_MESSAGE_H
#define IPC_MESSAGE_H

#include <asm/msgbuf.h>

#include "ipc/ipc.h"
#include "lib/list.h"
#include "process/wait.h"

/* Words of <linux/msg.h>, which cannot be had without a C library. */
#define MSG_NOERROR  010000
#define MSG_EXCEPT   020000
#define MSG_COPY     040000
#define MSG_STAT     11
#define MSG_INFO     12
#define MSG_STAT_ANY 13

/* ---- Messages (message_text.c) ---- */

struct message_part;

struct message {
	struct list link; /* in its queue; ipc_lock */
	long type;        /* above 0 */
	size_t size;      /* bytes of text */
	size_t charged;   /* bytes of memory that it counts for */
	struct message_part *more;
	char text[]; /* its beginning */
};

/* From a program's memory, of no type: NULL with *error, -EFAULT or -ENOMEM. */
struct message *message_get(user_t text, size_t size, int *error) MUST_CHECK;
void message_free(struct message *message); /* NULL is fine */
/* The first `size` bytes, of no more than there are: 0 or -EFAULT. */
int message_put(user_t text, const struct message *message, size_t size) MUST_CHECK;
/* Type and text into one that was at least as long: 0 or -EINVAL. */
int message_copy(struct message *to, const struct message *from) MUST_CHECK;

/* ---- Queues ---- */

/* All by ipc_lock. */
struct msg_queue {
	struct ipc_item item;
	struct list messages;           /* struct message.link, the oldest first */
	struct list senders, receivers; /* struct msg_call.link: who wait, the oldest first */
	size_t bytes, count;            /* of its messages */
	size_t most;                    /* bytes, and messages */
	long sent, received, changed;   /* seconds since 1970 */
	int last_sender, last_receiver; /* processes */
};

extern struct ipc_ids msg_ids;
extern size_t msg_all_bytes, msg_all_count; /* of all queues; ipc_lock */
/* kernel.msgmax, msgmnb, msgmni: bytes of a message, of a new queue; queues. Atomic. */
extern int32_t msg_size_most, msg_queue_most, msg_queues_most;

struct msg_queue *msg_queue_of_id(int id) requires(ipc_lock) MUST_CHECK; /* NULL: none */
/* Takes a queue out; all who wait get EIDRM. The caller frees it after the lock. */
void msg_queue_remove(struct msg_queue *queue) requires(ipc_lock);
void msg_queue_free(struct msg_queue *queue);
/* Its rights or its limit have changed: all who wait look anew. */
void msg_queue_changed(struct msg_queue *queue) requires(ipc_lock);
/* NULL or the first broken invariant in words; the machine stands still. */
const char *msg_audit(void) MUST_CHECK;

#endif
