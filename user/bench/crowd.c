/* SPDX-License-Identifier: MIT */
/*
 * A crowd around the benchmark: thousands of threads, processes or VMAs, made before anything is measured.
 *
 * Threads and processes belong to a child, not to the process that measures: its own fork and wait are to
 * cost what the kernel makes them cost, not what a large parent does. The child makes all of them under
 * SCHED_FIFO, so that it is not one among a thousand that run; its threads go back to SCHED_OTHER
 * themselves and wait for a word that is written when all are there. Then it says so through a pipe.
 */
#include "crowd.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FUTEX_WAIT   0 /* musl has no <linux/futex.h> */
#define FUTEX_WAKE   1
#define THREAD_STACK 16384
#define PAGE         4096ul

static pid_t keepers[2]; /* of threads, of processes */
static uint32_t arrived, go;

int crowd_option(struct crowd *crowd, const char *word, const char *value)
{
	long *which = strcmp(word, "--sleepers") == 0    ? &crowd->sleepers
		      : strcmp(word, "--runnable") == 0  ? &crowd->runnable
		      : strcmp(word, "--processes") == 0 ? &crowd->processes
		      : strcmp(word, "--vmas") == 0      ? &crowd->vmas
							 : NULL;

	if (!which || !value)
		return 0;
	*which = strtol(value, NULL, 10);
	return 1;
}

static void set_policy(int policy)
{
	struct sched_param parameter = {.sched_priority = policy == SCHED_FIFO};

	if (syscall(SYS_sched_setscheduler, 0, policy, &parameter) && errno != ENOSYS)
		perror("bench: sched_setscheduler");
}

int be_first(void)
{
	struct sched_param parameter = {.sched_priority = 1};

	return syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &parameter) ? errno : 0;
}

/* A thread of the crowd: argument NULL sleeps for ever, otherwise it runs for ever once told to. */
static void *member(void *runs)
{
	set_policy(SCHED_OTHER);
	__atomic_add_fetch(&arrived, 1, __ATOMIC_RELEASE);
	while (!runs)
		pause();
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &go, FUTEX_WAIT, 0, NULL, NULL, 0);
	for (;;) {
		__asm__ volatile("pause");
	}
	return NULL;
}

static int make_threads(long count, void *runs)
{
	pthread_attr_t attributes;
	int error = 0;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, THREAD_STACK);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	for (long i = 0; i < count && !error; i++) {
		pthread_t id;

		error = pthread_create(&id, &attributes, member, runs);
	}
	return error;
}

static int threads(const struct crowd *crowd)
{
	const struct timespec millisecond = {0, 1000000};
	int error = make_threads(crowd->sleepers, NULL);

	if (!error)
		error = make_threads(crowd->runnable, "");
	if (error)
		return error;
	while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) <
		(uint32_t)(crowd->sleepers + crowd->runnable))
		nanosleep(&millisecond, NULL);
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &go, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	return 0;
}

static int processes(const struct crowd *crowd)
{
	for (long i = 0; i < crowd->processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return errno;
		if (pid == 0) {
			set_policy(SCHED_OTHER);
			for (;;)
				pause();
		}
	}
	return 0;
}

/* A child that makes its part of the crowd and keeps it; its pid, or 0 after a message. */
static pid_t keeper(int (*make)(const struct crowd *), const struct crowd *crowd)
{
	int ready[2], error = 0;
	pid_t pid;

	if (pipe(ready) < 0)
		return 0;
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		close(ready[0]);
		error = make(crowd);
		if (write(ready[1], &error, sizeof error) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (pid < 0 || read(ready[0], &error, sizeof error) != sizeof error || error) {
		fprintf(stderr, "bench: no crowd: %s\n", strerror(pid < 0 ? errno : error));
		pid = 0;
	}
	close(ready[0]);
	return pid;
}

/* Pages whose neighbours have another protection: as many VMAs. */
static int areas(long count)
{
	char *first = mmap(NULL, (size_t)count * PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (first == MAP_FAILED)
		return errno;
	for (long i = 0; i < count; i += 2) {
		if (mprotect(first + (size_t)i * PAGE, PAGE, PROT_READ))
			return errno;
	}
	return 0;
}

int crowd_start(const struct crowd *crowd)
{
	int error;

	if (crowd->sleepers + crowd->runnable) {
		keepers[0] = keeper(threads, crowd);
		if (!keepers[0])
			return EAGAIN;
	}
	if (crowd->processes) {
		keepers[1] = keeper(processes, crowd);
		if (!keepers[1])
			return EAGAIN;
	}
	error = crowd->vmas ? areas(crowd->vmas) : 0;
	if (error)
		fprintf(stderr, "bench: no %ld VMAs: %s\n", crowd->vmas, strerror(error));
	return error;
}

void crowd_end(void)
{
	for (int i = 0; i < 2; i++) {
		if (!keepers[i])
			continue;
		kill(-keepers[i], SIGKILL);
		waitpid(keepers[i], NULL, 0);
	}
}
