/* SPDX-License-Identifier: MIT */
/* What /proc/sys/kernel limits of System V's objects: sizes of messages and queues, of sets and segments, and how many. */
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "sysctl.h"

static long make_queue(void)
{
	return kernel_call(SYS_msgget, IPC_PRIVATE, 0600);
}

static long make_set(long count)
{
	return kernel_call(SYS_semget, IPC_PRIVATE, count, 0600);
}

static long make_segment(long size)
{
	return kernel_call(SYS_shmget, IPC_PRIVATE, size, 0600);
}

static void drop_queue(long id)
{
	WANT_IS(kernel_call(SYS_msgctl, id, IPC_RMID, 0), 0);
}

static void messages(void)
{
	static struct {
		long type;
		char text[10000];
	} message = {.type = 1};
	struct msqid_ds status;
	struct msginfo limits;
	long id = make_queue();

	want_value("kernel/msgmax", "8192");
	WANT_IS(kernel_call(SYS_msgsnd, id, &message, 9000, IPC_NOWAIT), -EINVAL);
	set("kernel/msgmax", "9000");
	WANT_IS(kernel_call(SYS_msgsnd, id, &message, 9000, IPC_NOWAIT), 0);
	set("kernel/msgmax", "10");
	WANT_IS(kernel_call(SYS_msgsnd, id, &message, 11, IPC_NOWAIT), -EINVAL);
	WANT_IS(kernel_call(SYS_msgrcv, id, &message, 9000, 0, IPC_NOWAIT), 9000);
	WANT(kernel_call(SYS_msgctl, 0, IPC_INFO, &limits) >= 0);
	WANT_IS(limits.msgmax, 10);
	drop_queue(id);
	WANT_IS(write_to("kernel/msgmax", "-1"), -EINVAL);
	set("kernel/msgmax", "8192");
	want_value("kernel/msgmnb", "16384");
	set("kernel/msgmnb", "100");
	id = make_queue();
	WANT_IS(kernel_call(SYS_msgctl, id, IPC_STAT, &status), 0);
	WANT_IS((long)status.msg_qbytes, 100);
	drop_queue(id);
	set("kernel/msgmnb", "16384");
	want_value("kernel/msgmni", "32000");
	set("kernel/msgmni", "0");
	WANT_IS(make_queue(), -ENOSPC);
	WANT_IS(write_to("kernel/msgmni", "32769"), -EINVAL);
	set("kernel/msgmni", "32768");
	set("kernel/msgmni", "32000");
	drop_queue(make_queue());
}

static void semaphores(void)
{
	static const char usual[] = "32000\t1024000000\t500\t32000";
	struct sembuf operations[3] = {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}};
	struct seminfo limits;
	long id = make_set(3);

	want_value("kernel/sem", usual);
	set("kernel/sem", "2 5 2 32000");
	want_value("kernel/sem", "2\t5\t2\t32000");
	WANT_IS(make_set(3), -EINVAL);
	WANT_IS(kernel_call(SYS_semop, id, operations, 3), -E2BIG);
	WANT_IS(kernel_call(SYS_semop, id, operations, 2), 0);
	set("kernel/sem", "9 3");
	WANT_IS(make_set(1), -ENOSPC); /* three are there */
	WANT(kernel_call(SYS_semctl, 0, 0, IPC_INFO, &limits) >= 0);
	WANT(limits.semmsl == 9 && limits.semmns == 3 && limits.semopm == 2);
	set("kernel/sem", usual);
	WANT_IS(write_to("kernel/sem", "32000 1024000000 500 32769"), -ERANGE);
	WANT_IS(write_to("kernel/sem", "32000 1024000000 500 -1"), -ERANGE);
	want_value("kernel/sem", usual);
	set("kernel/sem", "32000 1024000000 500 1");
	WANT_IS(make_set(1), -ENOSPC);
	set("kernel/sem", usual);
	WANT_IS(kernel_call(SYS_semctl, id, 0, IPC_RMID), 0);
}

static void segments(void)
{
	char usual[64], all[64];
	long id;

	snprintf(usual, sizeof usual, "%s", get("kernel/shmmax"));
	snprintf(all, sizeof all, "%s", get("kernel/shmall"));
	WANT(!strcmp(usual, "18446744073692774399") && !strcmp(all, usual));
	set("kernel/shmmax", "8192");
	WANT_IS(make_segment(8193), -EINVAL);
	id = make_segment(8192);
	WANT(id >= 0);
	set("kernel/shmmax", usual);
	set("kernel/shmall", "3");
	WANT_IS(make_segment(8192), -ENOSPC);
	set("kernel/shmall", all);
	want_value("kernel/shmmni", "4096");
	set("kernel/shmmni", "1");
	WANT_IS(make_segment(1), -ENOSPC);
	set("kernel/shmmni", "4096");
	WANT_IS(kernel_call(SYS_shmctl, id, IPC_RMID, 0), 0);
	WANT(become_nobody());
	WANT_IS(write_to("kernel/shmmni", "1"), -EACCES);
}

const struct test_case ipc_cases[IPC_CASES] = {
	CASE(messages, "kernel.msgmax, msgmnb, msgmni"),
	CASE(semaphores, "kernel.sem"),
	CASE(segments, "kernel.shmmax, shmall, shmmni"),
};
