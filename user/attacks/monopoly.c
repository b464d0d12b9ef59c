/* SPDX-License-Identifier: MIT */
/*
 * Taking more than one's share: time, processes, memory, descriptors, signals, timers. While an attack
 * goes on the victim must move on, on every CPU; what piles up must end in an errno. Limits are set so low that
 * the same runs on a host; bombs without them, by root, are tests/bombs.c, in machines of their own.
 */
#include "attacks/attack.h"
#include "tests/futex_abi.h"

#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/resource.h>

#define HOLES 200000 /* more areas than a process may have */

static void limit(int resource, rlim_t most)
{
	struct rlimit limit = {most, most};

	WANT_IS(setrlimit(resource, &limit), 0);
}

/* ---- Time ---- */

static void loops(long unused)
{
	(void)unused;
	for (;;)
		__asm__ volatile("" ::: "memory");
}

static void loops_without_interrupts(long unused)
{
	__asm__ volatile("pushfq; andq $~0x200, (%%rsp); popfq" ::: "memory", "cc");
	loops(unused);
}

static void yields(long unused)
{
	(void)unused;
	for (;;)
		kernel_call(SYS_sched_yield);
}

static void faults(long unused)
{
	char *p = pages(64, PROT_READ | PROT_WRITE);

	(void)unused;
	for (;;) {
		memset(p, 1, 64 * PAGE);
		madvise(p, 64 * PAGE, MADV_DONTNEED);
	}
}

static void asks(long unused)
{
	char *p = pages(4096, PROT_READ | PROT_WRITE);

	(void)unused;
	for (;;)
		kernel_call(SYS_getrandom, p, 4096 * PAGE, 0);
}

static void forks_and_waits(long unused)
{
	(void)unused;
	for (;;) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		ended(pid);
	}
}

static void floods(long pid)
{
	for (;;)
		kernel_call(SYS_kill, pid, SIGUSR1);
}

static void handles(int number)
{
	(void)number;
}

static void is_flooded(long unused)
{
	(void)unused;
	signal(SIGUSR1, handles);
	for (long parent = getpid(), i = 0; i < 2; i++)
		begin(floods, parent);
	loops(0);
}

static void timers(long unused)
{
	struct itimerval often = {{0, 1}, {0, 1}};

	(void)unused;
	signal(SIGALRM, handles);
	WANT_IS(setitimer(ITIMER_REAL, &often, NULL), 0);
	loops(0);
}

static uint32_t *shared_word(void)
{
	uint32_t *word =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	WANT(word != MAP_FAILED);
	return word;
}

static void wakes(long word)
{
	for (;;)
		kernel_call(SYS_futex, word, FUTEX_WAKE, 1);
}

static void futexes(long unused)
{
	static const struct timespec soon = {0, 100000};
	uint32_t *word = shared_word();

	(void)unused;
	begin(wakes, (long)(uintptr_t)word);
	for (;;)
		kernel_call(SYS_futex, word, FUTEX_WAIT, 0, &soon);
}

/* Three of them for each CPU the victim counts on; meanwhile it must go on. */
static void against_victim(long storm)
{
	for (unsigned i = 0; i < 3 * shared->counting; i++)
		begin((void (*)(long))storm, 0);
	for (int i = 0; i < 5; i++)
		WANT(victim_counts());
}

static void long_call(long unused)
{
	(void)unused;
	against_victim((long)(uintptr_t)asks);
}

/* ---- Processes, memory, descriptors ---- */

static void waits(long unused)
{
	(void)unused;
	for (;;)
		pause();
}

static void fork_bomb(long unused)
{
	long count = 0, pid = 0;

	(void)unused;
	limit(RLIMIT_NPROC, 64);
	while (count < 1000 && (pid = kernel_call(SYS_fork)) > 0)
		count++;
	if (pid == 0)
		waits(0);
	WANT_IS(pid, -EAGAIN);
	WANT(count > 10 && count < 64);
	WANT(victim_counts());
}

static void *waits_too(void *unused)
{
	waits(0);
	return unused;
}

static void thread_bomb(long unused)
{
	pthread_attr_t small;
	pthread_t thread;
	int count = 0, error = 0;

	(void)unused;
	limit(RLIMIT_NPROC, 64);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 16384);
	for (; count < 1000 && !error; count++)
		error = pthread_create(&thread, &small, waits_too, NULL);
	WANT_IS(error, EAGAIN);
	WANT(count > 10 && count <= 64);
	WANT(victim_counts());
}

