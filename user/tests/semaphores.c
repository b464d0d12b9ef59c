/* SPDX-License-Identifier: MIT */
/* System V's semaphores: semget, semop, semtimedop, semctl, SEM_UNDO. */
#include <sys/ipc.h>
#include <sys/sem.h>

#include "cases.h"

#define MANY 32000 /* semaphores of a set: kernel.sem */

static long get(long key, long count, int flags)
{
	return kernel_call(SYS_semget, key, count, flags);
}

static long control(long id, long index, int command, long argument)
{
	return kernel_call(SYS_semctl, id, index, command, argument);
}

static long make(long count)
{
	long id = get(IPC_PRIVATE, count, IPC_CREAT | 0600);

	WANT(id >= 0);
	return id;
}

static void drop(long id)
{
	WANT_IS(control(id, 0, IPC_RMID, 0), 0);
}

static long op(long id, int index, int by, int flags)
{
	struct sembuf operation = {(unsigned short)index, (short)by, (short)flags};

	return kernel_call(SYS_semop, id, &operation, 1);
}

static long value_of(long id, int index)
{
	return control(id, index, GETVAL, 0);
}

/* Until so many wait for it to grow, or to be zero. */
static void await(long id, int index, int command, int count)
{
	while (control(id, index, command, 0) != count)
		sleep_ms(1);
}

static void makes(void)
{
	const int key = 0x5eed0000 + getpid();
	long id;

	WANT_IS(get(key, 1, 0600), -ENOENT);
	WANT_IS(get(key, 0, IPC_CREAT | 0600), -EINVAL);
	WANT_IS(get(key, -1, IPC_CREAT | 0600), -EINVAL);
	WANT_IS(get(key, MANY + 1, IPC_CREAT | 0600), -EINVAL);
	id = get(key, 3, IPC_CREAT | IPC_EXCL | 0600);
	WANT(id >= 0);
	WANT_IS(get(key, 3, IPC_CREAT | IPC_EXCL | 0600), -EEXIST);
	WANT_IS(get(key, 3, IPC_CREAT | 0600), id);
	WANT_IS(get(key, 0, 0), id);
	WANT_IS(get(key, 4, 0), -EINVAL);
	drop(id);
	WANT_IS(get(key, 3, 0), -ENOENT);
	WANT_IS(op(id, 0, 1, 0), -EINVAL);
	WANT_IS(control(id, 0, IPC_RMID, 0), -EINVAL);
	WANT_IS(control(-1, 0, IPC_RMID, 0), -EINVAL);
	id = make(1);
	WANT(get(IPC_PRIVATE, 1, 0600) != id);
	WANT_IS(control(id, 0, 99, 0), -EINVAL);
	drop(id);
}

static void operates(void)
{
	struct sembuf both[] = {{0, 3, 0}, {1, -1, IPC_NOWAIT}},
		      back[] = {{0, 2, 0}, {0, -2, 0}, {1, 0, 0}};
	long id = make(2);

	WANT_IS(op(id, 0, 5, 0), 0);
	WANT_IS(value_of(id, 0), 5);
	WANT_IS(control(id, 0, GETPID, 0), getpid());
	WANT_IS(control(id, 1, GETPID, 0), 0);
	WANT_IS(op(id, 0, -6, IPC_NOWAIT), -EAGAIN);
	WANT_IS(op(id, 0, 0, IPC_NOWAIT), -EAGAIN);
	WANT_IS(op(id, 1, 0, 0), 0);
	WANT_IS(kernel_call(SYS_semop, id, both, 2), -EAGAIN);
	WANT_IS(value_of(id, 0), 5); /* all or nothing */
	WANT_IS(kernel_call(SYS_semop, id, back, 3), 0);
	WANT_IS(value_of(id, 0), 5);
	WANT_IS(op(id, 0, 32762, 0), 0);
	WANT_IS(op(id, 0, 1, 0), -ERANGE);
	WANT_IS(op(id, 0, -32767, 0), 0);
	WANT_IS(value_of(id, 0), 0);
	drop(id);
}

