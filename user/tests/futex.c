/* SPDX-License-Identifier: MIT */
/*
 * futex(2): waiting and waking between threads and between processes, private and shared; bit sets,
 * requeueing, FUTEX_WAKE_OP, timeouts by both clocks, futex_waitv, and what is refused. Robust lists:
 * robust.c.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "check.h"
#include "futex_abi.h"

#define MANY 16

/* ---- Threads that wait ---- */

struct sleeper {
	pthread_t thread;
	uint32_t *word;
	int operation;
	uint32_t value, bitset;
	int64_t timeout; /* 0: none */
	long result;
	uint32_t done;
};

static uint32_t awake; /* sleepers that are through, as a count and a futex */

static void *sleeper_main(void *argument)
{
	struct sleeper *s = argument;

	s->result = futex(s->word, s->operation, s->value, s->timeout ? SPAN(s->timeout) : NULL,
		NULL, s->bitset);
	__atomic_store_n(&s->done, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&awake, 1, __ATOMIC_SEQ_CST);
	futex(&awake, FUTEX_WAKE | PRIVATE, INT32_MAX, NULL, NULL, 0);
	return NULL;
}

static void start(struct sleeper *s)
{
	if (pthread_create(&s->thread, NULL, sleeper_main, s)) {
		printf("# no thread: %s\n", strerror(errno));
		exit(99);
	}
}

static void until_awake(uint32_t count)
{
	uint32_t now;

	while ((now = __atomic_load_n(&awake, __ATOMIC_SEQ_CST)) < count)
		futex(&awake, FUTEX_WAIT | PRIVATE, now, NULL, NULL, 0);
}

static void start_all(struct sleeper *s, int count, uint32_t *word, int operation)
{
	awake = 0;
	for (int i = 0; i < count; i++) {
		s[i] = (struct sleeper){.word = word, .operation = operation, .bitset = ~0u};
		start(&s[i]);
		until_waiting(word, operation & PRIVATE, i + 1);
	}
}

static bool join_all(struct sleeper *s, int count)
{
	bool held = true;

	for (int i = 0; i < count; i++) {
		pthread_join(s[i].thread, NULL);
		held &= s[i].result == 0;
	}
	return held;
}

/* ---- Refusals, no threads ---- */