static void memory_bomb(long unused)
{
	long p = 0;
	int count = 0;

	(void)unused;
	limit(RLIMIT_AS, 64 << 20);
	for (; count < 1000; count++) {
		p = kernel_call(SYS_mmap, 0, 1 << 20, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p < 0)
			break;
		memset((char *)p, 1, 1 << 20);
	}
	WANT_IS(p, -ENOMEM);
	WANT(count > 10 && count < 64);
}

static void locked_memory(long unused)
{
	char *p = pages(64, PROT_READ | PROT_WRITE);

	(void)unused;
	limit(RLIMIT_MEMLOCK, 8 * PAGE);
	WANT_IS(kernel_call(SYS_mlock, p, 8 * PAGE), 0);
	WANT_IS(kernel_call(SYS_mlock, p + 8 * PAGE, PAGE), -ENOMEM);
	WANT_IS(kernel_call(SYS_mlockall, 1), -ENOMEM);
}

static void descriptor_bomb(long unused)
{
	long found = 0;

	(void)unused;
	limit(RLIMIT_NOFILE, 256);
	for (int i = 0; i < 1000 && found >= 0; i++)
		found = kernel_call(SYS_dup, 1);
	WANT_IS(found, -EMFILE);
	WANT_IS(kernel_call(SYS_dup2, 1, 256), -EBADF);
}

static void pipe_fill(long unused)
{
	static char full[4096];
	long sum = 0, done = 0;
	int fds[2];

	(void)unused;
	WANT_IS(pipe2(fds, O_NONBLOCK), 0);
	for (; sum < 1 << 24 && done >= 0; sum += done)
		done = kernel_call(SYS_write, fds[1], full, sizeof full);
	WANT_IS(done, -EAGAIN);
	WANT_IS(sum + EAGAIN, 65536);
	WANT_IS(kernel_call(SYS_fcntl, fds[1], F_SETPIPE_SZ, 1 << 30), -EPERM);
}

static void file_size(long unused)
{
	int fd = file_of(0);

	(void)unused;
	limit(RLIMIT_FSIZE, PAGE);
	signal(SIGXFSZ, SIG_IGN);
	WANT_IS(ftruncate(fd, (off_t)PAGE), 0);
	WANT_IS(kernel_call(SYS_ftruncate, fd, PAGE + 1), -EFBIG);
	WANT_IS(kernel_call(SYS_pwrite64, fd, "x", 1, PAGE), -EFBIG);
}

static void cpu_time(long unused)
{
	limit(RLIMIT_CPU, 1);
	loops(unused);
}

