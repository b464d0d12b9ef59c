/* SPDX-License-Identifier: MIT */
/* System V's message queues: msgget, msgsnd, msgrcv, msgctl. */
#include "messages.h"

/* ---- Queues and messages ---- */

static void makes(void)
{
	const int key = 0x6e550000 + getpid();
	long id, other;

	WANT_IS(get(key, 0600), -ENOENT);
	id = get(key, IPC_CREAT | IPC_EXCL | 0600);
	WANT(id >= 0);
	WANT_IS(get(key, IPC_CREAT | IPC_EXCL | 0600), -EEXIST);
	WANT_IS(get(key, IPC_CREAT | 0600), id);
	WANT_IS(get(key, 0), id);
	drop(id);
	WANT_IS(get(key, 0), -ENOENT);
	WANT_IS(put(id, 1, 'a', 1, 0), -EINVAL);
	WANT_IS(take(id, 0, 1, 0), -EINVAL);
	WANT_IS(control(id, IPC_RMID, NULL), -EINVAL);
	WANT_IS(control(-1, IPC_RMID, NULL), -EINVAL);
	id = make();
	other = make();
	WANT(other != id);
	drop(other);
	WANT_IS(control(id, 99, NULL), -EINVAL);
	WANT_IS(control(id, -1, NULL), -EINVAL);
	drop(id);
}

static void in_order(void)
{
	long id = make();

	WANT_IS(take(id, 0, LONGEST, IPC_NOWAIT), -ENOMSG);
	WANT_IS(put(id, 5, 'a', 3, 0), 0);
	WANT_IS(put(id, 3, 'b', 0, 0), 0);
	WANT_IS(put(id, INT64_MAX, 'c', LONGEST, 0), 0);
	want_message(id, 0, 0, 5, 'a', 3);
	want_message(id, 0, 0, 3, 'b', 0);
	want_message(id, 0, 0, INT64_MAX, 'c', LONGEST);
	WANT_IS(take(id, 0, LONGEST, IPC_NOWAIT), -ENOMSG);
	drop(id);
}

/* Every size, so that every cut of a text into pieces comes. */
static void all_sizes(void)
{
	long id = make();

	for (long size = 0; size <= LONGEST; size += size % 512 > 480 || size % 512 < 16 ? 1 : 7) {
		WANT_IS(put(id, 1, (char)('a' + size % 26), (size_t)size, 0), 0);
		want_message(id, 0, 0, 1, (char)('a' + size % 26), size);
	}
	drop(id);
}

/* The places of bytes in a long one, in pieces of any size. */
static void long_text(void)
{
	static struct message out;
	long id = make();

	out.type = 1;
	for (size_t i = 0; i < LONGEST; i++)
		out.text[i] = (char)(i * 31 + i / 251);
	WANT_IS(kernel_call(SYS_msgsnd, id, &out, LONGEST, 0), 0);
	WANT_IS(take(id, 0, LONGEST, 0), LONGEST);
	WANT(!memcmp(buffer.text, out.text, LONGEST));
	drop(id);
}

static void by_type(void)
{
	long id = make();

	for (int i = 0; i < 6; i++)
		WANT_IS(put(id, "\4\2\7\2\1\7"[i], (char)('a' + i), 1, 0), 0);
	want_message(id, 2, 0, 2, 'b', 1);
	want_message(id, -4, 0, 1, 'e', 1); /* the lowest */
	want_message(id, -4, 0, 2, 'd', 1);
	WANT_IS(take(id, -3, LONGEST, IPC_NOWAIT), -ENOMSG);
	WANT_IS(take(id, 9, LONGEST, IPC_NOWAIT), -ENOMSG);
	want_message(id, 4, MSG_EXCEPT, 7, 'c', 1);
	want_message(id, INT64_MIN, 0, 4, 'a', 1);
	WANT_IS(take(id, 7, LONGEST, IPC_NOWAIT | MSG_EXCEPT), -ENOMSG);
	want_message(id, 0, MSG_EXCEPT, 7, 'f', 1); /* with no type it says nothing */
	for (int i = 0; i < 3; i++)                 /* of one type, the oldest first */
		WANT_IS(put(id, 3, (char)('x' + i), 1, 0), 0);
	for (int i = 0; i < 3; i++)
		want_message(id, -8, 0, 3, (char)('x' + i), 1);
	drop(id);
}

