/* SPDX-License-Identifier: MIT */
/*
 * Everything at once, at random, from a fixed seed, and checked as it goes:
 *
 *	stress [OPERATIONS [SEED [WORKERS]]]		20,000, 1 and 8 by default
 *
 * WORKERS processes share the operations. Each has a generator of its own, so its choices are the same in every run,
 * however the scheduler mixes them. An operation makes, uses and checks one of: a fork with memory that must stay the same
 * on both sides, an execve of this program, mappings with checksums that are protected, moved, punched and given back, a
 * fault that a handler mends, signals that must all arrive, threads that pass a token by futex, a pipe through which a
 * child sends what can be recomputed, a child that is killed in the middle of something, a stop and a continue. Nobody may
 * be lost: every child is waited for, by pid and with the status that it must have; every wake-up arrives: where nobody
 * gets on for minutes, the test says who stands where. The last line counts the operations by kind; status 0: all held.
 */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "check.h"

#define PAGE          4096ul
#define WORKERS_MOST  64
#define STUCK_SECONDS 120 /* without an operation by anybody: a wake-up was lost */
#define EXEC_STATUS   91

static uint64_t random_state;
static const char *doing = "nothing";
static unsigned long done_before; /* operations of this worker */

static uint64_t next_random(void) /* xorshift64* */
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static unsigned int pick(unsigned int below)
{
	return (unsigned int)((next_random() >> 33) % below);
}

