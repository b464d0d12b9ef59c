/* SPDX-License-Identifier: MIT */
/*
 * The allocation-failure sweep:
 *
 *	sweep [--runs N] [--ways MS] [--first N] [--drawn N] [--once 1] [--slice MS] [--seed S] TEST...
 *
 * Each test (a program) is started again and again, and each time other allocations fail, of it and of all that it
 * has started (/proc/baton/fail-tree). First a run without failures, which tells how many there are. Then runs in which each
 * way to an allocation (all callers on the kernel's stack) fails the first time it is gone, until a run goes no new one; with
 * --once 1 what has failed in an earlier test is not new. Then one failure a run: the first N allocations in
 * turn, beginning with those of execve, and some drawn from those behind. The test may do what it likes about that; when it has
 * had some time, or stands still, it is ended, with all that it has started. After each test the kernel audits its tables, and
 * what it has in use must be what it was; but the first test's ways fail before, when what is made once for all is not there
 * yet; all of them. --ways and --slice bound the time in which the machine computes for one test: with all ways, and with one failure
 * a run, of which the last fifth is for those that are drawn.
 * The last lines say which places in the kernel were reached and how often they failed.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>

#include "fuzz.h"
#include "tests/check.h"

#define AFTER_MS   10     /* that a test gets after the one failure */
#define LOOK_MS    16     /* at most between two looks; they are closer at first */
#define STILL_MS   5000   /* so long it may compute without an allocation */
#define ASLEEP_MS  20000  /* and so long nothing need happen at all */
#define LONGEST_MS 600000 /* a run without failures */
#define BESIDES_MS 2000   /* a run with some may compute so much longer than twice that one */

struct counts {
	unsigned long reached, failed;
};

static struct {
	unsigned runs, first, drawn;
	bool once;
	int64_t ways, slice; /* ns */
	struct random random;
} options = {.runs = 200,
	.first = 200,
	.drawn = 50,
	.ways = INT64_MAX / 2,
	.slice = INT64_MAX / 2,
	.random = {1}};

static int null_fd, tree_fd, stat_fd;

/* ---- The kernel's files, in /proc, which may be covered ---- */

static int open_proc(const char *name, int flags)
{
	int fd = openat(world_proc(), name, flags | O_CLOEXEC);

	if (fd < 0)
		world_fail(name);
	return fd;
}

static struct counts counts_now(void)
{
	struct counts now;
	char text[128];
	ssize_t got = pread(tree_fd, text, sizeof text - 1, 0);

	if (got <= 0)
		world_fail("fail-tree cannot be read");
	text[got] = 0;
	if (sscanf(text, "reached %lu failed %lu", &now.reached, &now.failed) != 2)
		world_fail("fail-tree's text");
	return now;
}

/* pid 0: there is no tree any more. */
static void set_tree(pid_t pid, unsigned nth, unsigned round)
{
	char text[64];
	int length = pid ? snprintf(text, sizeof text, "%d %u %u", pid, nth, round)
			 : snprintf(text, sizeof text, "0");

	if (write(tree_fd, text, (size_t)length) != length)
		world_fail("fail-tree cannot be written");
}

/* How long the CPUs have computed together, ns. */
static int64_t busy_ns(void)
{
	unsigned long user, nice, system, idle, wait, irq, soft;
	char text[256];
	ssize_t got = pread(stat_fd, text, sizeof text - 1, 0);

	if (got <= 0)
		world_fail("/proc/stat");
	text[got] = 0;
	if (sscanf(text, "cpu %lu %lu %lu %lu %lu %lu %lu", &user, &nice, &system, &idle, &wait,
		    &irq, &soft) != 7)
		world_fail("/proc/stat's text");
	return (int64_t)(user + nice + system + irq + soft) * (1000000000 / sysconf(_SC_CLK_TCK));
}

/* ---- One run of a test ---- */

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

static pid_t start_test(const char *path, unsigned nth, unsigned round)
{
	int go[2];
	pid_t pid;

	if (pipe2(go, O_CLOEXEC) != 0)
		world_fail("pipe");
	pid = fork();
	if (pid < 0)
		world_fail("fork");
	if (pid == 0)
		run_test(path, go[0]);
	set_tree(pid, nth, round);
	if (write(go[1], "x", 1) != 1)
		world_fail("write");
	close(go[0]);
	close(go[1]);
	return pid;
}