static void cut_or_refused(void)
{
	long id = make();

	WANT_IS(put(id, 1, 'a', 6000, 0), 0);
	WANT_IS(take(id, 0, 5999, IPC_NOWAIT), -E2BIG);
	WANT_IS(take(id, 0, 0, IPC_NOWAIT), -E2BIG);
	WANT_IS(take(id, 0, 5000, MSG_NOERROR), 5000);
	WANT(buffer.text[4999] == 'a' && !buffer.text[5000]);
	WANT_IS(take(id, 0, 0, IPC_NOWAIT), -ENOMSG); /* the rest is lost */
	WANT_IS(put(id, 1, 'a', 9, 0), 0);
	WANT_IS(take(id, 0, 0, MSG_NOERROR), 0);
	drop(id);
}

static void copies(void)
{
	const int flags = MSG_COPY | IPC_NOWAIT;
	long id = make();

	WANT_IS(put(id, 4, 'a', 10, 0), 0);
	WANT_IS(put(id, 2, 'b', 8000, 0), 0);
	WANT_IS(put(id, 9, 'c', 0, 0), 0);
	for (int round = 0; round < 2; round++) {
		want_message(id, 0, MSG_COPY, 4, 'a', 10);
		want_message(id, 1, MSG_COPY, 2, 'b', 8000);
		want_message(id, 2, MSG_COPY, 9, 'c', 0);
	}
	WANT_IS(take(id, 3, LONGEST, flags), -ENOMSG);
	WANT_IS(take(id, -1, LONGEST, flags), -ENOMSG);
	WANT_IS(take(id, 1, 7999, flags), -E2BIG);
	WANT_IS(take(id, 1, 7999, flags | MSG_NOERROR), -EINVAL);
	WANT_IS(take(id, 0, LONGEST, MSG_COPY), -EINVAL);
	WANT_IS(take(id, 0, LONGEST, flags | MSG_EXCEPT), -EINVAL);
	WANT_IS(kernel_call(SYS_msgrcv, id, BAD, 8, 0, flags), -EFAULT);
	WANT_IS((long)status_of(id).msg_qnum, 3);
	drop(id);
}

static void errors(void)
{
	long id = make();

	WANT_IS(put(id, 0, 'a', 1, 0), -EINVAL);
	WANT_IS(put(id, -1, 'a', 1, 0), -EINVAL);
	WANT_IS(put(id, 1, 'a', LONGEST + 1, 0), -EINVAL);
	WANT_IS(put(id, 1, 'a', (size_t)-1, 0), -EINVAL);
	WANT_IS(put(-1, 1, 'a', 1, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_msgsnd, -1, BAD, 1, 0), -EFAULT); /* the type is read first */
	WANT_IS(kernel_call(SYS_msgsnd, id, BAD, 1, 0), -EFAULT);
	WANT_IS(take(-1, 0, 1, 0), -EINVAL);
	WANT_IS(take(id, 0, (size_t)-1, IPC_NOWAIT), -EINVAL);
	WANT_IS(kernel_call(SYS_msgrcv, id, BAD, 8, 0, IPC_NOWAIT), -ENOMSG);
	WANT_IS(put(id, 1, 'a', 1, 0), 0);
	WANT_IS(kernel_call(SYS_msgrcv, id, BAD, 8, 0, IPC_NOWAIT), -EFAULT);
	WANT_IS((long)status_of(id).msg_qnum, 0); /* it is lost */
	drop(id);
}

