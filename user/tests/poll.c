/* SPDX-License-Identifier: MIT */
/*
 * poll, ppoll, select and pselect6: what is found, errors in their order, the borrowed signal mask,
 * the time that is left.
 */
#include <sys/select.h>

#include "cases.h"

#define FAR  100000 /* seconds: a time that does not come */
#define NSET 1024

struct sized_mask {
	const void *mask;
	size_t size;
};

static volatile int handled;

static void on_signal(int number)
{
	handled++;
}

static long call_select(int n, void *in, void *out, void *exceptional, void *time)
{
	return kernel_call(SYS_select, n, in, out, exceptional, time);
}

static fd_set only(int fd)
{
	fd_set set;

	FD_ZERO(&set);
	if (fd >= 0)
		FD_SET(fd, &set);
	return set;
}

static int bits_of(const fd_set *set)
{
	int count = 0;

	for (int fd = 0; fd < NSET; fd++)
		count += FD_ISSET(fd, set) != 0;
	return count;
}

static void after_a_while(void (*act)(void))
{
	pid_t pid = fork();

	WANT(pid >= 0);
	if (pid)
		return;
	sleep_ms(50);
	act();
	_exit(0);
}

/* ---- select ---- */

static void select_null(void)
{
	struct timeval none = {0, 0};

	WANT_IS(call_select(0, NULL, NULL, NULL, &none), 0);
	WANT_IS(call_select(1, NULL, NULL, NULL, &none), 0);
	WANT_IS(call_select(INT_MAX, NULL, NULL, NULL, &none), 0);
}

static void select_finds(void)
{
	struct timeval none = {0, 0};
	struct gate gate = make_gate();
	fd_set in = only(gate.in), out = only(gate.out), exceptional = only(gate.in);
	int n = gate.out + 1;

	WANT_IS(call_select(n, &in, &out, &exceptional, &none), 1);
	WANT_IS(bits_of(&in), 0);
	WANT(FD_ISSET(gate.out, &out));
	WANT_IS(bits_of(&exceptional), 0);
	open_gate(gate);
	in = only(gate.in);
	out = only(gate.out);
	WANT_IS(call_select(n, &in, &out, NULL, NULL), 2);
	WANT(FD_ISSET(gate.in, &in) && FD_ISSET(gate.out, &out));
}

static void select_counts_bits(void)
{
	int fd = open("/dev/null", O_RDWR);
	fd_set in = only(fd), out = only(fd), exceptional = only(fd);

	WANT(fd >= 0);
	WANT_IS(call_select(fd + 1, &in, &out, &exceptional, NULL), 2);
	WANT(FD_ISSET(fd, &in) && FD_ISSET(fd, &out) && !FD_ISSET(fd, &exceptional));
}

static void select_beyond_n(void)
{
	struct timeval none = {0, 0};
	struct gate gate = make_gate();
	fd_set out = only(gate.out);

	FD_SET(63, &out); /* not open, and in the same word, but not below n */
	WANT_IS(call_select(gate.out + 1, NULL, &out, NULL, &none), 1);
	WANT_IS(bits_of(&out), 1);
	WANT_IS(call_select(gate.out, NULL, &out, NULL, &none), 0);
	WANT_IS(bits_of(&out), 0);
	out = only(200); /* in a word that is not looked at */
	WANT_IS(call_select(64, NULL, &out, NULL, &none), 0);
	WANT(FD_ISSET(200, &out));
}

static void select_bad_descriptor(void)
{
	struct timeval none = {0, 0};
	fd_set in = only(60);

	WANT_IS(call_select(61, &in, NULL, NULL, &none), -EBADF);
	WANT(FD_ISSET(60, &in));
	WANT_IS(call_select(61, NULL, &in, NULL, NULL), -EBADF);
	WANT_IS(call_select(61, NULL, NULL, &in, NULL), -EBADF);
}

static void select_errors(void)
{
	struct timeval none = {0, 0}, negative = {-1, 0}, small = {0, -1}, large = {0, 2000000};
	fd_set in = only(0);

	WANT_IS(call_select(-1, NULL, NULL, NULL, &none), -EINVAL);
	WANT_IS(call_select(0, NULL, NULL, NULL, &negative), -EINVAL);
	WANT_IS(call_select(0, NULL, NULL, NULL, &small), -EINVAL);
	WANT_IS(call_select(1, BAD, NULL, NULL, &none), -EFAULT);
	WANT_IS(call_select(1, NULL, BAD, NULL, &none), -EFAULT);
	WANT_IS(call_select(1, NULL, NULL, BAD, &none), -EFAULT);
	WANT_IS(call_select(1, &in, NULL, NULL, BAD), -EFAULT);
	WANT_IS(call_select(-1, NULL, NULL, NULL, &negative), -EINVAL);
	WANT_IS(call_select(0, BAD, BAD, BAD, &none), 0);
	WANT_IS(call_select(0, NULL, NULL, NULL, &large), 0); /* two seconds */
	WANT(large.tv_sec == 0 && large.tv_usec == 0);
}

