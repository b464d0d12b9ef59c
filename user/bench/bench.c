/* SPDX-License-Identifier: MIT */
/*
 * The cost table's operations, measured by rdtsc: `name ticks` a line, the median over some samples,
 * each the mean of a batch. Under QEMU's -icount shift=0 one tick is one instruction, so the figures
 * are counts. Runs on Linux and on Baton; what a kernel has no call for is skipped and says so.
 *
 *	bench [--fifo] [--sleepers N] [--runnable N] [--processes N] [--vmas N] [NAME...]
 *
 * All operations, or those named; under SCHED_FIFO, and with that many sleeping and runnable threads and
 * sleeping processes on the machine, and VMAs in this process (crowd.c).
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

#include "crowd.h"
#include "lib/spawn.h"
#include "operation.h"

#define SAMPLES 31
#define PAGE    4096ul
#define PAGES   64ul /* touched in one batch of the fault operations */

const char *bench_self;
static unsigned char *pages; /* what the fault operations touch */
static pid_t me, partner;
static char *break_start;
static int terminal;
static unsigned char *alone; /* a page that is no part of a larger mapping */
static bool first;           /* under SCHED_FIFO all the time */

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
	return call(SYS_getpid, 0, 0, 0, 0, 0, 0) > 0 ? 0 : EINVAL;
}

static int op_clock_gettime(void)
{
	struct timespec t;

	return (int)-call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&t, 0, 0, 0, 0);
}

static int op_clock_gettime_vdso(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_MONOTONIC, &t) ? errno : 0;
}

static int op_yield(void)
{
	return (int)-call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

static int op_futex_wake(void)
{
	static int word;

	return (int)-call(SYS_futex, (long)&word, 129 /* FUTEX_WAKE_PRIVATE */, 1, 0, 0, 0);
}

static void on_signal(int number)
{
}

static int op_signal(void)
{
	return (int)-call(SYS_kill, me, SIGUSR1, 0, 0, 0, 0);
}

static volatile unsigned char *map(size_t size)
{
	long at = call(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);

	return at < 0 && at > -4096 ? MAP_FAILED : (void *)at;
}

static int op_map_one(void)
{
	volatile unsigned char *p = map(PAGE);

	return p == MAP_FAILED ? ENOMEM : (int)-call(SYS_munmap, (long)p, PAGE, 0, 0, 0, 0);
}

static int op_map_touch(void)
{
	volatile unsigned char *p = map(64 * PAGE);

	if (p == MAP_FAILED)
		return ENOMEM;
	for (unsigned long i = 0; i < 64; i++)
		p[i * PAGE] = 1;
	return (int)-call(SYS_munmap, (long)p, 64 * PAGE, 0, 0, 0, 0);
}

static int op_brk(void)
{
	const long down = (long)break_start, up = down + (long)PAGE;

	if (call(SYS_brk, up, 0, 0, 0, 0, 0) != up)
		return ENOMEM;
	return call(SYS_brk, down, 0, 0, 0, 0, 0) == down ? 0 : ENOMEM;
}

static int op_mprotect(void)
{
	return (int)-(call(SYS_mprotect, (long)alone, PAGE, PROT_READ, 0, 0, 0) +
		      call(SYS_mprotect, (long)alone, PAGE, PROT_READ | PROT_WRITE, 0, 0, 0));
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
		execve(bench_self, exit_argv, environ);
		_exit(1);
	}
	return reap(pid);
}