/* A text that ends where memory does. */
static void half_there(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at = page + 4096 - 16;
	long id = make();

	WANT_IS(munmap(page + 4096, 4096), 0);
	*(long *)at = 1;
	WANT_IS(kernel_call(SYS_msgsnd, id, at, 9, 0), -EFAULT);
	WANT_IS(kernel_call(SYS_msgsnd, id, at, 8, 0), 0);
	WANT_IS((long)status_of(id).msg_qnum, 1);
	WANT_IS(kernel_call(SYS_msgrcv, id, at, 8, 0, 0), 8);
	WANT_IS(put(id, 1, 'a', 9, 0), 0);
	WANT_IS(kernel_call(SYS_msgrcv, id, at, 9, 0, 0), -EFAULT);
	drop(id);
}

static void full(void)
{
	long id = make();

	WANT_IS(put(id, 1, 'a', LONGEST, 0), 0);
	WANT_IS(put(id, 1, 'a', LONGEST, 0), 0);
	WANT_IS(put(id, 1, 'a', 1, IPC_NOWAIT), -EAGAIN);
	WANT_IS(put(id, 1, 'a', 0, IPC_NOWAIT), 0);
	WANT_IS((long)status_of(id).msg_cbytes, MOST);
	want_message(id, 0, 0, 1, 'a', LONGEST);
	WANT_IS(put(id, 1, 'a', LONGEST, IPC_NOWAIT), 0);
	drop(id);
	id = make();
	for (int i = 0; i < MOST; i++) /* as many messages as bytes */
		WANT_IS(kernel_call(SYS_msgsnd, id, &(long){1}, 0, IPC_NOWAIT), 0);
	WANT_IS(put(id, 1, 'a', 0, IPC_NOWAIT), -EAGAIN);
	WANT_IS((long)status_of(id).msg_qnum, MOST);
	drop(id);
}

/* ---- msgctl ---- */

static void status(void)
{
	struct msginfo limits;
	struct msqid_ds now;
	long highest;

	queue = make();
	now = status_of(queue);
	WANT(now.msg_perm.uid == geteuid() && now.msg_perm.cuid == geteuid());
	WANT_IS(now.msg_perm.mode, 0600);
	WANT(!now.msg_stime && !now.msg_rtime && now.msg_ctime);
	WANT(!now.msg_qnum && !now.msg_cbytes && !now.msg_lspid && !now.msg_lrpid);
	WANT_IS((long)now.msg_qbytes, MOST);
	WANT_IS(put(queue, 1, 'a', 10, 0), 0);
	WANT_IS(put(queue, 1, 'a', 5, 0), 0);
	now = status_of(queue);
	WANT(now.msg_stime && !now.msg_rtime);
	WANT(now.msg_qnum == 2 && now.msg_cbytes == 15);
	WANT(now.msg_lspid == getpid() && !now.msg_lrpid);
	highest = control(0, MSG_INFO, &limits);
	WANT(highest >= queue % 32768);
	WANT(limits.msgpool >= 1 && limits.msgmap >= 2 && limits.msgtql >= 15);
	WANT_IS(control(queue % 32768, MSG_STAT, &now), queue);
	WANT_IS((long)now.msg_qnum, 2);
	WANT_IS(control(queue % 32768, MSG_STAT_ANY, &now), queue);
	WANT_IS(control(0, IPC_INFO, &limits), highest);
	WANT(limits.msgmax == LONGEST && limits.msgmnb == MOST && limits.msgmni == 32000);
	WANT(limits.msgssz == 16 && limits.msgseg == 0xffff && limits.msgpool == 512000);
	WANT(limits.msgmap == MOST && limits.msgtql == MOST);
	WANT_IS(control(queue, IPC_STAT, BAD), -EFAULT);
	WANT_IS(control(queue, IPC_SET, BAD), -EFAULT);
	WANT_IS(control(0, MSG_INFO, BAD), -EFAULT);
	now.msg_perm.uid = (uid_t)-1;
	WANT_IS(control(queue, IPC_SET, &now), -EINVAL);
	drop(queue);
	WANT_IS(control(queue, IPC_STAT, &now), -EINVAL);
}

static bool may_raise_limits(void)
{
	unsigned header[2] = {0x20080522, 0}, sets[6];

	WANT_IS(kernel_call(SYS_capget, header, sets), 0);
	return sets[0] & 1u << 24; /* CAP_SYS_RESOURCE */
}

