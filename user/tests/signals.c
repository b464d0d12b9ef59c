/* SPDX-License-Identifier: MIT */
/*
 * Sending and receiving: rt_sigaction with its flags, masks, pending signals, waiting for them,
 * queues and their order, whom kill, tkill, tgkill and the queueing calls reach, what siginfo says,
 * alarms. All errors. The calls are the kernel's own, with its 8-byte sets.
 */
#include <sys/resource.h>

#include "cases.h"

#define SA_RESTORER    0x04000000
#define SA_UNSUPPORTED 0x00000400

struct kernel_action {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

static const uint64_t bit_usr1 = 1ul << (SIGUSR1 - 1), bit_usr2 = 1ul << (SIGUSR2 - 1);

static long action_raw(int number, const void *new, void *old, size_t size)
{
	return kernel_call(SYS_rt_sigaction, number, new, old, size);
}

static long mask_raw(int how, const void *set, void *old, size_t size)
{
	return kernel_call(SYS_rt_sigprocmask, how, set, old, size);
}

/* What handlers saw, in order. */
static volatile int count, numbers[64], codes[64], values[64], pids[64], uids[64];
static volatile unsigned long masks[64];

static void note(int number, siginfo_t *info, void *context)
{
	uint64_t mask = 0;
	int i = count++;

	mask_raw(SIG_BLOCK, NULL, &mask, 8);
	numbers[i] = number;
	codes[i] = info->si_code;
	values[i] = info->si_value.sival_int;
	pids[i] = info->si_pid;
	uids[i] = (int)info->si_uid;
	masks[i] = mask;
}

/* ---- rt_sigaction ---- */

static void action_errors(void)
{
	struct kernel_action ignore = {.handler = SIG_IGN}, old;

	WANT_IS(action_raw(0, NULL, &old, 8), -EINVAL);
	WANT_IS(action_raw(65, NULL, &old, 8), -EINVAL);
	WANT_IS(action_raw(-1, NULL, &old, 8), -EINVAL);
	WANT_IS(action_raw(SIGKILL, &ignore, NULL, 8), -EINVAL);
	WANT_IS(action_raw(SIGSTOP, &ignore, NULL, 8), -EINVAL);
	WANT_IS(action_raw(SIGKILL, NULL, &old, 8), 0);
	WANT_IS(action_raw(SIGUSR1, &ignore, NULL, 16), -EINVAL);
	WANT_IS(action_raw(SIGUSR1, &ignore, NULL, 4), -EINVAL);
	WANT_IS(action_raw(SIGUSR1, BAD, NULL, 8), -EFAULT);
	WANT_IS(action_raw(SIGUSR1, NULL, BAD, 8), -EFAULT);
	WANT_IS(action_raw(SIGUSR1, &ignore, BAD, 8), -EFAULT);
}

static void action_all(void)
{
	for (int number = 1; number <= 64; number++) {
		struct kernel_action set = {.handler = SIG_IGN,
			.flags = SA_RESTORER | SA_RESTART | SA_NODEFER,
			.restorer = (void *)0x1234,
			.mask = ~0ul};
		struct kernel_action old = {.handler = (void *)1};

		if (number == SIGKILL || number == SIGSTOP)
			continue;
		WANT_IS(action_raw(number, &set, &old, 8), 0);
		WANT_IS(action_raw(number, NULL, &old, 8), 0);
		WANT(old.handler == SIG_IGN && old.restorer == set.restorer);
		WANT_IS(old.flags, set.flags);
		WANT_IS(old.mask, ~(1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1)));
	}
}

static void action_unknown_flags(void)
{
	struct kernel_action set = {.handler = SIG_IGN, .flags = SA_UNSUPPORTED | 1ul << 20};

	WANT_IS(action_raw(SIGUSR1, &set, NULL, 8), 0);
	WANT_IS(action_raw(SIGUSR1, NULL, &set, 8), 0);
	WANT_IS(set.flags & (SA_UNSUPPORTED | 1ul << 20), 0);
}