static void operation_errors(void)
{
	static struct sembuf many[501];
	struct timespec bad = {0, 1000000000};
	long id = make(1);

	WANT_IS(op(id, 1, 1, 0), -EFBIG);
	WANT_IS(op(id, 65535, 0, 0), -EFBIG);
	WANT_IS(op(-1, 0, 1, 0), -EINVAL);
	WANT_IS(op(id + 32768, 0, 1, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_semop, id, many, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_semop, id, many, 501), -E2BIG);
	WANT_IS(kernel_call(SYS_semop, id, many, 0xffffffffu), -E2BIG);
	WANT_IS(kernel_call(SYS_semop, id, many, 500), 0); /* each is zero */
	WANT_IS(kernel_call(SYS_semop, id, BAD, 1), -EFAULT);
	WANT_IS(kernel_call(SYS_semop, id, BAD, 500), -EFAULT);
	WANT_IS(kernel_call(SYS_semtimedop, id, many, 1, &bad), -EINVAL);
	WANT_IS(kernel_call(SYS_semtimedop, id, many, 1, BAD), -EFAULT);
	for (int i = 0; i < 500; i++)
		many[i].sem_op = 1;
	WANT_IS(kernel_call(SYS_semop, id, many, 500), 0);
	WANT_IS(value_of(id, 0), 500);
	drop(id);
}

static long set;

static void takes_one(void)
{
	WANT_IS(op(set, 0, -1, 0), 0);
}

static void waits(void)
{
	pid_t pid;

	set = make(1);
	pid = start(takes_one);
	await(set, 0, GETNCNT, 1);
	WANT_IS(control(set, 0, GETZCNT, 0), 0);
	WANT_IS(op(set, 0, 1, 0), 0);
	WANT_ENDS(pid, 0);
	WANT_IS(value_of(set, 0), 0);
	WANT_IS(control(set, 0, GETPID, 0), pid);
	drop(set);
}

static void awaits_zero(void)
{
	WANT_IS(op(set, 0, 0, 0), 0);
}

/* A zero that lasts for no time at all is seen by who waits for it. */
static void sees_each_zero(void)
{
	struct sembuf through[] = {{0, -1, 0}, {0, 1, 0}};
	pid_t pid;

	set = make(1);
	WANT_IS(op(set, 0, 1, 0), 0);
	pid = start(awaits_zero);
	await(set, 0, GETZCNT, 1);
	WANT_IS(kernel_call(SYS_semop, set, through, 2), 0); /* never zero between calls */
	WANT_IS(control(set, 0, GETZCNT, 0), 1);
	for (int i = 0; i < 2; i++) {
		WANT_IS(op(set, 0, -1, 0), 0);
		WANT_IS(op(set, 0, 1, 0), 0);
	}
	WANT_ENDS(pid, 0);
	drop(set);
}

/* The oldest that can go on does first; one that cannot holds up nobody. */
static void takes_five(void)
{
	WANT_IS(op(set, 0, -5, 0), 0);
}

static void oldest_first(void)
{
	pid_t five, one;

	set = make(1);
	five = start(takes_five);
	await(set, 0, GETNCNT, 1);
	one = start(takes_one);
	await(set, 0, GETNCNT, 2);
	WANT_IS(op(set, 0, 1, 0), 0);
	WANT_ENDS(one, 0);
	WANT_IS(op(set, 0, 4, 0), 0);
	WANT_IS(value_of(set, 0), 4);
	WANT_IS(op(set, 0, 1, 0), 0);
	WANT_ENDS(five, 0);
	drop(set);
}

static struct sembuf *two;

static void does_two(void)
{
	WANT_IS(kernel_call(SYS_semop, set, two, 2), 0);
}

/* Who goes on when semaphore 1 is raised frees who waits longer, on semaphore 0. */
static void frees_older(void (*first)(void), int command, struct sembuf *both, int by)
{
	pid_t older = start(first), younger;

	await(set, 0, command, 1);
	two = both;
	younger = start(does_two);
	await(set, 1, GETNCNT, 1);
	WANT_IS(op(set, 1, by, 0), 0);
	WANT_ENDS(younger, 0);
	WANT_ENDS(older, 0);
}

static void older_goes_on(void)
{
	struct sembuf pass[] = {{1, -2, 0}, {0, 1, 0}}, down[] = {{1, -1, 0}, {0, -1, 0}};

	set = make(2);
	WANT_IS(op(set, 1, 1, 0), 0);
	frees_older(takes_one, GETNCNT, pass, 2); /* one is left there */
	WANT_IS(op(set, 1, -1, 0), 0);
	WANT_IS(op(set, 0, 1, 0), 0);
	frees_older(awaits_zero, GETZCNT, down, 1);
	drop(set);
}