/* A limit that is lowered keeps what is there; a raised one lets in who waits. */
static void limits_change(void)
{
	struct msqid_ds now;
	pid_t pid;

	if (!may_raise_limits())
		skip("raising a queue's limit asks for CAP_SYS_RESOURCE");
	queue = make();
	WANT_IS(put(queue, 1, 'a', LONGEST, 0), 0);
	now = status_of(queue);
	now.msg_qbytes = 10;
	now.msg_perm.mode = 0666;
	WANT_IS(control(queue, IPC_SET, &now), 0);
	WANT_IS(status_of(queue).msg_perm.mode, 0666);
	WANT_IS(put(queue, 1, 'a', 0, IPC_NOWAIT), -EAGAIN);
	pid = start(sends_short);
	until_asleep(pid);
	now.msg_qbytes = 4 * MOST;
	WANT_IS(control(queue, IPC_SET, &now), 0);
	WANT_ENDS(pid, 0);
	for (int i = 0; i < 6; i++)
		WANT_IS(put(queue, 1, 'a', LONGEST, IPC_NOWAIT), 0);
	drop(queue);
}

/* ---- Rights ---- */

static void nobody_tries(void)
{
	struct msqid_ds now;

	become_nobody();
	WANT_IS(put(queue, 1, 'a', 1, IPC_NOWAIT), -EACCES);
	WANT_IS(take(queue, 0, 1, IPC_NOWAIT), 1); /* it may be read */
	WANT_IS(control(queue, IPC_STAT, &now), 0);
	WANT_IS(control(queue, IPC_SET, &now), -EPERM);
	WANT_IS(control(queue, IPC_RMID, NULL), -EPERM);
}

static void nobody_may_not_read(void)
{
	struct msqid_ds now;

	become_nobody();
	WANT_IS(take(queue, 0, 1, IPC_NOWAIT), -EACCES);
	WANT_IS(take(queue, 0, 1, IPC_NOWAIT | MSG_COPY), -EACCES);
	WANT_IS(control(queue, IPC_STAT, &now), -EACCES);
	WANT_IS(control(queue % 32768, MSG_STAT, &now), -EACCES);
	WANT_IS(control(queue % 32768, MSG_STAT_ANY, &now), queue);
	WANT_IS(put(queue, 1, 'a', 1, IPC_NOWAIT), 0);
}

static void rights(void)
{
	struct msqid_ds now;

	if (geteuid() != 0)
		skip("only root can become somebody else");
	queue = get(IPC_PRIVATE, IPC_CREAT | 0604);
	WANT_IS(put(queue, 1, 'a', 1, 0), 0);
	WANT_ENDS(start(nobody_tries), 0);
	now = status_of(queue);
	now.msg_perm.mode = 0602;
	WANT_IS(control(queue, IPC_SET, &now), 0);
	WANT_ENDS(start(nobody_may_not_read), 0);
	now.msg_perm.uid = NOBODY;
	WANT_IS(control(queue, IPC_SET, &now), 0);
	WANT(become_nobody());
	now.msg_qbytes = MOST + 1;
	WANT_IS(control(queue, IPC_SET, &now), -EPERM);
	now.msg_qbytes = MOST - 1;
	WANT_IS(control(queue, IPC_SET, &now), 0);
	drop(queue);
}

static const struct test_case cases[] = {
	CASE(makes, "msgget: keys and ids"),
	CASE(in_order, "messages come in order"),
	CASE(all_sizes, "texts of many sizes"),
	CASE(long_text, "a long text, byte for byte"),
	CASE(by_type, "msgrcv: types, MSG_EXCEPT"),
	CASE(cut_or_refused, "msgrcv: E2BIG, MSG_NOERROR"),
	CASE(copies, "msgrcv: MSG_COPY"),
	CASE(errors, "msgsnd, msgrcv: EINVAL, EFAULT, ENOMSG"),
	CASE(half_there, "texts that end where memory does"),
	CASE(full, "a full queue: EAGAIN"),
	CASE(status, "msgctl: status and limits"),
	CASE(limits_change, "IPC_SET: a queue's limit"),
	CASE(rights, "rights: EACCES, EPERM"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