static void ignoring_discards(void)
{
	block(SIGUSR1);
	block(SIGCHLD);
	raise(SIGUSR1);
	raise(SIGCHLD);
	WANT(is_pending(SIGUSR1) && is_pending(SIGCHLD)); /* blocked ones wait, even if ignored */
	handle(SIGUSR1, SIG_IGN, 0);
	handle(SIGCHLD, SIG_DFL, 0);
	WANT(!is_pending(SIGUSR1) && !is_pending(SIGCHLD));
	raise(SIGUSR1);
	WANT(is_pending(SIGUSR1));
	unblock(SIGUSR1);
	WANT(!is_pending(SIGUSR1));
}

static void handler_mask(void)
{
	struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
	uint64_t mask;

	sigaddset(&action.sa_mask, SIGUSR2);
	WANT_IS(sigaction(SIGUSR1, &action, NULL), 0);
	block(SIGTERM);
	raise(SIGUSR1);
	WANT_IS(masks[0], bit_usr1 | bit_usr2 | 1ul << (SIGTERM - 1));
	WANT_IS(mask_raw(SIG_BLOCK, NULL, &mask, 8), 0);
	WANT_IS(mask, 1ul << (SIGTERM - 1));
}

static void nodefer(void)
{
	handle_info(SIGUSR1, note, SA_NODEFER);
	raise(SIGUSR1);
	WANT_IS(masks[0], 0);
}

static volatile int depth, deepest;

static void again(int number)
{
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (++count < 5)
		raise(SIGUSR1);
	depth--;
}

static void nested(void)
{
	handle(SIGUSR1, again, SA_NODEFER);
	raise(SIGUSR1);
	WANT_IS(deepest, 5);
	count = deepest = 0;
	handle(SIGUSR1, again, 0);
	raise(SIGUSR1);
	WANT_IS(count, 5);
	WANT_IS(deepest, 1);
}

static void resethand(void)
{
	struct sigaction action;

	handle_info(SIGUSR1, note, SA_RESETHAND | SA_NODEFER);
	raise(SIGUSR1);
	WANT_IS(count, 1);
	WANT_IS(sigaction(SIGUSR1, NULL, &action), 0);
	WANT(action.sa_handler == SIG_DFL);
	raise(SIGUSR1);
}

/* ---- Masks ---- */

static void mask_errors(void)
{
	uint64_t set = bit_usr1;

	WANT_IS(mask_raw(3, &set, NULL, 8), -EINVAL);
	WANT_IS(mask_raw(-1, &set, NULL, 8), -EINVAL);
	WANT_IS(mask_raw(3, NULL, &set, 8), 0); /* how does not matter then */
	WANT_IS(mask_raw(SIG_BLOCK, &set, NULL, 16), -EINVAL);
	WANT_IS(mask_raw(SIG_BLOCK, BAD, NULL, 8), -EFAULT);
	WANT_IS(mask_raw(SIG_BLOCK, NULL, BAD, 8), -EFAULT);
}

static void mask_calls(void)
{
	uint64_t all = ~0ul, old = 0, now = 0, usr1 = bit_usr1;

	WANT_IS(mask_raw(SIG_SETMASK, &all, &old, 8), 0);
	WANT_IS(old, 0);
	WANT_IS(mask_raw(SIG_UNBLOCK, &usr1, &old, 8), 0);
	WANT_IS(old, ~(1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1)));
	WANT_IS(mask_raw(SIG_BLOCK, NULL, &now, 8), 0);
	WANT_IS(now, old & ~bit_usr1);
	WANT_IS(mask_raw(SIG_SETMASK, &usr1, NULL, 8), 0);
	WANT_IS(mask_raw(SIG_BLOCK, NULL, &now, 8), 0);
	WANT_IS(now, bit_usr1);
}

static void pending_errors(void)
{
	uint64_t set;

	WANT_IS(kernel_call(SYS_rt_sigpending, BAD, 8), -EFAULT);
	WANT_IS(kernel_call(SYS_rt_sigpending, &set, 9), -EINVAL);
	WANT_IS(kernel_call(SYS_rt_sigpending, &set, 8), 0);
	WANT_IS(set, 0);
}

