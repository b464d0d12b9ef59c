/* SPDX-License-Identifier: MIT */
/*
 * Tests made of cases: each is a function with a name that says what must be so, run in a forked
 * child of its own, so that nothing it does to itself (masks, handlers, ids, limits) reaches the
 * next. It holds when the child ends as the case says, by default with status 0. Inside, WANT and
 * WANT_IS end the process that finds a deviation with status 1, in a child or a thread of the
 * case as well, and say on a `#` line where and what. skip() ends a case that cannot be run;
 * ci/system.py has the list of those that may.
 *
 * The child leads a process group of its own, whose remains are killed after it; a case that hangs
 * is ended by SIGALRM. `program WORD` runs the cases that have WORD in their names.
 *
 *	static const struct test_case cases[] = {CASE(fn, "fork: the child gets 0"), ...};
 */
#ifndef USER_TESTS_CASES_H
#define USER_TESTS_CASES_H

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/utsname.h>

#include "check.h"

#define CASE_SECONDS 200 /* an emulated machine on a loaded host is slow */
#define KERNEL_SPACE 0xffffffff80000000ul
#define BAD          ((void *)KERNEL_SPACE) /* no address of a process */
#define NOBODY       65534u
#define SKIPPED      77

struct test_case {
	const char *name;
	void (*run)(void);
	int ends; /* wait status without the core-dump bit */
};
#define CASE(run, name)      \
	{                    \
		name, run, 0 \
	}
#define CASE_ENDS(run, ends, name) \
	{                          \
		name, run, ends    \
	}

/* ---- Inside a case ---- */

