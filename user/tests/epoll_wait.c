/* SPDX-License-Identifier: MIT */
/* epoll: those who wait, for a time, with a mask of signals, several at once. */
#include <pthread.h>

#include "epoll.h"

#define MANY 64

/* ---- Waiting ---- */

static void wait_time(void)
{
	struct timespec time = {0, 30000000};
	struct epoll_event event;
	int epoll = make_epoll();
	int64_t start = now_ns();

	WANT_IS(kernel_call(SYS_epoll_wait, epoll, &event, 1, 30), 0);
	WANT(now_ns() - start >= 29000000);
	start = now_ns();
	WANT_IS(kernel_call(SYS_epoll_pwait2, epoll, &event, 1, &time, NULL, 8), 0);
	WANT(now_ns() - start >= 30000000);
	time = (struct timespec){0, 0};
	WANT_IS(kernel_call(SYS_epoll_pwait2, epoll, &event, 1, &time, NULL, 8), 0);
}

static struct gate later;

static void put_later(void)
{
	sleep_ms(40);
	put(later.out);
}

static void wait_wakes(void)
{
	struct epoll_event event;
	int epoll = make_epoll();
	pid_t pid;

	later = make_gate();
	add(epoll, later.in, EPOLLIN);
	pid = start(put_later);
	WANT_IS(kernel_call(SYS_epoll_wait, epoll, &event, 1, -1), 1);
	WANT_IS(event.events, EPOLLIN);
	take(later.in);
	WANT_ENDS(pid, 0);
	pid = start(put_later);
	WANT_IS(kernel_call(SYS_epoll_pwait2, epoll, &event, 1, NULL, NULL, 8), 1);
	WANT_ENDS(pid, 0);
}

/* A file that is added while somebody waits. */
static int added_to;

static void *add_later(void *unused)
{
	sleep_ms(40);
	add(added_to, later.in, EPOLLIN);
	return unused;
}

static void wait_added(void)
{
	struct epoll_event event;
	pthread_t thread;

	later = make_gate();
	put(later.out);
	added_to = make_epoll();
	WANT_IS(pthread_create(&thread, NULL, add_later, NULL), 0);
	WANT_IS(kernel_call(SYS_epoll_wait, added_to, &event, 1, -1), 1);
	pthread_join(thread, NULL);
}

static volatile int handled;

static void on_signal(int number)
{
	handled++;
}

static void borrowed_mask(void)
{
	struct epoll_event event;
	struct gate gate = make_gate();
	int epoll = make_epoll();
	uint64_t none = 0;

	handle(SIGUSR1, on_signal, SA_RESTART);
	block(SIGUSR1);
	raise(SIGUSR1);
	WANT_IS(kernel_call(SYS_epoll_wait, epoll, &event, 1, 0), 0);
	WANT_IS(handled, 0);
	WANT_IS(kernel_call(SYS_epoll_pwait, epoll, &event, 1, -1, &none, 8), -EINTR);
	WANT_IS(handled, 1);
	raise(SIGUSR1);
	add(epoll, gate.in, EPOLLIN);
	put(gate.out);
	/* An event counts for more than a signal. */
	WANT_IS(kernel_call(SYS_epoll_pwait, epoll, &event, 1, -1, &none, 8), 1);
	WANT_IS(handled, 1);
	WANT(is_pending(SIGUSR1));
}

static void nested_wakes(void)
{
	struct epoll_event event;
	int inner = make_epoll(), outer = make_epoll();
	struct pollfd poller = {.fd = inner, .events = POLLIN};
	pid_t pid;

	later = make_gate();
	add(inner, later.in, EPOLLIN);
	add(outer, inner, EPOLLIN);
	pid = start(put_later);
	WANT_IS(kernel_call(SYS_epoll_wait, outer, &event, 1, -1), 1);
	WANT_ENDS(pid, 0);
	take(later.in);
	pid = start(put_later);
	WANT_IS(poll(&poller, 1, -1), 1);
	WANT_ENDS(pid, 0);
}

/* ---- Several who wait ---- */

static int shared_epoll, woken;

static void *wait_once(void *unused)
{
	struct epoll_event event;

	WANT_IS(kernel_call(SYS_epoll_wait, shared_epoll, &event, 1, -1), 1);
	__atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
	return unused;
}

#define WAITERS 4
static pthread_t waiting[WAITERS];

static void begin_waiters(void)
{
	woken = 0;
	for (int i = 0; i < WAITERS; i++)
		WANT_IS(pthread_create(&waiting[i], NULL, wait_once, NULL), 0);
	sleep_ms(60); /* so that most of them do wait */
}

static void end_waiters(void)
{
	for (int i = 0; i < WAITERS; i++)
		pthread_join(waiting[i], NULL);
	WANT_IS(woken, WAITERS);
}

static void edge_for_one(void)
{
	struct gate gate = make_gate();

	shared_epoll = make_epoll();
	add(shared_epoll, gate.in, EPOLLIN | EPOLLET);
	begin_waiters();
	for (int i = 0; i < WAITERS; i++) {
		put(gate.out);
		while (__atomic_load_n(&woken, __ATOMIC_SEQ_CST) <= i)
			sleep_ms(1);
		sleep_ms(30);
		WANT_IS(woken, i + 1);
	}
	end_waiters();
}

static void level_for_all(void)
{
	struct gate gate = make_gate();

	shared_epoll = make_epoll();
	add(shared_epoll, gate.in, EPOLLIN);
	begin_waiters();
	put(gate.out);
	end_waiters(); /* nobody takes it */
}