static void suspend(void)
{
	uint64_t none = 0, now;

	WANT_IS(kernel_call(SYS_rt_sigsuspend, BAD, 8), -EFAULT);
	WANT_IS(kernel_call(SYS_rt_sigsuspend, &none, 4), -EINVAL);
	handle_info(SIGUSR1, note, 0);
	block(SIGUSR1);
	raise(SIGUSR1);
	WANT_IS(count, 0);
	WANT_IS(kernel_call(SYS_rt_sigsuspend, &none, 8), -EINTR);
	WANT_IS(count, 1);
	WANT_IS(masks[0], bit_usr1); /* of the handler: the temporary mask and its own signal */
	WANT_IS(mask_raw(SIG_BLOCK, NULL, &now, 8), 0);
	WANT_IS(now, bit_usr1);
}

/* ---- Order and queues ---- */

static void standard_merge(void)
{
	handle_info(SIGUSR1, note, 0);
	block(SIGUSR1);
	for (int i = 0; i < 10; i++)
		WANT_IS(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = i}), 0);
	unblock(SIGUSR1);
	WANT_IS(count, 1);
	WANT_IS(values[0], 0);
	WANT_IS(codes[0], SI_QUEUE);
}

static void realtime_queue(void)
{
	struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};

	sigfillset(&action.sa_mask);
	for (int number = 35; number <= 62; number += 9)
		WANT_IS(sigaction(number, &action, NULL), 0);
	WANT_IS(sigprocmask(SIG_BLOCK, &action.sa_mask, NULL), 0);
	for (int i = 0; i < 5; i++) {
		for (int number = 62; number >= 35; number -= 9)
			WANT_IS(sigqueue(getpid(), number, (union sigval){.sival_int = i}), 0);
	}
	WANT_IS(sigprocmask(SIG_UNBLOCK, &action.sa_mask, NULL), 0);
	WANT_IS(count, 20);
	for (int i = 0; i < 20; i++) {
		WANT_IS(numbers[i], 35 + i / 5 * 9);
		WANT_IS(values[i], i % 5);
		WANT_IS(codes[i], SI_QUEUE);
	}
}

/* All unblocked at once: frames are pushed lowest number first, so that handlers run from the
 * highest down when nothing masks them; faults' signals stand before all. */
static void order_of_frames(void)
{
	static const int sent[] = {SIGTERM, SIGUSR1, SIGHUP, SIGSEGV};
	sigset_t set;

	sigemptyset(&set);
	for (int i = 0; i < 4; i++) {
		sigaddset(&set, sent[i]);
		handle_info(sent[i], note, 0);
	}
	WANT_IS(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	for (int i = 0; i < 4; i++)
		raise(sent[i]);
	WANT_IS(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
	WANT_IS(count, 4);
	WANT(numbers[0] == SIGTERM && numbers[1] == SIGUSR1 && numbers[2] == SIGHUP);
	WANT_IS(numbers[3], SIGSEGV);
}

static void thread_before_process(void)
{
	block(SIGUSR1);
	handle_info(SIGUSR1, note, 0);
	WANT_IS(kill(getpid(), SIGUSR1), 0);
	WANT_IS(kernel_call(SYS_tkill, kernel_call(SYS_gettid), SIGUSR1), 0);
	unblock(SIGUSR1);
	WANT_IS(count, 2);
	WANT_IS(codes[0], SI_TKILL);
	WANT_IS(codes[1], SI_USER);
}

static void queue_limit(void)
{
	struct rlimit limit = {5, 5};
	int sent = 0, result;
	siginfo_t info;
	sigset_t set = set_of(SIGRTMIN);

	if (geteuid() == 0)
		become_lone(); /* its signals are counted */
	block(SIGRTMIN);
	block(SIGUSR1);
	WANT_IS(setrlimit(RLIMIT_SIGPENDING, &limit), 0);
	for (;;) {
		result = sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = sent});
		if (result != 0 || ++sent > 5)
			break;
	}
	WANT(result == -1 && errno == EAGAIN && sent <= 5);
	WANT_IS(kill(getpid(), SIGUSR1), 0); /* standard signals need no place in the queue */
	WANT(is_pending(SIGUSR1));
	for (int i = 0; i < sent; i++) {
		WANT_IS(sigtimedwait(&set, &info, &(struct timespec){0}), SIGRTMIN);
		WANT_IS(info.si_value.sival_int, i);
	}
	if (sent > 0)
		WANT_IS(sigqueue(getpid(), SIGRTMIN, (union sigval){0}), 0);
}