static void refusals(void)
{
	uint32_t words[4] = {5, 6, 7, 8};
	char *unaligned = (char *)words + 2;
	char *hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct timespec bad = {0, 1000000000}, negative = {-1, 0};

	claim_result(futex(words, FUTEX_WAKE | PRIVATE, 1, NULL, NULL, 0), 0, "wake: nobody waits");
	claim_result(futex(words, FUTEX_WAKE, 1, NULL, NULL, 0), 0, "wake, shared: nobody waits");
	claim_result(futex(words, FUTEX_WAIT | PRIVATE, 6, NULL, NULL, 0), -EAGAIN,
		"wait: another value: EAGAIN");
	claim_result(futex(words, FUTEX_WAIT, 6, NULL, NULL, 0), -EAGAIN,
		"wait, shared: another value: EAGAIN");
	claim_result(futex((uint32_t *)unaligned, FUTEX_WAIT | PRIVATE, 5, NULL, NULL, 0), -EINVAL,
		"wait: not aligned: EINVAL");
	claim_result(futex((uint32_t *)unaligned, FUTEX_WAKE | PRIVATE, 5, NULL, NULL, 0), -EINVAL,
		"wake: not aligned: EINVAL");
	claim_result(
		futex(NULL, FUTEX_WAIT | PRIVATE, 0, NULL, NULL, 0), -EFAULT, "wait: null: EFAULT");
	claim_result(futex((uint32_t *)hole, FUTEX_WAIT | PRIVATE, 0, NULL, NULL, 0), -EFAULT,
		"wait: unreadable: EFAULT");
	claim_result(futex((uint32_t *)hole, FUTEX_WAIT, 0, NULL, NULL, 0), -EFAULT,
		"wait, shared: unreadable: EFAULT");
	claim_result(futex((uint32_t *)hole, FUTEX_WAKE | PRIVATE, 1, NULL, NULL, 0), 0,
		"wake looks at no memory");
	claim_result(futex((uint32_t *)hole, FUTEX_WAKE, 1, NULL, NULL, 0), -EFAULT,
		"but a shared one must be there: EFAULT");
	claim_result(futex((uint32_t *)0xffff800000000000, FUTEX_WAKE | PRIVATE, 1, NULL, NULL, 0),
		-EFAULT, "wake: a kernel address: EFAULT");
	claim_result(futex((uint32_t *)0xffff800000000000, FUTEX_WAIT | PRIVATE, 1, NULL, NULL, 0),
		-EFAULT, "wait: a kernel address: EFAULT");
	claim_result(futex(words, FUTEX_WAIT | PRIVATE, 5, &bad, NULL, 0), -EINVAL,
		"wait: too many nanoseconds: EINVAL");
	claim_result(futex(words, FUTEX_WAIT | PRIVATE, 5, &negative, NULL, 0), -EINVAL,
		"wait: a negative time: EINVAL");
	claim_result(futex(words, FUTEX_WAIT | PRIVATE, 5, (void *)8, NULL, 0), -EFAULT,
		"wait: the time is not there: EFAULT");
	claim_result(futex(words, FUTEX_WAIT | PRIVATE | FUTEX_CLOCK_REALTIME, 5, SPAN(1), NULL, 0),
		-ENOSYS, "wait with a span by CLOCK_REALTIME: ENOSYS");
	claim_result(futex(words, FUTEX_WAIT_BITSET | PRIVATE, 5, NULL, NULL, 0), -EINVAL,
		"wait: an empty bit set: EINVAL");
	claim_result(futex(words, FUTEX_WAKE_BITSET | PRIVATE, 5, NULL, NULL, 0), -EINVAL,
		"wake: an empty bit set: EINVAL");
	claim_result(futex(words, 99, 0, NULL, NULL, 0), -ENOSYS, "no such operation: ENOSYS");
	claim_result(futex(words, FUTEX_CMP_REQUEUE | PRIVATE, 1, (void *)1, &words[1], 6), -EAGAIN,
		"requeue: another value: EAGAIN");
	claim_result(futex(words, FUTEX_CMP_REQUEUE | PRIVATE, 1, (void *)1, &words[1], 5), 0,
		"requeue: nobody waits");
	claim_result(futex(words, FUTEX_REQUEUE | PRIVATE, -1, (void *)1, &words[1], 5), -EINVAL,
		"requeue: wakes a negative number: EINVAL");
	claim_result(futex(words, FUTEX_REQUEUE | PRIVATE, 1, (void *)-1L, &words[1], 5), -EINVAL,
		"requeue: moves a negative number: EINVAL");
	claim_result(futex(words, FUTEX_REQUEUE | PRIVATE, 1, (void *)1, (uint32_t *)unaligned, 5),
		-EINVAL, "requeue: the target is not aligned: EINVAL");
	claim_result(futex((uint32_t *)hole, FUTEX_CMP_REQUEUE | PRIVATE, 1, (void *)1, words, 5),
		-EFAULT, "requeue: unreadable: EFAULT");
	munmap(hole, 4096);
}

static void timeouts(void)
{
	uint32_t word = 1;
	int64_t before = now_ns();
	struct timespec at;

	claim_result(futex(&word, FUTEX_WAIT | PRIVATE, 1, SPAN(20000000), NULL, 0), -ETIMEDOUT,
		"wait for 20 ms: ETIMEDOUT");
	claim(now_ns() - before >= 20000000, "and not before they are over");
	claim_result(futex(&word, FUTEX_WAIT | PRIVATE, 1, SPAN(0), NULL, 0), -ETIMEDOUT,
		"wait for no time: ETIMEDOUT");
	claim_result(futex(&word, FUTEX_WAIT, 1, SPAN(1000), NULL, 0), -ETIMEDOUT,
		"wait, shared: ETIMEDOUT");
	before = now_ns();
	at = *SPAN(before + 20000000);
	claim_result(futex(&word, FUTEX_WAIT_BITSET | PRIVATE, 1, &at, NULL, ~0u), -ETIMEDOUT,
		"until a monotonic time: ETIMEDOUT");
	claim(now_ns() - before >= 20000000, "and not before it comes");
	clock_gettime(CLOCK_REALTIME, &at);
	before = at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
	at = *SPAN(before + 20000000);
	claim_result(
		futex(&word, FUTEX_WAIT_BITSET | PRIVATE | FUTEX_CLOCK_REALTIME, 1, &at, NULL, ~0u),
		-ETIMEDOUT, "until a time of day: ETIMEDOUT");
	clock_gettime(CLOCK_REALTIME, &at);
	claim(at.tv_sec * INT64_C(1000000000) + at.tv_nsec - before >= 20000000,
		"and not before it comes");
	claim_result(futex(&word, FUTEX_WAIT_BITSET | PRIVATE, 1, SPAN(1), NULL, ~0u), -ETIMEDOUT,
		"until a time that is past: ETIMEDOUT");
	claim_result(futex(&word, FUTEX_WAIT_BITSET | PRIVATE | FUTEX_CLOCK_REALTIME, 1, SPAN(1),
			     NULL, ~0u),
		-ETIMEDOUT, "until a day that is past: ETIMEDOUT");
	claim_equal(waiters(&word, PRIVATE), 0, "nobody is left waiting");
}

