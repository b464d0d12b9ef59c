/* SPDX-License-Identifier: MIT */
/* /proc/sysvipc: System V's objects as text. */
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "cases.h"

#define MANY 300 /* lines: more than one read of text gives */

/* The line of this id, or none; *lines: how many there are, with the heading. */
static bool line_of(const char *file, int id, char *line, size_t size, int *lines)
{
	FILE *stream = fopen(file, "r");
	bool found = false;
	char text[512];
	int key, other;

	WANT(stream);
	*lines = 0;
	while (fgets(text, sizeof text, stream)) {
		(*lines)++;
		if (sscanf(text, "%d %d", &key, &other) == 2 && other == id) {
			WANT(!found);
			found = true;
			snprintf(line, size, "%s", text);
		}
	}
	fclose(stream);
	return found;
}

static void want_line(const char *file, int id, const char *expected)
{
	char line[512] = "";
	int lines;

	WANT(line_of(file, id, line, sizeof line, &lines));
	if (strncmp(line, expected, strlen(expected)))
		fprintf(stderr, "# found    %s# expected %s\n", line, expected);
	WANT(!strncmp(line, expected, strlen(expected)));
}

static void want_none(const char *file, int id)
{
	char line[512];
	int lines;

	WANT(!line_of(file, id, line, sizeof line, &lines));
	WANT(lines >= 1);
}

static void want_heading(const char *file, const char *expected)
{
	FILE *stream = fopen(file, "r");
	char line[512] = "";

	WANT(stream && fgets(line, sizeof line, stream));
	WANT(!strcmp(line, expected));
	fclose(stream);
}

static void queues(void)
{
	const int key = 0x5a5a0000 + getpid();
	const int id = msgget(key, IPC_CREAT | 0640);
	struct msqid_ds now;
	char expected[512];

	want_heading("/proc/sysvipc/msg", "       key      msqid perms      cbytes       qnum "
					  "lspid lrpid   uid   gid  cuid  cgid "
					  "     stime      rtime      ctime\n");
	WANT_IS(msgsnd(id, &(struct {
		long type;
		char text[7];
	}){1, "abcdef"},
			7, 0),
		0);
	WANT_IS(msgctl(id, IPC_STAT, &now), 0);
	snprintf(expected, sizeof expected,
		"%10d %10d   640  %10d %10d %5d %5d %5u %5u %5u %5u %10ld %10ld %10ld\n", key, id,
		7, 1, getpid(), 0, geteuid(), getegid(), geteuid(), getegid(), now.msg_stime, 0l,
		now.msg_ctime);
	want_line("/proc/sysvipc/msg", id, expected);
	WANT_IS(msgctl(id, IPC_RMID, NULL), 0);
	want_none("/proc/sysvipc/msg", id);
}

static void sets(void)
{
	const int id = semget(IPC_PRIVATE, 5, 0600);
	struct semid_ds now;
	char expected[512];

	want_heading("/proc/sysvipc/sem", "       key      semid perms      nsems   uid   gid  "
					  "cuid  cgid      otime      ctime\n");
	WANT_IS(semop(id, &(struct sembuf){1, 1, 0}, 1), 0);
	WANT_IS(semctl(id, 0, IPC_STAT, &now), 0);
	snprintf(expected, sizeof expected,
		"         0 %10d   600          5 %5u %5u %5u %5u %10ld %10ld\n", id, geteuid(),
		getegid(), geteuid(), getegid(), now.sem_otime, now.sem_ctime);
	want_line("/proc/sysvipc/sem", id, expected);
	WANT_IS(semctl(id, 0, IPC_RMID), 0);
	want_none("/proc/sysvipc/sem", id);
}

static void segments(void)
{
	const int id = shmget(IPC_PRIVATE, 10000, 0600);
	struct shmid_ds now;
	char expected[512];
	char *memory = shmat(id, NULL, 0);

	want_heading("/proc/sysvipc/shm", "       key      shmid perms                  size  cpid "
					  " lpid nattch   uid   gid  cuid "
					  " cgid      atime      dtime      ctime                  "
					  " rss                  swap\n");
	WANT(memory != (void *)-1);
	memory[4096] = 1;
	WANT_IS(shmctl(id, IPC_STAT, &now), 0);
	snprintf(expected, sizeof expected,
		"         0 %10d   600 %21d %5d %5d  %5d %5u %5u %5u %5u %10ld %10ld %10ld %21d "
		"%21d\n",
		id, 10000, getpid(), getpid(), 1, geteuid(), getegid(), geteuid(), getegid(),
		now.shm_atime, 0l, now.shm_ctime, 4096, 0);
	want_line("/proc/sysvipc/shm", id, expected);
	WANT_IS(shmctl(id, IPC_RMID, NULL), 0);
	snprintf(expected, sizeof expected, "         0 %10d  1600 ",
		id); /* goes with its last attachment */
	want_line("/proc/sysvipc/shm", id, expected);
	WANT_IS(shmdt(memory), 0);
	want_none("/proc/sysvipc/shm", id);
}

/* All of many lines, each once. */
static void many(void)
{
	static int ids[MANY];
	char line[512];
	int before, lines;

	(void)line_of("/proc/sysvipc/msg", -1, line, sizeof line, &before);
	for (int i = 0; i < MANY; i++)
		WANT((ids[i] = msgget(IPC_PRIVATE, 0600)) >= 0);
	for (int i = 0; i < MANY; i += 37) {
		WANT(line_of("/proc/sysvipc/msg", ids[i], line, sizeof line, &lines));
		WANT_IS(lines, before + MANY);
	}
	for (int i = 0; i < MANY; i++)
		WANT_IS(msgctl(ids[i], IPC_RMID, NULL), 0);
	(void)line_of("/proc/sysvipc/msg", -1, line, sizeof line, &lines);
	WANT_IS(lines, before);
}

static const struct test_case cases[] = {
	CASE(queues, "/proc/sysvipc/msg"),
	CASE(sets, "/proc/sysvipc/sem"),
	CASE(segments, "/proc/sysvipc/shm"),
	CASE(many, "/proc/sysvipc: hundreds of lines"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
