/* SPDX-License-Identifier: MIT */
/* epoll: what is told and when, errors in their order, copies and closing, epolls in epolls. */
#include <sys/ioctl.h>
#include <sys/timerfd.h>

#include "epoll.h"

#define DEPTH 9

/* ---- Errors ---- */

static void create_errors(void)
{
	WANT_IS(kernel_call(SYS_epoll_create, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_epoll_create, -1), -EINVAL);
	WANT_IS(kernel_call(SYS_epoll_create1, 1), -EINVAL);
	WANT_IS(kernel_call(SYS_epoll_create1, EPOLL_CLOEXEC | 1), -EINVAL);
	WANT_IS(fcntl(epoll_create(1), F_GETFD), 0);
	WANT_IS(fcntl(make_epoll(), F_GETFD), FD_CLOEXEC);
}

static void control_errors(void)
{
	struct gate gate = make_gate();
	int epoll = make_epoll(), file = open("/tmp", O_RDONLY), null = open("/dev/null", O_RDWR);
	int path = open("/tmp", O_PATH);

	WANT(file >= 0 && null >= 0 && path >= 0);
	WANT_IS(control(-1, EPOLL_CTL_ADD, gate.in, EPOLLIN, 0), -EBADF);
	WANT_IS(control(epoll, EPOLL_CTL_ADD, -1, EPOLLIN, 0), -EBADF);
	WANT_IS(control(epoll, EPOLL_CTL_ADD, path, EPOLLIN, 0), -EBADF);
	WANT_IS(control(epoll, EPOLL_CTL_ADD, file, EPOLLIN, 0), -EPERM);
	WANT_IS(control(epoll, EPOLL_CTL_ADD, null, EPOLLIN, 0), -EPERM);
	WANT_IS(control(epoll, EPOLL_CTL_ADD, epoll, EPOLLIN, 0), -EINVAL);
	WANT_IS(control(gate.in, EPOLL_CTL_ADD, gate.out, EPOLLIN, 0), -EINVAL);
	WANT_IS(control(epoll, 0, gate.in, EPOLLIN, 0), -EINVAL);
	WANT_IS(control(epoll, 4, gate.in, EPOLLIN, 0), -EINVAL);
	WANT_IS(control(epoll, EPOLL_CTL_MOD, gate.in, EPOLLIN, 0), -ENOENT);
	WANT_IS(control(epoll, EPOLL_CTL_DEL, gate.in, 0, 0), -ENOENT);
	WANT_IS(kernel_call(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, gate.in, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, gate.in, NULL), -EFAULT);
	WANT_IS(kernel_call(SYS_epoll_ctl, -1, EPOLL_CTL_MOD, -1, NULL), -EFAULT);
	add(epoll, gate.in, EPOLLIN);
	WANT_IS(control(epoll, EPOLL_CTL_ADD, gate.in, EPOLLIN, 0), -EEXIST);
	WANT_IS(kernel_call(SYS_epoll_ctl, epoll, EPOLL_CTL_DEL, gate.in, NULL), 0);
	WANT_IS(kernel_call(SYS_epoll_ctl, epoll, EPOLL_CTL_DEL, gate.in, NULL), -ENOENT);
	add(epoll, gate.in, EPOLLIN);
}

static void wait_errors(void)
{
	struct epoll_event event;
	struct gate gate = make_gate();
	struct timespec wrong = {0, 1000000000};
	int epoll = make_epoll();
	uint64_t mask = 0;

	WANT_IS(kernel_call(SYS_epoll_wait, epoll, &event, 0, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_epoll_wait, epoll, &event, -1, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_epoll_wait, epoll, &event, INT_MAX / 12 + 1, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_epoll_wait, -1, &event, 1, 0), -EBADF);
	WANT_IS(kernel_call(SYS_epoll_wait, gate.in, &event, 1, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_epoll_wait, epoll, BAD, 1, 0), -EFAULT);
	WANT_IS(kernel_call(SYS_epoll_pwait, epoll, &event, 1, 0, &mask, 7), -EINVAL);
	WANT_IS(kernel_call(SYS_epoll_pwait, epoll, &event, 1, 0, BAD, 8), -EFAULT);
	WANT_IS(kernel_call(SYS_epoll_pwait, epoll, &event, 1, 0, NULL, 7), 0);
	WANT_IS(kernel_call(SYS_epoll_pwait2, epoll, &event, 1, &wrong, NULL, 8), -EINVAL);
	WANT_IS(kernel_call(SYS_epoll_pwait2, epoll, &event, 1, BAD, NULL, 8), -EFAULT);
	WANT_IS(kernel_call(SYS_read, epoll, &event, 12), -EINVAL);
	WANT_IS(kernel_call(SYS_write, epoll, &event, 12), -EINVAL);
}