static void times_out(void)
{
	struct sembuf down = {0, -1, 0};
	struct timespec none = {0, 0}, some = {0, 20000000};
	int64_t before = now_ns();
	long id = make(1);

	WANT_IS(kernel_call(SYS_semtimedop, id, &down, 1, &none), -EAGAIN);
	WANT_IS(kernel_call(SYS_semtimedop, id, &down, 1, &some), -EAGAIN);
	WANT(now_ns() - before >= 20000000);
	WANT_IS(control(id, 0, GETNCNT, 0), 0);
	drop(id);
}

static void ignore(int number)
{
	(void)number;
}

static void is_interrupted(void)
{
	handle(SIGUSR1, ignore, SA_RESTART);
	WANT_IS(op(set, 0, -1, 0), -EINTR);
}

static void interrupted(void)
{
	pid_t pid;

	set = make(1);
	pid = start(is_interrupted);
	await(set, 0, GETNCNT, 1);
	WANT_IS(kill(pid, SIGUSR1), 0);
	WANT_ENDS(pid, 0);
	WANT_IS(control(set, 0, GETNCNT, 0), 0);
	drop(set);
}

static void sees_removal(void)
{
	WANT_IS(op(set, 0, -1, SEM_UNDO), -EIDRM);
}

static void removed(void)
{
	pid_t pids[3];

	set = make(1);
	for (int i = 0; i < 3; i++)
		pids[i] = start(sees_removal);
	await(set, 0, GETNCNT, 3);
	drop(set);
	for (int i = 0; i < 3; i++)
		WANT_ENDS(pids[i], 0);
}

/* ---- SEM_UNDO ---- */

static struct gate gate, back;

static void takes_and_dies(void)
{
	WANT_IS(op(set, 0, -3, SEM_UNDO), 0);
	WANT_IS(op(set, 0, 1, SEM_UNDO), 0);
	WANT_IS(op(set, 1, 7, SEM_UNDO), 0);
	WANT_IS(op(set, 1, 1, 0), 0);
	kill(getpid(), SIGKILL);
}

static void undone(void)
{
	pid_t pid, waiter;

	set = make(2);
	WANT_IS(op(set, 0, 3, 0), 0);
	pid = start(takes_and_dies);
	WANT_ENDS(pid, KILLED(SIGKILL));
	WANT_IS(value_of(set, 0), 3);
	WANT_IS(value_of(set, 1), 1);
	WANT_IS(control(set, 0, GETPID, 0), pid);
	/* What is undone lets others go on. */
	WANT_IS(op(set, 0, -3, 0), 0);
	waiter = start(takes_one);
	await(set, 0, GETNCNT, 1);
	WANT_IS(op(set, 0, 1, 0), 0);
	WANT_ENDS(waiter, 0);
	drop(set);
}

static void raises_and_waits(void)
{
	WANT_IS(op(set, 0, 5, SEM_UNDO), 0);
	open_gate(gate);
	wait_gate(back);
}

/* Not below zero; not after SETVAL or SETALL. */
static void undo_bounds(void)
{
	unsigned short values[1] = {9};
	pid_t pid;

	gate = make_gate();
	back = make_gate();
	set = make(1);
	pid = start(raises_and_waits);
	wait_gate(gate);
	WANT_IS(op(set, 0, -4, 0), 0);
	open_gate(back);
	WANT_ENDS(pid, 0);
	WANT_IS(value_of(set, 0), 0);
	for (int all = 0; all < 2; all++) {
		pid = start(raises_and_waits);
		wait_gate(gate);
		WANT_IS(all ? control(set, 0, SETALL, (long)values) : control(set, 0, SETVAL, 9),
			0);
		open_gate(back);
		WANT_ENDS(pid, 0);
		WANT_IS(value_of(set, 0), 9);
	}
	drop(set);
}

static void does_nothing(void)
{
}

static void *takes_in_thread(void *argument)
{
	WANT_IS(op(set, 0, -2, SEM_UNDO), 0);
	return argument;
}

static void uses_threads(void)
{
	join_thread(begin_thread(takes_in_thread, NULL));
	WANT_IS(value_of(set, 0), 8); /* the thread has ended, its process has not */
	WANT_ENDS(start(does_nothing), 0);
	WANT_IS(value_of(set, 0), 8); /* and a child has no part in it */
}

static void undo_is_shared(void)
{
	set = make(1);
	WANT_IS(op(set, 0, 10, 0), 0);
	WANT_ENDS(start(uses_threads), 0);
	WANT_IS(value_of(set, 0), 10);
	drop(set);
}