static void areas(long unused)
{
	char *p = mmap(NULL, HOLES * 2 * PAGE, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	long result = 0, count = 0;

	(void)unused;
	WANT(p != MAP_FAILED);
	for (; count < HOLES && !result; count++)
		result = kernel_call(SYS_mprotect, p + (size_t)count * 2 * PAGE, PAGE, PROT_READ);
	WANT_IS(result, -ENOMEM);
	WANT(count > 10000 && count < 70000);
	WANT_IS(munmap(p, HOLES * 2 * PAGE), 0);
}

static void queued_signals(long unused)
{
	union sigval value = {.sival_int = 1};
	sigset_t set;
	int count = 0, result = 0;

	(void)unused;
	limit(RLIMIT_SIGPENDING, 100);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	WANT_IS(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	for (; count < 1000 && !result; count++)
		result = sigqueue(getpid(), SIGRTMIN, value);
	WANT(result < 0 && errno == EAGAIN);
	WANT(count <= 101);
}

static void timers_without_end(long unused)
{
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	long error = 0;
	int id, count = 0;

	(void)unused;
	limit(RLIMIT_SIGPENDING, 20);
	for (; count < 1000 && !error; count++)
		error = kernel_call(SYS_timer_create, CLOCK_MONOTONIC, &event, &id);
	WANT_IS(error, -EAGAIN);
	WANT(count <= 21);
}

static void epolls_in_a_circle(long unused)
{
	int a = epoll_create1(0), b = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN};

	(void)unused;
	WANT_IS(epoll_ctl(a, EPOLL_CTL_ADD, b, &event), 0);
	WANT_IS(kernel_call(SYS_epoll_ctl, b, EPOLL_CTL_ADD, a, &event), -ELOOP);
	WANT_IS(kernel_call(SYS_epoll_ctl, a, EPOLL_CTL_ADD, a, &event), -EINVAL);
}

static void arguments(long unused)
{
	const size_t count = 700000;
	char **argv = calloc(count + 1, sizeof *argv);

	(void)unused;
	WANT(argv != NULL);
	for (size_t i = 0; i < count; i++)
		argv[i] = "";
	WANT_IS(kernel_call(SYS_execve, "/proc/self/exe", argv, environ), -E2BIG);
}

static void priorities(long unused)
{
	WANT_IS(kernel_call(SYS_setpriority, PRIO_PROCESS, 0, 19), 0);
	WANT_IS(kernel_call(SYS_setpriority, PRIO_PROCESS, 0, 0), -EACCES);
	WANT_IS(kernel_call(SYS_sched_setaffinity, 0, 8, &(unsigned long){0}), -EINVAL);
	against_victim((long)(uintptr_t)loops);
	(void)unused;
}

#define SHARE "time is shared out by weights: whoever waits gets it"

#define STORM(name, tries, why, storm)                                  \
	{                                                               \
		name, tries, why, {CALM}, against_victim, (long)(storm) \
	}

static const struct attack attacks[] = {
	STORM("loop", "loops for ever, three times on each CPU", "the timer interrupts; " SHARE,
		loops),
	STORM("loop-interrupts", "the same with interrupts hoped off by POPF",
		"IF stays on; the timer interrupts", loops_without_interrupts),
	STORM("yield", "gives the CPU away for ever", SHARE, yields),
	STORM("faults", "touches pages and drops them for ever",
		SHARE ", and faults are the process's time", faults),
	STORM("forks", "forks and waits for ever", SHARE ", and children share their parent's",
		forks_and_waits),
	STORM("signals", "sends signals without end", "they do not pile up: one of a kind waits",
		is_flooded),
	STORM("timers", "has a timer fire each microsecond",
		"the next one is set when the last one was taken", timers),
	STORM("futexes", "wakes and waits for ever", SHARE, futexes),
	{"long-call", "asks for 16 MiB of random numbers at once",
		"long calls give the CPU away when another waits", {CALM}, long_call},
	{"priorities", "abuses priorities, affinities",
		"nobody gets a higher one back: EACCES; no CPU: EINVAL", {CALM}, priorities},
	{"fork-bomb", "forks until it cannot", "RLIMIT_NPROC: EAGAIN", {CALM}, fork_bomb},
	{"thread-bomb", "makes threads until it cannot", "RLIMIT_NPROC: EAGAIN", {CALM},
		thread_bomb},
	{"memory-bomb", "takes memory until it cannot", "RLIMIT_AS: ENOMEM", {CALM}, memory_bomb},
	{"locked-memory", "locks memory beyond its limit", "RLIMIT_MEMLOCK: ENOMEM", {CALM},
		locked_memory},
	{"descriptor-bomb", "opens until it cannot", "RLIMIT_NOFILE: EMFILE, EBADF", {CALM},
		descriptor_bomb},
	{"pipe-fill", "fills a pipe, and wants a larger one",
		"64 KiB, then EAGAIN; above pipe-max-size EPERM", {CALM}, pipe_fill},
	{"file-size", "grows a file beyond its limit", "RLIMIT_FSIZE: EFBIG", {CALM}, file_size},
	{"cpu-time", "loops beyond its limit of CPU time",
		"RLIMIT_CPU: SIGXCPU, at the hard limit SIGKILL", {ENDS(SIGKILL)}, cpu_time},
	{"areas", "one-page holes without end", "max_map_count: ENOMEM", {CALM}, areas},
	{"queued-signals", "queues signals that nobody takes", "RLIMIT_SIGPENDING: EAGAIN", {CALM},
		queued_signals},
	{"timer-bomb", "makes timers until it cannot", "RLIMIT_SIGPENDING: EAGAIN", {CALM},
		timers_without_end},
	{"epoll-circle", "puts an epoll into itself, by way of another", "ELOOP, EINVAL", {CALM},
		epolls_in_a_circle},
	{"arguments", "starts a program with 700,000 arguments", "pointers count as well: E2BIG",
		{CALM}, arguments},
};
FAMILY(monopoly, "taking more than one's share", attacks);
