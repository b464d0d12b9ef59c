/* SPDX-License-Identifier: MIT */
/*
 * The system tests' few words. A test is a program that runs unchanged on Linux, the reference, and
 * prints one line per claim (`ok N name` or `not ok N name`), reasons behind `#`, and the plan at
 * the end, `1..N`; its status is 0 when all claims held. What it prints is the same in every run:
 * no pids, addresses or times but in reasons, so that the runs on two kernels can be compared.
 *
 * What must end a process, or must be seen from another one, happens in a child: the test starts
 * itself anew in a role (vfork and execve: fork is not asked for):
 *
 *	return check_main(argc, argv, roles, COUNT(roles), all);
 */
#ifndef USER_TESTS_CHECK_H
#define USER_TESTS_CHECK_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/spawn.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct {
	const char *self; /* path of this program */
	int done, failed;
} check;

/* One claim, named by the format; its truth is handed back. */
static inline __attribute__((format(printf, 2, 3))) bool claim(bool held, const char *format, ...)
{
	va_list arguments;

	check.done++;
	check.failed += !held;
	printf("%sok %d ", held ? "" : "not ", check.done);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
	return held;
}

/* Claims that two numbers are equal. */
static inline bool claim_equal(long found, long expected, const char *name)
{
	bool held = claim(found == expected, "%s", name);

	if (!held)
		printf("# %s: found %ld (%#lx), expected %ld (%#lx)\n", name, found,
			(unsigned long)found, expected, (unsigned long)expected);
	return held;
}

/* Claims what a system call gave: `expected` a result, or a negative errno. The kernel's own answer
 * is wanted, so call it by kernel_call. */
static inline bool claim_result(long found, long expected, const char *name)
{
	bool held = claim(found == expected, "%s", name);

	if (!held && found < 0 && found > -4096)
		printf("# %s: gave -%ld (%s), expected %ld\n", name, -found, strerror((int)-found),
			expected);
	else if (!held)
		printf("# %s: gave %ld, expected %ld\n", name, found, expected);
	return held;
}

/* The kernel's answer without the C library between: a result or a negative errno. */
static inline long kernel_call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#define KERNEL_CALL7(n, a, b, c, d, e, f, ...) \
	kernel_call6((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define kernel_call(...) KERNEL_CALL7(__VA_ARGS__, 0, 0, 0, 0, 0, 0)

#define ROLE_ARGUMENTS   8

/* Starts this program in a role with up to six more words (NULL ends them). The child's pid. */
static inline pid_t start_role(const char *role, ...)
{
	char *argv[ROLE_ARGUMENTS + 3] = {(char *)check.self, "--role", (char *)role};
	va_list arguments;
	pid_t pid;

	fflush(stdout);
	va_start(arguments, role);
	for (int i = 3; i < ROLE_ARGUMENTS + 2; i++) {
		argv[i] = va_arg(arguments, char *);
		if (!argv[i])
			break;
	}
	va_end(arguments);
	pid = spawn(check.self, argv, environ);
	if (pid < 0) {
		printf("# cannot start %s as %s: %s\n", check.self, role, strerror(-pid));
		exit(99);
	}
	return pid;
}

static inline int wait_status(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

#define run_role(...) wait_status(start_role(__VA_ARGS__, NULL))

/* Claims how a child ended. */
static inline bool claim_ended(int status, int expected, const char *name)
{
	char found_text[64], expected_text[64];
	bool held = claim((status & ~0x80) == expected, "%s", name); /* a core dump is no matter */

	if (!held)
		printf("# %s: %s, expected: %s\n", name,
			how_it_ended(status, found_text, sizeof found_text),
			how_it_ended(expected, expected_text, sizeof expected_text));
	return held;
}
#define EXITED(code) ((code) << 8)
#define KILLED(sig)  (sig)

static inline int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static inline void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/*
 * Waits until a process (or a thread) is in this state: S asleep in a call, Z ended. Whoever is to find another one there
 * waits for that, not for a time: it may be held up anywhere before.
 */
static inline void until_state(pid_t pid, char state)
{
	char path[64], text[512], *close_bracket = NULL;
	ssize_t length;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	for (;; sleep_ms(1)) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
		if (fd >= 0)
			close(fd);
		text[length > 0 ? length : 0] = 0;
		close_bracket = strrchr(text, ')'); /* of the name */
		if (close_bracket && close_bracket[1] == ' ' && close_bracket[2] == state)
			return;
	}
}

static inline void until_asleep(pid_t pid)
{
	until_state(pid, 'S');
}

/* A path beside this program. */
static inline const char *beside(const char *name, char *path, size_t size)
{
	const char *slash = strrchr(check.self, '/');

	snprintf(path, size, "%.*s%s", slash ? (int)(slash - check.self + 1) : 0, check.self, name);
	return path;
}

struct role {
	const char *name;
	int (*act)(int argc, char **argv); /* argv[0] is the word after the role's name */
};

/* What a test's main does: a role when asked for one, otherwise all of it and the plan. */
static inline int check_main(
	int argc, char **argv, const struct role *roles, size_t count, void (*all)(int, char **))
{
	static const int defaults[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE};

	check.self = argv[0];
	if (argc > 2 && strcmp(argv[1], "--role") == 0) {
		for (size_t i = 0; i < count; i++) {
			if (strcmp(argv[2], roles[i].name) == 0)
				return roles[i].act(argc - 3, argv + 3);
		}
		printf("# no role %s\n", argv[2]);
		return 98;
	}
	/* Whoever starts the tests may ignore these (nohup, a shell's background): what they do by default is tested. */
	for (size_t i = 0; i < COUNT(defaults); i++)
		signal(defaults[i], SIG_DFL);
	all(argc, argv);
	printf("1..%d\n", check.done);
	return check.failed != 0;
}

#endif
