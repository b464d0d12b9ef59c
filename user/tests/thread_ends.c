/* SPDX-License-Identifier: MIT */
/*
 * Threads that end, and what becomes of the process then: cancellation, exit and exit_group by the
 * leader and by others, fork among threads, the tid word and robust locks that the kernel cares for.
 */
#include "cases.h"

static volatile int counter;
static struct gate gate;

/* ---- Cancellation, exit ---- */

static void cleanup(void *unused)
{
	counter += 10;
}

static void *reads_for_ever(void *unused)
{
	char c;

	pthread_cleanup_push(cleanup, NULL);
	open_gate(gate);
	for (;;)
		read((int)(long)unused, &c, 1);
	pthread_cleanup_pop(0);
	return NULL;
}

static void cancel(void)
{
	struct gate never = make_gate();
	pthread_t thread;

	gate = make_gate();
	thread = begin_thread(reads_for_ever, (void *)(long)never.in);
	wait_gate(gate);
	WANT_IS(pthread_cancel(thread), 0);
	WANT(join_thread(thread) == PTHREAD_CANCELED);
	WANT_IS(counter, 10);
}

static void *spins_cancellable(void *unused)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	open_gate(gate);
	for (;;)
		__asm__ volatile("pause");
	return NULL;
}

static void cancel_asynchronous(void)
{
	pthread_t thread;

	gate = make_gate();
	thread = begin_thread(spins_cancellable, NULL);
	wait_gate(gate);
	WANT_IS(pthread_cancel(thread), 0);
	WANT(join_thread(thread) == PTHREAD_CANCELED);
}

static void *exits_process(void *unused)
{
	_exit(23);
}

static void exit_by_thread(void)
{
	begin_thread(exits_process, NULL);
	just_wait();
}

static volatile int leader_tid = 1;

/* Once the leader has gone. */
static void *ends_last(void *unused)
{
	while (leader_tid)
		kernel_call(SYS_futex, &leader_tid, 0, 1, NULL);
	if (gate.in)
		wait_gate(gate);
	kernel_call(SYS_exit, 45);
	return NULL;
}

static void leader_goes(void)
{
	begin_thread(ends_last, NULL);
	kernel_call(SYS_set_tid_address, &leader_tid);
	kernel_call(SYS_exit, 44);
}

static void zombie_leader(void)
{
	pid_t pid;

	gate = make_gate();
	pid = start(leader_goes);
	sleep_ms(2);
	WANT_IS(waitpid(pid, NULL, WNOHANG), 0);
	WANT_IS(kill(pid, 0), 0);
	open_gate(gate);
	WANT_ENDS(pid, EXITED(45));
}

static void zombie_leader_killed(void)
{
	pid_t pid;

	gate = make_gate();
	pid = start(leader_goes);
	sleep_ms(2);
	WANT_IS(kill(pid, SIGTERM), 0);
	WANT_ENDS(pid, SIGTERM);
}

/* ---- fork among threads ---- */

static void in_child(void)
{
	counter = 100;
}

static void in_parent(void)
{
	counter += 1;
}

static void fork_handlers(void)
{
	pid_t pid;

	WANT_IS(pthread_atfork(in_parent, in_parent, in_child), 0);
	pid = fork();
	if (pid == 0)
		_exit(counter);
	WANT_ENDS(pid, EXITED(100));
	WANT_IS(counter, 2);
}

static void *spins_for_ever(void *unused)
{
	for (;;)
		__asm__ volatile("pause");
	return NULL;
}

static void *forks(void *unused)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(kernel_call(SYS_gettid) == kernel_call(SYS_getpid) ? 11 : 12);
	WANT_ENDS(pid, EXITED(11));
	return NULL;
}

static void fork_in_thread(void)
{
	begin_thread(spins_for_ever, NULL);
	join_thread(begin_thread(forks, NULL));
}

static void *forks_often(void *unused)
{
	pid_t pid;

	for (int i = 0; i < 10; i++) {
		pid = fork();
		if (pid == 0)
			_exit(i);
		WANT_ENDS(pid, EXITED(i));
	}
	return NULL;
}