/* ---- Who is reached, and by what ---- */

static void kill_info(void)
{
	handle_info(SIGUSR1, note, 0);
	WANT_IS(kernel_call(SYS_kill, getpid(), SIGUSR1), 0);
	WANT_IS(count, 1);
	WANT_IS(codes[0], SI_USER);
	WANT_IS(pids[0], getpid());
	WANT_IS(uids[0], getuid());
	WANT_IS(kernel_call(SYS_tgkill, getpid(), getpid(), SIGUSR1), 0);
	WANT_IS(codes[1], SI_TKILL);
	WANT_IS(pids[1], getpid());
}

static void kill_errors(void)
{
	int pid = getpid();

	WANT_IS(kernel_call(SYS_kill, pid, 65), -EINVAL);
	WANT_IS(kernel_call(SYS_kill, pid, -1), -EINVAL);
	WANT_IS(kernel_call(SYS_kill, 0x7ffffff0, 0), -ESRCH);
	WANT_IS(kernel_call(SYS_kill, -0x7ffffff0, 0), -ESRCH);
	WANT_IS(kernel_call(SYS_tkill, 0, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_tkill, -1, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_tkill, pid, 65), -EINVAL);
	WANT_IS(kernel_call(SYS_tkill, 0x7ffffff0, 0), -ESRCH);
	WANT_IS(kernel_call(SYS_tgkill, 0, pid, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_tgkill, pid, 0, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_tgkill, pid, pid, 65), -EINVAL);
	WANT_IS(kernel_call(SYS_tgkill, getppid(), pid, 0), -ESRCH);
	WANT_IS(kernel_call(SYS_tgkill, pid, 0x7ffffff0, 0), -ESRCH);
}

static siginfo_t made(int number, int code)
{
	siginfo_t info = {.si_signo = number, .si_code = code};

	info.si_pid = 4711;
	info.si_uid = 4712;
	info.si_value.sival_int = 4713;
	return info;
}

static void queueinfo(void)
{
	siginfo_t info = made(SIGUSR2, SI_QUEUE);
	int pid = getpid();

	handle_info(SIGUSR1, note, 0);
	WANT_IS(kernel_call(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info), 0);
	WANT_IS(count, 1);
	WANT_IS(numbers[0], SIGUSR1); /* what the call says, not what the structure says */
	WANT(codes[0] == SI_QUEUE && pids[0] == 4711 && uids[0] == 4712 && values[0] == 4713);
	info.si_code = -77;
	WANT_IS(kernel_call(SYS_rt_tgsigqueueinfo, pid, pid, SIGUSR1, &info), 0);
	WANT(codes[1] == -77 && pids[1] == 4711);
	WANT_IS(kernel_call(SYS_rt_sigqueueinfo, pid, 65, &info), -EINVAL);
	WANT_IS(kernel_call(SYS_rt_sigqueueinfo, pid, SIGUSR1, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_rt_sigqueueinfo, 0x7ffffff0, SIGUSR1, &info), -ESRCH);
	WANT_IS(kernel_call(SYS_rt_tgsigqueueinfo, 0, pid, SIGUSR1, &info), -EINVAL);
	WANT_IS(kernel_call(SYS_rt_tgsigqueueinfo, pid, -1, SIGUSR1, &info), -EINVAL);
	WANT_IS(kernel_call(SYS_rt_tgsigqueueinfo, getppid(), pid, SIGUSR1, &info), -ESRCH);
}

/* Nobody may pretend to be the kernel or kill() to another process. */
static void queueinfo_forged(void)
{
	siginfo_t info = made(SIGUSR1, SI_USER);
	pid_t pid = start(just_wait);

	WANT_IS(kernel_call(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info), -EPERM);
	info.si_code = SI_KERNEL;
	WANT_IS(kernel_call(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info), -EPERM);
	info.si_code = SI_TKILL;
	WANT_IS(kernel_call(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info), -EPERM);
	WANT_IS(kernel_call(SYS_rt_tgsigqueueinfo, pid, pid, SIGUSR1, &info), -EPERM);
	handle_info(SIGUSR1, note, 0);
	info.si_code = SI_KERNEL;
	WANT_IS(kernel_call(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info), 0);
	WANT_IS(codes[0], SI_KERNEL);
	info.si_code = SI_QUEUE;
	WANT_IS(kernel_call(SYS_rt_sigqueueinfo, pid, SIGTERM, &info), 0);
	WANT_ENDS(pid, SIGTERM);
}