/* ---- Waking threads ---- */

static void waking(int flag, const char *kind)
{
	struct sleeper s[MANY];
	uint32_t word = 0;

	start_all(s, 1, &word, FUTEX_WAIT | flag);
	claim(futex(&word, FUTEX_WAKE | flag, 1, NULL, NULL, 0) == 1 && join_all(s, 1),
		"%s: one waits, one is woken", kind);
	start_all(s, MANY, &word, FUTEX_WAIT | flag);
	claim(futex(&word, FUTEX_WAKE | flag, 3, NULL, NULL, 0) == 3, "%s: three of many", kind);
	until_awake(3);
	claim(s[0].done && s[1].done && s[2].done, "%s: those who came first", kind);
	claim_equal(waiters(&word, flag), MANY - 3, "the others wait on");
	claim(futex(&word, FUTEX_WAKE | flag, INT32_MAX, NULL, NULL, 0) == MANY - 3 &&
			join_all(s, MANY),
		"%s: all that are left", kind);
	start_all(s, 1, &word, FUTEX_WAIT | flag);
	claim_result(futex(&word, FUTEX_WAKE | (flag ^ PRIVATE), 1, NULL, NULL, 0), 0,
		"private and shared do not mix");
	claim(futex(&word, FUTEX_WAKE | flag, 0, NULL, NULL, 0) == 1 && join_all(s, 1),
		"%s: to wake none wakes one, on Linux", kind);
}

static void bitsets(void)
{
	struct sleeper s[3];
	uint32_t word = 0;

	awake = 0;
	for (int i = 0; i < 3; i++) {
		s[i] = (struct sleeper){
			.word = &word, .operation = FUTEX_WAIT_BITSET | PRIVATE, .bitset = 1u << i};
		start(&s[i]);
		until_waiting(&word, PRIVATE, i + 1);
	}
	claim_result(futex(&word, FUTEX_WAKE_BITSET | PRIVATE, INT32_MAX, NULL, NULL, 8), 0,
		"bit sets: nobody waits for this bit");
	claim_result(futex(&word, FUTEX_WAKE_BITSET | PRIVATE, INT32_MAX, NULL, NULL, 4), 1,
		"bit sets: one does for that");
	until_awake(1);
	claim(s[2].done && !s[0].done && !s[1].done, "and it is the right one");
	claim(futex(&word, FUTEX_WAKE_BITSET | PRIVATE, INT32_MAX, NULL, NULL, 3) == 2 &&
			join_all(s, 3),
		"bit sets: two by two bits");
}

static void requeueing(int flag, const char *kind)
{
	struct sleeper s[MANY];
	uint32_t from = 0, to = 0;

	start_all(s, MANY, &from, FUTEX_WAIT | flag);
	claim_result(futex(&from, FUTEX_CMP_REQUEUE | flag, 1, (void *)5, &to, 0), 6,
		"requeue: one woken and five moved");
	until_awake(1);
	claim(s[0].done, "%s: the first is awake", kind);
	claim(waiters(&from, flag) == MANY - 6 && waiters(&to, flag) == 5,
		"%s: the others are where they belong", kind);
	claim_result(futex(&from, FUTEX_REQUEUE | flag, 0, (void *)(long)INT32_MAX, &to, 0),
		MANY - 6, "requeue: the rest moved");
	claim_result(futex(&from, FUTEX_WAKE | flag, INT32_MAX, NULL, NULL, 0), 0,
		"nobody waits where they were");
	claim(futex(&to, FUTEX_WAKE | flag, INT32_MAX, NULL, NULL, 0) == MANY - 1 &&
			join_all(s, MANY),
		"%s: all are woken where they went", kind);
}