static void select_result_unwritable(void)
{
	struct timeval time = {FAR, 0};
	int fd = open("/dev/null", O_RDWR);
	fd_set *set = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	WANT(fd >= 0 && set != MAP_FAILED);
	FD_SET(fd, set);
	WANT_IS(mprotect(set, 4096, PROT_READ), 0);
	WANT_IS(call_select(fd + 1, set, NULL, NULL, &time), -EFAULT);
}

static void select_time(void)
{
	struct timeval time = {0, 30000};
	struct gate gate = make_gate();
	fd_set in = only(gate.in);
	int64_t start_time = now_ns();

	WANT_IS(call_select(gate.in + 1, &in, NULL, NULL, &time), 0);
	WANT(now_ns() - start_time >= 30000000);
	WANT_IS(bits_of(&in), 0);
	WANT(time.tv_sec == 0 && time.tv_usec == 0);
}

static void select_time_left(void)
{
	struct timeval time = {FAR, 0}, none = {0, 0};
	int fd = open("/dev/null", O_RDWR);
	fd_set in = only(fd);

	WANT(fd >= 0);
	WANT_IS(call_select(fd + 1, &in, NULL, NULL, &time), 1);
	WANT(time.tv_sec < FAR && time.tv_sec > FAR - 1000);
	in = only(60);
	time = (struct timeval){FAR, 0};
	WANT_IS(call_select(61, &in, NULL, NULL, &time), -EBADF);
	WANT(time.tv_sec < FAR && time.tv_sec > FAR - 1000); /* after errors too */
	in = only(fd);
	WANT_IS(call_select(fd + 1, &in, NULL, NULL, &none), 1);
}

static void select_time_unwritable(void)
{
	struct timeval *time =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/dev/null", O_RDWR);
	fd_set in = only(fd);

	WANT(fd >= 0 && time != MAP_FAILED);
	time->tv_sec = FAR;
	WANT_IS(mprotect(time, 4096, PROT_READ), 0);
	WANT_IS(call_select(fd + 1, &in, NULL, NULL, time), 1);
}

static struct gate shared;

static void open_shared(void)
{
	open_gate(shared);
}

static void select_wakes(void)
{
	struct timeval time = {FAR, 0};
	fd_set in;

	shared = make_gate();
	after_a_while(open_shared);
	in = only(shared.in);
	WANT_IS(call_select(shared.in + 1, &in, NULL, NULL, &time), 1);
	WANT(FD_ISSET(shared.in, &in));
}

static void select_end_of_pipe(void)
{
	struct gate gate = make_gate(), other = make_gate();
	fd_set in = only(gate.in), out = only(other.out);

	close(gate.out);
	WANT_IS(call_select(gate.in + 1, &in, NULL, NULL, NULL), 1); /* POLLHUP */
	close(other.in);
	WANT_IS(call_select(other.out + 1, NULL, &out, NULL, NULL), 1); /* POLLERR */
	in = only(other.out);
	WANT_IS(call_select(other.out + 1, &in, NULL, NULL, NULL), 1);
}

static void select_many(void)
{
	struct timeval none = {0, 0};
	struct gate gate = make_gate();
	fd_set in;

	WANT_IS(dup2(gate.in, 700), 700);
	in = only(700);
	FD_SET(gate.in, &in);
	WANT_IS(call_select(NSET, &in, NULL, NULL, &none), 0);
	open_gate(gate);
	in = only(700);
	FD_SET(gate.in, &in);
	WANT_IS(call_select(701, &in, NULL, NULL, &none), 2);
	WANT(FD_ISSET(700, &in) && FD_ISSET(gate.in, &in));
	WANT_IS(call_select(700, &in, NULL, NULL, &none), 1);
}

static void select_interrupted(void)
{
	struct timeval time = {FAR, 0};
	struct gate gate = make_gate();
	fd_set in = only(gate.in);

	handle(SIGALRM, on_signal, SA_RESTART);
	tick(20000);
	WANT_IS(call_select(gate.in + 1, &in, NULL, NULL, &time), -EINTR);
	tick(0);
	WANT(handled > 0);
	WANT(FD_ISSET(gate.in, &in)); /* as it was */
	WANT(time.tv_sec < FAR && time.tv_sec > FAR - 1000);
}

