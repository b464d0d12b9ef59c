/* SPDX-License-Identifier: MIT */
/* System V's message queues: others' ones, sizes that lie, ids that were somebody else's, queues without end. */
#include "attacks/attack.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>

#define COPY 040000 /* MSG_COPY, which musl lacks */

struct message {
	long type;
	char text[64];
};

static long make_queue(int mode)
{
	long id = kernel_call(SYS_msgget, IPC_PRIVATE, mode);

	WANT(id >= 0);
	return id;
}

static void drop(long id)
{
	WANT_IS(kernel_call(SYS_msgctl, id, IPC_RMID, 0), 0);
}

static long put(long id, size_t size)
{
	struct message message = {.type = 1, .text = "secret"};

	return kernel_call(SYS_msgsnd, id, &message, size, IPC_NOWAIT);
}

/* ---- Somebody else's ---- */

static void as_eve(long id)
{
	struct message message = {.type = 1, .text = ""};
	struct msqid_ds status = {.msg_qbytes = 1};

	WANT(become(stranger(EVE)));
	WANT_IS(kernel_call(SYS_msgrcv, id, &message, 64, 0, IPC_NOWAIT), -EACCES);
	WANT_IS(kernel_call(SYS_msgrcv, id, &message, 64, 0, IPC_NOWAIT | COPY), -EACCES);
	WANT_IS(kernel_call(SYS_msgsnd, id, &message, 1, IPC_NOWAIT), -EACCES);
	WANT_IS(kernel_call(SYS_msgctl, id, IPC_STAT, &status), -EACCES);
	WANT_IS(kernel_call(SYS_msgctl, id, IPC_SET, &status), -EPERM);
	WANT_IS(kernel_call(SYS_msgctl, id, IPC_RMID, 0), -EPERM);
	WANT(!message.text[0]);
}

static void others_queue(long unused)
{
	long id = make_queue(0600);
	int status;
	pid_t pid;

	(void)unused;
	WANT_IS(put(id, 64), 0);
	pid = fork();
	if (pid == 0) {
		as_eve(id);
		_exit(0);
	}
	WANT_IS(waitpid(pid, &status, 0), pid);
	WANT_IS(status, 0);
	drop(id);
}

/* ---- Sizes ---- */

static void sizes(long unused)
{
	static const size_t lies[] = {65537, 1ul << 31, 1ul << 32, (1ul << 32) + 8, SIZE_MAX / 2,
		SIZE_MAX / 2 + 1, SIZE_MAX - 7, SIZE_MAX};
	unsigned char *p = pages(2, PROT_READ | PROT_WRITE);
	long id = make_queue(0600);

	(void)unused;
	for (size_t i = 0; i < COUNT(lies); i++) {
		*(long *)p = 1;
		WANT_IS(kernel_call(SYS_msgsnd, id, p, lies[i], IPC_NOWAIT), -EINVAL);
	}
	WANT_IS(munmap(p + PAGE, PAGE), 0);
	for (size_t i = 0; i < COUNT(lies); i++) {
		long got;

		WANT_IS(put(id, 16), 0);
		memset(p, 'x', PAGE);
		got = kernel_call(SYS_msgrcv, id, p, lies[i], 0, IPC_NOWAIT);
		WANT_IS(got, (ssize_t)lies[i] < 0 ? -EINVAL : 16);
		/* No byte behind the text is written, of the kernel's memory or any other. */
		for (size_t at = got < 0 ? 0 : 24; at < PAGE; at++)
			WANT(p[at] == 'x');
		if (got < 0)
			WANT_IS(kernel_call(SYS_msgrcv, id, p, 16, 0, IPC_NOWAIT), 16);
	}
	drop(id);
}

/* ---- An id that is no more ---- */

#define TURNS 300 /* indices come again before */

static void old_ids(long unused)
{
	long first = make_queue(0600), id = first, again = 0;

	(void)unused;
	drop(first);
	for (int i = 0; i < TURNS; i++) {
		id = make_queue(0600);
		again += id % 32768 == first % 32768;
		WANT(id != first);
		WANT_IS(put(first, 8), -EINVAL);
		WANT_IS(kernel_call(SYS_msgctl, first, IPC_RMID, 0), -EINVAL);
		drop(id);
	}
	WANT(again > 0);
}

/* ---- Too many ---- */

#define QUEUES 16

/* Messages without a text are counted, too; what they took comes back with the queues (that is looked at after it). */
static void hoards(long unused)
{
	long ids[QUEUES], result, count;

	(void)unused;
	for (int i = 0; i < QUEUES; i++) {
		ids[i] = make_queue(0600);
		for (count = 0; !(result = put(ids[i], (size_t)(i % 2) * 64)); count++)
			WANT(count < 16384);
		WANT_IS(result, -EAGAIN);
	}
	for (int i = 0; i < QUEUES; i++)
		drop(ids[i]);
}

static void trades(long id)
{
	struct message message = {.type = 1};

	for (unsigned i = 0;; i++) {
		kernel_call(SYS_msgsnd, id, &message, i % 64, i % 3 ? IPC_NOWAIT : 0);
		kernel_call(SYS_msgrcv, id, &message, 64, i % 5 ? 0 : -2, i % 7 ? IPC_NOWAIT : 0);
	}
}

/* Three of them for each CPU the victim counts on; all end with a message in hand, or asleep for one. */
static void storm(long unused)
{
	pid_t pids[3 * 64];
	unsigned count = 3 * shared->counting;
	long id = make_queue(0600);

	(void)unused;
	count = count < COUNT(pids) ? count : COUNT(pids);
	for (unsigned i = 0; i < count; i++) {
		pids[i] = fork();
		WANT(pids[i] >= 0);
		if (pids[i] == 0)
			trades(id);
	}
	for (int i = 0; i < 5; i++)
		WANT(victim_counts());
	for (unsigned i = 0; i < count; i++) {
		WANT_IS(kill(pids[i], SIGKILL), 0);
		WANT_IS(waitpid(pids[i], NULL, 0), pids[i]);
	}
	drop(id);
}

static const struct attack attacks[] = {
	{"others", "uses a queue of root's by its id", "its mode is for root alone: EACCES, EPERM",
		{CALM}, others_queue, 0, AS_ROOT},
	{"sizes", "sends and takes messages of sizes up to 2^64 - 1",
		"what is sent is limited: EINVAL; what is taken ends with the message", {CALM},
		sizes},
	{"old-ids", "uses the id of a removed queue, when its index has another one",
		"ids have a sequence number: EINVAL", {CALM}, old_ids},
	{"hoard", "fills queues, with messages without any text, too",
		"a queue takes as many messages as bytes: EAGAIN; what is removed is freed", {CALM},
		hoards},
	{"storm", "sends and takes without end, three times on each CPU, and is killed at it",
		"time is shared out by weights; who is killed leaves nothing", {CALM}, storm},
};
FAMILY(messages, "System V's message queues", attacks);