static void *set_later(void *argument)
{
	uint32_t *word = argument;

	sleep_ms(20);
	__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
	futex(word, FUTEX_WAKE | PRIVATE, 1, NULL, NULL, 0);
	return NULL;
}

static void joining(void)
{
	static uint32_t word;
	pthread_t thread;
	long result = 0;

	pthread_create(&thread, NULL, set_later, &word);
	while (!__atomic_load_n(&word, __ATOMIC_SEQ_CST))
		result = futex(&word, FUTEX_WAIT | PRIVATE, 0, SPAN(A_LONG_TIME), NULL, 0);
	claim(result == 0 || result == -EAGAIN, "a wait with a far timeout ends by the wake-up");
	claim(!pthread_join(thread, NULL), "a thread's end is waited for");
}

/* ---- FUTEX_WAKE_OP ---- */

static long wake_op(uint32_t *a, uint32_t *b, int operation)
{
	return futex(a, FUTEX_WAKE_OP | PRIVATE, 1, (void *)1, b, (uint32_t)operation);
}

static void operations(void)
{
	struct sleeper s[2];
	uint32_t a = 0, b = 10;

	claim(wake_op(&a, &b, FUTEX_OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 10)) == 0 && b == 7,
		"operation: set");
	claim(wake_op(&a, &b, FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 10)) == 0 && b == 12,
		"operation: add");
	claim(wake_op(&a, &b, FUTEX_OP(FUTEX_OP_ADD, 0xfff, FUTEX_OP_CMP_EQ, 10)) == 0 && b == 11,
		"operation: add -1");
	claim(wake_op(&a, &b, FUTEX_OP(FUTEX_OP_OR, 0x70, FUTEX_OP_CMP_EQ, 10)) == 0 && b == 0x7b,
		"operation: or");
	claim(wake_op(&a, &b, FUTEX_OP(FUTEX_OP_ANDN, 0x0b, FUTEX_OP_CMP_EQ, 10)) == 0 && b == 0x70,
		"operation: and not");
	claim(wake_op(&a, &b, FUTEX_OP(FUTEX_OP_XOR, 0xff, FUTEX_OP_CMP_EQ, 10)) == 0 && b == 0x8f,
		"operation: exclusive or");
	claim(wake_op(&a, &b,
		      FUTEX_OP(FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 20, FUTEX_OP_CMP_EQ, 10)) ==
				0 &&
			b == 1u << 20,
		"operation: a shifted operand");
	claim_result(wake_op(&a, &b, FUTEX_OP(5, 0, 0, 0)), -ENOSYS, "no such operation: ENOSYS");
	claim_result(wake_op(&a, &b, FUTEX_OP(FUTEX_OP_SET, 0, 9, 0)), -ENOSYS,
		"no such comparison: ENOSYS");
	claim_result(wake_op(&a, (uint32_t *)8, FUTEX_OP(FUTEX_OP_SET, 0, 0, 0)), -EFAULT,
		"operation on what is not there: EFAULT");
	b = 3;
	awake = 0;
	s[0] = (struct sleeper){.word = &a, .operation = FUTEX_WAIT | PRIVATE};
	s[1] = (struct sleeper){.word = &b, .operation = FUTEX_WAIT | PRIVATE, .value = 3};
	start(&s[0]);
	start(&s[1]);
	until_waiting(&a, PRIVATE, 1);
	until_waiting(&b, PRIVATE, 1);
	claim_result(wake_op(&a, &b, FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_GT, 5)), 1,
		"the comparison fails: only the first futex's waiter");
	pthread_join(s[0].thread, NULL);
	claim(!s[1].done && b == 4, "the second's waits on");
	claim_result(wake_op(&a, &b, FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_LE, 4)), 1,
		"the comparison holds: the second's too");
	pthread_join(s[1].thread, NULL);
	claim(s[0].result == 0 && s[1].result == 0, "both were woken");
}

/* ---- Processes ---- */

