/* SPDX-License-Identifier: MIT */
/*
 * Signals to processes of several threads: which thread takes what is sent to the process, what is
 * sent to one stays with it, masks and pending signals of new threads, and signals that end all.
 */
#include "cases.h"

#define THREADS 4

static struct gate gate, back;
static volatile int count, taker, code;
static volatile int *common;

static long tid(void)
{
	return kernel_call(SYS_gettid);
}

static void note(int number, siginfo_t *info, void *context)
{
	taker = (int)tid();
	code = info->si_code;
	__atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
}

static void wait_for_count(int wanted)
{
	while (__atomic_load_n(&count, __ATOMIC_SEQ_CST) < wanted)
		sched_yield();
}

/* ---- To the process ---- */

static volatile long unblocked_tid;

static void *unblocks_and_reads(void *unused)
{
	unblock(SIGUSR1);
	unblocked_tid = tid();
	open_gate(back);
	wait_gate(gate);
	return NULL;
}

static void *blocked_and_reads(void *unused)
{
	wait_gate(gate);
	return NULL;
}

static void any_unblocked(void)
{
	pthread_t threads[THREADS];

	gate = make_gate();
	back = make_gate();
	handle_info(SIGUSR1, note, SA_RESTART);
	block(SIGUSR1);
	for (int i = 0; i < THREADS; i++)
		threads[i] = begin_thread(i == 2 ? unblocks_and_reads : blocked_and_reads, NULL);
	wait_gate(back);
	WANT_IS(kill(getpid(), SIGUSR1), 0);
	wait_for_count(1);
	WANT_IS(taker, unblocked_tid);
	WANT_IS(code, SI_USER);
	for (int i = 0; i < THREADS; i++)
		open_gate(gate);
	for (int i = 0; i < THREADS; i++)
		join_thread(threads[i]);
	WANT_IS(count, 1);
}

static void *sees_pending_and_takes(void *unused)
{
	WANT(is_pending(SIGUSR1) && is_pending(SIGUSR2));
	unblock(SIGUSR1);
	WANT_IS(count, 1);
	WANT_IS(taker, tid());
	WANT(!is_pending(SIGUSR1));
	return NULL;
}

static void first_to_unblock(void)
{
	handle_info(SIGUSR1, note, 0);
	block(SIGUSR1);
	block(SIGUSR2);
	WANT_IS(kill(getpid(), SIGUSR1), 0);
	WANT_IS(kill(getpid(), SIGUSR2), 0);
	join_thread(begin_thread(sees_pending_and_takes, NULL));
	WANT(!is_pending(SIGUSR1) && is_pending(SIGUSR2));
}

static void *waits_for_signal(void *unused)
{
	sigset_t set = set_of(SIGUSR1);
	siginfo_t info;

	WANT_IS(sigwaitinfo(&set, &info), SIGUSR1);
	WANT_IS(info.si_code, SI_USER);
	__atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void sigwait_in_thread(void)
{
	pthread_t thread;

	block(SIGUSR1);
	thread = begin_thread(waits_for_signal, NULL);
	WANT_IS(kill(getpid(), SIGUSR1), 0);
	join_thread(thread);
	WANT(!is_pending(SIGUSR1));
}

/* Each signal of many is taken by exactly one of those who wait. */
static void *takes_realtime(void *unused)
{
	sigset_t set = set_of(SIGRTMIN);

	sigaddset(&set, SIGRTMIN + 1);
	while (sigwaitinfo(&set, NULL) == SIGRTMIN)
		__atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void sigwait_in_many(void)
{
	pthread_t threads[THREADS];

	block(SIGRTMIN);
	block(SIGRTMIN + 1);
	for (int i = 0; i < THREADS; i++)
		threads[i] = begin_thread(takes_realtime, NULL);
	for (int i = 0; i < 200; i++)
		WANT_IS(sigqueue(getpid(), SIGRTMIN, (union sigval){0}), 0);
	wait_for_count(200);
	for (int i = 0; i < THREADS; i++)
		WANT_IS(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){0}), 0);
	for (int i = 0; i < THREADS; i++)
		join_thread(threads[i]);
	WANT_IS(count, 200);
}

/* ---- To one thread ---- */

static volatile long thread_tid;

static void *stays_blocked(void *unused)
{
	thread_tid = tid();
	open_gate(back);
	wait_gate(gate);
	WANT(is_pending(SIGUSR1));
	unblock(SIGUSR1);
	WANT_IS(count, 1);
	WANT_IS(taker, tid());
	WANT_IS(code, SI_TKILL);
	return NULL;
}

static void directed_stays(void)
{
	pthread_t thread;

	gate = make_gate();
	back = make_gate();
	handle_info(SIGUSR1, note, 0);
	block(SIGUSR1);
	thread = begin_thread(stays_blocked, NULL);
	unblock(SIGUSR1);
	wait_gate(back);
	WANT_IS(kernel_call(SYS_tgkill, getpid(), thread_tid, SIGUSR1), 0);
	WANT_IS(count, 0);
	WANT(!is_pending(SIGUSR1)); /* not this thread's, not the process's */
	open_gate(gate);
	join_thread(thread);
}

static void *reads_for_ever(void *unused)
{
	char c;

	thread_tid = tid();
	open_gate(back);
	WANT_IS(kernel_call(SYS_read, gate.in, &c, 1), -EINTR);
	WANT_IS(taker, tid());
	return NULL;
}

/* Sent until it is noticed: the thread may not be in read yet. */
static void directed_interrupts(void)
{
	pthread_t thread;

	gate = make_gate();
	back = make_gate();
	handle_info(SIGUSR1, note, 0);
	thread = begin_thread(reads_for_ever, NULL);
	wait_gate(back);
	while (kernel_call(SYS_tkill, thread_tid, SIGUSR1) == 0)
		sleep_ms(1);
	join_thread(thread);
	WANT(count > 0);
}