/* Waits until the test has ended, stands still, has computed for so long, or has had its time after the one failure. */
static void wait_for(pid_t pid, bool one, int64_t longest)
{
	int64_t start = busy_ns(), moved = now_ns(), moved_busy = start, after = INT64_MAX;
	struct counts before = {0, 0}, now;
	int looks = 0;

	while (waitpid(pid, NULL, WNOHANG) == 0) {
		now = counts_now();
		if (one && now.failed && after == INT64_MAX)
			after = now_ns() + AFTER_MS * INT64_C(1000000);
		if (now.reached != before.reached) {
			moved = now_ns();
			moved_busy = busy_ns();
			before = now;
		}
		if (now_ns() > after || busy_ns() - start > longest ||
			now_ns() - moved > ASLEEP_MS * INT64_C(1000000) ||
			busy_ns() - moved_busy > STILL_MS * INT64_C(1000000))
			break;
		sleep_ms(looks++ / 4 < LOOK_MS ? looks / 4 + 1 : LOOK_MS);
	}
}

static struct counts trial(const char *path, unsigned nth, unsigned round, int64_t longest)
{
	pid_t pid = start_test(path, nth, round);
	struct counts counts;

	wait_for(pid, nth != 0, longest);
	counts = counts_now();
	set_tree(0, 0, 0);
	world_end_all();
	return counts;
}

/* ---- A test ---- */

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

/* What came of one. */
struct swept {
	unsigned long reached, ways, failed;
	unsigned runs, turn, drawn;
};

/* Runs in which each way fails that has not yet in this round. */
static void fail_ways(
	const char *path, struct swept *swept, unsigned round, int64_t longest, int64_t until)
{
	struct counts last = {0, 1};

	for (unsigned i = 0; i < options.runs && last.failed && busy_ns() < until; i++) {
		last = trial(path, 0, round, longest);
		swept->ways += last.failed;
		swept->runs++;
	}
}

static void fail_one_each(const char *path, struct swept *swept, int64_t longest)
{
	int64_t until = busy_ns() + options.slice, turn_until = until - options.slice / 5;
	struct counts last = {0, 1};

	for (; swept->turn < options.first && last.failed && busy_ns() < turn_until;
		swept->turn++) {
		last = trial(path, swept->turn + 1, 0, longest);
		swept->failed += last.failed;
	}
	if (swept->reached <= options.first)
		return;
	for (; swept->drawn < options.drawn && busy_ns() < until; swept->drawn++) {
		unsigned behind =
			random_below(&options.random, (unsigned)(swept->reached - options.first));

		swept->failed += trial(path, options.first + 1 + behind, 0, longest).failed;
	}
}

static void sweep(const char *path, unsigned nth)
{
	const int64_t longest = LONGEST_MS * INT64_C(1000000);
	struct swept swept = {0};
	int64_t start, most;

	begin();
	if (nth == 0)
		fail_ways(path, &swept, 1, longest, INT64_MAX);
	start = busy_ns();
	/* once as it is: names and tables that stay are made */
	swept.reached = trial(path, 0, 0, longest).reached;
	most = 2 * (busy_ns() - start) + BESIDES_MS * INT64_C(1000000);
	finish(nth, true);
	begin();
	fail_ways(path, &swept, options.once ? 1 : 1 + nth, most, busy_ns() + options.ways);
	fail_one_each(path, &swept, most);
	finish(nth, false);
	printf("ok %s: %lu allocations; %lu ways failed in %u runs; %u in turn, %u drawn, of which "
	       "%lu "
	       "failed; %ld ms\n",
		path, swept.reached, swept.ways, swept.runs, swept.turn, swept.drawn, swept.failed,
		(long)((busy_ns() - start) / 1000000));
	fflush(stdout);
}

static void show_sites(void)
{
	static char text[1 << 16];
	int fd = open_proc("baton/allocations", O_RDONLY);
	ssize_t got;

	while ((got = read(fd, text, sizeof text)) > 0)
		fwrite(text, 1, (size_t)got, stdout);
	close(fd);
}

static void take_option(const char *name, const char *text)
{
	unsigned long value = strtoul(text, NULL, 0);

	if (strcmp(name, "--runs") == 0)
		options.runs = (unsigned)value;
	else if (strcmp(name, "--first") == 0)
		options.first = (unsigned)value;
	else if (strcmp(name, "--drawn") == 0)
		options.drawn = (unsigned)value;
	else if (strcmp(name, "--once") == 0)
		options.once = value;
	else if (strcmp(name, "--slice") == 0)
		options.slice = (int64_t)value * 1000000;
	else if (strcmp(name, "--ways") == 0)
		options.ways = (int64_t)value * 1000000;
	else if (strcmp(name, "--seed") == 0)
		options.random.state = value;
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i + 1 < argc && argv[i][0] == '-'; i += 2)
		take_option(argv[i], argv[i + 1]);
	if (getpid() != 1) { /* whom a test cannot kill whose fork has given it -1 */
		printf("sweep: only for a machine of its own, as process 1\n");
		return 2;
	}
	world_init(argv[0]);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	tree_fd = open_proc("baton/fail-tree", O_RDWR);
	stat_fd = open_proc("stat", O_RDONLY);
	for (int test = i; test < argc; test++)
		sweep(argv[test], (unsigned)(test - i));
	printf("sites:\n");
	show_sites();
	return 0;
}
