/* SPDX-License-Identifier: MIT */
/* What the tests of System V's message queues share. */
#ifndef USER_TESTS_MESSAGES_H
#define USER_TESTS_MESSAGES_H

#include <sys/ipc.h>
#include <sys/msg.h>

#include "cases.h"

#ifndef MSG_COPY
#define MSG_COPY 040000 /* not in musl */
#endif
#define LONGEST 8192  /* bytes of a message: kernel.msgmax */
#define MOST    16384 /* bytes of a new queue: kernel.msgmnb */

struct message {
	long type;
	char text[LONGEST + 8];
};

static struct message buffer;
static long queue;

static inline long get(long key, int flags)
{
	return kernel_call(SYS_msgget, key, flags);
}

static inline long control(long id, int command, void *argument)
{
	return kernel_call(SYS_msgctl, id, command, argument);
}

static inline long make(void)
{
	long id = get(IPC_PRIVATE, IPC_CREAT | 0600);

	WANT(id >= 0);
	return id;
}

static inline void drop(long id)
{
	WANT_IS(control(id, IPC_RMID, NULL), 0);
}

/* A text of one letter. */
static inline long put(long id, long type, char letter, size_t size, int flags)
{
	struct message message = {.type = type};

	memset(message.text, letter, size < sizeof message.text ? size : sizeof message.text);
	return kernel_call(SYS_msgsnd, id, &message, size, flags);
}

static inline long take(long id, long type, size_t size, int flags)
{
	memset(&buffer, 0, sizeof buffer);
	return kernel_call(SYS_msgrcv, id, &buffer, size, type, flags);
}

/* Takes one that must be of this type, letter and size, whole. */
static inline void want_message(long id, long asked, int flags, long type, char letter, long size)
{
	WANT_IS(take(id, asked, LONGEST, flags | IPC_NOWAIT), size);
	WANT_IS(buffer.type, type);
	for (long i = 0; i < size; i++)
		WANT(buffer.text[i] == letter);
	WANT_IS(buffer.text[size], 0);
}

static inline struct msqid_ds status_of(long id)
{
	struct msqid_ds status;

	WANT_IS(control(id, IPC_STAT, &status), 0);
	return status;
}

/* Into a queue that has no room for it at first. */
static inline void sends_short(void)
{
	WANT_IS(put(queue, 3, 's', 100, 0), 0);
}

#endif