/* ---- Waiting for signals ---- */

static long timedwait_raw(uint64_t set, siginfo_t *info, long seconds, long nanoseconds)
{
	struct timespec time = {.tv_sec = seconds, .tv_nsec = nanoseconds};

	return kernel_call(SYS_rt_sigtimedwait, &set, info, &time, 8);
}

static void timedwait_errors(void)
{
	uint64_t set = bit_usr1;
	struct timespec zero = {0};

	WANT_IS(timedwait_raw(set, NULL, 0, 0), -EAGAIN);
	WANT_IS(timedwait_raw(set, NULL, 0, 1000000), -EAGAIN);
	WANT_IS(timedwait_raw(set, NULL, -1, 0), -EINVAL);
	WANT_IS(timedwait_raw(set, NULL, 0, 1000000000), -EINVAL);
	WANT_IS(kernel_call(SYS_rt_sigtimedwait, &set, NULL, &zero, 4), -EINVAL);
	WANT_IS(kernel_call(SYS_rt_sigtimedwait, BAD, NULL, &zero, 8), -EFAULT);
	WANT_IS(kernel_call(SYS_rt_sigtimedwait, &set, NULL, BAD, 8), -EFAULT);
	block(SIGUSR1);
	raise(SIGUSR1);
	WANT_IS(kernel_call(SYS_rt_sigtimedwait, &set, BAD, &zero, 8), -EFAULT);
	WANT(!is_pending(SIGUSR1));
}

static void sends_usr1(void)
{
	WANT_IS(kill(getppid(), SIGUSR1), 0);
}

static void timedwait_takes(void)
{
	siginfo_t info;
	pid_t pid;

	block(SIGUSR1);
	block(SIGUSR2);
	raise(SIGUSR2);
	raise(SIGUSR1);
	WANT_IS(timedwait_raw(bit_usr1 | bit_usr2, NULL, 0, 0), SIGUSR1); /* the lowest */
	WANT_IS(timedwait_raw(bit_usr1 | bit_usr2, NULL, 0, 0), SIGUSR2);
	pid = start(sends_usr1);
	WANT_IS(kernel_call(SYS_rt_sigtimedwait, &bit_usr1, &info, NULL, 8), SIGUSR1);
	WANT(info.si_signo == SIGUSR1 && info.si_code == SI_USER && info.si_pid == pid);
	WANT_ENDS(pid, 0);
}

static void timedwait_interrupted(void)
{
	handle_info(SIGALRM, note, SA_RESTART);
	tick(10000);
	WANT_IS(timedwait_raw(bit_usr1, NULL, 1000, 0), -EINTR);
	tick(0);
	WANT(count > 0);
}

/* ---- Alarms ---- */

static void alarm_call(void)
{
	WANT_IS(kernel_call(SYS_alarm, 1000) >= 0, 1);
	WANT_IS(kernel_call(SYS_alarm, 0) > 500, 1);
	WANT_IS(kernel_call(SYS_alarm, 0), 0);
}

static void itimer_errors(void)
{
	struct itimerval timer = {{0, 0}, {0, 1000000}};

	WANT_IS(kernel_call(SYS_setitimer, ITIMER_REAL, &timer, NULL), -EINVAL);
	timer.it_value.tv_usec = -1;
	WANT_IS(kernel_call(SYS_setitimer, ITIMER_REAL, &timer, NULL), -EINVAL);
	WANT_IS(kernel_call(SYS_setitimer, 3, &timer, NULL), -EINVAL);
	WANT_IS(kernel_call(SYS_setitimer, ITIMER_REAL, BAD, NULL), -EFAULT);
	WANT_IS(kernel_call(SYS_getitimer, ITIMER_REAL, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_getitimer, 3, &timer), -EINVAL);
}