/* Events that could not be written are told again. */
static void wait_fault(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct gate a = make_gate(), b = make_gate();
	int epoll = make_epoll();

	WANT_IS(munmap(page + 4096, 4096), 0);
	add(epoll, a.in, EPOLLIN | EPOLLET);
	add(epoll, b.in, EPOLLIN | EPOLLET);
	put(a.out);
	put(b.out);
	WANT_IS(kernel_call(SYS_epoll_wait, epoll, page + 4092, 2, 0), -EFAULT);
	WANT_IS(kernel_call(SYS_epoll_wait, epoll, page + 4084, 2, 0), 1);
	WANT_IS(told(epoll, b.in), EPOLLIN);
	WANT_IS(told(epoll, b.in), 0);
}

/* ---- What is told ---- */

static void level(void)
{
	struct gate gate = make_gate();
	int epoll = make_epoll();

	add(epoll, gate.in, EPOLLIN);
	WANT_IS(told(epoll, gate.in), 0);
	put(gate.out);
	WANT_IS(told(epoll, gate.in), EPOLLIN);
	WANT_IS(told(epoll, gate.in), EPOLLIN);
	take(gate.in);
	WANT_IS(told(epoll, gate.in), 0);
	put(gate.out);
	WANT_IS(control(epoll, EPOLL_CTL_MOD, gate.in, EPOLLOUT, 0), 0);
	WANT_IS(told(epoll, gate.in), 0);
	close(gate.out);
	WANT_IS(control(epoll, EPOLL_CTL_MOD, gate.in, 0, (uint64_t)gate.in << 32 | 7), 0);
	WANT_IS(told(epoll, gate.in), EPOLLHUP);
}

static void ready_when_added(void)
{
	struct gate gate = make_gate();
	int epoll = make_epoll();

	put(gate.out);
	add(epoll, gate.in, EPOLLIN | EPOLLET);
	add(epoll, gate.out, EPOLLIN | EPOLLET);
	WANT_IS(told(epoll, gate.in), EPOLLIN);
	WANT_IS(told(epoll, gate.in), 0);
	WANT_IS(control(epoll, EPOLL_CTL_MOD, gate.out, EPOLLOUT, (uint64_t)gate.out << 32 | 7), 0);
	WANT_IS(told(epoll, gate.out), EPOLLOUT);
}

static void edge(void)
{
	struct gate gate = make_gate();
	int epoll = make_epoll();

	add(epoll, gate.in, EPOLLIN | EPOLLET);
	put(gate.out);
	WANT_IS(told(epoll, gate.in), EPOLLIN);
	WANT_IS(told(epoll, gate.in), 0);
	put(gate.out);
	put(gate.out);
	WANT_IS(told(epoll, gate.in), EPOLLIN);
	WANT_IS(told(epoll, gate.in), 0);
	take(gate.in);
	WANT_IS(told(epoll, gate.in), 0); /* what was taken is no news */
	WANT_IS(control(epoll, EPOLL_CTL_MOD, gate.in, EPOLLIN | EPOLLET,
			(uint64_t)gate.in << 32 | 7),
		0);
	WANT_IS(told(epoll, gate.in), EPOLLIN);
	WANT_IS(told(epoll, gate.in), 0);
	put(gate.out);
	take(gate.in);
	take(gate.in);
	take(gate.in);
	WANT_IS(told(epoll, gate.in), 0); /* it came and went */
	close(gate.out);
	WANT_IS(told(epoll, gate.in), EPOLLHUP);
	WANT_IS(told(epoll, gate.in), 0);
}

static void edge_of_room(void)
{
	static char page[4096];
	struct gate gate = make_gate();
	int epoll = make_epoll();

	WANT_IS(fcntl(gate.out, F_SETFL, O_NONBLOCK), 0);
	add(epoll, gate.out, EPOLLOUT | EPOLLET);
	WANT_IS(told(epoll, gate.out), EPOLLOUT);
	while (write(gate.out, page, sizeof(page)) > 0)
		;
	WANT_IS(told(epoll, gate.out), 0);
	WANT_IS(read(gate.in, page, sizeof(page)), (long)sizeof(page));
	WANT_IS(told(epoll, gate.out), EPOLLOUT);
	WANT_IS(told(epoll, gate.out), 0);
	close(gate.in);
	WANT_IS(told(epoll, gate.out), EPOLLOUT | EPOLLERR);
}