static void *pending_of_new(void *unused)
{
	sigset_t mask;

	WANT_IS(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
	WANT(sigismember(&mask, SIGUSR1) && sigismember(&mask, SIGUSR2));
	WANT(!is_pending(SIGUSR1));
	WANT(is_pending(SIGUSR2));
	return NULL;
}

static void new_thread(void)
{
	block(SIGUSR1);
	block(SIGUSR2);
	WANT_IS(kernel_call(SYS_tkill, tid(), SIGUSR1), 0);
	WANT_IS(kill(getpid(), SIGUSR2), 0);
	join_thread(begin_thread(pending_of_new, NULL));
	WANT(is_pending(SIGUSR1) && is_pending(SIGUSR2));
}

static void *ends_with_pending(void *unused)
{
	WANT_IS(kernel_call(SYS_tkill, tid(), SIGUSR1), 0);
	WANT(is_pending(SIGUSR1));
	return NULL;
}

static void pending_goes_with_thread(void)
{
	block(SIGUSR1);
	join_thread(begin_thread(ends_with_pending, NULL));
	WANT(!is_pending(SIGUSR1));
}

static volatile int *volatile nowhere;

static void *faults(void *unused)
{
	*nowhere = 1;
	return NULL;
}

static void ends_thread(int number)
{
	WANT_IS(tid(), thread_tid);
	count++;
	kernel_call(SYS_exit, 0);
}

static void *faults_and_ends(void *unused)
{
	thread_tid = tid();
	return faults(NULL);
}

static void fault_is_threads(void)
{
	handle(SIGSEGV, ends_thread, 0);
	begin_thread(faults_and_ends, NULL);
	wait_for_count(1);
}

/* ---- What ends all ---- */

static void *counts(void *index)
{
	for (;;)
		common[(long)index]++;
	return NULL;
}

static void *sleeps(void *unused)
{
	wait_gate(gate);
	return NULL;
}

static void busy_process(void)
{
	begin_thread(counts, (void *)1);
	begin_thread(counts, (void *)2);
	begin_thread(sleeps, NULL);
	open_gate(back);
	just_wait();
}

static void want_end(int number)
{
	pid_t pid;
	int before;

	common = shared_memory(4096);
	gate = make_gate();
	back = make_gate();
	pid = start(busy_process);
	wait_gate(back);
	while (!common[1] || !common[2])
		sched_yield();
	WANT_IS(kill(pid, number), 0);
	WANT_ENDS(pid, number);
	before = common[1] + common[2];
	sleep_ms(2);
	WANT_IS(common[1] + common[2], before);
}

static void killed(void)
{
	want_end(SIGKILL);
}

static void terminated(void)
{
	want_end(SIGTERM);
}

static void fault_ends_all(void)
{
	gate = make_gate();
	begin_thread(sleeps, NULL);
	begin_thread(faults, NULL);
	just_wait();
}

static void *kills_leader(void *unused)
{
	kernel_call(SYS_tgkill, getpid(), getpid(), SIGUSR2);
	return NULL;
}

static void directed_ends_all(void)
{
	gate = make_gate();
	begin_thread(sleeps, NULL);
	begin_thread(kills_leader, NULL);
	just_wait();
}

static void *exits_at_once(void *code_of)
{
	pthread_barrier_wait(code_of);
	kernel_call(SYS_exit_group, 5);
	return NULL;
}

static void all_exit(void)
{
	static pthread_barrier_t barrier;

	pthread_barrier_init(&barrier, NULL, 8);
	for (int i = 0; i < 8; i++)
		begin_thread(exits_at_once, &barrier);
	just_wait();
}

/* Signals to threads that come and go: nobody is lost, nobody gets another's. */
static void *short_lived(void *unused)
{
	WANT_IS(kernel_call(SYS_tkill, tid(), SIGUSR1), 0);
	return NULL;
}

static void signals_and_ends(void)
{
	handle_info(SIGUSR1, note, SA_RESTART);
	for (int i = 0; i < 50; i++) {
		pthread_t one = begin_thread(short_lived, NULL),
			  two = begin_thread(short_lived, NULL);

		WANT_IS(kill(getpid(), SIGURG), 0);
		join_thread(one);
		join_thread(two);
	}
	WANT_IS(count, 100);
}

static const struct test_case cases[] = {
	CASE(any_unblocked, "to the process: the thread that does not block it takes it"),
	CASE(first_to_unblock, "to the process: pending until one thread unblocks it"),
	CASE(sigwait_in_thread, "to the process: a thread in sigwait takes it"),
	CASE(sigwait_in_many, "to the process: 200 queued signals, four that wait: none twice"),
	CASE(directed_stays, "to one thread: blocked there, no other takes or sees it"),
	CASE(directed_interrupts, "to one thread: its read gives EINTR"),
	CASE(new_thread, "a new thread has the mask, but not the pending signals"),
	CASE(pending_goes_with_thread, "a thread's pending signals go with it"),
	CASE(fault_is_threads, "a fault's signal is its thread's"),
	CASE(killed, "SIGKILL ends all threads"),
	CASE(terminated, "SIGTERM by default ends all threads"),
	CASE_ENDS(fault_ends_all, SIGSEGV, "a fault in one thread ends all"),
	CASE_ENDS(directed_ends_all, SIGUSR2, "a deadly signal to one thread ends all"),
	CASE_ENDS(all_exit, EXITED(5), "exit_group by eight threads at once"),
	CASE(signals_and_ends, "signals to threads that end right after"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