static void itimer_repeats(void)
{
	struct itimerval timer = {{0, 2000}, {0, 1000}}, old;
	sigset_t none = set_of(0);

	handle_info(SIGALRM, note, 0);
	block(SIGALRM);
	WANT_IS(setitimer(ITIMER_REAL, &timer, NULL), 0);
	while (count < 4)
		sigsuspend(&none);
	timer = (struct itimerval){{0, 0}, {0, 0}};
	WANT_IS(setitimer(ITIMER_REAL, &timer, &old), 0);
	WANT_IS(old.it_interval.tv_usec, 2000);
	WANT_IS(codes[0], SI_KERNEL);
	WANT_IS(pids[0], 0);
}

static void itimer_cpu(void)
{
	struct itimerval timer = {{0, 0}, {0, 20000}};

	handle_info(SIGVTALRM, note, 0);
	handle_info(SIGPROF, note, 0);
	WANT_IS(setitimer(ITIMER_VIRTUAL, &timer, NULL), 0);
	while (count == 0)
		__asm__ volatile("" ::: "memory");
	WANT_IS(numbers[0], SIGVTALRM);
	WANT_IS(setitimer(ITIMER_PROF, &timer, NULL), 0);
	while (count == 1)
		__asm__ volatile("" ::: "memory");
	WANT_IS(numbers[1], SIGPROF);
}

static const struct test_case cases[] = {
	CASE(action_errors, "rt_sigaction: EINVAL, EFAULT"),
	CASE(action_all, "rt_sigaction: of all 64 but two, given back as they were"),
	CASE(action_unknown_flags, "rt_sigaction: flags that Linux does not know read back as 0"),
	CASE(ignoring_discards, "ignoring a signal discards it while it is pending"),
	CASE(handler_mask, "a handler runs with its mask and its own signal blocked"),
	CASE(nodefer, "SA_NODEFER: its own signal is not blocked"),
	CASE(nested, "handlers nest with SA_NODEFER, and wait without"),
	CASE_ENDS(resethand, SIGUSR1, "SA_RESETHAND: the second one ends the process"),
	CASE(mask_errors, "rt_sigprocmask: EINVAL, EFAULT"),
	CASE(mask_calls, "rt_sigprocmask: SETMASK, BLOCK, UNBLOCK; never KILL and STOP"),
	CASE(pending_errors, "rt_sigpending: EINVAL, EFAULT"),
	CASE(suspend, "rt_sigsuspend: the mask for a while, then the old; EINVAL, EFAULT"),
	CASE(standard_merge, "a standard signal pends once, the first one counts"),
	CASE(realtime_queue, "real-time signals queue, lowest number first, in order"),
	CASE(order_of_frames, "several at once: lowest frame first, SIGSEGV before the others"),
	CASE(thread_before_process, "the thread's own pending signals come before the process's"),
	CASE(queue_limit, "RLIMIT_SIGPENDING: EAGAIN for queued ones, standard ones still come"),
	CASE(kill_info, "kill: SI_USER, tgkill: SI_TKILL, with pid and uid"),
	CASE(kill_errors, "kill, tkill, tgkill: EINVAL, ESRCH"),
	CASE(queueinfo, "rt_sigqueueinfo, rt_tgsigqueueinfo: siginfo as given; errors"),
	CASE(queueinfo_forged, "rt_sigqueueinfo: codes of the kernel's to others: EPERM"),
	CASE(timedwait_errors, "rt_sigtimedwait: EAGAIN, EINVAL, EFAULT"),
	CASE(timedwait_takes, "rt_sigtimedwait: takes the lowest, with its siginfo"),
	CASE(timedwait_interrupted, "rt_sigtimedwait: another signal's handler: EINTR"),
	CASE(alarm_call, "alarm: gives what was left"),
	CASE(itimer_errors, "setitimer, getitimer: EINVAL, EFAULT"),
	CASE(itimer_repeats, "setitimer ITIMER_REAL: once and then by interval, SI_KERNEL"),
	CASE(itimer_cpu, "setitimer: SIGVTALRM and SIGPROF by CPU time"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