static inline void want_failed(
	const char *file, int line, const char *what, long found, bool number)
{
	char text[300];
	const char *slash = strrchr(file, '/');
	int length, error = found == -1 ? errno : found < 0 && found > -4096 ? (int)-found : 0;

	file = slash ? slash + 1 : file;
	if (number)
		length = snprintf(text, sizeof text, "# %s:%d: %s: found %ld (%#lx)%s%s\n", file,
			line, what, found, (unsigned long)found, error ? " " : "",
			error ? strerror(error) : "");
	else
		length = snprintf(text, sizeof text, "# %s:%d: not so: %s\n", file, line, what);
	kernel_call(SYS_write, 1, text, length < (int)sizeof text ? length : (int)sizeof text - 1);
	kernel_call(SYS_exit_group, 1);
}
#define WANT(condition) \
	((condition) ? (void)0 : want_failed(__FILE__, __LINE__, #condition, 0, false))

static inline void want_is(const char *file, int line, const char *what, long found, long expected)
{
	if (found != expected)
		want_failed(file, line, what, found, true);
}
#define WANT_IS(found, expected) \
	want_is(__FILE__, __LINE__, #found " == " #expected, (long)(found), (long)(expected))

/* The child's pid; it does `act` and ends with 0, unless that ends it otherwise. Like the case it
 * does not wait for ever. */
static inline pid_t start(void (*act)(void))
{
	pid_t pid = fork();

	WANT(pid >= 0);
	if (pid == 0) {
		alarm(CASE_SECONDS);
		act();
		_exit(0);
	}
	return pid;
}

static inline pthread_t begin_thread(void *(*act)(void *), void *argument)
{
	pthread_t thread;

	WANT_IS(pthread_create(&thread, NULL, act, argument), 0);
	return thread;
}

static inline void *join_thread(pthread_t thread)
{
	void *result;

	WANT_IS(pthread_join(thread, &result), 0);
	return result;
}

static inline int ended(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, __WALL) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return status & ~0x80;
}
#define WANT_ENDS(pid, status) WANT_IS(ended(pid), status)

/* Ends a case that this kernel cannot run, for a reason that whoever reads the output may judge. */
static inline void skip(const char *reason)
{
	dprintf(1, "# skipped: %s\n", reason);
	_exit(SKIPPED);
}

static inline void just_wait(void)
{
	for (;;)
		pause();
}

/* A gate: whoever waits goes on when somebody opens it, or nobody is left who could. */
struct gate {
	int in, out;
};

static inline struct gate make_gate(void)
{
	int fds[2];

	WANT_IS(pipe(fds), 0);
	return (struct gate){fds[0], fds[1]};
}

static inline void open_gate(struct gate gate)
{
	WANT_IS(kernel_call(SYS_write, gate.out, "x", 1), 1);
}

static inline void wait_gate(struct gate gate)
{
	char c;
	long got;

	do {
		got = kernel_call(SYS_read, gate.in, &c, 1);
	} while (got == -EINTR);
	WANT_IS(got, 1);
}

/* Zeroed memory that children share. */
static inline void *shared_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	WANT(p != MAP_FAILED);
	return p;
}

static inline void handle_info(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

	WANT_IS(sigaction(number, &action, NULL), 0);
}

static inline void handle(int number, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	WANT_IS(sigaction(number, &action, NULL), 0);
}

static inline sigset_t set_of(int number)
{
	sigset_t set;

	sigemptyset(&set);
	if (number)
		sigaddset(&set, number);
	return set;
}

static inline void block(int number)
{
	sigset_t set = set_of(number);

	WANT_IS(sigprocmask(SIG_BLOCK, &set, NULL), 0);
}

static inline void unblock(int number)
{
	sigset_t set = set_of(number);

	WANT_IS(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
}

static inline bool is_pending(int number)
{
	sigset_t set;

	WANT_IS(sigpending(&set), 0);
	return sigismember(&set, number);
}

/* SIGALRM every so many microseconds; 0: no more. */
static inline void tick(long microseconds)
{
	struct itimerval timer = {{0, microseconds}, {0, microseconds}};

	WANT_IS(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* Root becomes nobody for good: true; who is not root stays who he is: false. */
static inline bool become_nobody(void)
{
	if (geteuid() != 0)
		return false;
	WANT_IS(kernel_call(SYS_setgroups, 0, NULL), 0);
	WANT_IS(kernel_call(SYS_setresgid, NOBODY, NOBODY, NOBODY), 0);
	WANT_IS(kernel_call(SYS_setresuid, NOBODY, NOBODY, NOBODY), 0);
	return true;
}

/* A user that no other test has, nor another run of the same: its processes are counted, or killed. Ask before a fork. */
static inline unsigned lone_user(void)
{
	return 20000u + (unsigned)getpid() % 40000u;
}

/* Root becomes that one for good: its number. */
static inline unsigned become_lone(void)
{
	unsigned user = lone_user();

	WANT_IS(kernel_call(SYS_setresuid, user, user, user), 0);
	return user;
}

/* ---- Running them ---- */

static inline int run_case(const struct test_case *c)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		setpgid(0, 0);
		alarm(CASE_SECONDS);
		c->run();
		_exit(0);
	}
	if (pid < 0) {
		printf("# %s: fork: %s\n", c->name, strerror(errno));
		return -1;
	}
	setpgid(pid, pid); /* whichever of both comes first */
	status = wait_status(pid);
	kill(-pid, SIGKILL);
	return status;
}

static inline void run_cases(const struct test_case *cases, size_t count, int argc, char **argv)
{
	static char self[PATH_MAX];
	int status;

	if (realpath(check.self, self)) /* cases change their directory */
		check.self = self;
	for (size_t i = 0; i < count; i++) {
		if (argc > 1 && !strstr(cases[i].name, argv[1]))
			continue;
		fflush(stdout);
		status = run_case(&cases[i]);
		if (status == EXITED(SKIPPED))
			claim(true, "%s # SKIP", cases[i].name);
		else
			claim_ended(status, cases[i].ends, cases[i].name);
	}
}

/* Whether this is a Linux before MAJOR.MINOR, or calls itself so. */
static inline bool linux_before(int major, int minor)
{
	struct utsname name;
	int have[2] = {0, 0};

	WANT_IS(uname(&name), 0);
	sscanf(name.release, "%d.%d", &have[0], &have[1]);
	return have[0] < major || (have[0] == major && have[1] < minor);
}

#endif
