/* SPDX-License-Identifier: MIT */
/*
 * The allocation-failure sweep:
 *
 *	sweep [--first N] [--drawn N] [--slice MS] [--seed S] TEST...
 *
 * Each test (a program) is started again and again, and each time another one of its allocations fails, by
 * /proc/PID/fail-nth: the first N in turn, then some drawn from those behind. It begins with those of execve. The test
 * may do what it likes about that; when it has had some time it is ended, with all that it has started. After
 * each test the kernel audits its tables, and what it has in use must be what it was. A slice bounds the time for one test;
 * the last fifth of it is for those that are drawn.
 * The last lines say which places in the kernel were reached and how often they failed.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>

#include "fuzz.h"
#include "tests/check.h"

#define AFTER_MS    4    /* that a test gets after the failure */
#define LOOK_MS     16   /* at most between two looks; they are closer at first */
#define LONGEST_MS  3000 /* that it gets to come to it */
#define WARM_MS     1000
#define NEVER       0x7fffffffu
#define DRAWN_BELOW 3000 /* among so many behind the first ones */

enum outcome { FAILED, NOT_REACHED, TOO_LATE };

static struct {
	unsigned first, drawn;
	int64_t slice; /* ns; 0: none */
	struct random random;
} options = {.first = 200, .drawn = 50, .random = {1}};

static int null_fd;

/* Of a process, in /proc, which may be covered: its number n, or what is left of it; -1: it is gone. */
static long fail_nth(pid_t pid, unsigned n)
{
	char path[64], text[16] = "";
	int fd, length;

	snprintf(path, sizeof path, "%d/fail-nth", pid);
	fd = openat(world_proc(), path, n ? O_WRONLY | O_CLOEXEC : O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (n) {
		length = snprintf(text, sizeof text, "%u", n);
		if (write(fd, text, (size_t)length) != length)
			world_fail("fail-nth cannot be written");
	} else if (read(fd, text, sizeof text - 1) <= 0) {
		close(fd);
		return -1;
	}
	close(fd);
	return atol(text);
}

static void run_test(const char *path, int go)
{
	char *argv[] = {(char *)path, NULL};
	char byte;

	for (int fd = 0; fd < 3; fd++)
		dup2(null_fd, fd);
	if (read(go, &byte, 1) != 1)
		_exit(121);
	execv(path, argv);
	_exit(120);
}

static enum outcome trial(const char *path, unsigned n, int64_t longest_ms)
{
	int64_t until = now_ns() + longest_ms * INT64_C(1000000);
	enum outcome outcome = TOO_LATE;
	int go[2], status, looks = 0;
	pid_t pid;

	if (pipe2(go, O_CLOEXEC) != 0)
		world_fail("pipe");
	pid = fork();
	if (pid < 0)
		world_fail("fork");
	if (pid == 0)
		run_test(path, go[0]);
	fail_nth(pid, n);
	if (write(go[1], "x", 1) != 1)
		world_fail("write");
	close(go[0]);
	close(go[1]);
	while (now_ns() < until) {
		if (outcome == TOO_LATE && fail_nth(pid, 0) == 0) {
			outcome = FAILED;
			until = now_ns() + AFTER_MS * INT64_C(1000000);
		}
		if (waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT) != 0)
			break;
		if (waitpid(pid, &status, WNOHANG) == pid) {
			outcome = outcome == TOO_LATE ? NOT_REACHED : outcome;
			break;
		}
		sleep_ms(looks++ / 4 < LOOK_MS ? looks / 4 + 1 : LOOK_MS);
	}
	world_end_all();
	return outcome;
}

static void begin(void)
{
	if (mount("sweep", "/tmp", "tmpfs", 0, "size=64m,mode=1777") != 0 ||
		mount("sweep", "/dev/shm", "tmpfs", 0, "size=64m,mode=1777") != 0 ||
		chdir("/tmp") != 0)
		world_fail("mount over /tmp and /dev/shm");
}

static void finish(unsigned nth, bool settling)
{
	if (chdir("/") != 0)
		world_fail("chdir");
	world_clear();
	if (!world_audit(nth, settling))
		world_fail("no /proc/baton/audit");
}

static void sweep(const char *path, unsigned nth)
{
	int64_t until = options.slice ? now_ns() + options.slice : INT64_MAX;
	int64_t turn_until = options.slice ? until - options.slice / 5 : INT64_MAX;
	unsigned failed = 0, trials = 0, drawn = 0;
	enum outcome outcome = FAILED;

	/* once as it is: names and tables that stay are made */
	begin();
	trial(path, NEVER, WARM_MS);
	finish(nth, true);
	begin();
	for (unsigned n = 1; n <= options.first && outcome == FAILED && now_ns() < turn_until;
		n++) {
		outcome = trial(path, n, LONGEST_MS);
		trials++;
		failed += outcome == FAILED;
	}
	for (; drawn < options.drawn && now_ns() < until && outcome == FAILED; drawn++)
		failed +=
			trial(path, options.first + 1 + random_below(&options.random, DRAWN_BELOW),
				LONGEST_MS) == FAILED;
	finish(nth, false);
	printf("ok %s: %u in turn, %u drawn; %u allocations failed\n", path, trials, drawn, failed);
	fflush(stdout);
}

static void show_sites(void)
{
	static char text[1 << 16];
	int fd = openat(world_proc(), "baton/allocations", O_RDONLY | O_CLOEXEC);
	ssize_t got;

	while (fd >= 0 && (got = read(fd, text, sizeof text)) > 0)
		fwrite(text, 1, (size_t)got, stdout);
	if (fd < 0)
		world_fail("no /proc/baton/allocations");
	close(fd);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		unsigned long value = strtoul(argv[i + 1], NULL, 0);

		if (strcmp(argv[i], "--first") == 0)
			options.first = (unsigned)value;
		else if (strcmp(argv[i], "--drawn") == 0)
			options.drawn = (unsigned)value;
		else if (strcmp(argv[i], "--slice") == 0)
			options.slice = (int64_t)value * 1000000;
		else if (strcmp(argv[i], "--seed") == 0)
			options.random.state = value;
	}
	if (getuid() != 0 || getppid() != 1) {
		printf("sweep: only for a machine of its own, as root, as the child of process "
		       "1\n");
		return 2;
	}
	world_init(argv[0]);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int test = i; test < argc; test++)
		sweep(argv[test], (unsigned)(test - i));
	printf("sites:\n");
	show_sites();
	return 0;
}
