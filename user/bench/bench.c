/* SPDX-License-Identifier: MIT */
/*
 * The cost table's operations, measured by rdtsc: `name ticks` a line, the median over some samples,
 * each the mean of a batch. Under QEMU's -icount shift=0 one tick is one instruction, so the figures
 * are counts. Runs on Linux and on Baton; what a kernel has no call for is skipped and says so.
 *
 *	bench [NAME...]		all, or those named
 *
 * What the loop itself costs is measured by an operation that does nothing, and subtracted.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/spawn.h"

#define SAMPLES 31
#define PAGE    4096ul
#define PAGES   64ul /* touched in one batch of the fault operations */

static const char *self;
static unsigned char *pages; /* what the fault operations touch */
static pid_t partner;
static char *break_start;

static inline uint64_t ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

/* ---- Operations: 0, or the errno by which the kernel refused ---- */

static int op_nothing(void)
{
	return 0;
}

static int op_getpid(void)
{
	return getpid() > 0 ? 0 : errno;
}

static int op_clock_gettime(void)
{
	struct timespec t;

	return syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t) ? errno : 0;
}

static int op_yield(void)
{
	return sched_yield() ? errno : 0;
}

static int op_futex_wake(void)
{
	static int word;

	return syscall(SYS_futex, &word, 129 /* FUTEX_WAKE_PRIVATE */, 1, NULL, NULL, 0) ? errno
											 : 0;
}

static void on_signal(int number)
{
}

static int op_signal(void)
{
	return syscall(SYS_kill, getpid(), SIGUSR1) ? errno : 0;
}

static int op_map_one(void)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED || munmap(p, PAGE) ? errno : 0;
}

static int op_map_touch(void)
{
	volatile unsigned char *p =
		mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return errno;
	for (unsigned long i = 0; i < 64; i++)
		p[i * PAGE] = 1;
	return munmap((void *)p, 64 * PAGE) ? errno : 0;
}

static int op_brk(void)
{
	char *up = break_start + PAGE;

	if ((char *)syscall(SYS_brk, up) != up)
		return ENOMEM;
	return (char *)syscall(SYS_brk, break_start) == break_start ? 0 : ENOMEM;
}

static int op_mprotect(void)
{
	return mprotect(pages, PAGE, PROT_READ) || mprotect(pages, PAGE, PROT_READ | PROT_WRITE)
		       ? errno
		       : 0;
}

static int reap(pid_t pid)
{
	int status;

	if (pid < 0)
		return errno;
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : ECHILD;
}

static int op_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return reap(pid);
}

static int op_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	return reap(pid);
}

static char *exit_argv[] = {"bench", "--exit", NULL};

static int op_fork_exec(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execve(self, exit_argv, environ);
		_exit(1);
	}
	return reap(pid);
}

static int op_posix_spawn(void)
{
	pid_t pid;
	int error = posix_spawn(&pid, self, NULL, NULL, exit_argv, environ);

	return error ? error : reap(pid);
}

static void *thread(void *argument)
{
	return argument;
}

static int op_thread(void)
{
	pthread_t id;
	int error = pthread_create(&id, NULL, thread, NULL);

	return error ? error : pthread_join(id, NULL);
}

/* ---- What a batch needs around it ---- */