static void one_shot(void)
{
	struct gate gate = make_gate();
	int epoll = make_epoll();

	add(epoll, gate.in, EPOLLIN | EPOLLONESHOT);
	put(gate.out);
	WANT_IS(told(epoll, gate.in), EPOLLIN);
	WANT_IS(told(epoll, gate.in), 0);
	put(gate.out);
	close(gate.out);
	WANT_IS(told(epoll, gate.in), 0); /* not even that */
	WANT_IS(control(epoll, EPOLL_CTL_ADD, gate.in, EPOLLIN, 0), -EEXIST);
	WANT_IS(control(epoll, EPOLL_CTL_MOD, gate.in, EPOLLIN | EPOLLONESHOT,
			(uint64_t)gate.in << 32 | 7),
		0);
	WANT_IS(told(epoll, gate.in), EPOLLIN | EPOLLHUP);
	WANT_IS(told(epoll, gate.in), 0);
}

static void wake_up_flag(void)
{
	struct gate gate = make_gate();
	int epoll = make_epoll();

	add(epoll, gate.in, EPOLLIN | EPOLLWAKEUP);
	put(gate.out);
	WANT_IS(told(epoll, gate.in), EPOLLIN);
}

/* With less room than events each comes in its turn. */
static void in_turn(void)
{
	struct gate gates[5];
	struct epoll_event events[2];
	int epoll = make_epoll(), seen[5] = {0};

	for (unsigned i = 0; i < 5; i++) {
		gates[i] = make_gate();
		WANT_IS(control(epoll, EPOLL_CTL_ADD, gates[i].in, EPOLLIN, i), 0);
		put(gates[i].out);
	}
	for (int turn = 0; turn < 10; turn++) {
		WANT_IS(kernel_call(SYS_epoll_wait, epoll, events, 2, 0), 2);
		seen[events[0].data.u64]++;
		seen[events[1].data.u64]++;
	}
	for (unsigned i = 0; i < 5; i++)
		WANT_IS(seen[i], 4);
}

static void timer_and_process(void)
{
	struct itimerspec soon = {.it_value = {0, 20000000}};
	struct gate gate = make_gate();
	int epoll = make_epoll(), timer = timerfd_create(CLOCK_MONOTONIC, 0), process;
	pid_t pid = fork();
	uint64_t count;

	if (!pid) {
		wait_gate(gate);
		_exit(0);
	}
	process = (int)kernel_call(SYS_pidfd_open, pid, 0);
	WANT(timer >= 0 && process >= 0);
	add(epoll, timer, EPOLLIN | EPOLLRDNORM);
	add(epoll, process, EPOLLIN);
	WANT_IS(told(epoll, timer), 0);
	WANT_IS(timerfd_settime(timer, 0, &soon, NULL), 0);
	WANT_IS(kernel_call(SYS_epoll_wait, epoll, &(struct epoll_event){0}, 1, FAR), 1);
	WANT_IS(told(epoll, timer), EPOLLIN);
	WANT_IS(read(timer, &count, 8), 8);
	WANT_IS(told(epoll, timer), 0);
	open_gate(gate);
	WANT_IS(kernel_call(SYS_epoll_wait, epoll, &(struct epoll_event){0}, 1, FAR), 1);
	WANT_IS(told(epoll, process), EPOLLIN);
	WANT_ENDS(pid, 0);
}

/* ---- Copies and closing ---- */

static void copies(void)
{
	struct gate gate = make_gate();
	int epoll = make_epoll(), other = dup(gate.in);
	struct epoll_event events[4];

	add(epoll, gate.in, EPOLLIN);
	add(epoll, other, EPOLLIN);
	put(gate.out);
	WANT_IS(kernel_call(SYS_epoll_wait, epoll, events, 4, 0), 2);
	WANT_IS(control(epoll, EPOLL_CTL_DEL, other, 0, 0), 0);
	/* The file is open by the copy, and known by the number under which it came. */
	close(gate.in);
	WANT_IS(told(epoll, gate.in), EPOLLIN);
	WANT_IS(control(epoll, EPOLL_CTL_DEL, gate.in, 0, 0), -EBADF);
	WANT_IS(dup2(other, gate.in), gate.in);
	WANT_IS(control(epoll, EPOLL_CTL_ADD, gate.in, EPOLLIN, 0), -EEXIST);
	close(gate.in);
	close(other);
	WANT_IS(told(epoll, gate.in), 0);
	WANT_IS(dup2(make_gate().in, gate.in), gate.in);
	add(epoll, gate.in, EPOLLIN); /* another file by the same number */
}

static void close_epoll_first(void)
{
	struct gate gate = make_gate();
	int a = make_epoll(), b = make_epoll();

	add(a, gate.in, EPOLLIN);
	add(b, gate.in, EPOLLIN);
	close(a);
	put(gate.out);
	WANT_IS(told(b, gate.in), EPOLLIN);
	close(gate.in);
	WANT_IS(told(b, gate.in), 0);
	close(b);
}