static void undo_range(void)
{
	long id = make(1);

	WANT_IS(op(id, 0, 32767, SEM_UNDO), 0);
	WANT_IS(op(id, 0, -32767, 0), 0);
	WANT_IS(op(id, 0, 1, SEM_UNDO), 0);
	WANT_IS(op(id, 0, 1, SEM_UNDO), -ERANGE); /* -32769 would be to be added */
	WANT_IS(value_of(id, 0), 1);
	WANT_IS(op(id, 0, -1, SEM_UNDO), 0);
	drop(id);
	WANT_IS(op(id, 0, 1, SEM_UNDO), -EINVAL);
}

static void unshare_undoes(void)
{
	long id = make(1);

	WANT_IS(op(id, 0, 4, SEM_UNDO), 0);
	WANT_IS(unshare(CLONE_SYSVSEM), 0);
	WANT_IS(value_of(id, 0), 0);
	drop(id);
}

/* ---- semctl ---- */

static void values(void)
{
	unsigned short set_to[3] = {1, 2, 32767}, found[3] = {0}, bad[3] = {0, 32768, 0};
	long id = make(3);

	WANT_IS(control(id, 0, SETALL, (long)set_to), 0);
	WANT_IS(control(id, 0, GETALL, (long)found), 0);
	WANT(memcmp(found, set_to, sizeof found) == 0);
	WANT_IS(control(id, 0, SETALL, (long)bad), -ERANGE);
	WANT_IS(control(id, 0, SETALL, (long)BAD), -EFAULT);
	WANT_IS(control(id, 0, GETALL, (long)BAD), -EFAULT);
	WANT_IS(control(id, 1, SETVAL, -1), -ERANGE);
	WANT_IS(control(id, 1, SETVAL, 32768), -ERANGE);
	WANT_IS(control(id, 3, SETVAL, 0), -EINVAL);
	WANT_IS(control(id, -1, SETVAL, 0), -EINVAL);
	WANT_IS(control(id, 3, GETVAL, 0), -EINVAL);
	WANT_IS(control(id, 3, GETNCNT, 0), -EINVAL);
	WANT_IS(control(id, 1, SETVAL, 0), 0);
	WANT_IS(value_of(id, 1), 0);
	WANT_IS(value_of(id, 2), 32767);
	drop(id);
}

static void status(void)
{
	struct semid_ds status;
	struct seminfo limits;
	long id = make(5), highest;

	WANT_IS(control(id, 0, IPC_STAT, (long)&status), 0);
	WANT_IS(status.sem_nsems, 5);
	WANT_IS(status.sem_otime, 0);
	WANT(status.sem_ctime > 0);
	WANT_IS(status.sem_perm.mode, 0600);
	WANT_IS(status.sem_perm.uid, geteuid());
	WANT_IS(op(id, 0, 0, 0), 0);
	WANT_IS(control(id, 0, IPC_STAT, (long)&status), 0);
	WANT(status.sem_otime >= status.sem_ctime);
	status.sem_perm.mode = 01640;
	WANT_IS(control(id, 0, IPC_SET, (long)&status), 0);
	WANT_IS(control(id, 0, IPC_STAT, (long)&status), 0);
	WANT_IS(status.sem_perm.mode, 0640);
	status.sem_perm.uid = (uid_t)-1;
	WANT_IS(control(id, 0, IPC_SET, (long)&status), -EINVAL);
	WANT_IS(control(id, 0, IPC_SET, (long)BAD), -EFAULT);
	WANT_IS(control(id, 0, IPC_STAT, (long)BAD), -EFAULT);
	highest = control(0, 0, SEM_INFO, (long)&limits);
	WANT(highest >= id % 32768);
	WANT(limits.semusz >= 1 && limits.semaem >= 5);
	WANT_IS(control(id % 32768, 0, SEM_STAT, (long)&status), id);
	WANT_IS(control(0, 0, IPC_INFO, (long)&limits), highest);
	WANT_IS(limits.semmsl, 32000);
	WANT_IS(limits.semopm, 500);
	WANT_IS(limits.semvmx, 32767);
	drop(id);
	WANT_IS(control(id, 0, IPC_STAT, (long)&status), -EINVAL);
}

static void nobody_tries(void)
{
	struct semid_ds status;

	become_nobody();
	WANT_IS(op(set, 0, 1, IPC_NOWAIT), -EACCES);
	WANT_IS(op(set, 0, 0, IPC_NOWAIT), 0); /* it may be read */
	WANT_IS(value_of(set, 0), 0);
	WANT_IS(control(set, 0, SETVAL, 1), -EACCES);
	WANT_IS(control(set, 0, IPC_STAT, (long)&status), 0);
	WANT_IS(control(set, 0, IPC_SET, (long)&status), -EPERM);
	WANT_IS(control(set, 0, IPC_RMID, 0), -EPERM);
}