static void failed(int line, const char *what, long found)
{
	char text[256];
	int length = snprintf(text, sizeof text,
		"not ok stress: line %d: %s: %ld (errno %d) in operation %lu, %s\n", line, what,
		found, errno, done_before, doing);

	kernel_call(SYS_write, 1, text, length);
	kernel_call(SYS_exit_group, 1);
}
#define MUST(condition) ((condition) ? (void)0 : failed(__LINE__, #condition, 0))
#define MUST_BE(found, expected)                                           \
	do {                                                               \
		long found_ = (long)(found);                               \
		if (found_ != (long)(expected))                            \
			failed(__LINE__, #found " == " #expected, found_); \
	} while (0)

static int status_of(pid_t pid)
{
	int status = -1;
	pid_t got;

	do {
		got = waitpid(pid, &status, 0);
	} while (got < 0 && errno == EINTR);
	MUST_BE(got, pid);
	return status & ~0x80;
}

static void sleep_on(volatile uint32_t *word, uint32_t value)
{
	long result = kernel_call(SYS_futex, word, 0, value, NULL);

	MUST(result == 0 || result == -EAGAIN || result == -EINTR);
}

static void wake_all(volatile uint32_t *word)
{
	long woken = kernel_call(SYS_futex, word, 1, INT_MAX);

	MUST(woken >= 0 && woken < WORKERS_MOST);
}

/* ---- Memory with a pattern ---- */

static uint64_t pattern(uint64_t seed, size_t index)
{
	uint64_t x = seed + index * UINT64_C(0x9e3779b97f4a7c15);

	return (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

static void fill(uint64_t *p, size_t pages, uint64_t seed)
{
	for (size_t page = 0; page < pages; page++) {
		for (size_t i = 0; i < 512; i += 37)
			p[page * 512 + i] = pattern(seed, page * 512 + i);
	}
}

static bool is_filled(const uint64_t *p, size_t pages, uint64_t seed)
{
	for (size_t page = 0; page < pages; page++) {
		for (size_t i = 0; i < 512; i += 37) {
			if (p[page * 512 + i] != pattern(seed, page * 512 + i))
				return false;
		}
	}
	return true;
}

static uint64_t *map_pages(size_t pages, int kind)
{
	void *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);

	MUST(p != MAP_FAILED);
	return p;
}

/* ---- The operations ---- */

/* Each side changes its own copy and finds it unchanged by the other. */
static void do_fork(void)
{
	size_t pages = 1 + pick(16);
	uint64_t seed = next_random(), *p = map_pages(pages, MAP_PRIVATE);
	unsigned int code = pick(200);
	pid_t pid;

	fill(p, pages, seed);
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0) {
		MUST(is_filled(p, pages, seed));
		fill(p, pages, ~seed);
		sched_yield();
		MUST(is_filled(p, pages, ~seed));
		_exit((int)code);
	}
	fill(p, pages, seed + 1);
	sched_yield();
	MUST(is_filled(p, pages, seed + 1));
	MUST_BE(status_of(pid), EXITED((int)code));
	MUST_BE(munmap(p, pages * PAGE), 0);
}

static void do_exec(void)
{
	char text[24], *argv[] = {(char *)check.self, "--exec", text, NULL};
	unsigned int value = pick(1000000);
	pid_t pid;

	snprintf(text, sizeof text, "%u", value);
	pid = spawn(check.self, argv, environ);
	MUST(pid > 0);
	MUST_BE(status_of(pid), EXITED(EXEC_STATUS + (int)(value % 7)));
}

/* Shared with a child, which sees what is written after the fork and answers. */
static void do_shared(void)
{
	size_t pages = 1 + pick(8);
	uint64_t seed = next_random(), *p = map_pages(pages + 1, MAP_SHARED);
	volatile uint32_t *turn = (uint32_t *)(p + pages * 512);
	pid_t pid = fork();

	MUST(pid >= 0);
	if (pid == 0) {
		while (*turn == 0)
			sleep_on(turn, 0);
		MUST(is_filled(p, pages, seed));
		fill(p, pages, ~seed);
		*turn = 2;
		wake_all(turn);
		_exit(0);
	}
	fill(p, pages, seed);
	*turn = 1;
	wake_all(turn);
	while (*turn == 1)
		sleep_on(turn, 1);
	MUST(is_filled(p, pages, ~seed));
	MUST_BE(status_of(pid), EXITED(0));
	MUST_BE(munmap(p, (pages + 1) * PAGE), 0);
}

/* Maps, protects a part, gives a part back, grows or moves, and finds the rest as it was. */
static void do_map(void)
{
	size_t pages = 4 + pick(60), hole = 1 + pick((unsigned int)pages - 2);
	uint64_t seed = next_random(), *p = map_pages(pages, MAP_PRIVATE);

	fill(p, pages, seed);
	MUST_BE(mprotect(p + hole * 512, PAGE, PROT_READ), 0);
	MUST(is_filled(p, pages, seed));
	MUST_BE(munmap(p + hole * 512, PAGE), 0);
	MUST(is_filled(p, hole, seed));
	MUST_BE(mmap(p + hole * 512, PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
		p + hole * 512);
	for (size_t i = 0; i < 512; i++)
		MUST_BE(p[hole * 512 + i], 0);
	fill(p, pages, seed + 1);
	MUST(is_filled(p, pages, seed + 1));
	MUST_BE(munmap(p, pages * PAGE), 0);
}

static char *volatile broken;
static volatile unsigned int mended;

static void mend(int number, siginfo_t *info, void *context)
{
	char *at = info->si_addr;

	MUST(at >= broken && at < broken + 8 * PAGE && info->si_code == SEGV_ACCERR);
	MUST_BE(mprotect((void *)((uintptr_t)at & ~(PAGE - 1)), PAGE, PROT_READ | PROT_WRITE), 0);
	mended++;
}

static void do_fault(void)
{
	struct sigaction action = {.sa_sigaction = mend, .sa_flags = SA_SIGINFO};
	uint64_t *p = map_pages(8, MAP_PRIVATE);

	MUST_BE(sigaction(SIGSEGV, &action, NULL), 0);
	fill(p, 8, 5);
	MUST_BE(mprotect(p, 8 * PAGE, pick(2) ? PROT_NONE : PROT_READ), 0);
	broken = (char *)p;
	mended = 0;
	for (unsigned int i = 0; i < 8; i++)
		*(volatile uint64_t *)(p + i * 512 + 1) = i;
	MUST_BE(mended, 8);
	MUST(is_filled(p, 8, 5));
	MUST_BE(munmap(p, 8 * PAGE), 0);
	MUST(signal(SIGSEGV, SIG_DFL) != SIG_ERR);
}

static volatile unsigned int arrived, value_sum;

static void count_signal(int number, siginfo_t *info, void *context)
{
	arrived++;
	value_sum += (unsigned int)info->si_value.sival_int;
}

/* A child queues real-time signals; all come, once, with their values. */
static void do_signals(void)
{
	struct sigaction action = {.sa_sigaction = count_signal, .sa_flags = SA_SIGINFO};
	unsigned int count = 1 + pick(20), sum = 0;
	pid_t parent = getpid(), pid;
	sigset_t set, old;

	MUST_BE(sigaction(SIGRTMIN, &action, NULL), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	MUST_BE(sigprocmask(SIG_BLOCK, &set, &old), 0);
	arrived = value_sum = 0;
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0) {
		for (unsigned int i = 1; i <= count; i++)
			MUST_BE(sigqueue(parent, SIGRTMIN, (union sigval){.sival_int = (int)i}), 0);
		_exit(0);
	}
	for (unsigned int i = 1; i <= count; i++)
		sum += i;
	while (arrived < count)
		sigsuspend(&old);
	MUST_BE(status_of(pid), EXITED(0));
	MUST_BE(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	MUST_BE(arrived, count);
	MUST_BE(value_sum, sum);
}

/* Numbers through a pipe, in pieces of any size. */
static void do_pipe(void)
{
	size_t length = 1 + pick(40000), got = 0;
	unsigned char buffer[4000];
	uint64_t seed = next_random();
	int fds[2];
	ssize_t n;
	pid_t pid;

	MUST_BE(pipe(fds), 0);
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0) {
		MUST_BE(close(fds[0]), 0);
		for (size_t at = 0; at < length; at += (size_t)n) {
			size_t piece = 1 + pick(sizeof buffer);

			if (piece > length - at)
				piece = length - at;
			for (size_t i = 0; i < piece; i++)
				buffer[i] = (unsigned char)pattern(seed, at + i);
			n = write(fds[1], buffer, piece);
			MUST_BE(n, piece);
		}
		_exit(0);
	}
	MUST_BE(close(fds[1]), 0);
	while ((n = read(fds[0], buffer, 1 + pick(sizeof buffer))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			MUST_BE(buffer[i], (unsigned char)pattern(seed, got + (size_t)i));
		got += (size_t)n;
	}
	MUST_BE(n, 0);
	MUST_BE(close(fds[0]), 0);
	MUST_BE(status_of(pid), EXITED(0));
	MUST_BE(got, length);
}

/* Threads pass a token round by one futex word. */
#define ROUND_THREADS 4
static volatile uint32_t token;
static uint32_t rounds;

static void *pass_token(void *me)
{
	uint32_t mine = (uint32_t)(uintptr_t)me;

	for (uint32_t i = 0; i < rounds; i++) {
		uint32_t now;

		while ((now = __atomic_load_n(&token, __ATOMIC_SEQ_CST)) % ROUND_THREADS != mine)
			sleep_on(&token, now);
		__atomic_add_fetch(&token, 1, __ATOMIC_SEQ_CST);
		wake_all(&token);
	}
	return NULL;
}

static void do_threads(void)
{
	pthread_t threads[ROUND_THREADS];

	token = 0;
	rounds = 1 + pick(10);
	for (uintptr_t i = 0; i < ROUND_THREADS; i++)
		MUST_BE(pthread_create(&threads[i], NULL, pass_token, (void *)i), 0);
	for (int i = 0; i < ROUND_THREADS; i++)
		MUST_BE(pthread_join(threads[i], NULL), 0);
	MUST_BE(token, ROUND_THREADS * rounds);
}

static void *churn(void *unused)
{
	for (;;) {
		uint64_t *p = map_pages(3, MAP_PRIVATE);

		fill(p, 3, 1);
		MUST(is_filled(p, 3, 1));
		MUST_BE(munmap(p, 3 * PAGE), 0);
		sched_yield();
	}
	return NULL;
}

/* A process of several threads that map and unmap, killed wherever they are. */
static void do_kill(void)
{
	static const int deadly[] = {SIGKILL, SIGTERM, SIGKILL, SIGUSR1};
	int number = deadly[pick(4)];
	pthread_t thread;
	pid_t pid = fork();

	MUST(pid >= 0);
	if (pid == 0) {
		for (int i = 0; i < 2; i++)
			MUST_BE(pthread_create(&thread, NULL, churn, NULL), 0);
		churn(NULL);
	}
	for (unsigned int i = pick(5); i; i--)
		sched_yield();
	MUST_BE(kill(pid, number), 0);
	MUST_BE(status_of(pid), number);
}

static void do_stop(void)
{
	int status;
	pid_t pid = fork();

	MUST(pid >= 0);
	if (pid == 0) {
		MUST_BE(raise(SIGSTOP), 0);
		_exit(33);
	}
	MUST_BE(waitpid(pid, &status, WUNTRACED), pid);
	MUST(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	MUST_BE(kill(pid, SIGCONT), 0);
	MUST_BE(status_of(pid), EXITED(33));
}

/* Orphans: the grandchild goes to process 1, and its end is seen by the pipe's. */
static void do_orphan(void)
{
	int fds[2];
	char c;
	pid_t pid;

	MUST_BE(pipe(fds), 0);
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0) {
		pid = fork();
		MUST(pid >= 0);
		sched_yield();
		if (pid == 0)
			MUST_BE(write(fds[1], "x", 1), 1);
		_exit(0);
	}
	MUST_BE(status_of(pid), EXITED(0));
	MUST_BE(close(fds[1]), 0);
	MUST_BE(read(fds[0], &c, 1), 1);
	MUST_BE(read(fds[0], &c, 1), 0);
	MUST_BE(close(fds[0]), 0);
}

/* Children that end at once, waited for in any order: each exactly once. */
static void do_children(void)
{
	unsigned int count = 2 + pick(6), codes = 0, expected = 0;
	int status;

	for (unsigned int i = 0; i < count; i++) {
		pid_t pid = fork();

		MUST(pid >= 0);
		if (pid == 0)
			_exit(1 << i);
		expected |= 1u << i;
	}
	for (unsigned int i = 0; i < count; i++) {
		MUST(wait(&status) > 0);
		MUST(WIFEXITED(status));
		codes += (unsigned int)WEXITSTATUS(status);
	}
	MUST_BE(codes, expected & 0xff);
	MUST_BE(wait(&status), -1);
	MUST_BE(errno, ECHILD);
}

static void do_futex_timeout(void)
{
	struct timespec time = {.tv_nsec = 1000 * (long)pick(300)};
	uint32_t word = 3;

	MUST_BE(kernel_call(SYS_futex, &word, 0, 4, NULL), -EAGAIN);
	MUST_BE(kernel_call(SYS_futex, &word, 0, 3, &time), -ETIMEDOUT);
}

static const struct operation {
	const char *name;
	void (*act)(void);
	unsigned int weight;
} operations[] = {
	{"fork", do_fork, 8},
	{"exec", do_exec, 3},
	{"shared", do_shared, 8},
	{"map", do_map, 30},
	{"fault", do_fault, 10},
	{"signals", do_signals, 8},
	{"pipe", do_pipe, 6},
	{"threads", do_threads, 8},
	{"kill", do_kill, 3},
	{"stop", do_stop, 4},
	{"orphan", do_orphan, 4},
	{"children", do_children, 3},
	{"futex", do_futex_timeout, 10},
};

/* ---- Workers ---- */

/* By worker, shared. */
static volatile struct {
	uint32_t counts[COUNT(operations)];
	uint32_t now; /* the operation that it is at */
	bool over;
} * progress;
static unsigned int workers;

static unsigned long operations_done(void)
{
	unsigned long sum = 0;

	for (unsigned int i = 0; i < workers; i++) {
		for (size_t j = 0; j < COUNT(operations); j++)
			sum += progress[i].counts[j];
	}
	return sum;
}

/* SIGALRM in the first process. */
static void look_after_them(int number)
{
	static unsigned long before;
	unsigned long now = operations_done();

	alarm(STUCK_SECONDS);
	if (now != before) {
		before = now;
		return;
	}
	for (unsigned int i = 0; i < workers; i++) {
		if (!progress[i].over)
			dprintf(1, "not ok stress: worker %u is stuck in %s\n", i,
				operations[progress[i].now].name);
	}
	kill(0, SIGKILL);
}

static void work(unsigned int worker, unsigned long number, uint64_t seed)
{
	unsigned int weights = 0, at, i;

	random_state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) + worker * 1000003u + 1;
	for (i = 0; i < 10; i++)
		next_random();
	for (i = 0; i < COUNT(operations); i++)
		weights += operations[i].weight;
	for (done_before = 0; done_before < number; done_before++) {
		at = pick(weights);
		for (i = 0; at >= operations[i].weight; i++)
			at -= operations[i].weight;
		doing = operations[i].name;
		progress[worker].now = i;
		operations[i].act();
		progress[worker].counts[i]++;
	}
	progress[worker].over = true;
	_exit(0);
}

/* The program's status. */
static int end(unsigned long wanted, bool good)
{
	unsigned long sum = operations_done();

	good = good && sum == wanted;
	printf("%s stress: %lu operations by %u workers:", good ? "ok" : "not ok", sum, workers);
	for (size_t j = 0; j < COUNT(operations); j++) {
		sum = 0;
		for (unsigned int i = 0; i < workers; i++)
			sum += progress[i].counts[j];
		printf(" %s %lu", operations[j].name, sum);
	}
	printf("\n");
	return !good;
}

static bool wait_for_all(const pid_t *pids)
{
	bool good = true;
	char text[64];

	for (unsigned int i = 0; i < workers; i++) {
		int status = status_of(pids[i]);

		progress[i].over = true;
		good = good && status == 0;
		if (status)
			printf("# worker %u %s\n", i, how_it_ended(status, text, sizeof text));
	}
	return good;
}

int main(int argc, char **argv)
{
	unsigned long number = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
	uint64_t seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
	pid_t pids[WORKERS_MOST];
	check.self = argv[0];
	if (argc == 3 && strcmp(argv[1], "--exec") == 0)
		return EXEC_STATUS + (int)(strtoul(argv[2], NULL, 10) % 7);
	workers = argc > 3 ? (unsigned int)strtoul(argv[3], NULL, 10) : 8;
	if (workers < 1 || workers > WORKERS_MOST) {
		printf("stress: 1 to %d workers\n", WORKERS_MOST);
		return 2;
	}
	progress = (void *)map_pages((sizeof *progress * workers + PAGE - 1) / PAGE, MAP_SHARED);
	setpgid(0, 0); /* what is left of it is killed when it is stuck */
	for (unsigned int i = 0; i < workers; i++) {
		pids[i] = fork();
		MUST(pids[i] >= 0);
		if (pids[i] == 0)
			work(i, number / workers + (i < number % workers), seed);
	}
	signal(SIGALRM, look_after_them);
	alarm(STUCK_SECONDS);
	return end(number, wait_for_all(pids));
}
