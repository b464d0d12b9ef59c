/* SPDX-License-Identifier: MIT */
/*
 * Limits and what a process has used: getrlimit, setrlimit, prlimit64 and what each limit does, getrusage, times.
 */
#include <pthread.h>
#include <sys/resource.h>
#include <sys/times.h>

#include "cases.h"

#define CAP_SYS_RESOURCE_ 24 /* not all that run as root have it */

static struct gate gate;

static long prlimit_raw(long pid, int resource, const void *new, void *old)
{
	return kernel_call(SYS_prlimit64, pid, resource, new, old);
}

static void set(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit limit = {soft, hard};

	WANT_IS(prlimit_raw(0, resource, &limit, NULL), 0);
}

static void want(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit limit;

	WANT_IS(kernel_call(SYS_getrlimit, resource, &limit), 0);
	WANT_IS(limit.rlim_cur, soft);
	WANT_IS(limit.rlim_max, hard);
}

/* ---- The calls ---- */

static void all_limits(void)
{
	struct rlimit limit;

	for (int i = 0; i < 16; i++) {
		WANT_IS(kernel_call(SYS_getrlimit, i, &limit), 0);
		WANT(limit.rlim_cur <= limit.rlim_max);
		WANT_IS(kernel_call(SYS_setrlimit, i, &limit), 0);
		WANT_IS(prlimit_raw(0, i, NULL, NULL), 0);
	}
}

static void limit_errors(void)
{
	struct rlimit limit = {10, 9};

	WANT_IS(kernel_call(SYS_getrlimit, 16, &limit), -EINVAL);
	WANT_IS(kernel_call(SYS_getrlimit, -1, &limit), -EINVAL);
	WANT_IS(kernel_call(SYS_getrlimit, 0, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_setrlimit, RLIMIT_CPU, &limit), -EINVAL);
	WANT_IS(kernel_call(SYS_setrlimit, 16, &limit), -EINVAL);
	WANT_IS(kernel_call(SYS_setrlimit, 0, BAD), -EFAULT);
	WANT_IS(prlimit_raw(0x7ffffff0, 0, NULL, &limit), -ESRCH);
	WANT_IS(prlimit_raw(0, 16, NULL, NULL), -EINVAL);
	WANT_IS(prlimit_raw(0, 0, NULL, BAD), -EFAULT);
}

static void set_and_get(void)
{
	struct rlimit limit = {100, 200}, old;

	set(RLIMIT_NOFILE, 64, 300);
	WANT_IS(prlimit_raw(0, RLIMIT_NOFILE, &limit, &old), 0);
	WANT(old.rlim_cur == 64 && old.rlim_max == 300);
	want(RLIMIT_NOFILE, 100, 200);
	set(RLIMIT_NOFILE, 200, 200);
}

static void raising(void)
{
	struct rlimit limit = {100, 300};

	set(RLIMIT_NOFILE, 100, 200);
	if (geteuid() == 0 && prctl(PR_CAPBSET_READ, CAP_SYS_RESOURCE_) == 1) {
		set(RLIMIT_NOFILE, 100, 250);
		limit.rlim_max = 0x40000001; /* above any fs.nr_open */
		WANT_IS(prlimit_raw(0, RLIMIT_NOFILE, &limit, NULL), -EPERM);
		limit.rlim_max = 300;
	}
	become_nobody();
	WANT_IS(prlimit_raw(0, RLIMIT_NOFILE, &limit, NULL), -EPERM);
	set(RLIMIT_NOFILE, 50, 150);
	want(RLIMIT_NOFILE, 50, 150);
}

static void asks_parent(void)
{
	struct rlimit limit;

	if (become_nobody())
		WANT_IS(prlimit_raw(getppid(), RLIMIT_NOFILE, NULL, &limit), -EPERM);
}

static void other_process(void)
{
	struct rlimit limit = {33, 44}, old;
	pid_t pid = start(just_wait);

	set(RLIMIT_NOFILE, 100, 200);
	WANT_IS(prlimit_raw(pid, RLIMIT_NOFILE, &limit, NULL), 0);
	WANT_IS(prlimit_raw(pid, RLIMIT_NOFILE, NULL, &old), 0);
	WANT(old.rlim_cur == 33 && old.rlim_max == 44);
	want(RLIMIT_NOFILE, 100, 200);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_ENDS(pid, SIGKILL);
	WANT_ENDS(start(asks_parent), 0);
}

