/* SPDX-License-Identifier: MIT */
/* System V's message queues: who waits, and many at once. */
#include "messages.h"

static void takes_a_two(void)
{
	WANT_IS(take(queue, 2, 4, 0), 4);
	WANT(buffer.type == 2 && buffer.text[3] == 'd');
}

static void is_too_small(void)
{
	WANT_IS(take(queue, 2, 3, 0), -E2BIG);
}

/* Each waits for what it asked for; the oldest gets it; one that has no room for it is told, and it goes on. */
static void receivers_wait(void)
{
	pid_t small, first, second;

	queue = make();
	small = start(is_too_small);
	until_asleep(small);
	first = start(takes_a_two);
	until_asleep(first);
	second = start(takes_a_two);
	until_asleep(second);
	WANT_IS(put(queue, 1, 'a', 4, 0), 0);
	WANT_IS(put(queue, 2, 'd', 4, 0), 0);
	WANT_ENDS(small, 0);
	WANT_ENDS(first, 0);
	WANT_IS((long)status_of(queue).msg_qnum, 1);
	WANT_IS(status_of(queue).msg_lrpid, first);
	WANT_IS(put(queue, 2, 'd', 4, 0), 0);
	WANT_ENDS(second, 0);
	want_message(queue, 0, 0, 1, 'a', 4);
	drop(queue);
}

static void sends_long(void)
{
	WANT_IS(put(queue, 2, 'l', LONGEST, 0), 0);
}

/* A long one that waits holds up no short one; it comes in when there is room. */
static void senders_wait(void)
{
	pid_t first, second;

	queue = make();
	for (int i = 0; i < 4; i++)
		WANT_IS(put(queue, 1, 'a', MOST / 4, 0), 0);
	first = start(sends_long);
	until_asleep(first);
	second = start(sends_short);
	until_asleep(second);
	want_message(queue, 0, 0, 1, 'a', MOST / 4);
	WANT_ENDS(second, 0);
	WANT_IS(status_of(queue).msg_lspid, second);
	want_message(queue, 0, 0, 1, 'a', MOST / 4);
	WANT_IS(waitpid(first, NULL, WNOHANG), 0);
	want_message(queue, 0, 0, 1, 'a', MOST / 4);
	WANT_ENDS(first, 0);
	want_message(queue, 0, 0, 1, 'a', MOST / 4);
	want_message(queue, 0, 0, 3, 's', 100);
	want_message(queue, 0, 0, 2, 'l', LONGEST);
	drop(queue);
}

static void ignore(int number)
{
	(void)number;
}

static void receive_is_interrupted(void)
{
	handle(SIGUSR1, ignore, SA_RESTART);
	WANT_IS(take(queue, 0, 1, 0), -EINTR);
}

static void send_is_interrupted(void)
{
	handle(SIGUSR1, ignore, SA_RESTART);
	WANT_IS(put(queue, 1, 'b', 1, 0), -EINTR);
}

static void interrupt(void (*act)(void))
{
	pid_t pid = start(act);

	until_asleep(pid);
	WANT_IS(kill(pid, SIGUSR1), 0);
	WANT_ENDS(pid, 0);
}

static void interrupted(void)
{
	queue = make();
	interrupt(receive_is_interrupted);
	WANT_IS(put(queue, 1, 'a', LONGEST, 0), 0);
	WANT_IS(put(queue, 1, 'a', LONGEST, 0), 0);
	interrupt(send_is_interrupted);
	WANT_IS((long)status_of(queue).msg_qnum, 2);
	drop(queue);
}

/* Stopped and continued, with no handler, it goes on waiting. */
static void stopped(void)
{
	pid_t pid;
	int status;

	queue = make();
	pid = start(takes_a_two);
	until_asleep(pid);
	WANT_IS(kill(pid, SIGSTOP), 0);
	WANT_IS(waitpid(pid, &status, WUNTRACED), pid);
	WANT(WIFSTOPPED(status));
	WANT_IS(kill(pid, SIGCONT), 0);
	WANT_IS(put(queue, 2, 'd', 4, 0), 0);
	WANT_ENDS(pid, 0);
	drop(queue);
}