static int map_pages(void)
{
	pages = mmap(
		NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return pages == MAP_FAILED ? errno : 0;
}

static void unmap_pages(void)
{
	munmap(pages, PAGES * PAGE);
}

static int map_one_touched(void)
{
	int error = map_pages();

	if (!error)
		pages[0] = 1;
	return error;
}

/* A page-table's pages are there already: only the fault itself is measured. */
static volatile unsigned char *next_page;

static int map_fresh(void)
{
	int error = map_pages();

	next_page = pages;
	return error;
}

static int op_write_fault(void)
{
	*next_page = 1;
	next_page += PAGE;
	return 0;
}

static int op_read_fault(void)
{
	(void)*next_page;
	next_page += PAGE;
	return 0;
}

/* All pages written, then shared with a child that sleeps: each write is a copy. */
static int map_shared(void)
{
	int error = map_fresh();

	if (error)
		return error;
	memset(pages, 1, PAGES * PAGE);
	partner = fork();
	if (partner == 0) {
		for (;;)
			pause();
	}
	return partner < 0 ? errno : 0;
}

static void kill_partner(void)
{
	if (partner > 0) {
		kill(partner, SIGKILL);
		waitpid(partner, NULL, 0);
	}
	partner = 0;
}

static void set_policy(int policy)
{
	struct sched_param parameter = {.sched_priority = policy == SCHED_FIFO};

	syscall(SYS_sched_setscheduler, 0, policy, &parameter);
}

static void end_yielder(void)
{
	kill_partner();
	set_policy(SCHED_OTHER);
}

static void end_shared(void)
{
	kill_partner();
	unmap_pages();
}

/* Linux's fair scheduler lets most yields return at once; between two FIFO processes each of them
 * switches. Where there is no such call, they take turns anyway. */
static int start_yielder(void)
{
	char *argv[] = {"bench", "--yield", NULL};

	set_policy(SCHED_FIFO);
	partner = spawn(self, argv, environ);
	if (partner < 0)
		return -partner;
	for (int i = 0; i < 100; i++) /* until it is in its loop */
		sched_yield();
	return 0;
}

static int catch_signal(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	return sigaction(SIGUSR1, &action, NULL) ? errno : 0;
}

static int find_break(void)
{
	break_start = (char *)syscall(SYS_brk, 0);
	return 0;
}

static const struct operation {
	const char *name;
	int (*operate)(void);
	int batch;           /* operations in a sample */
	int (*before)(void); /* before each sample; its errno skips the operation */
	void (*after)(void);
} operations[] = {
	{"getpid", op_getpid, 1000, NULL, NULL},
	{"clock_gettime", op_clock_gettime, 1000, NULL, NULL},
	{"sched_yield", op_yield, 1000, NULL, NULL},
	{"yield", op_yield, 500, start_yielder, end_yielder},
	{"futex_wake", op_futex_wake, 1000, NULL, NULL},
	{"signal_self", op_signal, 200, catch_signal, NULL},
	{"write_fault", op_write_fault, PAGES, map_fresh, unmap_pages},
	{"read_fault", op_read_fault, PAGES, map_fresh, unmap_pages},
	{"cow_fault", op_write_fault, PAGES, map_shared, end_shared},
	{"mmap_munmap", op_map_one, 200, NULL, NULL},
	{"mmap_touch_munmap_64", op_map_touch, 4, NULL, NULL},
	{"brk_up_down", op_brk, 200, find_break, NULL},
	{"mprotect_pair", op_mprotect, 200, map_one_touched, unmap_pages},
	{"fork_exit_wait", op_fork, 4, NULL, NULL},
	{"vfork_exit_wait", op_vfork, 4, NULL, NULL},
	{"fork_exec_exit_wait", op_fork_exec, 4, NULL, NULL},
	{"posix_spawn_wait", op_posix_spawn, 4, NULL, NULL},
	{"pthread_create_join", op_thread, 4, NULL, NULL},
};
#define OPERATIONS (sizeof operations / sizeof *operations)

/* One sample's mean; an errno in *error. */
static uint64_t sample(const struct operation *o, int *error)
{
	uint64_t before, after;

	*error = o->before ? o->before() : 0;
	if (*error) {
		if (o->after)
			o->after();
		return 0;
	}
	before = ticks();
	for (int i = 0; i < o->batch; i++)
		*error |= o->operate();
	after = ticks();
	if (o->after)
		o->after();
	return (after - before) / (uint64_t)o->batch;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The median in ticks, or 0 and an errno in *error. */
static uint64_t measure(const struct operation *o, int *error)
{
	uint64_t samples[SAMPLES];

	sample(o, error); /* warms up */
	for (int i = 0; i < SAMPLES && !*error; i++)
		samples[i] = sample(o, error);
	if (*error)
		return 0;
	qsort(samples, SAMPLES, sizeof *samples, compare);
	return samples[SAMPLES / 2];
}

static void report(const struct operation *o)
{
	static const struct operation nothing = {"nothing", op_nothing, 1000, NULL, NULL};
	int error, none;
	uint64_t loop = measure(&nothing, &none), found = measure(o, &error);

	if (error)
		printf("%s skipped: %s\n", o->name, strerror(error));
	else
		printf("%s %llu\n", o->name, (unsigned long long)(found > loop ? found - loop : 0));
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], name) == 0)
			return true;
	}
	return argc < 2;
}

static int known(const char *name)
{
	for (size_t i = 0; i < OPERATIONS; i++) {
		if (strcmp(operations[i].name, name) == 0)
			return 1;
	}
	fprintf(stderr, "bench: no operation \"%s\"\n", name);
	return 0;
}

int main(int argc, char **argv)
{
	cpu_set_t first;

	self = argv[0];
	if (argc == 2 && strcmp(argv[1], "--exit") == 0)
		_exit(0);
	if (argc == 2 && strcmp(argv[1], "--yield") == 0) {
		for (;;)
			sched_yield();
	}
	for (int i = 1; i < argc; i++) {
		if (!known(argv[i]))
			return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(
		0, sizeof first, &first); /* where there is such a call, there are more CPUs */
	for (size_t i = 0; i < OPERATIONS; i++) {
		if (wanted(operations[i].name, argc, argv))
			report(&operations[i]);
	}
	return 0;
}