static void uses_time(void)
{
	struct timespec used = {0};

	while (used.tv_nsec < 2000000)
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
}

/* Nothing of it stays behind when they are waited for: timers of the kernel least of all. */
static void of_zombies(void)
{
	struct rlimit limit = {1000, 2000};

	for (int i = 0; i < 40; i++) {
		pid_t pid = start(uses_time);
		siginfo_t info;

		WANT_IS(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
		WANT_IS(prlimit_raw(pid, RLIMIT_CPU, &limit, NULL), 0);
		WANT_IS(prlimit_raw(pid, RLIMIT_RTTIME, &limit, NULL), 0);
		WANT_ENDS(pid, 0);
		set(RLIMIT_CPU, 1000, 2000); /* children inherit it, and the look at it */
	}
}

static void *sets_limit(void *unused)
{
	set(RLIMIT_NOFILE, 70, 80);
	return NULL;
}

static void has_70(void)
{
	want(RLIMIT_NOFILE, 70, 80);
	set(RLIMIT_NOFILE, 60, 80);
}

static void shared_and_inherited(void)
{
	pthread_t thread;

	WANT_IS(pthread_create(&thread, NULL, sets_limit, NULL), 0);
	WANT_IS(pthread_join(thread, NULL), 0);
	want(RLIMIT_NOFILE, 70, 80);
	WANT_ENDS(start(has_70), 0);
	want(RLIMIT_NOFILE, 70, 80);
}

/* ---- What they do ---- */

static void nofile(void)
{
	int fd = open("/dev/null", O_RDONLY), high = fcntl(fd, F_DUPFD, 40), fds[2];

	WANT(high >= 40);
	set(RLIMIT_NOFILE, 20, 50);
	while (kernel_call(SYS_open, "/dev/null", O_RDONLY) >= 0)
		;
	WANT_IS(kernel_call(SYS_open, "/dev/null", O_RDONLY), -EMFILE);
	WANT_IS(kernel_call(SYS_dup, fd), -EMFILE);
	WANT_IS(kernel_call(SYS_pipe, fds), -EMFILE);
	WANT_IS(kernel_call(SYS_dup2, fd, 20), -EBADF);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_DUPFD, 20), -EINVAL);
	WANT_IS(fcntl(high, F_GETFD), 0); /* what is open stays */
	WANT_IS(kernel_call(SYS_dup2, fd, 19), 19);
}

static void fork_is_refused(void)
{
	if (!become_nobody())
		return;
	set(RLIMIT_NPROC, 0, 100);
	WANT_IS(kernel_call(SYS_fork), -EAGAIN);
	WANT_IS(kernel_call(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, gate.in), -EAGAIN);
}

static void *at_gate(void *unused)
{
	wait_gate(gate);
	return NULL;
}