static void exclusive_rules(void)
{
	struct gate gate = make_gate();
	int epoll = make_epoll(), inner = make_epoll();

	WANT_IS(control(epoll, EPOLL_CTL_ADD, inner, EPOLLIN | EPOLLEXCLUSIVE, 0), -EINVAL);
	WANT_IS(control(epoll, EPOLL_CTL_ADD, gate.in, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 0),
		-EINVAL);
	WANT_IS(control(epoll, EPOLL_CTL_ADD, gate.in, EPOLLRDHUP | EPOLLEXCLUSIVE, 0), -EINVAL);
	WANT_IS(control(epoll, EPOLL_CTL_MOD, gate.in, EPOLLIN | EPOLLEXCLUSIVE, 0), -EINVAL);
	add(epoll, gate.in, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE);
	WANT_IS(control(epoll, EPOLL_CTL_MOD, gate.in, EPOLLIN, 0), -EINVAL);
	put(gate.out);
	WANT_IS(told(epoll, gate.in), EPOLLIN);
	WANT_IS(control(epoll, EPOLL_CTL_DEL, gate.in, 0, 0), 0);
}

/* Three epolls in three processes; one event need not wake more than one, and none is lost. */
static struct gate exclusive_gate;
static int *exclusive_count;

static void wait_exclusively(void)
{
	struct epoll_event event;
	int epoll = make_epoll();

	add(epoll, exclusive_gate.in, EPOLLIN | EPOLLEXCLUSIVE);
	__atomic_add_fetch(&exclusive_count[0], 1, __ATOMIC_SEQ_CST);
	WANT_IS(kernel_call(SYS_epoll_wait, epoll, &event, 1, FAR), 1);
	take(exclusive_gate.in);
	__atomic_add_fetch(&exclusive_count[1], 1, __ATOMIC_SEQ_CST);
}

static void exclusive_wakes(void)
{
	pid_t pids[3];

	exclusive_count = shared_memory(4096);
	exclusive_gate = make_gate();
	for (int i = 0; i < 3; i++)
		pids[i] = start(wait_exclusively);
	while (__atomic_load_n(&exclusive_count[0], __ATOMIC_SEQ_CST) < 3)
		sleep_ms(1);
	sleep_ms(50);
	for (int i = 0; i < 3; i++) {
		put(exclusive_gate.out);
		while (__atomic_load_n(&exclusive_count[1], __ATOMIC_SEQ_CST) <= i)
			sleep_ms(1);
	}
	for (int i = 0; i < 3; i++)
		WANT_ENDS(pids[i], 0);
}

/* ---- At once ---- */

static struct gate crowd[MANY];
static int crowd_left, crowd_stop;

static void *serve(void *unused)
{
	struct epoll_event events[8];
	char c;

	while (__atomic_load_n(&crowd_left, __ATOMIC_SEQ_CST) > 0) {
		long n = kernel_call(SYS_epoll_wait, shared_epoll, events, 8, 20);

		for (long i = 0; i < n; i++) {
			int fd = (int)(events[i].data.u64 >> 32);

			while (kernel_call(SYS_read, fd, &c, 1) == 1)
				__atomic_sub_fetch(&crowd_left, 1, __ATOMIC_SEQ_CST);
		}
	}
	return unused;
}

/* Meanwhile files come and go. */
static void *churn(void *unused)
{
	while (!__atomic_load_n(&crowd_stop, __ATOMIC_SEQ_CST)) {
		int fds[2], inner = epoll_create1(0);

		if (inner < 0 || pipe(fds) != 0)
			continue;
		control(inner, EPOLL_CTL_ADD, fds[0], EPOLLIN, 0);
		control(shared_epoll, EPOLL_CTL_ADD, inner, EPOLLIN, (uint64_t)crowd[0].in << 32);
		put(fds[1]);
		close(fds[0]);
		close(inner);
		close(fds[1]);
	}
	return unused;
}

static void crowd_served(void)
{
	pthread_t threads[3];

	shared_epoll = make_epoll();
	for (int i = 0; i < MANY; i++) {
		crowd[i] = make_gate();
		WANT_IS(fcntl(crowd[i].in, F_SETFL, O_NONBLOCK), 0);
		add(shared_epoll, crowd[i].in, EPOLLIN | (i % 2 ? EPOLLET : 0));
	}
	crowd_left = 100 * MANY;
	for (int i = 0; i < 2; i++)
		WANT_IS(pthread_create(&threads[i], NULL, serve, NULL), 0);
	WANT_IS(pthread_create(&threads[2], NULL, churn, NULL), 0);
	for (int i = 0; i < 100 * MANY; i++)
		put(crowd[i * 7 % MANY].out);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	WANT_IS(crowd_left, 0);
	crowd_stop = 1;
	pthread_join(threads[2], NULL);
}

static const struct test_case cases[] = {
	CASE(wait_time, "epoll_wait, epoll_pwait2: for a time"),
	CASE(wait_wakes, "epoll_wait, epoll_pwait2: until something comes"),
	CASE(wait_added, "epoll_wait: of a file that is added meanwhile"),
	CASE(borrowed_mask, "epoll_pwait: the mask of signals"),
	CASE(nested_wakes, "an inner epoll wakes who waits for the outer one, or polls it"),
	CASE(edge_for_one, "edge-triggered: one of four that wait"),
	CASE(level_for_all, "level-triggered: each of four that wait"),
	CASE(exclusive_rules, "EPOLLEXCLUSIVE: what it goes with"),
	CASE(exclusive_wakes, "EPOLLEXCLUSIVE: no event is lost"),
	CASE(crowd_served, "64 pipes, two threads that serve them, a third that adds and closes"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