static int op_posix_spawn(void)
{
	pid_t pid;
	int error = posix_spawn(&pid, bench_self, NULL, NULL, exit_argv, environ);

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

/* A page between two that nobody may touch: its protection changes as a whole, and never to that of its
 * neighbours. */
static int map_one_touched(void)
{
	pages = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return errno;
	alone = pages + PAGE;
	if (mprotect(alone, PAGE, PROT_READ | PROT_WRITE))
		return errno;
	*alone = 1;
	return 0;
}

static void unmap_one(void)
{
	munmap(pages, 3 * PAGE);
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
	if (!first)
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
	partner = spawn(bench_self, argv, environ);
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

/* A line at the foot of the first terminal of the screen, which scrolls by it: baton bench has no screen,
 * exec with a machine that has one measures it. Skipped where there is none. */
static int screen_line(void)
{
	static unsigned int lines;
	char line[62];
	ssize_t written;

	for (int i = 0; i < 60; i++) /* no two lines that follow each other share a letter */
		line[i] = (char)('a' + (lines + (unsigned int)i) % 26);
	lines++;
	line[60] = '\r';
	line[61] = '\n';
	written = write(terminal, line, sizeof line);
	return written == sizeof line ? 0 : errno;
}

static int open_screen(void)
{
	static const char foot[] = "\033[m\033[999;1H";

	terminal = open("/dev/tty1", O_WRONLY | O_NOCTTY);
	return terminal >= 0 && write(terminal, foot, sizeof foot - 1) > 0 ? 0 : errno;
}

static void close_screen(void)
{
	close(terminal);
}

static const struct operation core_operations[] = {
	{"getpid", op_getpid, 1000, NULL, NULL},
	{"clock_gettime", op_clock_gettime, 1000, NULL, NULL},
	{"clock_gettime_vdso", op_clock_gettime_vdso, 1000, NULL, NULL},
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
	{"mprotect_pair", op_mprotect, 200, map_one_touched, unmap_one},
	{"fork_exit_wait", op_fork, 4, NULL, NULL},
	{"vfork_exit_wait", op_vfork, 4, NULL, NULL},
	{"fork_exec_exit_wait", op_fork_exec, 4, NULL, NULL},
	{"posix_spawn_wait", op_posix_spawn, 4, NULL, NULL},
	{"pthread_create_join", op_thread, 4, NULL, NULL},
	{"screen_scroll_line", screen_line, 100, open_screen, close_screen},
	{NULL, NULL, 0, NULL, NULL},
};
/* In the order in which they are measured: what forks and executes comes before what opens many files. */
static const struct operation *const tables[] = {core_operations, bench_file_operations};
#define TABLES (sizeof tables / sizeof *tables)

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
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], name) == 0)
			return true;
	}
	return argc == 0;
}

static int known(const char *name)
{
	for (size_t i = 0; i < TABLES; i++) {
		for (const struct operation *o = tables[i]; o->name; o++) {
			if (strcmp(o->name, name) == 0)
				return 1;
		}
	}
	fprintf(stderr, "bench: no operation \"%s\"\n", name);
	return 0;
}

/* Takes the options off; how many words there were, or -1 after a message. */
static int options(int argc, char **argv, struct crowd *crowd)
{
	int at = 1;

	while (at < argc && strncmp(argv[at], "--", 2) == 0) {
		if (strcmp(argv[at], "--fifo") == 0) {
			first = true;
			at++;
		} else if (crowd_option(crowd, argv[at], argv[at + 1])) {
			at += 2;
		} else {
			fprintf(stderr, "bench: no option \"%s\"\n", argv[at]);
			return -1;
		}
	}
	for (int i = at; i < argc; i++) {
		if (!known(argv[i]))
			return -1;
	}
	return at;
}

static void stay_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(
		0, sizeof set, &set); /* where there is such a call, there are more CPUs */
}

int main(int argc, char **argv)
{
	struct crowd crowd = {0};
	int at;

	bench_self = argv[0];
	me = getpid();
	if (argc == 2 && strcmp(argv[1], "--exit") == 0)
		_exit(0);
	if (argc == 2 && strcmp(argv[1], "--yield") == 0) {
		for (;;)
			sched_yield();
	}
	if (argc == 4 && strcmp(argv[1], "--echo") == 0) {
		bench_echo(atoi(argv[2]), atoi(argv[3]));
		_exit(0);
	}
	at = options(argc, argv, &crowd);
	if (at < 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	stay_on_one_cpu();
	if (first && be_first())
		fprintf(stderr, "bench: no SCHED_FIFO: %s\n", strerror(errno));
	if (crowd_start(&crowd))
		return 1;
	for (size_t i = 0; i < TABLES; i++) {
		for (const struct operation *o = tables[i]; o->name; o++) {
			if (wanted(o->name, argc - at, argv + at))
				report(o);
		}
	}
	bench_files_end();
	crowd_end();
	return 0;
}