/* 20 are allowed, of which one is this process. Zombies count until they are waited for. */
static void fork_bomb(void)
{
	pid_t pids[20];
	int count = 0;

	if (geteuid() != 0)
		return;
	gate = make_gate();
	set(RLIMIT_NPROC, 20, 20);
	become_lone();
	while (count < 20) {
		pids[count] = fork();
		if (pids[count] == 0)
			at_gate(NULL), _exit(0);
		if (pids[count] < 0)
			break;
		count++;
	}
	WANT_IS(count, 19);
	WANT_IS(errno, EAGAIN);
	WANT_IS(kill(pids[0], SIGKILL), 0);
	WANT_IS(waitid(P_PID, (id_t)pids[0], &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	WANT_IS(kernel_call(SYS_fork), -EAGAIN);
	WANT_ENDS(pids[0], SIGKILL);
	pids[0] = fork();
	if (pids[0] == 0)
		_exit(0);
	WANT(pids[0] > 0);
	for (int i = 1; i < count; i++)
		open_gate(gate);
	for (int i = 0; i < count; i++)
		WANT_ENDS(pids[i], 0);
}

static void thread_bomb(void)
{
	pthread_t threads[20];
	int count = 0, error = 0;

	if (geteuid() != 0)
		return;
	gate = make_gate();
	set(RLIMIT_NPROC, 20, 20);
	become_lone();
	while (count < 20 && !error) {
		error = pthread_create(&threads[count], NULL, at_gate, NULL);
		count += !error;
	}
	WANT_IS(count, 19);
	WANT_IS(error, EAGAIN);
	for (int i = 0; i < count; i++)
		open_gate(gate);
	for (int i = 0; i < count; i++)
		WANT_IS(pthread_join(threads[i], NULL), 0);
	do { /* who joins is woken a little before the thread is gone */
		error = pthread_create(&threads[0], NULL, at_gate, NULL);
	} while (error == EAGAIN);
	WANT_IS(error, 0);
	open_gate(gate);
	WANT_IS(pthread_join(threads[0], NULL), 0);
}

static void nproc_root(void)
{
	pid_t pid;

	if (geteuid() != 0)
		return;
	set(RLIMIT_NPROC, 0, 0);
	pid = fork();
	if (pid == 0)
		_exit(0);
	WANT(pid > 0);
	WANT_ENDS(pid, 0);
}

static volatile int got;

static void note(int number)
{
	got = number;
}

static void fsize(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/tmp/baton-size-%d", getpid());
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	WANT(fd >= 0);
	unlink(path);
	set(RLIMIT_FSIZE, 5, 100);
	handle(SIGXFSZ, note, 0);
	WANT_IS(kernel_call(SYS_write, fd, "12345678", 8), 5);
	WANT_IS(got, 0);
	WANT_IS(kernel_call(SYS_write, fd, "12345678", 8), -EFBIG);
	WANT_IS(got, SIGXFSZ);
	got = 0;
	WANT_IS(kernel_call(SYS_ftruncate, fd, 6), -EFBIG);
	WANT_IS(got, SIGXFSZ);
	handle(SIGXFSZ, SIG_DFL, 0);
	kernel_call(SYS_write, fd, "x", 1);
}

static int deeper(int depth)
{
	volatile char big[4096];

	big[0] = (char)depth;
	return depth == 0 ? 0 : deeper(depth - 1) + big[0];
}

static int recurses(int argc, char **argv)
{
	deeper(atoi(argv[0]));
	return 0;
}

static void stack_limit(void)
{
	set(RLIMIT_STACK, 1 << 20, 8 << 20);
	WANT_IS(run_role("recurses", "200"), 0);
	WANT_IS(run_role("recurses", "300") & 0x7f, SIGSEGV);
}

static void address_space(void)
{
	set(RLIMIT_AS, 64 << 20, 64 << 20);
	WANT_IS(kernel_call(SYS_mmap, 0, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		-ENOMEM);
	WANT(kernel_call(SYS_mmap, 0, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) > 0);
}

static void cpu_time(void)
{
	struct timespec used = {0};

	set(RLIMIT_CPU, 1, 20);
	handle(SIGXCPU, note, 0);
	while (got == 0 && used.tv_sec < 10)
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	WANT_IS(got, SIGXCPU);
	WANT(used.tv_sec < 10);
}

static void become_realtime(int policy)
{
	int priority = 1; /* struct sched_param; musl has no such call */

	if (kernel_call(SYS_sched_setscheduler, 0, policy, &priority) == -EPERM)
		_exit(SKIPPED);
}

/* The kernel counts only what runs on without sleeping; a soft limit that was reached goes up. */
static void realtime_time(void)
{
	struct timespec used = {0};
	struct rlimit now = {0};

	become_realtime(SCHED_FIFO);
	set(RLIMIT_RTTIME, 50000, RLIM_INFINITY);
	handle(SIGXCPU, note, 0);
	while (got == 0 && used.tv_sec < 10)
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	WANT_IS(got, SIGXCPU);
	getrlimit(RLIMIT_RTTIME, &now);
	/* A second more for each signal: two came to who was held up for so long. */
	WANT(now.rlim_cur >= 1050000 && now.rlim_cur % 1000000 == 50000);
}

static void realtime_hard(void)
{
	become_realtime(SCHED_RR);
	set(RLIMIT_RTTIME, 50000, 50000);
	for (;;)
		;
}

/* 1.2 seconds of work, but never so long in one piece. */
static void works_and_sleeps(void)
{
	struct timespec used;
	long now = 0, until;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	until = used.tv_sec * 1000 + used.tv_nsec / 1000000;
	for (int i = 0; i < 12 && !got; i++) {
		sleep_ms(20); /* so long that it does sleep */
		for (until += 100; now < until; now = used.tv_sec * 1000 + used.tv_nsec / 1000000)
			clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	}
}

static void realtime_sleeper(void)
{
	bool slept_well = false;

	become_realtime(SCHED_FIFO);
	handle(SIGXCPU, note, 0);
	/* A machine that is held up for as long as the limit reaches it without a sleep, though not at each try. */
	for (int i = 0; i < 30 && !slept_well; i++) {
		got = 0;
		set(RLIMIT_RTTIME, 800000, RLIM_INFINITY);
		works_and_sleeps();
		slept_well = got == 0;
	}
	WANT(slept_well);
}

/* ---- Usage and times ---- */

static void usage(void)
{
	struct rusage self, later;

	WANT_IS(kernel_call(SYS_getrusage, RUSAGE_SELF, &self), 0);
	WANT(self.ru_minflt > 0);
	for (int i = 0; i < 500; i++) {
		char *p = mmap(NULL, 4096, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		*p = 1;
	}
	WANT_IS(kernel_call(SYS_getrusage, RUSAGE_SELF, &later), 0);
	WANT(later.ru_minflt >= self.ru_minflt + 500);
	WANT(later.ru_maxrss > 0);
	WANT_IS(kernel_call(SYS_getrusage, 1 /* RUSAGE_THREAD */, &later), 0);
	WANT_IS(kernel_call(SYS_getrusage, RUSAGE_CHILDREN, &later), 0);
	WANT(later.ru_minflt == 0 && later.ru_utime.tv_usec == 0);
	WANT_IS(kernel_call(SYS_getrusage, 2, &self), -EINVAL);
	WANT_IS(kernel_call(SYS_getrusage, RUSAGE_SELF, BAD), -EFAULT);
}

static long micros_of(const struct rusage *usage)
{
	return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
	       usage->ru_utime.tv_usec + usage->ru_stime.tv_usec;
}

static void burns(void)
{
	struct rusage now;

	do {
		for (volatile int i = 0; i < 10000; i++)
			;
		getrusage(RUSAGE_SELF, &now);
	} while (micros_of(&now) < 30000);
}

static void children_times(void)
{
	struct rusage children;
	struct tms now;
	pid_t pid = start(burns);

	WANT_IS(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	WANT_IS(getrusage(RUSAGE_CHILDREN, &children), 0);
	WANT(children.ru_utime.tv_usec == 0 && children.ru_stime.tv_usec == 0);
	WANT_ENDS(pid, 0);
	WANT_IS(getrusage(RUSAGE_CHILDREN, &children), 0);
	WANT(micros_of(&children) >= 20000);
	WANT(kernel_call(SYS_times, &now) != -EFAULT);
	WANT(now.tms_cutime + now.tms_cstime >= 1);
	WANT_IS(kernel_call(SYS_times, BAD), -EFAULT);
}

static const struct test_case cases[] = {
	CASE(all_limits, "getrlimit, setrlimit, prlimit64: all sixteen"),
	CASE(limit_errors, "getrlimit, setrlimit, prlimit64: EINVAL, EFAULT, ESRCH"),
	CASE(set_and_get, "prlimit64: sets and gives the old one"),
	CASE(raising, "a hard limit is raised by root alone, NOFILE not above nr_open: EPERM"),
	CASE(other_process, "prlimit64 of a child; of another's process: EPERM"),
	CASE(shared_and_inherited, "limits are shared by threads and copied by fork"),
	CASE(nofile, "RLIMIT_NOFILE: EMFILE, EBADF of dup2, EINVAL of F_DUPFD"),
	CASE(fork_is_refused, "RLIMIT_NPROC: fork and clone of a non-root user: EAGAIN"),
	CASE(fork_bomb, "RLIMIT_NPROC: so many processes and no more; zombies count"),
	CASE(thread_bomb, "RLIMIT_NPROC: threads count; they can be made again when others end"),
	CASE(nproc_root, "RLIMIT_NPROC does not bind root"),
	CASE_ENDS(fsize, SIGXFSZ, "RLIMIT_FSIZE: what fits, then EFBIG with SIGXFSZ, which kills"),
	CASE(stack_limit, "RLIMIT_STACK: a program's stack ends there"),
	CASE(address_space, "RLIMIT_AS: ENOMEM"),
	CASE(of_zombies, "prlimit of zombies"),
	CASE(cpu_time, "RLIMIT_CPU: SIGXCPU"),
	CASE(realtime_time, "RLIMIT_RTTIME: SIGXCPU, and the limit goes up by a second"),
	CASE_ENDS(realtime_hard, SIGKILL, "RLIMIT_RTTIME: SIGKILL at the hard limit"),
	CASE(realtime_sleeper, "RLIMIT_RTTIME: counts anew after each sleep"),
	CASE(usage, "getrusage: grows; EINVAL, EFAULT"),
	CASE(children_times, "getrusage, times: children count once they are waited for"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"recurses", recurses}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