static void forks_at_once(void)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		threads[i] = begin_thread(forks_often, NULL);
	for (int i = 0; i < 4; i++)
		join_thread(threads[i]);
}

/* ---- A thread's end ---- */

static volatile int tid_word;

static void *sets_tid_address(void *unused)
{
	WANT_IS(kernel_call(SYS_set_tid_address, &tid_word), kernel_call(SYS_gettid));
	kernel_call(SYS_exit, 0);
	return NULL;
}

static void tid_address(void)
{
	tid_word = 9;
	begin_thread(sets_tid_address, NULL);
	while (tid_word == 9)
		kernel_call(SYS_futex, &tid_word, 0, 9, NULL);
	WANT_IS(tid_word, 0);
}

static pthread_mutex_t robust;

static void *ends_with_lock(void *unused)
{
	WANT_IS(pthread_mutex_lock(&robust), 0);
	return NULL;
}

static void make_robust(pthread_mutex_t *lock, bool shared)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attributes, shared);
	WANT_IS(pthread_mutex_init(lock, &attributes), 0);
}

static void robust_mutex(void)
{
	make_robust(&robust, false);
	join_thread(begin_thread(ends_with_lock, NULL));
	WANT_IS(pthread_mutex_lock(&robust), EOWNERDEAD);
	WANT_IS(pthread_mutex_consistent(&robust), 0);
	WANT_IS(pthread_mutex_unlock(&robust), 0);
}

static void robust_process(void)
{
	pthread_mutex_t *lock = shared_memory(4096);
	pid_t pid;

	gate = make_gate();
	make_robust(lock, true);
	pid = fork();
	if (pid == 0) {
		pthread_mutex_lock(lock);
		open_gate(gate);
		just_wait();
	}
	wait_gate(gate);
	WANT_IS(pthread_mutex_trylock(lock), EBUSY);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_IS(pthread_mutex_lock(lock), EOWNERDEAD); /* may have to wait for the end */
	WANT_ENDS(pid, SIGKILL);
}

static void robust_calls(void)
{
	void *head = NULL, *found = NULL;
	size_t size = 0;

	WANT_IS(kernel_call(SYS_set_robust_list, &head, 24), 0);
	WANT_IS(kernel_call(SYS_set_robust_list, &head, 23), -EINVAL);
	WANT_IS(kernel_call(SYS_get_robust_list, 0, &found, &size), 0);
	WANT(found == &head && size == 24);
	WANT_IS(kernel_call(SYS_get_robust_list, getpid(), BAD, &size), -EFAULT);
	WANT_IS(kernel_call(SYS_get_robust_list, 0x7ffffff0, &found, &size), -ESRCH);
	WANT_IS(kernel_call(SYS_set_robust_list, NULL, 24), 0);
}

static const struct test_case cases[] = {
	CASE(cancel, "cancellation in read"),
	CASE(cancel_asynchronous, "asynchronous cancellation of one that spins"),
	CASE_ENDS(exit_by_thread, EXITED(23), "exit_group by a thread ends the process"),
	CASE_ENDS(leader_goes, EXITED(45), "exit of all threads one by one: the last one's code"),
	CASE(zombie_leader, "a process whose leader has exited is not waited for yet"),
	CASE(zombie_leader_killed, "a process whose leader has exited takes signals"),
	CASE(fork_handlers, "pthread_atfork"),
	CASE(fork_in_thread, "fork in a thread: the child is its own leader"),
	CASE(forks_at_once, "fork in four threads at once"),
	CASE(tid_address, "set_tid_address: cleared and woken at the thread's end"),
	CASE(robust_mutex, "a robust mutex of a thread that ended: EOWNERDEAD"),
	CASE(robust_process, "a robust mutex of a process that was killed: EOWNERDEAD"),
	CASE(robust_calls, "set_robust_list, get_robust_list: EINVAL, EFAULT, ESRCH"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