static void processes(void)
{
	uint32_t *words = shared_words();
	uint32_t plain = 0;
	pid_t pid;
	int status;

	pid = fork();
	if (!pid) {
		while (!__atomic_load_n(&words[0], __ATOMIC_SEQ_CST))
			futex(&words[0], FUTEX_WAIT, 0, NULL, NULL, 0);
		words[1] = 77;
		futex(&words[1], FUTEX_WAKE, 1, NULL, NULL, 0);
		_exit(futex(&words[0], FUTEX_WAIT | PRIVATE, 1, SPAN(1000000), NULL, 0) ==
					-ETIMEDOUT
				? 9
				: 1);
	}
	until_waiting(&words[0], 0, 1);
	claim_result(futex(&words[0], FUTEX_WAKE | PRIVATE, 1, NULL, NULL, 0), 0,
		"a private wake-up reaches no other process");
	words[0] = 1;
	claim_result(futex(&words[0], FUTEX_WAKE, 1, NULL, NULL, 0), 1,
		"a shared one does, in shared anonymous memory");
	while (!__atomic_load_n(&words[1], __ATOMIC_SEQ_CST))
		futex(&words[1], FUTEX_WAIT, 0, NULL, NULL, 0);
	claim_equal(words[1], 77, "and the answer comes back");
	claim_ended(wait_status(pid), EXITED(9), "both ended in peace");
	pid = fork();
	if (!pid)
		_exit(futex(&plain, FUTEX_WAIT, 0, SPAN(50000000), NULL, 0) == -ETIMEDOUT ? 8 : 1);
	status = 0;
	while (!waitpid(pid, &status, WNOHANG)) {
		if (futex(&plain, FUTEX_WAKE, 1, NULL, NULL, 0))
			check.failed++;
		sched_yield();
	}
	claim_ended(status, EXITED(8), "private memory is each process's own after fork");
	munmap(words, 4096);
}

/* Two mappings of the same file, at two addresses: one futex. */
static void files(void)
{
	char path[] = "/tmp/futex-XXXXXX";
	int fd = mkstemp(path);
	struct sleeper s[1];
	uint32_t *a, *b, *c;

	if (fd < 0 || ftruncate(fd, 8192))
		exit(99);
	a = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	b = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	c = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	start_all(s, 1, a + 1024, FUTEX_WAIT);
	claim_result(
		futex(b + 1, FUTEX_WAKE, 1, NULL, NULL, 0), 0, "a file: the next word is another");
	claim_result(futex(c + 1024, FUTEX_WAKE, 1, NULL, NULL, 0), 0,
		"a private mapping of it is another");
	claim(futex(b, FUTEX_WAKE, 1, NULL, NULL, 0) == 1 && join_all(s, 1),
		"the same place by another mapping is the same");
	munmap(a, 8192);
	munmap(b, 4096);
	munmap(c, 8192);
	close(fd);
	unlink(path);
}

/* ---- futex_waitv ---- */

#define SYS_FUTEX_WAITV 449

struct waitv {
	uint64_t value, address;
	uint32_t flags, reserved;
};

static long waitv(struct waitv *all, unsigned count, const struct timespec *until)
{
	return kernel_call(SYS_FUTEX_WAITV, all, count, 0, until, CLOCK_MONOTONIC);
}

static uint32_t many[4];

static void *wake_third(void *argument)
{
	until_waiting(&many[2], PRIVATE, 1);
	__atomic_store_n(&many[2], 1, __ATOMIC_SEQ_CST);
	futex(&many[2], FUTEX_WAKE | PRIVATE, 1, NULL, NULL, 0);
	return NULL;
}

static void several(void)
{
	struct waitv all[4];
	pthread_t thread;
	long result;

	for (int i = 0; i < 4; i++)
		all[i] = (struct waitv){0, (uintptr_t)&many[i], 2 | PRIVATE, 0};
	if (waitv(all, 4, SPAN(1)) == -ENOSYS) {
		printf("# no futex_waitv: Linux has it since 5.16\n");
		return;
	}
	claim_result(waitv(all, 4, SPAN(1)), -ETIMEDOUT, "several: ETIMEDOUT");
	claim_result(waitv(all, 0, NULL), -EINVAL, "several: none: EINVAL");
	claim_result(waitv(all, 129, NULL), -EINVAL, "several: too many: EINVAL");
	all[1].value = 5;
	claim_result(waitv(all, 4, NULL), -EAGAIN, "several: another value: EAGAIN");
	all[1].value = 0;
	all[3].flags = 0x100;
	claim_result(waitv(all, 4, NULL), -EINVAL, "several: no such flag: EINVAL");
	all[3].flags = 2 | PRIVATE;
	all[3].address = 8;
	claim_result(waitv(all, 4, NULL), -EFAULT, "several: one is not there: EFAULT");
	all[3].address = (uintptr_t)&many[3];
	pthread_create(&thread, NULL, wake_third, NULL);
	result = waitv(all, 4, NULL);
	claim(result == 2, "several: which one was woken");
	pthread_join(thread, NULL);
	claim(waiters(&many[0], PRIVATE) == 0 && waiters(&many[3], PRIVATE) == 0,
		"several: none is waited for any more");
}