static void forked(void)
{
	struct gate gate = make_gate(), other;
	int epoll = make_epoll();
	pid_t pid;

	add(epoll, gate.in, EPOLLIN);
	put(gate.out);
	pid = fork();
	if (!pid) {
		WANT_IS(told(epoll, gate.in), EPOLLIN);
		other = make_gate();
		put(other.out);
		WANT_IS(control(epoll, EPOLL_CTL_MOD, gate.in, 0, 0), 0);
		add(epoll, other.in, EPOLLIN | EPOLLET);
		_exit(0);
	}
	WANT_ENDS(pid, 0);
	/* One epoll for both; what only the child had open went with it. */
	WANT_IS(told(epoll, gate.in), 0);
}

/* ---- Epolls in epolls ---- */

static void nested(void)
{
	struct gate gate = make_gate();
	int inner = make_epoll(), middle = make_epoll(), outer = make_epoll();
	struct pollfd poller = {.fd = outer, .events = POLLIN};

	add(outer, middle, EPOLLIN);
	add(middle, inner, EPOLLIN);
	add(inner, gate.in, EPOLLIN);
	WANT_IS(told(outer, middle), 0);
	WANT_IS(poll(&poller, 1, 0), 0);
	put(gate.out);
	WANT_IS(poll(&poller, 1, 0), 1);
	WANT_IS(poller.revents, POLLIN);
	WANT_IS(told(outer, middle), EPOLLIN);
	WANT_IS(told(middle, inner), EPOLLIN);
	WANT_IS(told(inner, gate.in), EPOLLIN);
	take(gate.in);
	WANT_IS(told(outer, middle), 0);
	WANT_IS(poll(&poller, 1, 0), 0);
	WANT_IS(control(outer, EPOLL_CTL_MOD, middle, EPOLLIN | EPOLLET,
			(uint64_t)middle << 32 | 7),
		0);
	put(gate.out);
	WANT_IS(told(outer, middle), EPOLLIN);
	WANT_IS(told(outer, middle), 0);
	put(gate.out);
	WANT_IS(told(outer, middle), EPOLLIN);
	close(inner);
	WANT_IS(told(middle, inner), 0);
}

static void circles(void)
{
	int a = make_epoll(), b = make_epoll(), c = make_epoll();

	add(a, b, EPOLLIN);
	WANT_IS(control(b, EPOLL_CTL_ADD, a, EPOLLIN, 0), -ELOOP);
	add(b, c, EPOLLIN);
	WANT_IS(control(c, EPOLL_CTL_ADD, a, EPOLLIN, 0), -ELOOP);
	add(a, c, EPOLLIN);
	WANT_IS(control(a, EPOLL_CTL_DEL, b, 0, 0), 0);
	add(b, a, EPOLLIN);
}

static void too_deep(void)
{
	int epolls[DEPTH], i;

	for (i = 0; i < DEPTH; i++)
		epolls[i] = make_epoll();
	for (i = 1; i < DEPTH; i++) {
		long result = control(epolls[i], EPOLL_CTL_ADD, epolls[i - 1], EPOLLIN, 0);

		if (result) {
			WANT_IS(result, -ELOOP);
			break;
		}
	}
	WANT(i >= 5 && i <= 6); /* 4 edges; Linux before 6.18: 5 */
	for (i = 0; i < DEPTH; i++)
		close(epolls[i]);
	epolls[0] = make_epoll();
	for (i = 1; i < 5; i++) {
		epolls[i] = make_epoll();
		add(epolls[i - 1], epolls[i], EPOLLIN);
	}
}

static const struct test_case cases[] = {
	CASE(create_errors, "epoll_create: sizes, flags, close-on-exec"),
	CASE(control_errors, "epoll_ctl: errors"),
	CASE(wait_errors, "epoll_wait: errors"),
	CASE(wait_fault, "epoll_wait: what cannot be written is told again"),
	CASE(level, "level-triggered: as long as it holds"),
	CASE(ready_when_added, "what holds when a file is added, or changed, is told"),
	CASE(edge, "edge-triggered: once for each change"),
	CASE(edge_of_room, "edge-triggered: room to write"),
	CASE(one_shot, "one-shot: until it is changed"),
	CASE(wake_up_flag, "EPOLLWAKEUP does no harm"),
	CASE(in_turn, "with little room each comes in its turn"),
	CASE(timer_and_process, "timers and processes"),
	CASE(copies, "copies of a descriptor are files of their own; the last one's close counts"),
	CASE(close_epoll_first, "one of two epolls is closed"),
	CASE(forked, "fork: one epoll for both"),
	CASE(nested, "an epoll in an epoll in an epoll"),
	CASE(circles, "epolls in a circle: ELOOP"),
	CASE(too_deep, "epolls too deep: ELOOP"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
