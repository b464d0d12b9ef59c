/* SPDX-License-Identifier: MIT */
/*
 * Which of several errors a call tells, and what it looks at first, where programs or their test
 * suites were seen to depend on it. Found by calls with arguments at random, on Linux and on Baton.
 */
#include <sys/stat.h>

#include "cases.h"
#include "futex_abi.h"

/* The kernel's headers, which musl has not. */
#define CAPABILITY_VERSION_3 0x20080522
#define IO_WHO_PROCESS_GROUP 2
#define IO_BEST_EFFORT       (2 << 13)
#define KCMP_VM              1

#define FILE_CLOCK           (-8 | 3) /* of descriptor 0, which is no clock */
#define HUGE_SIZE            (1ul << 60)
#define NO_PID               0x7fffffff

static char *last_page(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	WANT(p != MAP_FAILED);
	WANT_IS(munmap(p + 4096, 4096), 0);
	return p;
}

static void waitid_errors(void)
{
	siginfo_t info;

	memset(&info, 0x55, sizeof info);
	WANT_IS(kernel_call(SYS_waitid, P_ALL, 0, &info, WNOHANG, NULL), -EINVAL);
	WANT_IS(info.si_signo, 0);
	WANT_IS(info.si_pid, 0);
	WANT_IS(kernel_call(SYS_waitid, P_ALL, 0, BAD, WNOHANG, NULL), -EFAULT);
	WANT_IS(kernel_call(SYS_waitid, 99, 0, BAD, WEXITED, NULL), -EFAULT);
	WANT_IS(kernel_call(SYS_waitid, 99, 0, NULL, WEXITED, BAD), -EINVAL);
	memset(&info, 0x55, sizeof info);
	WANT_IS(kernel_call(SYS_waitid, P_ALL, 0, &info, WEXITED, NULL), -ECHILD);
	WANT_IS(info.si_signo, 0);
}

static void execveat_errors(void)
{
	WANT_IS(kernel_call(SYS_execveat, AT_FDCWD, BAD, NULL, NULL, 2), -EFAULT);
	WANT_IS(kernel_call(SYS_execveat, AT_FDCWD, "", NULL, NULL, 2), -ENOENT);
	WANT_IS(kernel_call(SYS_execveat, AT_FDCWD, "/none", NULL, NULL, 2), -EINVAL);
}

static void affinity_sizes(void)
{
	unsigned long mask[16] = {0};

	WANT_IS(kernel_call(SYS_sched_getaffinity, 0, 1ul << 32, mask), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_setaffinity, 0, 1ul << 32, BAD), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_setaffinity, NO_PID, 1ul << 32, BAD), -ESRCH);
}

static void groups_wanted(void)
{
	gid_t none = (gid_t)-1;

	if (geteuid() != 0)
		skip("not root");
	WANT_IS(kernel_call(SYS_setgroups, 0, BAD), 0);
	WANT_IS(kernel_call(SYS_setgroups, 1, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_setgroups, 1, &none), -EINVAL);
}

static void kcmp_errors(void)
{
	int self = getpid();

	WANT_IS(kernel_call(SYS_kcmp, self, NO_PID, 99, 0, 0), -ESRCH);
	WANT_IS(kernel_call(SYS_kcmp, self, self, 99, 0, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_kcmp, self, self, KCMP_VM, 0, 0), 0);
}

static void capabilities(void)
{
	uint32_t *word = (uint32_t *)(last_page() + 4092);

	*word = 0;
	WANT_IS(kernel_call(SYS_capget, word, word), -EINVAL);
	WANT_IS(*word, CAPABILITY_VERSION_3);
	WANT_IS(kernel_call(SYS_capget, word, NULL), 0);
	WANT_IS(kernel_call(SYS_capget, word, word), -EFAULT);
	*word = 0;
	WANT_IS(kernel_call(SYS_capset, word, BAD), -EINVAL);
}

static void clocks(void)
{
	struct sigevent event = {.sigev_notify = 99};
	struct timespec time = {0, 1};
	int id;

	WANT_IS(kernel_call(SYS_timer_create, CLOCK_MONOTONIC_COARSE, &event, &id), -EOPNOTSUPP);
	WANT_IS(kernel_call(SYS_timer_create, CLOCK_MONOTONIC_COARSE, BAD, &id), -EFAULT);
	WANT_IS(kernel_call(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), -EINVAL);
	WANT_IS(kernel_call(SYS_timer_create, FILE_CLOCK, NULL, &id), -EOPNOTSUPP);
	WANT_IS(kernel_call(SYS_clock_nanosleep, FILE_CLOCK, 0, &time, NULL), -EOPNOTSUPP);
	WANT_IS(kernel_call(SYS_clock_settime, FILE_CLOCK, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_clock_settime, FILE_CLOCK, &time), -EINVAL);
}