static pid_t stopped;

static void stop_and_continue(void)
{
	int status;

	sleep_ms(50);
	WANT_IS(kill(stopped, SIGSTOP), 0);
	WANT_IS(waitpid(stopped, &status, WUNTRACED), stopped);
	WANT(WIFSTOPPED(status));
	WANT_IS(kill(stopped, SIGCONT), 0);
	sleep_ms(50);
	open_gate(shared);
	WANT_ENDS(stopped, 0);
}

/* A stop that is continued is not seen. */
static void goes_on(long (*call)(void))
{
	shared = make_gate();
	stopped = fork();
	WANT(stopped >= 0);
	if (stopped == 0) {
		WANT_IS(call(), 1);
		_exit(0);
	}
	stop_and_continue();
}

static long stopped_select(void)
{
	struct timeval time = {FAR, 0};
	fd_set in = only(shared.in);
	long result = call_select(shared.in + 1, &in, NULL, NULL, &time);

	WANT(time.tv_sec < FAR && FD_ISSET(shared.in, &in));
	return result;
}

static long stopped_pselect(void)
{
	fd_set in = only(shared.in);
	sigset_t mask = set_of(SIGUSR1);
	struct sized_mask sized = {&mask, 8};
	long result = kernel_call(SYS_pselect6, shared.in + 1, &in, NULL, NULL, NULL, &sized);

	WANT_IS(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
	WANT(!sigismember(&mask, SIGUSR1));
	return result;
}

static long stopped_ppoll(void)
{
	struct pollfd fd = {shared.in, POLLIN, 0};
	struct timespec time = {FAR, 0};

	return kernel_call(SYS_ppoll, &fd, 1, &time, NULL, 8);
}

static long stopped_poll(void)
{
	struct pollfd fd = {shared.in, POLLIN, 0};

	return kernel_call(SYS_poll, &fd, 1, -1);
}

static void select_goes_on(void)
{
	goes_on(stopped_select);
}

static void pselect_goes_on(void)
{
	goes_on(stopped_pselect);
}

static void ppoll_goes_on(void)
{
	goes_on(stopped_ppoll);
}

static void poll_goes_on(void)
{
	goes_on(stopped_poll);
}

/* ---- pselect6 ---- */

static long call_pselect(int n, void *in, const struct timespec *time, const void *sized)
{
	return kernel_call(SYS_pselect6, n, in, NULL, NULL, time, sized);
}

static void pselect_errors(void)
{
	struct timespec none = {0, 0}, bad = {0, 1000000000}, negative = {-1, 0};
	sigset_t mask = set_of(0);
	struct sized_mask short_mask = {&mask, 4}, long_mask = {&mask, 16}, no_mask = {NULL, 4};
	struct sized_mask lost = {BAD, 8}, lost_short = {BAD, 4};

	WANT_IS(call_pselect(0, NULL, &none, NULL), 0);
	WANT_IS(call_pselect(0, NULL, &none, &short_mask), -EINVAL);
	WANT_IS(call_pselect(0, NULL, &none, &long_mask), -EINVAL);
	WANT_IS(call_pselect(0, NULL, &none, &no_mask), 0);
	WANT_IS(call_pselect(0, NULL, &none, &lost), -EFAULT);
	WANT_IS(call_pselect(0, NULL, &none, &lost_short), -EINVAL);
	WANT_IS(call_pselect(0, NULL, &none, BAD), -EFAULT);
	WANT_IS(call_pselect(0, NULL, BAD, NULL), -EFAULT);
	WANT_IS(call_pselect(0, NULL, &bad, NULL), -EINVAL);
	WANT_IS(call_pselect(0, NULL, &negative, NULL), -EINVAL);
	WANT_IS(call_pselect(0, NULL, &bad, BAD), -EFAULT);
	WANT_IS(call_pselect(-1, NULL, &none, NULL), -EINVAL);
	WANT_IS(call_pselect(1, BAD, &none, NULL), -EFAULT);
}

static void want_mask(int has)
{
	sigset_t now;

	WANT_IS(sigprocmask(SIG_SETMASK, NULL, &now), 0);
	WANT_IS(sigismember(&now, SIGUSR1), has);
}

static void pselect_mask(void)
{
	struct timespec time = {FAR, 0}, none = {0, 0};
	sigset_t open_mask = set_of(0);
	struct sized_mask sized = {&open_mask, 8};

	handle(SIGUSR1, on_signal, SA_RESTART);
	block(SIGUSR1);
	WANT_IS(raise(SIGUSR1), 0);
	WANT_IS(handled, 0);
	WANT_IS(call_pselect(0, NULL, &time, &sized), -EINTR);
	WANT_IS(handled, 1);
	want_mask(1);
	WANT(time.tv_sec < FAR && time.tv_sec > FAR - 1000);
	WANT_IS(raise(SIGUSR1), 0);
	WANT_IS(call_pselect(0, NULL, &none, &sized), -EINTR); /* without any wait */
	WANT_IS(handled, 2);
	want_mask(1);
}

static void pselect_found_and_signal(void)
{
	struct timespec time = {FAR, 0};
	int fd = open("/dev/null", O_RDWR);
	sigset_t open_mask = set_of(0);
	struct sized_mask sized = {&open_mask, 8};
	fd_set in = only(fd);

	WANT(fd >= 0);
	handle(SIGUSR1, on_signal, 0);
	block(SIGUSR1);
	WANT_IS(raise(SIGUSR1), 0);
	WANT_IS(call_pselect(fd + 1, &in, &time, &sized), 1);
	WANT_IS(handled, 0);
	WANT(is_pending(SIGUSR1));
	want_mask(1);
}

static void pselect_keeps_out(void)
{
	struct timespec time = {0, 100000000};
	sigset_t closed = set_of(SIGALRM);
	struct sized_mask sized = {&closed, 8};
	struct itimerval once = {{0, 0}, {0, 20000}};

	handle(SIGALRM, on_signal, 0);
	WANT_IS(setitimer(ITIMER_REAL, &once, NULL), 0);
	WANT_IS(call_pselect(0, NULL, &time, &sized), 0);
	WANT(time.tv_sec == 0 && time.tv_nsec == 0);
	while (!handled) /* when the mask was put back: the timer may be another CPU's, which is held up */
		sched_yield();
	WANT_IS(handled, 1);
}

/* ---- ppoll, poll ---- */

static long call_ppoll(void *fds, unsigned count, const struct timespec *time, const void *mask)
{
	return kernel_call(SYS_ppoll, fds, count, time, mask, 8);
}

static void ppoll_errors(void)
{
	struct timespec none = {0, 0}, bad = {0, -1}, negative = {-1, 0};
	struct pollfd fd = {0, POLLIN, 0};
	sigset_t mask = set_of(0);

	WANT_IS(call_ppoll(NULL, 0, &none, NULL), 0);
	WANT_IS(call_ppoll(BAD, 0, &none, NULL), -EFAULT);
	WANT_IS(call_ppoll(BAD, 1, &none, NULL), -EFAULT);
	WANT_IS(call_ppoll(NULL, 1, &none, NULL), -EFAULT);
	WANT_IS(call_ppoll(&fd, 1, BAD, NULL), -EFAULT);
	WANT_IS(call_ppoll(&fd, 1, &bad, NULL), -EINVAL);
	WANT_IS(call_ppoll(&fd, 1, &negative, NULL), -EINVAL);
	WANT_IS(call_ppoll(&fd, 1, &none, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_ppoll, &fd, 1, &none, &mask, 4), -EINVAL);
	WANT_IS(kernel_call(SYS_ppoll, NULL, 0, &none, NULL, 4), 0);
	WANT_IS(call_ppoll(&fd, 1u << 31, &none, NULL), -EINVAL);
	WANT_IS(kernel_call(SYS_poll, &fd, 1u << 31, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_poll, BAD, 1, 0), -EFAULT);
}

static void poll_finds(void)
{
	struct gate gate = make_gate();
	struct pollfd fds[] = {{gate.in, POLLIN, 99}, {gate.out, POLLOUT, 99}, {-1, POLLIN, 99},
		{60, POLLIN, 99}, {gate.in, 0, 99}};

	WANT_IS(kernel_call(SYS_poll, fds, COUNT(fds), -1), 2);
	WANT_IS(fds[0].revents, 0);
	WANT_IS(fds[1].revents, POLLOUT);
	WANT_IS(fds[2].revents, 0);
	WANT_IS(fds[3].revents, POLLNVAL);
	WANT_IS(fds[4].revents, 0);
	close(gate.out);
	fds[1].fd = -1;
	WANT_IS(call_ppoll(fds, COUNT(fds), NULL, NULL), 3);
	WANT_IS(fds[0].revents, POLLHUP);
	WANT_IS(fds[4].revents, POLLHUP);
}

static void ppoll_time(void)
{
	struct gate gate = make_gate();
	struct pollfd fd = {gate.in, POLLIN, 99};
	struct timespec time = {0, 30000000};
	int64_t start_time = now_ns();

	WANT_IS(call_ppoll(&fd, 1, &time, NULL), 0);
	WANT(now_ns() - start_time >= 30000000);
	WANT(time.tv_sec == 0 && time.tv_nsec == 0 && fd.revents == 0);
	open_gate(gate);
	time.tv_sec = FAR;
	WANT_IS(call_ppoll(&fd, 1, &time, NULL), 1);
	WANT(time.tv_sec < FAR && time.tv_sec > FAR - 1000 && fd.revents == POLLIN);
}

static void ppoll_mask(void)
{
	struct timespec time = {FAR, 0}, none = {0, 0};
	sigset_t open_mask = set_of(0);

	handle(SIGUSR1, on_signal, SA_RESTART);
	block(SIGUSR1);
	WANT_IS(raise(SIGUSR1), 0);
	WANT_IS(call_ppoll(NULL, 0, &time, &open_mask), -EINTR);
	WANT_IS(handled, 1);
	want_mask(1);
	WANT(time.tv_sec < FAR && time.tv_sec > FAR - 1000);
	WANT_IS(raise(SIGUSR1), 0);
	WANT_IS(call_ppoll(NULL, 0, &none, &open_mask), -EINTR);
	WANT_IS(handled, 2);
	WANT_IS(call_ppoll(NULL, 0, &none, &open_mask), 0);
	want_mask(1);
}

static void poll_writes_revents(void)
{
	struct pollfd *fd =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	WANT(fd != MAP_FAILED);
	*fd = (struct pollfd){60, POLLIN, 0};
	WANT_IS(mprotect(fd, 4096, PROT_READ), 0);
	WANT_IS(kernel_call(SYS_poll, fd, 1, 0), -EFAULT);
}

static void path_descriptor(void)
{
	int fd = open("/", O_PATH);
	struct pollfd polled = {fd, POLLIN, 0};

	WANT(fd >= 0);
	WANT_IS(kernel_call(SYS_poll, &polled, 1, -1), 1);
	WANT_IS(polled.revents, POLLNVAL);
}

static const struct test_case cases[] = {
	CASE(select_null, "select: no sets"),
	CASE(select_finds, "select: what can be read and written"),
	CASE(select_counts_bits, "select: one descriptor in three sets"),
	CASE(select_beyond_n, "select: bits from n on do not count"),
	CASE(select_bad_descriptor, "select: EBADF leaves the sets"),
	CASE(select_errors, "select: EINVAL, EFAULT; microseconds beyond a second"),
	CASE(select_result_unwritable, "select: EFAULT where the result does not go"),
	CASE(select_time, "select: the time passes, nothing is left"),
	CASE(select_time_left, "select: the time that is left is written"),
	CASE(select_time_unwritable, "select: a time that cannot be written is no error"),
	CASE(select_wakes, "select: woken by another process"),
	CASE(select_end_of_pipe, "select: POLLHUP is to be read, POLLERR both"),
	CASE(select_many, "select: more than one word of bits"),
	CASE(select_interrupted, "select: EINTR, sets as they were, time left"),
	CASE(select_goes_on, "select: goes on after a stop"),
	CASE(pselect_goes_on, "pselect6: goes on after a stop, the mask comes back"),
	CASE(pselect_errors, "pselect6: EINVAL, EFAULT in order"),
	CASE(pselect_mask, "pselect6: the mask lets a signal in, and comes back"),
	CASE(pselect_found_and_signal, "pselect6: what is found counts for more than a signal"),
	CASE(pselect_keeps_out, "pselect6: the mask keeps a signal out"),
	CASE(ppoll_errors, "ppoll, poll: EINVAL, EFAULT in order"),
	CASE(poll_finds, "poll: revents"),
	CASE(ppoll_time, "ppoll: time that passes, time that is left"),
	CASE(ppoll_mask, "ppoll: the mask lets a signal in, and comes back"),
	CASE(ppoll_goes_on, "ppoll: goes on after a stop"),
	CASE(poll_goes_on, "poll: goes on after a stop"),
	CASE(poll_writes_revents, "poll: EFAULT where revents do not go"),
	CASE(path_descriptor, "poll: POLLNVAL for O_PATH"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