static void rights(void)
{
	struct semid_ds status;

	if (geteuid() != 0)
		skip("only root can become somebody else");
	set = get(IPC_PRIVATE, 1, IPC_CREAT | 0604);
	WANT_ENDS(start(nobody_tries), 0);
	WANT_IS(control(set, 0, IPC_STAT, (long)&status), 0);
	status.sem_perm.uid = NOBODY;
	WANT_IS(control(set, 0, IPC_SET, (long)&status), 0);
	WANT(become_nobody());
	WANT_IS(op(set, 0, 1, 0), 0);
	drop(set);
}

static void large_set(void)
{
	static unsigned short values[MANY];
	long id = make(MANY);

	for (int i = 0; i < MANY; i++)
		values[i] = (unsigned short)(i % 32768);
	WANT_IS(control(id, 0, SETALL, (long)values), 0);
	memset(values, 0, sizeof values);
	WANT_IS(control(id, 0, GETALL, (long)values), 0);
	WANT_IS(values[MANY - 1], (MANY - 1) % 32768);
	WANT_IS(op(id, MANY - 1, 1, SEM_UNDO), 0);
	WANT_IS(op(id, MANY, 1, SEM_UNDO), -EFBIG);
	drop(id);
}

/* ---- Many at once ---- */

static volatile long *counter;

static void counts(void)
{
	for (int i = 0; i < 500; i++) {
		WANT_IS(op(set, 0, -1, SEM_UNDO), 0);
		*counter = *counter + 1;
		WANT_IS(op(set, 0, 1, SEM_UNDO), 0);
	}
}

static void guards(void)
{
	pid_t pids[4];

	counter = shared_memory(sizeof *counter);
	set = make(1);
	WANT_IS(op(set, 0, 1, 0), 0);
	for (size_t i = 0; i < COUNT(pids); i++)
		pids[i] = start(counts);
	for (size_t i = 0; i < COUNT(pids); i++)
		WANT_ENDS(pids[i], 0);
	WANT_IS(*counter, 2000);
	WANT_IS(value_of(set, 0), 1);
	drop(set);
}

/* Sets come and go under those who use them. */
static void uses_while_removed(void)
{
	long result;

	do {
		result = op(set, 0, -1, SEM_UNDO);
	} while (!result);
	WANT(result == -EIDRM || result == -EINVAL);
}

static void removed_in_use(void)
{
	pid_t pids[3];

	for (int round = 0; round < 20; round++) {
		set = make(1);
		for (size_t i = 0; i < COUNT(pids); i++)
			pids[i] = start(uses_while_removed);
		for (int i = 0; i < 20; i++)
			WANT_IS(op(set, 0, 1, 0), 0);
		drop(set);
		for (size_t i = 0; i < COUNT(pids); i++)
			WANT_ENDS(pids[i], 0);
	}
}

static const struct test_case cases[] = {
	CASE(makes, "semget: keys, sizes, ids"),
	CASE(operates, "semop: all at once or nothing"),
	CASE(operation_errors, "semop: EFBIG, E2BIG, EINVAL, EFAULT"),
	CASE(waits, "semop waits until it can go on"),
	CASE(sees_each_zero, "semop sees a zero that does not last"),
	CASE(oldest_first, "semop: one that cannot go on holds up nobody"),
	CASE(older_goes_on, "semop: one that goes on lets an older one go on"),
	CASE(times_out, "semtimedop gives EAGAIN"),
	CASE(interrupted, "semop is not restarted"),
	CASE(removed, "IPC_RMID: who waits gets EIDRM"),
	CASE(undone, "SEM_UNDO: what a killed process did"),
	CASE(undo_bounds, "SEM_UNDO: not below zero, not after SETVAL, SETALL"),
	CASE(undo_is_shared, "SEM_UNDO: threads share it, children do not"),
	CASE(undo_range, "SEM_UNDO: ERANGE"),
	CASE(unshare_undoes, "unshare(CLONE_SYSVSEM) undoes"),
	CASE(values, "semctl: values"),
	CASE(status, "semctl: status and limits"),
	CASE(rights, "rights: EACCES, EPERM"),
	CASE(large_set, "a set of 32,000"),
	CASE(guards, "four processes count"),
	CASE(removed_in_use, "sets are removed while they are used"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