/* ---- Signals ---- */

static void on_signal(int signal)
{
}

static int role_interrupted(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct itimerval often = {{0, 20000}, {0, 20000}}; /* the first may come too early */
	uint32_t word = 0;
	long result;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	result = futex(&word, FUTEX_WAIT | PRIVATE, 0, NULL, NULL, 0);
	return result == -EINTR ? 60 : 1;
}

/* Stopped and continued, and with a handler that asks for it, a wait goes on. */
static int role_goes_on(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	uint32_t *words = shared_words(), plain = 0;
	pid_t parent = getpid(), pid;
	int64_t before;
	long result;

	sigaction(SIGUSR1, &action, NULL);
	pid = fork();
	if (!pid) {
		until_asleep(parent);
		kill(parent, SIGUSR1);
		sleep_ms(20);
		words[0] = 1;
		futex(&words[0], FUTEX_WAKE, 1, NULL, NULL, 0);
		sleep_ms(30);
		kill(parent, SIGSTOP);
		sleep_ms(10);
		kill(parent, SIGCONT);
		_exit(0);
	}
	result = futex(&words[0], FUTEX_WAIT, 0, NULL, NULL, 0);
	if (result && result != -EAGAIN)
		return 1;
	before = now_ns();
	result = futex(&plain, FUTEX_WAIT | PRIVATE, 0, SPAN(150000000), NULL, 0);
	if (result != -ETIMEDOUT || now_ns() - before < 150000000)
		return 2;
	wait_status(pid);
	return 61;
}

static void signals(void)
{
	pid_t pid = fork();
	uint32_t word = 0;

	if (!pid) {
		futex(&word, FUTEX_WAIT | PRIVATE, 0, NULL, NULL, 0);
		_exit(1);
	}
	sleep_ms(20);
	kill(pid, SIGKILL);
	claim_ended(wait_status(pid), KILLED(SIGKILL), "a waiter can be killed");
	if (sigaction(SIGALRM, NULL, NULL) == 0)
		claim_ended(run_role("interrupted"), EXITED(60), "a handler ends a wait: EINTR");
	claim_ended(run_role("goes-on"), EXITED(61),
		"not with SA_RESTART and no time, nor does a stop");
}

/* ---- Contention ---- */

static uint32_t mutex_word;
static unsigned long total;

/* The mutex of "Futexes Are Tricky": 0 free, 1 held, 2 held and somebody may wait. */
static void lock(uint32_t *word)
{
	uint32_t c = 0;

	if (__atomic_compare_exchange_n(word, &c, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	if (c != 2)
		c = __atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE);
	while (c) {
		futex(word, FUTEX_WAIT | PRIVATE, 2, NULL, NULL, 0);
		c = __atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE);
	}
}

static void unlock(uint32_t *word)
{
	if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2)
		futex(word, FUTEX_WAKE | PRIVATE, 1, NULL, NULL, 0);
}

static void *count(void *argument)
{
	for (int i = 0; i < 2000; i++) {
		lock(&mutex_word);
		total++;
		if (i % 64 == 0)
			sched_yield(); /* so that others find it held */
		unlock(&mutex_word);
	}
	return NULL;
}

static void contention(void)
{
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, count, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	claim_equal((long)total, 16000, "a mutex of futexes keeps eight threads apart");
	claim_equal(mutex_word, 0, "and ends up free");
}

static void all(int argc, char **argv)
{
	refusals();
	timeouts();
	waking(PRIVATE, "private");
	waking(0, "shared");
	bitsets();
	requeueing(PRIVATE, "private");
	requeueing(0, "shared");
	joining();
	operations();
	processes();
	files();
	several();
	signals();
	contention();
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {
		{"interrupted", role_interrupted}, {"goes-on", role_goes_on}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