/* Who is killed while it waits leaves nothing: the next gets the message. */
static void killed(void)
{
	pid_t pid, next;

	queue = make();
	pid = start(takes_a_two);
	until_asleep(pid);
	next = start(takes_a_two);
	until_asleep(next);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_ENDS(pid, SIGKILL);
	WANT_IS(put(queue, 2, 'd', 4, 0), 0);
	WANT_ENDS(next, 0);
	WANT_IS(put(queue, 1, 'a', LONGEST, 0), 0);
	WANT_IS(put(queue, 1, 'a', LONGEST, 0), 0);
	pid = start(sends_long);
	until_asleep(pid);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_ENDS(pid, SIGKILL);
	want_message(queue, 0, 0, 1, 'a', LONGEST);
	want_message(queue, 0, 0, 1, 'a', LONGEST);
	WANT_IS(take(queue, 0, LONGEST, IPC_NOWAIT), -ENOMSG);
	drop(queue);
}

static void receive_sees_removal(void)
{
	WANT_IS(take(queue, 7, 1, 0), -EIDRM);
}

static void send_sees_removal(void)
{
	WANT_IS(put(queue, 1, 'b', LONGEST, 0), -EIDRM);
}

static void removed(void)
{
	pid_t pids[4];

	queue = make();
	WANT_IS(put(queue, 1, 'a', LONGEST, 0), 0);
	WANT_IS(put(queue, 1, 'a', LONGEST, 0), 0);
	for (size_t i = 0; i < COUNT(pids); i++) {
		pids[i] = start(i % 2 ? receive_sees_removal : send_sees_removal);
		until_asleep(pids[i]);
	}
	drop(queue);
	for (size_t i = 0; i < COUNT(pids); i++)
		WANT_ENDS(pids[i], 0);
}

static void loses_the_right(void)
{
	become_nobody();
	WANT_IS(take(queue, 0, 1, 0), -EACCES);
}

/* Who waits when its right is taken away waits no longer. */
static void right_is_lost(void)
{
	struct msqid_ds now;
	pid_t pid;

	if (geteuid() != 0)
		skip("only root can become somebody else");
	queue = get(IPC_PRIVATE, IPC_CREAT | 0666);
	pid = start(loses_the_right);
	until_asleep(pid);
	now = status_of(queue);
	now.msg_perm.mode = 0600;
	WANT_IS(control(queue, IPC_SET, &now), 0);
	WANT_ENDS(pid, 0);
	drop(queue);
}

/* ---- Many at once ---- */

#define ROUNDS 400

static void produces(void)
{
	for (int i = 0; i < ROUNDS; i++)
		WANT_IS(put(queue, 1 + i % 3, 'p', (size_t)(i * 37 % LONGEST), 0), 0);
}

static void consumes(void)
{
	for (int i = 0; i < ROUNDS; i++)
		WANT(take(queue, i % 2 ? 0 : -3, LONGEST, 0) >= 0);
}

/* As many are taken as are sent, by who waits for each other. */
static void producers_and_consumers(void)
{
	pid_t pids[6];

	queue = make();
	for (size_t i = 0; i < COUNT(pids); i++)
		pids[i] = start(i % 2 ? consumes : produces);
	for (size_t i = 0; i < COUNT(pids); i++)
		WANT_ENDS(pids[i], 0);
	WANT_IS((long)status_of(queue).msg_qnum, 0);
	WANT_IS((long)status_of(queue).msg_cbytes, 0);
	drop(queue);
}

static void uses_while_removed(void)
{
	long result;

	do {
		result = put(queue, 1, 'a', 500, IPC_NOWAIT);
		if (!result || result == -EAGAIN)
			result = take(queue, 0, LONGEST, 0);
	} while (result >= 0);
	WANT(result == -EIDRM || result == -EINVAL);
}

static void removed_in_use(void)
{
	pid_t pids[3];

	for (int round = 0; round < 20; round++) {
		queue = make();
		for (size_t i = 0; i < COUNT(pids); i++)
			pids[i] = start(uses_while_removed);
		for (int i = 0; i < 20; i++)
			WANT_IS(put(queue, 1, 'b', 10, 0), 0);
		drop(queue);
		for (size_t i = 0; i < COUNT(pids); i++)
			WANT_ENDS(pids[i], 0);
	}
}

static const struct test_case cases[] = {
	CASE(receivers_wait, "msgrcv waits for what it asked for"),
	CASE(senders_wait, "msgsnd waits for room"),
	CASE(interrupted, "neither is restarted after a handler"),
	CASE(stopped, "msgrcv goes on after a stop"),
	CASE(killed, "who is killed leaves nothing"),
	CASE(removed, "IPC_RMID: who waits gets EIDRM"),
	CASE(right_is_lost, "IPC_SET: who waits and may no more"),
	CASE(producers_and_consumers, "producers and consumers"),
	CASE(removed_in_use, "queues are removed while they are used"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