static void mapping_sizes(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	WANT(fd >= 0);
	WANT_IS(kernel_call(SYS_mmap, 0, HUGE_SIZE, PROT_READ, MAP_ANONYMOUS, -1, 0), -ENOMEM);
	WANT_IS(kernel_call(SYS_mmap, 0, HUGE_SIZE, PROT_READ, MAP_PRIVATE, fd, LONG_MIN), -ENOMEM);
	WANT_IS(kernel_call(SYS_mmap, 0, -4096l, PROT_READ, MAP_PRIVATE, fd, 4096), -ENOMEM);
	WANT_IS(kernel_call(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, fd, LONG_MIN), -EOVERFLOW);
}

/* What a thread that has none of its own counts as. */
static void io_priorities(void)
{
	const long best_effort_4 = IO_BEST_EFFORT | 4;

	setpgid(0, 0);
	if (kernel_call(SYS_ioprio_get, IO_WHO_PROCESS_GROUP, getpid()) == 4)
		skip("a kernel before 6.0");
	WANT_IS(kernel_call(SYS_ioprio_get, IO_WHO_PROCESS_GROUP, getpid()), best_effort_4);
	WANT_IS(kernel_call(SYS_setpriority, 0, 0, 10), 0);
	WANT_IS(kernel_call(SYS_ioprio_get, IO_WHO_PROCESS_GROUP, getpid()), best_effort_4 + 2);
}

static void futex_read_only(void)
{
	char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	WANT_IS(kernel_call(SYS_futex, p, FUTEX_WAIT, 5, NULL), -EFAULT);
	WANT_IS(kernel_call(SYS_futex, p, FUTEX_WAKE, 1), -EFAULT);
	WANT_IS(kernel_call(SYS_futex, p, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 5, NULL), -EAGAIN);
}

/* ---- Files' times ---- */

static const struct timespec long_ago[2] = {{1000, 0}, {1000, 0}};

static int old_file(void)
{
	char name[] = "/tmp/errno-order.XXXXXX", byte;
	int fd = mkstemp(name);
	struct stat now;

	WANT(fd >= 0);
	unlink(name);
	WANT_IS(ftruncate(fd, 8192), 0);
	WANT_IS(futimens(fd, long_ago), 0);
	WANT_IS(read(fd, &byte, 1), 1);
	WANT_IS(fstat(fd, &now), 0);
	if (now.st_atime == long_ago[0].tv_sec)
		skip("a file system that does not keep the times of reading");
	WANT_IS(futimens(fd, long_ago), 0);
	return fd;
}

static void mapping_is_reading(void)
{
	int fd = old_file();
	struct stat now;

	WANT(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	WANT_IS(fstat(fd, &now), 0);
	WANT(now.st_atime != long_ago[0].tv_sec);
	WANT_IS(now.st_mtime, long_ago[1].tv_sec);
}

static void touch(int fd, int flags, bool write, bool changes)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, flags, fd, 0);
	struct stat now;

	WANT(p != MAP_FAILED);
	WANT_IS(futimens(fd, long_ago), 0);
	if (write)
		p[4096] = 1;
	else
		*(volatile char *)p;
	WANT_IS(fstat(fd, &now), 0);
	WANT_IS(now.st_mtime != long_ago[1].tv_sec, changes);
	WANT_IS(munmap(p, 8192), 0);
}

static void storing_is_writing(void)
{
	int fd = old_file();

	touch(fd, MAP_SHARED, false, false);
	touch(fd, MAP_PRIVATE, true, false);
	touch(fd, MAP_SHARED, true, true);
}

static const struct test_case cases[] = {
	CASE(waitid_errors, "waitid: an error fills in the record too, or cannot: EFAULT"),
	CASE(execveat_errors, "execveat: the path, then the flags"),
	CASE(affinity_sizes, "sched_*affinity: sizes of 32 bits"),
	CASE(groups_wanted, "setgroups: none from anywhere; never the group -1"),
	CASE(kcmp_errors, "kcmp: processes, then what is compared"),
	CASE(capabilities, "capget, capset: the version alone is read first"),
	CASE(clocks, "clocks: which have timers, before what is wanted of them"),
	CASE(mapping_sizes, "mmap: what never fits is ENOMEM, whatever else is wrong"),
	CASE(io_priorities, "ioprio_get: a group's best, by nice where nobody set it"),
	CASE(futex_read_only, "futex: shared, in private memory that nobody can write: EFAULT"),
	CASE(mapping_is_reading, "mmap: the file's time of reading"),
	CASE(storing_is_writing, "a store into a shared mapping: the file's time of change"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
